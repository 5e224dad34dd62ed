"""A drawing as a file."""

from __future__ import annotations

from pathlib import Path

from selector.domain.files import write_atomically
from selector.report.model import PlotCard
from selector.report.plots.model import Drawing


def write_plot(path: Path, drawing: Drawing) -> PlotCard:
    """Write the picture to ``path`` (made with its folder) and return its card for the contact sheet.

    Raises:
        InputError: the folder cannot be written. OutOfResources: the disk is full.
    """
    write_atomically(path, drawing.png, durable=False)  # can be drawn again
    return PlotCard(path, drawing.title, drawing.alt, drawing.caption)
