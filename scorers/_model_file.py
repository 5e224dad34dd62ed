"""What the version of a scorer says of a model file: its content, not its place, and a word where there is none."""

from __future__ import annotations

from pathlib import Path

from selector.domain import MissingPart
from selector.perception.model_files import content_tag

ABSENT = "absent"


def tag_or_absent(path: Path) -> str:
    """As ``content_tag``; ``absent`` for a file that is not there, which is for ``check`` to complain of."""
    try:
        return content_tag(path)
    except MissingPart:
        return ABSENT
