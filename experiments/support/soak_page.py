"""The review page of the soak, and who sits at it: looks at tasks and pictures, decides, and takes the time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import requests

from experiments.support.crash_loop import CAMPAIGN

OURS = {"X-Bestshot": "1"}
PAUSE_SECONDS = 0.2  # of a person, between two looks
LONGEST_SECONDS = 60.0
# What was decided elsewhere since the page was drawn, or, for 409, is being decided.
NO_MORE = {"decide": (400, 409), "look": (409,)}


class Looker(threading.Thread):
    """``seconds``: of every answer, by what was asked for. ``notes``: stored, as the page said. ``faults``: answers
    that no page should get.
    """

    def __init__(self, url: str, seed: int) -> None:
        super().__init__(daemon=True, name="looker")
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.notes: list[str] = []
        self.faults: list[str] = []
        self._url, self._rng, self._end = url, Random(seed), threading.Event()
        self._session = requests.Session()

    def stop(self) -> None:
        self._end.set()
        self.join(2 * LONGEST_SECONDS)

    def run(self) -> None:
        turn = 0
        while not self._end.wait(PAUSE_SECONDS):
            turn += 1
            try:
                self._look(turn)
            except Exception as error:  # no answer, or one that no page can show
                self.faults.append(f"the page did not answer: {type(error).__name__}: {error}"[:300])
                self._end.wait(1.0)

    def _look(self, turn: int) -> None:
        self._ask("state", "api/state")
        queue = self._ask("queue", "api/queue?limit=50")
        tasks = [task["id"] for task in queue["tasks"]] if queue else []
        if not tasks:
            return
        task = self._rng.choice(tasks)
        found = self._ask("task", f"api/task/{task}")
        cards = found["candidates"] if found else []
        for card in self._rng.sample(cards, min(3, len(cards))):
            self._ask("image", f"{card['image']}?size=320")
        self._tell("look", {"task": task})
        if turn % 3 == 0:
            text = f"seen {turn}"
            if self._tell("decide", {"kind": "note", "task": task, "reason": text}):
                self.notes.append(text)
        if turn % 10 == 0 and cards:
            one = {"task": task, "candidate": self._rng.choice(cards)["id"]}
            self._tell("decide", {"kind": "exclude", "reason": f"page {turn}", **one})
            self._tell("decide", {"kind": "include", "reason": "", **one})
        if turn % 15 == 0:
            self._ask("totals", "api/totals")
            self._ask("export preview", "api/export-preview")

    def _ask(self, what: str, path: str) -> Any:
        return self._answer(what, "GET", path, None)

    def _tell(self, what: str, body: Mapping[str, Any]) -> Any:
        return self._answer(what, "POST", f"api/{what}", body)

    def _answer(self, what: str, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        began = time.perf_counter()
        got = self._session.request(method, self._url + path, json=body, headers=OURS, timeout=LONGEST_SECONDS)
        self.seconds[what].append(time.perf_counter() - began)
        if got.status_code == 200:
            return got.json() if what != "image" else True
        if got.status_code not in NO_MORE.get(what, ()):
            self.faults.append(f"{what}: {got.status_code} {got.text[:200]}")
        return None


@contextmanager
def looked_at(place: Path, environment: Mapping[str, str], seed: int) -> Iterator[Looker]:
    """Serve the page of ``place/campaign`` and look at it for the block; its errors are in ``place/page.err``."""
    command = [sys.executable, "-m", "selector.cli", "review", "-C", CAMPAIGN, "--no-browser", "--json", "--by", "page"]
    with (place / "page.err").open("w") as said:
        process = subprocess.Popen(
            command, cwd=place, env=dict(environment), stdout=subprocess.PIPE, stderr=said, encoding="utf-8"
        )
        try:
            assert process.stdout is not None
            document = "".join(process.stdout.readline() for _ in range(3))
            looker = Looker(json.loads(document)["url"], seed)
            looker.start()
            yield looker
            looker.stop()
        finally:
            process.terminate()  # who is started in the background hears no SIGINT, and passes that on
            try:
                process.wait(LONGEST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
