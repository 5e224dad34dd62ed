"""How far sets of candidates are from real photographs: the newest picks, each generator's, and a random pick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from selector.domain import InputError, Task
from selector.domain.embedding import ContestContext
from selector.domain.progress import Progress, silent
from selector.domain.words import n_of
from selector.measure.realism_measures import (
    CMMD,
    FID,
    KID,
    METRICS,
    SUBSETS,
    Floats,
    Measured,
    Subsets,
    VectorSet,
    Yardstick,
    grouped,
    interval,
)
from selector.measure.realism_sets import ALL, PICKS, Members, Vectors, find_sets, own_photographs, photographs_of
from selector.sight.embedding.openclip import backbone_of
from selector.sight.embedding.set_distance import LEAST_FOR_FID, need_torchmetrics
from selector.workspace.workspace import Workspace

LEAST_TASKS, LEAST_REAL = 10, 20
RANDOM, HALVES = "a random pick", "photographs in halves"


@dataclass(frozen=True)
class RealismQuestion:
    """Which sets (picks, all, names of generators), by which metrics, against which folder (None: the inputs)."""

    of: tuple[str, ...] = (ALL,)
    metrics: tuple[str, ...] = METRICS
    reference: Path | None = None
    force_fid: bool = False

    def __post_init__(self) -> None:
        for metric in self.metrics:
            if metric not in METRICS:
                raise InputError(f"set metrics are {', '.join(METRICS)}, got '{metric}'")


@dataclass(frozen=True)
class SetRealism:
    """Distances of one set by metric; ``images`` of ``tasks``. What is missing was not asked for, or is in a note."""

    name: str
    images: int
    tasks: int
    distances: Mapping[str, Measured]


@dataclass(frozen=True)
class Realism:
    """Every set's distance to real photographs, of which there are ``photographs``.

    ``baselines``: the photographs against themselves, and a random candidate a task. ``gain``: CMMD of the picks less
    that of a random pick on the same tasks, with its 80% interval; below 0 the picks look more real.
    """

    space: str
    reference: str
    photographs: int
    baselines: tuple[SetRealism, ...]
    sets: tuple[SetRealism, ...]
    gain: Measured | None
    notes: tuple[str, ...]


def realism(
    ws: Workspace, tasks: Sequence[Task], contest: ContestContext, asked: RealismQuestion, progress: Progress = silent
) -> Realism:
    """Measure sets of candidates of ``tasks``. A second call reads no image and loads no model.

    Raises:
        InputError: no such set, no candidates, too few photographs. MissingPart: weights, a package, the folder.
    """
    sets = find_sets(ws, tasks, asked.of)
    real = photographs_of(contest, tasks, asked.reference)
    backbone = backbone_of(contest.embedding)
    backbone.check()
    need_torchmetrics()
    vectors = Vectors(ws, backbone, progress)
    vectors.add("photographs", sorted(real.by_id), real.read)
    photographs = sorted(vectors.found)
    if len(photographs) < LEAST_REAL:
        raise InputError(
            f"realism is measured against at least {LEAST_REAL} real photographs, here are {len(photographs)}: "
            "name a folder of more with --reference"
        )
    vectors.add("candidates", sets.ids(), vectors.candidate)
    rows = {key: row for row, key in enumerate(photographs)}
    own = {t: [rows[k] for k in ids if k in rows] for t, ids in own_photographs(contest, tasks).items()}

    def group(members: Members) -> VectorSet:
        held = {t: [key for key in ids if key in vectors.found] for t, ids in members.items()}
        by_task = [(i, held.get(t.id, []), own[t.id]) for i, t in enumerate(tasks)]
        with_copies = [(i, ids, [*mine, *(rows[k] for k in ids if k in rows)]) for i, ids, mine in by_task]
        return grouped(with_copies, vectors.found, len(rows))

    yardstick = Yardstick(np.stack([vectors.found[key] for key in photographs]), len(tasks), ws.config.seed)
    told = _Told(yardstick, asked, [*sets.notes, *vectors.notes])
    named = {RANDOM: group(sets.pool)} | {name: group(one) for name, one in sets.named.items()}
    place = "the contest's input pictures" if asked.reference is None else str(asked.reference)
    return told.realism(named, backbone.space, place)


@dataclass
class _Told:
    """Applies the wanted metrics to every set, and notes what is refused."""

    yardstick: Yardstick
    asked: RealismQuestion
    notes: list[str]
    draws: dict[str, tuple[float, Floats]] = field(default_factory=dict)  # of CMMD

    def realism(self, sets: Mapping[str, VectorSet], space: str, reference: str) -> Realism:
        n = len(self.yardstick.real)
        images = {name: len(one.starts if name == RANDOM else one.vectors) for name, one in sets.items()}
        metrics = self._metrics(images)
        measured = [self._set(name, one, images[name], metrics) for name, one in sets.items()]
        halves = {m: self.yardstick.halves(m) for m in metrics if m != FID or self._fid_holds(n // 2, n // 2)}
        if len({tuple(one.places) for one in sets.values()}) > 1:
            self.notes.append("the sets cover different tasks, and part of a difference may be the tasks' own")
        if any(FID in one.distances and sets[one.name].own.any() for one in measured):
            self.notes.append(
                "FID counts an edit beside its own photograph, which brings it nearer the fewer images there are: "
                "--reference with other photographs avoids that; CMMD and KID leave such pairs out"
            )
        baselines = (SetRealism(HALVES, n // 2, 0, halves), measured[0])
        return Realism(space, reference, n, baselines, tuple(measured[1:]), self._gain(), tuple(self.notes))

    def _metrics(self, images: Mapping[str, int]) -> tuple[str, ...]:
        """Those asked for; where FID is refused to a set, also those that hold for few images."""
        n = len(self.yardstick.real)
        refused = [name for name, count in images.items() if not self._fid_holds(count, n)]
        if FID not in self.asked.metrics or not refused:
            return tuple(m for m in METRICS if m in self.asked.metrics)
        least = min(images.values())
        self.notes.append(
            f"FID is left out where a side has fewer than {LEAST_FOR_FID} images (photographs {n}, smallest set "
            f"{least}): CMMD and KID hold for few; --force-fid shows it all the same"
        )
        return METRICS

    def _fid_holds(self, images: int, real: int) -> bool:
        return self.asked.force_fid or min(images, real) >= LEAST_FOR_FID

    def _set(self, name: str, one: VectorSet, images: int, metrics: Sequence[str]) -> SetRealism:
        tasks = len(one.starts)
        if tasks < LEAST_TASKS:
            self.notes.append(f"{name}: not measured, it covers {n_of(tasks, 'task')} and needs {LEAST_TASKS}")
            return SetRealism(name, images, tasks, {})
        found = {}
        for metric in metrics:
            if metric != FID or self._fid_holds(images, len(self.yardstick.real)):
                found[metric], draws = self.yardstick.measure(one, metric, one_a_task=name == RANDOM)
                if metric == CMMD:
                    self.draws[name] = found[metric].value, draws
                if metric == KID:
                    self._note_subsets(name, found[metric].subsets)
        return SetRealism(name, images, tasks, found)

    def _note_subsets(self, name: str, subsets: Subsets | None) -> None:
        left_out = SUBSETS - (subsets.count if subsets else 0)
        if left_out:
            self.notes.append(
                f"{name}: {left_out} of {SUBSETS} subsets of KID are left out, because nearly every photograph is one "
                "that their tasks were made from: --reference with other photographs avoids that"
            )

    def _gain(self) -> Measured | None:
        """Of the same bootstraps, so that what tasks and photographs share cancels."""
        if PICKS not in self.draws or RANDOM not in self.draws:
            return None
        (picks, draws), (random, others) = self.draws[PICKS], self.draws[RANDOM]
        return Measured(picks - random, *interval(draws - others))
