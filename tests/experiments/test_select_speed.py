"""The measurement of `bestshot select`: it runs the whole command and says what it took."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments.select_speed import main


def test_it_measures_the_whole_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = [
        "--tasks",
        "20",
        "--candidates",
        "4",
        "--scores",
        "3",
        "--repeats",
        "1",
        "--json",
        str(tmp_path / "o.json"),
    ]
    assert main(small) == 0
    assert "80 candidates of 20 tasks x 3 scores" in capsys.readouterr().out
    found = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["results"]
    assert found["wall_s"][0] > 0 and 10 < found["rss_mb"][0] < 2_000


def test_a_size_that_is_none_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--tasks", "0"]) == 2
    assert capsys.readouterr().err == "error: --tasks: expected at least 1, got 0\n"
