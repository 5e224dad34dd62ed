"""The measurement of the closed world's checker."""

import json

from experiments.closed_world import check_the_checker
from selector.demo.closed_world.simulated import CHANGES


def test_experiment_writes_shares_with_intervals(tmp_path, capsys):
    out = tmp_path / "out.json"
    assert check_the_checker.main(["--scenes", "6", "--json", str(out)]) == 0
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    clean = results["agreement"]["clean"]["right"]
    assert clean["mean"] == 1 and clean["n"] == 6 and 0.5 < clean["low"] < 1
    assert set(results["false_right"]) == set(CHANGES)
    assert "Malformed pictures called right" in capsys.readouterr().out


def test_experiment_without_a_picture_is_refused_in_one_line(capsys):
    assert check_the_checker.main(["--scenes", "0"]) == 2
    assert capsys.readouterr().err == "error: --scenes: expected at least 1, and --seed at least 0\n"
