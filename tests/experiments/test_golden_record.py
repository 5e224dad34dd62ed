"""A record names what differs, keeps to its tolerances, and is not compared with other versions than it rests on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import golden
from experiments.support.golden_record import Table, differences, installed, not_comparable, read, same, table, written

DIGEST = "0123456789abcdef" * 4


def small(value: float = 1.5, word: str = "best of 4, by 0.25") -> Table:
    rows = [("b", 2, value, "a\tb\nc\\d", None), ("a", 1, 0.1, word, DIGEST)]
    return table("task n", "value reason id", rows, {"value": 1e-6, "reason": 0.011}, ["numpy"])


def test_a_file_read_back_is_its_table() -> None:
    assert read(written(small())) == small()
    assert written(small()).splitlines()[:2] == ["# key: task n", "# tolerance: value 1e-06, reason 0.011"]
    assert small().rows[0] == ("a", "1", "0.1", "best of 4, by 0.25", DIGEST[:16])


@pytest.mark.parametrize(
    ("old", "new", "tolerance", "alike"),
    [
        ("1.5", "1.5000001", 0.0, False),
        ("1.5", "1.5000001", 1e-6, True),
        ("1.5", "1.50001", 1e-6, False),
        ("1e-12", "-2e-12", 1e-6, True),
        ("2000000", "2000001", 1e-6, True),
        ("best 5.04 of 4", "best 5.05 of 4", 0.011, True),
        ("best 5.04 of 4", "best 5.04 of 3", 0.011, False),
        ("best 5.04", "worst 5.04", 0.011, False),
        ("of ab12", "of ab13", 0.5, False),
        ("-", "1.5", 1e-6, False),
    ],
)
def test_cells_are_alike_within_the_tolerance_of_their_numbers(
    old: str, new: str, tolerance: float, alike: bool
) -> None:
    assert same(old, new, tolerance) is alike


def test_a_difference_names_file_row_column_and_both_values() -> None:
    (found,) = differences("case/picks.tsv", small(), small(value=1.6))
    assert str(found) == "case/picks.tsv: b 2, value: 1.5 -> 1.6"
    assert differences("f", small(), small(value=1.5000001)) == []


def test_missing_new_and_doubled_rows_are_differences() -> None:
    short = replace(small(), rows=small().rows[1:])
    doubled = replace(small(), rows=(*small().rows, small().rows[1]))
    assert [str(d).partition(" -> ")[2] for d in differences("f", small(), short)] == ["(no such row)"]
    assert [d.old for d in differences("f", short, small())] == ["(no such row)"]
    assert [d.row for d in differences("f", small(), doubled)] == ["b 2 (2)"]
    assert [d.row for d in differences("f", small(), replace(small(), columns=("task", "n")))] == ["header"]


def test_a_record_that_rests_on_other_versions_says_so() -> None:
    assert not_comparable(small()) == ""
    older = replace(small(), packages={"numpy": "0.1", "no-such-package": "3"})
    assert "(recorded with 0.1), no-such-package none (recorded with 3)" in not_comparable(older)


@pytest.fixture
def toy_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Table]:
    """A case "demo" that gives these tables, with its record in a temporary folder."""
    tables = {"picks": small(), "tasks": replace(small(), packages={})}
    monkeypatch.setitem(golden.CASES, "demo", lambda *_: tables)
    monkeypatch.setattr(golden, "FOLDER", tmp_path / "golden")
    return tables


def test_the_command_tells_what_changed_and_ends_with_1(
    toy_case: dict[str, Table], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert golden.main(["--only", "demo"]) == 2, "there is no record yet"
    assert "--write" in capsys.readouterr().err
    assert golden.main(["--write", "--only", "demo"]) == 0
    assert golden.main(["--check", "--only", "demo"]) == 0
    toy_case["picks"] = small(value=3.0)
    out = tmp_path / "out.json"
    assert golden.main(["--check", "--only", "demo", "--json", str(out)]) == 1
    assert "demo/picks.tsv: b 2, value: 1.5 -> 3" in capsys.readouterr().out
    (told,) = json.loads(out.read_text(encoding="utf-8"))["results"]["demo"]["different"]
    assert (told["file"], told["old"], told["new"]) == ("demo/picks.tsv", "1.5", "3")


def test_writing_anew_says_what_changed_and_removes_what_is_no_longer_told(
    toy_case: dict[str, Table], capsys: pytest.CaptureFixture[str]
) -> None:
    golden.main(["--write", "--only", "demo"])
    del toy_case["tasks"]
    assert golden.main(["--write", "--only", "demo"]) == 0
    assert "demo/tasks.tsv: file: (file) -> (no such file)" in capsys.readouterr().out
    assert golden.main(["--only", "demo"]) == 0


def test_what_rests_on_other_versions_is_left_out_aloud(
    toy_case: dict[str, Table], capsys: pytest.CaptureFixture[str]
) -> None:
    toy_case["picks"] = replace(small(), packages={"numpy": "0.1"})
    golden.main(["--write", "--only", "demo"])
    toy_case["picks"] = small(value=3.0)
    assert golden.main(["--only", "demo"]) == 0
    shown = capsys.readouterr().out
    assert "demo: 0 differences in 1 of 2 files" in shown
    assert "demo/picks.tsv: not compared: numpy" in shown


def test_the_processor_is_told_by_its_widest_vector_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    monkeypatch.setattr(cv2, "getCPUFeaturesLine", lambda: "SSE SSE2 *AVX *AVX2 *AVX512-SKX?")
    assert installed("processor") == "AVX2"
