"""What a page shows of picture files: relative links, small ones, and the size that keeps a plot's place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from selector.domain import InputError
from selector.domain.files import outlasted, write_atomically
from selector.domain.names import check_name
from selector.domain.picture import open_image
from selector.domain.thumbnail import thumbnail_jpeg
from selector.report._model import PlotCard

SIDE_PX = 320
REDUCED_PX = 640  # of a bundle's pictures that were not picked
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

    The size of the small one (px) lets a page keep its place before the picture has loaded. Without ``full_url``
    there is nothing to be opened.
    """

    full_url: str
    url: str | None = None
    width_px: int = 0
    height_px: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class Pictures:
    """The pictures of the pages in ``folder``, which link to the files where they are.

    Where they are ``copied``, nothing is linked outside the folder: a copy lies below ``pictures``, of 640 px unless it
    is wanted whole. ``fetch`` gives the file of a candidate by its id, where it need not lie where it is said to.
    """

    folder: Path
    copied: bool = False
    fetch: Callable[[str], Path] | None = None

    def thumbnail(self, image: Path, content_id: str | None = None, whole: bool = True) -> Thumbnail:
        """Find or make the thumbnail of ``image``, and its copy where pictures are copied.

        ``content_id`` is the SHA-256 of the file where it is known already; then what exists costs no read. A picture
        that is missing or damaged is reported in the result: one bad file must not cost the page.
        """
        full_url = "" if self.copied else link(image, self.folder)
        try:
            data = None if content_id else image.read_bytes()

            def find() -> Path:
                return self.fetch(content_id) if self.fetch and content_id else image

            digest = content_id or hashlib.sha256(data or b"").hexdigest()
            name = check_name(digest, "the picture's id", "it is no SHA-256")

            def small(side_px: int) -> bytes:
                return thumbnail_jpeg(find().read_bytes() if data is None else data, image.name, side_px)

            shown = self._made(f"thumbs/{name[:2]}/{name[2:34]}-{FORMAT}.jpg", lambda: small(SIDE_PX))
            width_px, height_px = open_image(shown.read_bytes(), shown.name).size
            if self.copied:
                full_url = link(self._copy(image.name, name, find, small, whole), self.folder)
        except InputError as error:
            return Thumbnail(full_url, problem=str(error))
        except OSError as error:
            return Thumbnail(full_url, problem=f"{image.name}: {error.strerror or error}")
        return Thumbnail(full_url, link(shown, self.folder), width_px, height_px)

    def _copy(
        self, shown: str, name: str, find: Callable[[], Path], small: Callable[[int], bytes], whole: bool
    ) -> Path:
        place = f"pictures/{name[:2]}/{name[2:34]}"
        if not whole:
            return self._made(f"{place}-{REDUCED_PX}.jpg", lambda: small(REDUCED_PX))
        data = find().read_bytes()
        form = open_image(data, shown).format or ""  # by its bytes: an input's name may end in anything
        return self._made(f"{place}.{form.lower().replace('jpeg', 'jpg')}", lambda: data)

    def _made(self, name: str, make: Callable[[], bytes]) -> Path:
        path = self.folder / name
        if not outlasted(path):
            write_atomically(path, make(), durable=False)
        return path


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
