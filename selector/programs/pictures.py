"""Pictures as files that a program of the user is shown."""

from __future__ import annotations

from pathlib import Path

from selector.domain import DISK_FULL, OutOfResources, Picture
from selector.domain.files import is_disk_full

_SUFFIXES = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"))


def write_picture(folder: Path, role: str, picture: Picture) -> str:
    """The path of the original bytes under a name of ours: the picture's own may hold anything.

    Raises:
        OSError: it cannot be written. OutOfResources: the disk is full.
    """
    suffix = next((ending for start, ending in _SUFFIXES if picture.data.startswith(start)), ".jpg")
    return write(folder / f"{role}{suffix}", picture.data)


def write(path: Path, data: bytes) -> str:
    """The path of a file that now holds ``data``; raises as ``write_picture`` does."""
    try:
        path.write_bytes(data)
    except OSError as error:
        if is_disk_full(error):
            raise OutOfResources(f"{DISK_FULL}; or set TMPDIR to a folder on another disk") from error
        raise
    return str(path)
