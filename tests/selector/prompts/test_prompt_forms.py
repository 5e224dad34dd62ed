"""Generators state the form of prompts that their models like, and in a campaign the writer is asked for that form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_pipelines
from conftest import HEADER, noise_jpeg
from prompt_model import prompt_model

from generators._dashscope_models import known_models
from generators._dashscope_requests import FUNCTIONS
from generators._pipelines.presets import preset_for
from generators.dashscope import DashScope
from generators.openai_images import OpenAIImages
from selector import Campaign
from selector.domain import TaskType
from selector.prompts.wording import CAPTION, FORMS, INSTRUCTION, KONTEXT, TAGS, form_for, order_for
from selector.registry import BUILTIN_GENERATORS, create_generator


@pytest.mark.parametrize("name", sorted(BUILTIN_GENERATORS))
def test_every_generator_states_a_form_that_there_is_or_none(name: str) -> None:
    assert getattr(create_generator(name, {}), "prompt_form", "") in ("", *FORMS)


@pytest.mark.parametrize("name", known_models())
def test_a_model_at_dashscope_is_described_to_or_instructed(name: str) -> None:
    """One that does both is left to the usual form of the task."""
    expected = {"edits": INSTRUCTION, "text": CAPTION, "both": ""}[known_models()[name].makes]
    assert DashScope(name).prompt_form == expected


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name != "description_edit_with_mask"])
def test_functions_that_are_told_the_whole_picture_get_a_caption(function: str) -> None:
    described = {"expand", "colorization", "doodle", "control_cartoon_feature"}
    generator = DashScope("wanx2.1-imageedit", function)
    assert generator.prompt_form == (CAPTION if function in described else INSTRUCTION)


def test_models_of_openais_api_get_the_usual_of_each_task() -> None:
    form = OpenAIImages("m").prompt_form
    assert [form_for(form, kind) for kind in (TaskType.T2I, TaskType.TIE)] == [CAPTION, INSTRUCTION]


@pytest.mark.parametrize(
    ("pipeline", "form"),
    [
        ("StableDiffusionPipeline", TAGS),
        ("StableDiffusionXLInpaintPipeline", TAGS),
        ("StableDiffusionInstructPix2PixPipeline", INSTRUCTION),
        ("StableDiffusion3Pipeline", CAPTION),
        ("FluxPipeline", CAPTION),
        ("FluxKontextInpaintPipeline", KONTEXT),
        ("QwenImageEditInpaintPipeline", INSTRUCTION),
        ("KandinskyPipeline", ""),
        ("", ""),
    ],
)
def test_a_model_without_a_preset_goes_by_its_class(pipeline: str, form: str) -> None:
    assert preset_for("", pipeline).prompt_form == form


@pytest.mark.parametrize(
    ("build", "kind", "prompt", "form"),
    [
        (tiny_pipelines.tiny_sd, TaskType.T2I, "a red fox in the snow", TAGS),
        (tiny_pipelines.tiny_kontext, TaskType.TIE, "make the sky green", KONTEXT),
    ],
)
def test_in_a_campaign_the_writer_is_asked_for_the_models_form(
    tmp_path: Path, build: Any, kind: TaskType, prompt: str, form: str
) -> None:
    build(tmp_path / "model")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").write_bytes(noise_jpeg(3, (64, 64)))
    source = "" if kind is TaskType.T2I else "1.jpg"
    (tmp_path / "task.csv").write_text(f"{HEADER}\n1,{kind.value},{prompt},{source},\n", encoding="utf-8")
    model = {"kind": "diffusers", "model_path": str(tmp_path / "model"), "dtype": "fp32", "steps": 1, "size": "64x64"}
    with prompt_model() as writer:
        judges = {"writer": {"base_url": writer.url, "model": "m", "backoff_seconds": 0.01}}
        plan = {kind.value: {"local": {"n": 1, "prompts": ["rewritten"]}}, "prompt_writer": "writer"}
        with Campaign.init(
            tmp_path / "campaign",
            tmp_path / "task.csv",
            tmp_path / "in",
            judges=judges,
            generate=plan,
            generators={"local": model},
        ) as campaign:
            summary = campaign.generate()
            with campaign._ws.db.read() as connection:
                (row,) = connection.exec_driver_sql("SELECT form, original, text FROM prompt_text").all()
                (params,) = connection.exec_driver_sql("SELECT params FROM attempt").all()
        assert writer.asked == [(order_for("rewritten", form, kind), prompt)]
    assert summary.made == 1, summary.reasons
    assert tuple(row)[:2] == (form, prompt) and str(row[2]) in str(params[0])
