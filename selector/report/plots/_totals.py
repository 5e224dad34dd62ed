"""Leaderboard totals: as they were predicted, and as they came, one submission after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from selector.report.plots.canvas import BLUE, FAINT, GREEN, INK, SOFT, VERMILLION, finish, new_figure, plain, say
from selector.report.plots.model import Drawing, Prediction, ToldTotal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOTAL = "total (points, 0 to 10)"
_LEAST_SPAN = 0.2  # points on an axis at least: equal totals are not spread over the panel


def predicted_and_actual_totals(totals: Sequence[ToldTotal]) -> Drawing:
    """Each told total against its one-step-ahead prediction with the 80% interval: on the diagonal, and in order.

    Totals without a prediction count in n of all, and are drawn in the second panel only.
    """
    title = "Predicted and actual totals"
    figure = new_figure()
    if not totals:
        say(figure.subplots(), "no total yet")
        return finish(figure, 1.2, title, "No total yet: 0 submissions told.", "no total yet")
    diagonal, order = figure.subplots(1, 2, width_ratios=(1, 1.35))
    _diagonal(diagonal, totals)
    _in_order(order, totals)
    words = _words(totals)
    alt = f"Scatter of predicted against actual totals, and both in order of submission. {words}"
    return finish(figure, 4.1, title, words, alt, _key(totals))


def _words(totals: Sequence[ToldTotal]) -> str:
    pairs = [(told, told.predicted) for told in totals if told.predicted is not None]
    inside = sum(p.low <= told.actual <= p.high for told, p in pairs)
    words = f"{inside} of {len(pairs)} totals inside their 80% interval" if pairs else "No total had a prediction"
    outliers = sum(told.outlier for told in totals)
    if outliers:
        words += f"; {outliers} of {len(totals)} taken as {'an outlier' if outliers == 1 else 'outliers'}"
    if 0 < len(pairs) < len(totals):
        words += f"; {len(totals) - len(pairs)} came without a prediction"
    return words + "."


def _diagonal(axes: Axes, totals: Sequence[ToldTotal]) -> None:
    plain(axes, "predicted " + _TOTAL, "actual " + _TOTAL)
    values = [told.actual for told in totals]
    for told in totals:
        if told.predicted is not None:
            p = told.predicted
            axes.plot([p.low, p.high], [told.actual] * 2, color=_color(told), linewidth=1.3, alpha=0.45)
            axes.plot([p.mean], [told.actual], **_mark(told))
            values += [p.low, p.mean, p.high]
    low, high = _limits(values)
    axes.plot([low, high], [low, high], color=SOFT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axes.set(xlim=(low, high), ylim=(low, high), box_aspect=1)
    axes.locator_params(nbins=6)


def _in_order(axes: Axes, totals: Sequence[ToldTotal]) -> None:
    plain(axes, f"submission (n = {len(totals)} told)", _TOTAL)
    width = min(11.0, 190 / len(totals))
    for at, told in enumerate(totals, start=1):
        if told.predicted is not None:
            p = told.predicted
            axes.plot([at, at], [p.low, p.high], color=FAINT, linewidth=width, solid_capstyle="butt", zorder=1)
            axes.plot([at], [p.mean], color=SOFT, marker="_", markersize=width, markeredgewidth=1.4, zorder=2)
        axes.plot([at], [told.actual], **_mark(told))
    values = [told.actual for told in totals]
    values += [value for told in totals if (q := told.predicted) for value in (q.low, q.mean, q.high)]
    axes.set_ylim(*_limits(values))
    axes.locator_params(axis="y", nbins=7)
    _count_axis(axes, len(totals))


def _count_axis(axes: Axes, last: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.3, last + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    spare = max((high - low) * 0.06, (_LEAST_SPAN - (high - low)) / 2)
    return low - spare, high + spare


def _color(told: ToldTotal) -> str:
    return VERMILLION if told.outlier else BLUE


def _mark(told: ToldTotal) -> dict[str, Any]:
    look: dict[str, Any] = {"color": _color(told), "linestyle": "none", "zorder": 3, "clip_on": False}
    if told.outlier:
        return look | {"marker": "X", "markersize": 8.5, "markeredgecolor": "white", "markeredgewidth": 0.6}
    return look | {"marker": "o", "markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.6}


def _key(totals: Sequence[ToldTotal]) -> list[Any]:
    from matplotlib.lines import Line2D

    key = [Line2D([], [], label="actual total", **_mark(ToldTotal(0.0)))]
    if any(told.outlier for told in totals):
        key.append(Line2D([], [], label="taken as an outlier", **_mark(ToldTotal(0.0, outlier=True))))
    if any(told.predicted for told in totals):
        band: dict[str, Any] = {
            "color": FAINT,
            "linewidth": 8,
            "marker": "_",
            "markeredgecolor": SOFT,
            "markersize": 10,
        }
        key.append(Line2D([], [], label="predicted from the totals before it: mean, 80% interval", **band))
        key.append(Line2D([], [], label="as predicted", color=SOFT, linewidth=1, linestyle=(0, (4, 3))))
    return key


def totals_over_submissions(totals: Sequence[ToldTotal], expected: Prediction | None = None) -> Drawing:
    """Totals as they came, the best so far (what a leaderboard counts), and what the best picks known would bring."""
    title = "Totals over submissions"
    figure = new_figure()
    if not totals and expected is None:
        say(figure.subplots(), "no total yet")
        return finish(figure, 1.2, title, "No total yet: 0 submissions told.", "no total yet")
    axes = figure.subplots()
    plain(axes, f"submission (n = {len(totals)} told)", _TOTAL)
    best = list(accumulate((told.actual for told in totals), max))
    key = _course(axes, totals, best) + ([] if expected is None else _present(axes, len(totals) + 1, expected))
    values = [told.actual for told in totals] + ([] if expected is None else [expected.low, expected.high])
    axes.set_ylim(*_limits(values))
    axes.locator_params(axis="y", nbins=6)
    _count_axis(axes, len(totals) + (expected is not None))
    words = _course_words(totals, best, expected)
    return finish(figure, 3.6, title, words, f"Totals and the best so far, in order of submission. {words}", key)


def _course(axes: Axes, totals: Sequence[ToldTotal], best: Sequence[float]) -> list[Any]:
    from matplotlib.lines import Line2D

    if not totals:
        return []
    at = [0.5 + n for n in range(len(best) + 1)]
    axes.stairs(best, at, baseline=None, color=INK, linewidth=1.4, zorder=2)
    for n, told in enumerate(totals, start=1):
        axes.plot([n], [told.actual], **_mark(told))
    flags = sorted({told.outlier for told in totals})
    names = {False: "total", True: "total taken as an outlier"}
    marks = [Line2D([], [], label=names[flag], **_mark(ToldTotal(0.0, outlier=flag))) for flag in flags]
    return [*marks, Line2D([], [], color=INK, linewidth=1.4, label="best so far")]


def _present(axes: Axes, at: int, expected: Prediction) -> list[Any]:
    axes.plot([at, at], [expected.low, expected.high], color=GREEN, linewidth=2.2, zorder=3)
    look: dict[str, Any] = {
        "color": GREEN,
        "marker": "D",
        "markersize": 7,
        "markeredgecolor": "white",
        "linewidth": 2.2,
    }
    return list(
        axes.plot([at], [expected.mean], label="expected of the best picks known, 80% interval", zorder=4, **look)
    )


def _course_words(totals: Sequence[ToldTotal], best: Sequence[float], expected: Prediction | None) -> str:
    said = [f"Best of {len(totals)}: {best[-1]:.2f}" if totals else "No total yet"]
    if expected is not None:
        interval = f"80% interval {expected.low:.2f} to {expected.high:.2f}"
        said.append(f"the best picks known are expected at {expected.mean:.2f} ({interval})")
    return "; ".join(said) + "."
