"""The own prompt among the prompts of other tasks: by hand on fixed vectors."""

import numpy as np
import pytest
from conftest import noise_jpeg
from fixed_backbone import FixedBackbone
from tiny_backbone import contest_with

from scorers.prompt_contrast import PromptContrast
from selector.domain import Item, Picture, Task, TaskInputs, TaskType
from selector.domain.embedding import EmbeddingSettings, View
from selector.sight.embedding.vectors import as_kept
from selector.sight.embedding.views import crops

PROMPTS = ("a red chair", "two dogs on a beach", "a bowl of fruit", "the sea at night", "an old man", "a steam train")
PICTURE = Picture(noise_jpeg(1))


def task(prompt, kind=TaskType.T2I, position=0):
    return Task(f"t{position}", kind, prompt, None, None, position)


TASKS = tuple(task(prompt, position=i) for i, prompt in enumerate(PROMPTS))


def scorer(tasks=TASKS, backbone=None, **translations):
    made = PromptContrast()
    made.meet(contest_with(EmbeddingSettings(weights_path="absent.safetensors"), tasks, **translations))
    made.backbone = backbone or FixedBackbone(dim=16)
    return made


def item(prompt, picture=PICTURE):
    return Item(TaskInputs(task(prompt)), picture)


def values(result):
    """As far as sums in another order are equal."""
    return {column: pytest.approx(score.value, abs=1e-5) for column, score in result.items()}


def plain(result):
    return {column: score.value for column, score in result.items()}


def cosines_by_hand(backbone, prompts, picture=PICTURE):
    vector = as_kept(backbone.embed_crops(crops(picture, View.WHOLE, 8)))[0].astype(np.float64)
    texts = backbone.embed_texts(prompts).astype(np.float64)
    return texts @ vector / np.linalg.norm(vector)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_rank_and_margin_follow_from_the_cosines(prompt):
    backbone = FixedBackbone(dim=16)
    found = scorer(backbone=backbone).score([item(prompt)])[0]
    own = cosines_by_hand(backbone, [prompt])[0]
    others = cosines_by_hand(backbone, [p for p in PROMPTS if p != prompt])
    assert found["rank"].value == pytest.approx(sum(others < own) / 5)
    assert found["margin"].value == pytest.approx((own - others.mean()) / others.std(), abs=1e-4)


def test_prompts_of_other_task_types_and_repeated_ones_do_not_count():
    more = (*TASKS, task("make it red", TaskType.TIE, 6), task("a red chair", position=7), task(" ", position=8))
    assert plain(scorer(more).score([item("an old man")])[0]) == values(scorer().score([item("an old man")])[0])


def test_prompts_that_the_backbone_cannot_read_do_not_count():
    more = (*TASKS, task("一把红色的椅子", position=6))
    found = scorer(more).score([item("an old man"), item("一把红色的椅子")])
    assert found[0]["rank"] == scorer().score([item("an old man")])[0]["rank"]
    assert "reads English" in found[1]["margin"].reason


def test_few_other_prompts_leave_it_unscored():
    found = scorer(TASKS[:4]).score([item("a red chair")])[0]
    assert found["rank"].reason == found["margin"].reason == "too few other prompts to compare with"


def test_version_changes_with_the_prompts_of_the_contest():
    assert scorer().version != scorer(TASKS[:5]).version
    assert scorer().version == scorer(TASKS[::-1]).version  # the order of the table changes nothing


def test_score_does_not_depend_on_which_tasks_are_scored_together():
    made = scorer()
    together = made.score([item(prompt) for prompt in PROMPTS])
    assert plain(together[3]) == values(made.score([item(PROMPTS[3])])[0])
