"""Prompts that a generator cuts: the suffix is read all the same, and what is read alike is paid for once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toy_services import Make, ToyRemote, attempts, reopened, toy_service

from selector import Campaign
from selector.generate.recipes import PROMPT
from tests.servers.dashscope_server import DashScopeServer
from tests.servers.dashscope_state import Behaviour

LONG = "a red barn beside a frozen lake at dawn, " * 30
KEEP = "Keep everything else exactly as it is."
STYLES = {"n": 4, "prompts": ["as_is", "suffix"]}


def recipe_keys(campaign: Campaign) -> set[str]:
    return {attempt.recipe.key for attempt in attempts(campaign)}


def test_a_suffix_reaches_a_service_that_cuts_prompts_and_what_was_cut_is_noted(tmp_path: Path) -> None:
    (tmp_path / "imgs").mkdir()
    table = f'index,task_type,prompt,ori_image,target_image\n1,t2i,"{LONG}",,\n2,t2i,"{LONG} in 4k",,\n'
    (tmp_path / "task.csv").write_text(table, encoding="utf-8")
    with DashScopeServer(Behaviour(job_seconds=0.05, picture_px=64)) as server:
        campaign = Campaign.init(
            tmp_path / "campaign",
            tmp_path / "task.csv",
            tmp_path / "imgs",
            generate={"t2i": {"dashscope": STYLES}},
            services={"dashscope": {"base_url": server.url, "key_env": ""}},
        )
        campaign.generate()
        sent = sorted(job.prompt for job in server.state.jobs.values())
    # Task 2 names its quality itself, beyond what is read: it has no other wording, and one job of four images.
    assert len(sent) == 3 and all(700 < len(prompt) <= 800 for prompt in sent)
    suffixed = [prompt for prompt in sent if prompt.endswith("Ultra HD, 4K, cinematic composition.")]
    assert len(suffixed) == 1 and suffixed[0][:700] == LONG[:700]
    notes = {
        a.recipe.params.get(PROMPT, {}).get("cut_from", a.notes.get("prompt_cut_from")) for a in attempts(campaign)
    }
    assert notes == {len(LONG.strip()), len(LONG.strip(" ,")) + 38, len(LONG) + 6}


def test_wordings_that_are_read_alike_are_one(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyRemote, "prompt_characters", 120, raising=False)
    campaign = make({"toy_remote": {"n": 4, "prompts": ["as_is", "translated"]}}, [LONG + "one"])
    (campaign.folder / "translations.csv").write_text(f'text,english\n"{LONG}one","{LONG}two"\n', encoding="utf-8")
    campaign.generate()
    assert {job.prompt for job in toy_service().submits} == {LONG + "one"} and len(recipe_keys(campaign)) == 4


@pytest.mark.parametrize("limit", [0, None, 2000])
def test_a_prompt_that_no_limit_touches_keeps_its_recipes(
    make: Make, monkeypatch: pytest.MonkeyPatch, limit: Any
) -> None:
    campaign = make({"toy_remote": STYLES}, ["red", LONG])
    campaign.generate()
    monkeypatch.setattr(ToyRemote, "prompt_characters", limit, raising=False)
    again = reopened(campaign)
    done = again.generate()
    assert (done.made, done.already) == (0, 8)
    fresh = make({"toy_remote": STYLES}, ["red", LONG], name="fresh")
    fresh.generate()
    assert len(recipe_keys(fresh)) == len(recipe_keys(again)) > 0
    assert not any("cut_from" in a.recipe.params.get(PROMPT, {}) for a in attempts(fresh))
