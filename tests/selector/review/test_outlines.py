"""Outlines, asked of a process: here of one that answers as the test wants."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from selector.review import _outlines
from selector.review._outlines import LEFT_OUT, Outlines

ANSWER = """
import json, sys, time
for line in sys.stdin:
    {}
    print(json.dumps({{"asked": line.strip()}}), flush=True)
"""
Make = Callable[[str], Outlines]


def run_apart(asked: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: in this one a browser's loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


@pytest.fixture
def outlines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Outlines] = []
    start = _outlines.subprocess.Popen

    def make(does: str) -> Outlines:
        def popen(_command: object, **options: object) -> object:
            return start([sys.executable, "-c", ANSWER.format(does)], **options)  # type: ignore[call-overload]

        monkeypatch.setattr(_outlines.subprocess, "Popen", popen)
        made.append(Outlines(tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_failed_is_tried_again(outlines: Make, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    found = outlines(f"from pathlib import Path; p = Path({str(mark)!r}); p.exists() or sys.exit(1)")
    assert run_apart(found.wanted("1", "x")) is None
    mark.touch()
    assert run_apart(found.wanted("1", "x")) == {"asked": '"1"'}
    assert found.known("1", "x") == {"asked": '"1"'}


def test_a_process_that_hangs_is_ended(outlines: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_outlines, "_LONGEST_SECONDS", 0.5)
    found = outlines("time.sleep(60)")
    assert run_apart(found.wanted("1", "x")) is None and found.known("1", "x") is None


def test_tasks_that_were_passed_by_are_left_out(outlines: Make) -> None:
    found = outlines("time.sleep(0.3)")

    async def pass_by() -> list[object]:
        return await asyncio.gather(*(found.wanted(task, "x") for task in "12345"))

    said = run_apart(pass_by())
    assert said[-1] == {"asked": '"5"'} and said.count(LEFT_OUT) >= 3 and found.known("3", "x") is None
