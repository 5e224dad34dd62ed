"""A campaign of text-to-image tasks at a loopback service in a process of its own, and how notebooks ask it today."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from selector import Campaign

KEY_ENV, KEY = "BESTSHOT_LOAD_KEY", "sk-load-0123456789abcdef"
FIRST, RESERVE = "first", "reserve"
AT_ONCE, AT_ONCE_MODEL = "at-once", "qwen-image"  # at the first service too, an image a request and no job to ask for
POLL_SECONDS = 2.0  # of the baseline
_CREATE = "/api/v1/services/aigc/text2image/image-synthesis"
_HEADER = "index,task_type,prompt,ori_image,target_image"


@dataclass(frozen=True)
class ServerOptions:
    """How a server behaves: see ``dashscope_server``."""

    running: int = 64
    submits_per_second: float = 20.0
    polls_per_second: float = 80.0
    downloads: int = 16
    job_seconds: float = 6.0
    slow_seconds: float = 15.0
    picture_px: int = 256
    seed: int = 0
    shares: Mapping[str, float] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        values = {k.replace("_", "-"): v for k, v in vars(self).items() if k != "shares"}
        flags = [f"--{name}={value}" for name, value in values.items()]
        return [*flags, *(f"--share={name}={share}" for name, share in self.shares.items())]


class Service:
    """A server that runs: its address, and what it has counted."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self._get("/_stats")
        return found

    def jobs(self) -> list[dict[str, Any]]:
        """Oldest first: id, prompt, seed, n, codes ("" for an image), lost, created, told, seconds."""
        found: list[dict[str, Any]] = self._get("/_jobs")
        return found

    def _get(self, place: str) -> Any:
        with urllib.request.urlopen(self.url + place, timeout=30) as reply:
            return json.load(reply)


@contextmanager
def serving(options: ServerOptions) -> Iterator[Service]:
    """Start a server in its own process, and end it."""
    command = [sys.executable, "-m", "tests.servers.dashscope_server", f"--key={KEY}", *options.arguments()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Service(process.stdout.readline().strip())
        finally:
            process.terminate()


def prompt_of(task: int) -> str:
    return f'picture {task}: a red cube on a blue sphere, "quoted", 一只猫'


def make_campaign(
    place: Path, tasks: int, per_task: int, services: Mapping[str, tuple[str, ServerOptions]], at_once: int = 0
) -> Path:
    """A campaign folder.

    Args:
        place: a new folder.
        tasks, per_task: how many, and candidates of each.
        services: FIRST and perhaps RESERVE to (address, its declared limits).
        at_once: candidates of each task that are made by a model that answers at once.
    """
    (place / "in").mkdir(parents=True)
    rows = [_HEADER] + ['{},t2i,"{}",,'.format(i, prompt_of(i).replace('"', '""')) for i in range(tasks)]
    (place / "task.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    plan: dict[str, Any] = {FIRST: per_task - at_once, **({AT_ONCE: at_once} if at_once else {})}
    plan |= {RESERVE: {"reserve": True}} if RESERVE in services else {}
    made_at_once = {"kind": "dashscope", "service": FIRST, "model": AT_ONCE_MODEL}
    Campaign.init(
        place / "campaign",
        place / "task.csv",
        place / "in",
        generate={"t2i": plan},
        generators={name: {"kind": "dashscope", "service": name, "size": "512*512"} for name in services}
        | ({AT_ONCE: made_at_once} if at_once else {}),
        services={name: _limits(url, options) for name, (url, options) in services.items()},
    ).close()
    return place / "campaign"


def _limits(url: str, options: ServerOptions) -> dict[str, Any]:
    return {
        "base_url": url,
        "key_env": KEY_ENV,
        "running": options.running,
        "submits_per_second": options.submits_per_second,
        "polls_per_second": options.polls_per_second,
        "downloads": options.downloads,
        "backoff_seconds": 0.5,
    }


def start_generate(folder: Path, more: Sequence[str] = ()) -> subprocess.Popen[str]:
    """The command of the user, in its own process, with the key in the environment."""
    return subprocess.Popen(
        [sys.executable, "-m", "selector.cli", "generate", "-C", str(folder), "--json", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, KEY_ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
    )


@dataclass(frozen=True)
class Baseline:
    """``seconds``: of all its tasks in sequence. ``filled``: tasks that got the fixed picture instead of an answer."""

    tasks: int
    seconds: float
    delivered: int
    filled: int
    broken: int  # pages and half pictures that were saved as images, because nobody looked


def run_baseline(url: str, prompts: Sequence[str], per_task: int, side_by_side: int) -> Baseline:
    """Make ``per_task`` images of every prompt at the service."""
    with ThreadPoolExecutor(side_by_side) as pool:
        ends = list(pool.map(lambda prompt: _one_task(url, prompt, per_task), prompts))
    return Baseline(
        len(ends),
        sum(seconds for seconds, _, _ in ends),
        sum(good for _, good, _ in ends),
        sum(good == 0 and broken == 0 for _, good, broken in ends),
        sum(broken for _, _, broken in ends),
    )


def _one_task(url: str, prompt: str, n: int) -> tuple[float, int, int]:
    """(seconds, whole pictures, saved files that are none) of one task."""
    begun = time.perf_counter()
    good = broken = 0
    try:
        body = {"model": "wanx2.1-t2i-turbo", "input": {"prompt": prompt}, "parameters": {"n": n, "size": "512*512"}}
        headers = {"Authorization": f"Bearer {KEY}", "X-DashScope-Async": "enable"}
        task = requests.post(url + _CREATE, json=body, headers=headers, timeout=30).json()["output"]["task_id"]
        while True:
            time.sleep(POLL_SECONDS)
            told = requests.get(f"{url}/api/v1/tasks/{task}", headers=headers, timeout=30).json()["output"]
            if told["task_status"] in ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN"):
                break
        for result in told["results"]:
            data = requests.get(result["url"], timeout=30).content
            whole = data.startswith(b"\x89PNG") and data.rstrip().endswith(b"IEND\xaeB`\x82")
            good, broken = good + whole, broken + (not whole)
    except (requests.RequestException, KeyError, ValueError):
        pass  # the notebook prints a line and takes the fixed picture
    return time.perf_counter() - begun, good, broken
