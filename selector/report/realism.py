"""The realism of sets as a picture."""

from __future__ import annotations

from pathlib import Path

from selector.measure.realism import Realism, SetRealism
from selector.measure.realism_measures import CMMD, KID
from selector.measure.realism_sets import PICKS
from selector.report.model import PlotCard
from selector.report.plots.files import write_plot
from selector.report.plots.realism import Distance, DistanceRow, realism_of_sets

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
