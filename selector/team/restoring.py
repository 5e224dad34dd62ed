"""A campaign out of a backup: all is checked beside the new folder's files, ``campaign.toml`` comes last."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Float, Integer, LargeBinary, String, exists, select

from selector.config import CampaignConfig, read_config, render_config
from selector.create import INPUT_FACT, alone_in, store_url
from selector.domain import InputError, TaskType, raise_shortage
from selector.domain.campaign_folder import (
    CONFIG_NAME,
    DATABASE_NAME,
    IMAGES_NAME,
    INPUTS_NAME,
    LOCK_NAME,
    SCORES_NAME,
    TABLE_NAME,
)
from selector.domain.decisions import DecisionKind
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
from selector.domain.names import check_name
from selector.domain.progress import Progress, silent
from selector.store import Database, is_image_id, schema
from selector.store.copying import copy_rows, count_rows
from selector.store.pruned import load_gone
from selector.store.score_shards import shards
from selector.team._archive import Archive

_RESTORED = "restored:"  # prefix of the fact that names the backup
_TABLES = {table.name for table in schema.metadata.sorted_tables} | {"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"}
_KINDS: dict[type, str] = {  # what SQLite calls the cells of a column
    **dict.fromkeys((String, JSON), "'text'"),
    **dict.fromkeys((Integer, Boolean), "'integer'"),
    Float: "'real', 'integer'",
    LargeBinary: "'blob'",
}
_LISTS = (schema.planning.c.recipes, schema.judge_reply.c.images, schema.job.c.recipe_keys)
_WORDS: dict[Column[Any], type[Enum]] = {
    schema.task.c.type: TaskType,
    schema.observation.c.scope: TaskType,
    schema.decision.c.kind: DecisionKind,
}
_MAKING = ("CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX")


@dataclass(frozen=True)
class Restored:
    """A campaign that was restored.

    Attributes:
        images_left: pictures of its candidates that were not in the backup.
        images_at: where its images lie, if that is not its own folder.
        images_from: where those of the original lay.
        joined: the database at the address held it already, as an earlier run restored it, and whatever came since.
    """

    campaign: str
    folder: Path
    made_at: str
    files: int
    images: int
    images_left: int
    images_at: str = ""
    images_from: str = ""
    joined: bool = False


def restore(folder: Path, backup: Path, url: str = "", progress: Progress = silent) -> Restored:
    """Make the campaign of a backup in a new or empty folder; its records come there or to the database ``url``.

    A run that was killed can be started again. The id is that of the campaign that was backed up.

    Raises:
        InputError: no backup, a damaged or hostile one; the folder holds other things; the database holds the campaign.
    """
    is_new = not folder.exists()
    with closing(Archive(backup)) as archive:
        try:
            _check_place(folder, archive)
            make_folder(folder)
            with alone_in(folder):
                sweep(folder)
                with scratch_folder(folder) as scratch:
                    names = [*archive.files, *archive.images]
                    for done, name in enumerate(names):
                        progress("files", done, len(names))
                        archive.extract(name, scratch / name)
                    progress("files", len(names), len(names))
                    config = _check_campaign(scratch, archive)
                    config = _with_store(config, archive, url)
                    images = _check_names(scratch / DATABASE_NAME, archive)
                    move_in(scratch, folder, [name for name in names if name not in (CONFIG_NAME, DATABASE_NAME)])
                    make_folder(folder / IMAGES_NAME)
                    joined = _place_store(config, folder, scratch / DATABASE_NAME, archive, progress)
                    text = (scratch / CONFIG_NAME).read_bytes()
                    if config != read_config(scratch / CONFIG_NAME):
                        text = render_config(config).encode()
                write_atomically(folder / CONFIG_NAME, text)  # last of all: who finds it cleans up no more
        except BaseException as error:
            if is_new:
                _leave_nothing(folder)
            if not isinstance(error, OSError):
                raise
            raise_shortage(error)
            raise InputError(describe_write_error(folder, error)) from error
        left, counts = images - len(archive.images), (len(archive.files), len(archive.images))
        at, from_ = (_whole(place, folder) for place in (config.store.images, archive.images_from))
        return Restored(archive.campaign, folder, archive.at, *counts, left, at, from_, joined)


def _whole(place: str, folder: Path) -> str:
    """A place of images as seen from the campaign's folder; "" stays."""
    return os.path.normpath(folder.absolute() / place) if place and "://" not in place else place


def _leave_nothing(folder: Path) -> None:
    """Remove the folder where nothing but the lock has come to be in it."""
    with suppress(OSError):
        if [path.name for path in folder.iterdir()] == [LOCK_NAME]:
            (folder / LOCK_NAME).unlink()
        folder.rmdir()


def _check_place(folder: Path, archive: Archive) -> None:
    """Nothing is there but what a killed run has put there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: choose another folder")
    if (folder / CONFIG_NAME).exists():
        raise InputError(f"{folder} is a campaign already: choose a new or empty folder")
    images = set(archive.images)
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name.startswith(".") or name in images or name == DATABASE_NAME:  # looked at later
            continue
        if path.is_symlink() or name not in archive.files or sha256_of(path) != archive.files[name]:
            raise InputError(f"{folder} holds other things ({name}): choose a new or empty folder")


def _check_campaign(scratch: Path, archive: Archive) -> CampaignConfig:
    """The configuration, where all that the records pin is there; raises ``InputError``."""
    config = read_config(scratch / CONFIG_NAME)
    if config.store.campaign not in ("", archive.campaign):
        raise InputError("the backup is damaged (its campaign.toml names another campaign): take another one")
    facts = _check_database(scratch / DATABASE_NAME)
    pinned = {f"{INPUTS_NAME}/{key[len(INPUT_FACT) :]}": v for key, v in facts.items() if key.startswith(INPUT_FACT)}
    pinned[TABLE_NAME] = facts.get("table", archive.files.get(TABLE_NAME, ""))
    for name, digest in pinned.items():
        if archive.files.get(name, digest) != digest:  # what people deleted is not in it
            raise InputError(f"the backup is damaged ({name} is not what the campaign was made from): take another one")
    if facts.get(schema.CAMPAIGN, archive.campaign) != archive.campaign:
        raise InputError("the backup is damaged (its records are another campaign's): take another one")
    return config


def _check_database(file: Path) -> Mapping[str, str]:
    """The facts of a SQLite file from anywhere, before it is used: nothing in it may act, and it must be whole."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            rows = connection.execute("SELECT type, tbl_name, coalesce(sql, '') FROM sqlite_master").fetchall()
            strange = [
                name
                for kind, name, made in rows
                if kind not in ("table", "index") or name not in _TABLES or (made and not made.startswith(_MAKING))
            ]
            if strange:
                raise InputError(
                    f"the backup's database holds what is not bestshot's ({strange[0][:60]!r}): not restored"
                )
            if (fault := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
                raise InputError(f"the backup's database is damaged ({fault}): take another one")
            facts: dict[str, str] = dict(connection.execute("SELECT key, value FROM fact").fetchall())
            if not all(isinstance(one, str) for fact in facts.items() for one in fact) or not (
                facts.get("format", "1").isascii() and facts.get("format", "1").isdecimal()
            ):
                raise InputError("the backup's database is damaged (a fact of it is none): take another one")
            return facts
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise InputError(f"the backup's database is damaged ({error}): take another one") from error


def _check_cells(connection: Connection) -> None:
    """Every cell is of its column's kind, because SQLite takes any and all that reads the store relies on it."""
    for table in schema.metadata.sorted_tables:
        odd = " OR ".join(map(_oddity, table.columns))
        if connection.exec_driver_sql(f'SELECT 1 FROM "{table.name}" WHERE {odd} LIMIT 1').first():
            raise InputError(f"the backup's database is damaged (a cell of '{table.name}'): take another one")
    for words, known in _WORDS.items():
        strange = set(connection.execute(select(words).distinct()).scalars()) - {None, *(one.value for one in known)}
        if strange:
            raise InputError(f"the backup's database is damaged (a cell of '{words.table.name}'): take another one")


def _oddity(column: Column[Any]) -> str:
    """SQL that is true for a cell of another kind than its column's."""
    kind = next(kinds for of, kinds in _KINDS.items() if isinstance(getattr(column.type, "impl", column.type), of))
    empty = ", 'null'" if column.nullable else ""
    odd = f'typeof("{column.name}") NOT IN ({kind}{empty})'
    if not isinstance(column.type, JSON):
        return odd
    shapes = "'array'" if column in _LISTS else "'array', 'object'"
    is_shaped = f'json_valid("{column.name}") AND json_type("{column.name}") IN ({shapes})'
    return " OR NOT ".join([odd, f'("{column.name}" IS NULL OR ({is_shaped}))'])


def _check_names(file: Path, archive: Archive) -> int:
    """How many pictures candidates have; raises ``InputError`` where a name leads elsewhere or to nothing."""
    with closing(Database(file, alone=True)) as db, db.read() as connection:  # brings an older format up to date
        _check_cells(connection)
        a, c = schema.attempt.c, schema.candidate.c
        same = exists().where(c.task_id == a.task_id, c.id == a.candidate_id)
        broken = connection.execute(select(a.id).where(a.candidate_id.is_not(None), ~same).limit(1)).first()
        if broken or connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise InputError("the backup's database is damaged (a row names what is not in it): take another one")
        ids = set(connection.execute(select(c.id)).scalars())
        gone = load_gone(connection).keys()
        pruned = connection.execute(select(schema.pruned.c.picture_id, schema.pruned.c.name)).all()
        used = connection.execute(select(schema.task.c.source, schema.task.c.reference)).all()
        scores = {f"{SCORES_NAME}/{shard.path}" for shard in shards(connection)}
        inputs = {key.removeprefix(INPUT_FACT) for key in db.facts_in(connection, INPUT_FACT)}
    inputs |= {name for name in (*(name for row in used for name in row), *(name for _, name in pruned)) if name}
    for name in sorted(inputs):
        check_name(PurePosixPath(name).as_posix(), "the backup's input picture", "nothing was restored", folders=True)
    strange = sorted(one for one in ids | {one for one, _ in pruned} if not is_image_id(one))
    if strange:
        raise InputError(f"the backup holds the picture {strange[0][:60]!r}, which is no id of one: not restored")
    if missing := sorted(scores - archive.files.keys()):
        raise InputError(f"the backup is damaged ({missing[0][:60]!r} is not in it): take another one")
    return len(ids - gone)


def _with_store(config: CampaignConfig, archive: Archive, url: str) -> CampaignConfig:
    own: dict[str, Any] = {"url": url, "campaign": archive.campaign}
    if archive.images:
        own["images"] = ""  # they lie in the folder now
    if url and not own.get("images", config.store.images):
        own["scores"] = "rows"  # columns beside a database that is shared need a place that is
    return config.model_copy(update={"store": config.store.model_copy(update=own)})


def _place_store(config: CampaignConfig, folder: Path, made: Path, archive: Archive, progress: Progress) -> bool:
    """The records, in one transaction, to where the configuration says; whether they were there already."""
    place = store_url(config, folder)
    if isinstance(place, Path):
        if not publish(made, place) and sha256_of(place) != sha256_of(made):
            raise InputError(f"{place} is a database with other records: choose another folder; nothing was changed")
        return False
    with (
        closing(Database(made, alone=True)) as own,
        closing(Database(place, create=True, campaign=archive.campaign)) as there,
        own.read() as source,
        there.write() as target,
    ):
        facts = there.facts_in(target)
        if f"{_RESTORED}{archive.digest}" in facts:  # by a run that was killed after it
            return True
        if facts.keys() > {"format"}:
            raise InputError("the database holds this campaign already: choose another one; nothing was changed there")
        total = count_rows(source)
        copy_rows(source, target, lambda done: progress("records", min(done, total), total))
        there.set_facts(target, {f"{_RESTORED}{archive.digest}": archive.at})
    return False
