"""A Ray cluster as an engine (Moritz et al. 2018): one that runs, or one of this run, and how many workers it holds."""

from __future__ import annotations

import os
import platform
import re
import signal
import socket
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selector.config import EngineConfig
from selector.domain import InputError, MissingPart
from selector.domain.files import scratch_folder
from selector.domain.progress import Progress, silent
from selector.engine.pool import Batch, Engine, Pool, Result, Stage
from selector.engine.ray_pool import Host, RayPool

_NAMESPACE = "bestshot"
_REACHABLE_SECONDS = 5.0
_ANSWER_SECONDS = 15.0  # a busy cluster's
_SETTINGS, _FRAME_HEAD = 4, 9  # of HTTP/2 (RFC 9113): the type of a frame, and bytes before its content
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])
_OBJECTS_MB, _OBJECTS_MB_EACH = 128, 16  # of a cluster of our own: batches on their way, and results
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # of its own words about dead workers, which would lie in what we print
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_enable_open_telemetry": "0",
    "RAY_worker_niceness": "0",  # they do the run's work: at Ray's 15 they starve beside whatever else runs
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
        if not (self._settings.address and self._settings.workers):  # a cluster may grow when workers are asked of it
            self.check_gpus()
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
        made = self._ray.remote(Host).options(**options)
        stage_once = self._ray.put(stage)  # not again with every actor
        return RayPool(self._ray, lambda: made.remote(stage_once, at_once, cores), workers, most, self)

    def check_gpus(self) -> None:
        """Raise ``InputError`` where no machine has the GPUs that each worker is to have."""
        each = self._settings.gpus
        most = max((node["Resources"].get("GPU", 0.0) for node in self._ray.nodes() if node["Alive"]), default=0.0)
        if each > most and self._settings.address:
            raise InputError(
                f"[engine] gpus = {each:g}, but no machine of the Ray cluster has more than {most:g}: set "
                f"gpus = {most:g}, or add one that has"
            )
        if each > most:
            raise InputError(
                f"[engine] gpus = {each:g}, but Ray finds {most:g} on this machine: set gpus = {most:g}, or [engine] "
                "address to a cluster that has them"
            )

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
    if settings.place:
        _check_reachable(settings.address, settings.place)


def _check_reachable(address: str, place: tuple[str, int]) -> None:
    try:
        with socket.create_connection(place, _REACHABLE_SECONDS) as link:
            is_ray = os.environ.get("RAY_USE_TLS", "0") == "1" or _speaks_http2(link)
    except OSError as error:
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
