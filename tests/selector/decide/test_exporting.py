"""The table of scores: what every candidate is, may, has and was; and back again by ``import-scores``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import HEADER, noise_jpeg

from selector import Campaign
from selector.domain import InputError
from selector.tables import read_table

Run = Callable[..., tuple[int, str, str]]
NAMES = ("task", "candidate", "file", "generator", "variant", "seed", "short")


@pytest.fixture
def campaign(tmp_path: Path, clock: Any) -> Campaign:
    """Tasks 5 and 3, in this order, with pictures of two tools, one of whose names a spreadsheet would run."""
    files = {"in/a.jpg": 1, "flux/3.jpg": 2, "flux/5_a.jpg": 3, "flux/5_b.jpg": 4, "=qwen/3.jpg": 5}
    for name, seed in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(noise_jpeg(seed))
    (tmp_path / "task.csv").write_text(f"{HEADER}\n5,tie,darker,a.jpg,\n3,tie,更亮,a.jpg,\n", encoding="utf-8")
    score = {"scorers": ["technical", "gate"]}
    made = Campaign.init(tmp_path / "c", tmp_path / "task.csv", tmp_path / "in", clock=clock, score=score)
    made.import_folder(tmp_path / "flux")
    made.import_folder(tmp_path / "=qwen", label="=qwen")
    made.score()
    return made


def test_a_row_a_candidate_says_what_it_is_and_has(campaign: Campaign) -> None:
    picks = campaign.pick()
    submission = campaign.export().submission.id
    table = campaign.scores()
    assert list(table["task"]) == ["5", "5", "3", "3"], "the order of the task table"
    assert list(table["candidate"][:2]) == sorted(table["candidate"][:2])
    assert set(table["file"]) == {"5_a.jpg", "5_b.jpg", "3.jpg"}
    assert set(table["generator"]) == {"folder:flux", "folder:=qwen"}
    assert (table["short"] == table["candidate"].str[:8]).all()
    picked = {(pick.task_id, pick.candidate_id) for pick in picks}
    assert {(t, c) for t, c, p in zip(table["task"], table["candidate"], table["picked"], strict=True) if p} == picked
    assert set(table["submissions"][table["picked"]]) == {submission}
    assert set(table["submissions"][~table["picked"]]) == {""}
    assert {"technical.sharpness", "gate.readable", "overall", "overall_sd"} <= set(table.columns)
    assert table["technical.sharpness"].notna().all()
    assert table["overall"].between(0, 10).all()
    assert not table["sc_measured"].any(), "no scorer here looks at the prompt"


def test_decisions_and_refusals_are_told_apart(campaign: Campaign) -> None:
    first, second = campaign.scores()["candidate"][:2]
    campaign.decisions.exclude("six fingers", candidate=first)
    table = campaign.scores().set_index("candidate")
    assert (table.loc[first, "decision"], table.loc[first, "eligible"]) == ("excluded", False)
    assert str(table.loc[first, "reason"]).endswith(": six fingers")
    assert (table.loc[second, "decision"], table.loc[second, "reason"]) == ("", "")


def test_a_row_a_score_has_the_unscored_ones_with_their_reason(campaign: Campaign) -> None:
    long = campaign.scores(long=True)
    wide = campaign.scores().set_index(["task", "candidate"])
    measured = long[long["value"].notna()]
    assert set(measured["reason"]) == {""}
    for row in measured.itertuples():
        assert wide.loc[(row.task, row.candidate), row.column] == row.value
    unscored = long[long["value"].isna()]
    assert unscored["reason"].ne("").all()
    assert list(dict.fromkeys(long["task"])) == ["5", "3"]


def test_only_what_is_asked_for_is_in_it(campaign: Campaign) -> None:
    assert set(campaign.scores(task_ids=["3"])["task"]) == {"3"}
    assert campaign.scores(types="t2i").empty
    with pytest.raises(InputError, match="no task '9'"):
        campaign.scores(task_ids=["9"])


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".parquet"])
def test_what_was_written_is_read_as_it_was_and_can_be_imported(campaign: Campaign, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = campaign.folder / f"all{suffix}"
    done = campaign.write_scores(path)
    assert (done.path, done.rows, done.candidates, done.tasks) == (path, 4, 4, 2)
    before = campaign.scores()
    back = read_table(path, "table", NAMES)
    assert list(back["generator"]) == list(before["generator"]), "a formula is made harmless, and comes back"
    pd.testing.assert_series_equal(back["overall"], before["overall"])  # every digit
    pd.testing.assert_series_equal(back["technical.sharpness"], before["technical.sharpness"])
    taken = campaign.import_scores(path, ["technical.sharpness:0:1:up:pq"])
    assert (taken.matched, taken.unmatched, taken.new) == (4, (), 4)
    assert list(campaign.scores()["imported.technical.sharpness"]) == list(before["technical.sharpness"])
    campaign.write_scores(path)
    again = campaign.import_scores(path)  # "imported.…" is known by what was told before; the rest is passed over
    assert (again.matched, again.new, again.changed) == (4, 0, 0)


def test_what_the_table_says_of_itself_is_not_taken_for_a_score(campaign: Campaign) -> None:
    path = campaign.folder / "all.csv"
    campaign.write_scores(path)
    with pytest.raises(InputError, match=r"--column '\w+\.\w+:LOW:HIGH:up:pq'"):
        campaign.import_scores(path)


def test_the_same_campaign_gives_the_same_bytes_which_a_spreadsheet_reads(campaign: Campaign) -> None:
    path = campaign.folder / "scores.csv"
    assert campaign.write_scores().path == path
    first = path.read_bytes()
    assert first.startswith(b"\xef\xbb\xbf")
    assert b"'=qwen" not in first and b"folder:=qwen" in first, "no cell begins with a formula"
    campaign.write_scores()
    assert path.read_bytes() == first


def test_the_verb_names_the_file_and_refuses_an_unknown_form_at_once(campaign: Campaign, run: Run) -> None:
    code, out, _ = run("scores", "-C", campaign.folder, "--out", campaign.folder / "s.json")
    columns = len(campaign.scores().columns)
    assert (code, out) == (0, f"{campaign.folder / 's.json'}: 4 candidates of 2 tasks, {columns} columns\n")
    code, _, err = run("scores", "-C", campaign.folder, "--out", campaign.folder / "s.xlsx")
    assert code == 2
    assert "has the suffix '.xlsx': a table is written as .csv" in err
    code, out, _ = run("scores", "-C", campaign.folder, "--long", "--task", "3", "--json")
    assert json.loads(out)["tasks"] == 1


def test_without_a_candidate_it_says_what_to_do_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(noise_jpeg(1))
    (tmp_path / "task.csv").write_text(f"{HEADER}\n5,tie,darker,a.jpg,\n", encoding="utf-8")
    Campaign.init(tmp_path / "empty", tmp_path / "task.csv", tmp_path / "in").close()
    code, _, err = run("scores", "-C", tmp_path / "empty")
    assert code == 2
    assert "there are no candidates yet" in err


def test_a_candidate_is_named_by_its_short_id_wherever_one_is(campaign: Campaign, run: Run) -> None:
    row = campaign.scores().iloc[2]
    code, out, _ = run("explain", row["short"], "-C", campaign.folder, "--json")
    assert code == 0
    assert json.loads(out)["task_id"] == row["task"]
    table = campaign.folder / "judged.csv"
    table.write_text(f"task,candidate,sc,pq\n{row['task']},{row['short'].upper()},5,6\n", encoding="utf-8")
    assert run("judge", table, "--by", "vlm", "-C", campaign.folder)[0] == 0
    scores = campaign.folder / "of-tool.csv"
    scores.write_text(f"candidate,hps\n{row['short']},3\n{row['candidate'][:3]},4\n", encoding="utf-8")
    taken = campaign.import_scores(scores, ["hps:0:10:up:sc"])
    assert taken.matched == 1
    assert "at least 4 characters" in taken.unmatched[0]
    code, _, err = run("explain", "ffffffff", "-C", campaign.folder)
    assert (code, "there is no task or candidate 'ffffffff'" in err) == (2, True)
    assert "there is no task 'x'" in run("explain", "x", "-C", campaign.folder)[2]
