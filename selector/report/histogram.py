"""Geometry of the histograms at the top of the sheet: estimated overall, all candidates behind, picks in front.

Both are drawn as shares, not counts, so that one pick out of eight candidates is still seen beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

from selector.report.tally import BINS, Distribution, TypeTally

WIDTH, HEIGHT = 240, 76  # user units of the drawing; x runs from 0 to 10 points over the width


@dataclass(frozen=True)
class Bar:
    """A bar that stands on the axis: left edge, top edge, height."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """One task type's panel. Means are x positions, None when there is nothing to average."""

    candidates: tuple[Bar, ...]
    picks: tuple[Bar, ...]
    candidates_mean_x: float | None
    picks_mean_x: float | None


def histogram(tally: TypeTally) -> Histogram:
    """Bars of both distributions on one scale: the tallest of the two fills the height."""
    peak = max(_shares(tally.candidates) + _shares(tally.picks), default=0.0) or 1.0
    return Histogram(
        _bars(tally.candidates, peak), _bars(tally.picks, peak), _mean_x(tally.candidates), _mean_x(tally.picks)
    )


def _shares(distribution: Distribution) -> list[float]:
    return [count / max(distribution.n, 1) for count in distribution.counts]


def _bars(distribution: Distribution, peak: float) -> tuple[Bar, ...]:
    heights = [round(share / peak * HEIGHT, 1) for share in _shares(distribution)]
    step = WIDTH / BINS
    return tuple(Bar(i * step, round(HEIGHT - high, 1), high) for i, high in enumerate(heights) if high)


def _mean_x(distribution: Distribution) -> float | None:
    return None if distribution.mean is None else round(distribution.mean / 10 * WIDTH, 1)
