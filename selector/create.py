"""Makes the folder of a new campaign: all is checked before anything is written, ``campaign.toml`` comes last."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selector.config import CampaignConfig, check_names, parse_config, render_config
from selector.contest import check_input_images, load_profile, profile_names, read_task_table, resolve_image
from selector.domain import InputError, Task
from selector.domain.files import describe_write_error, write_atomically
from selector.store import Database
from selector.store.records import save_tasks

CONFIG_NAME = "campaign.toml"
DATABASE_NAME = "campaign.db"
PROFILE_NAME = "profile.toml"  # a profile of one's own, copied here
TABLE_NAME = "task.csv"
INPUT_FACT = "input:"  # prefix of the facts that pin the input pictures by name
_OURS = {"inputs", "images", TABLE_NAME, PROFILE_NAME, DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"}


def create_campaign(folder: Path, tasks: Path, images: Path, profile: str, config: Mapping[str, Any]) -> None:
    """Make a campaign in ``folder``; see ``Campaign.init``."""
    facts = load_profile(profile)
    own_profile = profile not in profile_names()
    checked = parse_config({"profile": PROFILE_NAME if own_profile else profile, **config})
    check_names(checked)
    table = read_task_table(tasks, facts, images)
    check_input_images(table, images)
    _check_free(folder)
    try:
        hashes = _copy_inputs(table, images, folder)
        write_atomically(folder / TABLE_NAME, tasks.read_bytes())
        if own_profile:
            write_atomically(folder / PROFILE_NAME, Path(profile).read_bytes())
        pinned = {"profile": facts.name, "table": hashlib.sha256(tasks.read_bytes()).hexdigest()}
        pinned |= {f"{INPUT_FACT}{name}": digest for name, digest in hashes.items()}
        _create_database(checked, folder, table, pinned)
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
    if _holds_work(folder / DATABASE_NAME):
        raise InputError(
            f"{folder} holds a campaign's database but no {CONFIG_NAME}: restore that file, or choose another folder"
        )
    names = sorted(p.name for p in folder.iterdir()) if folder.exists() else []
    strangers = [name for name in names if name not in _OURS and not name.startswith(".")]
    if strangers:
        raise InputError(f"{folder} holds other things ({strangers[0]}): choose a new or empty folder")


def _holds_work(path: Path) -> bool:
    if not path.exists():
        return False
    db = Database(path)
    try:
        return db.has_candidates()
    finally:
        db.close()


def _copy_inputs(tasks: Sequence[Task], images: Path, target: Path) -> dict[str, str]:
    """Copy the pictures that tasks name, so that a campaign is whole in itself; returns name to SHA-256."""
    hashes = {}
    for name in sorted({n for t in tasks for n in (t.source, t.reference) if n}):
        data = resolve_image(images, name).read_bytes()
        destination = target / "inputs" / name
        if not (destination.is_file() and destination.read_bytes() == data):
            write_atomically(destination, data, durable=False)
        hashes[name] = hashlib.sha256(data).hexdigest()
    return hashes


def _create_database(config: CampaignConfig, target: Path, tasks: Sequence[Task], facts: Mapping[str, str]) -> None:
    """Fill the database; a local one is made under another name and appears whole or not at all."""
    url = store_url(config, target)
    place = url if isinstance(url, Path) else None
    made = Database(url if place is None else place.with_name(f".tmp-{os.getpid()}-{place.name}"), create=True)
    with made.write() as connection:
        save_tasks(made, connection, tasks)
    for key, value in facts.items():
        made.set_fact(key, value)
    made.close()
    if place is not None:
        Path(str(made.engine.url.database)).replace(place)


def store_url(config: CampaignConfig, folder: Path) -> Path | str:
    """Where the records are: the campaign's own file, or the configured URL (a relative file is in the folder too)."""
    if not config.store.url:
        return folder / DATABASE_NAME
    prefix = "sqlite:///"
    if config.store.url.startswith(prefix):
        return folder / config.store.url[len(prefix) :]
    return config.store.url
