"""The embedding that travels with the package: found without a setting more, read as open_clip's folders are."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_backbone import contest_with
from tiny_embedded import tiny_embedding

from experiments.closed_world.graphs import write_embedding_graphs
from experiments.closed_world.pictures import picture_at
from scorers.clip_similarity import ClipSimilarity
from scorers.prompt_contrast import PromptContrast
from scorers.spatial import spatial
from selector.demo.closed_world.scene import LANGUAGES, caption, scene_at
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import EmbeddingSettings, View
from selector.sight import embedded
from selector.sight.embedding.embedded_clip import EmbeddedClip
from selector.sight.embedding.openclip import OpenClip, backbone_of
from selector.sight.embedding.views import crops

EMBEDDED = EmbeddingSettings(model="embedded", device="cpu")
PROMPTS = ("a red circle above a blue square", "一个绿色的三角形在一个黄色的十字形的左边")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of random weights where the trained one lies, with its graphs."""
    made = tiny_embedding(tmp_path / "embedding")
    write_embedding_graphs(made)
    monkeypatch.setattr(embedded, "EMBEDDING", made)
    monkeypatch.setitem(embedded._NEEDED, made, (embedded.EMBEDDING_CONFIG, embedded.EMBEDDING_WEIGHTS))
    backbone_of.cache_clear()
    return made


def items(prompts: tuple[str, ...] = PROMPTS) -> list[Item]:
    rng = np.random.default_rng(0)
    tasks = [Task(str(i), TaskType.T2I, prompt, None, None, i) for i, prompt in enumerate(prompts)]
    made = [encode_final(rng.integers(0, 255, (64, 64, 3), np.uint8)) for _ in tasks]
    return [Item(TaskInputs(task), Picture(data, task.id)) for task, data in zip(tasks, made, strict=True)]


@pytest.mark.usefixtures("folder")
def test_the_name_alone_finds_weights_architecture_and_tokenizer() -> None:
    backbone = OpenClip(EMBEDDED)
    backbone.check()
    assert (backbone.side_px, backbone.reads_all, backbone.precision) == (64, True, "fp32")
    assert backbone.space.startswith("embedded-") and "absent" not in backbone.space
    vectors = backbone.embed_texts([*PROMPTS, PROMPTS[0]])
    assert vectors.shape == (3, 24) and np.allclose(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])
    assert backbone.embed_crops(np.zeros((2, 64, 64, 3), np.uint8)).shape == (2, 24)


@pytest.mark.usefixtures("folder")
def test_every_head_of_text_to_image_scores_prompts_of_both_languages() -> None:
    given = items(tuple(f"{prompt}{end}" for prompt in PROMPTS for end in ("", "，白色背景", " !", " ?", ".")))
    tasks = tuple(item.inputs.task for item in given)
    for head in (ClipSimilarity(), PromptContrast(), spatial(grounding="grid")):
        head.meet(contest_with(EMBEDDED, tasks))
        head.check()
        for scores in head.score(given):
            assert any(score.value is not None for score in scores.values()), (head.name, scores)


@pytest.mark.usefixtures("folder")
def test_a_scorer_may_name_it_for_itself_beside_other_files_of_the_contest() -> None:
    head = ClipSimilarity(model="embedded")
    head.meet(contest_with(EmbeddingSettings("ViT-B-32", "", weights_path="own.safetensors", device="cpu")))
    assert head.backbone.space == EmbeddedClip(EMBEDDED).space


def test_the_space_follows_weights_and_description(folder: Path) -> None:
    before = OpenClip(EMBEDDED).space
    tiny_embedding(folder, seed=1)
    other = OpenClip(EMBEDDED).space
    tiny_embedding(folder, seed=1, mean=[0.5, 0.5, 0.5])
    assert len({before, other, OpenClip(EMBEDDED).space}) == 3


def test_pixels_are_normalised_as_the_folder_says_and_as_openais_without_a_word(folder: Path) -> None:
    crops = np.full((1, 64, 64, 3), 128, np.uint8)
    usual = OpenClip(EMBEDDED).embed_crops(crops)
    by_files = replace(
        EMBEDDED,
        model="",
        weights_path=str(folder / embedded.EMBEDDING_WEIGHTS),
        config_path=str(folder / embedded.EMBEDDING_CONFIG),
        precision="fp32",
    )
    assert np.allclose(OpenClip(by_files).embed_crops(crops), usual)
    mean = [0.48145466, 0.4578275, 0.40821073]
    tiny_embedding(folder, mean=mean, std=[0.26862954, 0.26130258, 0.27577711])
    assert np.allclose(OpenClip(EMBEDDED).embed_crops(crops), usual, atol=1e-6)
    tiny_embedding(folder, mean=[0.1, 0.5, 0.9], std=[0.5, 0.5, 0.5])
    assert not np.allclose(OpenClip(EMBEDDED).embed_crops(crops), usual, atol=1e-3)


def test_other_files_beside_it_are_refused() -> None:
    with pytest.raises(InputError, match="brings its files: leave weights_path"):
        OpenClip(replace(EMBEDDED, weights_path="mine.safetensors"))


def test_without_its_folder_the_check_names_the_cure(folder: Path) -> None:
    (folder / embedded.EMBEDDING_WEIGHTS).unlink()
    with pytest.raises(MissingPart, match="embedding did not come with this copy of bestshot"):
        OpenClip(EMBEDDED).check()
    assert "absent" in OpenClip(EMBEDDED).space


def test_its_version_is_read_without_torch() -> None:
    code = (
        "import sys; from selector.sight.embedding.openclip import OpenClip; "
        "from selector.domain.embedding import EmbeddingSettings; "
        "b = OpenClip(EmbeddingSettings('embedded', device='cpu')); b.space; b.reads_all; "
        "print([m for m in ('torch', 'open_clip', 'transformers') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or "." for entry in sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({}, EmbeddedClip),
        ({"device": "auto", "precision": "fp32"}, EmbeddedClip),
        ({"device": "cuda"}, OpenClip),
        ({"precision": "bf16"}, OpenClip),
    ],
)
def test_onnxruntime_runs_it_unless_more_is_asked(asked: dict[str, str], kind: type) -> None:
    assert type(backbone_of(replace(EMBEDDED, **asked))) is kind


@pytest.mark.usefixtures("folder")
def test_graphs_of_other_weights_give_the_vectors_of_open_clip() -> None:
    by_onnx, by_torch = EmbeddedClip(EMBEDDED), OpenClip(EMBEDDED)
    by_onnx.check()
    crops = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)
    assert by_onnx.embed_crops(crops) == pytest.approx(by_torch.embed_crops(crops), abs=1e-4)
    assert by_onnx.embed_texts(PROMPTS) == pytest.approx(by_torch.embed_texts(PROMPTS), abs=1e-4)
    assert by_onnx.embed_crops(crops[:0]).shape == (0, 24)


def test_the_shipped_vectors_are_those_of_open_clip_within_a_thousandth() -> None:
    """100 captions, one of them longer than the tower; 20 pictures, cut by each backbone's own kernel."""
    rng = np.random.default_rng(0)
    texts = [caption(scene_at(i), rng, LANGUAGES[i % 2]) for i in range(99)] + ["a red circle and " * 30]
    by_onnx, by_torch = backbone_of(EMBEDDED), OpenClip(EMBEDDED)
    assert by_onnx.embed_texts(texts) == pytest.approx(by_torch.embed_texts(texts), abs=1e-5)
    pictures = [Picture(encode_final(picture_at(i))) for i in range(20)]
    units = []
    for backbone in (by_onnx, by_torch):
        cut = [crops(picture, View.WHOLE, backbone.side_px, backbone.on_torch) for picture in pictures]
        vectors = backbone.embed_crops(np.concatenate(cut))
        units.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    assert np.abs(units[0] - units[1]).max() < 1e-3


def test_a_vector_is_the_same_in_any_batch_and_thread() -> None:
    backbone = EmbeddedClip(EMBEDDED)
    pictures = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 3), np.uint8)
    together = backbone.embed_crops(pictures)
    with ThreadPoolExecutor(4) as pool:
        alone = np.concatenate(list(pool.map(backbone.embed_crops, np.split(pictures, 8))))
    assert alone == pytest.approx(together, abs=1e-4)
    assert np.array_equal(together, backbone.embed_crops(pictures))


def test_the_shipped_embedding_tells_colours_apart_in_both_languages() -> None:
    backbone = backbone_of(EMBEDDED)
    backbone.check()
    side = backbone.side_px
    assert side == 96
    pictures = np.full((2, side, side, 3), 30, np.uint8)
    pictures[0, side // 3 : -side // 3, side // 3 : -side // 3] = (220, 40, 40)
    pictures[1, side // 3 : -side // 3, side // 3 : -side // 3] = (40, 70, 220)
    seen = backbone.embed_crops(pictures)
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    for texts in (("a red square", "a blue square"), ("一个红色的正方形", "一个蓝色的正方形")):
        cosines = seen @ backbone.embed_texts(list(texts)).T
        assert (cosines.argmax(axis=1) == [0, 1]).all()


def test_the_shipped_folder_loads_by_open_clip_alone(tmp_path: Path) -> None:
    import json

    import open_clip
    import torch

    folder = embedded.EMBEDDING
    described = json.loads((folder / embedded.EMBEDDING_CONFIG).read_text())
    (tmp_path / "coloured-shapes.json").write_text(json.dumps(described["model_cfg"]))
    open_clip.add_model_config(tmp_path)
    model, _, preprocess = open_clip.create_model_and_transforms(
        "coloured-shapes", pretrained=str(folder / embedded.EMBEDDING_WEIGHTS), require_pretrained=True
    )
    from PIL import Image

    crop = preprocess(Image.new("RGB", (64, 64), (200, 40, 40)))[None]
    with torch.inference_mode():
        theirs = model.eval().encode_image(crop).numpy()[0]
    side = OpenClip(EMBEDDED).side_px
    ours = OpenClip(EMBEDDED).embed_crops(np.full((1, side, side, 3), (200, 40, 40), np.uint8))[0]
    assert np.allclose(theirs, ours, atol=1e-4)
