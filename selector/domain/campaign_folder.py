"""The names of what a campaign's folder holds, and that no output takes the place of any of it."""

from __future__ import annotations

import os
from pathlib import Path

from selector.domain.errors import InputError
from selector.domain.files import followed

CONFIG_NAME = "campaign.toml"
DATABASE_NAME = "campaign.db"
DATABASE_FILES = (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm")
PROFILE_NAME = "profile.toml"  # a profile of one's own, copied here
TABLE_NAME = "task.csv"
INPUTS_NAME, IMAGES_NAME, SCORES_NAME = "inputs", "images", "scores"
SUBMISSIONS_NAME = "submissions"  # ZIPs and manifests
LOCK_NAME = ".init.lock"
MADE_BY_INIT = {TABLE_NAME, PROFILE_NAME, INPUTS_NAME, IMAGES_NAME, SCORES_NAME, *DATABASE_FILES}
_PARTS = {CONFIG_NAME, LOCK_NAME, SUBMISSIONS_NAME, *MADE_BY_INIT}  # what nothing makes again


def check_spared(output: Path) -> None:
    """Raise ``InputError`` for a file that would replace a part of a campaign: its records, inputs or submissions."""
    place = followed(output)
    for folder in place.parents:
        part = place.relative_to(folder).parts[0]
        if part in _PARTS and os.path.isfile(folder / CONFIG_NAME):  # noqa: PTH113 - Path's raises for odd names
            raise InputError(f"{output} is a part of the campaign in {folder} ({part}): name another file")
