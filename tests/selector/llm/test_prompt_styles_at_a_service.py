"""Prompt styles as variants of a remote generator, from the plan to the service, on real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import noise_jpeg
from prompt_model import PromptModel, prompt_model

from selector import Campaign
from tests.servers.openai_images_server import Behaviour, OpenAIImagesServer

KEY = "sk-test-0123456789abcdef"
TABLE = """index,task_type,prompt,ori_image,target_image
1,t2i,a cat,,
2,t2i,一只猫,,
3,tie,make it red,图 1.jpg,
4,vttie,把“早”改成“晚”,图 1.jpg,
"""
SENT = {
    "a cat",
    "a cat. Ultra HD, 4K, cinematic composition.",
    "In detail: a cat, with soft light.",
    "一只猫",
    "一只猫。超清，4K，电影级构图。",
    "In detail: 一只猫, with soft light.",
    "make it red",
    "make it red. Keep everything else exactly as it is.",
    "In detail: make it red, with soft light.",
    "把“早”改成“晚”",
    "把“早”改成“晚”。字体、大小、颜色和位置以及其他部分保持不变。",
    "Change “早” to “晚”",
    "把招牌上的“早”换成“晚”，字体不变。",
}


@pytest.fixture
def model() -> Iterator[PromptModel]:
    with prompt_model() as server:
        yield server


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIImagesServer]:
    monkeypatch.setenv("TEST_IMAGES_KEY", KEY)
    with OpenAIImagesServer(Behaviour(key=KEY)) as server:
        yield server


@pytest.fixture
def campaign(tmp_path: Path, model: PromptModel, images: OpenAIImagesServer) -> Campaign:
    (tmp_path / "imgs").mkdir()
    (tmp_path / "imgs" / "图 1.jpg").write_bytes(noise_jpeg(1))
    (tmp_path / "task.csv").write_text(TABLE, encoding="utf-8")
    step = {"openai_images": {"n": 4, "prompts": ["as_is", "suffix", "translated", "rewritten"]}}
    return Campaign.init(
        tmp_path / "campaign",
        tmp_path / "task.csv",
        tmp_path / "imgs",
        generate={"t2i": step, "tie": step, "vttie": step, "prompt_writer": "writer"},
        judges={"writer": {"base_url": model.url, "model": "m", "backoff_seconds": 0.01}},
        generators={"openai_images": {"model": "toy-image", "batch": 4}},
        services={"openai": {"base_url": images.url, "key_env": "TEST_IMAGES_KEY"}},
    )


def test_every_wording_reaches_the_service_and_nothing_is_asked_twice(
    campaign: Campaign, model: PromptModel, images: OpenAIImagesServer
) -> None:
    done = campaign.generate()
    # Tasks 1 and 3 are in English, so their translation is the prompt itself; that of task 2 is the prompt of task 1.
    assert {asked.fields["prompt"] for asked in images.log} == SENT
    assert (done.made, done.failed, done.missing, len(model.asked)) == (16, 0, 0, 6)
    requests = len(images.log)
    again = campaign.generate()
    assert (again.made, again.already, len(images.log), len(model.asked)) == (0, 16, requests, 6)


def test_no_part_of_the_key_is_in_what_a_run_leaves(campaign: Campaign) -> None:
    campaign.generate()
    for file in (path for path in campaign.folder.rglob("*") if path.is_file()):
        data = file.read_bytes()
        assert not any(KEY[i : i + 8].encode() in data for i in range(len(KEY) - 7)), file.name
