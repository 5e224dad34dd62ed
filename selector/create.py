"""Makes the folder of a new campaign: all is checked before anything is written, ``campaign.toml`` comes last."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selector.config import CampaignConfig, parse_config, render_config
from selector.contest import check_input_images, load_profile, profile_names, read_task_table, resolve_image
from selector.domain import InputError, Task
from selector.store import Database
from selector.store.files import describe_write_error, write_atomically
from selector.store.records import save_tasks

CONFIG_NAME = "campaign.toml"
DATABASE_NAME = "campaign.db"
PROFILE_NAME = "profile.toml"  # a profile of one's own, copied here
TABLE_NAME = "task.csv"
_OURS = {"inputs", "images", TABLE_NAME, PROFILE_NAME, DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"}


def create_campaign(folder: Path, tasks: Path, images: Path, profile: str, config: Mapping[str, Any]) -> None:
    """Make a campaign in ``folder``; see ``Campaign.init``."""
    facts = load_profile(profile)
    own_profile = profile not in profile_names()
    checked = parse_config({"profile": PROFILE_NAME if own_profile else profile, **config})
    table = read_task_table(tasks, facts, images)
    check_input_images(table, images)
    _check_free(folder)
    try:
        _copy_inputs(table, images, folder)
        write_atomically(folder / TABLE_NAME, tasks.read_bytes())
        if own_profile:
            write_atomically(folder / PROFILE_NAME, Path(profile).read_bytes())
        _create_database(checked, folder, table)
        (folder / "images").mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(describe_write_error(folder, error)) from error
    # A folder without it is no campaign, so a killed `init` can be run again.
    write_atomically(folder / CONFIG_NAME, render_config(checked).encode())


def _check_free(folder: Path) -> None:
    if (folder / CONFIG_NAME).exists():
        raise InputError(f"{folder} is a campaign already: choose another folder, or go on with its verbs")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another folder")
    if (folder / DATABASE_NAME).exists() and Database(folder / DATABASE_NAME).has_candidates():
        raise InputError(
            f"{folder} holds a campaign's database but no {CONFIG_NAME}: restore that file, or choose another folder"
        )
    names = sorted(p.name for p in folder.iterdir()) if folder.exists() else []
    strangers = [name for name in names if name not in _OURS and not name.startswith(".")]
    if strangers:
        raise InputError(f"{folder} holds other things ({strangers[0]}): choose a new or empty folder")


def _copy_inputs(tasks: Sequence[Task], images: Path, target: Path) -> None:
    """Copy the pictures that tasks name, so that a campaign is whole in itself."""
    (target / "inputs").mkdir(parents=True, exist_ok=True)
    for name in sorted({n for t in tasks for n in (t.source, t.reference) if n}):
        destination = target / "inputs" / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        source = resolve_image(images, name)
        if not (destination.exists() and destination.samefile(source)):
            shutil.copyfile(source, destination)


def _create_database(config: CampaignConfig, target: Path, tasks: Sequence[Task]) -> None:
    # No campaign.toml and no candidates: what is there was left by a killed `init`.
    for leftover in target.glob(f"{DATABASE_NAME}*"):
        leftover.unlink()
    db = Database(config.store.url or target / DATABASE_NAME, create=True)
    with db.write() as connection:
        save_tasks(db, connection, tasks)
    db.close()
