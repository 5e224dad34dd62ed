"""Recovered gap over submissions, for experiments where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from selector.report.plots.canvas import (
    BLUE,
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
)
from selector.report.plots.model import Drawing, GapCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, INK)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MOST_TICKS = 8


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
