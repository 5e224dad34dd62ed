"""An error's message is a line that people can read, whatever a name or a value of other people's makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

from selector.domain import InputError
from selector.domain.errors import MOST_CHARACTERS, InputProblems


def test_a_message_that_is_too_long_keeps_its_beginning_and_its_cure() -> None:
    error = InputError(f"task.csv: unknown column '{'x' * 5000}': rename or remove it")
    assert len(str(error)) == MOST_CHARACTERS
    assert str(error).startswith("task.csv: unknown column 'xxx")
    assert str(error).endswith("xxx': rename or remove it") and " … " in str(error)
    problems = InputProblems(["y" * 5000, "b"])
    assert len(str(problems)) == MOST_CHARACTERS and str(problems).endswith("and 1 more")
    assert problems.problems[0] == "y" * 5000


def test_a_message_of_usual_length_stays() -> None:
    assert str(InputError("a" * MOST_CHARACTERS)) == "a" * MOST_CHARACTERS
    assert str(InputError()) == ""


@pytest.mark.parametrize(("wrong", "lines"), [(3, 3), (40, 11)])
def test_the_first_mistakes_of_a_table_are_shown_at_once(wrong: int, lines: int, tmp_path: Path, run: Run) -> None:
    table = tmp_path / "task.csv"
    header = "index,task_type,prompt,ori_image,target_image"
    table.write_text("\n".join([header, "a,b,c,d,e,f", *["1,nothing,,,"] * (wrong - 1)]), encoding="utf-8")
    arguments = ("init", tmp_path / "c", "--tasks", table, "--images", tmp_path)
    code, out, err = run(*arguments)
    told = err.splitlines()
    assert (code, out, len(told)) == (2, "", lines)
    assert "row 1 (line 2): 6 fields instead of 5; put a prompt with commas in double quotes" in told[0]
    assert told[0].endswith(f" ... and {wrong - 1} more")
    assert "row 2 (line 3): unknown task type 'nothing'" in told[1]
    assert told[-1] == "  … and 30 more" or wrong == 3
    assert len(json.loads(run(*arguments, "--json")[1])["problems"]) == wrong
