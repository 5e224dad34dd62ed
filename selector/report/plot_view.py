"""From a plot's card to what the page says: a link, and the size that keeps its place before it has loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from selector.domain import InputError
from selector.domain.picture import open_image
from selector.report.links import link
from selector.report.model import PlotCard

PIXELS_PER_PX = 2  # plots are drawn at twice the size at which they are shown, for sharp screens


@dataclass(frozen=True)
class PlotView:
    """A card with its relative URL and the size at which it is shown (px), or why there is no picture."""

    card: PlotCard
    url: str
    width_px: int = 0
    height_px: int = 0
    problem: str | None = None


def plot_view(card: PlotCard, folder: Path) -> PlotView:
    """Look at the picture's header; a missing or damaged file is reported in the result and costs no page."""
    url = link(card.file, folder)
    try:
        width, height = open_image(card.file.read_bytes(), card.file.name).size
    except InputError as error:
        return PlotView(card, url, problem=str(error))
    except OSError as error:
        return PlotView(card, url, problem=f"{card.file.name}: {error.strerror or error}")
    return PlotView(card, url, width // PIXELS_PER_PX, height // PIXELS_PER_PX)
