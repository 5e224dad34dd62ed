"""Pictures of a run: recovered gap over submissions, and whether stated probabilities came true."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.support.gap_report import HIGH, LOW, summary
from experiments.support.many_seeds import BESTSHOT, Outcome, Outcomes, Plan
from experiments.support.replayed import Checks
from selector.domain import InputError
from selector.report.plots.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    SOFT,
    TEXT_PT,
    VERMILLION,
    finish,
    new_figure,
    plain,
    say,
    write_plot,
)
from selector.report.plots.model import Z80, Drawing, Finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN = (BESTSHOT, "thompson", "ridge", "best_generator", "best_single_proxy")
_COLORS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, INK)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MOST_TICKS = 8
BINS = 10  # of equal width on 0 to 1; the last one holds 1
_DIAGONAL: dict[str, Any] = {"color": SOFT, "linewidth": 1, "linestyle": (0, (4, 3)), "zorder": 1}
_POINT: dict[str, Any] = {
    "color": BLUE,
    "marker": "o",
    "markersize": 7,
    "markeredgecolor": "white",
    "clip_on": False,
    "zorder": 3,
}


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
    return reliability_of_bins(bins, note)


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9+]+", "-", name.lower()).strip("-")


@dataclass(frozen=True)
class GapCurve(Finite):
    """Recovered gap (0 = random, 1 = oracle) of one selector after each number of submissions, over seeds."""

    label: str
    submissions: tuple[int, ...]
    median: tuple[float, ...]
    low: tuple[float, ...]  # 10% quantile
    high: tuple[float, ...]  # 90% quantile

    def __post_init__(self) -> None:
        super().__post_init__()
        if len({len(self.submissions), len(self.median), len(self.low), len(self.high)}) != 1:
            raise InputError(f"plot data GapCurve '{self.label}': expected one median, low and high a submission")


def recovered_gap_over_submissions(curves: Sequence[GapCurve], seeds: int) -> Drawing:
    """Median and 10 to 90% band over ``seeds`` contests of each selector; 0 is a random pick, 1 the oracle."""
    title = "Recovered gap over submissions"
    figure = new_figure()
    curves = [curve for curve in curves if curve.submissions]
    if not curves:
        say(figure.subplots(), "no result yet")
        return finish(figure, 1.2, title, "No result yet.", "no result yet")
    axes = figure.subplots()
    plain(axes, "submissions made", "recovered gap (0 = random, 1 = oracle)")
    key = [line for number, curve in enumerate(curves) for line in _curve(axes, curve, number)]
    _references(axes)
    _ticks(axes, curves)
    words = f"Median and 10 to 90% band of {seeds} seed{'' if seeds == 1 else 's'}. At the end: {_ends(curves)}."
    return finish(figure, 4.2, title, words, f"Recovered gap of {len(curves)} selectors. {words}", key)


def _curve(axes: Axes, curve: GapCurve, number: int) -> list[Any]:
    color, marker = _COLORS[number % len(_COLORS)], _MARKERS[number % len(_MARKERS)]
    axes.fill_between(curve.submissions, curve.low, curve.high, color=color, alpha=0.13, linewidth=0)
    if len(curve.submissions) == 1:  # a band over one place has no width
        axes.plot(curve.submissions * 2, [curve.low[0], curve.high[0]], color=color, linewidth=2, alpha=0.4)
    look: dict[str, Any] = {
        "color": color,
        "marker": marker,
        "markersize": 6,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }
    look["linestyle"] = ("-", "--", ":")[number // len(_COLORS) % 3]
    every = max(1, len(curve.submissions) // 12)
    return list(axes.plot(curve.submissions, curve.median, label=curve.label, linewidth=1.8, markevery=every, **look))


def _references(axes: Axes) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.06), max(high, 1.06))
    for level in (0, 1):
        axes.axhline(level, color=SOFT, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
    named = axes.secondary_yaxis("right")
    named.set_yticks([0, 1], ["random", "oracle"])
    named.tick_params(length=0, labelsize=TEXT_PT, labelcolor=SOFT)
    named.spines["right"].set_visible(False)


def _ticks(axes: Axes, curves: Sequence[GapCurve]) -> None:
    from matplotlib.ticker import MaxNLocator

    places = sorted({n for curve in curves for n in curve.submissions})
    span = max(places[-1] - places[0], 1)
    axes.set_xlim(places[0] - 0.03 * span, places[-1] + 0.03 * span)
    if len(places) <= _MOST_TICKS:
        axes.set_xticks(places)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))


def _ends(curves: Sequence[GapCurve]) -> str:
    return ", ".join(f"{curve.label} {curve.median[-1]:.2f}" for curve in curves)


@dataclass(frozen=True)
class Bin:
    """Cases whose probability fell into one bin: how many, how many were the best, and their mean probability.

    ``n`` and ``best`` need not be whole: a candidate that comes in k contests may count 1/k in each, and candidates
    that share the top of a task share the credit.
    """

    number: int
    n: float
    best: float
    mean: float


def wilson(best: float, n: float, z: float = Z80) -> tuple[float, float]:
    """Score interval of a binomial share (Wilson 1927, J. Am. Stat. Assoc. 22, 209), ``n`` above 0.

    >>> low, high = wilson(8, 10, z=1.96)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    share = best / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def reliability_of_bins(bins: Sequence[Bin], note: str = "") -> Drawing:
    """Observed share of best picks against the predicted probability, with 80% Wilson intervals, and counts below.

    Args:
        bins: those that hold anything, from low to high.
        note: how it was counted, a sentence for the caption.
    """
    title = "Probability that a candidate is the best: predicted and observed"
    figure = new_figure()
    if not bins:
        say(figure.subplots(), "no candidate with a known best yet")
        return finish(figure, 1.2, title, "No candidate with a known best yet: n = 0.", "no data yet")
    shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    _shares(shares, bins)
    _counts(counts, bins, "predicted probability that a candidate is the best (0 to 1)", "candidates")
    words = " ".join([_reliability_words(bins), note]).strip()
    return finish(
        figure, 5.2, title, words, f"Reliability plot with a diagonal and counts. {words}", _reliability_key()
    )


def _reliability_words(bins: Sequence[Bin]) -> str:
    n = sum(b.n for b in bins)
    predicted, observed = sum(b.n * b.mean for b in bins) / n, sum(b.best for b in bins) / n
    touching = sum(low <= b.mean <= high for b in bins for low, high in [wilson(b.best, b.n)])
    return (
        f"n = {n:,.0f} candidate{'' if n == 1 else 's'}: on average predicted {predicted:.2f}, "
        f"observed {observed:.2f}; "
        f"the predicted probability lies inside {touching} of {len(bins)} interval{'' if len(bins) == 1 else 's'}."
    )


def _shares(axes: Axes, bins: Sequence[Bin]) -> None:
    plain(axes, y="observed share of best candidates")
    axes.plot([0, 1], [0, 1], **_DIAGONAL)
    for one in bins:
        low, high = wilson(one.best, one.n)
        axes.plot([one.mean, one.mean], [low, high], color=BLUE, linewidth=2, alpha=0.55, zorder=2)
        axes.plot([one.mean], [one.best / one.n], **_POINT)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))


def _counts(axes: Axes, bins: Sequence[Bin], x: str, y: str) -> None:
    plain(axes, x, y, grid="y")
    highest = max(one.n for one in bins)
    for one in bins:
        axes.bar((one.number + 0.5) / BINS, one.n, width=0.9 / BINS, color=FAINT)
        count = f"{one.n:,.0f}" if one.n >= 1 else f"{one.n:.1f}"
        at = ((one.number + 0.5) / BINS, one.n)
        axes.annotate(count, at, (0, 2), textcoords="offset points", ha="center", va="bottom", size=TEXT_PT - 1, c=INK)
    axes.set_ylim(0, 1.35 * highest)
    axes.locator_params(axis="y", nbins=3, integer=True)


def _reliability_key() -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], label="observed share in a bin, 80% Wilson interval", linewidth=2, **_POINT),
        Line2D([], [], label="calibrated", **_DIAGONAL),
        Line2D([], [], label="number of candidates", color=FAINT, linewidth=8),
    ]
