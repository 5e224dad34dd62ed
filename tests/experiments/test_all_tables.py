"""The published tables as rows of one table, on small contests of the same form."""

from __future__ import annotations

import json

import pytest
from toy_score_tables import write_contest

from experiments import all_tables
from experiments.all_tables import ROWS
from experiments.support.comparison import RIVALS
from experiments.support.many_seeds import BESTSHOT
from experiments.support.simulated import Scenario


@pytest.fixture
def command(tmp_path, monkeypatch) -> list[str]:
    monkeypatch.setattr(all_tables, "TOTALS", (1, 2))
    for seed, name in enumerate(("t2i", "mie", "sdie")):
        write_contest(tmp_path / f"{name}.csv", Scenario(tasks=10, generators=3), seed)
    given = ["--scores", str(tmp_path), "--t2i", str(tmp_path / "t2i.csv")]
    return [*given, "--seeds", "2", "--jobs", "1", "--json", str(tmp_path / "out.json")]


def test_rows_stand_in_their_order_beside_what_is_wanted(tmp_path, command, capsys):
    assert all_tables.main([*command, "--row", "three", "--row", "t2i-judge", "--row", "mie-judge"]) == 0
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert list(written["results"]) == ["three", "t2i-judge", "mie-judge"]
    assert set(written["results"]["three"]) == {BESTSHOT, *RIVALS}
    assert written["wanted"] == {"three": {"1": 0.15, "2": 0.46}, "t2i-judge": {"1": 0.6, "2": 0.64}, "mie-judge": {}}
    assert set(written["compared"]["contests"]) == set(written["results"])
    printed = capsys.readouterr().out.splitlines()
    median = written["results"]["t2i-judge"][BESTSHOT]["1"]["final"]["median"]
    line = next(line for line in printed if line.startswith("t2i-judge"))
    assert f"{median:.3f}" in line and f"0.60{'!' if median < 0.6 else ' '}" in line


def test_ours_alone_is_the_same_as_among_others(tmp_path, command):
    assert all_tables.main([*command, "--row", "three"]) == 0
    among = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["results"]["three"]
    assert all_tables.main([*command, "--row", "three", "--alone"]) == 0
    alone = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["results"]["three"]
    assert alone == {BESTSHOT: among[BESTSHOT]}


def test_table_that_is_not_there_is_named_in_one_line(command, capsys):
    assert all_tables.main([*command, "--row", "tifa160"]) == 2
    error = capsys.readouterr().err
    assert "tifa160.csv: no such file" in error and error.count("\n") == 1


def test_every_wanted_row_says_what_is_wanted_after_each_number_of_totals():
    assert {len(row.wanted) for row in ROWS.values()} == {0, len(all_tables.TOTALS)}
