"""The commands replay, simulate and calibration_speed from end to end, on small contests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy_score_tables import write_contest

from experiments import calibration_speed, replay, simulate
from experiments.support.many_seeds import DEFAULT_SELECTORS
from experiments.support.simulated import Scenario

SHARED = Path(__file__).resolve().parents[3] / "shared" / "viescore" / "t2i.csv"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("tables")
    return [
        write_contest(folder / "one.csv", Scenario(tasks=40, generators=3, absent=0.2), 1),
        write_contest(folder / "two.csv", Scenario(tasks=25, generators=5, candidates=2), 2),
    ]


def replayed(tmp_path: Path, *arguments: object) -> dict:
    out = tmp_path / "out.json"
    assert replay.main([*map(str, arguments), "--json", str(out)]) == 0
    return json.loads(out.read_text(encoding="utf-8"))


def test_replay_writes_every_selector_and_checkpoint_in_the_agreed_shape(tmp_path, tables):
    written = replayed(
        tmp_path,
        "--table",
        tables[0],
        "--proxies",
        "cheap,cheap+judge",
        "--submissions",
        "1,3",
        "--seeds",
        2,
        "--jobs",
        1,
    )
    assert list(written["results"]) == ["cheap", "cheap+judge"]
    for by_selector in written["results"].values():
        assert tuple(by_selector) == DEFAULT_SELECTORS
        for by_number in by_selector.values():
            assert list(by_number) == ["1", "3"]
            for kinds in by_number.values():
                assert list(kinds) == ["final", "best_submitted"]
                for figure in kinds.values():
                    assert set(figure) == {"median", "q10", "q90"}
                    assert figure["q10"] <= figure["median"] <= figure["q90"] <= 1.0
        assert by_selector["oracle"]["3"]["final"] == {"median": 1.0, "q10": 1.0, "q90": 1.0}
        assert by_selector["ridge"]["1"] == by_selector["ridge"]["3"]
    assert written["seeds"] == 2 and written["perturbation"] is None and written["tasks"] == 40
    assert written["checks"]["cheap"]["bestshot"]["interval_80"]["n"] == 2 * 2


def test_results_are_the_same_in_any_number_of_processes(tmp_path, tables):
    command = ["--table", tables[0], "--table", tables[1], "--submissions", "2,4", "--seeds", 3, "--outlier"]
    command += ["--extra-scorer", "useless", "--drop-third", "random"]
    one = replayed(tmp_path, *command, "--jobs", 1)
    two = replayed(tmp_path, *command, "--jobs", 2)
    assert one["results"] == two["results"] and one["checks"] == two["checks"]
    assert one["tasks"] == 65
    assert one["perturbation"]["extra"] == ["useless"] and one["perturbation"]["outliers"]["one"]


def test_perturbed_run_says_so_and_differs(tmp_path, tables, capsys):
    command = [
        "--table",
        tables[0],
        "--submissions",
        "6",
        "--seeds",
        3,
        "--jobs",
        1,
        "--selectors",
        "thompson,mean_rank",
    ]
    plain = replayed(tmp_path, *command)
    assert "perturbation: none" in capsys.readouterr().out
    worse = replayed(tmp_path, *command, "--outlier", "--extra-scorer", "reversed")
    assert "perturbation: an extra scorer: reversed; one of the totals off by 1.5" in capsys.readouterr().out
    for who in ("thompson", "mean_rank"):
        assert plain["results"]["cheap+judge"][who] != worse["results"]["cheap+judge"][who]


def test_hold_policy_stands_beside_always_submitting(tmp_path, tables, capsys):
    written = replayed(
        tmp_path,
        "--table",
        tables[0],
        "--submissions",
        "5",
        "--seeds",
        2,
        "--jobs",
        1,
        "--hold",
        "--selectors",
        "random",
    )
    assert list(written["results"]["cheap+judge"]) == ["random", "bestshot", "bestshot_hold"]
    held = written["hold"]["cheap+judge"]["5"]
    assert 0.2 <= held["used"] <= 1.0  # the first submission is never held
    assert (held["flipped"], held["contests"]) == (0, 2), "HOLD stays HOLD until something is new"
    assert f"bestshot_hold of 5: used {held['used']:.1%}" in capsys.readouterr().out


def test_contest_of_one_candidate_a_task_has_no_gap(tmp_path):
    table = write_contest(tmp_path / "alone.csv", Scenario(tasks=12, generators=1), 3)
    written = replayed(tmp_path, "--table", table, "--submissions", "2", "--seeds", 1, "--jobs", 1)
    assert written["results"]["cheap+judge"]["bestshot"]["2"]["final"] == {"median": None, "q10": None, "q90": None}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--table", "no.csv"], "no such file"),
        (["--proxies", "expensive"], "--proxies: expected cheap or cheap+judge"),
        (["--leaderboard", "nobody"], "column nobody_sc and nobody_pq missing"),
        (["--submissions", "1,x"], "--submissions: expected whole numbers"),
        (["--submissions", "0"], "--submissions: expected whole numbers"),
        (["--seeds", "0"], "--seeds and --jobs must be at least 1"),
        (["--selectors", "magic"], "--selectors: expected some of bestshot"),
        (["--drop-third", "nobody"], "--drop-third: expected random or one of"),
    ],
)
def test_bad_input_is_one_line_on_standard_error(tables, capsys, arguments, words):
    assert replay.main(["--table", str(tables[0]), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and words in captured.err and captured.err.count("\n") == 1


def test_simulate_writes_a_table_for_each_scenario(tmp_path):
    out = tmp_path / "out.json"
    command = ["--scenario", "plain", "--scenario", "four-types", "--tasks", "24", "--submissions", "2", "--seeds", "2"]
    assert simulate.main([*command, "--jobs", "1", "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["results"]) == ["plain", "four-types"]
    for by_set in written["results"].values():
        assert tuple(by_set["cheap+judge"]) == DEFAULT_SELECTORS
    assert written["scenarios"]["four-types"]["types"] == 4
    assert simulate.main(["--scenario", "four-types", "--tasks", "3"]) == 2


def test_calibration_speed_measures_every_size_and_its_growth(tmp_path):
    out = tmp_path / "out.json"
    sizes = ["--tasks", "16", "--candidates", "8", "--scores", "8", "--totals", "8"]
    assert calibration_speed.main([*sizes, "--repeats", "1", "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["results"]["twice the tasks"]["size"] == {"tasks": 32, "candidates": 8, "scores": 8, "totals": 8}
    assert set(written["growth"]) == {f"{by} the {what}" for by in ("half", "twice") for what in
                                      ("tasks", "candidates", "scores", "totals")}  # fmt: skip
    full = written["results"]["full"]
    assert full["calibrate_seconds"]["median"] > 0 and full["plan_seconds"]["median"] > 0
    assert 30 < full["peak_mb"]["median"] < 2_000
    ratio = written["results"]["half the tasks"]["peak_mb"]["median"] / full["peak_mb"]["median"]
    assert written["growth"]["half the tasks"]["peak_mb"] == pytest.approx(ratio, abs=0.006)


@pytest.mark.skipif(not SHARED.is_file(), reason="the published scores (../shared/viescore/t2i.csv) are not here")
def test_published_baselines_are_reproduced(tmp_path):
    written = replayed(
        tmp_path, "--table", SHARED, "--submissions", "14", "--seeds", 10, "--jobs", 1,
        "--selectors", "random,best_single_proxy,best_generator,ridge,thompson,oracle",
    )  # fmt: skip
    median = {who: f["14"]["final"]["median"] for who, f in written["results"]["cheap+judge"].items()}
    assert median["best_single_proxy"] == pytest.approx(0.54, abs=0.02)
    assert median["best_generator"] == pytest.approx(0.53, abs=0.01)
    assert median["ridge"] == pytest.approx(0.59, abs=0.02)
    assert median["thompson"] == pytest.approx(0.62, abs=0.03)
    assert median["random"] == pytest.approx(0.0, abs=0.05)
