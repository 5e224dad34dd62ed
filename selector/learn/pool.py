"""The table of candidates: parallel arrays, one row a candidate, that estimates, calibration and planning work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np

from selector.domain import InputError
from selector.domain.treatments import in_words

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.intp]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Label = TypeVar("Label", str, tuple[str, str])


@dataclass(frozen=True)
class Pool:
    """``n`` candidates, grouped by task: all rows of a task lie together.

    ``values`` has shape (n, columns); NaN is *unscored*. ``generators`` and ``variants`` are the levels that made each
    candidate; a variant is a method or model version within a generator, "" where there is none. ``styles`` (of the
    prompt) and ``finishes`` (of the picture) are treatments that any generator may get, "" where there is none. A
    finished picture names the candidate that it was made from as its ``origin``; others have "". Rows that are not
    ``eligible`` (refused by a gate, or never scored) are never picked, but older submissions may hold them;
    ``excluded`` says why a gate or a person refuses a row, "" where none does; ``refused`` says the same without what
    people decided; ``pinned`` says who chose a row by hand and why, "" of others: it is eligible whatever was measured,
    and no other row of its task is. A column that does not apply to a task type is NaN in its rows. ``gain`` has, for
    columns of judges that took several looks at some candidates, (n,) how much more a value tells than one look would
    (:attr:`~selector.learn.passes.Repeats.gain`), 1 where it is one look; a column that is not named has 1 everywhere.
    """

    task_ids: tuple[str, ...]
    candidate_ids: tuple[str, ...]
    task_types: tuple[str, ...]
    generators: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    variants: tuple[str, ...] = ()
    eligible: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    prior_overall: Floats | None = None  # (n,) points, 0 to 10, where a written prior says more than a base level
    styles: tuple[str, ...] = ()
    finishes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    gain: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.task_ids)
        for name in ("variants", "styles", "finishes", "origins", "excluded", "pinned", "refused"):
            object.__setattr__(self, name, getattr(self, name) or ("",) * n)
        if self.eligible.size == 0:
            object.__setattr__(self, "eligible", np.ones(n, dtype=bool))
        parts = (self.candidate_ids, self.task_types, self.generators, self.variants, self.eligible, self.values)
        treated = (self.styles, self.finishes, self.origins, self.excluded, self.pinned, self.refused)
        priors = [] if self.prior_overall is None else [self.prior_overall]
        lengths = {len(part) for part in (*parts, *treated, *priors, *self.gain.values())}
        if lengths != {n} or self.values.shape != (n, len(self.columns)):
            raise InputError(f"a pool of {n} candidates needs {n} entries in every list and one column a name")
        if n == 0:
            raise InputError("there are no candidates: nothing can be calibrated or picked")
        if np.isinf(self.values).any():
            raise InputError("a score is infinite: a score is a finite number, or unscored (NaN)")
        if (np.diff(self.task_of) < 0).any():
            raise InputError("the candidates of a task must lie together")
        self._check_ids()

    def _check_ids(self) -> None:
        """Raise ``InputError`` where two candidates of a task have one id."""
        names, candidate_of = codes(self.candidate_ids)
        pairs = np.sort(self.task_of * len(names) + candidate_of)
        doubled = pairs[1:][np.diff(pairs) == 0]
        if len(doubled):
            task, candidate = divmod(int(doubled[0]), len(names))
            raise InputError(
                f"task '{self.tasks[task]}' has two candidates '{names[candidate]}': give every candidate of a task "
                "its own id"
            )

    @cached_property
    def task_of(self) -> Ints:
        """(n,) place of each row's task among ``tasks``."""
        return self._tasks[1]

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Task ids in the order of the rows."""
        return self._tasks[0]

    @cached_property
    def _tasks(self) -> tuple[tuple[str, ...], Ints]:
        return codes(self.task_ids)

    def rows_of(self, task_id: str) -> Ints:
        """Rows of a task's candidates; none of a task that is not there."""
        if task_id not in self.tasks:
            return np.zeros(0, dtype=np.intp)
        return np.flatnonzero(self.task_of == self.tasks.index(task_id))

    @cached_property
    def types(self) -> dict[str, Ints]:
        """Task type to its rows, in the order of their first appearance."""
        names, type_of = codes(self.task_types)
        return {name: np.flatnonzero(type_of == place) for place, name in enumerate(names)}

    @cached_property
    def made_with(self) -> tuple[str, ...]:
        """(n,) generator, variant and treatments of each row, in words."""
        parts = zip(self.generators, self.variants, self.styles, self.finishes, strict=True)
        return tuple(in_words(f"{made_by} {variant}".strip(), *treated) for made_by, variant, *treated in parts)

    @cached_property
    def family_of(self) -> Ints | None:
        """(n,) number of the picture that each row is or was finished from, if any has a finish beside it."""
        if not any(self.origins):
            return None
        named = zip(self.task_ids, self.candidate_ids, self.origins, strict=True)
        families, family = codes([(task, origin or own) for task, own, origin in named])
        return family if len(families) < len(family) else None

    @cached_property
    def pictures(self) -> Bools:
        """(n,) which rows are pictures of their own, and not finished from another row of their task."""
        named = zip(self.task_ids, self.origins, strict=True)
        return np.array([not origin or (task, origin) not in self.row_of for task, origin in named])

    @cached_property
    def lots(self) -> Ints:
        """(n,) by which equals are ordered: the lowest of a task is picked. It has nothing to do with who made them.

        By a name or a place one generator would get all tasks where nothing is known. Mixed, the picks cost as much on
        average, risk less and teach more. (A checksum would not mix: ids such as g0-1 and
        g4-1 keep their order over many tasks.)
        """
        named = zip(self.task_ids, self.candidate_ids, strict=True)
        keys = (blake2b(f"{task}\0{candidate}".encode(), digest_size=7).digest() for task, candidate in named)
        return np.fromiter((int.from_bytes(key, "big") for key in keys), dtype=np.intp, count=len(self.task_ids))

    @cached_property
    def choices(self) -> Ints:
        """(tasks, most candidates of a task) rows that may be picked, by their lots, filled up with -1."""
        rows = np.flatnonzero(self.eligible)
        rows = rows[np.lexsort((self.lots[rows], self.task_of[rows]))]
        return padded(rows, self.task_of[rows], len(self.tasks))

    @cached_property
    def row_of(self) -> dict[tuple[str, str], int]:
        """(task id, candidate id) to its row."""
        pairs = zip(self.task_ids, self.candidate_ids, strict=True)
        return dict(zip(pairs, range(len(self.task_ids)), strict=True))

    def column(self, name: str) -> Floats:
        """(n,) scores of a column, NaN throughout where the pool has none of that name."""
        if name not in self.columns:
            return np.full(len(self.task_ids), np.nan)
        return self.values[:, self.columns.index(name)]


@dataclass(frozen=True)
class Choices:
    """Tasks as a padded matrix of rows (tasks, most candidates), -1 beyond a task's last one."""

    rows: Ints
    tasks: int  # in the mean that the leaderboard shows

    def chosen(self) -> Choices:
        """Only the tasks that have a candidate to pick."""
        return replace(self, rows=self.rows[self.rows[:, 0] >= 0])

    def among(self, rows: Ints) -> Choices:
        """The same as places among some ``rows`` (ascending), and only these; every task must keep one."""
        place = np.full(max(self.rows.max(initial=-1), rows.max(initial=-1)) + 1, -1, dtype=np.intp)
        place[rows] = np.arange(len(rows))
        places = np.where(self.rows >= 0, place[self.rows], -1)
        kept = places >= 0
        return replace(self, rows=padded(places[kept], np.nonzero(kept)[0], len(places)))

    def best(self, values: Floats) -> Ints:
        """(tasks,) rows with the highest value; the first of equals."""
        picked: Ints = self.spread(values).argmax(axis=1)
        chosen: Ints = self.rows[np.arange(len(self.rows)), picked]
        return chosen

    def spread(self, values: Floats) -> Floats:
        """(tasks, most candidates) values, minus infinity where there is no candidate."""
        laid: Floats = np.where(self.rows >= 0, values[self.rows], -np.inf)
        return laid

    def weights(self, picked: Ints, n: int) -> Floats:
        """(n,) weight of every candidate in the total of these picks."""
        out = np.zeros(n)
        out[picked] = 1.0 / self.tasks
        return out


def codes(labels: Sequence[Label]) -> tuple[tuple[Label, ...], Ints]:
    """Labels in the order of their first appearance, and the place of each entry's label among them."""
    place = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return tuple(place), np.fromiter(map(place.__getitem__, labels), dtype=np.intp, count=len(labels))


def padded(rows: Ints, group: Ints, groups: int) -> Ints:
    """Rows (any order within a group, groups ascending) as a matrix with one line a group, filled up with -1."""
    counts = np.bincount(group, minlength=groups)
    out = np.full((groups, max(1, int(counts.max(initial=0)))), -1, dtype=np.intp)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    out[group, place] = rows
    return out
