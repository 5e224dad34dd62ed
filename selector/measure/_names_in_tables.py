"""Which candidate a row of a foreign table means: by what the row says of it, all of which must fit one alone."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from selector.domain import InputError
from selector.domain.names import printable_name
from selector.domain.words import near_or_all, no_task
from selector.store.candidates import LEAST_ID
from selector.store.imported import MadeAs

Key = tuple[str, str]  # task id, candidate id
_LABEL = "folder:"  # how the names of imports begin


@dataclass(frozen=True)
class Exported:
    """A picture of a submission: its path in the ZIP. ``is_newest``: of the submission that was exported last."""

    key: Key
    submission: str
    path: str
    is_newest: bool


class _File(NamedTuple):
    """A candidate's file: its path below ``root``, the label of an import or a submission's id.

    ``counts``: also where the row does not say the root; of submissions, those of the newest alone.
    """

    root: tuple[str, ...]
    path: tuple[str, ...]
    key: Key
    counts: bool = True


class Candidates:
    """Everything by which a row may name a candidate: task, candidate, file, generator, variant, seed.

    Args:
        keys: of all candidates. tasks: all ids of tasks.
        made: how they came to be. exported: where they stand in submissions.
    """

    def __init__(
        self, keys: Sequence[Key], tasks: Sequence[str], made: Sequence[MadeAs], exported: Sequence[Exported]
    ) -> None:
        self._tasks, self._made, self._exported = frozenset(tasks), made, exported
        self._by_id = sorted((candidate_id, task_id) for task_id, candidate_id in keys)
        self._by_task: dict[str, set[Key]] = {}
        for key in keys:
            self._by_task.setdefault(key[0], set()).add(key)

    def named(self, names: Mapping[str, str]) -> Key:
        """The candidate that fits all ``names``, none of which is empty; a task alone is not enough.

        Raises:
            InputError: none does, or several do, in words that follow "row 3: ".
        """
        if not names.keys() & {"candidate", "file", "generator"}:
            raise InputError("its cells name no candidate")
        ways: dict[str, Callable[[str], set[Key]]] = {
            "task": self._of_task,
            "candidate": self._of_id,
            "file": self._of_file,
        }
        found = [ways[kind](name) for kind, name in names.items() if kind in ways]
        recipe = {kind: name for kind, name in names.items() if kind not in ways}
        fitting = set.intersection(*found, *([self._of_recipe(recipe)] if recipe else []))
        said = ", ".join(f"{kind} {printable_name(name[:60])}" for kind, name in names.items())
        if not fitting:
            raise InputError(f"no candidate fits all of {said}")
        if len(fitting) > 1:
            more = [kind for kind in ("candidate", "task", "generator", "file") if kind not in names]
            apart = [kind for kind in more if self._apart(kind, fitting)]
            cure = f"add a column {' or '.join(apart)}" if apart else "give more characters of the id"
            raise InputError(f"{len(fitting)} candidates fit {said}: {cure}")
        return fitting.pop()

    def _apart(self, kind: str, keys: Collection[Key]) -> bool:
        """Whether a column of this kind alone would tell the candidates apart."""
        if kind in ("task", "candidate"):
            return len({key[kind == "candidate"] for key in keys}) == len(keys)
        said = [{str(getattr(made, kind)) for made in self._made_by_key.get(key, ())} - {""} for key in keys]
        return all(said) and sum(map(len, said)) == len(set[str]().union(*said))

    def _of_task(self, name: str) -> set[Key]:
        if name not in self._tasks:
            raise InputError(no_task(name, self._tasks, in_table=True))
        return self._by_task.get(name, set())

    def _of_id(self, name: str) -> set[Key]:
        beginning = name.lower()
        if len(beginning) < LEAST_ID:
            raise InputError(
                f"a candidate is named by at least {LEAST_ID} characters of its id, got '{printable_name(name)}'"
            )
        found = set()
        for candidate_id, task_id in self._by_id[bisect_left(self._by_id, (beginning, "")) :]:
            if not candidate_id.startswith(beginning):
                break
            found.add((task_id, candidate_id))
        if not found:
            raise InputError(
                f"no candidate's id begins with '{printable_name(name[:64])}': ids are the file names in images/"
            )
        return found

    def _of_file(self, name: str) -> set[Key]:
        parts = _parts(name)
        stem = parts[-1].rpartition(".")[0] or parts[-1]
        if len(stem) == 64 and self._has_id(stem):
            return self._of_id(stem)
        there = [one for one in self._files.get(parts[-1], ()) if _same_end(parts, (*one.root, *one.path))]
        found = {one.key for one in there if one.counts or len(parts) > len(one.path)}
        if not found and self._files.get(parts[-1]):
            roots = sorted({"/".join(one.root) for one in self._files[parts[-1]]})
            raise InputError(
                f"'{printable_name(name[-80:])}' lies in none of {', '.join(roots[:5])}: give the path from there"
            )
        if not found:
            raise InputError(f"no candidate was imported, stored or exported as '{printable_name(name[-80:])}'")
        return found

    def _of_recipe(self, names: Mapping[str, str]) -> set[Key]:
        wanted = dict(names)
        generator = wanted.pop("generator", None)
        if generator is not None and generator not in self._by_generator:
            known = sorted({m.generator for m in self._made})
            raise InputError(f"no candidate was made by '{generator[:60]}'{near_or_all(generator, known)}")
        made = self._made if generator is None else self._by_generator[generator]
        return {
            (m.task_id, m.candidate_id)
            for m in made
            if all(str(getattr(m, kind)) == name for kind, name in wanted.items())
        }

    def _has_id(self, text: str) -> bool:
        at = bisect_left(self._by_id, (text.lower(), ""))
        return at < len(self._by_id) and self._by_id[at][0] == text.lower()

    @cached_property
    def _made_by_key(self) -> dict[Key, list[MadeAs]]:
        found: dict[Key, list[MadeAs]] = {}
        for made in self._made:
            found.setdefault((made.task_id, made.candidate_id), []).append(made)
        return found

    @cached_property
    def _by_generator(self) -> dict[str, list[MadeAs]]:
        """Also by the label of an import alone."""
        found: dict[str, list[MadeAs]] = {}
        for made in self._made:
            for name in {made.generator, made.generator.removeprefix(_LABEL)}:
                found.setdefault(name, []).append(made)
        return found

    @cached_property
    def _files(self) -> dict[str, list[_File]]:
        """By their names without folders."""
        files = [
            _File(_parts(made.generator.removeprefix(_LABEL)), _parts(made.file), (made.task_id, made.candidate_id))
            for made in self._made
            if made.file
        ]
        files += [_File((one.submission,), _parts(one.path), one.key, one.is_newest) for one in self._exported]
        found: dict[str, list[_File]] = {}
        for file in files:
            found.setdefault(file.path[-1], []).append(file)
        return found


def _parts(path: str) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", path).replace("\\", "/").strip("/").split("/"))


def _same_end(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the shorter path is the end of the longer one."""
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]
