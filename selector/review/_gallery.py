"""What there is to look at: tasks and candidates with who made them, read from the store in two queries."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, select

from selector.domain import Task
from selector.store import schema
from selector.store.attempts import load_tasks
from selector.store.candidates import SHORT_ID

_LEAST_OF_ID = 4  # characters of a candidate's id that are taken for its beginning


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate. ``makers``: all generators that made it, last resorts left out; ``files``: names of imported ones.

    ``fallback``: only a last resort made it, ``makers`` is then the last resort.
    """

    id: str
    makers: tuple[str, ...]
    files: tuple[str, ...]
    fallback: bool

    @property
    def short(self) -> str:
        return self.id[:SHORT_ID]

    @property
    def generator(self) -> str:
        return self.makers[0] if self.makers else ""


@dataclass(frozen=True, slots=True)
class Haystack:
    """What a search looks through: words anywhere in ``text`` (folded), ids of candidates by how they begin."""

    text: str
    ids: tuple[str, ...] = ()

    def has(self, word: str) -> bool:
        """Whether a folded word is here; one of fewer than four characters begins nearly any id."""
        return word in self.text or (len(word) >= _LEAST_OF_ID and any(one.startswith(word) for one in self.ids))


@dataclass(frozen=True)
class Gallery:
    """All tasks in the table's order and their candidates by id."""

    tasks: tuple[Task, ...]
    candidates: Mapping[str, Sequence[Shown]]
    resorts: Mapping[str, str] = field(default_factory=dict)  # task id to the last resort that an export would take

    @cached_property
    def by_id(self) -> dict[str, Task]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names of the input pictures: nothing else below ``inputs/`` is shown."""
        return frozenset(name for task in self.tasks for name in (task.source, task.reference) if name)

    @cached_property
    def haystacks(self) -> dict[str, Haystack]:
        """Task id to all that can be searched for, but notes."""
        return {
            task.id: Haystack(folded(" ".join(self._words(task))), tuple(one.id for one in self.of(task.id)))
            for task in self.tasks
        }

    @cached_property
    def generators(self) -> dict[str, int]:
        """Generator to the number of its candidates."""
        made = (name for own in self.candidates.values() for one in own if not one.fallback for name in one.makers)
        return dict(sorted(Counter(made).items()))

    @cached_property
    def types(self) -> dict[str, int]:
        """Task type to the number of its tasks."""
        return dict(Counter(task.type.value for task in self.tasks))

    @cached_property
    def digests(self) -> dict[str, str]:
        """Task id to a digest of its candidates' ids: another one says that there are new ones."""
        return {
            task.id: hashlib.sha256("".join(c.id for c in self.of(task.id)).encode()).hexdigest()[:12]
            for task in self.tasks
        }

    def of(self, task_id: str) -> Sequence[Shown]:
        """A task's candidates by id."""
        return self.candidates.get(task_id, ())

    def _words(self, task: Task) -> list[str]:
        own = self.of(task.id)
        words = [task.id, task.prompt, task.source or "", task.reference or ""]
        return words + [word for one in own for word in (*one.makers, *one.files)]


def folded(text: str) -> str:
    """As search compares words: without case, and wide letters as narrow ones."""
    return unicodedata.normalize("NFKC", text).casefold()


def load_gallery(connection: Connection) -> Gallery:
    """Everything that is there now."""
    a, c = schema.attempt.c, schema.candidate.c
    query = select(a.task_id, a.candidate_id, a.generator, a.fallback, a.params["file"].as_string())
    makers: dict[tuple[str, str], set[str]] = {}
    resorts: dict[tuple[str, str], set[str]] = {}
    files: dict[tuple[str, str], set[str]] = {}
    for task_id, candidate_id, generator, fallback, file in connection.execute(
        query.where(a.candidate_id.is_not(None))
    ):
        key = task_id, candidate_id
        (resorts if fallback else makers).setdefault(key, set()).add(generator)
        if file:
            files.setdefault(key, set()).add(file)
    found: dict[str, list[Shown]] = {}
    for key in connection.execute(select(c.task_id, c.id).order_by(c.task_id, c.id)):
        names = makers.get((key[0], key[1])) or resorts.get((key[0], key[1]), set())
        shown = Shown(
            key[1],
            tuple(sorted(names)),
            tuple(sorted(files.get((key[0], key[1]), ()))),
            (key[0], key[1]) not in makers,
        )
        found.setdefault(key[0], []).append(shown)
    lowest = dict(sorted(resorts, reverse=True))  # the lowest comes last
    return Gallery(load_tasks(connection), found, lowest)
