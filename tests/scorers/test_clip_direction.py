"""The change of the picture against the change of the text: by hand on fixed vectors, and what damping does."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import noise_jpeg
from fixed_backbone import FixedBackbone
from tiny_backbone import contest_with

from scorers.clip_direction import DAMPING, NOT_UNDERSTOOD, ClipDirection, damped_cosine
from selector.domain import Item, Picture, Task, TaskInputs, TaskType
from selector.domain.embedding import EmbeddingSettings, View
from selector.domain.reading import Change, Reading, SceneEdit
from selector.sight.embedding.vectors import as_kept
from selector.sight.embedding.views import crops

SOURCE, EDITED = Picture(noise_jpeg(1)), Picture(noise_jpeg(2))
INSTRUCTION = "Replace the dog with a cat"


def item(picture=EDITED, prompt=INSTRUCTION, source=SOURCE):
    return Item(TaskInputs(Task("1", TaskType.TIE, prompt, "a.jpg", None, 0), source), picture)


def scorer(backbone=None, **translations):
    made = ClipDirection()
    made.meet(contest_with(EmbeddingSettings(weights_path="absent.safetensors"), **translations))
    made.backbone = backbone or FixedBackbone(dim=16)
    return made


def unit(vector):
    return np.asarray(vector, np.float64) / np.linalg.norm(np.asarray(vector, np.float64))


@pytest.mark.parametrize("length", [1.0, 20.0])
def test_direction_is_the_damped_cosine_of_both_changes(length):
    backbone = FixedBackbone(dim=16, length=length)
    found = scorer(backbone).score([item()])[0]
    source, edited = (
        unit(as_kept(backbone.embed_crops(crops(picture, View.WHOLE, 8)))[0]) for picture in (SOURCE, EDITED)
    )
    before, after = backbone.embed_texts(["a photo of the dog", "a photo of a cat"]).astype(np.float64)
    moved, wanted = edited - source, after - before
    cosine = moved @ wanted / np.linalg.norm(moved) / np.linalg.norm(wanted)
    damping = np.linalg.norm(moved) / np.sqrt(np.linalg.norm(moved) ** 2 + DAMPING**2)
    assert found["direction"].value == pytest.approx(cosine * damping, abs=1e-5)
    assert found["kept"].value == pytest.approx(source @ edited, abs=1e-6)


def test_picture_that_did_not_change_scores_zero_and_is_wholly_kept():
    found = scorer().score([item(SOURCE)])[0]
    assert found["direction"].value == pytest.approx(0, abs=1e-6)
    assert found["kept"].value == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("angle_degrees", range(0, 181, 30))
def test_damping_lets_an_edit_pass_and_mutes_noise(angle_degrees):
    cosine = float(np.cos(np.radians(angle_degrees)))
    wanted = np.array([0.7, 0.0])
    along = np.array([cosine, np.sin(np.radians(angle_degrees))])
    edit, noise = damped_cosine(0.6 * along, wanted), damped_cosine(0.01 * along, wanted)
    assert edit == pytest.approx(cosine * 0.6 / np.hypot(0.6, DAMPING))
    assert abs(edit) >= 0.94 * abs(cosine) - 1e-12
    assert abs(noise) < 0.06


def test_the_opposite_instruction_has_the_opposite_sign():
    add, remove = (scorer().score([item(prompt=p)])[0]["direction"].value for p in ("Add a dog", "Remove a dog"))
    assert add == pytest.approx(-remove, abs=1e-6)
    assert abs(add) > 1e-3


def test_instruction_that_is_not_understood_leaves_direction_unscored_only():
    found = scorer().score([item(prompt="Rotate the image by 90 degrees")])[0]
    assert found["direction"].reason == NOT_UNDERSTOOD
    assert found["kept"].value is not None


def test_chinese_instruction_needs_a_backbone_that_reads_it_or_a_translation():
    chinese = "把狗换成猫"
    unread = scorer().score([item(prompt=chinese)])[0]
    assert "reads English" in unread["direction"].reason
    read = FixedBackbone(dim=16, reads_all=True)
    assert scorer(read).score([item(prompt=chinese)])[0]["direction"].value is not None
    assert sorted(read.texts_seen) == sorted(["一张狗的照片", "一张猫的照片"])
    translated = scorer(**{chinese: INSTRUCTION}).score([item(prompt=chinese)])[0]
    assert translated == scorer().score([item()])[0]


def test_missing_or_damaged_source_is_a_reason():
    assert (
        scorer().score([item(source=None)])[0]["direction"].reason == "not applicable: the task has no source picture"
    )
    found = scorer().score([item(source=Picture(noise_jpeg(1)[:-300]))])[0]
    assert found["kept"].reason.startswith("the source picture: damaged or truncated picture")


def test_source_is_embedded_once_for_all_candidates_of_a_task():
    backbone = FixedBackbone(dim=16)
    scorer(backbone).score([item(Picture(noise_jpeg(seed))) for seed in range(10, 15)])
    assert backbone.crops_seen == 6


def test_captions_of_a_reading_take_the_place_of_rules_and_their_english_serves_an_english_backbone():
    captions = Change("一只狗", "一只猫", "a photo of the dog", "a photo of a cat")
    inputs = item(prompt="换一下动物").inputs
    read = replace(inputs, reading=Reading("m", edit=SceneEdit(change=captions)))
    unread = replace(inputs, reading=Reading("m", edit=SceneEdit()))
    by_reading, nothing = scorer().score([Item(read, EDITED), Item(unread, EDITED)])
    assert by_reading["direction"].value == pytest.approx(scorer().score([item()])[0]["direction"].value)
    assert nothing["direction"].reason == NOT_UNDERSTOOD
