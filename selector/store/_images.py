"""Final image bytes by content: ``images/ab/ab12….jpg``. Bytes first, then the row that names them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from selector.domain import InputError, Picture, raise_shortage
from selector.domain.files import sweep, write_atomically

_CURE = "run `bestshot generate`, which makes it again without paying where the service still has it"


class ImageFolder:
    """A folder of content-addressed images. ``put`` is idempotent and safe against kills and other processes."""

    def __init__(self, root: Path, suffix: str) -> None:
        self.root = root
        self._prefix = f"{root}{os.sep}"
        self.suffix = suffix  # ".jpg" or ".png", one for a campaign: it follows from the profile

    def path(self, image_id: str) -> Path:
        return self.root / image_id[:2] / f"{image_id}{self.suffix}"

    def size_of(self, image_id: str) -> int | None:
        """Bytes of an image's file, None where there is none."""
        try:
            # `status` asks for every image, and a Path costs several times as much as the look at the disk.
            found = os.stat(f"{self._prefix}{image_id[:2]}{os.sep}{image_id}{self.suffix}")  # noqa: PTH116
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def put(self, data: bytes) -> str:
        """Store bytes and return their SHA-256; when this returns, they are on the disk."""
        image_id = hashlib.sha256(data).hexdigest()
        path = self.path(image_id)
        if not (path.is_file() and path.stat().st_size == len(data)):
            write_atomically(path, data)
        return image_id

    def read(self, image_id: str) -> bytes:
        """The bytes of an image, checked against its id; raises as ``picture`` does."""
        return self.picture(image_id).data

    def picture(self, image_id: str) -> Picture:
        """An image, checked against its id: its hash is computed once and stays with it.

        Raises:
            InputError: the file is missing, cannot be read or was changed; the message names it and the cure.
        """
        path = self.path(image_id)
        shown = path.relative_to(self.root.parent).as_posix()
        try:
            found = Picture(path.read_bytes(), f"candidate {image_id[:12]}")
        except FileNotFoundError as error:
            raise InputError(f"{shown} is missing from the campaign: restore it from a backup, or {_CURE}") from error
        except OSError as error:
            raise_shortage(error)
            raise InputError(f"{shown} cannot be read ({error.strerror or error}): is it readable for you?") from error
        if found.id != image_id:
            raise InputError(
                f"{shown} was damaged or changed on the disk (its hash differs): restore it from a backup, or delete "
                f"it and {_CURE}"
            )
        return found

    def sweep(self) -> int:
        """Remove temporary files that killed processes left; returns how many."""
        return sweep(self.root, deep=True)
