"""Stages as warm actors of a Ray program (Moritz et al. 2018): one process a worker, each with its own models.

Plain actors and not Ray Data: what is done is known by our store, so a checkpoint of another kind would say it twice;
the dispatcher's threads are the back-pressure; and a stage may hold every core, which a dataset's actors may not.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic

from selector.config import EngineConfig
from selector.domain import BestshotError, InputError, MissingPart, reason_of
from selector.domain.files import scratch_folder
from selector.domain.progress import Progress, silent
from selector.engine.pool import Batch, Engine, Pool, Result, Stage, WorkerLost
from selector.net import Interrupted

_log = logging.getLogger("bestshot.engine")

_NAMESPACE = "bestshot"
_REACHABLE_SECONDS = 5.0
_ANSWER_SECONDS = 15.0  # a busy cluster's
_SETTINGS, _FRAME_HEAD = 4, 9  # of HTTP/2 (RFC 9113): the type of a frame, and bytes before its content
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])
_PLACE_SECONDS = 300.0  # how long a run waits for room in the cluster
_CLOSING_SECONDS = 5.0
_DEATHS = 12  # of workers in a row, beside two for each, with nothing made in between: halving a batch takes fewer
_OBJECTS_MB, _OBJECTS_MB_EACH = 128, 16  # of a cluster of our own: batches on their way, and results
_ANSI = re.compile(r"\x1b\[[\d;]*m")
_OF_MEMORY = ("OutOfMemory", "memory monitor", "running low on memory")  # in what Ray says
_OF_NODE = ("its node has died", "node was terminated")
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # of its own words about dead workers, which would lie in what we print
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_enable_open_telemetry": "0",
}


class RayEngine(Engine):
    """A Ray cluster: that at an address, or one of this run on this machine alone, on the loopback interface.

    ``secrets``: environment variables that the processes of the latter do not get.

    Raises:
        MissingPart: Ray is not installed.
        InputError: no cluster is at the address, or it runs another version of Ray or Python.
    """

    def __init__(self, settings: EngineConfig, progress: Progress = silent, secrets: Collection[str] = ()) -> None:
        super().__init__()
        check_ray(settings)
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        import ray

        self._ray: Any = ray
        self._settings, self._secrets = settings, secrets
        self._ends = ExitStack()
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            progress("ray", 0, 1, f"at {settings.address}" if settings.address else "starts on this machine")
            self._start()
        self.is_this_machine = all(_is_here(node) for node in self._ray.nodes() if node["Alive"])
        if self._is_ours:
            progress("ray", 1, 1, f"{self._has('CPU'):.0f} cores, {self._has('GPU'):.0f} GPUs")

    def pool(self, stage: Stage[Batch, Result], threads: int, batches: int) -> Pool[Batch, Result]:  # noqa: ARG002
        # Each process would take the first GPU, if Ray gave it none of its own.
        gpus = self._settings.gpus or float(stage.on_gpu and self._has("GPU") >= 1)
        workers = max(1, min(self._settings.workers or self._room(gpus), batches))
        most = self._settings.max_in_flight
        at_once = most if gpus else 1  # on a GPU one batch is decoded beside another's pass
        cores = max(1, int(self._has("CPU")) // workers)
        options: dict[str, Any] = {
            "num_cpus": 1,
            "num_gpus": gpus,
            "max_concurrency": most + 2,  # batches, and beside them ``ready`` and ``close``
            "max_restarts": 0,  # who dies is replaced here, where it is known what it was doing
            "runtime_env": self._environment() or None,
        }
        made = self._ray.remote(_Host).options(**options)
        stage_once = self._ray.put(stage)  # not again with every actor
        return _RayPool(self._ray, lambda: made.remote(stage_once, at_once, cores), workers, most, self.left_out)

    def close(self) -> None:
        if self._is_ours:
            self._is_ours = False
            self._ray.shutdown()
        self._ends.close()

    def _start(self) -> None:
        address = self._settings.address
        options: dict[str, Any] = {"address": address}
        if not address:
            cores = max(os.cpu_count() or 1, self._settings.workers)
            place = min(Path(tempfile.gettempdir()), Path("/tmp"), key=lambda one: len(str(one)))  # sockets go there
            folder = self._ends.enter_context(scratch_folder(place, short=True))
            options = {
                "address": "local",
                "num_cpus": cores,
                "include_dashboard": False,
                "object_store_memory": (_OBJECTS_MB + _OBJECTS_MB_EACH * cores) * 2**20,
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": str(folder),
            }
        try:
            with _signals_kept(), _hidden(() if address else self._secrets):
                self._ray.init(namespace=_NAMESPACE, logging_level="ERROR", log_to_driver=False, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            self.close()
            raise InputError(_why_not(address, error)) from error

    def _has(self, kind: str) -> float:
        return float(self._ray.cluster_resources().get(kind, 0.0))

    def _room(self, gpus: float) -> int:
        """Workers that the cluster has room for, with so many GPUs each."""
        if gpus and self._has("GPU") < gpus:
            raise InputError(
                f"[engine] gpus = {gpus:g}, but the Ray cluster has {self._has('GPU'):g}: set gpus = 0, or add a node"
            )
        cores = int(self._has("CPU"))
        return max(1, min(cores, int(self._has("GPU") / gpus)) if gpus else cores)

    def _environment(self) -> dict[str, Any]:
        """What the workers of a cluster of others need to import this program from a checkout on this machine."""
        path = os.environ.get("PYTHONPATH")
        is_others = bool(self._settings.address) or not self._is_ours
        return {"env_vars": {"PYTHONPATH": path}} if path and is_others and self.is_this_machine else {}


def check_ray(settings: EngineConfig) -> None:
    """Raise where Ray is not installed, or nothing listens at its address: it would try for a minute, and say it at
    length."""
    if find_spec("ray") is None:
        raise MissingPart("the engine ray needs Ray: pip install 'bestshot[ray]', or set [engine] name = \"local\"")
    if settings.address:
        _check_reachable(settings.address)


def _check_reachable(address: str) -> None:
    found = re.fullmatch(r"(?:ray://)?\[?([^\[\]/]+?)\]?:(\d{1,5})", address)
    if found is None:
        if address != "auto":
            raise InputError(f"[engine] address is HOST:PORT of a Ray cluster, or auto; got '{address}'")
        return
    try:
        with socket.create_connection((found[1], int(found[2])), _REACHABLE_SECONDS) as link:
            is_ray = os.environ.get("RAY_USE_TLS", "0") == "1" or _speaks_http2(link)
    except (OSError, OverflowError) as error:
        raise InputError(_why_not(address, error)) from error
    if not is_ray:
        raise InputError(_why_not(address, ConnectionError("what listens there is not Ray")))


def _speaks_http2(link: socket.socket) -> bool:
    """Whether a settings frame answers the connection preface, as gRPC of Ray does: to anything else, Ray would talk
    for minutes and not heed Ctrl-C."""
    link.settimeout(_ANSWER_SECONDS)
    link.sendall(_PREFACE)
    head = b""
    while len(head) < _FRAME_HEAD:
        more = link.recv(_FRAME_HEAD - len(head))
        if not more:
            return False
        head += more
    return head[3] == _SETTINGS


def _why_not(address: str, error: Exception) -> str:
    said = (str(error) or type(error).__name__).strip().splitlines()
    if "ersion mismatch" in str(error):
        facts = re.findall(r"(Ray|Python): *([\w.]+)", str(error))
        told = ", ".join(f"{what} {number}" for what, number in facts[:2])
        mine = ", ".join(f"{what} {number}" for what, number in facts[2:4])
        return f"the Ray cluster at {address} runs {told}, this program {mine}: both must be the same"
    if not address:
        return f"Ray cannot start on this machine ({said[0]}): run with --engine local"
    return f"no Ray cluster answers at {address} ({said[0]}): start it (`ray start --head`), or mend [engine] address"


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray's start takes SIGTERM for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def _hidden(names: Collection[str]) -> Iterator[None]:
    """Processes that are started in here do not get these environment variables."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _is_here(node: Mapping[str, Any]) -> bool:
    """Whether a node of the cluster is on this machine: two may have one name, and none has another's address."""
    if node["NodeManagerHostname"] not in (socket.gethostname(), platform.node()):
        return False
    try:
        kind, *_, address = socket.getaddrinfo(node["NodeManagerAddress"], 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True


class _Host(Generic[Batch, Result]):
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
    """One place of the pool: the actor that has it now; guarded by the pool's lock."""

    def __init__(self) -> None:
        self.actor: Any = None
        self.welcome: Any = None  # the reference that says when it is ready; None: it is
        self.busy = 0
        self.is_reserved = False


class _RayPool(Pool[Batch, Result]):
    """``new``: starts an actor of ``_Host``. ``most``: batches on their way to one. ``left_out``: see ``Engine``."""

    def __init__(self, ray: Any, new: Callable[[], Any], workers: int, most: int, left_out: dict[str, str]) -> None:
        super().__init__(workers, workers * most)
        self._ray, self._new, self._most, self._left_out = ray, new, most, left_out
        self._news: tuple[bool, Any] = (False, None)
        self._changed = threading.Condition()
        self._is_closed = False
        self._deaths = 0  # since something was made
        self._last_word = ""  # of a worker that died, or could not work
        self._since = 0.0  # when a worker was last ready, or one more was asked for
        self._workers = [_Worker() for _ in range(workers)]
        for worker in self._workers:
            self._employ(worker)

    def call(self, batch: Batch, alone: bool = False) -> Result:
        is_apart = alone
        while True:
            worker = self._take(is_apart)
            actor, was_apart = worker.actor, is_apart
            try:
                result: Result = self._result(actor.call.remote(batch))
            except _Died as death:
                self._replace(worker, actor, str(death))
                if was_apart and death.may_be_of_batch:
                    others = "" if alone else ", and so did another's"
                    raise WorkerLost(f"its worker's process died{others} ({death})", death.of_memory) from None
                is_apart = is_apart or death.may_be_of_batch  # who died in company may have died of another's batch
            else:
                with self._changed:
                    self._deaths = 0
                return result
            finally:
                self._give_back(worker, was_apart)

    def tell(self, news: Any) -> None:
        with self._changed:
            self._news = (True, self._ray.put(news))
            told = [(worker, worker.actor.ready.remote(*self._news)) for worker in self._workers]
            coming = [worker for worker in self._workers if worker.welcome is not None]
            for worker, welcome in told:
                if worker in coming:  # there may be no place for it as long as the others work
                    worker.welcome = welcome
        for worker, welcome in told:
            if worker not in coming:
                with suppress(_Died):  # its successor is told when it is employed
                    self._result(welcome)

    def close(self) -> None:
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
            self._changed.notify_all()
        ended = [worker.actor.close.remote() for worker in self._workers if worker.welcome is None]
        with suppress(Exception):  # whatever it is, they are killed next
            self._ray.wait(ended, num_returns=len(ended), timeout=_CLOSING_SECONDS)
        for worker in self._workers:
            self._end(worker.actor)

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

    def _take(self, alone: bool) -> _Worker:
        """A place for a batch at the least busy worker that is ready; ``alone``: at one that nobody else uses."""
        mine: _Worker | None = None
        while True:
            with self._changed:
                self._check_living()
                mine = self._reserved(mine) if alone else self._free()
                if mine is not None and not (alone and mine.busy):
                    mine.busy += 1
                    return mine
                coming = [worker.welcome for worker in self._workers if worker.welcome is not None]
                if not coming:
                    self._changed.wait(1.0)
                    continue
            self._ray.wait(coming, timeout=0.2)
            self._greet()

    def _free(self) -> _Worker | None:
        free = [w for w in self._workers if w.welcome is None and w.busy < self._most and not w.is_reserved]
        return min(free, key=lambda worker: worker.busy, default=None)

    def _reserved(self, mine: _Worker | None) -> _Worker | None:
        """The worker to which no other batch goes any more: the one that was found before, if it still lives."""
        if mine is not None:
            if mine.welcome is None and mine in self._workers:
                return mine
            mine.is_reserved = False
        ready = [worker for worker in self._workers if worker.welcome is None and not worker.is_reserved]
        found = min(ready, key=lambda worker: worker.busy, default=None)
        if found is not None:
            found.is_reserved = True
        return found

    def _give_back(self, worker: _Worker, alone: bool) -> None:
        with self._changed:
            worker.busy -= 1
            if alone:
                worker.is_reserved = False
            self._changed.notify_all()

    def _greet(self) -> None:
        """Let those work that are ready now; called without the lock."""
        for worker in list(self._workers):
            with self._changed:
                actor, welcome = worker.actor, worker.welcome
            if welcome is None or not self._ray.wait([welcome], timeout=0)[0]:
                continue
            try:
                machine, fault = self._result(welcome)
            except _Died as death:
                if death.is_at_start:
                    self._retire(worker, actor, death.machine, str(death))
                else:
                    self._replace(worker, actor, str(death))
                continue
            if fault:
                self._retire(worker, actor, machine, fault)
                continue
            with self._changed:
                if worker.welcome is welcome:
                    worker.welcome = None
                    self._since = time.monotonic()
                    self._changed.notify_all()

    def _employ(self, worker: _Worker) -> None:
        worker.actor = self._new()
        worker.welcome = worker.actor.ready.remote(*self._news)
        self._since = time.monotonic()

    def _replace(self, worker: _Worker, actor: Any, why: str) -> None:
        """Once for a death, however many batches it took along."""
        self._end(actor)  # it may only be out of reach: nothing of it shall go on
        with self._changed:
            if worker.actor is actor and worker in self._workers and not self._is_closed:
                self._deaths += 1
                self._last_word = why
                self._employ(worker)

    def _retire(self, worker: _Worker, actor: Any, machine: str, why: str) -> None:
        """Give up a place that cannot work: it would be free all the time, and be given everything."""
        self._end(actor)
        with self._changed:
            if worker.actor is not actor or worker not in self._workers:
                return
            self._workers.remove(worker)
            self._last_word = why
            name = f"a worker of Ray at {machine}" if machine else "a worker of Ray"
            if self._left_out.setdefault(name, why) == why:
                _log.warning("%s is left out: %s", name, why)
            self._changed.notify_all()

    def _end(self, actor: Any) -> None:
        with suppress(Exception):
            self._ray.kill(actor)

    def _check_living(self) -> None:
        """Raise for a pool that is closed, or whose workers only die, cannot work or never come."""
        if self._is_closed:
            raise Interrupted("the run ends")
        if not self._workers:
            raise InputError(f"no worker of Ray can work: {self._last_word}")
        if self._deaths > _DEATHS + 2 * self.workers:
            raise BestshotError(f"the workers of Ray die before they have made anything: {self._last_word}")
        if any(worker.welcome is None for worker in self._workers):
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
