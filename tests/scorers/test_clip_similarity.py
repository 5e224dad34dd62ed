"""Cosine of picture and prompt: by hand on fixed vectors; languages."""

import numpy as np
import pytest
from conftest import noise_jpeg
from fixed_backbone import FixedBackbone
from tiny_backbone import contest_with

from scorers.clip_similarity import ClipSimilarity
from selector.domain import Item, Picture, Task, TaskInputs, TaskType
from selector.domain.embedding import EmbeddingSettings, View
from selector.sight.embedding.vectors import as_kept
from selector.sight.embedding.views import crops

PICTURE = Picture(noise_jpeg(1))


def item(prompt, picture=PICTURE):
    return Item(TaskInputs(Task("1", TaskType.T2I, prompt, None, None, 0)), picture)


def scorer(backbone=None, translations=None):
    made = ClipSimilarity()
    made.meet(contest_with(EmbeddingSettings(), **(translations or {})))
    made.backbone = backbone or FixedBackbone()
    return made


@pytest.mark.parametrize("length", [1.0, 25.0])
def test_similarity_is_the_cosine_of_the_two_vectors(length):
    backbone = FixedBackbone(length=length)
    found = scorer(backbone).score([item("a red chair")])[0]["similarity"].value
    vector = as_kept(backbone.embed_crops(crops(PICTURE, View.WHOLE, 8)))[0].astype(np.float64)
    text = backbone.embed_texts(["a red chair"])[0].astype(np.float64)
    assert found == pytest.approx(float(vector @ text / np.linalg.norm(vector) / np.linalg.norm(text)), abs=1e-6)


def test_every_item_is_compared_with_its_own_prompt():
    made = scorer()
    both = made.score([item("a red chair"), item("a blue dog")])
    alone = [made.score([item(prompt)])[0] for prompt in ("a red chair", "a blue dog")]
    assert both[0]["similarity"].value != both[1]["similarity"].value
    for a, b in zip(both, alone, strict=True):
        assert a["similarity"].value == pytest.approx(b["similarity"].value, abs=1e-6)


def test_chinese_prompt_is_unscored_by_a_backbone_that_reads_english():
    found = scorer().score([item("一把红色的椅子"), item("a red chair")])
    assert "reads English" in found[0]["similarity"].reason
    assert "multilingual model" in found[0]["similarity"].reason
    assert found[1]["similarity"].value is not None


def test_chinese_prompt_is_scored_by_a_backbone_that_reads_it():
    backbone = FixedBackbone(reads_all=True)
    assert scorer(backbone).score([item("一把红色的椅子")])[0]["similarity"].value is not None
    assert backbone.texts_seen == ["一把红色的椅子"]


def test_translation_stands_in_and_changes_the_version():
    translations = {"一把红色的椅子": "a red chair"}
    found = scorer(translations=translations).score([item("一把红色的椅子"), item("a red chair")])
    assert found[0]["similarity"].value == pytest.approx(found[1]["similarity"].value, abs=1e-6)
    other = scorer(translations={"一把红色的椅子": "a crimson chair"})
    assert len({scorer().version, scorer(translations=translations).version, other.version}) == 3


def test_chinese_in_quotes_is_what_the_picture_shows_and_may_stand_in_an_english_prompt():
    found = scorer().score([item("a shop sign that says “欢迎光临”"), item('a poster with the words "你好"')])
    assert all(result["similarity"].value is not None for result in found)


def test_setting_what_the_backbone_reads_changes_the_version():
    """Else prompts that were unscored would stay so."""
    made = [ClipSimilarity() for _ in range(2)]
    for head, reads in zip(made, ("auto", "all"), strict=True):
        head.meet(contest_with(EmbeddingSettings(weights_path="absent.safetensors", reads=reads)))
    assert made[0].version != made[1].version


@pytest.mark.parametrize("prompt", ["", "   \n"])
def test_empty_prompt_has_a_reason(prompt):
    assert scorer().score([item(prompt)])[0]["similarity"].reason == "the task has no text"


def test_damaged_candidate_is_unscored_and_the_others_are_not():
    damaged = Picture(noise_jpeg(2)[:-300])
    found = scorer().score([item("a red chair", damaged), item("a red chair")])
    assert "damaged or truncated" in found[0]["similarity"].reason
    assert found[1]["similarity"].value is not None


def test_vector_that_is_not_finite_is_unscored():
    backbone = FixedBackbone()
    real = backbone.embed_crops
    backbone.embed_crops = lambda crops: real(crops) * np.float32("nan")
    assert scorer(backbone).score([item("a red chair")])[0]["similarity"].reason == "the backbone gave no finite vector"
