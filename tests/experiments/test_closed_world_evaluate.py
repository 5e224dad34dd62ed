"""What the shipped models are worth: numbers by hand, and one evaluation from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from experiments.closed_world import evaluate
from experiments.closed_world.best_of import compared, highest, ratio
from experiments.support.outcome import finish
from generators.diffusers_pipeline import DiffusersPipeline
from selector.demo.closed_world.checker import Truth
from selector.demo.closed_world.scene import scene_at
from selector.demo.play import plan as play_plan
from selector.demo.play.contest import EVALUATED_FROM, play_tasks
from selector.demo.play.pool import Pool


def truth(sc: float, pq: float) -> Truth:
    return Truth(sc, pq, sc == 10, 0, 0, 0, None, 0, None, None)


TRUTHS = {"1": {"a": truth(10, 10), "b": truth(4, 4)}, "2": {"c": truth(1, 4), "d": truth(10, 8.1)}}
PICKS = {"similarity": {"1": "a"}, "calibrated": {"1": None, "2": "d"}}


def test_every_strategy_is_compared_over_the_same_prompts() -> None:
    found = compared(TRUTHS, PICKS)
    right = {way: found[way]["mean"] for way in ("single", "best_of_8_oracle")}
    assert right == {"single": 0.5, "best_of_8_oracle": 1}
    assert found["best_of_8_similarity"]["mean"] == (1 + 0.5) / 2  # of the second prompt it knows nothing: any picture
    assert found["best_of_8_calibrated"]["mean"] == (0 + 1) / 2  # for the first it has nothing to show
    assert found["recovered_gap_similarity"]["mean"] == pytest.approx(0.25 / 0.5)
    assert found["recovered_gap_calibrated"]["mean"] == 0
    assert found["calibrated_minus_similarity"]["mean"] == -0.25
    assert found["recovered_gap_calibrated_minus_similarity"]["mean"] == pytest.approx(-0.5)
    assert {value["n"] for key, value in found.items() if key != "n"} == {2} == {found["n"]}


def test_viescore_is_compared_alike() -> None:
    found = compared(TRUTHS, PICKS, "_unseen")
    single, best, similar = (7 + 5.5) / 2, (10 + 9) / 2, (10 + 5.5) / 2
    assert found["single_overall_unseen"]["mean"] == pytest.approx(single)
    assert found["best_of_8_oracle_overall_unseen"]["mean"] == pytest.approx(best)
    assert found["best_of_8_calibrated_overall_unseen"]["mean"] == pytest.approx(4.5)
    assert found["recovered_gap_similarity_overall_unseen"]["mean"] == pytest.approx(
        (similar - single) / (best - single)
    )


def test_without_prompts_or_differences_there_is_no_figure_and_json_says_null(tmp_path: Path) -> None:
    nothing = compared({}, PICKS, "_unseen")
    alike = compared({"1": {"a": truth(10, 9), "b": truth(10, 9)}}, PICKS)
    assert nothing["n_unseen"] == nothing["single_unseen"]["n"] == 0
    finish({**nothing, **alike}, [], tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)["results"]
    assert found["single_unseen"]["mean"] is None
    assert found["recovered_gap_similarity"] == {"mean": None, "low": None, "high": None, "n": 1}


def test_prompts_are_drawn_with_all_they_have() -> None:
    rng = np.random.default_rng(0)
    below = rng.uniform(0.5, 2, 200)
    tied = ratio(0.4 * below, below)
    assert (tied.mean, tied.low, tied.high) == tuple([pytest.approx(0.4)] * 3)
    loose = ratio(0.4 * rng.permutation(below), below)
    assert loose.low < loose.mean < loose.high
    assert np.isnan(ratio([1.0, 1.0], [0.0, 0.0]).mean)


def test_the_most_similar_is_picked_and_of_equals_the_first_by_name() -> None:
    assert highest({"1": {"b": 0.3, "a": 0.3, "c": 0.1}, "2": {"d": -1.0}, "3": {}}) == {"1": "a", "2": "d"}


def test_pictures_of_a_prompt_are_averaged_before_prompts_are(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"1": {"a": {"x"}, "b": {"x", "y"}}, "2": {"c": {"x"}, "d": {"y"}}}
    monkeypatch.setattr(evaluate, "made_by", lambda _: made)
    found = evaluate.by_setting(cast(Pool, SimpleNamespace(folder=Path())), TRUTHS)
    assert {name: (one["mean"], one["n"]) for name, one in found.items()} == {"x": (0.25, 2), "y": (0.5, 2)}


def test_scenes_are_unseen_that_no_training_picture_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "TRAINED", 40)
    trained = SimpleNamespace(id="1", scene=scene_at(39))
    new = SimpleNamespace(id="2", scene=scene_at(41))
    assert evaluate.unseen(cast(Pool, SimpleNamespace(tasks=(trained, new)))) == ["2"]


def test_no_pool_of_play_has_the_scenes_of_evaluate() -> None:
    own = {task.scene for task in play_tasks(20, 0, EVALUATED_FROM)}
    assert not any(own == {task.scene for task in play_tasks(20, 0, seed)} for seed in range(21))
    assert play_tasks(3, 0, EVALUATED_FROM)[0].prompt != play_tasks(3, 0, 0)[0].prompt


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--prompts", "0"], "--prompts: expected 1 to 100,000, got 0"),
        (["--seed", "-1"], "--seed: expected at least 0, got -1"),
        (["--work", "{file}"], "cannot write {file}"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], said: str
) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert evaluate.main(["--work", str(tmp_path / "w"), *(word.format(file=file) for word in wrong)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said.format(file=file) in line


def test_the_shipped_models_are_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hasty = {name: {**how, "steps": 2} for name, how in play_plan.PIPELINES.items()}
    monkeypatch.setattr(play_plan, "PIPELINES", hasty)
    monkeypatch.setattr(evaluate, "DiffusersPipeline", lambda **how: DiffusersPipeline(**{**how, "steps": 2}))
    monkeypatch.setattr(evaluate, "TRAINED", 100)
    asked = ["--work", str(tmp_path / "w"), "--prompts", "2", "--json", str(tmp_path / "out.json")]
    assert evaluate.main(asked) == 0
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["results"]
    for way in ("single", "similarity", "calibrated", "calibrated_untold", "oracle"):
        key = way if way == "single" else f"best_of_8_{way}"
        assert found[key]["n"] == 2
        assert found[f"{key}_unseen"]["n"] == found["n_unseen"] <= 2
        assert found["single_overall"]["mean"] <= found["best_of_8_oracle_overall"]["mean"]
    assert set(found["by_setting"]) == {"unguided", "hasty", "guided", "forced"}
    assert found["seconds_an_image"] > 0 < found["text_to_image_mb"]
    assert "recovered_gap_calibrated_untold" in capsys.readouterr().out
    monkeypatch.setattr(evaluate, "PICTURES", 3)
    assert evaluate.main(asked) == 2
    assert "expected at most 3 pictures" in capsys.readouterr().err
