"""Any image classifier as a detector: plumbing on tiny ViTs with seeded random weights, which detect nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from tiny_backbone import contest_with
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor, ViTModel

from scorers._detector_model import says_fake
from scorers.hf_detector import HFDetector
from selector.conformance import check_scorer
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import EmbeddingSettings
from selector.registry import create_scorer

LABELS = ("real", "ai_painting", "deepfake")
INPUTS = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))


def config(labels=LABELS):
    return ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=32,
        patch_size=8,
        initializer_range=0.6,  # so that pictures differ in more than the last digits
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )


def saved(folder, labels=LABELS, cls=ViTForImageClassification, seed=0, size=None):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        cls(config(labels)).save_pretrained(folder)
    ViTImageProcessor(size=size or {"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("detector") / "vit")


@pytest.fixture
def copy(folder, tmp_path):
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def items():
    pictures = [data.chelsea(), data.astronaut(), data.coffee()[:150], data.astronaut()[:, ::-1], data.rocket()]
    return [Item(INPUTS, Picture(encode_final(np.ascontiguousarray(rgb)))) for rgb in pictures]


def values(scorer, which):
    return [result["fake_probability"].value for result in scorer.score(which)]


def by_hand(folder, rgb, summed):
    """Pillow's bilinear resize, 0.5 +- 0.5, the model called by itself, softmax in NumPy."""
    small = np.asarray(Image.fromarray(rgb).resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    pixels = torch.from_numpy((small - 0.5) / 0.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        logits = ViTForImageClassification.from_pretrained(folder).eval()(pixel_values=pixels).logits.numpy()[0]
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    return shares[list(summed)].sum()


def test_it_keeps_the_contract(folder):
    check_scorer(HFDetector(folder), items())


def test_the_labels_that_mean_fake_are_summed(folder):
    found = values(HFDetector(folder), items())
    for value, item in zip(found, items(), strict=True):
        assert value == pytest.approx(by_hand(folder, item.picture.rgb, (1, 2)), abs=1e-4)
    assert np.ptp(found) > 0.05


def test_named_labels_count_instead_whatever_their_case(folder):
    (value,) = values(HFDetector(folder, fake_labels=["REAL"]), items()[:1])
    assert value == pytest.approx(by_hand(folder, items()[0].picture.rgb, (0,)), abs=1e-4)


def test_a_batch_goes_through_the_model_at_once_and_scores_as_singles_do(folder, monkeypatch):
    sizes = []
    real = ViTForImageClassification.forward
    monkeypatch.setattr(
        ViTForImageClassification,
        "forward",
        lambda self, pixel_values, **rest: (sizes.append(len(pixel_values)), real(self, pixel_values, **rest))[1],
    )
    scorer = HFDetector(folder)
    together = values(scorer, items())
    assert sizes == [5]
    assert together == pytest.approx([values(scorer, [item])[0] for item in items()], abs=1e-5)


def test_pictures_that_keep_their_proportions_are_batched_by_size(tmp_path):
    free = HFDetector(saved(tmp_path / "free", size={"shortest_edge": 32}))
    squares = [Item(INPUTS, Picture(encode_final(np.full((side, side, 3), side, np.uint8)))) for side in (40, 90, 200)]
    together = values(free, squares)
    assert together == pytest.approx([values(free, [item])[0] for item in squares], abs=1e-5)


def test_damaged_picture_is_unscored_and_the_others_are_scored(folder):
    broken = Item(INPUTS, Picture(items()[0].picture.data[:500], "cut.jpg"))
    first, middle, last = HFDetector(folder).score([items()[0], broken, items()[1]])
    assert "cut.jpg" in middle["fake_probability"].reason
    both = [first["fake_probability"].value, last["fake_probability"].value]
    assert both == pytest.approx(values(HFDetector(folder), items()[:2]), abs=1e-5)


@pytest.mark.parametrize("label", ["fake", "FAKE", "Deepfake", "AI", "ai_gen", "AiArtData", "artificial", "Synthetic"])
def test_names_for_made_pictures_are_recognised(label):
    assert says_fake(label)


@pytest.mark.parametrize("label", ["real", "human", "not_fake", "non-AI", "painting", "RealArt", "LABEL_1", "air"])
def test_other_names_are_not(label):
    assert not says_fake(label)


@pytest.mark.parametrize("labels", [("cat", "dog"), ("LABEL_0", "LABEL_1"), ("AI", "fake")])
def test_labels_that_do_not_say_it_must_be_named(tmp_path, labels):
    scorer = HFDetector(saved(tmp_path / "m", labels))
    with pytest.raises(InputError, match=f"set fake_labels to some, not all, of {labels[0]}, {labels[1]}"):
        scorer.check()
    HFDetector(str(tmp_path / "m"), fake_labels=[labels[1]]).check()


def test_unknown_label_is_refused_with_the_nearest_one(folder):
    with pytest.raises(InputError, match=r"no label 'deepfaked' \(did you mean 'deepfake'\?\)"):
        HFDetector(folder, fake_labels=["deepfaked"]).check()


def test_without_a_model_it_says_where_to_set_one(tmp_path):
    with pytest.raises(MissingPart, match=r"set \[scorers.hf_detector\] folder or model in campaign.toml"):
        HFDetector().check()
    with pytest.raises(MissingPart, match=r"no folder .*gone"):
        HFDetector(str(tmp_path / "gone")).check()


def test_model_of_the_hub_that_is_not_on_this_disk_is_missing_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingPart, match="no copy of someone/detector in the hub's cache: hf download someone/detec"):
        HFDetector(model="someone/detector").check()


def test_model_in_the_hubs_cache_is_found(tmp_path, monkeypatch, folder):
    snapshot = tmp_path / "models--someone--detector" / "snapshots" / "abc"
    shutil.copytree(folder, snapshot)
    (tmp_path / "models--someone--detector" / "refs").mkdir()
    (tmp_path / "models--someone--detector" / "refs" / "main").write_text("abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    cached = HFDetector(model="someone/detector")
    cached.check()
    assert cached.version == HFDetector(folder).version


def test_detector_of_the_catalogue_is_found_where_it_was_fetched(tmp_path, monkeypatch, folder):
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingPart, match="bestshot weights fetch sdxl-detector"):
        HFDetector(model="sdxl-detector").check()
    shutil.copytree(folder, tmp_path / "sdxl-detector")
    monkeypatch.setattr("selector.weights.place.has_size", lambda path, _: path.is_file())  # a tiny one
    HFDetector(model="sdxl-detector").check()


def test_place_under_the_wrong_setting_is_refused(folder):
    with pytest.raises(InputError, match="no name of a model on the hub: for a local one set folder"):
        HFDetector(model=folder).check()


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(MissingPart, match=f"no {name}"):
        HFDetector(str(copy)).check()


def test_pickled_weights_are_not_loaded(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"a pickle, which is not loaded: convert them to model.safetensors"):
        HFDetector(str(copy)).check()


def test_model_without_a_trained_head_is_refused(tmp_path):
    bare = HFDetector(saved(tmp_path / "bare", cls=ViTModel))
    for _ in range(2):  # the second time from memory
        with pytest.raises(InputError, match=r"lack classifier.bias, classifier.weight: an untrained head would give"):
            bare.score(items()[:1])


def test_head_for_another_number_of_labels_is_refused(copy):
    facts = json.loads((copy / "config.json").read_text())
    facts["id2label"] = {"0": "real", "1": "fake"}
    (copy / "config.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="cannot load it as an image classifier"):
        HFDetector(str(copy)).score(items()[:1])


def test_model_that_looks_at_no_pictures_is_refused(copy):
    facts = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**facts, "model_type": "bert"}))
    with pytest.raises(InputError, match="cannot load it as an image classifier"):
        HFDetector(str(copy)).score(items()[:1])


@pytest.mark.parametrize("change", [{"id2label": {"0": "fake"}}, {"problem_type": "multi_label_classification"}])
def test_regression_and_tagging_models_are_refused(copy, change):
    facts = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**facts, **change}))
    with pytest.raises(InputError, match="one of two labels or more"):
        HFDetector(str(copy)).check()


def test_code_in_the_models_folder_is_not_run(copy):
    ran = copy / "ran"
    (copy / "mine.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    facts = json.loads((copy / "config.json").read_text())
    auto = {"AutoConfig": "mine.Config", "AutoModelForImageClassification": "mine.Model"}
    (copy / "config.json").write_text(json.dumps({**facts, "model_type": "mine", "auto_map": auto}))
    with pytest.raises(InputError, match="cannot load it"):
        HFDetector(str(copy)).score(items()[:1])
    assert not ran.exists()


def test_version_goes_by_content_and_by_what_is_summed(tmp_path, folder, copy):
    plain = create_scorer("hf_detector", {"folder": folder}).version
    assert create_scorer("hf_detector", {"folder": str(copy)}).version == plain
    assert create_scorer("hf_detector", {"folder": folder, "fake_labels": ["ai_painting", "deepfake"]}).version == plain
    others = {
        create_scorer("hf_detector").version,
        create_scorer("hf_detector", {"folder": folder, "fake_labels": ["deepfake"]}).version,
        create_scorer("hf_detector", {"folder": saved(tmp_path / "other", seed=1)}).version,
    }
    assert len(others | {plain}) == 4


@pytest.mark.parametrize("wrong", [{"folder": "a", "model": "b"}, {"fake_labels": "fake"}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="does not accept these settings"):
        create_scorer("hf_detector", wrong)


def test_it_runs_on_the_device_of_the_embedding(folder):
    made = create_scorer("hf_detector", {"folder": folder})
    before = made.version
    made.meet(contest_with(EmbeddingSettings(device="cuda:99")))
    assert made.version == before
    for _ in range(2):  # the second time from memory
        with pytest.raises(InputError, match="cannot load it as an image classifier"):
            made.score(items()[:1])
    made.meet(contest_with(EmbeddingSettings(device="cpu")))
    assert made.score(items()[:1])[0]["fake_probability"].value is not None
