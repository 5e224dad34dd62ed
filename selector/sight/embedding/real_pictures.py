"""Real photographs to compare generated pictures with: which files they are, and their vectors.

The contest's own input pictures are photographs, and the judge sees them beside the results; a folder may replace them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import InputError, MissingPart, Picture, Task, raise_shortage, reason_of
from selector.domain.digest import sha256_of
from selector.domain.embedding import Backbone, View
from selector.sight.embedding.looking import Map, embed_pictures
from selector.sight.embedding.vectors import Vectors

Floats = np.ndarray[Any, np.dtype[np.float32]]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".bmp"})
BATCH = 32  # pictures decoded together
_ENDS_BYTES = 4096


@dataclass(frozen=True)
class RealPictures:
    """Files of photographs, in one order. ``pinned``: SHA-256 by path, where it is known without reading."""

    paths: tuple[Path, ...]
    pinned: Mapping[Path, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Changes with the pictures, not with their place or time; read for every version, so it reads little.

        Nothing where the SHA-256 is pinned, else 8 KB of a file, once as long as its size and time stay.
        """
        marks = sorted({self.pinned.get(path) or _mark(path, _ends) or "absent" for path in self.paths})
        return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:8]

    @cached_property
    def ids(self) -> dict[Path, str]:
        """SHA-256 of the bytes by path; files that are gone and were not pinned are not here."""
        known = {path: self.pinned.get(path) or _mark(path, _sha256) for path in self.paths}
        return {path: found for path, found in known.items() if found is not None}

    @cached_property
    def by_id(self) -> dict[str, Path]:
        """A file of every id: the same bytes under two names are one picture."""
        return {found: path for path, found in reversed(self.ids.items())}

    def read(self, picture_id: str) -> Picture:
        """Raises ``InputError`` when the file cannot be read."""
        path = self.by_id[picture_id]
        try:
            return Picture(path.read_bytes(), path.name)
        except OSError as error:
            raise InputError(f"{path.name}: cannot be read ({error.strerror})") from error


def input_photographs(tasks: Iterable[Task], folder: Path, pinned: Mapping[str, str]) -> RealPictures:
    """What the tasks show as source or reference, from the contest's folder of inputs."""
    names = sorted({name for task in tasks for name in (task.source, task.reference) if name})
    return RealPictures(tuple(folder / n for n in names), {folder / n: pinned[n] for n in names if n in pinned})


def folder_of_photographs(folder: Path) -> RealPictures:
    """Every picture in a folder and below it.

    Raises:
        MissingPart: the folder does not exist or holds no picture.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not paths:
        what = "holds no picture" if folder.is_dir() else "is no folder"
        raise MissingPart(f"{folder} {what}: name a folder of real photographs to compare with")
    return RealPictures(tuple(paths))


def gather(
    backbone: Backbone,
    ids: Sequence[str],
    read: Callable[[str], Picture],
    vectors: Vectors,
    each: Map = map,
) -> Iterator[dict[str, Floats | str]]:
    """Whole-view vectors (dim,) of pictures by id, or why there is none: the known ones first, then batch by batch.

    Nothing is read and no model is loaded for what ``vectors`` knows; what is made is added to it.
    """
    space = backbone.space
    known = vectors.pictures(space, View.WHOLE, ids)
    if known:
        yield {key: found[0] for key, found in known.items()}
    missing = [key for key in dict.fromkeys(ids) if key not in known]
    for start in range(0, len(missing), BATCH):
        batch: dict[str, Floats | str] = {}
        readable: list[tuple[View, str, Picture]] = []
        for key in missing[start : start + BATCH]:
            try:
                readable.append((View.WHOLE, key, read(key)))
            except InputError as error:
                batch[key] = reason_of(error).split(": ", 1)[-1]
        made = embed_pictures(backbone, readable, each)
        whole = {key: found for (_, key), found in made.items() if not isinstance(found, str)}
        vectors.add_pictures(space, View.WHOLE, whole)
        yield batch | {key: found if isinstance(found, str) else found[0] for (_, key), found in made.items()}


def _mark(path: Path, make: Callable[[Path, int], str]) -> str | None:
    """A mark of a file's content, remembered as long as its size and time stay; None for a file that is gone."""
    try:
        found = path.stat()
        return _remembered(make, path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise_shortage(error)
        return None


@lru_cache(maxsize=131072)
def _remembered(make: Callable[[Path, int], str], path: Path, size_bytes: int, mtime_ns: int) -> str:  # noqa: ARG001
    return make(path, size_bytes)


def _ends(path: Path, size_bytes: int) -> str:
    """A fingerprint from the size and both ends, which hold the header and the last rows of pixels."""
    with path.open("rb") as file:
        head = file.read(_ENDS_BYTES)
        file.seek(max(0, size_bytes - _ENDS_BYTES))
        return hashlib.sha256(b"%d " % size_bytes + head + file.read()).hexdigest()


def _sha256(path: Path, size_bytes: int) -> str:  # noqa: ARG001 - as ``_ends``
    return sha256_of(path)
