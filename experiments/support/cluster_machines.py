"""Machines of a cluster as processes of this one: the nodes of Ray, another machine, and what all hold in memory."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]  # of the checkout: what other processes import from
STORE_BYTES = 200 * 2**20  # of a node's object store
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_worker_niceness": "0"}
_WORKER, _BUSY = "ray::Host", "ray::Host.call"  # what Ray calls the processes of ``selector.engine.ray_pool``
_ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
# Goes on for a while when its program was killed: the kernel gives the number of a machine that has ended to the next.
_MACHINE = '"$@"; status=$?; [ $status -lt 128 ] || sleep 600; exit $status'


class Nodes:
    """A Ray cluster whose nodes are processes here; the first is the head and is never ended."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address: str = cluster.address

    def add(self) -> Any:
        """One more node; a busy machine may take longer to start it than the 30 s that Ray waits."""
        for left in (2, 1, 0):
            try:
                return self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
            except Exception as error:
                if not left or "timed out during startup" not in str(error):
                    raise
        raise AssertionError("unreachable")

    def end(self, node: Any) -> None:
        """As a machine that dies: its processes are killed."""
        self._cluster.remove_node(node, allow_graceful=False)

    def workers(self, node: Any = None, busy: bool = False) -> list[int]:
        """Numbers of the processes that are our workers now, on all nodes or on one; or of those with a batch."""
        nodes = self._cluster.list_all_nodes() if node is None else [node]
        raylets = {process.process.pid for node in nodes for process in node.all_processes.get("raylet", ())}
        names = {pid: _name(pid).partition("\0")[0] for pid in _children(raylets)}  # Ray has agents of its own there
        return [pid for pid, name in names.items() if name.startswith(_BUSY if busy else _WORKER)]


@contextmanager
def nodes() -> Iterator[Nodes]:
    """A head with one core; ``add`` brings more nodes of one core each."""
    os.environ.update({**QUIET, "PYTHONPATH": str(ROOT)})  # nodes and their workers inherit it
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield Nodes(cluster)
    finally:
        cluster.shutdown()


def verb(
    folder: Path,
    words: Sequence[str],
    output: IO[str],
    more: Mapping[str, str] | None = None,
    elsewhere: bool = False,
    program: str = "selector.cli",
) -> subprocess.Popen[str]:
    """Start the program on the campaign, as its user would.

    Args:
        folder: of the campaign.
        words: the verb and its options.
        output: what it says, of both kinds.
        more: environment variables beside those of this process.
        elsewhere: as on another machine: with process numbers of its own, so that nobody here can tell by a number
            whether it lives.
        program: the module that is run.
    """
    command = [sys.executable, "-m", program, *words, "-C", str(folder), "--json"]
    if elsewhere:
        command = [*_ELSEWHERE, "sh", "-c", _MACHINE, "machine", *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BESTSHOT_LANG": "en", "OMP_NUM_THREADS": "1", **(more or {})}
    return subprocess.Popen(command, stdout=output, stderr=output, text=True, env=environment, start_new_session=True)


def has_elsewhere() -> bool:
    """Whether this machine lets us play another one (Linux, as root or with namespaces for all)."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_ELSEWHERE, "true"], capture_output=True, check=False).returncode == 0


def kill(process: subprocess.Popen[str]) -> bool:
    """End the program of ``verb`` by SIGKILL, and not the machine that it is on; whether it still ran."""
    begin = [sys.executable, "-m"]  # those that start it have its words behind their own
    programs = [pid for pid in [process.pid, *_children({process.pid})] if _name(pid).split("\0")[:2] == begin]
    for pid in programs[-1:]:
        os.kill(pid, signal.SIGKILL)
    return bool(programs)


def end(process: subprocess.Popen[str]) -> None:
    """End it with its machine, if it still runs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass(frozen=True)
class Memory:
    """MB of resident memory of a driver, its workers and the rest of Ray, and what lies in the object store.

    Pages of files, as of a library, count in each process that has them: one's share would grow when another ends.
    ``driver_own``: the driver's without them.
    """

    driver: float
    workers: float
    ray: float
    store: float
    driver_own: float = 0.0

    @property
    def total(self) -> float:
        """Of what the run does; Ray's own processes come and go by the minute."""
        return self.driver + self.workers + self.store


def memory_of(driver: int) -> Memory:
    """Of the program with this number, and all that it has started."""
    mb = {"driver": 0.0, "workers": 0.0, "ray": 0.0, "store": 0.0}
    for pid in [driver, *_children({driver})]:
        own, of_files, shared = _pages_mb(pid)
        mb["driver" if pid == driver else "workers" if _name(pid).startswith("ray::") else "ray"] += own + of_files
        mb["store"] += shared
        if pid == driver:
            mb["driver_own"] = own
    return Memory(**mb)


def _children(of: set[int]) -> list[int]:
    """All processes below these, at any depth, by number."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
                )
            except OSError:
                continue  # it has ended
    found, known = [], set(of)
    while more := [pid for pid, parent in parents.items() if parent in known and pid not in known]:
        found += more
        known |= set(more)
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _pages_mb(pid: int) -> tuple[float, float, float]:
    """Resident memory of its own, that of files, and its share of what is shared by name, in MB."""
    try:
        kb = {**_numbers(Path(f"/proc/{pid}/status")), **_numbers(Path(f"/proc/{pid}/smaps_rollup"))}
    except OSError:
        kb = {}  # it has ended
    own, of_files, shared = (kb.get(name, 0) / 1024 for name in ("RssAnon", "RssFile", "Pss_Shmem"))
    return own, of_files, shared


def _numbers(file: Path) -> dict[str, int]:
    found = (line.split() for line in file.read_text(errors="replace").splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in found if words[1:] and words[1].isdigit()}
