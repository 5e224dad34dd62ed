"""What a page shows of picture files: relative links, thumbnails, and the size that keeps a plot's place."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from selector.domain import InputError
from selector.domain.files import write_atomically
from selector.domain.names import check_name
from selector.domain.picture import open_image
from selector.domain.thumbnail import thumbnail_jpeg
from selector.report._model import PlotCard

SIDE_PX = 320
PIXELS_PER_PX = 2  # plots are drawn at twice the size at which they are shown, for sharp screens
FORMAT = "a"  # raise it when a thumbnail of the same picture should look different


def link(target: Path, folder: Path) -> str:
    """A relative URL from a page in ``folder`` to ``target``, quoted; a file URL when they share no root."""
    try:
        relative = os.path.relpath(target.absolute(), folder.absolute())
    except ValueError:  # another drive on Windows
        return target.absolute().as_uri()
    return quote(Path(relative).as_posix())


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """Relative URLs of the small and the full picture, or why there is no small one.

    The size of the small one (px) lets a page keep its place before the picture has loaded.
    """

    full_url: str
    url: str | None = None
    width_px: int = 0
    height_px: int = 0
    problem: str | None = None


def thumbnail(image: Path, folder: Path, content_id: str | None = None) -> Thumbnail:
    """Find or make the thumbnail of ``image`` under ``folder``/thumbs.

    ``content_id`` is the SHA-256 of the file where it is known already; then a thumbnail that exists costs no read.
    A picture that is missing or damaged is reported in the result: one bad file must not cost the page.
    """
    full_url = link(image, folder)
    try:
        data = None if content_id else image.read_bytes()
        name = check_name(content_id or hashlib.sha256(data or b"").hexdigest(), "the picture's id", "it is no SHA-256")
        small = folder / "thumbs" / name[:2] / f"{name[2:34]}-{FORMAT}.jpg"
        if not small.exists():
            small.parent.mkdir(parents=True, exist_ok=True)
            whole = image.read_bytes() if data is None else data
            write_atomically(small, thumbnail_jpeg(whole, image.name, SIDE_PX), durable=False)
        width_px, height_px = open_image(small.read_bytes(), small.name).size
    except InputError as error:
        return Thumbnail(full_url, problem=str(error))
    except OSError as error:
        return Thumbnail(full_url, problem=f"{image.name}: {error.strerror or error}")
    return Thumbnail(full_url, link(small, folder), width_px, height_px)


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
