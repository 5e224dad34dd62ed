"""Selection on a table: what counts is what the rows say, in whatever order and file; totals and judges move picks."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selector import Study
from selector.contest import table_text
from selector.domain import InputError, MissingPart
from selector.tables import Names, Selection, _files, read_contest
from selector.tables._files import read_table, write_table

RNG = np.random.default_rng(3)
TASKS, WIDTH = 12, 5
N = TASKS * WIDTH
TRUTH = np.clip(6 + 1.5 * RNG.standard_normal(N), 0, 10)
TABLE = pd.DataFrame(
    {
        "task": np.repeat([f"t{i}" for i in range(TASKS)], WIDTH),
        "candidate": [f"c{i}" for i in range(N)],
        "generator": np.tile(list("vwxyz"), TASKS),
        "good": TRUTH + RNG.standard_normal(N),
        "bad": -TRUTH + RNG.standard_normal(N),
        "noise": np.where(RNG.random(N) < 0.2, np.nan, RNG.standard_normal(N)),
    }
)
ROWS = b"task,s\na,1\nb,2\n"
KNOWN = {"good": "up", "bad": "down"}


def chosen(selection: Selection) -> dict[object, object]:
    return {pick.task: pick.candidate for pick in selection.picks}


def best_by(score: str, sign: float) -> dict[object, object]:
    best = (sign * TABLE[score]).groupby(TABLE["task"]).idxmax()
    return dict(zip(TABLE["task"][best], TABLE["candidate"][best], strict=True))


@pytest.mark.parametrize(("score", "word", "sign"), [("good", "up", 1), ("bad", "down", -1), ("good", "judge", 1)])
def test_a_score_whose_direction_is_told_picks_its_best_end(score: str, word: str, sign: float) -> None:
    table = TABLE[["task", "candidate", score]]
    assert chosen(read_contest(table, {score: word}).picks()) == best_by(score, sign)


def test_a_study_takes_the_same_words() -> None:
    study = Study(TABLE, {"good": "up", "bad": "down", "noise": "judge"})
    beliefs = study.calibrator.beliefs or {}
    assert beliefs["good"].correlation == -beliefs["bad"].correlation > 0
    assert beliefs["noise"].sd > beliefs["good"].sd
    with pytest.raises(InputError, match="the belief in 'good' must be 'up', 'down', 'judge', a correlation or"):
        Study(TABLE, {"good": "sideways"})


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(N)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    tied = TABLE.assign(good=TABLE["good"].round())  # equals are decided by name, not by place
    first = read_contest(tied, KNOWN).picks()
    other = read_contest(tied.iloc[order], KNOWN).picks()
    assert {pick.task: pick for pick in other.picks} == {pick.task: pick for pick in first.picks}
    assert [pick.task for pick in other.picks] == list(dict.fromkeys(tied["task"].iloc[order]))


def test_the_same_table_as_csv_json_and_parquet_gives_the_same_picks(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    TABLE.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    TABLE.to_json(tmp_path / "t.json", orient="records", double_precision=15)
    records = TABLE.astype(object).where(TABLE.notna(), None).to_dict("records")
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    from_csv = read_contest(tmp_path / "t.csv", KNOWN).picks()
    for name in ("t.tsv", "t.jsonl"):
        assert read_contest(tmp_path / name, KNOWN).picks() == from_csv
    assert chosen(read_contest(tmp_path / "t.json", KNOWN).picks()) == chosen(from_csv)  # pandas writes 15 digits
    pytest.importorskip("pyarrow", reason="Parquet is an extra: pip install 'bestshot[parquet]'")
    TABLE.to_parquet(tmp_path / "t.parquet")
    assert read_contest(tmp_path / "t.parquet", KNOWN).picks() == from_csv


def test_empty_rows_at_the_end_are_what_a_spreadsheet_left(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    text = (tmp_path / "t.csv").read_text("utf-8") + "".join(f"{',' * (len(TABLE.columns) - 1)}\r\n" for _ in range(3))
    (tmp_path / "more.csv").write_text(text, encoding="utf-8")
    assert read_contest(tmp_path / "more.csv", KNOWN).picks() == read_contest(tmp_path / "t.csv", KNOWN).picks()


def test_half_of_a_letter_in_json_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"task": "a", "candidate": "x", "s": "\\ud800"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"line 1 is no JSON .*surrogates not allowed"):
        read_contest(tmp_path / "t.jsonl", KNOWN)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_written_picks_are_read_again_as_the_picks_of_a_total(tmp_path: Path, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet is an extra: pip install 'bestshot[parquet]'")
    first = read_contest(TABLE, KNOWN).picks()
    first.write(tmp_path / f"picks.{suffix}")
    (tmp_path / "totals.csv").write_text(f"total,picks,label\n6.25,picks.{suffix},Monday\n", encoding="utf-8")
    told = read_contest(TABLE, KNOWN, totals=tmp_path / "totals.csv").picks().told
    assert [(t.total, dict(t.picks)) for t in told] == [(6.25, chosen(first))]


def test_totals_teach_and_one_to_come_is_pending(tmp_path: Path) -> None:
    rng, lines = np.random.default_rng(0), ["total,picks"]
    for number in range(10):
        rows = np.arange(TASKS) * WIDTH + rng.integers(WIDTH, size=TASKS)
        TABLE.iloc[rows][["task", "candidate"]].to_csv(tmp_path / f"{number}.csv", index=False)
        lines.append(f"{TRUTH[rows].mean() if number else ''},{number}.csv")
    (tmp_path / "totals.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_contest(TABLE, totals=tmp_path / "totals.csv").picks()
    assert (len(found.told), found.pending) == (9, 1)
    assert not found.notes
    weights = {w.effect.name: w for w in found.weights if w.effect.kind == "score"}
    assert weights["good"].mean > 0 > weights["bad"].mean


def test_a_next_submission_that_learns_says_so() -> None:
    contest = read_contest(TABLE, KNOWN)
    best, following = contest.picks(), contest.next_picks(10)
    assert following.plan is not None and best.plan is None
    changed = [pick for pick in following.picks if pick.candidate != chosen(best)[pick.task]]
    assert len(changed) == following.plan.changed > 0
    assert all(pick.reason.startswith("submitted to learn: ") for pick in changed)
    assert not any("learn" in pick.reason for pick in following.picks if pick not in changed)
    assert chosen(contest.next_picks(1)) == chosen(best)  # the last one wins


def test_what_a_judge_saw_counts_by_the_mean_of_its_passes(tmp_path: Path) -> None:
    lines = [f"{t},{c},{9 if i % WIDTH == 2 else 3}" for i, (t, c) in enumerate(TABLE[["task", "candidate"]].values)]
    more = [line.replace(",9", ",7").replace(",3", ",2") for line in lines]
    (tmp_path / "judged.csv").write_text("\n".join(["task,candidate,overall", *lines, *more]), encoding="utf-8")
    contest = read_contest(TABLE, KNOWN, judged=tmp_path / "judged.csv")
    assert set(chosen(contest.picks()).values()) == set(TABLE["candidate"][2::WIDTH])
    assert contest.picks().judged == N
    (judge,) = contest.judgements
    assert set(judge.overall.tolist()) == {8.0, 2.5}
    assert set(np.bincount(judge.rows).tolist()) == {2} and set(judge.passes.tolist()) == {9, 7, 3, 2}
    assert contest.study.pool.gain["judged"].min() > 1.0, "the mean of two passes tells more than one pass"


def test_judges_stand_apart_and_sc_and_pq_make_an_overall(tmp_path: Path) -> None:
    rows = "task,candidate,judge,sc,pq\nt0,c0,small,4,9\nt0,c0,big,8,2\nt1,c6,big,,\n"
    (tmp_path / "judged.csv").write_text(rows, encoding="utf-8")
    contest = read_contest(TABLE, KNOWN, judged=tmp_path / "judged.csv")
    seen = {j.column: j.overall[~np.isnan(j.overall)].tolist() for j in contest.judgements}
    assert seen == {"judged by big": [4.0], "judged by small": [6.0]}
    assert contest.picks().judged == 1


def test_parts_of_an_explanation_add_up_and_its_pick_is_the_pick() -> None:
    contest = read_contest(TABLE, KNOWN)
    explained = contest.explain("t3")
    pick = next(pick for pick in contest.picks().picks if pick.task == "t3")
    assert explained.candidates[0].candidate == pick.candidate
    assert sum(c.p_best for c in explained.candidates) == pytest.approx(1)
    for candidate in explained.candidates:
        assert explained.level + sum(candidate.parts.values()) == pytest.approx(candidate.overall)


def test_reasons_name_what_moved_the_pick_and_the_runner_up() -> None:
    rows = [("a", "x", 9.0), ("a", "y", 1.0), ("b", "x", 5.0)]
    table = pd.DataFrame(rows, columns=["task", "candidate", "judge"])
    first, only = read_contest(table, {"judge": "judge"}).picks().picks
    figures = f"{first.p_best:.2f}", f"{first.runner_up_p_best:.2f}"
    assert re.fullmatch(rf"chosen, {figures[0]} to be the best; judge \+\d\.\d; runner-up y {figures[1]}", first.reason)
    assert (only.reason, only.runner_up, only.p_best) == ("the only candidate", None, 1.0)


def test_without_anything_known_it_says_that_picks_are_chance() -> None:
    (note,) = read_contest(TABLE).picks().notes
    assert "no better than chance" in note and "--column NAME=up" in note
    assert read_contest(TABLE, KNOWN).picks().notes == ()


def test_scores_that_agree_are_followed_where_nothing_is_known_and_the_note_says_so() -> None:
    """Their direction is a guess: three errors that agree would be followed, too."""
    skill = RNG.standard_normal(N)
    agreeing = TABLE[["task", "candidate"]].assign(**{f"s{i}": skill + 0.3 * RNG.standard_normal(N) for i in range(3)})
    found = read_contest(agreeing).picks()
    highest = {task: rows.candidate.iloc[rows.s0.argmax()] for task, rows in agreeing.groupby("task")}
    assert sum(chosen(found)[task] == c for task, c in highest.items()) > TASKS / 2
    assert "follow what the scores agree on" in found.notes[0] and "--column NAME=up" in found.notes[0]


def test_a_task_of_equals_is_explained_with_its_pick_first() -> None:
    contest = read_contest(TABLE[["task", "candidate"]])
    assert {task: contest.explain(task).candidates[0].candidate for task in TABLE.task} == chosen(contest.picks())


# Names


def test_columns_may_have_other_names_and_one_may_name_two_things() -> None:
    table = TABLE.drop(columns="candidate").rename(columns={"task": "prompt_id", "generator": "model"})
    contest = read_contest(table, KNOWN, names=Names("prompt_id", candidate="model", generator="model"))
    assert {pick.candidate for pick in contest.picks().picks} <= set("vwxyz")
    assert contest.picks().generators == WIDTH


def test_without_candidates_names_rows_are_numbered_within_their_task() -> None:
    table = TABLE.drop(columns=["candidate", "generator"]).sample(frac=1, random_state=0)
    contest = read_contest(table, KNOWN)
    assert {pick.candidate for pick in contest.picks().picks} <= {1, 2, 3, 4, 5}
    assert contest.picks().generators == 1


def test_names_come_back_as_they_came_and_zeros_in_front_stay(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("task,candidate,judge\n007,NA,1\n007,02,3\n", encoding="utf-8")
    assert chosen(read_contest(tmp_path / "t.csv", {"judge": "up"}).picks()) == {"007": "02"}
    numbered = pd.DataFrame({"task": [7, 7], "candidate": [1, 2], "judge": [1.0, 3.0]})
    assert chosen(read_contest(numbered, {"judge": "up"}).picks()) == {7: 2}


def test_text_is_passed_over_and_truths_are_numbers() -> None:
    table = TABLE.assign(file=TABLE["candidate"] + ".mp4", passed=TABLE["good"] > 6, when=pd.Timestamp("2026-01-01"))
    found = read_contest(table, {"passed": "up", "noise": "ignore"}).picks()
    assert found.passed_over == ("file", "when")
    assert list(found.scores) == ["good", "bad", "passed"]


def test_a_study_s_own_columns_are_known_here_too() -> None:
    contest = read_contest(TABLE.assign(task_type="video", variant="", finish=["", "sharp"] * (N // 2)), KNOWN)
    assert contest.study.pool.task_types == ("video",) * N
    assert any("finish sharp" in candidate.made_with for candidate in contest.explain("t0").candidates)


# Errors


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty: a line with the names"),
        ("task,candidate,s\n", "holds no row"),
        ("task,candidate,s\na,x,1\na,y\n", "row 2 has 2 cells where the header has 3"),
        ("task\na\n,\nb\n", "no table with the same cells in each row"),
        ("task,candidate,s\n\na,x,1\n\nb,y,1,2\n", "row 2 has 4 cells"),
        ('task,candidate,s\na,"x,1\n', "a double quote is opened and never closed"),
        ("task,candidate,s,s\na,x,1,2\n", "has two columns 's'"),
        ("task,candidate,,s\na,x,1,2\n", "a column without a name"),
        ("task,candidate,s\na,x,1\na,x,2\n", "task 'a' has two candidates 'x'"),
        ("task,candidate,s\na,x,1\n,y,2\n", "column 'task' is empty in row 2"),
        ("task,candidate,s\na,x,1\nb, ,2\n", "column 'candidate' is empty in row 2"),
        ("task,candidate,generator,s\na,x,,1\n", "column 'generator' is empty in row 1"),
        ("task,candidate,s\na,x,1\na,y,-inf\n", "column 's' is infinite in row 2"),
        ("task,candidate,s\na,x,1\na,y,much\n", "column 's' holds numbers, but 'much' in row 2"),
        ("tasks,candidate,s\na,x,1\n", "has no column 'task' .did you mean 'tasks'.*--task COLUMN"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"t.csv.*{words}") as caught:
        read_contest(tmp_path / "t.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl"])
def test_a_table_of_too_many_bytes_is_refused_by_its_size_alone(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(6_000_000_000)  # sparse: takes no room on the disk
    tracemalloc.start()
    with pytest.raises(InputError, match=rf"{name} has more than 1.0 GB, .*give Parquet, or split the table"):
        read_contest(tmp_path / name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


class _Endless(io.RawIOBase):
    """A device without an end."""

    given = 0

    def read(self, size: int = -1, /) -> bytes:
        assert 0 <= size <= 1 << 20, "all of it was asked for"
        self.given += size
        return bytes(size)


def test_a_stream_without_an_end_is_read_to_the_bound_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = _Endless()
    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", 3_000_000)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=endless))
    with pytest.raises(InputError, match=r"- has more than 3\.0 MB"):
        read_contest("-")
    assert endless.given == 3_000_001


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the device of Linux and macOS")
def test_a_device_is_read_to_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", 3_000_000)
    with pytest.raises(InputError, match=r"/dev/zero has more than 3\.0 MB"):
        read_contest("/dev/zero")


def test_a_table_at_the_bound_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(ROWS)
    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", len(ROWS))
    assert len(read_table(path, "table", ("task",))) == 2
    monkeypatch.setattr(_files, "MAX_TEXT_BYTES", len(ROWS) - 1)
    with pytest.raises(InputError, match="has more than"):
        read_table(path, "table", ("task",))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "task,s\n" + "a,1\n" * 60),
        ("t.csv", "task\r" + "a\r" * 120),
        ("t.json", "[" + "{}," * 60 + "{}]"),
        ("t.jsonl", "\n" * 120),
    ],
)
def test_text_that_would_take_far_more_memory_than_it_has_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setattr(_files, "MAX_CELLS", 100)
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    with pytest.raises(InputError, match="has more than 0 million cells, too much for CSV or JSON"):
        read_contest(tmp_path / name)


def test_a_parquet_of_billions_of_equal_cells_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    pd.DataFrame({"task": ["a"] * 100, "s": [1.0] * 100}).to_parquet(path)
    assert len(read_table(path, "table", ("task",))) == 100
    monkeypatch.setattr(_files, "MAX_PARQUET_CELLS", 199)
    with pytest.raises(InputError, match=r"t\.parquet has 200 cells, at most 199 are read: split the table"):
        read_table(path, "table", ("task",))


def test_a_table_is_parsed_in_less_memory_than_four_bytes_a_letter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("task,prompt\n" + f"a,{'x' * 10_000}\n" * 2000, encoding="utf-8")
    tracemalloc.start()
    assert len(read_table(path, "table", ("task", "prompt"))) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4.5 * path.stat().st_size


def test_gbk_is_recognised_in_a_table_too_large_to_be_decoded_for_a_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"task,s\n" + b"a,1\n" * 1000 + "文字,1\n".encode("gbk") * 1000)
    monkeypatch.setattr(table_text, "MAX_TABLE_BYTES", 1000)
    monkeypatch.setattr(table_text, "_SAMPLE_BYTES", 500)
    with pytest.raises(InputError, match="line 1002 is not UTF-8, it looks like GBK"):
        read_table(path, "table", ("task",))


COMMAS = "task;candidate;clip;note\na;x;{};fine\na;y;{};fine\nb;x;{};fine\nb;y;{};fine\n"


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("0,31", "0,42", "", "-1,5"), [0.31, 0.42, np.nan, -1.5]),
        (("+0,31", "1", "0,5", "nan"), [0.31, 1.0, 0.5, np.nan]),
        (("1,5E-05", "0", "0,1", "0,2"), [1.5e-05, 0.0, 0.1, 0.2]),
        (("０，３１", "0,42", "1,0", "2,0"), [0.31, 0.42, 1.0, 2.0]),
        (("0.31", "0.42", "", "-1.5"), [0.31, 0.42, np.nan, -1.5]),
    ],
)
@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_are_read_where_the_table_is_separated_otherwise(
    tmp_path: Path, cells: tuple[str, ...], numbers: list[float], separator: str
) -> None:
    path = tmp_path / "ss2.csv"
    table = COMMAS.format(*cells)
    path.write_text(f"sep=;\n{table}" if separator == ";" else table.replace(";", "\t"), encoding="utf-8")
    found = read_table(path, "table of scores", ("task", "candidate"))
    assert found["clip"].tolist() == pytest.approx(numbers, rel=0, abs=0, nan_ok=True)
    assert found["note"].tolist() == ["fine"] * 4
    assert chosen(read_contest(path, {"clip": "up"}).picks())["a"] == max(zip(numbers, "xy", strict=False))[1]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("0.31", "0,42", "1", "2"), "column 'clip' .*'0,42' in row 2, probably with a decimal comma: write 0.42, or"),
        (("1.234,5", "0,42", "1,5", "2,5"), "decimal commas as in '0,42', but also '1.234,5': write all with a dec"),
        (("0,31", "low", "0,5", "0,5"), "decimal commas as in '0,31', but also 'low'"),
    ],
)
def test_commas_beside_points_are_not_guessed_at(tmp_path: Path, cells: tuple[str, ...], words: str) -> None:
    (tmp_path / "t.csv").write_text("sep=;\n" + COMMAS.format(*cells), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_contest(tmp_path / "t.csv", {"clip": "up"})


def test_decimal_commas_between_commas_are_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('task,candidate,clip\na,x,"0,31"\na,y,"0,42"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"no number.*; '0,31' has a decimal comma: write 0.31, or .*sep=; on top"):
        read_contest(tmp_path / "t.csv", {"clip": "up"})


def test_totals_and_judgements_may_have_decimal_commas_and_full_width_digits(tmp_path: Path) -> None:
    best = TABLE.loc[TABLE.groupby("task")["good"].idxmax()]
    best[["task", "candidate"]].to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "totals.csv").write_text("sep=;\ntotal;picks\n6,1;p.csv\n6,3;p.csv\n", encoding="utf-8")
    (tmp_path / "wide.csv").write_text("total,picks\n６.1,p.csv\n６．３,p.csv\n", encoding="utf-8")
    (tmp_path / "judged.csv").write_text("sep=;\ntask;candidate;overall\nt0;c0;7,5\nt0;c1;3\n", encoding="utf-8")
    for name in ("totals.csv", "wide.csv"):
        contest = read_contest(TABLE, KNOWN, tmp_path / name, tmp_path / "judged.csv")
        assert [one.total for one in contest.submissions] == [6.1, 6.3]
        assert contest.judgements[0].passes.tolist() == [7.5, 3.0]


def test_a_task_in_full_width_digits_is_told_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("task,candidate,s\n2,x,１.5\n2,y,5²\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds numbers, but '5²' in row 2"):
        read_contest(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("task,candidate,s\n2,x,１.5\n2,y,０\n", encoding="utf-8")
    contest = read_contest(tmp_path / "t.csv", {"s": "up"})
    assert chosen(contest.picks()) == {"2": "x"}
    with pytest.raises(InputError, match=r"no task '２' \('２' is in full-width characters: type '2'\)"):
        contest.explain("２")


def test_what_is_no_table_at_all_is_told_so() -> None:
    with pytest.raises(InputError, match="a file or a pandas DataFrame, got list"):
        read_contest([1, 2])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("t.json", '[{"task": "a"', "t.json is no JSON"),
        ("t.json", "[1, 2]", "expected a list of records"),
        ("t.jsonl", '{"task": "a", "candidate": 1}\n{', "t.jsonl: line 2 is no JSON"),
        ("t.csv", "PK\x03\x04", "is a ZIP archive"),
    ],
)
def test_a_file_of_another_kind_is_told_so(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_contest(tmp_path / name)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"goood": "up"}, r"has no score 'goood' \(did you mean 'good'\?\)"),
        ({"task": "up"}, "has no score 'task'"),
        ({"good": "upp"}, r"column 'good' cannot be 'upp' \(did you mean 'up'\?\)"),
        ({"file": "up"}, "column 'file' holds text"),
        ({"good": 3.0}, "needs a correlation in -1..1"),
    ],
)
def test_what_is_said_of_a_column_must_fit(columns: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_contest(TABLE.assign(file="x.mp4"), columns)


@pytest.mark.parametrize(
    ("totals", "picks", "words"),
    [
        ("total,picks\n5,gone.csv\n", "", "row 1: there is no file 'gone.csv'"),
        (f"total,picks\n5,{'a' * 300}\n", "", "row 1: there is no file 'aaa"),
        ("total\n5\n", "", "has no column 'picks'"),
        ("total,picks\n5,\n", "", "row 1 names no file in 'picks'"),
        ("total,picks\n,p.csv\n11,p.csv\n", "whole", "row 2: a total lies between 0 and 10, got 11"),
        ("total,picks\nx,p.csv\n", "whole", "column 'total' holds no number"),
        ("total,picks\n5,p.csv\n", "t0,c1\n", "p.csv has 1 pick for 1 task: .* each of the 12 tasks"),
        ("total,picks\n,p.csv\n", "t0,c1\n", "p.csv has 1 pick for 1 task"),
        ("total,picks\n5,p.csv\n", "t0,c1\nt0,c2\n", "p.csv has 2 picks for 1 task"),
        ("total,picks\n5,p.csv\n", "t0,c99\n", "p.csv: row 1: task 't0' has no candidate 'c99'"),
        ("total,picks\n5,p.csv\n", "t99,c1\n", "there is no such task .did you mean 't9'"),
    ],
)
def test_a_total_whose_picks_do_not_fit_is_refused(tmp_path: Path, totals: str, picks: str, words: str) -> None:
    (tmp_path / "totals.csv").write_text(totals, encoding="utf-8")
    whole = "".join(f"t{i},c{i * WIDTH}\n" for i in range(TASKS))
    (tmp_path / "p.csv").write_text(f"task,candidate\n{whole if picks == 'whole' else picks}", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_contest(TABLE, totals=tmp_path / "totals.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task,candidate\nt0,c0\n", "needs a column 'overall', or the two columns 'sc' and 'pq'"),
        ("task,candidate,sc,pq\nt0,c0,11,2\n", "row 1: sc is 11, not from 0 to 10"),
        ("task,candidate,overall\nt0,c0,\nt0,c99,4\n", "row 2: task 't0' has no candidate 'c99'"),
        ("task,overall\nt0,4\n", "has no column 'candidate'"),
    ],
)
def test_judgements_that_do_not_fit_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "judged.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_contest(TABLE, judged=tmp_path / "judged.csv")


def test_parquet_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.tables._files.find_spec", lambda _: None)
    with pytest.raises(MissingPart, match=r"pip install 'bestshot\[parquet\]'"):
        read_contest(tmp_path / "t.parquet")
    with pytest.raises(MissingPart, match=r"pip install 'bestshot\[parquet\]'"):
        read_contest(TABLE, KNOWN).picks().write(tmp_path / "picks.parquet")


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, found = tmp_path / "picks.csv", read_contest(TABLE, KNOWN).picks()
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr("os.fsync", _raise)
    with pytest.raises(KeyboardInterrupt):
        found.write(path)
    assert [p.name for p in tmp_path.iterdir()] == ["picks.csv"]
    assert path.read_text(encoding="utf-8") == "old"


def _raise(_handle: int) -> None:
    raise KeyboardInterrupt


def test_a_table_with_semicolons_is_named_as_such(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("task;candidate;score\na;1;0.5\n", encoding="utf-8")
    with pytest.raises(InputError, match="separated by semicolons"):
        read_contest(path)


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t")])
def test_names_that_a_spreadsheet_would_run_are_written_harmless_and_read_back(
    tmp_path: Path, suffix: str, delimiter: str
) -> None:
    names = ["=a", "-1", "@b", "'=c", "\r=d", "=e\tf"]
    table = pd.DataFrame({"task": names, "+s": [-0.5, 1, 2, 3, 4, float("nan")]})
    path = tmp_path / f"t{suffix}"
    write_table(path, table)
    rows = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), delimiter=delimiter)
    cells = [cell for row in rows for cell in row]
    assert {cell for cell in cells if cell[:1] in ("=", "+", "-", "@")} == {"-1", "-0.5"}
    pd.testing.assert_frame_equal(read_table(path, "table", ("task",)), table, check_dtype=False)


def test_the_line_of_excel_says_how_a_table_is_separated(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("sep=;\ntask;candidate;score\na;1,5;0.5\n", encoding="utf-8-sig")
    assert read_table(path, "table of scores", ("task", "candidate")).to_dict("records") == [
        {"task": "a", "candidate": "1,5", "score": 0.5}
    ]
