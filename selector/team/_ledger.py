"""The ledger of another campaign, for one that has none: its submissions, their totals and the picks they came from."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select

from selector.decide.revision import DECISIONS
from selector.domain import InputError
from selector.domain.files import make_folder, replacing
from selector.store import schema
from selector.store.copying import batches
from selector.team._rows import Lacking, Taken
from selector.workspace.workspace import Workspace

SUBMISSIONS = "submissions"  # the folder of ZIPs and manifests
_OF_SUBMISSIONS = (schema.submission_pick, schema.submission_event, schema.observation)


def has_ledger(connection: Connection, besides: Connection) -> bool:
    """Whether there are submissions here that the other campaign does not have."""
    ours, theirs = (set(c.execute(select(schema.submission.c.id)).scalars()) for c in (connection, besides))
    return not ours <= theirs


def take_ledger(
    ws: Workspace, other: Workspace, theirs: Connection, decisions: Mapping[int, int], lacking: Lacking
) -> dict[str, Taken]:
    """Take over all submissions, with their files first, in one transaction. What is here already is left out.

    Args:
        decisions: ids of their decisions to ours.
        lacking: candidates that did not come.

    Raises:
        InputError: a picture of a submission is lost, or this campaign has a ledger of its own.
    """
    held = theirs.execute(select(schema.submission_pick.c.task_id, schema.submission_pick.c.candidate_id)).all()
    if any(tuple(row) in lacking for row in held):
        raise InputError("pictures of its submissions are lost there: restore them, or leave --ledger theirs away")
    _copy_files(ws, other)
    taken = {
        table.name: Taken(same=theirs.execute(select(func.count()).select_from(table)).scalar_one())
        for table in (schema.pick_set, schema.submission, *_OF_SUBMISSIONS)
    }
    with ws.db.write() as connection:
        if has_ledger(connection, besides=theirs):
            raise InputError("this campaign has submissions of its own by now: leave --ledger theirs away")
        if connection.execute(select(schema.submission.c.id).limit(1)).first() is not None:
            return taken  # by an earlier run
        own = connection.execute(select(func.count()).select_from(schema.decision)).scalar_one() - len(
            set(decisions.values())
        )
        sets = _take_sets(connection, theirs, {} if own else decisions, lacking)
        for rows in batches(theirs, schema.submission):
            moved = [{**row, "pick_set_id": sets[row["pick_set_id"]]} for row in rows]
            connection.execute(insert(schema.submission), moved)
        for table in _OF_SUBMISSIONS:
            for rows in batches(theirs, table):
                connection.execute(insert(table), [{k: v for k, v in row.items() if k != "id"} for row in rows])
    return {name: Taken(new=found.same) for name, found in taken.items()}


def _take_sets(
    connection: Connection, theirs: Connection, decisions: Mapping[int, int], lacking: Lacking
) -> dict[int, int]:
    """Their sets of picks under new ids, after those that are here. A pick of what did not come is one of nothing."""
    places = {}
    for rows in batches(theirs, schema.pick_set):
        for row in rows:
            basis = dict(row["basis"])
            if DECISIONS in basis:  # 0: all of them are looked at again, as some that are here were not known there
                basis[DECISIONS] = decisions.get(basis[DECISIONS], 0)
            values = {"digest": row["digest"], "basis": basis, "at": row["at"]}
            key = connection.execute(insert(schema.pick_set).values(**values)).inserted_primary_key
            places[row["id"]] = int(key[0]) if key else 0
    for rows in batches(theirs, schema.pick):
        connection.execute(insert(schema.pick), [_moved(row, places, lacking) for row in rows])
    return places


def _moved(row: Mapping[str, Any], places: Mapping[int, int], lacking: Lacking) -> dict[str, Any]:
    moved = {**row, "pick_set_id": places[row["pick_set_id"]]}
    return {**moved, "candidate_id": None} if (row["task_id"], row["candidate_id"]) in lacking else moved


def _copy_files(ws: Workspace, other: Workspace) -> None:
    """ZIPs and manifests; a file that is here stays as it is."""
    there = other.folder / SUBMISSIONS
    for path in sorted(there.rglob("*")):
        target = ws.folder / SUBMISSIONS / path.relative_to(there)
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and not target.exists():
            make_folder(target.parent)
            with path.open("rb") as source, replacing(target) as stream:
                shutil.copyfileobj(source, stream)
