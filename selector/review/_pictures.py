"""Pictures for the page: the stored bytes, or a small copy that is made once and kept in a bounded folder."""

from __future__ import annotations

import mimetypes
import os
import re
import threading
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from selector.contest.input_images import resolve_image
from selector.domain import InputError, Picture
from selector.domain.files import outlasted, trim, write_atomically
from selector.domain.thumbnail import thumbnail_jpeg
from selector.store import Images

SIZES = (160, 320, 640)  # longer side in px
FULL = "full"
_ID = re.compile(r"[0-9a-f]{64}")
_SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")  # by every browser; others are converted
_MOST_BYTES = 512 << 20  # of the copies
_LOOK_EVERY = 500  # copies made, between two looks at the folder's size
_AT_ONCE = 2  # pictures decoded: a large one takes 150 MB while it is
_LARGE_PX = 4096  # side of what is converted


class NoPicture(InputError):
    """There is none of that name."""


@dataclass(frozen=True)
class Sent:
    """A picture as it goes over the wire: bytes or a file, its type, and a tag that names the content."""

    media_type: str
    tag: str
    data: bytes | None = None
    path: Path | None = None


class Pictures:
    """Candidates by id and input pictures by name, in the sizes of ``SIZES`` or whole. Safe for threads.

    Args:
        images, inputs: where they lie.
        cache: folder of the small copies.
    """

    def __init__(self, images: Images, inputs: Path, cache: Path) -> None:
        self._images, self._inputs, self._cache = images, inputs, cache / "pictures"
        self._slots, self._made, self._tidying = threading.Semaphore(_AT_ONCE), 0, threading.Lock()

    def candidate(self, image_id: str, size: str) -> Sent:
        """A candidate's; raises ``NoPicture``, or ``InputError`` for a size that there is not or a damaged picture."""
        if not _ID.fullmatch(image_id):
            raise NoPicture("a candidate's picture is named by its 64 hexadecimal digits")
        kept = self._kept(image_id, size)
        if not self._images.lasting and kept.is_file():  # else it would be fetched for nothing
            return Sent("image/jpeg", kept.stem, path=kept)
        return self._sent(self._images.file(image_id), image_id, size)

    def input(self, name: str, known: Collection[str], size: str) -> Sent:
        """An input picture's, one of those ``known`` to the task table; raises as ``candidate`` does."""
        if name not in known:
            raise NoPicture("no task names this input picture")
        path = resolve_image(self._inputs, name)
        return self._sent(path, _tag_of(name, path), size)

    def size_of_input(self, name: str) -> tuple[int, int] | None:
        """(width, height) px as shown; None where it cannot be read."""
        try:
            path = resolve_image(self._inputs, name)
            return _size_of(path, path.stat().st_mtime_ns)
        except (InputError, OSError):
            return None

    def _sent(self, path: Path, tag: str, size: str) -> Sent:
        if size not in (FULL, *map(str, SIZES)):
            raise InputError(f"a picture's size is one of {', '.join(map(str, SIZES))} and {FULL}")
        if not path.is_file():
            raise NoPicture(f"{path.name[:16]}… is missing from the campaign: restore it from a backup")
        if size == FULL:
            kind = mimetypes.guess_type(path.name)[0] or ""
            return Sent(kind, tag, path=path) if kind in _SHOWN else self._small(path, tag, _LARGE_PX)
        return self._small(path, tag, int(size))

    def _small(self, path: Path, tag: str, side_px: int) -> Sent:
        kept = self._kept(tag, str(side_px))
        if outlasted(kept):
            return Sent("image/jpeg", kept.stem, path=kept)
        with self._slots:
            data = thumbnail_jpeg(path.read_bytes(), f"picture {path.name[:16]}", side_px)
        try:
            write_atomically(kept, data, durable=False)
            self._tidy()
        except InputError:  # nothing can be kept: then it is made again
            pass
        return Sent("image/jpeg", kept.stem, data=data)

    def _kept(self, tag: str, size: str) -> Path:
        return self._cache / tag[:2] / f"{tag[:40]}-{size}.jpg"

    def _tidy(self) -> None:
        """Remove the oldest copies once there are too many; now and then, as it walks over all of them."""
        self._made += 1
        if self._made % _LOOK_EVERY or not self._tidying.acquire(blocking=False):
            return
        try:
            trim(self._cache, _MOST_BYTES, "*.jpg")
        finally:
            self._tidying.release()


def _tag_of(name: str, path: Path) -> str:
    """Of an input picture, which ``init`` has pinned: by the table's name for it, size and date, without reading it."""
    import hashlib

    try:
        facts = os.stat(path)  # noqa: PTH116
    except OSError:
        return hashlib.sha256(name.encode()).hexdigest()
    return hashlib.sha256(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}".encode()).hexdigest()


@lru_cache(maxsize=4096)
def _size_of(path: Path, _changed: int) -> tuple[int, int]:
    return Picture(path.read_bytes(), path.name).size
