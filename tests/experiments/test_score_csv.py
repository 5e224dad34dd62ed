"""Tables of published scores as arrays: what a selector may see, what is left out, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.support.score_csv import columns_of, load_table, may_be_seen, parse_sets, read_frames
from experiments.support.score_table import ScoreTable
from selector.domain import InputError

BOARD = "gpt4o_0shot"
HEADER = (
    "task_id,generator,human_sc,gpt4o_0shot_sc,gpt4o_0shot_pq,gpt4v_0shot_sc,auto_lpips,llava_0shot_sc,llava_0shot_pq"
)
ROWS = [
    "a,x,1,9,4,3,0.5,8,2",
    "b,x,1,4,4,3,0.1,8,",
    "a,y,1,1,1,3,,7,7",
    "b,y,1,,4,3,0.2,7,7",
    "c,x,1,,,3,0.2,7,7",
]


@pytest.fixture
def written(tmp_path: Path):
    def write(rows=ROWS, header=HEADER, name="scores.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def loaded(*paths: Path, proxies: str = "cheap") -> ScoreTable:
    return load_table(read_frames(paths, BOARD), BOARD, proxies)


def test_rows_of_a_task_stand_together_and_unscored_is_nan(written):
    shown = loaded(written()).shown
    assert shown.task.tolist() == [0, 0, 1]
    assert [shown.generators[g] for g in shown.generator] == ["x", "y", "x"]
    assert shown.columns == ("auto_lpips", "llava_0shot_sc", "llava_0shot_pq")
    np.testing.assert_equal(shown.scores, [[0.5, 8, 2], [np.nan, 7, 7], [0.1, 8, np.nan]])
    np.testing.assert_equal(shown.proxy("llava_0shot"), [4.0, 7.0, np.nan])


def test_rows_and_tasks_without_the_leaderboards_score_are_left_out_and_told(written):
    table = loaded(written())
    assert table.truth.tolist() == [6.0, 1.0, 4.0]
    assert table.notes == (
        "scores.csv: 2 of 5 rows have no score of gpt4o_0shot and are left out, with them 1 whole tasks",
    )


def test_gap_is_0_for_a_random_pick_and_1_for_the_oracle(written):
    table = loaded(written())
    assert table.random_score == pytest.approx((3.5 + 4) / 2)
    assert table.oracle_score == pytest.approx(5.0)
    assert table.recovered(np.array([0, 2])) == pytest.approx(1.0)
    assert table.recovered(np.array([1, 2])) == pytest.approx((2.5 - 3.75) / 1.25)
    assert table.gap(3.75) == pytest.approx(0.0)


def test_gap_is_nan_where_picks_cannot_differ(written):
    assert np.isnan(loaded(written(ROWS[1:2])).recovered(np.array([0])))


def test_people_gpt4_and_the_leaderboards_judge_are_never_features():
    header = ["human_sc", "gpt4o_0shot_sc", "gpt4v_0shot_sc", "auto_x", "llava_0shot_sc", "llava_0shot_pq"]
    assert columns_of("cheap", header, BOARD) == ("auto_x", "llava_0shot_sc", "llava_0shot_pq")
    assert columns_of("cheap", header, "llava_0shot") == ("auto_x",)
    assert not any(may_be_seen(name, BOARD) for name in ("human_pq", "gpt4o_1shot_sc", "gpt4v_0shot_pq"))


def test_several_tables_are_types_of_one_contest_with_shared_generators(written):
    other = written(["a,x,3,3,9"], "task_id,generator,gpt4o_0shot_sc,gpt4o_0shot_pq,auto_clip", "other.csv")
    table = loaded(written(), other)
    assert table.shown.task_type.tolist() == [0, 0, 1]  # "a" of the second table is a task of its own
    assert table.shown.generators == ("x", "y")
    assert table.shown.columns == ("auto_lpips", "auto_clip", "llava_0shot_sc", "llava_0shot_pq")
    np.testing.assert_equal(table.shown.scores[3], [np.nan, 9, np.nan, np.nan])
    assert table.truth[3] == pytest.approx(3.0)
    assert any("other.csv: no column auto_lpips, llava_0shot_sc" in note for note in table.notes)


def test_judges_values_beyond_their_scale_are_unscored_and_told(written):
    table = loaded(written(["a,x,1,9,4,3,0.5,-1,2", "a,y,1,9,11,3,0.5,8,2", "a,z,1,9,1,3,99.5,8,2"]))
    assert table.truth.tolist() == [6.0, 3.0]
    np.testing.assert_equal(table.shown.scores, [[0.5, np.nan, 2], [99.5, 8, 2]])
    assert any("1 values of llava_0shot_sc outside 0 to 10" in note for note in table.notes)


def test_people_who_rate_to_1_are_a_leaderboard_of_0_to_10(written):
    rows = ["a,x,1,0.5,0.1,8,2", "a,y,0.25,0.25,0.2,7,7", "b,x,2,1,0.2,7,7"]
    path = written(rows, "task_id,generator,human_sc,human_pq,auto_lpips,llava_0shot_sc,llava_0shot_pq")
    table = load_table(read_frames([path], "human"), "human", "cheap", top=1.0)
    np.testing.assert_allclose(table.truth, [10 * 0.5**0.5, 2.5])
    assert table.notes[0] == "scores.csv: 1 values of human_sc outside 0 to 1 count as unscored"


@pytest.mark.parametrize(
    ("rows", "header", "proxies", "words"),
    [
        (ROWS, HEADER.replace("gpt4o_0shot_pq", "other"), "cheap", "gpt4o_0shot_pq missing"),
        (ROWS, HEADER.replace("gpt4o_", "foo_"), "cheap", "--leaderboard can be foo_0shot, llava_0shot"),
        (ROWS, HEADER.replace("task_id", "id"), "cheap", "column task_id missing"),
        (ROWS, HEADER, "cheap+judge", "the judge gemini is absent from the table"),
        (ROWS, HEADER.replace("auto_", "x_").replace("llava", "y"), "cheap", "no proxy at all"),
        (["a,x,1,9,4,3,high,8,2"], HEADER, "cheap", "column auto_lpips of data row 1 has 'high'"),
        (["a,x,1,,4,3,1,8,2"], HEADER, "cheap", "no row has a score of the leaderboard"),
        ([], HEADER, "cheap", "no row has a score of the leaderboard"),
        ([*ROWS, ",x,1,9,4,3,1,8,2"], HEADER, "cheap", f"column task_id of data row {len(ROWS) + 1} is empty"),
        ([*ROWS, "a, ,1,9,4,3,1,8,2"], HEADER, "cheap", f"column generator of data row {len(ROWS) + 1} is empty"),
    ],
)
def test_a_table_that_cannot_be_replayed_is_refused_in_one_line(written, rows, header, proxies, words):
    with pytest.raises(InputError) as refused:
        loaded(written(rows, header), proxies=proxies)
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_missing_empty_and_binary_files_are_refused(tmp_path: Path):
    empty, binary = tmp_path / "empty.csv", tmp_path / "binary.csv"
    empty.write_bytes(b"")
    binary.write_bytes(b"\xff\xfe\x00\x01\n\x80")
    for path, words in ((tmp_path / "no.csv", "no such file"), (empty, "not a CSV"), (binary, "not a CSV")):
        with pytest.raises(InputError, match=words):
            read_frames([path], BOARD)


def test_the_leaderboards_judge_cannot_be_the_local_judge():
    with pytest.raises(InputError, match="gemini_0shot is the leaderboard here"):
        columns_of("cheap+judge", ["gemini_0shot_sc", "gemini_0shot_pq", "auto_x"], "gemini_0shot")


def test_proxy_sets_are_parsed_once_each_and_unknown_ones_refused():
    assert parse_sets("cheap, cheap+judge,cheap") == ("cheap", "cheap+judge")
    for text in ("all", "", "cheap,judge"):
        with pytest.raises(InputError, match="--proxies: expected cheap or cheap\\+judge"):
            parse_sets(text)
