"""The ledger of another campaign, for one that has none: its submissions, their totals and the picks they came from."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from selector.decide.revision import DECISIONS
from selector.domain import InputError
from selector.domain.campaign_folder import SUBMISSIONS_NAME
from selector.domain.files import make_folder, replacing
from selector.store import schema
from selector.store.copying import batches
from selector.store.database import add
from selector.submit._events import EXPORTED
from selector.team._rows import Lacking, Row, Taken, without_id
from selector.workspace.workspace import Workspace

OWN = "this campaign has submissions, uploads or totals of its own: its ledger counts; leave --ledger theirs away"
_S, _NOTED = schema.submission, (schema.submission_event, schema.observation)


def has_ledger(connection: Connection, besides: Connection) -> bool:
    """Whether there are submissions, uploads or totals here that the other campaign does not have.

    The same picks are the same submission, whoever has exported them.
    """
    return any(_told(connection, table) - _told(besides, table) for table in (_S, *_NOTED))


def take_ledger(
    ws: Workspace, other: Workspace, theirs: Connection, decisions: Mapping[int, int], lacking: Lacking
) -> dict[str, Taken]:
    """Take over what is not here of all submissions, with their files first, in one transaction.

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
    with ws.db.write() as connection:
        if has_ledger(connection, besides=theirs):
            raise InputError(OWN)
        own = connection.execute(select(func.count()).select_from(schema.decision)).scalar_one() - len(
            set(decisions.values())
        )
        sets, of_sets = _take_sets(connection, theirs, {} if own else decisions, lacking)
        found = {schema.pick_set.name: of_sets}
        for table in (_S, schema.submission_pick):
            found[table.name] = Taken()
            for rows in batches(theirs, table):
                moved = [{**row, "pick_set_id": sets[row["pick_set_id"]]} if table is _S else row for row in rows]
                new = ws.db.insert_missing(connection, table, moved)
                found[table.name] += Taken(new, len(rows) - new)
        for table in _NOTED:
            found[table.name] = _take_noted(connection, theirs, table)
    return found


def _told(connection: Connection, table: Table) -> Counter[tuple[Any, ...]]:
    """What rows say, whatever their ids, and how often; that something was exported is said by any export of it."""
    if table is _S:
        return Counter((one,) for one in connection.execute(select(_S.c.id)).scalars())
    rows = (row for rows in batches(connection, table) for row in rows)
    return Counter(_content(row) for row in rows if row.get("state") != EXPORTED)


def _content(row: Row) -> tuple[Any, ...]:
    return tuple(without_id(row).values())


def _take_noted(connection: Connection, theirs: Connection, table: Table) -> Taken:
    """Append rows that are not here, in their order, of which the newest counts."""
    taken, here = Taken(), Counter(_content(row) for rows in batches(connection, table) for row in rows)
    for rows in batches(theirs, table):
        fresh = []
        for row in rows:
            content = _content(row)
            if here[content]:
                here[content] -= 1
            else:
                fresh.append(without_id(row))
        if fresh:
            connection.execute(insert(table), fresh)
        taken += Taken(len(fresh), len(rows) - len(fresh))
    return taken


def _take_sets(
    connection: Connection, theirs: Connection, decisions: Mapping[int, int], lacking: Lacking
) -> tuple[dict[int, int], Taken]:
    """Their sets of picks to ours; what is not here comes after those that are. A pick of what did not come is one of
    nothing.
    """
    p, taken = schema.pick_set.c, Taken()
    # By what they were stored as: the basis is another one here, where decisions have other ids.
    here = {(digest, at): number for number, digest, at in connection.execute(select(p.id, p.digest, p.at))}
    places: dict[int, int] = {}
    new = set()
    for rows in batches(theirs, schema.pick_set):
        for row in rows:
            known = here.get((row["digest"], row["at"]))
            if known is not None:
                places[row["id"]] = known
                taken.same += 1
                continue
            basis = dict(row["basis"])
            if DECISIONS in basis:  # 0: all of them are looked at again, as some that are here were not known there
                basis[DECISIONS] = decisions.get(basis[DECISIONS], 0)
            places[row["id"]] = add(connection, schema.pick_set, digest=row["digest"], basis=basis, at=row["at"])
            new.add(row["id"])
            taken.new += 1
    for rows in batches(theirs, schema.pick):
        fresh = [_moved(row, places, lacking) for row in rows if row["pick_set_id"] in new]
        if fresh:
            connection.execute(insert(schema.pick), fresh)
    return places, taken


def _moved(row: Mapping[str, Any], places: Mapping[int, int], lacking: Lacking) -> dict[str, Any]:
    moved = {**row, "pick_set_id": places[row["pick_set_id"]]}
    return {**moved, "candidate_id": None} if (row["task_id"], row["candidate_id"]) in lacking else moved


def _copy_files(ws: Workspace, other: Workspace) -> None:
    """ZIPs and manifests; a file that is here stays as it is."""
    there = other.folder / SUBMISSIONS_NAME
    for path in sorted(there.rglob("*")):
        target = ws.folder / SUBMISSIONS_NAME / path.relative_to(there)
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and not target.exists():
            make_folder(target.parent)
            with path.open("rb") as source, replacing(target) as stream:
                shutil.copyfileobj(source, stream)
