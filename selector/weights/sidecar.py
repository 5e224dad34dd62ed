"""The note beside a fetched file: ``FILE.sha256``, as ``sha256sum`` writes and checks it.

A second line, a comment to ``sha256sum``, says of which file the hash is: its size and time of change. They must be
equal for the note to be trusted without reading the file: one that was put there by ``cp -p`` may well be older.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from selector.domain.files import replacing

SUFFIX = ".sha256"
_NOTE = re.compile(r"\A([0-9a-f]{64}) [ *].*\n(?:# (\d+ bytes, changed at \d+ ns)\n)?")


def write_sidecar(path: Path, sha256: str, hashed: os.stat_result) -> None:
    """Note the hash of ``path`` (which need not exist yet) beside it. Raises ``OSError`` as it comes.

    Args:
        hashed: facts of the file as they were before its bytes were read, so that a later change shows.
    """
    with replacing(path.with_name(path.name + SUFFIX), durable=False) as stream:
        stream.write(f"{sha256}  {path.name}\n# {_facts(hashed)}\n".encode())


def read_sidecar(path: Path) -> str | None:
    """The hash that was noted for ``path``, or None; the file may have been changed since."""
    found = _read(path)
    return found.group(1) if found else None


def fresh_sidecar(path: Path, now: os.stat_result) -> str | None:
    """The noted hash if it is that of the file as it is now, by size and time; else None."""
    found = _read(path)
    return found.group(1) if found and found.group(2) == _facts(now) else None


def _read(path: Path) -> re.Match[str] | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return _NOTE.match(path.with_name(path.name + SUFFIX).read_text(encoding="utf-8"))
    return None


def _facts(found: os.stat_result) -> str:
    return f"{found.st_size} bytes, changed at {found.st_mtime_ns} ns"
