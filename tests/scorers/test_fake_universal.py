"""The detector's head against its layer in NumPy; the published one where it is at hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import noise_jpeg
from fixed_backbone import FixedBackbone, published

from scorers.fake_universal import FakeUniversal
from selector.domain import Item, Picture, Task, TaskInputs, TaskType
from selector.domain.embedding import View
from selector.registry import create_scorer
from selector.sight.embedding.vectors import as_kept
from selector.sight.embedding.views import crops

PICTURES = [Picture(noise_jpeg(seed)) for seed in range(3)]


def items():
    return [Item(TaskInputs(Task("1", TaskType.T2I, "", None, None, 0)), picture) for picture in PICTURES]


def random_head(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    state = {"weight": torch.tensor(rng.normal(0, 0.2, (1, 768)), dtype=torch.float32), "bias": torch.tensor([-0.4])}
    torch.save(state, folder / "fc.pth")
    return folder / "fc.pth"


@pytest.fixture(scope="module", params=["random", "published"])
def head(request, tmp_path_factory):
    if request.param == "published":
        return published("universal_fake_detect_fc.pth")
    return random_head(tmp_path_factory.mktemp("head"))


def scorer(head, backbone, crops="native"):
    made = FakeUniversal(crops=crops, head_path=str(head))
    made.backbone = backbone
    return made


def logits_of(head, vectors):
    """One linear layer on vectors as they are, by hand: a sum over 768 products and the bias."""
    state = torch.load(head, map_location="cpu", weights_only=True)
    weight, bias = state["weight"].double().numpy()[0], float(state["bias"].double()[0])
    return [math.fsum(float(w) * float(x) for w, x in zip(weight, vector, strict=True)) + bias for vector in vectors]


def test_crops_give_mean_probability_mean_logit_and_their_spread(head):
    backbone = FixedBackbone()
    for item, result in zip(items(), scorer(head, backbone).score(items()), strict=True):
        vectors = as_kept(backbone.embed_crops(crops(item.picture, View.NATIVE, backbone.side_px)))
        logits = logits_of(head, vectors)
        assert len(logits) == 5
        probabilities = [1 / (1 + math.exp(-logit)) for logit in logits]
        mean = sum(logits) / 5
        assert result["probability"].value == pytest.approx(sum(probabilities) / 5, abs=1e-4)
        assert result["logit"].value == pytest.approx(mean, abs=1e-3)
        assert result["spread"].value == pytest.approx(math.sqrt(sum((x - mean) ** 2 for x in logits) / 5), abs=1e-3)


def test_whole_view_is_one_crop_without_spread(head):
    backbone = FixedBackbone()
    for item, result in zip(items(), scorer(head, backbone, "whole").score(items()), strict=True):
        vectors = as_kept(backbone.embed_crops(crops(item.picture, View.WHOLE, backbone.side_px)))
        assert result["logit"].value == pytest.approx(logits_of(head, vectors)[0], abs=1e-3)
        assert result["spread"].value == 0


def test_vectors_of_length_one_would_give_another_logit(head):
    """The head was trained on vectors as CLIP gives them: normalising them first is the opposite of the other bug."""
    plain, unit = (scorer(head, FixedBackbone(length=length)).score(items()) for length in (20.0, 1.0))
    assert all(abs(a["logit"].value - b["logit"].value) > 0.02 for a, b in zip(plain, unit, strict=True))


def test_extreme_logits_stay_in_range(tmp_path):
    torch.save({"weight": torch.full((1, 768), 1e4), "bias": torch.tensor([0.0])}, tmp_path / "fc.pth")
    for result in scorer(tmp_path / "fc.pth", FixedBackbone()).score(items()):
        assert 0 <= result["probability"].value <= 1
        assert abs(result["logit"].value) <= 30
        assert result["spread"].value <= 30


def test_other_crops_than_native_and_whole_are_refused():
    with pytest.raises(ValueError, match="crops must be native or whole, got 'grid'"):
        FakeUniversal(crops="grid")


def test_version_goes_by_the_head_s_content_and_by_the_crops(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    one, two = (str(random_head(folder)) for folder in (tmp_path, tmp_path / "elsewhere"))
    settings = ({"head_path": one}, {"head_path": two}, {"head_path": one, "crops": "native", "model": ""})
    assert len({create_scorer("fake_universal", some).version for some in settings}) == 1
    settings = (settings[0], {"head_path": one, "crops": "whole"}, {"crops": "whole"})
    assert len({create_scorer("fake_universal", some).version for some in settings}) == 3
