"""Makes the folder of a new campaign: all is checked before anything is written, ``campaign.toml`` comes last.

A folder without ``campaign.toml`` is no campaign, so a campaign appears at once: what a killed ``init`` has left is
cleared away by the next one. Its id follows from what it was made from: the same input is the same campaign, in this
folder, in another one that shares its database, and after a kill.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from selector.config import CampaignConfig, check_names, parse_config, read_config, render_config
from selector.contest import (
    ContestProfile,
    check_input_images,
    load_profile,
    profile_names,
    read_task_table,
    resolve_image,
)
from selector.domain import InputError, Task, raise_shortage, stable_hash
from selector.domain.digest import sha256_of
from selector.domain.files import describe_write_error, make_folder, publish, scratch_folder, sweep, write_atomically
from selector.store import Database, schema
from selector.store.records import save_tasks

CONFIG_NAME = "campaign.toml"
DATABASE_NAME = "campaign.db"
PROFILE_NAME = "profile.toml"  # a profile of one's own, copied here
TABLE_NAME = "task.csv"
INPUT_FACT = "input:"  # prefix of the facts that pin the input pictures by name
LOCK_NAME = ".init.lock"  # says too that what lies beside it is ours
_FILES = (TABLE_NAME, PROFILE_NAME, DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm")
_SYNCING = 8  # threads: the disk answers them together


@dataclass(frozen=True)
class _Given:
    """What a campaign is made from, checked."""

    profile: ContestProfile
    own_profile: bytes | None  # of a file of one's own
    config: CampaignConfig
    table: bytes
    tasks: tuple[Task, ...]
    images: Path
    pictures: Mapping[str, str]  # name of each input picture to its SHA-256

    @cached_property
    def facts(self) -> dict[str, str]:
        """What pins the campaign's inputs, and its id, which follows from them, from the team's name and the seed."""
        pinned = {
            "profile": self.profile.name,
            "profile_hash": stable_hash(self.profile.model_dump(mode="json"), 64),
            "table": hashlib.sha256(self.table).hexdigest(),
            **{f"{INPUT_FACT}{name}": digest for name, digest in self.pictures.items()},
        }
        own = {"team": self.config.team, "seed": self.config.seed}
        return {**pinned, schema.CAMPAIGN: stable_hash({**pinned, **own}, 16)}

    @property
    def id(self) -> str:
        return self.facts[schema.CAMPAIGN]


def create_campaign(folder: Path, tasks: Path, images: Path, profile: str, config: Mapping[str, Any]) -> bool:
    """Make a campaign in ``folder``; False where it was there already, made from the same. See ``Campaign.init``."""
    given = _checked(tasks, images, profile, config)
    try:
        _check_place(folder)
        make_folder(folder)
        with _alone(folder):
            if (folder / CONFIG_NAME).exists():
                _check_same(folder, given)
                return False
            _clear(folder)
            _write_inputs(given, folder)
            _fill_store(given, folder)
            make_folder(folder / "images")
            named = given.config.store.model_copy(update={"campaign": given.id})
            config_text = render_config(given.config.model_copy(update={"store": named}))
            write_atomically(folder / CONFIG_NAME, config_text.encode())
    except OSError as error:
        raise_shortage(error)
        raise InputError(describe_write_error(folder, error)) from error
    return True


def store_url(config: CampaignConfig, folder: Path) -> Path | str:
    """Where the records are: the campaign's own file, or the configured URL (a relative file is in the folder too)."""
    if not config.store.url:
        return folder / DATABASE_NAME
    prefix = "sqlite:///"
    if config.store.url.startswith(prefix):
        return folder / config.store.url[len(prefix) :]
    return config.store.url


def open_store(config: CampaignConfig, folder: Path) -> Database:
    """The campaign's database; raises ``InputError`` also when it holds another campaign than the folder's."""
    db = Database(store_url(config, folder), campaign=config.store.campaign)
    if config.store.campaign not in ("", found := db.campaign):
        db.close()
        raise InputError(
            f"the database holds the campaign {found}, {CONFIG_NAME} names {config.store.campaign}: mend `url` or "
            "`campaign` in [store]"
        )
    return db


def _checked(tasks: Path, images: Path, profile: str, config: Mapping[str, Any]) -> _Given:
    facts = load_profile(profile)
    own_profile = None if profile in profile_names() else Path(profile).read_bytes()
    checked = parse_config({"profile": profile if own_profile is None else PROFILE_NAME, **config})
    check_names(checked)
    table = tuple(read_task_table(tasks, facts, images))
    check_input_images(table, images)
    names = sorted({name for task in table for name in (task.source, task.reference) if name})
    pictures = {name: sha256_of(resolve_image(images, name)) for name in names}
    return _Given(facts, own_profile, checked, tasks.read_bytes(), table, images, pictures)


def _check_place(folder: Path) -> None:
    """What lies there is ours, or nothing does."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another folder")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    ours = {"inputs", "images", *_FILES} if LOCK_NAME in names else set()
    strangers = sorted(name for name in names - ours if not name.startswith("."))
    if strangers and CONFIG_NAME not in names:
        raise InputError(f"{folder} holds other things ({strangers[0]}): choose a new or empty folder")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The system takes the lock back when its holder dies; the file stays."""
    try:
        with FileLock(folder / LOCK_NAME, timeout=0):
            yield
    except Timeout as error:
        raise InputError(f"another `bestshot init` is at work in {folder}: wait for it") from error


def _check_same(folder: Path, given: _Given) -> None:
    """Raise ``InputError`` unless the campaign in the folder was made from the same input."""
    with closing(open_store(read_config(folder / CONFIG_NAME), folder)) as db:
        if other := _differing(db, given):
            raise InputError(
                f"{folder} is a campaign already, with {other}: choose another folder, or go on with its verbs"
            )


def _differing(db: Database, given: _Given) -> str:
    """What the store's campaign was made from and ``given`` has not; "" where they are one."""
    stored = db.facts("")
    if stored.get(schema.CAMPAIGN) == given.id:
        return ""
    for key, words in (("profile", "another profile"), ("table", "another task table")):
        if stored.get(key) != given.facts[key]:
            return words
    if {k: v for k, v in stored.items() if k.startswith(INPUT_FACT)} != _prefixed(given.facts):
        return "other input pictures"
    if stored.get("profile_hash") is None:  # made before campaigns had ids: team and seed are not known
        return ""
    if stored["profile_hash"] != given.facts["profile_hash"]:
        return "other facts in its profile"
    return "another team's name or seed"


def _prefixed(facts: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in facts.items() if key.startswith(INPUT_FACT)}


def _clear(folder: Path) -> None:
    """Remove what a killed ``init`` has left, but its database, of which ``_fill_store`` sees whose it is."""
    sweep(folder)
    shutil.rmtree(folder / "inputs", ignore_errors=True)
    for name in (TABLE_NAME, PROFILE_NAME):
        (folder / name).unlink(missing_ok=True)


def _write_inputs(given: _Given, folder: Path) -> None:
    """Copy table, profile and pictures, so that a campaign is whole in itself; all are on the disk afterwards."""
    write_atomically(folder / TABLE_NAME, given.table)
    if given.own_profile is not None:
        write_atomically(folder / PROFILE_NAME, given.own_profile)
    with ThreadPoolExecutor(_SYNCING) as pool:
        for _ in pool.map(partial(_copy_picture, given, folder / "inputs"), given.pictures):
            pass


def _copy_picture(given: _Given, target: Path, name: str) -> None:
    data = resolve_image(given.images, name).read_bytes()
    if hashlib.sha256(data).hexdigest() != given.pictures[name]:
        raise InputError(f"input picture {name} was changed while it was read: run the same command again")
    write_atomically(target / name, data)


def _fill_store(given: _Given, folder: Path) -> None:
    """Make the database whole, or join the one at the configured address if it holds this very campaign."""
    place = store_url(given.config, folder)
    if isinstance(place, str):
        with closing(Database(place, create=True, campaign=given.id)) as db:
            _fill(db, given)
    elif not (place.exists() and _is_joined(place, given, own=place == folder / DATABASE_NAME)):
        with scratch_folder(place.parent) as scratch:
            made = scratch / place.name
            with closing(Database(made, create=True)) as db:
                _fill(db, given)
            if not publish(made, place):
                raise InputError(f"another process has just made {place}: run the same command again")


def _fill(db: Database, given: _Given) -> None:
    with db.write() as connection:
        save_tasks(db, connection, given.tasks)
        db.set_facts(connection, given.facts)


def _is_joined(place: Path, given: _Given, own: bool) -> bool:
    """Whether the database there is this campaign's; removes the folder's own when a killed ``init`` has left it.

    Raises:
        InputError: it holds another campaign.
    """
    with closing(Database(place)) as db:
        other = _differing(db, given)
        if not other:
            return True
        if db.has_candidates() or not own:
            raise InputError(
                f"the database {place} holds a campaign already, with {other}: choose another address"
                if not own
                else f"{place.parent} holds a campaign's database but no {CONFIG_NAME}: restore that file, or choose "
                "another folder"
            )
    for path in (place, place.with_name(f"{place.name}-wal"), place.with_name(f"{place.name}-shm")):
        path.unlink(missing_ok=True)
    return False
