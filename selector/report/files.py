"""Files of a contact sheet appear whole or not at all, and links between them survive moving the folder."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from urllib.parse import quote


def write_whole(path: Path, data: bytes) -> None:
    """Write to a temporary name beside ``path``, then rename. Safe with other threads and processes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def link(target: Path, folder: Path) -> str:
    """A relative URL from a page in ``folder`` to ``target``, quoted; a file URL when they share no root."""
    try:
        relative = os.path.relpath(target.absolute(), folder.absolute())
    except ValueError:  # another drive on Windows
        return target.absolute().as_uri()
    return quote(Path(relative).as_posix())
