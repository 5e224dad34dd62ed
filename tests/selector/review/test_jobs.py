"""Runs of verbs: their command lines and what is heard of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from selector.domain import InputError
from selector.review._jobs import Job, _end, _hear, arguments_of
from selector.review._pictures import trim


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
    trim(tmp_path, 1000)
    assert len(list(tmp_path.iterdir())) == 10
    trim(tmp_path, 900)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{number}.jpg" for number in range(3, 10)]
