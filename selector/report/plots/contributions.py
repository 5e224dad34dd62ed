"""Why this candidate: what each score, generator and offset adds to the pick and to its runner-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selector.report.plots.canvas import (
    BLUE,
    INK,
    ORANGE,
    SOFT,
    TEXT_PT,
    finish,
    name_rows,
    new_figure,
    plain,
    say,
    wrap,
)
from selector.report.plots.model import Contribution, Drawing, Explanation, Rival

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 14
_REST = 0.005  # points: what the contributions leave unexplained below this is rounding
_ROW_IN, _LINE_IN = 0.46, 0.165
_BAR_IN = 0.17
_NAME_COLUMNS, _NAME_LINES = 34, 3


def contributions(one: Explanation) -> Drawing:
    """Paired bars in points of overall, what separates the two most first; small ones are summed in one row."""
    title = f"Why this candidate: task {one.task}"
    figure = new_figure()
    rows = _rows(one)
    words = _words(one)
    if not rows:
        say(figure.subplots(), "nothing sets candidates apart")
        return finish(figure, 1.2, title, words, f"No contributions. {words}")
    labels = [wrap(row.name, _NAME_COLUMNS, _NAME_LINES) for row in rows]
    heights = [_ROW_IN + _LINE_IN * max(0, label.count("\n") - 1) for label in labels]
    _bars(figure.subplots(), one, rows, labels, heights)
    alt = f"Paired bars of contributions; the largest: {rows[0].name} {_signed(rows[0].pick)}. {words}"
    return finish(figure, sum(heights) + 0.75, title, words, alt, _key(one))


def _rows(one: Explanation) -> list[Contribution]:
    """Ranked by how far they set the two apart, then by size; at the end the sum of small ones and what is left."""
    ranked = sorted(
        one.contributions,
        key=lambda c: (-abs(c.pick - c.runner_up) if one.runner_up else 0.0, -abs(c.pick), c.name),
    )
    rows, small = ranked[:MOST_ROWS], ranked[MOST_ROWS:]
    if small:
        rows.append(_sum(f"and {len(small)} more, together", small))
    left = Contribution("not additive: the curve of √(SC × PQ) and limits", *_left(one))
    return [*rows, left] if max(abs(left.pick), abs(left.runner_up)) > _REST else rows


def _sum(name: str, parts: list[Contribution]) -> Contribution:
    return Contribution(name, sum(c.pick for c in parts), sum(c.runner_up for c in parts))


def _left(one: Explanation) -> tuple[float, float]:
    total = _sum("", list(one.contributions))
    other = 0.0 if one.runner_up is None else one.runner_up.mean - one.start - total.runner_up
    return one.pick.mean - one.start - total.pick, other


def _bars(axes: Axes, one: Explanation, rows: list[Contribution], labels: list[str], heights: list[float]) -> None:
    begin = f" added to the {one.start:.2f} that both begin with" if one.start else ""
    plain(axes, f"points of overall (0 to 10){begin}", grid="x")
    places = [sum(heights[:n]) + height / 2 for n, height in enumerate(heights)]
    axes.axvline(0, color=SOFT, linewidth=1.1, zorder=3)
    shift = 0.0 if one.runner_up is None else _BAR_IN / 2 + 0.01
    for y, row in zip(places, rows, strict=True):
        _bar(axes, y - shift, row.pick, BLUE)
        if one.runner_up is not None:
            _bar(axes, y + shift, row.runner_up, ORANGE)
    name_rows(axes, places, labels, sum(heights))
    values = [0.0, *(v for row in rows for v in (row.pick, row.runner_up))]
    span = (max(values) - min(values)) or 1.0
    axes.set_xlim(min(values) - 0.13 * span, max(values) + 0.13 * span)  # room for the numbers


def _bar(axes: Axes, y: float, value: float, color: str) -> None:
    axes.barh(y, value, height=_BAR_IN, color=color, zorder=2)
    side = -1 if value < 0 else 1
    axes.annotate(
        _signed(value), (value, y), (4 * side, 0), textcoords="offset points", va="center_baseline",
        ha="right" if value < 0 else "left", fontsize=TEXT_PT - 1.5, color=INK,
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def _said(rival: Rival) -> str:
    return f"{rival.mean:.2f} ± {rival.sd:.2f}, P(best) = {rival.p_best:.2f}"


def _words(one: Explanation) -> str:
    count = f"n = {len(one.contributions)} contribution{'' if len(one.contributions) == 1 else 's'}."
    if one.runner_up is None:
        return f"Estimate of the pick {_said(one.pick)}; it is the only candidate. {count}"
    return f"Estimates (± 1 sd): pick {_said(one.pick)}; runner-up {_said(one.runner_up)}. {count}"


def _key(one: Explanation) -> list[Any]:
    from matplotlib.patches import Patch

    key = [Patch(color=BLUE, label=f"pick: {one.pick.label}")]
    if one.runner_up is not None:
        key.append(Patch(color=ORANGE, label=f"runner-up: {one.runner_up.label}"))
    return key
