"""Pools: a batch that kills its worker is halved down to the item at fault; locally, the thread that asks works."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from selector.cli.main import group
from selector.config import EngineConfig, parse_config
from selector.domain import InputError
from selector.engine import Pool, Stage, WorkerLost, in_parts, open_engine, ray_cluster
from selector.engine.ray_cluster import _why_not
from selector.engine.ray_pool import _cause, _Died


class Doubling(Stage[Sequence[int], list[int]]):
    def __init__(self) -> None:
        self.more = 0
        self.times_closed = 0

    def __call__(self, batch):
        return [2 * n + self.more for n in batch]

    def tell(self, news):
        self.more = news

    def close(self):
        self.times_closed += 1


class Deadly(Pool[Sequence[int], list[int]]):
    """Loses every batch with one of these numbers in it."""

    def __init__(self, *deadly: int) -> None:
        super().__init__(1, 1)
        self.deadly, self.asked = set(deadly), []

    def call(self, batch, alone=False):
        self.asked.append((len(batch), alone))
        if self.deadly & set(batch):
            raise WorkerLost("it died")
        return list(batch)

    def tell(self, news): ...

    def close(self): ...


def test_the_local_engine_calls_the_stage_itself_and_closes_it_once():
    stage = Doubling()
    with open_engine(EngineConfig()) as engine, engine.pool(stage, 3, 10) as pool:
        assert engine.is_local
        assert pool.threads == pool.workers == 3
        assert pool.call([1, 2]) == [2, 4]
        pool.tell(100)
        assert pool.call([1]) == [102]
        pool.close()
    assert stage.times_closed == 1


def test_no_more_workers_than_batches():
    with open_engine(EngineConfig()) as engine, engine.pool(Doubling(), 8, 2) as pool:
        assert pool.threads == 2


def test_what_kills_a_worker_costs_itself_alone():
    pool = Deadly(3, 12)
    found = dict(pair for part, result in in_parts(pool, range(16), list) for pair in _each(part, result))
    assert [n for n, result in found.items() if isinstance(result, WorkerLost)] == [3, 12]
    assert sorted(found) == list(range(16))


def _each(part, result):
    return ((n, result if isinstance(result, WorkerLost) else result[i]) for i, n in enumerate(part))


def test_parts_of_a_lost_batch_are_alone_with_their_worker():
    pool = Deadly(0)
    list(in_parts(pool, range(4), list))
    assert pool.asked == [(4, False), (2, True), (1, True), (1, True), (2, True)]


def test_an_address_alone_means_ray_and_a_name_alone_keeps_the_address():
    settings = EngineConfig(name="local", address="head:6379")
    assert settings.chosen() == settings
    assert settings.chosen("ray") == EngineConfig(name="ray", address="head:6379")
    assert settings.chosen(None, "other:1") == EngineConfig(name="ray", address="other:1")


@pytest.mark.parametrize("address", ["nonsense", "ray://", "http://x", "http://x:80", "x:", "x:65536", "a b:1"])
def test_an_address_without_host_and_port_is_told_before_anything_is_opened(address, tmp_path):
    told = f"must be HOST:PORT or ray://HOST:PORT of a Ray cluster, or auto, got {address!r}"
    with pytest.raises(InputError, match=re.escape(told)):
        parse_config({"profile": "p", "engine": {"address": address}})
    for verb in ("score", "generate"):
        done = CliRunner().invoke(group, [verb, "-C", str(tmp_path / "none"), "--engine-address", address])
        assert str(done.exception) == f"[engine]: key 'address': {told}"


def test_addresses_tell_host_and_port():
    of = {address: EngineConfig(address=address).place for address in ("", "auto", "a:1", "ray://b:2", "[::1]:65535")}
    assert of == {"": None, "auto": None, "a:1": ("a", 1), "ray://b:2": ("b", 2), "[::1]:65535": ("::1", 65535)}


def test_other_versions_of_python_are_told_in_plain_words():
    said = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.60.0\n    Python: 3.12.1\n"
        "This process on node 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.4\n"
    )
    told = _why_not("head:6379", RuntimeError(said))
    assert told == (
        "the Ray cluster at head:6379 runs Ray 2.60.0, Python 3.12.1, this program Ray 2.60.0, Python 3.11.4: "
        "both must be the same"
    )


def test_of_a_report_of_ray_the_words_that_say_why():
    said = "The actor is dead.\nname: x\nWorker exit detail: Worker exits by signal 9. Some causes: many"
    assert _cause(said) == "Worker exits by signal 9"
    assert "ran out of memory" in _cause("Task was killed due to the node running low on memory.\n")
    assert _cause("") == "no reason was given"
    at_start = "The actor died because of an error raised in its creation task, \x1b[36mray::Host.__init__()\x1b[39m\n"
    assert _cause(f"{at_start}  File x\nModuleNotFoundError: No module named 'x'\n") == (
        "ModuleNotFoundError: No module named 'x'"
    )


def test_a_death_is_the_batchs_fault_unless_its_node_is_gone():
    exceptions = pytest.importorskip("ray.exceptions")
    killed = _Died(exceptions.RayActorError(error_msg="Worker exit detail: Worker exits by signal 9."))
    assert (killed.may_be_of_batch, killed.of_memory, killed.is_at_start) == (True, False, False)
    assert _Died(exceptions.OutOfMemoryError("killed")).of_memory
    for gone in (
        exceptions.ActorUnavailableError("no answer", None),
        exceptions.NodeDiedError("gone"),
        exceptions.RayActorError(error_msg="The actor died because its node has died. Node Id: 12"),
    ):
        assert not _Died(gone).may_be_of_batch


def test_an_engine_that_is_none_is_an_error_of_the_configuration():
    with pytest.raises((InputError, ValueError), match="name"):
        EngineConfig(name="spark")


@pytest.mark.parametrize("says", [b"E\0\0\0\x8bSFATAL\0C0A000\0", b""])
def test_another_server_at_the_address_of_a_cluster_is_told_at_once(
    says: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster, "_ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        held: list[socket.socket] = []

        def answer() -> None:
            held.append(server.accept()[0])
            held[0].sendall(says)  # nothing: it never answers

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(InputError, match=r"no Ray cluster answers at 127.*mend \[engine\] address"):
            ray_cluster.check_ray(EngineConfig(name="ray", address=address))
        thread.join()
        held[0].close()
