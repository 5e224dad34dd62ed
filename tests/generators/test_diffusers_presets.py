"""Every preset against the classes of the installed diffusers: names, parameters, defaults. No weights."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from generators._pipelines.call import canvas_of
from generators._pipelines.model_folder import check_class
from generators._pipelines.presets import EDITS, PRESETS, Preset, preset_for
from generators.diffusers_pipeline import DiffusersPipeline
from selector.domain import MissingPart, Task, TaskInputs, TaskType

every_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)


def parameters(cls: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls.__call__).parameters


def class_of(preset: Preset) -> Any:
    import diffusers

    return getattr(diffusers, preset.pipeline)


@every_preset
def test_its_class_is_there_and_takes_what_is_passed(preset: Preset) -> None:
    check_class(preset.pipeline)
    taken = parameters(class_of(preset))
    always = {"prompt", "num_inference_steps", "generator", "num_images_per_prompt", "output_type"}
    sized = {"width", "height"} | ({"image"} if preset.mode == "edit" else set())
    assert always | sized | set(preset.call) | {"callback_on_step_end"} <= set(taken)


@every_preset
def test_defaults_that_it_relies_on_are_those(preset: Preset) -> None:
    taken = parameters(class_of(preset))
    assert {name: taken[name].default for name in preset.relies_on} == dict(preset.relies_on)


def test_each_preset_states_how_its_prompts_are_to_be_written() -> None:
    usual = {"cogview4": "caption", "cogview4-baseline": "caption", "qwen-image": "caption", "sdxl": "tags"}
    usual |= {"qwen-image-edit": "instruction", "qwen-image-edit-plus": "instruction"}
    assert {name: DiffusersPipeline(preset=name).prompt_form for name in PRESETS} == usual | {
        "sd15": "tags",
        "flux-kontext": "kontext",
        "embedded": "caption",
    }


@every_preset
def test_its_sizes_are_what_the_pipeline_takes(preset: Preset) -> None:
    own = [*preset.aspects.values(), *([preset.size_px] if preset.size_px else [])]
    least = 64 if preset.folder else 256  # what travels with the package is small
    assert all(side % 4 == 0 and least <= side <= 2048 for size in own for side in size)
    if preset.area_px:
        for source in ((250, 250), (1024, 640), (640, 1024), (4000, 700)):
            width, height = canvas_of(source, preset.area_px, preset.multiple, preset.canvases)
            assert width % preset.multiple == height % preset.multiple == 0
            assert 0.9 < width * height / preset.area_px < 1.1


@every_preset
def test_it_does_the_tasks_of_its_kind(preset: Preset) -> None:
    generator = DiffusersPipeline(preset=preset.name)
    text, edits = frozenset({TaskType.T2I}), EDITS
    assert generator.task_types == {"text": text, "edit": edits, "auto": text | edits}[preset.mode]


def test_stable_diffusion_has_forms_for_edits() -> None:
    from diffusers.pipelines.auto_pipeline import (
        AUTO_IMAGE2IMAGE_PIPELINES_MAPPING,
        AUTO_INPAINT_PIPELINES_MAPPING,
    )

    for family in ("stable-diffusion", "stable-diffusion-xl", "stable-diffusion-3", "flux"):
        assert {"prompt", "image", "strength"} <= set(parameters(AUTO_IMAGE2IMAGE_PIPELINES_MAPPING[family]))
        taken = set(parameters(AUTO_INPAINT_PIPELINES_MAPPING[family]))
        assert {"prompt", "image", "mask_image", "strength", "width", "height"} <= taken


def test_kontexts_own_sizes_stay_what_they_are() -> None:
    """Its call scales to ``max_area`` and rounds down: of a size in its list, with that area, nothing is left to do."""
    from diffusers.pipelines.flux.pipeline_flux_kontext import PREFERRED_KONTEXT_RESOLUTIONS

    assert {"max_area", "_auto_resize"} <= set(parameters(class_of(PRESETS["flux-kontext"])))
    for width, height in PREFERRED_KONTEXT_RESOLUTIONS:
        assert round((width * height * width / height) ** 0.5) // 16 * 16 == width
        assert canvas_of((width, height), 0, 16, PRESETS["flux-kontext"].canvases) == (width, height)


def test_the_baselines_settings_are_in_the_recipe() -> None:
    inputs = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
    (recipe,) = DiffusersPipeline(preset="cogview4-baseline").recipes(inputs, 1, 3)
    assert recipe.params == {"mode": "text", "steps": 50, "call": {"guidance_scale": 3.5}, "size_px": [512, 512]}
    assert (recipe.variant, recipe.seed) == ("cogview4-baseline", 3)


def test_qwen_gets_its_aspect_and_a_negative_prompt_without_which_the_scale_is_ignored() -> None:
    inputs = TaskInputs(Task("1", TaskType.T2I, "一只猫", None, None, 0))
    (recipe,) = DiffusersPipeline(preset="qwen-image", aspect="16:9").recipes(inputs, 1, 0)
    assert recipe.params["size_px"] == [1664, 928]
    assert recipe.params["call"] == {"true_cfg_scale": 4.0, "negative_prompt": " "}


def test_settings_that_are_given_go_before_the_presets() -> None:
    inputs = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
    generator = DiffusersPipeline(preset="sdxl", steps=30, guidance_scale=7, negative_prompt="blurry", size="832x1216")
    (recipe,) = generator.recipes(inputs, 1, 0)
    assert recipe.params["steps"] == 30 and recipe.params["size_px"] == [832, 1216]
    assert recipe.params["call"] == {"guidance_scale": 7, "negative_prompt": "blurry"}


def test_a_model_is_known_by_its_hub_id_or_the_class_of_its_folder() -> None:
    assert preset_for("Qwen/Qwen-Image", "").name == "qwen-image"
    assert preset_for("", "FluxKontextPipeline").name == "flux-kontext"
    own = [preset_for("", name) for name in ("StableDiffusionPipeline", "SanaPipeline", "KandinskyImg2ImgPipeline")]
    assert [(preset.name, preset.mode) for preset in own] == [("", "auto"), ("", "text"), ("", "image")]


def test_a_class_that_diffusers_does_not_have_is_a_missing_part() -> None:
    with pytest.raises(MissingPart, match=r"has no FutureImagePipeline; pip install -U diffusers"):
        check_class("FutureImagePipeline")
