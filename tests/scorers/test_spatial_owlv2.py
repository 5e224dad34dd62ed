"""Grounding by OWLv2: loading, boxes and plumbing, on a tiny model with random weights. Its numbers mean nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_backbone import contest_with
from tiny_folders import tiny_owlv2

from experiments.support.scenes import Drawn, render
from scorers._owlv2 import _as_shares, detect, owlv2_folder, owlv2_tag
from selector.conformance import check_scorer
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import EmbeddingSettings
from selector.registry import create_scorer

PHRASES = ("a square", "a circle", "an empty background")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the hub has it: configuration, weights, image processor, and CLIP's tokenizer over letters."""
    return tiny_owlv2(tmp_path_factory.mktemp("owlv2"))


def scene(width: int = 384) -> Any:
    rgb = render([Drawn("red", "square", 0.25, 0.3, 0.13), Drawn("blue", "circle", 0.75, 0.7, 0.13)], 0)
    return rgb[:, :width]


def item(prompt: str, rgb: Any) -> Item:
    return Item(TaskInputs(Task("1", TaskType.T2I, prompt, None, None, 0)), Picture(encode_final(rgb)))


def test_evidence_has_a_score_of_every_phrase_in_every_box(folder: Path) -> None:
    evidence = detect(folder, owlv2_tag(folder), scene(), PHRASES)
    assert evidence.outlines
    assert evidence.scores.shape == (len(evidence.boxes), len(PHRASES))
    assert 0 < len(evidence.boxes) <= 16
    assert evidence.boxes.min() >= 0
    assert evidence.boxes.max() <= 1
    assert (evidence.boxes[:, 2:] >= evidence.boxes[:, :2]).all()


def test_scores_and_boxes_are_those_of_the_library_itself(folder: Path) -> None:
    """The same picture and phrases through the library's own processor and its own reading of the output."""
    import torch
    from transformers import AutoImageProcessor, AutoTokenizer, Owlv2ForObjectDetection

    rgb = np.ascontiguousarray(scene(256))  # taller than wide: padded at the right
    model = Owlv2ForObjectDetection.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    fit = {"padding": "max_length", "max_length": 16, "truncation": True, "return_tensors": "pt"}
    tokens = AutoTokenizer.from_pretrained(folder)(list(PHRASES), **fit)
    with torch.inference_mode():
        out = model(**tokens, pixel_values=processor(images=[rgb], return_tensors="pt")["pixel_values"])
    (theirs,) = processor.post_process_object_detection(out, 0.01, target_sizes=[rgb.shape[:2]])
    ours = detect(folder, owlv2_tag(folder), rgb, PHRASES)
    np.testing.assert_allclose(ours.scores.max(axis=1), theirs["scores"].numpy(), atol=1e-5)
    shares = np.clip(theirs["boxes"].numpy() / np.tile([rgb.shape[1], rgb.shape[0]], 2), 0, 1)
    np.testing.assert_allclose(ours.boxes, shares, atol=1e-5)


def test_boxes_of_a_wide_picture_are_shares_of_the_picture_and_not_of_the_padded_square() -> None:
    half_of_the_height = np.array([[0.5, 0.25, 1.0, 0.5]])  # centre and size in a square of the width's side
    np.testing.assert_allclose(_as_shares(half_of_the_height, 200, 100), [[0.0, 0.0, 1.0, 1.0]])
    np.testing.assert_allclose(_as_shares(np.array([[0.25, 0.5, 0.5, 1.0]]), 100, 200), [[0.0, 0.0, 1.0, 1.0]])


def test_scorer_with_a_detector_keeps_the_contract_and_scores_every_column(folder: Path) -> None:
    scorer = create_scorer("spatial", {"grounding": "owlv2", "model_path": str(folder)})
    items = [
        item("a red square to the left of a blue circle", scene()),
        item("two red squares in a big box", scene(300)),
        item("dreamy, cinematic", scene()),
    ]
    check_scorer(scorer, items)
    scores = scorer.score(items)
    assert [scores[0][name].value is not None for name in ("objects", "attributes", "relations")] == [True] * 3
    assert scores[1]["counts"].value is not None
    assert (
        scores[2]["coherence"].reason == "not applicable: the prompt names no two objects, relation, attribute or count"
    )


def test_long_phrase_keeps_its_end_and_is_scored(folder: Path) -> None:
    evidence = detect(folder, owlv2_tag(folder), scene(), ("a very long phrase " * 20, "a circle"))
    assert np.isfinite(evidence.scores).all()


def test_chinese_prompt_is_not_read_by_an_english_tokenizer(folder: Path) -> None:
    scorer = create_scorer("spatial", {"grounding": "owlv2", "model_path": str(folder)})
    assert "another language" in (scorer.score([item("红色的圆形", scene())])[0]["coherence"].reason or "")


def test_version_follows_the_files_and_not_their_place(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    here, there = (
        create_scorer("spatial", {"grounding": "owlv2", "model_path": str(p)}).version for p in (folder, copy)
    )
    assert here == there
    (copy / "vocab.json").write_text((copy / "vocab.json").read_text() + " ")
    assert create_scorer("spatial", {"grounding": "owlv2", "model_path": str(copy)}).version != here


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_incomplete_folder_is_named_with_what_it_lacks(folder: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / name).unlink()
    with pytest.raises(MissingPart, match=name.replace(".", r"\.")):
        owlv2_folder(str(copy))


def test_model_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "config.json").write_text('{"model_type": "clip"}')
    with pytest.raises(InputError, match="of type owlv2, got clip"):
        owlv2_folder(str(copy))


def test_weights_that_are_missing_in_the_file_are_an_error_and_no_random_numbers(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(folder, tmp_path / "copy")
    state = load_file(copy / "model.safetensors")
    save_file({k: v for k, v in state.items() if "class_head" not in k}, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="untrained weights would give random scores"):
        detect(copy, owlv2_tag(copy), scene(), PHRASES)


def test_it_runs_on_the_device_of_the_embedding(folder: Path) -> None:
    scorer: Any = create_scorer("spatial", {"grounding": "owlv2", "model_path": str(folder)})
    candidate = item("a red square to the left of a blue circle", scene())
    scorer.meet(contest_with(EmbeddingSettings(device="cuda:99")))
    with pytest.raises(InputError, match="cannot load it as OWLv2"):
        scorer.score([candidate])
    scorer.meet(contest_with(EmbeddingSettings(device="cpu")))
    assert scorer.score([candidate])[0]["objects"].value is not None
