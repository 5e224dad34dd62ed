"""What the version of a scorer says of a model file that the user brought: its content, not its place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from selector.domain.digest import sha256_of

ABSENT = "absent"


def sha256_tag(path: Path) -> str:
    """First eight hex digits of a file's SHA-256, read again only when its size or time changes; ``absent``."""
    try:
        facts = path.stat()
        return _tag(path, facts.st_size, facts.st_mtime_ns) if path.is_file() else ABSENT
    except OSError:
        return ABSENT


@lru_cache(maxsize=64)
def _tag(path: Path, size: int, mtime_ns: int) -> str:
    del size, mtime_ns  # of the key: another file at the same place is another model
    return sha256_of(path)[:8]
