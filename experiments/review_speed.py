"""Seconds and memory of `bestshot review` on a campaign of full size.

    python -m experiments.review_speed --json out.json

The campaign is synthetic: 1,000 tasks of four types, 16 candidates a task with some 20 scores each, pictures of 504 px.
The page is served by the program itself, started as its user would. Measured are, with its estimates there already:

- first_page_s: from opening the address in a new browser until the first rows of the queue stand on the page;
- next_task_s: from the key J until the next task with all of its candidates stands there;
- decision_s: from sending an exclusion until the answer that it is on the disk, over HTTP;
- search_s: a search over all tasks, over HTTP, a different word each time;
- server_rss_mb: the largest resident memory of the server, without the processes beside it.

The browser is Chromium by Playwright. Where one of them is missing, both pages are what a script would fetch over HTTP
(shell, script, styles, state and queue with small pictures; a task with its pictures), and the output says so. Figures
are medians, with the 90% quantile and the largest; nothing else should run.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import requests

from experiments.support.outcome import ended, finish, parser, within
from experiments.support.synthetic_campaign import make_campaign, write_contest
from selector.domain import InputError

TASKS, CANDIDATES, SIDE_PX = 1_000, 16, 504
BOUNDS = {"first_page_s": 1.0, "next_task_s": 0.15, "decision_s": 0.1, "search_s": 0.3, "server_rss_mb": 300.0}
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
OURS = {"X-Bestshot": "1"}
_ESTIMATING_S = 600.0
# Moments are taken by the page itself: what speaks to the browser takes time of its own.
_WATCH_ROWS = """
new MutationObserver((_, observer) => {
  if (document.querySelector("[data-i] a")) { window.firstRows = performance.now(); observer.disconnect(); }
}).observe(document, {childList: true, subtree: true});
"""
_NEXT = """
() => new Promise((done) => {
  const shown = () => document.querySelector("article.task")?.dataset.id;
  const before = shown(), start = performance.now();
  const observer = new MutationObserver(() => {
    if (!shown() || shown() === before) return;
    observer.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  });
  observer.observe(document, {childList: true, subtree: true});
  document.dispatchEvent(new KeyboardEvent("keydown", {key: "j", bubbles: true}));
})
"""


def main(arguments: list[str] | None = None) -> int:
    options = parser("review_speed", __doc__ or "")
    options.add_argument("--tasks", type=int, default=TASKS, help=f"tasks (default {TASKS})")
    options.add_argument("--candidates", type=int, default=CANDIDATES, help=f"of a task (default {CANDIDATES})")
    options.add_argument("--repeats", type=int, default=20, help="of each measurement (default 20)")
    chosen = options.parse_args(arguments)
    return ended(lambda: _measure(chosen))


def _measure(chosen: Any) -> int:
    within("--tasks", chosen.tasks, 8, 50_000)
    within("--candidates", chosen.candidates, 4, 64)
    within("--repeats", chosen.repeats, 1)
    with tempfile.TemporaryDirectory(prefix="bestshot-review-speed-") as place:
        campaign = Path(place) / "campaign"
        write_contest(Path(place) / "contest", chosen.tasks, chosen.seed)
        make_campaign(campaign, Path(place) / "contest", chosen.seed, chosen.candidates // 4 * 4, SIDE_PX)
        with _served(campaign) as (first_url, _):
            estimating = _wait_for_estimates(first_url)
        with _served(campaign) as (url, pid):
            told, browser = _page_seconds(url, chosen.repeats)
            told["decision_s"] = _times(chosen.repeats, _decider(url))
            told["search_s"] = _times(chosen.repeats, _searcher(url))
            peak = _peak_mb(pid)
    figures = {name: _spread(seconds) for name, seconds in told.items()}
    results = {**{name: figure["median"] for name, figure in figures.items()}, "server_rss_mb": round(peak, 1)}
    more = {
        "spread": figures,
        "estimates_s": round(estimating, 1),
        "browser": browser,
        "tasks": chosen.tasks,
        "candidates": chosen.candidates // 4 * 4,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    finish(results, _lines(results, figures, more), chosen.json, more)
    return 0


@contextmanager
def _served(campaign: Path) -> Iterator[tuple[str, int]]:
    """The page's address, and the number of the server's process."""
    command = [sys.executable, "-m", "selector.cli", "review", "-C", str(campaign), "--no-browser", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        document = "".join(process.stdout.readline() for _ in range(3))
        if not document:
            raise InputError("the page could not be served")
        yield json.loads(document)["url"], process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _wait_for_estimates(url: str) -> float:
    start = time.monotonic()
    while time.monotonic() - start < _ESTIMATING_S:
        state = requests.get(f"{url}api/state", timeout=60).json()["snapshot"]
        if state["ready"] and not state["stale"] and not state["building"]:
            return time.monotonic() - start
        time.sleep(0.2)
    raise InputError("the estimates did not come")


def _page_seconds(url: str, repeats: int) -> tuple[dict[str, list[float]], str]:
    """Seconds of the first page and of the next task, and what measured them."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return _page_seconds_without(url, repeats), "none: over HTTP"
    if not Path(CHROMIUM).is_file():
        return _page_seconds_without(url, repeats), "none: over HTTP"
    with sync_playwright() as program:
        browser = program.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        first = [_first_page(browser, url) for _ in range(repeats)]
        page = browser.new_page()
        page.goto(url)
        page.wait_for_selector("[data-i] a", timeout=60_000)
        task = requests.get(f"{url}api/queue", params={"limit": 1}, timeout=60).json()["tasks"][0]["id"]
        page.goto(f"{url}?view=task&task={task}")
        page.wait_for_selector("article.task", timeout=60_000)
        following = []
        for _ in range(repeats):
            page.wait_for_timeout(700)  # who looks at a picture takes longer
            following.append(page.evaluate(_NEXT) / 1000)
        name = f"Chromium {browser.version}"
        browser.close()
    return {"first_page_s": first, "next_task_s": following}, name


def _first_page(browser: Any, url: str) -> float:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(_WATCH_ROWS)
    page.goto(url)
    page.wait_for_selector("[data-i] a", timeout=60_000)
    seconds = float(page.evaluate("window.firstRows")) / 1000
    context.close()
    return seconds


def _page_seconds_without(url: str, repeats: int) -> dict[str, list[float]]:
    tasks = [t["id"] for t in requests.get(f"{url}api/queue", params={"limit": 500}, timeout=60).json()["tasks"]]

    def first(_: int) -> None:
        session = requests.Session()
        for path in ("", "static/review.js", "static/review.css", "api/state"):
            _good(session.get(url + path, timeout=60))
        for task in _good(session.get(f"{url}api/queue", timeout=60)).json()["tasks"][:10]:
            _good(session.get(f"{url}image/{task['pick']['id']}", params={"size": 160}, timeout=60))

    session = requests.Session()

    def following(number: int) -> None:
        found = _good(session.get(f"{url}api/task/{tasks[number % len(tasks)]}", timeout=60)).json()
        for card in found["candidates"]:
            _good(session.get(url + card["image"], params={"size": 320}, timeout=60))

    return {"first_page_s": _times(repeats, first), "next_task_s": _times(repeats, following)}


def _decider(url: str) -> Callable[[int], None]:
    tasks = requests.get(f"{url}api/queue", params={"limit": 500}, timeout=60).json()["tasks"]
    session = requests.Session()

    def decide(number: int) -> None:
        task = tasks[number % len(tasks)]
        body = {"kind": "exclude", "task": task["id"], "candidate": task["pick"]["id"], "reason": f"broken {number}"}
        _good(session.post(f"{url}api/decide", json=body, headers=OURS, timeout=60))

    return decide


def _searcher(url: str) -> Callable[[int], None]:
    session = requests.Session()
    return lambda number: _found(_good(session.get(f"{url}api/queue", params={"q": f"picture {number}"}, timeout=60)))


def _found(answer: requests.Response) -> None:
    if "total" not in answer.json():
        raise InputError(f"the search failed: {answer.text[:200]}")


def _good(answer: requests.Response) -> requests.Response:
    if answer.status_code != 200:
        raise InputError(
            f"{re.sub('/[^/]{20,}/', '/…/', answer.url)} answered {answer.status_code}: {answer.text[:200]}"
        )
    return answer


def _times(repeats: int, act: Callable[[int], None]) -> list[float]:
    found = []
    for number in range(repeats):
        start = time.perf_counter()
        act(number)
        found.append(time.perf_counter() - start)
    return found


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(seconds)), 4),
        "q90": round(float(np.quantile(seconds, 0.9)), 4),
        "most": round(max(seconds), 4),
        "n": len(seconds),
    }


def _peak_mb(pid: int) -> float:
    """Peak resident memory; NaN where the system does not tell."""
    status = Path("/proc") / str(pid) / "status"
    if not status.is_file():
        return float("nan")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _lines(results: dict[str, Any], figures: dict[str, Any], more: dict[str, Any]) -> list[str]:
    lines = [
        f"{more['tasks']} tasks x {more['candidates']} candidates, {more['cores']} cores, browser: {more['browser']}"
    ]
    for name, value in results.items():
        spread = figures.get(name)
        said = f", 90% quantile {spread['q90']:.3f}, most {spread['most']:.3f}, n = {spread['n']}" if spread else ""
        lines.append(f"{name:14} {value:8.3f}  (bound {BOUNDS[name]:g}{said})")
    return [*lines, f"estimates are made beside the server in {more['estimates_s']} s; load {more['load']}"]


if __name__ == "__main__":
    raise SystemExit(main())
