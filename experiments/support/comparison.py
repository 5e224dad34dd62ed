"""Ours against each rival on the same contests with the same noise, and where a bar of issue 15 is missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.support.gap_report import DIGITS, calibration_error
from experiments.support.many_seeds import BEFORE, BESTSHOT, Outcome, Outcomes
from selector.demo.play.figures import Figure, figure

SIMPLE = (BEFORE, "mean_rank", "thompson")  # never to be worse than these, and after many totals not than:
BEST_PROXY, MANY = "best_single_proxy", 14
RIVALS = (*SIMPLE, BEST_PROXY, "ridge", "best_generator")
FEW, LEAST_AFTER_FEW, LEAST = 4, 0.08, 0.02  # gap that ours may be worse by before and from the fourth total on
BEHIND = 0.06  # gap that the best submission may lie behind the final picks, from the fourth on
COVERED = (0.72, 0.88)  # share of totals within their 80% intervals
OFF = 0.02  # of stated probabilities, on average

Differences = dict[int, dict[str, Figure]]  # by number of submissions, by rival


def differences(ours: Outcome, theirs: dict[str, Outcome]) -> Differences:
    """Mean of the paired differences of final recovered gaps, ours less theirs, with bootstrap intervals over seeds."""
    return {
        n: {who: _difference(_final(ours, n), _final(rival, n)) for who, rival in theirs.items()}
        for n in sorted(ours.gaps)
    }


def behind(ours: Outcome) -> dict[int, Figure]:
    """By how much the best submission made lies behind the final picks, by number of submissions."""
    return {n: _difference(_final(ours, n), [g.best_submitted for g in gaps]) for n, gaps in ours.gaps.items()}


def comparison_as_json(outcomes: Outcomes) -> dict[str, Any]:
    """{contest: {number of submissions: {rival: {mean, low, high, n}}}}, beside the rivals how far behind the best
    submission is, and where a bar was missed."""
    found: dict[str, Any] = {}
    for name, ours, theirs in _compared(outcomes):
        late = behind(ours)
        found[name] = {
            str(n): {who: _rounded(f) for who, f in {**by, "best_submitted_behind": late[n]}.items()}
            for n, by in differences(ours, theirs).items()
        }
    return {"contests": found, **_missed(outcomes)}


def comparison_lines(outcomes: Outcomes) -> list[str]:
    """A table a contest, a line a rival, and one line a bar."""
    lines: list[str] = []
    for name, ours, theirs in _compared(outcomes):
        found, late = differences(ours, theirs), behind(ours)
        lines += ["", f"{name}: final gap of {BESTSHOT} less that of another, mean [95% interval], paired"]
        lines.append(f"{'after':20}" + "".join(f"{n:>26}" for n in found))
        lines += [f"  {who:18}" + "".join(f"{_words(found[n][who]):>26}" for n in found) for who in theirs]
        lines.append(f"  {'its best submitted':18}" + "".join(f"{_words(late[n]):>26}" for n in found))
    bars = {
        "worse": f"worse than {', '.join(SIMPLE)} or, from {MANY} on, {BEST_PROXY} by more than {LEAST:g} (before "
        f"{FEW}: {LEAST_AFTER_FEW:g})",
        "behind": f"best submission more than {BEHIND:g} behind the final picks, from {FEW} on",
        "intervals": "80% intervals that held less than {:.0%} or more than {:.0%}".format(*COVERED),
        "probabilities": f"probabilities of being the best off by more than {OFF:g}",
    }
    missed = _missed(outcomes)
    return [*lines, "", *(f"{words}: {'; '.join(missed[bar]) or 'nowhere'}" for bar, words in bars.items())]


def _missed(outcomes: Outcomes) -> dict[str, list[str]]:
    missed: dict[str, list[str]] = {bar: [] for bar in ("worse", "behind", "intervals", "probabilities")}
    for name, ours, theirs in _compared(outcomes):
        for n, by in differences(ours, theirs).items():
            allowed = LEAST_AFTER_FEW if n < FEW else LEAST
            barred = [(by[who].mean, who) for who in by if who in SIMPLE or (who == BEST_PROXY and n >= MANY)]
            barred = [(mean, who) for mean, who in barred if mean < -allowed and by[who].high < 0]
            if barred:
                _, worst = min(barred)
                missed["worse"].append(f"{name} after {n} ({worst} {_words(by[worst])})")
        late = {n: found for n, found in behind(ours).items() if n >= FEW and found.mean > BEHIND}
        missed["behind"] += [f"{name} after {n} ({_words(found)})" for n, found in late.items()]
        checks, error = ours.checks, calibration_error(ours.checks)
        if checks.intervals and not COVERED[0] <= checks.covered / checks.intervals <= COVERED[1]:
            share = checks.covered / checks.intervals
            missed["intervals"].append(f"{name} ({share:.1%} of {checks.intervals})")
        if error is not None and error > OFF:
            missed["probabilities"].append(f"{name} ({error:.4f})")
    return missed


def _compared(outcomes: Outcomes) -> Iterator[tuple[str, Outcome, dict[str, Outcome]]]:
    """Contest, ours, and the rivals that ran."""
    for name, by_selector in outcomes.items():
        if BESTSHOT in by_selector:
            yield name, by_selector[BESTSHOT], {who: by_selector[who] for who in RIVALS if who in by_selector}


def _final(outcome: Outcome, n: int) -> list[float]:
    return [gap.final for gap in outcome.gaps[n]]


def _difference(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    return figure([a - b for a, b in zip(ours, theirs, strict=True)])


def _words(found: Figure) -> str:
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]" if np.isfinite(found.mean) else "-"


def _rounded(found: Figure) -> dict[str, Any]:
    return {k: round(v, DIGITS) for k, v in asdict(found).items()}
