"""Preference models of both formats, built here: open_clip's checkpoint and transformers' folder, random weights."""

import json

import numpy as np
import pytest
import torch
from conftest import noise_jpeg
from safetensors.torch import load_file, save_file
from tiny_backbone import contest_with, tiny_clip
from tiny_folders import tiny_pickscore

from scorers.preference import Preference
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType
from selector.domain.embedding import EmbeddingSettings, View
from selector.registry import create_scorer
from selector.sight.embedding.transformers_clip import TransformersClip
from selector.sight.embedding.vectors import as_kept
from selector.sight.embedding.views import crops

PICTURES = [Picture(noise_jpeg(seed)) for seed in range(3)]
FP32 = EmbeddingSettings(device="cpu", precision="fp32")


def items(prompt="a red chair"):
    return [Item(TaskInputs(Task("1", TaskType.T2I, prompt, None, None, 0)), picture) for picture in PICTURES]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """As HPS publishes it: a pickle of plain tensors under state_dict."""
    folder = tmp_path_factory.mktemp("hps")
    tiny = tiny_clip(folder, dim=32)
    torch.save({"state_dict": load_file(tiny.weights_path)}, folder / "hps.pt")
    return {"model_path": str(folder / "hps.pt"), "config_path": tiny.config_path}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_pickscore(tmp_path_factory.mktemp("pick") / "pickscore")


def scorer(settings):
    made = create_scorer("preference", settings)
    made.meet(contest_with(FP32))
    return made


def unit(vector):
    return np.asarray(vector, np.float64) / np.linalg.norm(np.asarray(vector, np.float64))


def test_checkpoint_of_open_clip_gives_the_cosine_of_its_vectors(checkpoint):
    made = scorer(checkpoint)
    made.check()
    backbone = made.backbone
    text = unit(backbone.embed_texts(["a red chair"])[0])
    for item, result in zip(items(), made.score(items()), strict=True):
        vector = as_kept(backbone.embed_crops(crops(item.picture, View.WHOLE, 32)))[0]
        assert result["similarity"].value == pytest.approx(unit(vector) @ text, abs=1e-6)


def test_folder_of_transformers_gives_the_cosine_of_its_own_features(folder):
    """Against transformers' own way from pixels and text to features."""
    from transformers import AutoTokenizer, CLIPModel

    made = scorer({"model_path": str(folder)})
    made.check()
    model, tokenizer = CLIPModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        tokens = tokenizer(["a red chair"], return_tensors="pt")
        text = model.get_text_features(**{k: tokens[k] for k in ("input_ids", "attention_mask")})
        text = getattr(text, "pooler_output", text)[0].numpy()
        for item, result in zip(items(), made.score(items()), strict=True):
            pixels = crops(item.picture, View.WHOLE, 32)[0] / 255.0
            pixels = (pixels - np.array([0.5, 0.4, 0.3])) / np.array([0.3, 0.2, 0.1])
            image = model.get_image_features(pixel_values=torch.tensor(pixels).permute(2, 0, 1)[None].float())
            image = getattr(image, "pooler_output", image)[0].numpy()
            assert result["similarity"].value == pytest.approx(unit(image) @ unit(text), abs=1e-3)


def test_long_prompts_go_through_a_folder_s_tower_in_pieces(folder):
    backbone = TransformersClip(folder, FP32)
    long = "a red chair in an empty room, " * 6
    vectors = backbone.embed_texts([long, long[:-8] + "house, ", "a red chair"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-7)
    assert vectors[2] == pytest.approx(backbone.embed_texts(["a red chair"])[0], abs=1e-6)


def test_model_that_is_not_here_is_a_missing_part_with_the_command_that_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    for name in ("hpsv2.1", "pickscore"):
        with pytest.raises(MissingPart, match=f"bestshot weights fetch {name}"):
            Preference(model=name).check()
        assert "absent" in Preference(model=name).version
    with pytest.raises(MissingPart, match="there are no weights at"):
        Preference(model_path=str(tmp_path / "absent")).check()


def test_folder_with_a_pickle_only_is_refused(folder, tmp_path):
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(MissingPart, match="pickles are not loaded"):
        Preference(model_path=str(tmp_path)).check()


@pytest.mark.parametrize("change", ["absent", "reshaped", "cut"])
def test_folder_whose_weights_are_not_whole_is_refused_in_one_line(folder, tmp_path, change):
    copied = tmp_path / "model"
    copied.mkdir()
    for file in folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    if change == "cut":
        (copied / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:999])
    else:
        state = load_file(folder / "model.safetensors")
        if change == "absent":
            del state["visual_projection.weight"]
        else:
            state["visual_projection.weight"] = torch.zeros(8, 32)
        save_file(state, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError) as error:
        TransformersClip(copied, FP32).embed_texts(["a cat"])
    assert "\n" not in str(error.value)


def test_version_goes_by_the_content_of_the_weights_and_not_by_their_place(folder, checkpoint, tmp_path):
    copied = tmp_path / "elsewhere"
    copied.mkdir()
    for file in folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    here, there = scorer({"model_path": str(folder)}), scorer({"model_path": str(copied)})
    assert here.version == there.version != scorer(checkpoint).version
    (copied / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0, 0, 0]}))
    assert scorer({"model_path": str(copied)}).version != here.version


def test_chinese_prompt_is_unscored_whatever_the_shared_backbone_reads(folder):
    made = create_scorer("preference", {"model_path": str(folder)})
    made.meet(contest_with(EmbeddingSettings(device="cpu", precision="fp32", reads="all")))
    assert all("reads English" in result["similarity"].reason for result in made.score(items("红色的椅子")))


def test_other_names_of_models_are_refused():
    with pytest.raises(InputError, match=r"model must be hpsv2\.1 or pickscore"):
        create_scorer("preference", {"model": "imagereward"})


def test_it_is_not_run_unless_a_campaign_names_it():
    from selector.config import ScoreConfig

    assert "preference" not in ScoreConfig().scorers
