"""Links between the files of a contact sheet, which survive moving the folder."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote


def link(target: Path, folder: Path) -> str:
    """A relative URL from a page in ``folder`` to ``target``, quoted; a file URL when they share no root."""
    try:
        relative = os.path.relpath(target.absolute(), folder.absolute())
    except ValueError:  # another drive on Windows
        return target.absolute().as_uri()
    return quote(Path(relative).as_posix())
