"""What became of every file of an imported folder: taken, the same picture as another, or why it was not taken.

It is read from the store after the import, so that a run that was killed and begun again tells the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from sqlalchemy import Connection

from selector.contest.table_rows import csv_text
from selector.domain import TaskInputs
from selector.domain.files import write_atomically
from selector.generate.orders import Order
from selector.store.attempts import Planning, current_plannings, failed_attempts
from selector.store.file_versions import (
    Version,
    Way,
    add_version,
    newest_versions,
    pictures_of_files,
    superseded,
    ways_made,
)

TAKEN, SAME, FAILED, NOT_TAKEN = "taken", "same picture", "failed", "not taken"


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file. ``why``: whose picture it is, too, which older ones it replaces, or why it is not taken.

    ``rename_to``: the name under which it would be taken, where that is all it lacks.
    """

    file: str
    task: str
    outcome: str
    candidate: str = ""
    why: str = ""
    rename_to: str = ""


@dataclass(frozen=True)
class Replaced:
    """An imported picture whose place another of the same file name took; ``newer``: which had come before."""

    task: str
    file: str
    older: str
    newer: str
    back_again: bool = False  # the one that counts now had come before the one that it replaces


@dataclass(frozen=True)
class _Listed:
    """A file of the folder as it was imported: its name and the hash of its bytes."""

    task_id: str
    file: str
    digest: str


def _listed(connection: Connection, orders: Sequence[Order]) -> list[_Listed]:
    """The files of these orders in the order of the tasks, as their newest plannings have them."""
    if not orders:
        return []
    planned = {task_id: planning.recipes for task_id, planning in _plannings(connection, orders).items()}
    return [
        _Listed(order.task.id, str(recipe.params["file"]), str(recipe.params["sha256"]))
        for order in orders
        # Where nothing could be planned (an input picture is gone, say) the folder is asked once more.
        for recipe in planned.get(order.task.id) or order.generator.recipes(TaskInputs(order.task), order.step.n, 0)
    ]


def _plannings(connection: Connection, orders: Sequence[Order]) -> dict[str, Planning]:
    """Task id to what the newest import of this label found of it."""
    name, build = orders[0].name, orders[0].build
    return {p.task_id: p for p in current_plannings(connection, [name]) if p.build == build}


def settle_versions(connection: Connection, orders: Sequence[Order], keep: bool, at: str) -> list[Replaced]:
    """Note which pictures the imported names stand for from now on, where several came under one; what is replaced.

    The newest import wins, also one of older bytes. ``keep``: all that came under a name stay eligible.
    """
    listed = _listed(connection, orders)
    if not listed:
        return []
    name = orders[0].name
    pictures, newest = pictures_of_files(connection, name), newest_versions(connection)
    replaced = []
    for one in listed:
        known = pictures.get((one.task_id, one.file), {})
        mine, place = known.get(one.digest), (one.task_id, name, one.file)
        ever = list(dict.fromkeys(known.values()))
        before = newest.get(place)
        is_so = before is not None and (before.keep if keep else before.candidate_id == mine)
        if mine is None or len(ever) < 2 or is_so:
            continue
        add_version(connection, place, Version(mine, keep), at)
        if not keep:
            others = [other for other in ever if other != mine]
            replaced += [Replaced(one.task_id, one.file, o, mine, ever.index(o) > ever.index(mine)) for o in others]
    gone = superseded(connection) if replaced else {}
    return [one for one in replaced if (one.task, one.older) in gone]  # others have it under another name, too


def outcomes(
    connection: Connection,
    orders: Sequence[Order],
    unmatched: Mapping[str, str],
    better_names: Mapping[str, str],
) -> list[FileOutcome]:
    """Every file of the folder, those of tasks first; ``unmatched``: file to why no task got it."""
    found = _of_tasks(connection, orders)
    rest = [
        FileOutcome(file, "", NOT_TAKEN, why=why, rename_to=better_names.get(file, ""))
        for file, why in unmatched.items()
    ]
    return [*found, *rest]


def _of_tasks(connection: Connection, orders: Sequence[Order]) -> list[FileOutcome]:
    if not orders:
        return []
    name = orders[0].name
    pictures = pictures_of_files(connection, name)
    first: dict[tuple[str, str], Way] = {}
    for way in ways_made(connection):
        first.setdefault((way.task_id, way.candidate_id), way)
    failed = {
        (a.task_id, a.recipe.params.get("file"), a.recipe.params.get("sha256")): a.reason
        for a in failed_attempts(connection)
        if a.generator == name
    }
    plannings = _plannings(connection, orders)
    found = []
    for one in _listed(connection, orders):
        candidate = pictures.get((one.task_id, one.file), {}).get(one.digest)
        if candidate is None:
            why = failed.get((one.task_id, one.file, one.digest)) or plannings[one.task_id].reason or "not imported yet"
            found.append(FileOutcome(one.file, one.task_id, FAILED, why=why))
            continue
        maker = first[one.task_id, candidate]
        is_own = (maker.generator, maker.file) == (name, one.file)
        outcome, why = (TAKEN, "") if is_own else (SAME, _whose(maker, name))
        found.append(FileOutcome(one.file, one.task_id, outcome, candidate, why))
    return found


def _whose(maker: Way, name: str) -> str:
    """Whose picture it was first, in words."""
    label = maker.generator.removeprefix("folder:")
    return f"as {maker.file}" if maker.generator == name else f"as {' '.join(filter(None, (label, maker.file)))}"


def known_before(connection: Connection, name: str, newest: int, restored: Collection[str]) -> dict[str, int]:
    """Whose pictures those were that came under ``name`` after attempt ``newest`` and were candidates already.

    Those ``restored``, by id, came back by the first attempt of each, which counts as no other's.
    """
    first: dict[tuple[str, str], str] = {}
    counts: Counter[str] = Counter()
    back = set(restored)
    for way in ways_made(connection):
        key = way.task_id, way.candidate_id
        if way.number > newest and way.generator == name and key in first:
            if way.candidate_id in back:
                back.remove(way.candidate_id)
            else:
                counts[first[key]] += 1
        first.setdefault(key, way.generator)
    return dict(counts)


def write_report(path: Path, files: Sequence[FileOutcome]) -> None:
    """A table with a row a file: what became of it, and why."""
    header = [field.name.replace("_", " ") for field in fields(FileOutcome)]
    write_atomically(path, csv_text([header, *map(astuple, files)]).encode("utf-8-sig"))
