"""Tables as spreadsheets hand them around: a line ``sep=;``, and cells that would be run as formulas."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from selector.contest.table_rows import (
    Record,
    csv_text,
    delimiter_of,
    harmless,
    read_columns,
    read_records,
    split_sep_line,
    unharmed,
)
from selector.domain import InputError

CELLS = st.text(st.sampled_from("'=+-@\t\r\n＝－0123.e, ;\"猫x"), max_size=8) | st.text(max_size=20)
HERE = Path("table.csv")


@given(CELLS)
@example("'=x")
@example("''+1 sign")
@example("-1")
@example("'-1")
def test_what_is_made_harmless_is_read_back_unharmed(cell: str) -> None:
    written = harmless(cell)
    assert unharmed(written) == cell
    assert harmless(unharmed(written)) == written


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-猫", "＝1+1", "--1", "+-1"]
)
def test_no_cell_begins_with_what_a_spreadsheet_runs(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", "-1", "+1.5", "-.5", "-2e-3", "a=1", "'quoted' words", "1-2", "“=1”", "'", "猫", "'-1"]
)
def test_numbers_and_other_words_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == unharmed(cell) == cell


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*[st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))] * 2)))
def test_every_table_of_ours_is_read_as_it_was_written(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(csv_text([("text", "=english"), *pairs], exactly=True).encode("utf-8-sig"))
    rows = read_columns(path, "table", ("text", "=english"))
    # Outer white space is no part of a cell; what a harmless cell hides behind its quote is.
    kept = [pair for pair in pairs if any(unharmed(harmless(cell).strip()) for cell in pair)]
    assert [tuple(row.values()) for row in rows] == [
        tuple(unharmed(harmless(cell).strip()) for cell in pair) for pair in kept
    ]


def test_numbers_are_written_as_numbers() -> None:
    text = csv_text([("candidate", "points"), ("-x", -0.25)])
    assert list(csv.reader(io.StringIO(text))) == [["candidate", "points"], ["'-x", "-0.25"]]


@pytest.mark.parametrize(
    ("first", "delimiter"),
    [
        ("sep=;", ";"),
        ("SEP=;", ";"),
        ('"sep=;"', ";"),
        ("sep=,", ","),
        ("sep=\t", "\t"),
        ("sep=|", "|"),
        ("sep=;;;", ";"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_of_excel_says_the_delimiter_and_counts_as_a_line(first: str, delimiter: str, end: str) -> None:
    found, rest = delimiter_of(first + end + delimiter.join("ab") + end + delimiter.join("12") + end)
    assert found == delimiter
    records = list(read_records(rest, found, HERE))
    assert records == [Record(2, ["a", "b"]), Record(3, ["1", "2"])]


@pytest.mark.parametrize("text", ["sep=x\na\n", "sep=\na\n", "sep,b\n1,2\n", "a\nsep=;\n", "sep=;b\n"])
def test_other_first_lines_are_no_such_line(text: str) -> None:
    assert split_sep_line(text) == (None, text)


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\ntext;Englsh\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"'english' is missing \(did you mean 'Englsh'\?\)"):
        read_columns(path, "table of translations", ("text", "english"))


def test_a_spreadsheet_may_have_put_semicolons_for_our_commas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes('text;english\r\n"a; b";"c, d"\r\n'.encode("utf-8-sig"))
    assert read_columns(path, "table", ("text", "english")) == [{"text": "a; b", "english": "c, d"}]


def test_text_behind_a_closing_quote_is_told_with_its_row_and_line() -> None:
    with pytest.raises(InputError, match=r"row 1 \(line 2\): .* is written twice"):
        list(read_records('a,b\n"x" y,1\n', ",", HERE))
