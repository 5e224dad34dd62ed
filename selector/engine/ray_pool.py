"""Stages as warm actors of a Ray program (Moritz et al. 2018): one process a worker, each with its own models.

Plain actors and not Ray Data: what is done is known by our store, so a checkpoint of another kind would say it twice;
the dispatcher's threads are the back-pressure; and a stage may hold every core, which a dataset's actors may not.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic

from selector.domain import BestshotError, InputError, reason_of
from selector.engine.pool import Batch, Engine, Pool, Result, Stage, WorkerLost
from selector.net import Interrupted

_log = logging.getLogger("bestshot.engine")

_PLACE_SECONDS = 300.0  # how long a run waits for room in the cluster
_LOOK_SECONDS = 0.2  # for workers that come, before all is looked at anew
_CLOSING_SECONDS = 5.0
_DEATHS = 13  # of workers in a row, beside two for each, with nothing made in between: halving a batch takes fewer
_ANSI = re.compile(r"\x1b\[[\d;]*m")
_OF_MEMORY = ("OutOfMemory", "memory monitor", "running low on memory")  # in what Ray says
_OF_NODE = ("its node has died", "node was terminated")


class Host(Generic[Batch, Result]):
    """Lives in the worker: the stage, and how many batches are computed at once; others wait here, already read."""

    def __init__(self, stage: Stage[Batch, Result], at_once: int, cores: int) -> None:
        self._stage, self._cores = stage, cores
        self._room, self._lock = threading.Semaphore(at_once), threading.Lock()
        self._is_prepared = False

    def ready(self, told: bool, news: Any) -> tuple[str, str]:
        """Its machine, and why it cannot work there, "" if it can; once it was told what there is to tell."""
        fault = ""
        with self._lock:
            try:
                if not self._is_prepared:
                    self._stage.prepare(self._cores)
                    self._is_prepared = True
                if told:
                    self._stage.tell(news)
            except BestshotError as error:
                fault = reason_of(error)
            except Exception as error:
                fault = f"{type(error).__name__}: {reason_of(error)}"
        return socket.gethostname(), fault

    def call(self, batch: Batch) -> Result:
        with self._room:
            return self._stage(batch)

    def close(self) -> None:
        self._stage.close()


class _Worker:
    """An actor, from when it is asked for until it dies or is given up; guarded by the pool's lock."""

    def __init__(self, actor: Any, welcome: Any) -> None:
        self.actor = actor
        self.welcome = welcome  # the reference of its first answer
        self.is_ready = False
        self.busy = 0  # batches on their way to it
        self.is_kept = False  # for one batch alone: no other is given to it


class RayPool(Pool[Batch, Result]):
    """The workers there are: who dies makes room for a new one, who cannot work does not.

    Args:
        ray: the package.
        new: starts an actor of ``Host``.
        workers: how many.
        most: batches on their way to one.
        engine: gets to know of workers that died or could not work.
    """

    def __init__(self, ray: Any, new: Callable[[], Any], workers: int, most: int, engine: Engine) -> None:
        super().__init__(workers, workers * most)
        self._ray, self._new, self._most, self._engine = ray, new, most, engine
        self._news: tuple[bool, Any] = (False, None)
        self._changed = threading.Condition()
        self._is_closed = False
        self._deaths = 0  # since something was made
        self._last_word = ""  # of a worker that died, or could not work
        self._since = 0.0  # when a worker was last ready, or one more was asked for
        self._workers = [self._hired() for _ in range(workers)]

    def call(self, batch: Batch, alone: bool = False) -> Result:
        is_apart = alone
        while True:
            with self._one(is_apart) as worker:
                try:
                    result: Result = self._result(worker.actor.call.remote(batch))
                except _Died as death:
                    self._replace(worker, str(death))
                    if is_apart and death.may_be_of_batch:
                        others = "" if alone else ", and so did another's"
                        raise WorkerLost(f"its worker's process died{others} ({death})", death.of_memory) from None
                    is_apart = is_apart or death.may_be_of_batch  # in company it may have died of another's batch
                else:
                    with self._changed:
                        self._deaths = 0
                    return result

    def tell(self, news: Any) -> None:
        at_work = []
        with self._changed:
            self._news = (True, self._ray.put(news))
            for worker in self._workers:
                told = worker.actor.ready.remote(*self._news)
                if worker.is_ready:
                    at_work.append((worker, told))
                else:  # there may be no place for it as long as the others work
                    worker.welcome = told
        for worker, told in at_work:
            with suppress(_Died):  # its successor is told when it is hired
                machine, fault = self._result(told)
                if fault:
                    self._give_up(worker, machine, fault)

    def close(self) -> None:
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            workers = list(self._workers)
            self._changed.notify_all()
        ended = [worker.actor.close.remote() for worker in workers if worker.is_ready]
        with suppress(Exception):  # whatever it is, they are killed next
            self._ray.wait(ended, num_returns=len(ended), timeout=_CLOSING_SECONDS)
        for worker in workers:
            self._end(worker)

    def _result(self, reference: Any) -> Any:
        """Raises ``_Died``; what the stage raised is raised as it was there."""
        from ray import exceptions as of_ray

        try:
            return self._ray.get(reference)
        except of_ray.RayTaskError as error:
            raise error.cause from error
        except of_ray.RayError as error:
            if self._is_closed:
                raise Interrupted("the run ends") from None
            if isinstance(error, _deaths()):
                raise _Died(error) from None
            raise BestshotError(f"the Ray cluster reports: {_cause(str(error))}") from error

    @contextmanager
    def _one(self, alone: bool) -> Iterator[_Worker]:
        """A worker for a batch; ``alone``: with no other."""
        worker = self._taken(alone)
        try:
            yield worker
        finally:
            with self._changed:
                worker.busy -= 1
                worker.is_kept = worker.is_kept and not alone
                self._changed.notify_all()

    def _taken(self, alone: bool) -> _Worker:
        kept: _Worker | None = None
        while True:
            with self._changed:
                self._check_living()
                if kept not in self._workers:  # none yet, or it died meanwhile
                    kept = None
                found = kept or self._least_busy(None if alone else self._most)
                if found is not None and alone:
                    kept, found.is_kept = found, True
                if found is not None and not (alone and found.busy):
                    found.busy += 1
                    return found
                if all(worker.is_ready for worker in self._workers):
                    self._changed.wait(1.0)
                    continue
            self._greet()

    def _least_busy(self, most: int | None) -> _Worker | None:
        """Of those that are ready and kept for nobody, and have fewer than ``most`` batches."""
        free = [w for w in self._workers if w.is_ready and not w.is_kept and (most is None or w.busy < most)]
        return min(free, key=lambda worker: worker.busy, default=None)

    def _greet(self) -> None:
        """Wait a moment for those that come, and look what they say; called without the lock."""
        with self._changed:
            coming = [(worker, worker.welcome) for worker in self._workers if not worker.is_ready]
        if coming:
            self._ray.wait([welcome for _, welcome in coming], timeout=_LOOK_SECONDS)
        for worker, welcome in coming:
            if self._ray.wait([welcome], timeout=0)[0]:
                self._admit(worker, welcome)

    def _admit(self, worker: _Worker, welcome: Any) -> None:
        """Let it work, if it can."""
        try:
            machine, fault = self._result(welcome)
        except _Died as death:
            if not death.is_at_start:
                self._replace(worker, str(death))
                return
            machine, fault = death.machine, str(death)
        if fault:
            self._give_up(worker, machine, fault)
            return
        with self._changed:
            if worker.welcome is welcome:  # else there is news that it has not answered yet
                worker.is_ready = True
                self._since = time.monotonic()
                self._changed.notify_all()

    def _hired(self) -> _Worker:
        actor = self._new()
        self._since = time.monotonic()
        return _Worker(actor, actor.ready.remote(*self._news))

    def _replace(self, worker: _Worker, why: str) -> None:
        """Once for a death, however many batches it took along."""
        self._end(worker)  # it may only be out of reach: nothing of it shall go on
        with self._changed:
            if worker in self._workers and not self._is_closed:
                self._deaths += 1
                self._engine.deaths[why] += 1
                self._last_word = why
                self._workers[self._workers.index(worker)] = self._hired()
                _log.warning("a worker of Ray died and is replaced: %s", why)

    def _give_up(self, worker: _Worker, machine: str, why: str) -> None:
        """Of a place that cannot work: it would be free all the time, and be given everything."""
        self._end(worker)
        with self._changed:
            if worker not in self._workers:
                return
            self._workers.remove(worker)
            self._last_word = why
            name = f"a worker of Ray at {machine}" if machine else "a worker of Ray"
            if self._engine.left_out.setdefault(name, why) == why:
                _log.warning("%s is left out: %s", name, why)
            self._changed.notify_all()

    def _end(self, worker: _Worker) -> None:
        with suppress(Exception):
            self._ray.kill(worker.actor)

    def _check_living(self) -> None:
        """Raise for a pool that is closed, or whose workers only die, cannot work or never come."""
        if self._is_closed:
            raise Interrupted("the run ends")
        if not self._workers:
            raise InputError(f"no worker of Ray can work: {self._last_word}")
        if self._deaths > _DEATHS + 2 * self.workers:
            raise BestshotError(f"the workers of Ray die before they have made anything: {self._last_word}")
        if any(worker.is_ready for worker in self._workers):
            self._since = time.monotonic()
        elif time.monotonic() - self._since > _PLACE_SECONDS:
            raise BestshotError(
                f"Ray gave no worker a place within {_PLACE_SECONDS:.0f} s: does another run use its cores or "
                "GPUs? Wait for it, or set fewer [engine] workers, and run the same command again; nothing is lost"
            )


class _Died(Exception):
    """A worker's process ended, with what Ray says of it.

    ``may_be_of_batch``: of what it was doing, unless its node is gone or out of reach. ``is_at_start``: it could not
    be made where it was to be, at ``machine``.
    """

    def __init__(self, error: Exception) -> None:
        from ray import exceptions as of_ray

        said = _ANSI.sub("", str(error))
        super().__init__(_cause(said))
        self.of_memory = isinstance(error, of_ray.OutOfMemoryError) or any(sign in said for sign in _OF_MEMORY)
        gone = (of_ray.ActorUnavailableError, of_ray.NodeDiedError, of_ray.ObjectLostError)
        self.may_be_of_batch = not isinstance(error, gone) and not any(sign in said for sign in _OF_NODE)
        self.is_at_start = bool(getattr(error, "actor_init_failed", False))
        found = re.search(r"\bip=([\w.:]+)", said)
        self.machine = found[1] if found else ""


def _deaths() -> tuple[type[Exception], ...]:
    """What Ray raises where a worker, its node or what it made is gone."""
    from ray import exceptions as of_ray

    return (
        of_ray.RayActorError,
        of_ray.WorkerCrashedError,
        of_ray.NodeDiedError,
        of_ray.ObjectLostError,
        of_ray.OutOfMemoryError,
    )


def _cause(said: str) -> str:
    """Of Ray's report, often a page, the words that say why."""
    if any(sign in said for sign in _OF_MEMORY):
        return "its machine ran out of memory: set fewer [engine] workers or a smaller batch"
    lines = [line.strip() for line in _ANSI.sub("", said).splitlines() if line.strip()]
    if lines and "creation task" in lines[0]:  # a traceback follows
        return lines[-1][:160]
    telling = [line for line in lines if line.startswith(("Worker exit detail", "The node", "The actor died"))]
    return (telling or lines or ["no reason was given"])[-1].removeprefix("Worker exit detail: ").split(". ")[0][:160]
