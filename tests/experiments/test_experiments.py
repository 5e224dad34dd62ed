"""Every experiment can be asked for help, writes what it measured, and its intervals are right."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

import experiments
from experiments import offline_quality, score_memory
from experiments.support.outcome import finish
from selector.demo.play.figures import figure

ALL = [
    module
    for info in pkgutil.iter_modules(experiments.__path__, "experiments.")
    if hasattr(module := importlib.import_module(info.name), "main")
]
Measure = Callable[..., Any]


@pytest.fixture
def measured(tmp_path: Path) -> Measure:
    """Runs an experiment and gives what it wrote under "results"."""

    def run(module: ModuleType, *arguments: object) -> Any:
        out = tmp_path / "out.json"
        assert module.main([*map(str, arguments), "--json", str(out)]) == 0
        written = json.loads(out.read_text(encoding="utf-8"))
        assert list(written) == ["results"]
        return written["results"]

    return run


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_experiment_has_help_and_json(module: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        module.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: python -m {module.__name__}" in shown
    assert "--json OUT" in shown


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_command_in_the_docstring_of_an_experiment_is_its_own(module: Any) -> None:
    command = re.search(r"^    python -m (\S+).* --json out\.json$", module.__doc__, re.MULTILINE)
    assert command is not None and command[1] == module.__name__
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert source.endswith('if __name__ == "__main__":\n    raise SystemExit(main())\n')


def test_score_memory_gives_a_peak_for_each_size(measured: Measure) -> None:
    results = measured(score_memory, "--sizes", 3, 4)
    assert set(results) == {"peak_mb", "ratio_last_to_first"}
    assert list(results["peak_mb"]) == ["3", "4"]
    first, last = results["peak_mb"].values()
    assert 30 < first < 2_000
    assert results["ratio_last_to_first"] == pytest.approx(last / first)


def test_offline_quality_stands_beside_a_random_pick_and_the_oracle(measured: Measure) -> None:
    results = measured(offline_quality, "--pairs", 1, "--signs", 1, "--candidates", 2)
    assert set(results) == {"faces", "texts"}
    assert set(results["faces"]) == {"pick", "random", "baseline", "oracle"}
    assert set(results["texts"]) == {"pick", "random", "first recipe", "oracle"}
    for row in results["faces"].values():
        assert {"distance to wanted", "distance to original", "nearer to wanted", "nearer by texture"} <= set(row)
    for row in results["texts"].values():
        assert {"exact", "likeness to truth"} <= set(row)
    for table in results.values():
        for figures in (f for row in table.values() for f in row.values()):
            assert set(figures) == {"mean", "low", "high", "n"} and figures["n"] == 1
            assert figures["low"] == figures["mean"] == figures["high"]
    faces, texts = results["faces"], results["texts"]
    assert faces["oracle"]["distance to wanted"]["mean"] <= faces["random"]["distance to wanted"]["mean"]
    assert texts["oracle"]["likeness to truth"]["mean"] >= texts["random"]["likeness to truth"]["mean"]


SAMPLES = {
    "normal": np.random.default_rng(1).normal(3, 2, 60),
    "skewed": np.random.default_rng(2).exponential(1, 40),
    "shares": np.random.default_rng(3).integers(0, 2, 50).astype(float),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_interval_agrees_with_scipys_percentile_bootstrap(name: str) -> None:
    values: Sequence[float] = SAMPLES[name].tolist()
    ours = figure(values)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=9_999, method="percentile", rng=np.random.default_rng(9)
    ).confidence_interval
    loosely = 0.15 * (reference.high - reference.low)
    assert ours.mean == pytest.approx(float(np.mean(values)))
    assert ours.low == pytest.approx(reference.low, abs=loosely)
    assert ours.high == pytest.approx(reference.high, abs=loosely)
    assert ours.n == len(values)


def test_interval_repeats_and_depends_on_its_seed() -> None:
    values = SAMPLES["normal"].tolist()
    assert figure(values, 1) == figure(values, 1) != figure(values, 2)


def test_interval_of_equal_values_has_no_width() -> None:
    assert str(figure([0.5] * 7)) == "0.500 [0.500, 0.500] n=7"


def test_results_are_printed_and_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a new folder" / "out.json"
    finish({"字": 1}, ["a line", "another"], out)
    assert capsys.readouterr().out == "a line\nanother\n"
    assert json.loads(out.read_text(encoding="utf-8")) == {"results": {"字": 1}}
