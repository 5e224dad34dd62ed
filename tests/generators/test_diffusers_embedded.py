"""The preset of the model that travels with the package: its folder, its version, its samplers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_embedded import tiny_text_to_image

from generators._pipelines import loading, presets
from generators._pipelines.model_folder import tag_of
from generators.diffusers_pipeline import DiffusersPipeline
from selector.conformance import check_generator
from selector.domain import Declined, InputError, Made, MissingPart, Task, TaskInputs, TaskType
from selector.net import Interrupted
from selector.sight.embedded import TEXT_TO_IMAGE

SAMPLERS = ("DPMSolverMultistepScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")
SCHEDULE = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tiny_text_to_image(tmp_path_factory.mktemp("embedded") / "text_to_image")
    loading.drop()


def from_text(prompt: str) -> TaskInputs:
    return TaskInputs(Task("7", TaskType.T2I, prompt, None, None, 0))


def made_by(generator: DiffusersPipeline, prompt: str = "a red circle", seed: int = 3) -> Made:
    made = generator.generate(from_text(prompt), generator.recipes(from_text(prompt), 1, seed)[0])
    assert isinstance(made, Made)
    return made


def test_it_is_the_packaged_folder_and_asks_no_hub() -> None:
    generator = DiffusersPipeline(preset="embedded")
    assert "ships with bestshot" in generator.where()
    assert generator._hub is None and Path(generator._model_path) == TEXT_TO_IMAGE
    with pytest.raises(InputError, match="brings its model; leave model"):
        DiffusersPipeline(preset="embedded", model="owner/name")


def test_a_package_without_the_folder_is_told_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from selector.sight import embedded

    gone = tmp_path / "text_to_image"
    monkeypatch.setitem(embedded._NEEDED, gone, ("model_index.json",))
    preset = replace(presets.PRESETS["embedded"], folder=gone)
    monkeypatch.setattr(presets, "PRESETS", {"embedded": preset})
    generator = DiffusersPipeline(preset="embedded")
    assert generator.version == "1-absent"
    with pytest.raises(MissingPart, match=r"text_to_image did not come with .*install it again"):
        generator.check()


def test_it_keeps_the_contract_in_both_languages(folder: Path) -> None:
    generator = DiffusersPipeline(preset="embedded", model_path=str(folder), steps=2)
    check_generator(generator, from_text("two green squares"))
    check_generator(generator, from_text("一个红色的圆形"))


def test_it_declines_edits(folder: Path) -> None:
    task = Task("7", TaskType.TIE, "make it snow", "source.jpg", None, 0)
    with pytest.raises(Declined, match="this model does t2i tasks"):
        DiffusersPipeline(preset="embedded", model_path=str(folder)).recipes(TaskInputs(task, None), 1, 0)


def test_its_recipe_is_the_presets_and_chinese_is_no_fault(folder: Path) -> None:
    made = made_by(DiffusersPipeline(preset="embedded", model_path=str(folder), steps=2), "一个红色的圆形")
    assert "prompt_not_english" not in made.notes
    assert made.notes["dtype"] == "fp32" or made.notes["device"] != "cpu"
    (recipe,) = DiffusersPipeline(preset="embedded").recipes(from_text("a"), 1, 3)
    call = {"guidance_scale": 4.0}
    assert recipe.params == {"mode": "text", "steps": 20, "call": call, "size_px": [64, 64]}
    assert recipe.variant == "embedded"


def test_its_version_follows_the_weights_content(folder: Path, tmp_path: Path) -> None:
    other = tiny_text_to_image(tmp_path / "text_to_image", seed=1)
    sizes = [sorted(file.stat().st_size for file in one.rglob("*.safetensors")) for one in (folder, other)]
    assert sizes[0] == sizes[1] and tag_of(folder) != tag_of(other)
    assert tag_of(folder) == tag_of(tiny_text_to_image(tmp_path / "again"))


@pytest.mark.parametrize("scheduler", SAMPLERS)
def test_another_sampler_keeps_the_schedule(folder: Path, scheduler: str) -> None:
    usual, other = (
        DiffusersPipeline(preset="embedded", model_path=str(folder), steps=3, scheduler=name)
        for name in ("", scheduler)
    )
    made = made_by(other)
    config = loading._here[0].pipe.scheduler.config
    assert {key: config[key] for key in SCHEDULE} == SCHEDULE
    assert made.notes["scheduler"] == scheduler
    assert np.any(np.asarray(made.image) != np.asarray(made_by(usual).image))


@pytest.mark.parametrize("scheduler", ["HeunDiscreteScheduler", "PNDMScheduler"])
def test_a_sampler_that_would_drop_the_schedule_is_refused(folder: Path, scheduler: str) -> None:
    with pytest.raises(InputError, match=f"{scheduler}' does not fit this model; .*EulerDiscreteScheduler"):
        made_by(DiffusersPipeline(preset="embedded", model_path=str(folder), scheduler=scheduler))


def test_the_shipped_one_needs_no_diffusers_and_runs_on_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "onnxruntime" or None)
    generator = DiffusersPipeline(preset="embedded", steps=2, guidance_scale=1.5)
    generator.check()
    assert generator.lane == ""
    made = made_by(generator, "a red circle " * 20)
    assert (made.notes["scheduler"], made.notes["steps"], made.notes["prompt_tokens"]) == ("DDIM", 2, 62)
    assert str(made.notes["prompt_cut"]).startswith("circle a red")


@pytest.mark.parametrize(
    "asked", [{"scheduler": SAMPLERS[0]}, {"device": "cuda"}, {"dtype": "bf16"}, {"call": {"eta": 1.0}}]
)
def test_what_goes_beyond_steps_and_guidance_is_for_diffusers(
    asked: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "onnxruntime" or None)
    generator = DiffusersPipeline(preset="embedded", **asked)  # type: ignore[arg-type]
    assert generator.lane == "model"
    with pytest.raises(MissingPart, match=r"pip install 'bestshot\[pipelines\]'"):
        generator.check()


def test_it_ends_between_two_steps_when_it_is_told_to() -> None:
    generator = DiffusersPipeline(preset="embedded", steps=4)
    told: list[tuple[int, int]] = []
    generator.on_step = lambda done, total: (told.append((done, total)), generator.cancel())[0]
    inputs = from_text("a red circle")
    with pytest.raises(Interrupted):
        generator.generate_batch(inputs, generator.recipes(inputs, 2, 0))
    assert told == [(1, 8)]


def test_the_shipped_model_follows_its_prompt() -> None:
    """Four pictures in each language: red somewhere, and dark elsewhere; what single samples do is not asked."""
    generator = DiffusersPipeline(preset="embedded", steps=10)
    generator.check()
    for prompt in ("a large red square on a black background", "一个红色的大正方形，黑色背景"):
        inputs = from_text(prompt)
        images = [np.asarray(one.image) for one in generator.generate_batch(inputs, generator.recipes(inputs, 4, 0))]
        assert {image.shape for image in images} == {(64, 64, 3)}
        red, green, blue = np.moveaxis(np.stack(images).astype(float), -1, 0)
        assert np.mean(red - np.maximum(green, blue) > 60) > 0.03
        assert np.median([red, green, blue]) < 60


def test_the_shipped_folder_loads_by_diffusers_alone() -> None:
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(TEXT_TO_IMAGE)
    pipe.set_progress_bar_config(disable=True)
    picture = pipe("a red circle", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (64, 64, 3) and np.isfinite(picture).all()
    assert all(pipe.scheduler.config[key] == value for key, value in SCHEDULE.items())
