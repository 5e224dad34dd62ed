"""An opened campaign's resources, handed to the runs."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from selector.config import CampaignConfig
from selector.contest.input_images import resolve_image
from selector.contest.profile import ContestProfile
from selector.domain import InputError, Picture, Task, TaskInputs, TaskType, raise_shortage, stable_hash
from selector.domain.words import did_you_mean, near_or_all, no_task
from selector.store import Database, Images
from selector.store.candidates import LEAST_ID, candidates_named, find_candidates, is_hexadecimal
from selector.store.pruned import gone_inputs
from selector.store.readings import StoredReadings

FOLDER_FACT = "folder:"  # prefix of the facts that name them, with the moment of the first time


@dataclass(frozen=True)
class Workspace:
    """Everything a run needs; made by ``Campaign``. ``clock`` returns an aware datetime."""

    folder: Path
    config: CampaignConfig
    profile: ContestProfile
    db: Database
    images: Images
    clock: Callable[[], datetime]

    @property
    def inputs_folder(self) -> Path:
        return self.folder / "inputs"

    @property
    def place(self) -> str:
        """The folder and its machine, as the store knows them."""
        return f"{platform.node()}:{self.folder.resolve()}"

    def other_folders(self) -> tuple[str, ...]:
        """Folders beside this one that have made images by services or in a shared database: each keeps its own."""
        return tuple(sorted(self.db.facts(FOLDER_FACT).keys() - {self.place}))

    @property
    def keeps_apart(self) -> bool:
        """Whether images that are not here may lie in another folder of the campaign."""
        return not self.config.store.images and bool(self.other_folders())

    def known_lost(self, image_ids: Iterable[str]) -> Iterator[str]:
        """Those of sorted ids whose images are lost as far as is known here; none that may lie in another folder."""
        return iter(()) if self.keeps_apart else self.images.known_lost(image_ids)

    @property
    def shares_store(self) -> bool:
        """Whether the records lie in a database that other folders and machines may use."""
        return self.db.engine.dialect.name != "sqlite"

    def note_folder(self) -> None:
        """Tell the others of this folder, where each keeps the images that it makes."""
        if self.shares_store and not self.config.store.images and self.place not in self.db.facts(FOLDER_FACT):
            with self.db.write() as connection:
                self.db.set_facts(connection, {f"{FOLDER_FACT}{self.place}": self.now()})

    @cached_property
    def readings(self) -> StoredReadings:
        """What a model or a person understood of the tasks' words."""
        return StoredReadings(self.db)

    def now(self) -> str:
        """The moment as ISO 8601 in UTC, as rows carry it."""
        return self.clock().isoformat(timespec="milliseconds")

    def task_inputs(self, task: Task, without_gone: bool = False) -> TaskInputs:
        """A task with its input pictures read from the disk (not decoded yet), and its reading where one is stored.

        ``without_gone``: None stands for a picture that somebody deleted.

        Raises:
            InputError: a picture is missing.
        """
        pictures = self._picture(task.source, without_gone), self._picture(task.reference, without_gone)
        return TaskInputs(task, *pictures, self.readings.of(task.id))

    def task_seed(self, task: Task) -> int:
        """A seed below 2^31 that follows from the campaign's seed and the task's id alone."""
        return int(stable_hash([self.config.seed, task.id], 8), 16) % 2**31

    def _picture(self, name: str | None, without_gone: bool) -> Picture | None:
        if name is None:
            return None
        path = resolve_image(self.inputs_folder, name)
        try:
            return Picture(path.read_bytes(), name)
        except OSError as error:
            raise_shortage(error)
            with self.db.read() as connection:
                gone = gone_inputs(connection).get(name)
            if gone is not None and without_gone:
                return None
            if gone is not None:
                raise InputError(f"the input image {name} was {gone.words}") from error
            raise InputError(
                f"cannot read the input image {name} ({error.strerror}): put it back into inputs/"
            ) from error


def task_types(types: Sequence[TaskType | str] | str | None) -> tuple[TaskType, ...]:
    """Task types by name, of one or of several; raises ``InputError`` for a word that is none."""
    words = () if types is None else (types,) if isinstance(types, str) else types
    known = [t.value for t in TaskType]
    for word in words:
        if word not in known:
            raise InputError(f"there is no task type '{word}'{near_or_all(str(word), known)}")
    return tuple(TaskType(word) for word in words)


def task_named(ws: Workspace, tasks: Sequence[Task], name: str) -> Task:
    """The task with this id, or the one that has the candidate with this (short) id.

    Raises:
        InputError: there is neither, or several tasks have the candidate.
    """
    found = next((task for task in tasks if task.id == name), None)
    if found is not None:
        return found
    ids = [task.id for task in tasks]
    if len(name) < LEAST_ID or not is_hexadecimal(name):
        raise InputError(no_task(name, ids))
    with ws.db.read() as connection:
        if not candidates_named(connection, name):
            raise InputError(f"there is no task or candidate '{name}' in this campaign{did_you_mean(name, ids)}")
        named = [task_id for task_id, _ in find_candidates(connection, name)]
    if len(named) > 1:
        raise InputError(f"candidate '{name}' is one of the tasks {', '.join(named[:5])}: name the task")
    return next(task for task in tasks if task.id == named[0])


def select_tasks(
    tasks: Sequence[Task], types: Sequence[TaskType | str] | str | None = None, ids: Sequence[str] | None = None
) -> list[Task]:
    """Those of the types and ids that are named, all where none is; raises ``InputError`` for an unknown one."""
    chosen = task_types(types)
    if isinstance(ids, str):
        ids = (ids,)
    unknown = sorted({str(i) for i in ids or ()} - {t.id for t in tasks})
    if unknown:
        raise InputError(no_task(unknown[0], [t.id for t in tasks]))
    return [t for t in tasks if (not chosen or t.type in chosen) and (not ids or t.id in set(map(str, ids)))]
