"""Pictures of a run: recovered gap over submissions, and whether stated probabilities came true."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from experiments.support.gap_report import HIGH, LOW, summary
from experiments.support.many_seeds import BESTSHOT, Outcome, Outcomes, Plan
from experiments.support.replayed import Checks
from selector.report.plots import Drawing, GapCurve, recovered_gap_over_submissions, write_plot
from selector.report.plots.reliability import Bin, reliability_of_bins

DRAWN = (BESTSHOT, "thompson", "ridge", "best_generator", "best_single_proxy")


def write_plots(folder: Path, outcomes: Outcomes, plan: Plan, same_candidates: bool) -> list[Path]:
    """PNG files in ``folder``, made where it is not there: two a contest, named after it.

    Args:
        same_candidates: every seed plays the same table, so that its candidates come again with every seed.
    """
    written = []
    for name, by_selector in outcomes.items():
        drawings = {"gap": gap_drawing(by_selector, plan.seeds)}
        if BESTSHOT in by_selector:
            runs = (plan.seeds if same_candidates else 1) * (len(plan.checkpoints) if plan.each else 1)
            drawings["reliability"] = reliability_drawing(by_selector[BESTSHOT].checks, runs)
        for kind, drawing in drawings.items():
            written.append(write_plot(folder / f"{kind}-{_file_name(name)}.png", drawing).file)
    return written


def gap_drawing(by_selector: Mapping[str, Outcome], seeds: int) -> Drawing:
    """Final picks of ours and of the baselines that ran; what has no gap is left out."""
    curves = [curve_of(who, by_selector[who]) for who in DRAWN if who in by_selector]
    return recovered_gap_over_submissions(curves, seeds)


def curve_of(who: str, outcome: Outcome) -> GapCurve:
    """Medians with 10 and 90% quantiles of the final picks."""
    found = {n: summary(gaps, "final") for n, gaps in sorted(outcome.gaps.items())}
    known = {n: (f["median"], f[LOW], f[HIGH]) for n, f in found.items()}
    rows = [(n, m, low, high) for n, (m, low, high) in known.items() if None not in (m, low, high)]
    columns = tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())
    return GapCurve(who, *columns)


def reliability_drawing(checks: Checks, runs: int) -> Drawing:
    """All candidates of tasks with a choice; each came ``runs`` times, which count as one: they are not independent."""
    bins = []
    for number, cases in enumerate(checks.cases):
        if cases:
            stated, happened = checks.stated[number] / cases, checks.happened[number] / cases
            bins.append(Bin(number, cases / runs, happened * cases / runs, stated))
    note = "" if runs == 1 else f"Each candidate came in {runs} contests and counts once."
    return reliability_of_bins(bins, "candidate", note)


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9+]+", "-", name.lower()).strip("-")
