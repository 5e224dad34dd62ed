"""Weights of the calibration with their 80% intervals, one panel a task type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from selector.report.plots.canvas import (
    BLUE,
    FAINT,
    INK,
    SOFT,
    TEXT_PT,
    finish,
    name_rows,
    new_figure,
    plain,
    say,
    wrap,
)
from selector.report.plots.model import Z80, Drawing, Weight

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 14  # a panel; the others are counted in words
_ROW_IN, _LINE_IN, _PANEL_IN = 0.27, 0.165, 0.34  # a row, each further line of its name, a panel's title
_NAME_COLUMNS, _NAME_LINES = 36, 3
_DEFAULT_UNIT = "points (0 to 10) per standard deviation of the score"


def weights(rows: Sequence[Weight], unit: str = _DEFAULT_UNIT) -> Drawing:
    """Means and 80% intervals, the strongest (|mean| / sd) first, their priors faint behind, panels on one scale.

    Args:
        rows: any number of weights; task types keep the order in which they come.
        unit: what the x axis measures.
    """
    title = "Weights with 80% intervals"
    figure = new_figure()
    if not rows:
        say(figure.subplots(), "no weights yet")
        return finish(figure, 1.2, title, "No weights yet: nothing has been learned from.", "no weights yet")
    types = list(dict.fromkeys(row.task_type for row in rows))
    panels = [_ranked([row for row in rows if row.task_type == kind]) for kind in types]
    heights = [_height(panel) for panel in panels]
    drawn = figure.subplots(len(types), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for axes, kind, panel in zip(drawn, types, panels, strict=True):
        _panel(axes, kind, panel)
    drawn[-1].set_xlabel(unit, fontsize=TEXT_PT)
    drawn[-1].set_xlim(*_limits([row for panel in panels for row in panel[:MOST_ROWS]]))
    clear = sum(row.strength > Z80 for row in rows)
    words = f"{clear} of {len(rows)} weights have an 80% interval that leaves out zero."
    names = "; ".join(
        f"{kind}: {panel[0].name} {panel[0].mean:+.2f}" for kind, panel in zip(types, panels, strict=True)
    )
    return finish(figure, sum(heights) + 0.55, title, words, f"Weights of each task type. Strongest: {names}.", _key())


def _ranked(rows: Sequence[Weight]) -> list[Weight]:
    return sorted(rows, key=lambda row: (-row.strength, -abs(row.mean), row.name))


def _labels(panel: Sequence[Weight]) -> list[str]:
    labels = [wrap(row.name, _NAME_COLUMNS, _NAME_LINES) for row in panel[:MOST_ROWS]]
    rest = panel[MOST_ROWS:]
    if rest:
        labels.append(f"and {len(rest)} more near zero\n(|mean| at most {rest[0].strength:.2g} sd)")
    return labels


def _places(labels: Sequence[str]) -> tuple[list[float], float]:
    """The middle of each row and the height of all, inches from the top: a name of three lines gets a higher row."""
    heights = [_ROW_IN + _LINE_IN * label.count("\n") for label in labels]
    return [sum(heights[:n]) + height / 2 for n, height in enumerate(heights)], sum(heights)


def _height(panel: Sequence[Weight]) -> float:
    return _places(_labels(panel))[1] + _PANEL_IN


def _panel(axes: Axes, kind: str, panel: Sequence[Weight]) -> None:
    plain(axes, grid="x")
    labels = _labels(panel)
    places, total = _places(labels)
    axes.set_title(f"{wrap(kind, 60, 1)} (n = {len(panel)} weights)", loc="left", fontsize=TEXT_PT + 0.5, color=INK)
    axes.axvline(0, color=SOFT, linewidth=1.1, zorder=2)
    for y, row in zip(places, panel[:MOST_ROWS], strict=False):
        prior = Z80 * row.prior_sd
        axes.plot([row.prior_mean - prior, row.prior_mean + prior], [y, y], **_PRIOR)
        axes.plot([row.mean - Z80 * row.sd, row.mean + Z80 * row.sd], [y, y], **_POSTERIOR)
        axes.plot([row.mean], [y], **_POINT)
    name_rows(axes, places, labels, total)
    if len(panel) > MOST_ROWS:
        axes.get_yticklabels()[-1].set_color(SOFT)


_PRIOR: dict[str, Any] = {"color": FAINT, "linewidth": 7, "solid_capstyle": "butt", "zorder": 1}
_POSTERIOR: dict[str, Any] = {"color": BLUE, "linewidth": 2, "zorder": 3}
_POINT: dict[str, Any] = {"color": BLUE, "marker": "o", "markersize": 6, "markeredgecolor": "white", "zorder": 4}


def _limits(shown: Sequence[Weight]) -> tuple[float, float]:
    """All posteriors and zero; priors too, as far as they do not squeeze the posteriors to a fifth of the width."""
    low = min(0.0, *(row.mean - Z80 * row.sd for row in shown))
    high = max(0.0, *(row.mean + Z80 * row.sd for row in shown))
    span = (high - low) or max(Z80 * row.prior_sd for row in shown) or 1.0
    low_prior = min(row.prior_mean - Z80 * row.prior_sd for row in shown)
    high_prior = max(row.prior_mean + Z80 * row.prior_sd for row in shown)
    low, high = max(min(low, low_prior), low - 2 * span), min(max(high, high_prior), high + 2 * span)
    spare = 0.03 * (high - low) or 1.0
    return low - spare, high + spare


def _key() -> list[Any]:
    from matplotlib.lines import Line2D

    learned = Line2D([], [], label="learned: mean and 80% interval", **(_POSTERIOR | _POINT))
    return [learned, Line2D([], [], label="prior: 80% interval", **_PRIOR)]
