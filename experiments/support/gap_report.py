"""Recovered gaps over seeds as a printed table and as JSON: median and 10% quantile beside a random pick and oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.support.hindsight import STATIC
from experiments.support.many_seeds import BESTSHOT, HOLDING, Outcome, Outcomes
from experiments.support.replayed import Checks, Gaps

KINDS = ("final", "best_submitted")
LOW, HIGH = "q10", "q90"
QUANTILES = {LOW: 0.1, HIGH: 0.9}
DIGITS = 4


def as_json(outcomes: Outcomes) -> dict[str, Any]:
    """{contest: {selector: {number of submissions: {final or best_submitted: {median, q10, q90}}}}}."""
    return {
        name: {
            who: {str(n): {kind: summary(gaps, kind) for kind in KINDS} for n, gaps in sorted(outcome.gaps.items())}
            for who, outcome in by_selector.items()
        }
        for name, by_selector in outcomes.items()
    }


def checks_as_json(outcomes: Outcomes) -> dict[str, Any]:
    """{contest: {selector: …}}: share of totals in their 80% interval; reliability of probabilities, by bin and in one.

    Only selectors that state them are in it.
    """
    return {
        name: {who: _checks(outcome) for who, outcome in by_selector.items() if outcome.checks.intervals}
        for name, by_selector in outcomes.items()
    }


def hold_as_json(outcomes: Outcomes) -> dict[str, Any]:
    """{contest: {number of submissions: what holding came to beside always submitting, as means over contests}}.

    Only where both policies ran. Losses are paired: the same contest, the same noise. ``flipped``: contests in which
    HOLD became an advice to submit without any news.
    """
    both = {name: by for name, by in outcomes.items() if HOLDING in by and BESTSHOT in by}
    return {
        name: {str(n): _held(by[HOLDING].gaps[n], by[BESTSHOT].gaps[n]) for n in sorted(by[HOLDING].gaps)}
        for name, by in both.items()
    }


def seconds_as_json(outcomes: Outcomes) -> dict[str, Any]:
    """{contest: {selector: seconds of all its seeds, in its process}}."""
    return {
        name: {who: round(outcome.seconds, 2) for who, outcome in by_selector.items()}
        for name, by_selector in outcomes.items()
    }


def lines_of(outcomes: Outcomes, seeds: int) -> list[str]:
    """Two tables a contest, of final picks and of the best submission: a line a selector, median (10% quantile)."""
    lines: list[str] = []
    for name, by_selector in outcomes.items():
        checkpoints = sorted(next(iter(by_selector.values())).gaps)
        lines += ["", f"{name}: recovered gap after so many submissions, median (10% quantile) over {seeds} seeds"]
        for kind in KINDS:
            lines.append(f"{kind.replace('_', ' '):20}" + "".join(f"{n:>16}" for n in checkpoints))
            lines += [
                f"  {who:18}" + _row(outcome, checkpoints, kind)
                for who, outcome in by_selector.items()
                if kind == "final" or who not in STATIC  # which submit nothing on the way
            ]
        held = hold_as_json({name: by_selector}).get(name, {})
        lines += [_held_line(n, figures) for n, figures in held.items()]
        lines += [_stated(who, outcome) for who, outcome in by_selector.items() if outcome.checks.intervals]
    return lines


def _row(outcome: Outcome, checkpoints: Sequence[int], kind: str) -> str:
    figures = [summary(outcome.gaps[n], kind) for n in checkpoints]
    return "".join(
        f"{'-':>16}" if f["median"] is None else f"{f['median']:>8.3f} ({f['q10']:.3f})".rjust(16) for f in figures
    )


def summary(gaps: Sequence[Gaps], kind: str) -> dict[str, float | None]:
    """Median and quantiles; None where the gap does not exist: every candidate of every task is equally good."""
    values = np.array([getattr(gap, kind) for gap in gaps])
    if not np.isfinite(values).all():
        return {"median": None, **dict.fromkeys(QUANTILES)}
    quantiles = {name: round(float(np.quantile(values, share)), DIGITS) for name, share in QUANTILES.items()}
    return {"median": round(float(np.median(values)), DIGITS), **quantiles}


def _checks(outcome: Outcome) -> dict[str, Any]:
    checks = outcome.checks
    bins = [
        {"stated": round(stated / n, DIGITS), "happened": round(happened / n, DIGITS), "n": int(n)}
        for stated, happened, n in zip(checks.stated, checks.happened, checks.cases, strict=True)
        if n
    ]
    return {
        "interval_80": {"covered": round(checks.covered / checks.intervals, DIGITS), "n": checks.intervals},
        "probability_best": bins,
        "expected_calibration_error": calibration_error(checks),
    }


def calibration_error(checks: Checks) -> float | None:
    """Mean |stated - happened| over bins of probabilities, weighted by their cases (Naeini et al., AAAI 2015).

    None when no probability was stated, as where every task has one candidate.
    """
    n = float(checks.cases.sum())
    return round(float(np.abs(checks.stated - checks.happened).sum() / n), DIGITS) if n else None


def _held(holding: Sequence[Gaps], always: Sequence[Gaps]) -> dict[str, float]:
    pairs = list(zip(holding, always, strict=True))
    return {
        "used": round(float(np.mean([gap.used for gap in holding])), DIGITS),
        "final_lost": round(float(np.mean([a.final - h.final for h, a in pairs])), DIGITS),
        "best_submitted_lost": round(float(np.mean([a.best_submitted - h.best_submitted for h, a in pairs])), DIGITS),
        "flipped": sum(gap.flips > 0 for gap in holding),
        "contests": len(holding),
    }


def _held_line(n: str, held: dict[str, float]) -> str:
    return (
        f"{HOLDING} of {n}: used {held['used']:.1%} of the submissions, mean gap lost: final {held['final_lost']:.3f}, "
        f"best submitted {held['best_submitted_lost']:.3f}; without news HOLD became submit in {held['flipped']} of "
        f"{held['contests']} contests"
    )


def _stated(who: str, outcome: Outcome) -> str:
    checks = outcome.checks
    said = f"{who}: 80% intervals held {checks.covered / checks.intervals:.1%} of {checks.intervals} totals"
    error = calibration_error(checks)
    if error is None:
        return said
    n = int(checks.cases.sum())
    return f"{said}; stated probabilities to be the best are off by {error:.4f} on average, n = {n:,}"
