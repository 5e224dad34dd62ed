"""The note beside a fetched file: ``FILE.sha256``, as ``sha256sum`` writes and checks it."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

SUFFIX = ".sha256"
_LINE = re.compile(r"\A([0-9a-f]{64}) [ *]")


def write_sidecar(path: Path, sha256: str) -> None:
    """Note the hash of ``path`` (which need not exist yet) beside it. Raises ``OSError`` as it comes."""
    target = path.with_name(path.name + SUFFIX)
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    temporary.write_text(f"{sha256}  {path.name}\n", encoding="utf-8")
    temporary.replace(target)


def read_sidecar(path: Path) -> str | None:
    """The hash that was noted for ``path``, or None."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        found = _LINE.match(path.with_name(path.name + SUFFIX).read_text(encoding="utf-8"))
        return found.group(1) if found else None
    return None


def is_fresh(path: Path) -> bool:
    """Whether the note is not older than the file: a file that was changed since must be read again."""
    try:
        return path.with_name(path.name + SUFFIX).stat().st_mtime_ns >= path.stat().st_mtime_ns
    except OSError:
        return False
