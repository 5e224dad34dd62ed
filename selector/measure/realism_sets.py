"""Which candidates a set holds, and their vectors: looked up in the store, the missing ones made and kept there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from selector.domain import InputError, Picture, Task, raise_shortage
from selector.domain.embedding import Backbone, ContestContext
from selector.domain.progress import Progress
from selector.domain.words import n_of, near_or_all
from selector.sight.embedding.real_pictures import (
    RealPictures,
    folder_of_photographs,
    gather,
    input_photographs,
)
from selector.store.attempts import load_attempts
from selector.store.embeddings import StoredVectors
from selector.store.picks import newest_picks
from selector.store.pruned import load_gone
from selector.workspace.workspace import Workspace

Floats = np.ndarray[Any, np.dtype[np.float32]]
Members = dict[str, list[str]]  # task id to the ids of candidates

PICKS, ALL = "picks", "all"
MOST_IN_POOL = 8  # candidates a task that stand for all it has, where a random pick is measured: pairs cost


@dataclass(frozen=True)
class Sets:
    """Sets by name, and ``pool``: candidates of the tasks of the picks, from which a random pick is made.

    Ids are hashes, so the first few by id are a random choice, and the same one in every process.
    """

    named: dict[str, Members]
    pool: Members
    notes: tuple[str, ...]

    def ids(self) -> list[str]:
        """Every candidate once."""
        return sorted({key for one in (*self.named.values(), self.pool) for keys in one.values() for key in keys})


def find_sets(ws: Workspace, tasks: Sequence[Task], of: Sequence[str]) -> Sets:
    """The sets that ``of`` names: picks, a generator, or all of both. Last resorts are in none.

    Raises:
        InputError: there are no candidates, no picks, or no such generator.
    """
    order = [task.id for task in tasks]
    made, (picked, fallbacks) = _made(ws, order), _picked(ws, order)
    if not made:
        raise InputError("there are no candidates yet: run `bestshot generate` or `bestshot import` first")
    if PICKS in of and not picked:
        raise InputError("there are no picks yet: run `bestshot pick` first")
    for name in of:
        if name not in (PICKS, ALL, *made):
            raise InputError(f"no candidate was made by '{name}'{near_or_all(name, sorted(made))}")
    wanted = [PICKS, *sorted(made)] if ALL in of else list(dict.fromkeys(of))
    named = {name: picked if name == PICKS else made[name] for name in wanted if name != PICKS or picked}
    everything = _merged(made.values())
    pool = {key: ids[:MOST_IN_POOL] for key, ids in everything.items() if PICKS not in named or key in picked}
    last_resorts = n_of(fallbacks, "pick is a last resort", "picks are last resorts")
    notes = (f"{last_resorts} and left out",) if fallbacks and PICKS in named else ()
    return Sets(named, pool, notes)


def photographs_of(contest: ContestContext, tasks: Sequence[Task], folder: Path | None) -> RealPictures:
    """Those of the folder, or the input pictures of these tasks; of all tasks where these have none.

    Raises:
        MissingPart: the folder does not exist or holds no picture.
    """
    if folder is not None:
        return folder_of_photographs(folder)
    own = input_photographs(tasks, contest.inputs_folder, contest.input_ids)
    return own if own.paths else input_photographs(contest.tasks, contest.inputs_folder, contest.input_ids)


class Vectors:
    """Vectors of candidates and photographs; what is made is stored batch by batch, so that nothing is made twice."""

    def __init__(self, ws: Workspace, backbone: Backbone, progress: Progress) -> None:
        self._ws, self._backbone, self._progress = ws, backbone, progress
        self._kept = StoredVectors(ws.db)
        self._reasons: Counter[str] = Counter()
        self.found: dict[str, Floats] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be embedded, by reason."""
        return tuple(
            f"{n_of(n, 'picture is', 'pictures are')} left out: {reason}" for reason, n in sorted(self._reasons.items())
        )

    def add(self, what: str, ids: Sequence[str], read: Callable[[str], Picture]) -> None:
        """Find or make the vectors of ``ids``."""
        done = 0
        with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            for batch in gather(self._backbone, ids, read, self._kept, pool.map):
                self._kept.save()
                for key, vector in batch.items():
                    if isinstance(vector, str):
                        self._reasons[vector] += 1
                    else:
                        self.found[key] = vector
                done += len(batch)
                self._progress(what, done, len(ids))

    def candidate(self, key: str) -> Picture:
        """Raises ``InputError`` when its file is gone or changed."""
        name = f"candidate {key[:12]}"
        try:
            return self._ws.images.picture(key)
        except InputError as error:  # its words name the file; equal reasons are counted together
            raise_shortage(error)
            raise InputError(f"{name}: the file is missing or was changed, see `bestshot doctor`") from error


def own_photographs(contest: ContestContext, tasks: Sequence[Task]) -> dict[str, set[str]]:
    """Task id to the ids of the pictures that it was made from."""
    ids = input_photographs(tasks, contest.inputs_folder, contest.input_ids).ids
    named = {t.id: [contest.inputs_folder / name for name in (t.source, t.reference) if name] for t in tasks}
    return {task: {ids[path] for path in paths if path in ids} for task, paths in named.items()}


def _made(ws: Workspace, tasks: Sequence[str]) -> dict[str, Members]:
    found: dict[str, dict[str, set[str]]] = {}
    wanted = set(tasks)
    with ws.db.read() as connection:
        attempts, gone = load_attempts(connection), load_gone(connection)
    for a in attempts:
        there = a.candidate_id is not None and a.candidate_id not in gone
        if there and not a.fallback and a.task_id in wanted:
            found.setdefault(a.generator, {}).setdefault(a.task_id, set()).add(str(a.candidate_id))
    return {name: {task: sorted(one[task]) for task in tasks if task in one} for name, one in found.items()}


def _picked(ws: Workspace, tasks: Sequence[str]) -> tuple[Members, int]:
    """The newest picks, and how many of them are last resorts and therefore not among them."""
    with ws.db.read() as connection:
        newest = newest_picks(connection)
    picks = [p for p in newest[1] if p.task_id in set(tasks) and p.candidate_id] if newest else []
    return {p.task_id: [str(p.candidate_id)] for p in picks if not p.fallback}, sum(p.fallback for p in picks)


def _merged(sets: Iterable[Members]) -> Members:
    found: dict[str, set[str]] = {}
    for one in sets:
        for task, ids in one.items():
            found.setdefault(task, set()).update(ids)
    return {task: sorted(ids) for task, ids in found.items()}
