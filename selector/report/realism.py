"""How far sets of pictures are from real photographs: a row a set, its interval, and the photographs' own as a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.measure.realism import Realism, SetRealism
from selector.measure.realism_measures import CMMD, KID
from selector.measure.realism_sets import PICKS
from selector.report.model import PlotCard
from selector.report.plots.canvas import (
    BLUE,
    FAINT,
    ORANGE,
    VERMILLION,
    finish,
    name_rows,
    new_figure,
    plain,
    say,
    wrap,
    write_plot,
)
from selector.report.plots.model import Drawing, Finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 30
_ROW_IN = 0.33


@dataclass(frozen=True)
class Distance(Finite):
    """A distance with its 80% interval; lower is nearer to real photographs."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class DistanceRow:
    """One set: what to call it, how many images it holds, a distance for each panel; ``picked`` ones stand out."""

    name: str
    images: int
    distances: tuple[Distance, ...]
    picked: bool = False


def realism_of_sets(
    panels: Sequence[str], rows: Sequence[DistanceRow], random: DistanceRow, halves: DistanceRow, note: str
) -> Drawing:
    """Distances of sets, nearest first, in a panel for each metric.

    Args:
        panels: what each measures, with its unit.
        random: what a random pick has, drawn as a line.
        halves: what photographs have among themselves, drawn as a band.
        note: what was compared with what, a sentence.
    """
    title = "How far from real photographs (lower is nearer)"
    figure = new_figure()
    if not panels or not rows:
        say(figure.subplots(), "no set was measured")
        return finish(figure, 1.2, title, note, "no set was measured")
    shown = sorted(rows, key=lambda row: (row.distances[0].value, row.name))[:MOST_ROWS]
    drawn = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for place, axes in enumerate(drawn):
        _panel(axes, panels[place], [(r, r.distances[place]) for r in shown])
        _baselines(axes, random.distances[place], halves.distances[place])
    places = [_ROW_IN * (n + 0.5) for n in range(len(shown))]
    names = [wrap(f"{row.name} (n = {row.images:,})", 40, 1) for row in shown]
    name_rows(drawn[0], places, names, _ROW_IN * len(shown))
    words = f"{note}{'' if len(rows) <= MOST_ROWS else f' The {MOST_ROWS} nearest of {len(rows)} sets are shown.'}"
    alt = f"Distances of {len(shown)} sets to real photographs; nearest: {shown[0].name}. {words}"
    return finish(figure, _ROW_IN * len(shown) + 0.75, title, words, alt, _key(random, halves))


def _panel(axes: Axes, what: str, rows: Sequence[tuple[DistanceRow, Distance]]) -> None:
    plain(axes, what, grid="x")
    for n, (row, found) in enumerate(rows):
        y, color = _ROW_IN * (n + 0.5), VERMILLION if row.picked else BLUE
        axes.plot([found.low, found.high], [y, y], color=color, linewidth=2, alpha=0.55, zorder=3)
        axes.plot([found.value], [y], **_POINT, color=color)


def _baselines(axes: Axes, random: Distance, halves: Distance) -> None:
    axes.axvspan(halves.low, halves.high, color=FAINT, alpha=0.6, linewidth=0, zorder=0)
    axes.axvline(random.value, **_RANDOM)


_POINT: dict[str, Any] = {"marker": "o", "markersize": 6.5, "markeredgecolor": "white", "linestyle": "", "zorder": 4}
_RANDOM: dict[str, Any] = {"color": ORANGE, "linewidth": 1.6, "linestyle": (0, (4, 3)), "zorder": 2}


def _key(random: DistanceRow, halves: DistanceRow) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    interval: dict[str, Any] = {"linewidth": 2, "marker": "o", "markersize": 6.5, "markeredgecolor": "white"}
    return [
        Line2D([], [], color=BLUE, label="a generator's candidates, 80% interval", **interval),
        Line2D([], [], color=VERMILLION, label="the newest picks", **interval),
        Line2D([], [], **_RANDOM, label=random.name),
        Patch(color=FAINT, alpha=0.6, label=f"{halves.name}, 80% of splits"),
    ]


_PANELS = {CMMD: ("CMMD", 1.0), KID: ("KID × 1000", 1000.0)}


def write_realism(path: Path, found: Realism) -> PlotCard:
    """Draw CMMD and KID of every set that was measured; FID has no interval and is left to the table."""
    halves, random = found.baselines
    measured = [one for one in found.sets if one.distances]
    metrics = [m for m in _PANELS if m in random.distances and m in halves.distances]
    rows = [_row(one, metrics) for one in measured]
    note = f"Against {found.photographs:,} photographs ({found.reference}); embedding {found.space}."
    drawn = rows if metrics else []
    panels = [_PANELS[m][0] for m in metrics]
    return write_plot(path, realism_of_sets(panels, drawn, _row(random, metrics), _row(halves, metrics), note))


def _row(one: SetRealism, metrics: list[str]) -> DistanceRow:
    distances = []
    for metric in metrics:
        d, scale = one.distances[metric], _PANELS[metric][1]
        low, high = d.value if d.low is None else d.low, d.value if d.high is None else d.high
        distances.append(Distance(scale * d.value, scale * low, scale * high))
    return DistanceRow(one.name, one.images, tuple(distances), one.name == PICKS)
