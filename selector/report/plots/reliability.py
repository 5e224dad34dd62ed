"""Is the probability that a pick is the best one calibrated? A reliability plot with counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from selector.report.plots.canvas import BLUE, FAINT, INK, SOFT, TEXT_PT, finish, new_figure, plain, say
from selector.report.plots.model import Z80, Drawing, PickChance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 10  # of equal width on 0 to 1; the last one holds 1


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


def binned(picks: Sequence[PickChance]) -> list[Bin]:
    """The bins that hold anything, from low to high."""
    groups: dict[int, list[PickChance]] = {}
    for pick in picks:
        groups.setdefault(min(max(int(pick.probability * BINS), 0), BINS - 1), []).append(pick)
    return [
        Bin(number, len(group), sum(p.was_best for p in group), sum(p.probability for p in group) / len(group))
        for number, group in sorted(groups.items())
    ]


def reliability(picks: Sequence[PickChance]) -> Drawing:
    """Observed share of best picks against the predicted probability, with 80% Wilson intervals, and counts below."""
    return reliability_of_bins(binned(picks))


def reliability_of_bins(bins: Sequence[Bin], what: str = "pick", note: str = "") -> Drawing:
    """The same from bins, from low to high.

    Args:
        bins: those that hold anything.
        what: one of what is counted, a pick or a candidate.
        note: how it was counted, a sentence for the caption.
    """
    subject = "the pick" if what == "pick" else f"a {what}"
    title = f"Probability that {subject} is the best: predicted and observed"
    figure = new_figure()
    if not bins:
        say(figure.subplots(), f"no {what} with a known best yet")
        return finish(figure, 1.2, title, f"No {what} with a known best yet: n = 0.", "no data yet")
    shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    _shares(shares, bins, what)
    _counts(counts, bins, f"predicted probability that {subject} is the best (0 to 1)", f"{what}s")
    words = " ".join([_words(bins, what), note]).strip()
    return finish(figure, 5.2, title, words, f"Reliability plot with a diagonal and counts. {words}", _key(what))


def _words(bins: Sequence[Bin], what: str) -> str:
    n = sum(b.n for b in bins)
    predicted, observed = sum(b.n * b.mean for b in bins) / n, sum(b.best for b in bins) / n
    touching = sum(low <= b.mean <= high for b in bins for low, high in [wilson(b.best, b.n)])
    return (
        f"n = {n:,.0f} {what}{'' if n == 1 else 's'}: on average predicted {predicted:.2f}, observed {observed:.2f}; "
        f"the predicted probability lies inside {touching} of {len(bins)} interval{'' if len(bins) == 1 else 's'}."
    )


def _shares(axes: Axes, bins: Sequence[Bin], what: str) -> None:
    plain(axes, y=f"observed share of best {what}s")
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


_DIAGONAL: dict[str, Any] = {"color": SOFT, "linewidth": 1, "linestyle": (0, (4, 3)), "zorder": 1}
_POINT: dict[str, Any] = {
    "color": BLUE,
    "marker": "o",
    "markersize": 7,
    "markeredgecolor": "white",
    "clip_on": False,
    "zorder": 3,
}


def _key(what: str) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], label="observed share in a bin, 80% Wilson interval", linewidth=2, **_POINT),
        Line2D([], [], label="calibrated", **_DIAGONAL),
        Line2D([], [], label=f"number of {what}s", color=FAINT, linewidth=8),
    ]
