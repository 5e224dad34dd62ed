"""Judgements of single candidates: all rows or none, twice is once, corrections have reasons, rules are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import HEADER, noise_jpeg
from sqlalchemy import insert

from selector import Campaign
from selector.domain import InputError
from selector.domain.errors import InputProblems
from selector.store import Database, schema
from selector.store.candidates import load_candidates
from selector.store.observations import Judgement, load_judgements

Write = Callable[[str], Path]


@pytest.fixture
def judged(tmp_path: Path) -> Campaign:
    """A scene edit "3" with two candidates, a face swap "5" with one."""
    return make(tmp_path, f"{HEADER}\n3,tie,brighter,a.jpg,\n5,deepfake,,a.jpg,b.jpg\n", "tianchi-532389")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a table of judgements in which {3a}, {3b} and {5a} are the beginnings of candidates' ids."""

    def call(text: str) -> Path:
        path = tmp_path / "scores.csv"
        ids = candidate_ids(tmp_path / "campaign")
        named = {"{3a}": ids["3"][0][:6], "{3b}": ids["3"][-1], "{5a}": ids["5"][0][:8].upper()}
        for name, candidate_id in named.items():
            text = text.replace(name, candidate_id)
        path.write_text(text, encoding="utf-8")
        return path

    return call


def make(folder: Path, table: str, profile: str) -> Campaign:
    """A campaign with candidates imported for tasks 3 (two) and 5 (one)."""
    for name in ("in/a.jpg", "in/b.jpg", "out/3_1.jpg", "out/3_2.jpg", "out/5.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(noise_jpeg(sum(name.encode())))
    (folder / "task.csv").write_text(table, encoding="utf-8")
    campaign = Campaign.init(folder / "campaign", folder / "task.csv", folder / "in", profile)
    assert campaign.import_folder(folder / "out").made == 3
    return campaign


def candidate_ids(folder: Path) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    with Database(folder / "campaign.db").read() as connection:
        for candidate in load_candidates(connection):
            ids.setdefault(candidate.task_id, []).append(candidate.id)
    return ids


def stored(campaign: Campaign) -> list[Judgement]:
    with Database(campaign.folder / "campaign.db").read() as connection:
        return load_judgements(connection)


def test_sc_and_pq_are_stored_and_empty_means_not_judged(judged: Campaign, write: Write) -> None:
    summary = judged.judges["vlm"].tell(write("task,candidate,sc,pq\n3,{3a},7,5.5\n3,{3b},,\n5,{5a},,4\n"))
    assert (summary.new, summary.known, summary.unjudged, summary.types) == (2, 0, 1, {"deepfake": 1, "tie": 1})
    ids = candidate_ids(judged.folder)
    assert [(j.task_id, j.candidate_id, j.sc, j.pq, j.judge, j.kind) for j in stored(judged)] == [
        ("3", ids["3"][0], 7.0, 5.5, "vlm", "judge"),
        ("5", ids["5"][0], None, 4.0, "vlm", "judge"),
    ]


def test_the_smallest_sub_score_counts_and_all_are_kept(judged: Campaign, write: Write) -> None:
    header = "task,candidate,edit_success,minimal_over_editing,naturalness,freedom_from_artefacts,cosine"
    judged.judges["vlm"].tell(write(f"{header}\n3,{{3a}},8,6,,,\n5,{{5a}},,,9,7,0.42\n"))
    edit, swap = stored(judged)
    assert (edit.sc, edit.pq, edit.parts) == (6.0, None, {"edit_success": 8.0, "minimal_over_editing": 6.0})
    assert (swap.sc, swap.pq) == (pytest.approx(4.2), 7.0)
    assert swap.parts == {"cosine": 0.42, "naturalness": 9.0, "freedom_from_artefacts": 7.0}


def test_a_negative_cosine_is_an_sc_of_0(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("task,candidate,cosine\n5,{5a},-0.3\n"))
    assert (stored(judged)[0].sc, stored(judged)[0].parts) == (0.0, {"cosine": -0.3})


def test_tabs_other_columns_and_windows_line_ends_are_read(judged: Campaign, write: Write) -> None:
    summary = judged.judges["vlm"].tell(write('task\tcandidate\tsc\tcomment\r\n3\t{3a}\t7\t"two\r\nlines"\r\n\r\n'))
    assert (summary.new, summary.ignored) == (1, ("comment",))


def test_twice_is_once(judged: Campaign, write: Write) -> None:
    path = write("task,candidate,sc,pq,cosine\n3,{3a},7.1,5.3,\n5,{5a},,2,0.123\n")
    judged.judges["vlm"].tell(path)
    before = stored(judged)
    again = judged.judges["vlm"].tell(path)
    assert (again.new, again.known) == (0, 2)
    assert stored(judged) == before


def test_an_axis_may_come_later_and_what_was_said_stays(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("task,candidate,edit_success,minimal_over_editing\n3,{3a},8,6\n"))
    summary = judged.judges["vlm"].tell(write("task,candidate,sc,pq\n3,{3a},,5\n"))
    assert (summary.new, summary.corrected) == (1, 0)
    (both,) = stored(judged)
    assert (both.sc, both.pq, both.parts) == (6.0, 5.0, {"edit_success": 8.0, "minimal_over_editing": 6.0})


def test_another_score_needs_a_reason(judged: Campaign, write: Write) -> None:
    header = "task,candidate,edit_success,minimal_over_editing"
    judged.judges["vlm"].tell(write(f"{header}\n3,{{3a}},8,6\n"))
    path = write(f"{header}\n3,{{3a}},9,6\n3,{{3b}},1,1\n")
    with pytest.raises(InputError, match=r"row 1 \(line 2\): vlm gave .* edit_success 8 already: give --reason"):
        judged.judges["vlm"].tell(path)
    assert len(stored(judged)) == 1, "nothing of the table was stored"
    summary = judged.judges["vlm"].tell(path, reason="a column was shifted")
    assert (summary.new, summary.corrected) == (2, 1)
    assert sorted((j.parts["edit_success"], j.reason) for j in stored(judged)) == [
        (1.0, None),
        (9.0, "a column was shifted"),
    ]


def test_a_corrected_score_drops_the_sub_scores_that_gave_the_old_one(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("task,candidate,edit_success,minimal_over_editing,pq\n3,{3a},8,6,5\n"))
    judged.judges["vlm"].tell(write("task,candidate,sc\n3,{3a},2\n"), reason="read wrongly")
    (now,) = stored(judged)
    assert (now.sc, now.pq, now.parts) == (2.0, 5.0, {})


def test_judges_stand_side_by_side(judged: Campaign, write: Write) -> None:
    judged.judges["one"].tell(write("task,candidate,sc\n3,{3a},7\n"))
    judged.judges["another"].tell(write("task,candidate,sc\n3,{3a},2\n"))
    assert [(j.judge, j.sc) for j in stored(judged)] == [("another", 2.0), ("one", 7.0)]
    assert {name: j.candidates for name, j in judged.status().judgements.items()} == {"another": 1, "one": 1}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("4,{3a},5,,,,", "no task '4'"),
        ("3,{5a},5,,,,", "task 3 has no candidate"),
        ("3,abc,5,,,,", "at least 4 characters"),
        ("3,,5,,,,", "at least 4 characters"),
        ("3,{3a},10.5,,,,", "'sc' must be a number from 0 to 10, or empty, got '10.5'"),
        ("3,{3a},-1,,,,", "got '-1'"),
        ("3,{3a},nan,,,,", "got 'nan'"),
        ("3,{3a},good,,,,", "got 'good'"),
        ("3,{3a},,,7,,", "'minimal_over_editing' is empty beside 'edit_success'"),
        ("3,{3a},5,,7,6,", "sc is 5, but 6 follows from edit_success, minimal_over_editing"),
        ("3,{3a},,,,,0.5", "'cosine' says nothing of a tie task"),
        ("5,{5a},,,8,8,", "'edit_success' says nothing of a deepfake task"),
        ("5,{5a},,,,,1.2", "'cosine' must be a number from -1 to 1"),
        ("5,{5a},7,,,,0.5", "sc is 7, but 5 follows from cosine"),
        ("3,{3a},5,,,", "6 fields instead of 7"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_stored(judged: Campaign, write: Write, row: str, words: str) -> None:
    path = write(f"task,candidate,sc,pq,edit_success,minimal_over_editing,cosine\n3,{{3b}},5,5,,,\n{row}\n")
    with pytest.raises(InputError) as refused:
        judged.judges["vlm"].tell(path)
    assert f"{path}: row 2 (line 3): " in str(refused.value)
    assert words in str(refused.value)
    assert stored(judged) == []


def test_several_rows_of_a_candidate_are_passes_and_their_mean_counts(judged: Campaign, write: Write) -> None:
    path = write("task,candidate,sc,pq\n3,{3a},9,4\n3,{3b},5,5\n3,{3a},4,4\n")
    summary = judged.judges["vlm"].tell(path)
    assert (summary.new, summary.corrected, summary.repeated) == (2, 0, 1)
    assert summary.pass_sd == {"sc": pytest.approx(12.5**0.5), "pq": 0.0}
    twice = next(j for j in stored(judged) if j.candidate_id == candidate_ids(judged.folder)["3"][0])
    assert (twice.sc, twice.pq, twice.overall) == (6.5, 4.0, 5.0), "sqrt(9 x 4) and sqrt(4 x 4) are 6 and 4"
    assert [(one.number, one.sc) for one in twice.looks] == [(1, 9.0), (2, 4.0)]
    before = stored(judged)
    for text in ("3,{3a},9,4\n3,{3a},4,4\n3,{3b},5,5", "3,{3a},4,4\n3,{3a},9,4\n3,{3b},5,5", "3,{3a},4,4\n3,{3b},5,5"):
        again = judged.judges["vlm"].tell(write(f"task,candidate,sc,pq\n{text}\n"))
        assert (again.new, again.known) == (0, 2), "in whatever order, and a part of them"
    assert stored(judged) == before


def test_a_table_that_grew_by_a_pass_adds_it(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("task,candidate,sc\n3,{3a},9\n"))
    summary = judged.judges["vlm"].tell(write("task,candidate,sc\n3,{3a},5\n3,{3a},9\n"))
    assert (summary.new, summary.corrected, summary.repeated) == (1, 0, 1)
    (both,) = stored(judged)
    assert (both.sc, both.reason, [(one.number, one.sc) for one in both.looks]) == (7.0, None, [(1, 9.0), (2, 5.0)])


def test_a_numbered_pass_is_added_without_a_reason_and_corrected_with_one(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("task,candidate,sc\n3,{3a},9\n"))
    second = write("task,candidate,pass,sc\n3,{3a},2,5\n")
    assert judged.judges["vlm"].tell(second).new == 1
    assert judged.judges["vlm"].tell(second).new == 0
    third = write("task,candidate,pass,sc\n3,{3a},2,6\n")
    with pytest.raises(InputError, match="sc 5 already: give --reason to correct it to 6, or number it"):
        judged.judges["vlm"].tell(third)
    assert judged.judges["vlm"].tell(third, reason="mistyped").corrected == 1
    (now,) = stored(judged)
    assert (now.sc, now.reason, [one.sc for one in now.looks]) == (7.5, "mistyped", [9.0, 6.0])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("3,{3a},2,5\n3,{3a},2,6", "row 2 (line 3): pass 2 of candidate"),
        ("3,{3a},0,5", "'pass' must be a whole number from 1 to 1000, or empty, got '0'"),
        ("3,{3a},first,5", "got 'first'"),
        ("3,{3a},1e3,5", "got '1e3'"),
    ],
)
def test_a_wrong_number_of_a_pass_is_refused(judged: Campaign, write: Write, rows: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        judged.judges["vlm"].tell(write(f"task,candidate,pass,sc\n{rows}\n"))
    assert words in str(refused.value)
    assert stored(judged) == []


def test_the_line_of_excel_and_harmless_cells_are_read(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("sep=;\ntask;candidate;sc\n3;{3a};5\n"))
    assert len(stored(judged)) == 1
    with pytest.raises(InputError, match="'=3'"):
        judged.judges["vlm"].tell(write("task,candidate,sc\n'=3,{3a},5\n"))


def test_decimal_commas_and_full_width_digits_are_read(judged: Campaign, write: Write) -> None:
    judged.judges["vlm"].tell(write("sep=;\ntask;candidate;sc;pq\n3;{3a};7,5;８\n3;{3b};6;１．５\n"))
    assert {(one.sc, one.pq) for one in stored(judged)} == {(7.5, 8.0), (6.0, 1.5)}


def test_a_comma_beside_points_is_named_and_a_task_in_full_width_told(judged: Campaign, write: Write) -> None:
    for table in ("sep=;\ntask;candidate;sc\n3;{3a};7,5\n3;{3b};6.5\n", 'task,candidate,sc\n3,{3a},"7,5"\n'):
        with pytest.raises(
            InputError, match=r"'7,5', probably with a decimal comma: write 7.5, or commas in the whole"
        ):
            judged.judges["vlm"].tell(write(table))
    with pytest.raises(InputError, match=r"no task '３' in this campaign \('３' is in full-width characters: type '3'"):
        judged.judges["vlm"].tell(write("task,candidate,sc\n３,{3a},5\n"))
    assert stored(judged) == []


def test_all_wrong_rows_are_listed_in_one_line(judged: Campaign, write: Write) -> None:
    path = write("task,candidate,sc\n3,{3a},11\n3,{3b},5\n5,{5a},12\n")
    with pytest.raises(InputProblems, match=r"row 1 .* and 1 more \(nothing was stored\)") as refused:
        judged.judges["vlm"].tell(path)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("candidate,sc\n{3a},5\n", "'task' is missing"),
        ("task;candidate;sc\n3;{3a};5\n", "semicolons; save it with commas or tabs, or put sep=; on top"),
        ("task,candidate,comment\n3,{3a},fine\n", "no column of scores"),
        ("task,candidate,sc,edit_sucess\n3,{3a},5,5\n", "did you mean 'edit_success'"),
        ("task,candidate,SC,pq\n3,{3a},5,5\n", "did you mean 'sc'"),
        ("task,candidate,sc,sc\n3,{3a},5,5\n", "'sc' occurs 2 times"),
        ("task,candidate,sc\n", "holds no row"),
        ("", "holds no row"),
        ('task,candidate,sc\n3,"{3a},5\n', "double quote"),
        ("PK\x03\x04", "a ZIP archive, not a table of judgements"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(judged: Campaign, write: Write, table: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        judged.judges["vlm"].tell(write(table))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_beginning_that_fits_two_candidates_is_refused(judged: Campaign, tmp_path: Path) -> None:
    first = candidate_ids(judged.folder)["3"][0]
    twin = {"task_id": "3", "id": first[:10] + "0" * 54, "width_px": 8, "height_px": 8, "size_bytes": 1, "at": "now"}
    with Database(judged.folder / "campaign.db").write() as connection:
        connection.execute(insert(schema.candidate).values(**twin))
    path = tmp_path / "scores.csv"
    path.write_text(f"task,candidate,sc\n3,{first[:8]},5\n", encoding="utf-8")
    with pytest.raises(InputError, match="fits 2 candidates of task 3"):
        judged.judges["vlm"].tell(path)


def test_ratings_need_a_contest_that_allows_them(judged: Campaign, write: Write) -> None:
    with pytest.raises(InputError, match="tianchi-532389 allow no ratings"):
        judged.judges["anna"].tell(write("task,candidate,sc\n3,{3a},5\n"), rating=True)
    assert stored(judged) == []


def test_where_they_are_allowed_a_name_stays_a_persons(tmp_path: Path, write: Write) -> None:
    with make(tmp_path, "key,kind,text,photo\n3,change,brighter,a.jpg\n5,draw,a cat,\n", "mini-png") as campaign:
        path = write("task,candidate,quality,prompt_following\n3,{3a},5,\n5,{5a},8,7\n")
        assert campaign.judges["anna"].tell(path, rating=True).new == 2
        assert {(j.kind, j.pq, j.sc) for j in stored(campaign)} == {("rating", 5.0, None), ("rating", 8.0, 7.0)}
        with pytest.raises(InputError, match="'anna' gave scores as a rating before"):
            campaign.judges["anna"].tell(path)


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 101])
def test_a_judge_has_a_name(judged: Campaign, write: Write, name: str) -> None:
    with pytest.raises(InputError, match="a judge's name is one line"):
        judged.judges[name].tell(write("task,candidate,sc\n3,{3a},5\n"))
