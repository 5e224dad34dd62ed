"""A run's scorers, which go to other processes as what they are made from."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from selector.domain import BestshotError, InputError, Scorer, reason_of
from selector.domain.embedding import ContestContext
from selector.measure.scored import DueCandidates, Failure, Versions
from selector.workspace.plug_ins import scorer_spec
from selector.workspace.workspace import Workspace


class ScorerSet:
    """Scorers by name. In another process those of ``due`` are made anew, and told of the contest.

    ``versions``: under which their scores are stored, as the driver found them.
    """

    def __init__(
        self, ws: Workspace, scorers: Mapping[str, Scorer], contest: ContestContext, due: DueCandidates
    ) -> None:
        self.versions = Versions(scorers)
        busy = due.scorers
        self._specs = {name: scorer_spec(ws, name) for name in scorers if name in busy}
        self._contest = contest
        self._found: Mapping[str, Scorer] | None = scorers
        self._failures: dict[str, Failure] = {}
        self._lock = threading.Lock()
        self.is_elsewhere = False

    def __getstate__(self) -> dict[str, Any]:
        return {"versions": self.versions, "specs": self._specs, "contest": self._contest}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.versions, self._specs, self._contest = state["versions"], state["specs"], state["contest"]
        self._found, self._failures, self._lock = None, {}, threading.Lock()
        self.is_elsewhere = True

    @property
    def translations(self) -> Mapping[str, str]:
        """English of texts in other languages."""
        return self._contest.translations

    def ready(self) -> Mapping[str, Scorer]:
        """Those that can run in this process; ``failures`` says why others cannot."""
        with self._lock:
            if self._found is None:
                self._found = self._make()
            return self._found

    def check(self) -> None:
        """Raise ``InputError`` where one cannot run in this process: another worker may have all that it needs."""
        self.ready()
        if failures := [str(failure) for failure in self.failures()]:
            raise InputError("; ".join(failures))

    @property
    def on_gpu(self) -> bool:
        """Whether one that is due has its model on a GPU of this process's machine."""
        found = self._found or {}
        return any(found[name].on_gpu for name in self._specs if name in found)

    def failures(self, names: Iterable[str] | None = None) -> list[Failure]:
        """Of those that cannot run in this process: of the named ones, or of all."""
        return [self._failures[name] for name in (self._failures if names is None else names) if name in self._failures]

    def close(self) -> None:
        """Close those that were made; each may run a program of its own."""
        for scorer in (self._found or {}).values():
            scorer.close()

    def _make(self) -> dict[str, Scorer]:
        found = {}
        for name, spec in self._specs.items():
            try:
                scorer = spec.make()
                scorer.meet(self._contest)
                scorer.check()
                self._same_version(name, scorer.version)
            except BestshotError as error:
                self._failures[name] = Failure.of(
                    [name], InputError(f"{name}: in a worker of the engine: {reason_of(error)}")
                )
            else:
                found[name] = scorer
        return found

    def _same_version(self, name: str, here: str) -> None:
        """What was measured with other weights, or at another precision, must not be stored as this version's."""
        wanted = self.versions.own(name)
        if here != wanted:
            raise InputError(
                f"its version is {here} where the worker runs and {wanted} where the run was started: give both the "
                "same files, and the same device by [embedding] device and precision, or by [engine] gpus"
            )
