"""Runs of verbs: their command lines and what is heard of them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selector.domain import InputError
from selector.domain.files import trim
from selector.review import _jobs
from selector.review._jobs import Busy, Job, Jobs, _end, _hear, arguments_of


def job() -> Job:
    return Job(1, "score", 0.0, "", None)  # type: ignore[arg-type]


def test_options_become_arguments() -> None:
    assert arguments_of("plan", {"remaining": 5}) == ["plan", "--remaining", "5"]
    assert arguments_of("pick", {"replace": True}) == ["pick", "--replace"]
    assert arguments_of("export", {"allow_fallbacks": False}) == ["export"]


@pytest.mark.parametrize(
    ("verb", "options"),
    [("init", {}), ("score", {"replace": True}), ("plan", {"remaining": "5; rm"}), ("plan", {"remaining": True})],
)
def test_what_is_no_option_is_refused(verb: str, options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        arguments_of(verb, options)


def test_progress_words_and_plain_lines_are_told_apart() -> None:
    one = job()
    _hear(one, '{"stage": "technical", "done": 3, "total": 10, "note": "", "seconds": 1.5, "left": 3.5}')
    _hear(one, '{"said": "10 scores"}')
    _hear(one, "bestshot: a warning")
    _hear(one, "{no json")
    assert (one.stage, one.done, one.total, one.left_seconds, one.words) == ("technical", 3, 10, 3.5, "10 scores")
    assert list(one.lines) == ["bestshot: a warning", "{no json"]


def test_a_failed_run_says_the_error_of_the_verb() -> None:
    one = job()
    _end(one, 2, '{"error": "nothing has been picked yet: run `bestshot pick` first"}')
    assert one.state == "failed" and one.error == "nothing has been picked yet: run `bestshot pick` first"


def test_long_lists_of_a_result_are_cut() -> None:
    one = job()
    _end(one, 0, str(list(range(1000))))
    assert one.result == list(range(50))


def test_the_oldest_copies_of_pictures_go_first(tmp_path: Path) -> None:
    import os

    for number in range(10):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    trim(tmp_path, 1000, "*.jpg")
    assert len(list(tmp_path.iterdir())) == 10
    trim(tmp_path, 900, "*.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{number}.jpg" for number in range(3, 10)]


DEAF = "import signal, time; {}; print('{{}}', flush=True); time.sleep(60)"
TO_INTERRUPTS = DEAF.format("signal.signal(signal.SIGINT, signal.SIG_IGN)")
TO_ALL = DEAF.format("[signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)]")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], tuple[Jobs, Job]]]:
    """Runs Python code in place of a verb, and waits until it has printed a line."""
    opened: list[Jobs] = []

    def start(code: str) -> tuple[Jobs, Job]:
        def process(*_: object) -> subprocess.Popen[str]:
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            child = subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)  # type: ignore[call-overload]
            child.stdout.readline()
            return child

        monkeypatch.setattr(_jobs, "_started", process)
        jobs = Jobs(tmp_path, lambda: None)
        opened.append(jobs)
        return jobs, jobs.run("generate", {})

    yield start
    monkeypatch.setattr(_jobs, "_WAIT_SECONDS", 0.2)
    for jobs in opened:
        jobs.close()


def ended(job: Job) -> str:
    for _ in range(100):
        if job.state not in (_jobs.RUNNING, _jobs.STOPPING):
            break
        time.sleep(0.05)
    return job.state


@posix
def test_a_run_that_hears_no_interrupt_is_stopping_and_nothing_starts_beside_it(
    started: Callable[[str], tuple[Jobs, Job]],
) -> None:
    jobs, job = started(TO_INTERRUPTS)
    assert jobs.stop(job.id).state == "stopping"
    with pytest.raises(Busy, match="is being stopped"):
        jobs.run("generate", {})
    jobs.stop(job.id)  # once more is meant
    assert ended(job) == "stopped"
    assert jobs.run("generate", {}).state == "running"


@posix
def test_a_run_that_hears_no_interrupt_is_terminated_after_a_while(
    started: Callable[[str], tuple[Jobs, Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_jobs, "_WAIT_SECONDS", 0.2)
    jobs, job = started(TO_INTERRUPTS)
    jobs.stop(job.id)
    assert ended(job) == "stopped"


@posix
def test_where_the_server_hears_no_interrupts_runs_are_terminated(started: Callable[[str], tuple[Jobs, Job]]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        jobs, job = started(TO_INTERRUPTS)
        jobs.stop(job.id)
        assert ended(job) == "stopped"
    finally:
        signal.signal(signal.SIGINT, before)


@posix
def test_the_end_of_the_server_leaves_no_run_behind(
    started: Callable[[str], tuple[Jobs, Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_jobs, "_WAIT_SECONDS", 0.2)
    jobs, job = started(TO_ALL)
    jobs.close()
    assert job.process.returncode == -signal.SIGKILL


def test_a_run_that_ends_well_as_it_is_stopped_is_done() -> None:
    one = job()
    one.state = _jobs.STOPPING
    _end(one, 0, '{"made": 3}')
    assert (one.state, one.result, one.error) == ("done", {"made": 3}, None)


def test_a_failed_run_names_the_option_that_it_needs() -> None:
    one = job()
    _end(one, 2, '{"error": "a plan to learn", "needs": "replace"}')
    assert (one.state, one.needs) == ("failed", "replace")
