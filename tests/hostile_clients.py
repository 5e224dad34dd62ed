"""The real clients at a hostile server, in a process of their own whose memory can be measured.

    python tests/hostile_clients.py CLIENT URL MODE... < key

writes JSON: for every mode what came of it and in how many seconds, all that was logged, and the most memory.
"""

from __future__ import annotations

import io
import json
import logging
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

KEY_ENV = "HOSTILE_TEST_KEY"
SECONDS = 0.4  # time-out and deadline of every request


def account_at(url: str):
    from selector.net import Account, Service

    facts = {"timeout_seconds": SECONDS, "max_retries": 0, "backoff_seconds": 0.001, "job_seconds": 1.0}
    return Account(Service("hostile", url, key_env=KEY_ENV, **facts))


def task():
    from selector.domain import Task, TaskInputs, TaskType

    return TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))


def dashscope(url: str) -> object:
    from generators.dashscope import DashScope

    return _made(DashScope(account=account_at(url)))


def dashscope_at_once(url: str) -> object:
    from generators import dashscope

    dashscope.SYNC_SECONDS = SECONDS
    return _made(dashscope.DashScope(model="qwen-image", account=account_at(url)))


def openai_images(url: str) -> object:
    from generators.openai_images import OpenAIImages

    return _made(OpenAIImages(model="m", account=account_at(url)))


def _made(generator) -> object:
    """By ``submit``, ``poll`` and ``fetch``, so that all that would be stored is told."""
    inputs = task()
    recipe = generator.recipes(inputs, 1, 0)[0]
    ticket = generator.submit(inputs, [recipe])
    deliveries = ticket.deliveries or generator.poll(ticket) or ()
    told = [repr(ticket), dict(ticket.facts), [(d.url, str(d.error), dict(d.notes)) for d in deliveries]]
    try:
        return [*told, dict(generator.fetch(inputs, recipe, deliveries[0]).notes)] if deliveries else told
    except Exception as error:
        raise type(error)(f"{error}; {told}") from error


def downloads(url: str) -> object:
    from selector.net import download

    download.DOWNLOAD_SECONDS = SECONDS
    return repr(download.download(account_at(url), url))


def judge(url: str) -> object:
    from random import Random
    from threading import Event

    from selector.llm._client import ChatClient
    from selector.llm._endpoint import Budget, Endpoint
    from selector.llm._request import Dialect
    from selector.net import Pace

    stop = Event()
    pace, budget = Pace(0, 0.001, Random(0), stop), Budget(None, stop)
    client = ChatClient(
        Endpoint(url, "m", os.environ[KEY_ENV], SECONDS, 0), Dialect("auto", 0.0, None, 10), pace, budget
    )
    return repr(client.ask([{"role": "user", "content": "hello"}]))


def weights(url: str) -> object:
    from tempfile import TemporaryDirectory

    from selector.weights import Model, ModelFile, Repository, hub
    from selector.weights.fetch import fetch

    hub.STALLED_SECONDS, hub._LONGEST_WAIT_SECONDS = SECONDS, 0.0
    file = ModelFile("net.bin", "0" * 64, 1_000_000, repository=Repository("team/net"))
    with TemporaryDirectory() as folder:
        os.environ.update(BESTSHOT_WEIGHTS=folder, HF_ENDPOINT=url, HF_TOKEN=os.environ[KEY_ENV])
        return repr(fetch(Model("net", (), "MIT", (file,))))


CLIENTS: dict[str, Callable[[str], object]] = {
    "dashscope": dashscope,
    "dashscope_at_once": dashscope_at_once,
    "openai_images": openai_images,
    "download": downloads,
    "judge": judge,
    "weights": weights,
}


def peak_mb() -> float:
    """The most memory so far; of this program alone where the kernel tells it: ``getrusage`` counts the parent's."""
    with suppress(OSError):
        told = Path("/proc/self/status").read_text(encoding="ascii")
        return int(told.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    from selector.net import troubles

    troubles.THROTTLED_TRIES = 1
    name, base, *modes = sys.argv[1:]
    os.environ[KEY_ENV] = sys.stdin.read().strip()
    log = io.StringIO()
    logging.basicConfig(stream=log, level=logging.DEBUG)
    found = {}
    for mode in modes:
        before, worked = time.monotonic(), time.process_time()
        try:
            came = {"error": "", "said": json.dumps(CLIENTS[name](f"{base}/{mode}"), ensure_ascii=True, default=str)}
        except Exception as error:
            came = {"error": type(error).__name__, "said": str(error)}
        found[mode] = {**came, "seconds": time.monotonic() - before, "peak_mb": peak_mb()}
        found[mode]["cpu_seconds"] = time.process_time() - worked
    print(json.dumps({"modes": found, "log": log.getvalue()}))


if __name__ == "__main__":
    main()
