"""`bestshot select`: a table in, picks out, for people and for programs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import Run

ROWS = "task,candidate,generator,judge,file\na,x,m,7,1.mp4\na,y,n,4,2.mp4\nb,x,m,3,3.mp4\nb,y,n,6,4.mp4\n"


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_the_summary_says_what_was_read_and_picked(run: Run, scores: Path) -> None:
    code, out, err = run("select", scores, "--column", "judge=judge", "--out", scores.parent / "picks.csv")
    assert (code, err) == (0, "")
    assert out.startswith("4 candidates of 2 tasks by 2 generators; 1 score: judge +0.45\n")
    assert "passed over, because they hold text: file" in out
    assert " to be the best; judge +" in out
    assert (scores.parent / "picks.csv").read_text(encoding="utf-8").startswith("task,candidate,overall,")


def test_one_judged_candidate_is_one(run: Run, scores: Path) -> None:
    judged = scores.parent / "judged.csv"
    judged.write_text("task,candidate,overall\na,x,7\n", encoding="utf-8")
    out = run("select", scores, "--column", "judge=judge", "--judged", judged)[1]
    assert "learned from 0 totals, 1 judged candidate\n" in out


def test_json_has_the_same_as_the_file(run: Run, scores: Path) -> None:
    path = scores.parent / "picks.json"
    code, out, _ = run("select", scores, "--column", "judge=0.4", "--out", path, "--json")
    assert code == 0
    assert json.loads(out)["picks"] == json.loads(path.read_text(encoding="utf-8"))


def test_a_dash_is_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(ROWS.encode())))
    code, out, _ = run("select", "-", "--column", "judge=up", "--json")
    assert (code, [pick["candidate"] for pick in json.loads(out)["picks"]]) == (0, ["x", "y"])


def test_explain_shows_each_candidate_with_what_moved_it(run: Run, scores: Path) -> None:
    code, out, _ = run("select", scores, "--column", "judge=judge", "--explain", "a")
    assert code == 0
    assert out.splitlines()[2].split() == ["candidate", "made", "by", "overall", "+-", "best", "judge"]
    code, out, _ = run("select", scores, "--explain", "a", "--json")
    assert {c["candidate"] for c in json.loads(out)["candidates"]} == {"x", "y"}


def test_the_loop_of_totals_proposes_the_next_submission(run: Run, scores: Path) -> None:
    known = ("select", scores, "--column", "judge=judge", "--next", "--remaining", 3)
    assert run(*known, "--out", scores.parent / "1.csv")[0] == 0
    totals = scores.parent / "totals.csv"
    totals.write_text("total,picks\n6.1,1.csv\n", encoding="utf-8")
    code, out, _ = run(*known, "--totals", totals, "--out", scores.parent / "2.csv")
    assert code == 0 and "learned from 1 total" in out and "this submission is expected at" in out
    code, _, err = run(*known, "--totals", totals, "--out", scores.parent / "1.csv")
    assert code == 2 and "would replace the picks of" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--column", "judge"), "--column takes NAME=HOW"),
        (("--column", "jugde=up"), "did you mean 'judge'"),
        (("--column", "judge=nan"), "--column judge=nan: nan is no correlation: say up, down, judge or ignore, or a"),
        (("--column", "judge=-inf"), "--column judge=-inf: -inf is no correlation"),
        (("--next",), "--next and --remaining N belong together"),
        (("--remaining", "3"), "--next and --remaining N belong together"),
        (("--remaining", "0", "--next"), "no submission remains"),
        (("--out", "picks.xls"), "a table is written as .csv"),
        (("--explain", "aa"), "there is no task 'aa'"),
        (("--explain", "a", "--out", "x.csv"), "--out has no effect with --explain"),
        (("--noise-sd", "0"), "must be above 0"),
        (("--totals", "gone.csv"), "table of totals gone.csv cannot be read"),
    ],
)
def test_an_error_is_one_line(run: Run, scores: Path, options: tuple[str, ...], words: str) -> None:
    code, out, err = run("select", scores, *options)
    assert (code, out) == (2, "")
    assert words in err and err.count("\n") == 1


def test_what_is_read_is_never_replaced(run: Run, scores: Path) -> None:
    code, _, err = run("select", scores, "--out", scores.parent / "." / "scores.csv")
    assert code == 2 and "would replace a table that is read here" in err
    assert scores.read_text(encoding="utf-8") == ROWS


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--column", "judge=up", "--column", "judge=down"), "both judge=up and judge=down"),
        (("--seed", "-1"), "-1 is not in the range x>=0"),
        (("--noise-sd", "inf"), "above 0 and finite, got inf"),
    ],
)
def test_options_that_contradict_or_cannot_be_are_refused_in_one_line(
    run: Run, scores: Path, options: tuple[str, ...], said: str
) -> None:
    code, out, err = run("select", scores, *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_names_of_a_table_are_shown_to_a_terminal_and_not_obeyed(run: Run, scores: Path) -> None:
    scores.write_text(ROWS.replace("a,x", "a,\x1b[31m\u202ex"), encoding="utf-8")
    _, out, _ = run("select", scores, "--column", "judge=judge")
    assert "?[31m?x" in out and "\x1b" not in out
    _, _, err = run("select", scores, "--column", "\x1b[2Jjudge=judge")
    assert "?[2Jjudge" in err and "\x1b" not in err
