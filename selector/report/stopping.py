"""The picture of when to stop: expected true score of the best of N candidates over N, a panel a task type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.domain.words import n_of
from selector.learn.stopping import Curve
from selector.report._model import PlotCard
from selector.report.plots.canvas import (
    BLUE,
    INK,
    SKY,
    TEXT_PT,
    VERMILLION,
    drawable,
    finish,
    new_figure,
    plain,
    say,
    write_plot,
)
from selector.report.plots.model import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 6
_ACROSS = 2
_PANEL_IN = 2.9
_MOST_TICKS = 12
TOP = 10.0  # points
_LEAST_SPAN = 0.3  # points: what is flat looks flat


def write_curves(path: Path, curves: Sequence[Curve]) -> PlotCard:
    """Draw the curves into a PNG."""
    return write_plot(path, best_of_n(curves))


def best_of_n(curves: Sequence[Curve]) -> Drawing:
    """Mean and 80% band of every curve; all panels have scales of one length, so that slopes can be compared."""
    title = "Expected true score of the best of N candidates"
    figure = new_figure()
    shown = [*curves[: MOST_PANELS - 1], *curves[-1:]] if len(curves) > MOST_PANELS else list(curves)
    if not shown:
        say(figure.subplots(), "no task has two candidates yet")
        return finish(figure, 1.2, title, "No task has two candidates yet.", "nothing is known yet")
    down = -(-len(shown) // _ACROSS)
    grid = figure.add_gridspec(down, _ACROSS)
    span = max([_LEAST_SPAN, *(1.12 * (max(c.high) - min(c.low)) for c in shown)])
    for place, curve in enumerate(shown):
        row, column = divmod(place, _ACROSS)
        is_alone = column == 0 and place == len(shown) - 1  # an odd one gets the whole row
        _panel(figure.add_subplot(grid[row, :] if is_alone else grid[row, column]), curve, span, len(shown) > 1)
    words = _words(shown[-1])  # of all types, where there are several
    if len(shown) < len(curves):
        words += f" {len(shown)} of {len(curves)} curves are drawn."
    return finish(figure, (_PANEL_IN if down > 1 else 3.9) * down, title, words, f"{title}. {words}", _key(shown))


def _panel(axes: Axes, curve: Curve, span: float, is_named: bool) -> None:
    plain(axes, "N, candidates of a task", "overall (points, 0 to 10)", grid="y")
    now = curve.measured_to
    for part, line, shade in ((slice(0, now), "-", 0.30), (slice(now - 1, None), (0, (4, 2.5)), 0.15)):
        n, mean, low, high = (values[part] for values in (curve.n, curve.mean, curve.low, curve.high))
        axes.fill_between(n, low, high, color=SKY, alpha=shade, linewidth=0, zorder=1)
        axes.plot(n, mean, color=BLUE, linewidth=2, linestyle=line, zorder=3)
    axes.plot([now], [curve.mean[now - 1]], **_NOW)
    if curve.stop_after is not None:
        axes.axvline(curve.stop_after, **_STOP)
    if curve.may_hurt_after is not None:
        axes.plot([curve.may_hurt_after], [curve.low[curve.may_hurt_after - 1]], **_HURT)
    least, most = min(curve.low), max(curve.high)
    bottom = (most + least - span) / 2
    if least >= 0.0 and most <= TOP:  # the scale ends there
        bottom = max(0.0, min(bottom, TOP - span))
    axes.set(xlim=(0.6, curve.n[-1] + 0.4), ylim=(bottom, bottom + span))
    axes.set_xticks(range(1, curve.n[-1] + 1, -(-curve.n[-1] // _MOST_TICKS)))
    axes.locator_params(axis="y", nbins=6)
    if is_named:
        name = f"{curve.task_type} ({n_of(curve.tasks, 'task')})"
        axes.set_title(drawable(name)[0], fontsize=TEXT_PT + 0.5, color=INK, loc="left", pad=6)


_MARK: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.9, "zorder": 5}
_NOW = _MARK | {"marker": "o", "color": BLUE, "markersize": 8.5}
_STOP: dict[str, Any] = {"color": INK, "linewidth": 1.2, "linestyle": (0, (1, 1.6)), "zorder": 2}
_HURT = _MARK | {"marker": "v", "color": VERMILLION, "markersize": 9}


def _key(curves: Sequence[Curve]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    key: list[Any] = [
        Line2D([], [], color=BLUE, linewidth=2, label="from the candidates that are there"),
        Line2D([], [], color=BLUE, linewidth=2, linestyle=(0, (4, 2.5)), label="as the plan would go on"),
        Patch(color=SKY, alpha=0.45, label="80% band of the rise over N = 1"),
        Line2D([], [], label="now", **_NOW),
    ]
    if any(c.stop_after for c in curves):
        key.append(Line2D([], [], label="from here on, each adds next to nothing", **_STOP))
    if any(c.may_hurt_after for c in curves):
        key.append(Line2D([], [], label="from here on, more may hurt (low end falls)", **_HURT))
    return key


def _words(curve: Curve) -> str:
    level, now = curve.mean[0], curve.measured_to - 1
    rise, low, high = (values[now] - level for values in (curve.mean, curve.low, curve.high))
    name = f"{curve.task_type[:1].upper()}{curve.task_type[1:]}"
    return (
        f"{name}, n = {n_of(curve.tasks, 'task')}: the best of {now + 1} is expected {rise:.2f} points (80% interval "
        f"{low:.2f} to {high:.2f}) above one drawn at random; one more for each task adds {curve.worth_of_next:.2f}."
    )
