"""The aesthetic head against its layers, one after the other, in NumPy; the published one where it is at hand."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import noise_jpeg
from fixed_backbone import FixedBackbone, published
from tiny_backbone import contest_with

from scorers.aesthetic import Aesthetic
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType
from selector.domain.embedding import EmbeddingSettings, View
from selector.sight.embedding.vectors import as_kept
from selector.sight.embedding.views import crops

WIDTHS = (768, 1024, 128, 64, 16, 1)
PLACES = (0, 2, 4, 6, 7)  # of the linear layers among the dropouts of the published file
PICTURES = [Picture(noise_jpeg(seed)) for seed in range(3)]


def items():
    return [Item(TaskInputs(Task("1", TaskType.T2I, "", None, None, 0)), picture) for picture in PICTURES]


def layers_of(state):
    """[(weight, bias), …] in float64, in the order of the layers."""
    return [(state[f"layers.{i}.weight"].double().numpy(), state[f"layers.{i}.bias"].double().numpy()) for i in PLACES]


def by_layers(layers, vector):
    for weight, bias in layers:
        vector = weight @ vector + bias
    return float(vector[0])


def random_head(folder: Path) -> Path:
    rng = np.random.default_rng(11)
    state = {}
    for place, (wide, narrow) in zip(PLACES, itertools.pairwise(WIDTHS), strict=True):
        state[f"layers.{place}.weight"] = torch.tensor(rng.normal(0, wide**-0.5, (narrow, wide)), dtype=torch.float32)
        state[f"layers.{place}.bias"] = torch.tensor(rng.normal(0, 0.1, narrow), dtype=torch.float32)
    state["layers.7.bias"] += 5
    torch.save(state, folder / "head.pth")
    return folder / "head.pth"


@pytest.fixture(scope="module", params=["random", "published"])
def head(request, tmp_path_factory):
    if request.param == "published":
        return published("laion_aesthetic_sac_logos_ava1_l14_linear.pth")
    return random_head(tmp_path_factory.mktemp("head"))


def scorer(head, backbone):
    made = Aesthetic(head_path=str(head))
    made.backbone = backbone
    return made


def vector_of(picture, backbone):
    return as_kept(backbone.embed_crops(crops(picture, View.WHOLE, backbone.side_px)))[0].astype(np.float64)


def test_rating_is_that_of_the_layers_one_after_the_other(head):
    backbone = FixedBackbone()
    layers = layers_of(torch.load(head, map_location="cpu", weights_only=True))
    assert [w.shape for w, _ in layers] == [(b, a) for a, b in itertools.pairwise(WIDTHS)]
    for item, result in zip(items(), scorer(head, backbone).score(items()), strict=True):
        vector = vector_of(item.picture, backbone)
        expected = by_layers(layers, vector / np.linalg.norm(vector))
        assert 0 < expected < 10
        assert result["rating"].value == pytest.approx(expected, abs=2e-4)


def test_length_of_the_vector_does_not_matter(head):
    short, long = (scorer(head, FixedBackbone(length=length)).score(items()) for length in (1.0, 30.0))
    for a, b in zip(short, long, strict=True):
        assert a["rating"].value == pytest.approx(b["rating"].value, abs=2e-3)


def test_without_normalising_the_layers_give_another_value(head):
    """The common bug: vectors of CLIP ViT-L/14 have lengths of about 20."""
    backbone = FixedBackbone(length=20.0)
    layers = layers_of(torch.load(head, map_location="cpu", weights_only=True))
    results = scorer(head, backbone).score(items())
    wrong = [by_layers(layers, vector_of(item.picture, backbone)) for item in items()]
    assert max(abs(a - result["rating"].value) for a, result in zip(wrong, results, strict=True)) > 1


def test_head_on_vectors_of_another_width_leaves_every_picture_unscored(tmp_path):
    results = scorer(random_head(tmp_path), FixedBackbone(dim=512)).score(items())
    assert {result["rating"].reason for result in results} == {
        "the head belongs to another backbone: its directions have another number of dimensions"
    }


def test_file_that_is_no_stack_of_linear_layers_is_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(3, 3, 3, 3), "conv.bias": torch.zeros(3)}, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"net\.pth holds no stack of linear layers that ends in one number"):
        scorer(tmp_path / "net.pth", FixedBackbone()).score(items())


def test_published_head_is_not_taken_for_a_backbone_that_it_was_not_trained_on(monkeypatch):
    """LAION's ViT-L/14 has 768 dimensions as well, and means other things by them."""
    monkeypatch.setattr("selector.sight.embedding.openclip.OpenClip.check", lambda _: None)
    made = Aesthetic()
    made.meet(contest_with(EmbeddingSettings("ViT-L-14", "laion2b_s32b_b82k")))
    with pytest.raises(MissingPart, match=r"not on ViT-L-14 laion2b_s32b_b82k: under \[scorers\.aesthetic\] set model"):
        made.check()
    made.meet(contest_with(EmbeddingSettings("ViT-B-32", "openai", weights_path="own.safetensors")))
    with pytest.raises(MissingPart, match="not on ViT-B-32 weights of your own"):
        made.check()
    own = Aesthetic(model="ViT-L-14", pretrained="openai")
    own.meet(contest_with(EmbeddingSettings("ViT-B-32", "laion2b_s34b_b79k", weights_path="own.safetensors")))
    assert own.backbone.settings == EmbeddingSettings("ViT-L-14", "openai")


def test_version_changes_with_the_weights_of_the_head_and_with_the_space(tmp_path):
    one = scorer(random_head(tmp_path), FixedBackbone())
    other = scorer(random_head(tmp_path), FixedBackbone(space="another"))
    assert one.version != other.version
    before = one.version
    torch.save({"weight": torch.zeros(1, 768), "bias": torch.zeros(1)}, tmp_path / "head.pth")
    assert one.version != before
