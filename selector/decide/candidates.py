"""The table of a campaign's candidates, read from the store, and which of them gates refuse (a column that is 0)."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from selector.decide._beliefs import judge_values
from selector.domain import Axis, Scorer, Task
from selector.domain.treatments import own_variant
from selector.learn.pool import Bools, Floats, Ints, Pool, codes
from selector.learn.prior import RECIPE_ORDER
from selector.store.candidates import (
    Maker,
    candidate_keys,
    made_by,
    makers_by_candidate,
)
from selector.store.decisions import load_decisions
from selector.store.file_versions import superseded
from selector.store.observations import Judgement
from selector.store.pruned import Gone, kept_ids, load_gone
from selector.store.scores import ScoreColumn, wide_scores
from selector.workspace.plug_ins import reading_words
from selector.workspace.workspace import Workspace

Key = tuple[str, str]  # task id, candidate id
_NOBODY = Maker("unknown", "")
EXCLUDED_BY = "excluded by "  # how the reasons of people begin
LOST = "its image is lost: `bestshot doctor` says what to do"


def read_pool(
    connection: Connection,
    tasks: Sequence[Task],
    scorers: Mapping[str, Scorer],
    judgements: Sequence[Judgement],
    lost: Collection[str] = (),
) -> Pool | None:
    """All candidates but last resorts, one task type after the other, each in the order of the table and by id.

    Columns are ``scorer.column`` of these scorers' versions, sorted, the generator's own order among them, then three
    a judge. None as long as there is no candidate. ``lost``: ids of images that are known to be, of ``lost_images``.
    """
    found = candidate_keys(connection)
    ids: dict[str, list[str]] = {}
    for task_id, candidate_id, fallback in found:
        if not fallback:
            ids.setdefault(task_id, []).append(candidate_id)
    by_type = sorted(tasks, key=lambda task: task.type.value)  # a stable sort keeps the order of the table
    keys = [(task.id, candidate_id) for task in by_type for candidate_id in sorted(ids.get(task.id, ()))]
    if not keys:
        return None
    types = {task.id: task.type.value for task in tasks}
    task_types = [types[task_id] for task_id, _ in keys]
    applies = {RECIPE_ORDER: set(task_types)}
    places: dict[str, ScoreColumn] = {}
    for name, scorer in scorers.items():
        own = {t.value for t in scorer.task_types}
        for column in scorer.columns:
            if own & applies[RECIPE_ORDER]:
                applies[f"{name}.{column.name}"] = own
            places[f"{name}.{column.name}"] = name, scorer.version, column.name
    columns = sorted(applies)
    gates, reading = gate_columns(scorers), reading_words(scorers)
    resorts = [(task_id, candidate_id) for task_id, candidate_id, fallback in found if fallback]
    values, excluded = _scores(connection, keys, resorts, columns, places, gates, reading)
    made, guesses = made_by(connection, {key: row for row, key in enumerate(keys)})
    values[:, columns.index(RECIPE_ORDER)] = guesses
    of_type = np.array(task_types)
    for j, name in enumerate(columns):
        for other in applies[RECIPE_ORDER] - applies[name]:
            values[of_type == other, j] = np.nan
    judges, judged = judge_values(keys, judgements)
    makers = [maker or _NOBODY for maker in made]
    older = superseded(connection)
    gone = load_gone(connection)
    refused = [older.get(key) or why for key, why in zip(keys, excluded, strict=True)]
    without = _without_bytes(gone, lost)
    refused = [without.get(key[1], why) for key, why in zip(keys, refused, strict=True)]
    excluded, pinned = _decided(connection, keys, refused, without)
    return Pool(
        task_ids=tuple(task_id for task_id, _ in keys),
        candidate_ids=tuple(candidate_id for _, candidate_id in keys),
        task_types=tuple(task_types),
        generators=tuple(m.generator for m in makers),
        variants=tuple(own_variant(m.variant, m.style, m.finish) for m in makers),
        styles=tuple(m.style for m in makers),
        finishes=tuple(m.finish for m in makers),
        origins=tuple(m.origin for m in makers),
        columns=(*columns, *judges),
        values=np.concatenate([values, judged], axis=1),
        excluded=tuple(excluded),
        pinned=tuple(pinned),
        refused=tuple(refused),
    )


def refused_unmeasured(ws: Workspace, keys: Sequence[Key]) -> list[str]:
    """Why each key must not be picked before any gate has looked: people, or a newer file of its name; else ""."""
    lost = lost_images(ws)
    with ws.db.read() as connection:
        older, without = superseded(connection), _without_bytes(load_gone(connection), lost)
        refused = [without.get(key[1]) or older.get(key, "") for key in keys]
        return _decided(connection, keys, refused, without)[0]


def lost_images(ws: Workspace) -> frozenset[str]:
    """Ids of candidates whose images are not in their folder; an address, where others may put them back, is not asked.

    Empty where most are not there: then it is the folder that is elsewhere.
    """
    if not ws.images.lasting:
        return frozenset()
    with ws.db.read() as connection:
        ids = list(kept_ids(connection))
    lost = frozenset(ws.known_lost(ids))
    return lost if 2 * len(lost) <= len(ids) else frozenset()


def _without_bytes(gone: Mapping[str, Gone], lost: Collection[str]) -> dict[str, str]:
    """Ids of images that nothing can be made of, and why: an export would fail."""
    return {**dict.fromkeys(lost, LOST), **{image: deletion.words for image, deletion in gone.items()}}


def _decided(
    connection: Connection, keys: Sequence[Key], excluded: Sequence[str], without: Container[str]
) -> tuple[list[str], list[str]]:
    """Why each key must not be picked, what people say of it included; and who pinned it and why, "" where nobody did.

    A pin passes every gate; an exclusion is stronger than a pin, and what is ``without`` bytes cannot be picked at all.
    """
    decisions, reasons, pinned = load_decisions(connection), list(excluded), [""] * len(keys)
    if not decisions.excluded and not decisions.pins:
        return reasons, pinned
    makers_of = makers_by_candidate(connection)
    held = {}
    for i, key in enumerate(keys):
        if key[1] in without:
            continue
        against = decisions.against(*key, makers_of.get(key, set()))
        if against:
            reasons[i] = f"{EXCLUDED_BY}{against.by}: {against.reason}"
        elif decisions.pinned(key[0]) == key[1]:
            pin = decisions.pins[key[0]]
            reasons[i], pinned[i] = "", f"pinned by {pin.by}: {pin.reason}"
            held[key[0]] = i
    for i, (task_id, _) in enumerate(keys):
        if held.get(task_id, i) != i:
            reasons[i] = reasons[i] or f"another one is {pinned[held[task_id]]}"
    return reasons, pinned


def _scores(
    connection: Connection,
    keys: Sequence[Key],
    resorts: Sequence[Key],
    columns: Sequence[str],
    places: Mapping[str, ScoreColumn],
    gates: Mapping[str, str],
    reading: Collection[str],
) -> tuple[Floats, list[str]]:
    """Values (keys, columns), NaN where unscored, and why gates refuse each key, "" where none does.

    ``resorts``: other candidates, which only last resorts made: a gate that has looked at one was there for its task.
    """
    task_ids, candidate_ids = ([key[part] for of in (keys, resorts) for key in of] for part in (0, 1))
    wanted = list(dict.fromkeys([*columns, *gates]))
    asked = [places.get(name) for name in wanted]
    scores, there = wide_scores(connection, task_ids, candidate_ids, asked, reading, [places[g] for g in gates])
    refused = refusals(gates, codes(task_ids)[1], scores[:, [wanted.index(g) for g in gates]], there)
    return scores[: len(keys), : len(columns)], refused[: len(keys)]


def gate_columns(scorers: Mapping[str, Scorer]) -> dict[str, str]:
    """``scorer.column`` of every gate to what it asks for, in the order of the scorers."""
    return {
        f"{name}.{column.name}": column.what
        for name, scorer in scorers.items()
        for column in scorer.columns
        if column.axis is Axis.GATE
    }


def refusals(gates: Mapping[str, str], task: Ints, values: Floats, looked_at: Bools) -> list[str]:
    """Why each candidate must not be picked, "" where it may.

    A candidate is refused by a gate column that is 0 (of several the first by name), and by one that was measured on
    another candidate of its task but never on it (its scorer broke on it): what was not looked at must not pass.

    Args:
        gates: of ``gate_columns``.
        task: (n,) numbers of the candidates' tasks.
        values: (n, gates) scores, NaN where unscored.
        looked_at: (n, gates) whether there is a score, an unscored one included.
    """
    reasons = np.full(len(task), "", dtype=object)
    place = {name: j for j, name in enumerate(gates)}
    for name in sorted(gates):
        _refuse(reasons, values[:, place[name]] == 0.0, f"{name} is 0 ({gates[name]})")
    for name, j in place.items():
        of_task = np.bincount(task, weights=looked_at[:, j]) > 0
        _refuse(reasons, of_task[task] & ~looked_at[:, j], f"{name} has not looked at it (run `bestshot score`)")
    found: list[str] = reasons.tolist()
    return found


def _refuse(reasons: Any, where: Bools, reason: str) -> None:
    reasons[where & (reasons == "")] = reason
