"""Makes the folder of a new campaign: all is checked before anything is written, ``campaign.toml`` comes last.

A folder without ``campaign.toml`` is no campaign, so a campaign appears at once. What a killed ``init`` has left is
used by the next one of the same input; nothing that lies there is ever replaced or removed. The campaign's id follows
from what it was made from: the same input is the same campaign, in this folder, in another one that shares its
database, and after a kill.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from selector.config import CampaignConfig, check_names, parse_config, read_config, render_config
from selector.contest import (
    ContestProfile,
    check_input_images,
    load_profile,
    profile_names,
    read_task_table,
    resolve_image,
)
from selector.domain import BestshotError, InputError, Task, raise_shortage, stable_hash
from selector.domain.campaign_folder import (
    CONFIG_NAME,
    DATABASE_NAME,
    IMAGES_NAME,
    INPUTS_NAME,
    LOCK_NAME,
    MADE_BY_INIT,
    PROFILE_NAME,
    SCORES_NAME,
    TABLE_NAME,
)
from selector.domain.digest import sha256_of
from selector.domain.files import (
    describe_write_error,
    make_folder,
    move_in,
    publish,
    scratch_folder,
    sweep,
    write_atomically,
)
from selector.store import Database, UnreachableImages, check_place, open_images, schema
from selector.store.attempts import save_tasks
from selector.store.campaigns import TEAM, StoredCampaign, campaigns_at
from selector.store.database import has_password, plain_url
from selector.store.score_files import ScoreFiles, keep_scores_in
from selector.workspace.workspace import Workspace

INPUT_FACT = "input:"  # prefix of the facts that pin the input pictures by name
_SUFFIX = {"jpeg": ".jpg", "png": ".png"}  # of images, by the profile's format


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

    def are_pictures(self, inputs: Path) -> bool:
        """Whether all files below the folder of inputs are pictures of these, each under its name."""
        digests = {inputs / name: digest for name, digest in self.pictures.items()}  # "./a.jpg" is a.jpg
        return all(digests.get(path) == sha256_of(path) for path in inputs.rglob("*") if path.is_file())


@dataclass(frozen=True)
class Created:
    """``already_there``: in the folder, made from the same. ``joined``: its records were at the address of the store.

    ``others``: other campaigns of the same task table at a shared address, where this one was not.
    """

    already_there: bool = False
    joined: bool = False
    others: tuple[StoredCampaign, ...] = ()


def create_campaign(folder: Path, tasks: Path, images: Path, profile: str, config: Mapping[str, Any]) -> Created:
    """Make a campaign in ``folder``. See ``Campaign.init``."""
    given = _checked(tasks, images, profile, config)
    try:
        _check_place(folder, given)
        make_folder(folder)
        with alone_in(folder):
            if (folder / CONFIG_NAME).exists():
                _check_same(folder, given)
                return Created(already_there=True)
            _check_leavings(folder, given)
            sweep(folder)
            with scratch_folder(folder) as scratch:
                move_in(scratch, folder, _write_inputs(given, scratch))
            campaign_id, joined = _fill_store(given, folder)
            make_folder(folder / IMAGES_NAME)
            store = given.config.store.model_copy(update={"campaign": campaign_id})
            config_text = render_config(given.config.model_copy(update={"store": store}))
            write_atomically(folder / CONFIG_NAME, config_text.encode())
    except OSError as error:
        raise_shortage(error)
        raise InputError(describe_write_error(folder, error)) from error
    place = store_url(given.config, folder)
    if joined or isinstance(place, Path):
        return Created(joined=joined and bool(given.config.store.url))
    there: tuple[StoredCampaign, ...] = ()
    with suppress(InputError):  # it is made, whatever else cannot be read there
        there = campaigns_at(place)
    return Created(others=tuple(one for one in there if one.table == given.facts["table"] and one.id != given.id))


def store_url(config: CampaignConfig, folder: Path) -> Path | str:
    """Where the records are: the campaign's own file, or the configured URL (a relative file is in the folder too).

    Raises:
        InputError: no URL, or one of SQLite that names no file.
    """
    if not config.store.url:
        return folder / DATABASE_NAME
    url = _url(config)
    if url.get_backend_name() != "sqlite":
        return url.render_as_string(hide_password=False)
    if url.query or url.database in (None, "", ":memory:"):
        raise InputError("`url` in [store]: a campaign on SQLite is a file: sqlite:///PATH, and nothing after it")
    return folder / str(url.database)


def _check_columns(config: CampaignConfig) -> None:
    """Raise ``InputError`` where one machine's files of scores would be named to all that share a database."""
    at = config.store
    if at.scores == "columns" and at.url and not at.images and _url(config).get_backend_name() != "sqlite":
        raise InputError(
            '`scores = "columns"` in [store] with a shared database needs `images` there: a folder or address that all '
            "machines see, where the scores lie too"
        )


def _url(config: CampaignConfig) -> URL:
    try:
        return plain_url(config.store.url)
    except (SQLAlchemyError, ValueError) as error:  # its message may hold the URL, and that a password
        raise InputError("`url` in [store] is no SQLAlchemy URL, such as sqlite:///campaign.db") from error


def open_store(config: CampaignConfig, folder: Path, upgrade: bool = True) -> Database:
    """The campaign's database; raises ``InputError`` also when it holds another campaign than the folder's."""
    _check_columns(config)
    db = Database(store_url(config, folder), campaign=config.store.campaign, upgrade=upgrade)
    if config.store.campaign not in ("", found := db.campaign):
        db.close()
        raise InputError(
            f"the database holds the campaign {found}, {CONFIG_NAME} names {config.store.campaign}: mend `url` or "
            "`campaign` in [store]"
        )
    keep_scores_in(db, _score_files(config, folder, _owner(config, db, make=upgrade)))
    return db


def _owner(config: CampaignConfig, db: Database, make: bool) -> str:
    """Whose images and scores they are at a place where others may have theirs: other campaigns, or another store of
    this one; "" where all lies in the campaign's folder.
    """
    return "-".join(filter(None, (config.store.campaign, db.token(make)))) if config.store.images else ""


def _score_files(config: CampaignConfig, folder: Path, owner: str) -> ScoreFiles:
    """Where files of scores lie: in the campaign's folder, or with its images where these lie elsewhere."""
    images, writing = config.store.images, config.store.scores == "columns"
    own = ScoreFiles(folder / SCORES_NAME, writing)
    if not images:
        return own
    name = f"{SCORES_NAME}/{owner}"
    return ScoreFiles(f"{images.rstrip('/')}/{name}" if "://" in images else folder / images / name, writing, own)


def open_workspace(
    folder: Path, clock: Callable[[], datetime], guest: bool = False, whatever_images: bool = False
) -> Workspace:
    """The campaign in a folder with its resources; raises ``InputError`` where it is none, or has wrong settings.

    Args:
        folder: the campaign's.
        clock: see ``Workspace``.
        guest: it is only read, and one of an older format is refused.
        whatever_images: open it also where the place of its images is not there; then they cannot be used.
    """
    folder = folder.absolute()  # workers of a cluster are in another
    config = read_config(folder / CONFIG_NAME)
    profile = load_profile(_profile_place(config.profile, folder))
    if not guest:
        sweep(folder)
    suffix, at = _SUFFIX[profile.export.image_format], config.store
    fault = ""
    try:
        check_place(at.images)
    except BestshotError as error:
        if not whatever_images:
            raise
        fault = str(error)
    db = open_store(config, folder, upgrade=not guest)
    if fault:
        return Workspace(folder, config, profile, db, UnreachableImages(at.images, suffix, fault), clock)
    images = open_images(at.images, folder / IMAGES_NAME, suffix, at.cache_mb, _owner(config, db, make=not guest))
    return Workspace(folder, config, profile, db, images, clock)


def _profile_place(name: str, folder: Path) -> str | Path:
    """A built-in name as it is; the path of a profile is relative to the campaign."""
    return folder / name if name.endswith(".toml") and not Path(name).is_absolute() else name


def _checked(tasks: Path, images: Path, profile: str, config: Mapping[str, Any]) -> _Given:
    facts = load_profile(profile)
    own_profile = None if profile in profile_names() else Path(profile).read_bytes()
    checked = parse_config({"profile": profile if own_profile is None else PROFILE_NAME, **config})
    check_names(checked)
    check_place(checked.store.images)
    _check_columns(checked)
    if checked.store.url and has_password(_url(checked)):
        raise InputError(
            "the address of the store holds a password, which campaign.toml would keep: leave it out, and give it by "
            "PGPASSWORD, ~/.pgpass or a service file (postgresql:///?service=NAME)"
        )
    table = tuple(read_task_table(tasks, facts, images))
    check_input_images(table, images)
    names = sorted({name for task in table for name in (task.source, task.reference) if name})
    pictures = {name: sha256_of(resolve_image(images, name)) for name in names}
    return _Given(facts, own_profile, checked, tasks.read_bytes(), table, images, pictures)


def _check_place(folder: Path, given: _Given) -> None:
    """Before the first file is written there, also that of the lock."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another folder")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    strangers = sorted(name for name in names - MADE_BY_INIT if not name.startswith("."))
    if CONFIG_NAME in names:
        return
    if strangers and DATABASE_NAME not in names:  # a whole campaign may have lost its configuration alone
        raise InputError(f"{folder} holds other things ({strangers[0]}): choose a new or empty folder")
    _check_leavings(folder, given)


def _check_leavings(folder: Path, given: _Given) -> None:
    """What a killed ``init`` of the same input has left is used again; nothing else is touched.

    Raises:
        InputError: the folder holds anything else under our names.
    """
    database = folder / DATABASE_NAME
    if database.exists():
        with closing(Database(database)) as db:
            other = _differing(db.facts(""), given)
        if other:
            cure = "restore that file, or choose another folder"
            raise InputError(f"{folder} holds a campaign's database but no {CONFIG_NAME}: {cure}")
    # Before they are compared: outside of the lock an `init` of the same input may put them there in between.
    there = {name for name in (TABLE_NAME, PROFILE_NAME, INPUTS_NAME, IMAGES_NAME) if (folder / name).exists()}
    same = {
        TABLE_NAME: _is_file_of(folder / TABLE_NAME, given.table),
        PROFILE_NAME: _is_file_of(folder / PROFILE_NAME, given.own_profile),
        INPUTS_NAME: given.are_pictures(folder / INPUTS_NAME),
        IMAGES_NAME: database.exists() or not any((folder / IMAGES_NAME).glob("*")),
    }
    for name, is_ours in same.items():
        if name in there and not is_ours:
            raise InputError(f"{folder} holds other things ({name}): choose a new or empty folder")


def _is_file_of(path: Path, data: bytes | None) -> bool:
    return path.is_file() and path.read_bytes() == data


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Be alone in making a campaign there. The system takes the lock back when its holder dies; the file stays."""
    from filelock import FileLock, Timeout  # most verbs only open a campaign

    try:
        with FileLock(folder / LOCK_NAME, timeout=0):
            yield
    except Timeout as error:
        raise InputError(f"another `bestshot init` is at work in {folder}: wait for it") from error


def _check_same(folder: Path, given: _Given) -> None:
    """Raise ``InputError`` unless the campaign in the folder was made from the same input."""
    config = read_config(folder / CONFIG_NAME)
    with closing(open_store(config, folder)) as db:
        other = _differing(db.facts(""), given)
    if not other and store_url(config, folder) != store_url(given.config, folder):
        other = "another `url` in [store]"
    if other:
        raise InputError(
            f"{folder} is a campaign already, with {other}: choose another folder, or go on with its verbs"
        )


def _differing(stored: Mapping[str, str], given: _Given) -> str:
    """What the campaign of these facts was made from and ``given`` was not; "" where they are one."""
    if stored.get(schema.CAMPAIGN) == given.id:
        return ""
    for key, words in (("profile", "another profile"), ("table", "another task table")):
        if stored.get(key) != given.facts[key]:
            return words
    pictures, others = ({k: v for k, v in of.items() if k.startswith(INPUT_FACT)} for of in (stored, given.facts))
    if pictures != others:
        return "other input pictures"
    if stored.get("profile_hash") is None:  # made before campaigns had ids: team and seed are not known
        return ""
    if stored["profile_hash"] != given.facts["profile_hash"]:
        return "other facts in its profile"
    return "another team's name or seed"


def _write_inputs(given: _Given, target: Path) -> list[str]:
    """Copy table, profile and pictures, so that a campaign is whole in itself; returns their names."""
    write_atomically(target / TABLE_NAME, given.table, durable=False)
    if given.own_profile is not None:
        write_atomically(target / PROFILE_NAME, given.own_profile, durable=False)
    for name in given.pictures:
        _copy_picture(given, target / INPUTS_NAME, name)
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())


def _copy_picture(given: _Given, target: Path, name: str) -> None:
    data = resolve_image(given.images, name).read_bytes()
    if hashlib.sha256(data).hexdigest() != given.pictures[name]:
        raise InputError(f"input picture {name} was changed while it was read: run the same command again")
    if (target / name).exists() and sha256_of(target / name) != given.pictures[name]:
        raise InputError(f"input picture {name} is one file with another name on this disk (case?): rename one of them")
    write_atomically(target / name, data, durable=False)


def _fill_store(given: _Given, folder: Path) -> tuple[str, bool]:
    """Make the database whole, or join the one at the configured address if it holds this very campaign.

    Returns:
        The campaign's id there: those of older campaigns follow from other facts; and whether it was there.
    """
    place = store_url(given.config, folder)
    if isinstance(place, str):
        with closing(Database(place, create=True, campaign=given.id)) as db:
            return _fill(db, given, place="the database")
    if not place.exists():
        try:
            with scratch_folder(place.parent) as scratch:
                made = scratch / place.name
                with closing(Database(made, create=True, alone=True)) as db:
                    _fill(db, given, place=str(place))
                if publish(made, place):
                    return given.id, False
                # another process may have been faster: then its database is looked at
        except OSError as error:
            raise_shortage(error)
            raise InputError(describe_write_error(place, error)) from error
    with closing(Database(place)) as db:
        return _fill(db, given, place=str(place))


def _fill(db: Database, given: _Given, place: str) -> tuple[str, bool]:
    with db.write() as connection:
        facts = db.facts_in(connection)
        if facts.keys() > {"format"} and (other := _differing(facts, given)):
            raise InputError(f"{place} holds a campaign already, with {other}: choose another address")
        if schema.CAMPAIGN not in facts:
            save_tasks(db, connection, given.tasks)
            db.set_facts(connection, {**given.facts, TEAM: given.config.team})
        return facts.get(schema.CAMPAIGN, given.id), schema.CAMPAIGN in facts
