"""How far long work is: bars, plain lines, JSON lines; and that a stage which waits shows that time passes."""

from __future__ import annotations

import gc
import json
import threading
import time

import pytest

from selector.cli._progress import VARIABLE, Stage, duration, line_of, progress_bar


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of progress, to be set by hand."""
    found = [100.0]
    monkeypatch.setattr("selector.cli._progress.monotonic", lambda: found[0])
    return found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.25 s"), (4, "4 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_a_duration_says_as_much_as_one_wants_to_know(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_line_tells_the_rate_and_the_time_left() -> None:
    stage = Stage("wanx", 120, 4000, 100.0, "8 running", began_with=20)
    assert line_of(stage, 150.0) == "wanx: 120 of 4000, 8 running; 2/s, 32 min left"


def test_what_earlier_runs_have_done_makes_no_rate() -> None:
    assert Stage("wanx", 3000, 4000, 100.0, began_with=3000).left(160.0) is None
    assert line_of(Stage("wanx", 3000, 4000, 100.0, began_with=3000), 160.0) == "wanx: 3000 of 4000; 60 s so far"
    assert line_of(Stage("wanx", 3002, 3004, 100.0, began_with=3000), 160.0).endswith("; 30 s each, 60 s left")


def test_the_first_plain_line_comes_after_ten_seconds_and_the_next_after_a_minute(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    show = progress_bar()
    for seconds, done in ((0, 0), (9, 9), (10, 10), (11, 11), (69, 69), (70, 70)):
        now[0] = 100.0 + seconds
        show("score", done, 240, "5 values")
    assert capsys.readouterr().err.splitlines() == [
        "score: 10 of 240, 5 values; 1/s, 4 min left",
        "score: 70 of 240, 5 values; 1/s, 3 min left",
    ]


def test_a_stage_that_waits_is_told_by_the_clock(now: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    show = progress_bar()
    show("score", 0, 240)
    now[0] += 12
    assert _read(capsys, 1) == ["score: 0 of 240; 12 s so far"]


def test_a_bar_moves_while_its_stage_waits(
    now: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    show = progress_bar()
    show("score", 0, 240)
    assert "0/240" in capsys.readouterr().err
    now[0] += 5
    for _ in range(40):
        if "0/240" in capsys.readouterr().err:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the bar stood still")
    show("score", 240, 240)


def test_a_program_gets_json_lines_and_no_more_than_four_a_second(
    now: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "json")
    show = progress_bar()
    for tenth in range(11):
        now[0] = 100.0 + tenth / 10
        show("generate", tenth, 20, "1 running")
    show("score", 3, 3)
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["done"] for one in told] == [0, 3, 6, 9, 3], "the end of a stage is always told"
    assert told[1] == {
        "stage": "generate",
        "done": 3,
        "total": 20,
        "note": "1 running",
        "seconds": 0.3,
        "left": 1.7,
    }
    assert told[0]["left"] is None


def test_the_clocks_thread_ends_with_the_work_or_with_its_display() -> None:
    show = progress_bar()
    show("score", 0, 2)
    assert "progress" in _threads()
    show("score", 2, 2)
    _wait_for_no_thread()
    show("score", 1, 2)  # and a display that is used again looks at the clock again
    assert "progress" in _threads()
    del show
    gc.collect()
    _wait_for_no_thread()


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def _wait_for_no_thread() -> None:
    until = time.perf_counter() + 5
    while "progress" in _threads():
        assert time.perf_counter() < until
        time.sleep(0.05)


def _read(capsys: pytest.CaptureFixture[str], lines: int) -> list[str]:
    found: list[str] = []
    until = time.perf_counter() + 5
    while len(found) < lines and time.perf_counter() < until:
        time.sleep(0.05)
        found += capsys.readouterr().err.splitlines()
    return found
