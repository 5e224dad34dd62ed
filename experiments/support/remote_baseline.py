"""The habit of the contest's notebooks: one task after the other, a question every two seconds, a picture for failures.

Each task is done exactly as such a notebook does it. To spare hours, several are timed side by side where that changes
nothing for the service (far below its limits), and their times are summed as if one had followed the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from experiments.support.remote_campaign import KEY

POLL_SECONDS = 2.0
_CREATE = "/api/v1/services/aigc/text2image/image-synthesis"


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
