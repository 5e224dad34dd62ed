"""A campaign as one file, while others write: a ZIP with its records as a SQLite database, whatever they lie in.

What the records say is one state. The file appears whole, under its name, after all of it was read back.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

import selector
from selector.config import render_config
from selector.domain import InputError, OutOfResources, raise_shortage
from selector.domain.campaign_folder import (
    CONFIG_NAME,
    DATABASE_NAME,
    IMAGES_NAME,
    INPUTS_NAME,
    SCORES_NAME,
    TABLE_NAME,
)
from selector.domain.files import describe_write_error, followed, publish, scratch_folder, sweep
from selector.domain.names import name_fault
from selector.domain.progress import Progress, silent
from selector.domain.visible import escaped_json
from selector.domain.words import n_of, some_of
from selector.store import Database, schema
from selector.store.copying import copy_rows, count_rows
from selector.store.database import connect_to_read
from selector.store.pruned import gone_inputs, load_gone
from selector.store.score_files import MissingFile, keep_scores_in, score_files
from selector.store.score_shards import shards
from selector.team._archive import CONTENTS, FORMAT, read_back
from selector.team._scores import rows_of_files
from selector.workspace.workspace import Workspace

_PAGES = 4096  # of the database in one step, 16 MB
_BLOCK_BYTES = 1 << 20
# Patterns of what verbs write, or people for them; ZIPs of submissions follow from manifest and images.
_BESIDE = (TABLE_NAME, "readings.csv", "translations.csv", "prior.json", f"{INPUTS_NAME}/**/*", "submissions/**/*.json")


@dataclass(frozen=True)
class Backup:
    """A backup that was made and read back.

    ``rows``: of all tables; ``images``: in it; ``images_left``: not asked for; ``images_lost``: the campaign names them
    and lacks them, which without ``images`` is only told as far as `status` knows. ``left_out``: files and folders that
    the configuration names, each with the key that does, and that are not in it.
    """

    path: Path
    campaign: str
    bytes: int
    rows: int
    files: int
    images: int
    images_left: int
    images_lost: int
    left_out: Mapping[str, str] = field(default_factory=dict)


def back_up(ws: Workspace, path: Path, images: bool = False, progress: Progress = silent) -> Backup:
    """Write the campaign into the ZIP ``path``; ``images``: with all pictures of candidates.

    Raises:
        InputError: something has that name, it cannot be written, or what was read back is damaged.
        OutOfResources: the disk is full.
    """
    if path.exists():
        sweep(path.absolute().parent)  # of one that was killed when it had its name
        raise InputError(f"{path} is there already: choose another name, a backup replaces nothing")
    if path.absolute().is_relative_to((ws.folder / INPUTS_NAME).absolute()):
        raise InputError(f"{path} lies among the campaign's pictures: choose another folder")
    try:
        with scratch_folder(path.absolute().parent) as scratch:
            copy, made = scratch / DATABASE_NAME, scratch / "backup.zip"
            for last in (False, False, True):
                try:
                    copy.unlink(missing_ok=True)
                    rows = _copy_store(ws, copy, progress)
                    writer = _Writer(ws, copy, progress)
                    found = writer.write(made, images)
                    break
                except MissingFile:  # others have put files of scores together meanwhile: the newer state names theirs
                    if last:
                        raise
            read_back(made, progress)
            size = made.stat().st_size
            if not publish(made, path):
                raise InputError(f"{path} is there already: choose another name, a backup replaces nothing")
    except OSError as error:
        raise_shortage(error)
        raise InputError(describe_write_error(path, error)) from error
    return Backup(path, ws.db.campaign or "", size, rows, *found, _left_out(ws, writer.names))


def _copy_store(ws: Workspace, copy: Path, progress: Progress) -> int:
    """All rows but leases as a SQLite file; returns how many. Scores in files that lie elsewhere become rows."""
    db = ws.db
    if db.engine.dialect.name == "sqlite":
        _copy_sqlite(Path(db.engine.url.database or ""), copy, progress)
    else:
        with closing(Database(copy, create=True, alone=True)) as made, db.read() as source, made.write() as target:
            total = count_rows(source)
            copy_rows(source, target, lambda done: progress("records", min(done, total), total))
    with db.read() as connection:
        files = score_files(connection)
    if files.root != ws.folder / SCORES_NAME:
        with closing(Database(copy, alone=True)) as made:
            keep_scores_in(made, files)
            with made.write() as target:
                for scores in rows_of_files(target):
                    made.insert_missing(target, schema.score, scores)
                target.execute(schema.score_shard.delete())
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("DELETE FROM lease")
        connection.execute("DELETE FROM fact WHERE key = ?", [schema.TOKEN])
        connection.commit()
        if (fault := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise InputError(f"the campaign's database is damaged ({fault}): restore an older backup")
        names = [table.name for table in schema.metadata.sorted_tables]
        return sum(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names)


def _copy_sqlite(file: Path, copy: Path, progress: Progress) -> None:
    """By SQLite's own copying, in steps. The reading transaction that stays open around them fixes what is copied: else
    each write of another process would begin it anew. In WAL mode it keeps no writer waiting.
    """
    with closing(connect_to_read(file, isolation_level=None)) as source:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM fact").fetchone()

        def told(_: int, remaining: int, total: int) -> None:
            progress("records", total - remaining, total)

        with closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=_PAGES, progress=told, sleep=0.0)
        source.execute("ROLLBACK")


class _Writer:
    """Puts a campaign's files into a ZIP, unpacked, with the hash of each in the list of contents."""

    def __init__(self, ws: Workspace, copy: Path, progress: Progress) -> None:
        self._ws, self._copy, self._progress = ws, copy, progress
        self._hashes: dict[str, str] = {}

    def write(self, made: Path, with_images: bool) -> tuple[int, int, int, int]:
        """Returns how many files, images, images left out and images lost there are."""
        images, lost = 0, 0
        with closing(Database(self._copy, alone=True, upgrade=False)) as copy, copy.read() as connection:
            ids = connection.execute(select(schema.candidate.c.id).distinct().order_by(schema.candidate.c.id))
            gone = load_gone(connection)
            left = {Path(INPUTS_NAME, name).as_posix() for name in gone_inputs(connection)}
            scores = [f"{SCORES_NAME}/{shard.path}" for shard in shards(connection)]
            wanted = [image_id for image_id in ids.scalars() if image_id not in gone]
            store_format = copy.fact("format")
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            self._add(archive, CONFIG_NAME, [self._config()])
            self._add_file(archive, DATABASE_NAME, self._copy)
            for name, path in self._beside(left):
                self._add_file(archive, name, path)
            for name in scores:
                try:
                    self._add_file(archive, name, self._ws.folder / name)
                except FileNotFoundError as error:
                    absent = [one for one in scores if not (self._ws.folder / one).is_file()] or [name]
                    raise MissingFile(
                        f"{n_of(len(absent), 'file')} of scores missing in the campaign ({some_of(absent, 3)}): "
                        "restore what you have from an older backup, and give up the rest by `bestshot scores "
                        "--forget-lost`"
                    ) from error
            for done, image_id in enumerate(wanted if with_images else ()):
                self._progress("images", done, len(wanted))
                data = self._image(image_id)
                lost += data is None
                if data is not None:
                    images += 1
                    place = f"{IMAGES_NAME}/{image_id[:2]}/{image_id}{self._ws.images.suffix}"
                    archive.writestr(_entry(place), data)
            contents = {
                "bestshot_backup": FORMAT,
                "bestshot": selector.__version__,
                "campaign": self._ws.db.campaign,
                "store_format": int(store_format or 0),
                "at": self._ws.now(),
                "images_from": self._ws.images.address,
                "images": images,
                "images_of_campaign": len(wanted),
                "files": self._hashes,
            }
            archive.writestr(_entry(CONTENTS), escaped_json(json.dumps(contents, ensure_ascii=False, indent=1)))
        if with_images:
            return len(self._hashes), images, 0, lost
        known = sum(1 for _ in self._ws.known_lost(wanted))
        return len(self._hashes), 0, len(wanted) - known, known

    @property
    def names(self) -> Collection[str]:
        """Of the files in it, but images."""
        return self._hashes.keys()

    def _config(self) -> bytes:
        """As it is, but for the database's address: it may hold a password, and a restored campaign has its own."""
        config = self._ws.config
        if not config.store.url:
            return (self._ws.folder / CONFIG_NAME).read_bytes()
        return render_config(config.model_copy(update={"store": config.store.model_copy(update={"url": ""})})).encode()

    def _beside(self, left: Collection[str]) -> Iterator[tuple[str, Path]]:
        """All but what people deleted: other folders of the campaign may still have it."""
        profile = self._ws.config.profile
        folder = self._ws.folder
        files = [path for pattern in _BESIDE for path in sorted(folder.glob(pattern))]
        if profile.endswith(".toml") and not name_fault(profile, folders=True, written=True):
            files.append(folder / profile)
        for path in files:
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in left and not name_fault(name, folders=True, written=True):
                yield name, path

    def _image(self, image_id: str) -> bytes | None:
        try:
            return self._ws.images.picture(image_id).data
        except OutOfResources:
            raise
        except InputError:
            return None

    def _add_file(self, archive: zipfile.ZipFile, name: str, path: Path) -> None:
        with path.open("rb") as stream:
            self._add(archive, name, _blocks(stream))

    def _add(self, archive: zipfile.ZipFile, name: str, blocks: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with archive.open(_entry(name), "w", force_zip64=True) as target:
            for block in blocks:
                digest.update(block)
                target.write(block)
        self._hashes[name] = digest.hexdigest()


def _left_out(ws: Workspace, names: Collection[str]) -> dict[str, str]:
    """Files and folders that the configuration names and that are not in a backup, each with the key that does."""
    folder, found = followed(ws.folder), dict[str, str]()
    for key, path in _places(ws.config.model_dump(), ws.folder):
        if not os.path.exists(path):  # noqa: PTH110 - a word of a command may be anything, and Path raises at some
            continue
        place = followed(path)
        name = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else ""
        if not any(one == name or one.startswith(f"{name}/") for one in names):
            found.setdefault(str(place), key)
    return found


def _places(table: Mapping[str, Any], folder: Path, name: str = "") -> Iterator[tuple[str, Path]]:
    """The key of each place in the configuration, and the place, seen from where it is used."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _places(value, folder, f"{name}.{key}".lstrip("."))
        elif key == "command" and isinstance(value, (list, tuple)):  # what lies in ``cwd_folder`` goes with that
            inside = bool(table.get("cwd_folder"))
            for i, word in enumerate(map(str, value)):
                if Path(word).is_absolute() or (not inside and (i or os.sep in word)):
                    yield f"[{name}] {key}", Path(word)
        elif isinstance(value, str) and value and key.endswith(("path", "folder")):
            yield f"[{name}] {key}", folder / value
        elif key == "profile" and str(value).endswith(".toml"):
            yield key, folder / str(value)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o100644 << 16
    return entry


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK_BYTES):
        yield block
