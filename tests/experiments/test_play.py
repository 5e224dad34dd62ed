"""The experiment that plays the closed world: its options, its tables, its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from experiments import play
from selector.demo.play.plan import MEASURED_ON
from selector.demo.play.scores import GENERATOR, ORACLE, RANDOM, SIMILAR


def test_the_experiment_prints_draws_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, plot = tmp_path / "out.json", tmp_path / "plots" / "play.png"
    asked = ["--stand-in", "--folder", str(tmp_path / "p"), "--prompts", "3", "--edits", "2", "--each", "1"]
    few = ["--days", "1", "--seeds", "1", "--share", "1"]
    assert play.main([*asked, *few, "--json", str(out), "--plot", str(plot)]) == 0
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert set(results["recovered_gap"]) >= {"bestshot", RANDOM, SIMILAR, GENERATOR, ORACLE}
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "oracle" in capsys.readouterr().out
    assert play.main([*asked, "--days", "2"]) == 2
    assert "other settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--share", "0"], "--share: expected above 0 and at most 1, got 0.0"),
        (["--share", "nan"], "--share: expected above 0 and at most 1, got nan"),
        (["--noise", "nan"], "--noise: expected 0 to 10, got nan"),
        (["--days", "0"], "--days: expected 1 to 365, got 0"),
        (["--each", "0"], "--each: expected 1 to 100, got 0"),
        (["--seeds", "0"], "--seeds: expected 1 to 10,000, got 0"),
        (["--seed", "-1"], "--seed: expected at least 0, got -1"),
        (["--prompts", "1", "--edits", "0"], "--prompts and --edits: expected 2 together, got 1"),
        (["--pool-seed", "1000000"], "--pool-seed: expected 0 to 999,999, got 1000000"),
        (["--pool-seed", str(MEASURED_ON)], "expected another seed, or --untold"),
        (["--folder", "{file}"], "cannot write {file}"),
        (["--folder", "{file}/below"], "cannot write {file}/below"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], said: str
) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    asked = [word.format(file=file) for word in wrong]
    assert play.main(["--stand-in", "--folder", str(tmp_path / "p"), *asked]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said.format(file=file) in line
