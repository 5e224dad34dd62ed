"""Files that pass between us and a program, in a temporary folder."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selector.domain import DISK_FULL, GenerationFailed, InputError, OutOfResources, Picture, raise_shortage
from selector.domain.files import scratch_folder

MOST_OUTPUT_BYTES = 64_000_000
_SUFFIXES = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"GIF8", ".gif"), (b"BM", ".bmp"), (b"RIFF", ".webp"))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, with all that a program left in it."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder())
        except OSError as error:
            raise_shortage(error)
            raise GenerationFailed(f"command: no temporary folder can be made ({error.strerror or error})") from error
        yield folder


def write(path: Path, data: bytes) -> str:
    """The path of a file that now holds ``data``. Raises ``GenerationFailed``; ``OutOfResources`` for a full disk."""
    try:
        path.write_bytes(data)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfResources(f"{DISK_FULL}; or set TMPDIR to a folder on another disk") from error
        raise GenerationFailed(f"command: {path.name} cannot be written ({error.strerror or error})") from error
    return str(path)


def write_picture(folder: Path, role: str, picture: Picture) -> str:
    """The original bytes under a name of ours: the picture's own may hold anything."""
    suffix = next((ending for start, ending in _SUFFIXES if picture.data.startswith(start)), ".jpg")
    return write(folder / f"{role}{suffix}", picture.data)


def read_picture(output: Path, said: str) -> bytes:
    """The program's picture. Raises ``GenerationFailed``."""
    also = f" (it said: {said})" if said else ""
    try:
        facts = output.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise GenerationFailed(f"command: {{output}} is no file{also}")
        if facts.st_size > MOST_OUTPUT_BYTES:
            raise GenerationFailed(f"command: the program wrote over {MOST_OUTPUT_BYTES // 1_000_000} MB")
        data = output.read_bytes()
    except FileNotFoundError as error:
        raise GenerationFailed(f"command: the program wrote no picture to {{output}}{also}") from error
    except OSError as error:
        raise GenerationFailed(f"command: {{output}} cannot be read ({error.strerror or error}){also}") from error
    if not data:
        raise GenerationFailed(f"command: the program wrote an empty file to {{output}}{also}")
    try:
        _ = Picture(data, "command: {output}").rgb
    except InputError as error:
        raise GenerationFailed(f"{error}{also}") from error
    return data
