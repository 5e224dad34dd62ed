"""Images at an ``fsspec`` address, with those that were used last in a folder of this machine."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from selector.domain import InputError, Picture, raise_shortage
from selector.domain.files import sweep, trim, write_atomically
from selector.store._images import CURE, USERS, Images, LostImage, image_owners, is_image_id
from selector.store._object_store import ObjectStore

_LOOKS = 3  # at bytes that do not match: they may have been cut on their way
_HELD_SECONDS = 600.0  # a file that was handed out is not removed for so long
_USED_SECONDS = 60.0  # between two notes that a file was used
_LOOK_SHARE = 0.05  # of the bound: bytes kept between two looks at the folder's size
_LOST = "lost"  # names of images that were found missing or damaged at the address, to be made again


class ObjectImages(Images):
    """Images at an address; ``cache`` keeps what was used last, up to ``cache_mb`` megabytes.

    Whether an image of a row is there is not asked: its bytes came before the row, and one that is found missing is
    noted on this machine, so that ``is_whole`` knows and `generate` makes it again.
    """

    def __init__(
        self, address: str, cache: Path, suffix: str, cache_mb: int, owner: str = "", before: Path | None = None
    ) -> None:
        super().__init__(cache, suffix, owner, before)
        self._store, self._cache_mb = ObjectStore(address), cache_mb
        self._most_bytes = cache_mb * 1_000_000
        self._added = self._most_bytes  # so that the first one kept leads to a look at what earlier runs kept
        self._lock = threading.Lock()
        self._noted = not owner

    def __reduce__(self) -> tuple[type[ObjectImages], tuple[str, Path, str, int, str, Path | None]]:
        before = self._before.root if self._before is not None else None
        return ObjectImages, (self.address, self.root, self.suffix, self._cache_mb, self.owner, before)

    @property
    def address(self) -> str:
        return self._store.address

    @property
    def lasting(self) -> bool:
        return False

    def put(self, data: bytes) -> str:
        image_id = hashlib.sha256(data).hexdigest()
        self.note_owner()
        self._store.write(self.name(image_id), data)
        self._note_there(image_id)
        with suppress(InputError):  # what cannot be kept is fetched again
            self._keep(image_id, data)
        return image_id

    def picture(self, image_id: str) -> Picture:
        found = self._kept(image_id)
        if found is None:
            found = self.fetched(image_id)
            with suppress(InputError):
                self._keep(image_id, found.data)
        return found

    def file(self, image_id: str) -> Path:
        path = self.path(image_id)
        for _ in range(_LOOKS):
            found = self.picture(image_id)
            held = time.time() + _HELD_SECONDS
            try:
                os.utime(path, (held, held))  # one of the future is not removed: see ``trim``
                return path
            except FileNotFoundError:  # another process was tidying, or nothing could be kept
                self._keep(image_id, found.data)
        return path

    def size_of(self, image_id: str) -> int | None:
        return self._store.size(self.name(image_id)) if is_image_id(image_id) else None

    def is_whole(self, image_id: str, size: int | None) -> bool:  # noqa: ARG002
        return not self._lost(image_id).exists()

    def remove(self, image_id: str) -> None:
        self._store.remove(self.name(image_id))
        self.forget(image_id)

    def forget(self, image_id: str) -> None:
        with suppress(OSError):
            self.path(image_id).unlink(missing_ok=True)
            self._lost(image_id).unlink(missing_ok=True)
        super().forget(image_id)

    def users(self) -> tuple[str, ...]:
        return image_owners(self._store.names(USERS))

    def note_owner(self) -> None:
        if not self._noted:
            self._store.write(f"{USERS}/{self.owner}", b"")
            self._noted = True

    def check(self) -> str:
        name, data = f"tmp/{os.urandom(8).hex()}", b"bestshot"
        self._store.write(name, data)
        try:
            found = self._store.read(name)
        except FileNotFoundError as error:
            raise InputError(f"{self.address} does not have what was just written: is it one place?") from error
        finally:
            self._store.remove(name)
        if found != data:
            raise InputError(f"{self.address} gives other bytes than were written: is something between?")
        return f"{self.address} can be written, read and emptied"

    def sweep(self) -> int:
        return sweep(self.root, deep=True) + self._store.sweep()

    def _lost(self, image_id: str) -> Path:
        return self.root / _LOST / image_id

    def _kept(self, image_id: str) -> Picture | None:
        """What this machine has of it, if that is whole."""
        path = self.path(image_id)
        try:
            with path.open("rb") as stream:
                found = Picture(stream.read(), f"candidate {image_id[:12]}")
                used = os.fstat(stream.fileno()).st_mtime
        except OSError as error:
            raise_shortage(error)
            return None
        with suppress(OSError):
            if found.id != image_id:  # it was not synced before a loss of power, or somebody changed it
                path.unlink(missing_ok=True)
                return None
            if time.time() - used > _USED_SECONDS:
                os.utime(path)
        return found if found.id == image_id else None

    def fetched(self, image_id: str) -> Picture:
        try:
            for _ in range(_LOOKS):
                found = Picture(self._store.read(self.name(image_id)), f"candidate {image_id[:12]}")
                if found.id == image_id:
                    self._note_there(image_id)
                    return found
        except FileNotFoundError as error:
            brought = self._bring(image_id, surely=True)
            if brought is not None:
                return brought
            self.note_lost(image_id)
            raise LostImage(f"{self.place(image_id)} is missing: restore it from a backup, {CURE}") from error
        self.note_lost(image_id)
        raise LostImage(
            f"{self.place(image_id)} was damaged or changed (its hash differs): restore it from a backup, {CURE}"
        )

    def note_lost(self, image_id: str) -> None:
        with suppress(InputError):
            write_atomically(self._lost(image_id), b"", durable=False)

    def known_lost(self, image_ids: Iterable[str]) -> Iterator[str]:
        folder = self.root / _LOST
        noted = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        return (one for one in image_ids if one in noted) if noted else iter(())

    def _note_there(self, image_id: str) -> None:
        with suppress(OSError):
            self._lost(image_id).unlink(missing_ok=True)

    def _keep(self, image_id: str, data: bytes) -> None:
        write_atomically(self.path(image_id), data, durable=False)
        with self._lock:
            self._added += len(data)
            is_due = self._added > _LOOK_SHARE * self._most_bytes
            self._added = 0 if is_due else self._added
        if is_due:
            trim(self.root, self._most_bytes, f"*{self.suffix}")
