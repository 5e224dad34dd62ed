"""Final image bytes by content: ``ab/ab12….jpg`` in a folder. Bytes first, then the row that names them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from selector.domain import BestshotError, InputError, OutOfResources, Picture, raise_shortage
from selector.domain.files import followed, sweep, write_atomically

CURE = (
    "import it again if it was imported, or run `bestshot generate`, which makes it again without paying where the "
    "service still has it"
)
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
USERS = "users"  # beside images that campaigns share: an empty file of each owner


class LostImage(InputError):
    """An image is missing or damaged where it should be."""


class Images(ABC):
    """Images by the SHA-256 of their bytes.

    Safe for threads, forks and other processes, and to be pickled: a worker elsewhere opens the same place. What is
    seen is whole: a kill leaves an image or none. ``put`` is idempotent.

    Args:
        root: folder of the images, or of those that are kept on this machine.
        suffix: ".jpg" or ".png", one for a campaign: it follows from the profile.
        owner: the campaign's id and its store's token where others may use the place too, else "".
        before: a folder where they lay before the campaign had this place; what is missing here is read there, and put
            here if that can be.

    Attributes:
        brought: ids of those that were put here from the folder of before.
    """

    def __init__(self, root: Path, suffix: str, owner: str = "", before: Path | None = None) -> None:
        self.root, self.suffix, self.owner = root, suffix, owner
        is_another = before is not None and before.is_dir() and followed(before) != followed(root)
        self._before = ImageFolder(before, suffix) if before and is_another else None
        self.brought: set[str] = set()

    def path(self, image_id: str) -> Path:
        """Where its file lies on this machine, if it does; raises ``InputError`` as ``name``."""
        return self.root / self.name(image_id)

    def name(self, image_id: str) -> str:
        """Its name below the place; raises ``InputError`` for what is no id and might lead elsewhere."""
        if not is_image_id(image_id):
            raise InputError(f"{image_id[:80]!r} is no id of a picture: restore a backup that you trust")
        return f"{image_id[:2]}/{image_id}{self.suffix}"

    @property
    @abstractmethod
    def address(self) -> str:
        """The place, in words for people: a folder or an address."""

    @property
    @abstractmethod
    def lasting(self) -> bool:
        """Whether ``path`` is where an image stays, so that a page may link to it."""

    @property
    def fault(self) -> str:
        """Why the place is not there, "" where it is, or that is not known."""
        return ""

    def place(self, image_id: str) -> str:
        """Where people find an image: a path, or an address."""
        return f"{self.address}/{self.name(image_id)}"

    @abstractmethod
    def put(self, data: bytes) -> str:
        """Store bytes and return their SHA-256; when this returns, they outlast a loss of power."""

    @abstractmethod
    def picture(self, image_id: str) -> Picture:
        """An image, checked against its id: its hash is computed once and stays with it.

        Raises:
            InputError: it is missing, cannot be read or was changed; the message names it and the cure.
            OutOfResources: nobody can tell, as the place does not answer or takes nothing.
        """

    def fetched(self, image_id: str) -> Picture:
        """As ``picture``, from the place itself: what this machine keeps of it says nothing, and what lay before must
        come to be there.
        """
        return self.picture(image_id)

    def _bring(self, image_id: str, surely: bool) -> Picture | None:
        """An image out of the folder of before, put here (``surely``: or it raises); None where there is none."""
        if self._before is None or self._before.size_of(image_id) is None:
            return None
        found = self._before.picture(image_id)
        with suppress(*(() if surely else (BestshotError,))):  # a place that takes nothing is told by who writes
            self.put(found.data)
            self.brought.add(image_id)
        return found

    @abstractmethod
    def file(self, image_id: str) -> Path:
        """A local file with an image's bytes, there for the next ten minutes at least; may raise as ``picture``."""

    @abstractmethod
    def size_of(self, image_id: str) -> int | None:
        """Bytes of one image, None where there is none: a look at the place itself."""

    @abstractmethod
    def is_whole(self, image_id: str, size: int | None) -> bool:
        """Whether an image that a row tells of, with its size, needs not be made again; for all of a campaign."""

    @abstractmethod
    def note_lost(self, image_id: str) -> None:
        """An image was found missing or damaged, maybe on another machine: ``is_whole`` is to know it here."""

    @abstractmethod
    def known_lost(self, image_ids: Iterable[str]) -> Iterator[str]:
        """Those of sorted ids that are lost as far as is known here: no image is read, and no address asked."""

    @abstractmethod
    def remove(self, image_id: str) -> None:
        """Delete an image; nothing where there is none."""

    def forget(self, image_id: str) -> None:
        """Delete what this machine keeps of an image, where that lies elsewhere."""
        if self._before is not None:
            self._before.remove(image_id)

    @abstractmethod
    def users(self) -> tuple[str, ...]:
        """The owners that have put images here, where several may; sorted."""

    @abstractmethod
    def note_owner(self) -> None:
        """Say at the place that this owner has images there, as the first ``put`` does. Raises as ``put``."""

    @abstractmethod
    def check(self) -> str:
        """Try the place: write, read, remove; what it is, in words. Raises as ``picture`` does."""

    @abstractmethod
    def sweep(self) -> int:
        """Remove temporary files that killed processes left; returns how many."""


class ImageFolder(Images):
    """A folder: the campaign's own, or one that several machines share."""

    def __init__(self, root: Path, suffix: str, owner: str = "", before: Path | None = None) -> None:
        super().__init__(root, suffix, owner, before)
        self._prefix = f"{root}{os.sep}"
        self._noted = not owner

    @property
    def address(self) -> str:
        return self.root.as_posix()

    @property
    def lasting(self) -> bool:
        return True

    def size_of(self, image_id: str) -> int | None:
        if not is_image_id(image_id):
            return None
        try:
            # `status` asks for every image, and a Path costs several times as much as the look at the disk.
            found = os.stat(f"{self._prefix}{image_id[:2]}{os.sep}{image_id}{self.suffix}")  # noqa: PTH116
        except OSError:
            return None if self._before is None else self._before.size_of(image_id)
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def is_whole(self, image_id: str, size: int | None) -> bool:
        found = self.size_of(image_id)
        if found is not None and (size is None or found == size):
            return True
        return self._before is not None and self._before.is_whole(image_id, size)

    def put(self, data: bytes) -> str:
        image_id = hashlib.sha256(data).hexdigest()
        path = super().path(image_id)
        self.note_owner()
        if not (path.is_file() and path.stat().st_size == len(data)):
            write_atomically(path, data)
        return image_id

    def picture(self, image_id: str) -> Picture:
        return self._found(image_id)

    def fetched(self, image_id: str) -> Picture:
        return self._found(image_id, surely=True)

    def _found(self, image_id: str, surely: bool = False) -> Picture:
        try:
            return self._own_picture(image_id)
        except LostImage:
            found = self._bring(image_id, surely)
            if found is None:
                raise
        return found

    def _own_picture(self, image_id: str) -> Picture:
        path = super().path(image_id)
        shown = path.relative_to(self.root.parent).as_posix()
        try:
            found = Picture(path.read_bytes(), f"candidate {image_id[:12]}")
        except FileNotFoundError as error:
            raise LostImage(f"{shown} is missing from the campaign: restore it from a backup, {CURE}") from error
        except OSError as error:
            raise_shortage(error)
            raise InputError(f"{shown} cannot be read ({error.strerror or error}): is it readable for you?") from error
        if found.id != image_id:
            raise LostImage(
                f"{shown} was damaged or changed on the disk (its hash differs): restore it from a backup, or delete "
                f"it and {CURE}"
            )
        return found

    def file(self, image_id: str) -> Path:
        return self.path(image_id)

    def path(self, image_id: str) -> Path:
        before = self._only_in(image_id)
        return super().path(image_id) if before is None else before.path(image_id)

    def note_lost(self, image_id: str) -> None:
        pass  # ``is_whole`` looks itself

    def known_lost(self, image_ids: Iterable[str]) -> Iterator[str]:
        for start, ids in groupby(image_ids, lambda one: one[:2]):  # a list of names costs less than a look at each
            roots = [self.root] if self._before is None else [self.root, self._before.root]
            with suppress(OSError):  # a disk that fails says nothing of what is on it
                there = {name for root in roots for name in _names(root / start)}
                yield from [one for one in ids if f"{one}{self.suffix}" not in there]

    def remove(self, image_id: str) -> None:
        try:
            super().path(image_id).unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.place(image_id)} cannot be deleted ({error.strerror or error}): is its folder writable for you?"
            ) from error
        self.forget(image_id)

    def users(self) -> tuple[str, ...]:
        folder = self.root / USERS
        return image_owners(path.name for path in folder.iterdir()) if folder.is_dir() else ()

    def check(self) -> str:
        probe = self.root / ".bestshot-probe"
        write_atomically(probe, b"bestshot", durable=False)
        probe.unlink(missing_ok=True)
        return f"{self.address} can be written"

    def sweep(self) -> int:
        return sweep(self.root, deep=True)

    def _only_in(self, image_id: str) -> ImageFolder | None:
        """The folder of before, where an image lies in that one alone."""
        before = self._before
        if before is None or super().path(image_id).is_file() or before.size_of(image_id) is None:
            return None
        return before

    def note_owner(self) -> None:
        if not self._noted:
            write_atomically(self.root / USERS / self.owner, b"", durable=False)
            self._noted = True


class UnreachableImages(ImageFolder):
    """Images at a place that is not there: each look says why, and nothing is made there."""

    def __init__(self, place: str, suffix: str, why: str) -> None:
        super().__init__(Path(place), suffix)
        self._why = why

    def put(self, data: bytes) -> str:  # noqa: ARG002
        raise OutOfResources(self._why)

    def fetched(self, image_id: str) -> Picture:  # noqa: ARG002
        raise OutOfResources(self._why)

    picture = fetched

    def known_lost(self, image_ids: Iterable[str]) -> Iterator[str]:  # noqa: ARG002 - nobody can tell
        return iter(())

    @property
    def fault(self) -> str:
        return self._why

    def check(self) -> str:
        raise InputError(self._why)


def _names(folder: Path) -> list[str]:
    """Of the files of a folder; none where it is not there."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - a Path each costs several times as much
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_image_id(text: str) -> bool:
    """Whether it is what a picture is named by: a SHA-256 in hex."""
    return _IMAGE_ID.fullmatch(text) is not None


def image_owners(names: Iterable[str]) -> tuple[str, ...]:
    """Those names that are owners, sorted."""
    return tuple(sorted(name for name in names if all(c in "0123456789abcdef-" for c in name)))
