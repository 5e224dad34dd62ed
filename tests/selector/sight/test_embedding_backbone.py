"""The backbone on open_clip's own code with small random weights: what it refuses, and that it is repeatable."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.stats import spearmanr
from tiny_backbone import SIDE_PX, tiny_clip

from selector.conformance import Job, scores_in_another_process
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import EmbeddingSettings
from selector.sight.embedding import device, openclip
from selector.sight.embedding._loading import read_architecture, trained_as
from selector.sight.embedding.device import best_precision
from selector.sight.embedding.openclip import OpenClip, backbone_of


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return tiny_clip(tmp_path_factory.mktemp("clip"), dim=64)


@pytest.fixture(scope="module")
def crops():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (40, 8, 8, 3))
    return np.repeat(np.repeat(coarse, SIDE_PX // 8, 1), SIDE_PX // 8, 2).astype(np.uint8)


def with_weights(settings, state, folder, name="other.safetensors"):
    save_file({key: value.contiguous() for key, value in state.items()}, folder / name)
    return replace(settings, weights_path=str(folder / name))


def one_line(error):
    return "\n" not in str(error.value)


def test_vectors_are_those_of_open_clip_with_its_own_preprocessing(settings, crops):
    import open_clip
    from PIL import Image

    backbone = OpenClip(settings)
    ours = backbone.embed_crops(crops[:5])
    model = backbone._model._model
    transform = open_clip.image_transform(SIDE_PX, is_train=False)
    with torch.inference_mode():
        theirs = model.encode_image(torch.stack([transform(Image.fromarray(crop)) for crop in crops[:5]])).numpy()
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert ours.dtype == np.float32


def test_weights_that_are_not_here_are_a_missing_part_and_never_random(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    for absent in (replace(settings, weights_path=str(tmp_path / "absent.safetensors")), EmbeddingSettings()):
        backbone = OpenClip(absent)
        with pytest.raises(MissingPart) as error:
            backbone.check()
        assert one_line(error)
        with pytest.raises(MissingPart):
            backbone.embed_texts(["a cat"])
        assert "absent" in backbone.space


def test_no_tag_is_an_error_and_not_random_weights():
    with pytest.raises(InputError, match="without a pretrained tag has random weights"):
        OpenClip(EmbeddingSettings("ViT-B-32", "")).check()


@pytest.mark.parametrize("model", ["ViT-L-15", "../secret"])
def test_model_that_open_clip_does_not_know_is_an_error(model, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match="open_clip has no model"):
        OpenClip(EmbeddingSettings(model, "", str(tmp_path / "w.safetensors"))).check()


@pytest.mark.parametrize("content", ["{", "[]", '{"embed_dim": 4}'])
def test_architecture_that_is_none_is_an_error(content, tmp_path):
    (tmp_path / "own.json").write_text(content)
    with pytest.raises(InputError, match=r"own\.json"):
        read_architecture("own", str(tmp_path / "own.json"))


def test_weights_of_another_model_are_refused_in_one_line(settings, tmp_path):
    wider = tiny_clip(tmp_path, dim=32)
    backbone = OpenClip(replace(settings, weights_path=wider.weights_path))
    with pytest.raises(InputError, match=r"cannot load tiny-32-0\.safetensors as the model tiny-64") as error:
        backbone.embed_texts(["a cat"])
    assert one_line(error)
    with pytest.raises(InputError):  # and it is not tried once for every candidate
        backbone.embed_texts(["a cat"])


def test_file_that_lacks_a_tensor_is_refused(settings, tmp_path):
    state = load_file(settings.weights_path)
    del state["visual.proj"]
    with pytest.raises(InputError, match="cannot load"):
        OpenClip(with_weights(settings, state, tmp_path)).embed_texts(["a cat"])


def test_weights_of_another_resolution_are_refused(settings, tmp_path):
    """open_clip would stretch them, with a line in the log."""
    architecture = json.loads(Path(settings.config_path).read_text())
    architecture["vision_cfg"]["image_size"] = 2 * SIDE_PX
    (tmp_path / "tiny-large.json").write_text(json.dumps(architecture))
    larger = replace(settings, model="tiny-large", config_path=str(tmp_path / "tiny-large.json"))
    with pytest.raises(InputError, match="another resolution than tiny-large"):
        OpenClip(larger).embed_texts(["a cat"])


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pt"])
def test_damaged_file_is_refused_in_one_line(settings, tmp_path, name):
    (tmp_path / name).write_bytes(Path(settings.weights_path).read_bytes()[:5000])
    with pytest.raises(InputError) as error:
        OpenClip(replace(settings, weights_path=str(tmp_path / name))).embed_texts(["a cat"])
    assert one_line(error)


def test_file_of_another_kind_is_refused(settings, tmp_path):
    (tmp_path / "weights.exe").write_bytes(b"MZ")
    with pytest.raises(InputError, match=r"weights end in \.safetensors"):
        OpenClip(replace(settings, weights_path=str(tmp_path / "weights.exe"))).embed_texts(["a cat"])


class Malicious:
    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return Path.touch, (Path(self.place),)


@pytest.mark.parametrize("save", [lambda what, path: path.write_bytes(pickle.dumps(what)), torch.save])
def test_pickle_that_would_run_code_is_refused_and_does_not_run(settings, tmp_path, save):
    save({"state_dict": {"visual.proj": Malicious(str(tmp_path / "harmed"))}}, tmp_path / "bad.pt")
    with pytest.raises(InputError) as error:
        OpenClip(replace(settings, weights_path=str(tmp_path / "bad.pt"))).embed_texts(["a cat"])
    assert one_line(error)
    assert not (tmp_path / "harmed").exists()


def test_plain_pickle_of_weights_gives_the_same_vectors(settings, crops, tmp_path):
    torch.save({"state_dict": load_file(settings.weights_path)}, tmp_path / "same.pt")
    other = OpenClip(replace(settings, weights_path=str(tmp_path / "same.pt")))
    assert np.array_equal(other.embed_crops(crops[:3]), OpenClip(settings).embed_crops(crops[:3]))


def test_openai_s_file_by_path_keeps_openai_s_activation(tmp_path, monkeypatch):
    """Its weights need QuickGELU, which the name ViT-L-14 alone does not say; they are known by their content."""
    monkeypatch.setattr("selector.sight.embedding._loading.content_tag", lambda _: "9ce2e8a8")
    assert trained_as("ViT-L-14", tmp_path / "copied.safetensors", "")["quick_gelu"]
    monkeypatch.setattr("selector.sight.embedding._loading.content_tag", lambda _: "00000000")
    assert not trained_as("ViT-L-14", tmp_path / "other.safetensors", "").get("quick_gelu")
    assert trained_as("tiny-64", tmp_path / "other.safetensors", "") == {}


def test_unknown_weights_of_an_architecture_are_normalised_as_all_its_known_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("selector.sight.embedding._loading.content_tag", lambda _: "00000000")
    assert trained_as("ViT-B-16-SigLIP", tmp_path / "own.safetensors", "")["mean"] == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("precision", "least"), [("bf16", 0.98), ("fp16", 0.995)])
def test_lower_precision_orders_pictures_alike(settings, crops, precision, least):
    full = OpenClip(settings)
    low = OpenClip(replace(settings, precision=precision))
    texts = full.embed_texts(["a cat", "a dog", "the sea"])
    a, b = (_units(backbone.embed_crops(crops)) @ texts.T for backbone in (full, low))
    assert full.space != low.space
    assert min(spearmanr(a[:, i], b[:, i]).statistic for i in range(3)) >= least
    assert np.sum(_units(full.embed_crops(crops)) * _units(low.embed_crops(crops)), axis=1).min() > 0.999


def _units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_batches_of_any_size_give_the_same_vectors(settings, crops):
    together = OpenClip(settings).embed_crops(crops)
    for batch in (1, 7, 64):
        assert OpenClip(replace(settings, batch=batch)).embed_crops(crops) == pytest.approx(together, abs=1e-5)
    assert OpenClip(settings).embed_crops(crops[:0]).shape == (0, 64)


def test_another_process_gives_exactly_the_same_scores(settings, crops):
    from dataclasses import asdict

    from scorer_cases.cases import made

    picture = Picture(encode_final(np.kron(crops[0], np.ones((2, 2, 1), np.uint8))))
    items = [Item(TaskInputs(Task("1", TaskType.T2I, text, None, None, 0)), picture) for text in ("a cat", "a dog")]
    arguments = {"name": "clip_similarity", "settings": {}, "embedding": asdict(settings)}
    (elsewhere,) = scores_in_another_process([Job("scorer_cases.cases:made", items, arguments)])
    assert list(elsewhere) == list(made(**arguments).score(items))


def test_one_backbone_a_process_for_equal_settings(settings):
    assert backbone_of(settings) is backbone_of(replace(settings))
    assert backbone_of(settings) is not backbone_of(replace(settings, batch=3))


@pytest.mark.parametrize(
    "change",
    [{"precision": "bf16"}, {"weights_path": "another"}, {"config_path": "another"}],
)
def test_space_changes_with_what_changes_vectors(settings, tmp_path, change):
    for key in ("weights_path", "config_path"):
        if key in change:
            other = tmp_path / Path(getattr(settings, key)).name
            other.write_bytes(Path(getattr(settings, key)).read_bytes() + b" ")
            change = {key: str(other)}
    assert OpenClip(settings).space != OpenClip(replace(settings, **change)).space
    assert OpenClip(settings).space == OpenClip(replace(settings, batch=5, device="auto")).space


def test_space_tells_the_training_by_which_crops_are_normalised(settings, monkeypatch):
    """The same file and architecture under two tags may have another activation, mean or deviation."""
    file = Path(settings.weights_path)
    monkeypatch.setattr("selector.sight.embedding.openclip.need_backbone", lambda *_: file)
    named = {tag: OpenClip(EmbeddingSettings("ViT-L-14", tag)).space for tag in ("openai", "laion2b_s32b_b82k")}
    by_path = EmbeddingSettings("ViT-L-14", "openai", str(file))
    assert len({*named.values(), OpenClip(by_path).space}) == 3
    monkeypatch.setattr("selector.sight.embedding._loading.content_tag", lambda _: "9ce2e8a8")
    assert OpenClip(by_path).space == named["openai"]  # OpenAI's own file, known by its content


def test_space_of_a_model_that_cannot_be_told_raises_nothing(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"x")
    assert "absent" in OpenClip(EmbeddingSettings("ViT-L-15", "", str(tmp_path / "w.safetensors"))).space


@pytest.mark.parametrize(
    ("key", "value"), [("precision", "int8"), ("reads", "klingon"), ("device", "gpu"), ("device", "cuda:x")]
)
def test_setting_with_an_unknown_value_is_an_error(settings, key, value):
    with pytest.raises(InputError, match=value):
        OpenClip(replace(settings, **{key: value}))


@pytest.mark.parametrize(
    ("model", "reads", "expected"),
    [
        ("ViT-L-14", "auto", False),
        ("ViT-L-14", "all", True),
        ("xlm-roberta-base-ViT-B-32", "auto", True),
        ("xlm-roberta-base-ViT-B-32", "english", False),
        ("ViT-B-16-SigLIP-i18n-256", "auto", True),
        ("ViT-H-14-CLIPA", "auto", False),
    ],
)
def test_languages_follow_from_the_model_unless_they_are_set(model, reads, expected):
    assert OpenClip(EmbeddingSettings(model, reads=reads)).reads_all is expected


def test_facts_of_a_model_are_known_without_importing_torch():
    """Every verb asks for the versions of scorers."""
    import subprocess
    import sys

    code = (
        "import sys; from selector.sight.embedding.openclip import OpenClip; "
        "from selector.domain.embedding import EmbeddingSettings; "
        "b = OpenClip(EmbeddingSettings()); b.space, b.side_px, b.reads_all; "
        "assert not {'torch', 'open_clip', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("flags", "expected"), [("fpu avx512_bf16", "bf16"), ("amx_bf16", "bf16"), ("avx2", "fp32")])
def test_precision_on_a_cpu_follows_from_its_instructions(tmp_path, monkeypatch, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr("selector.sight.embedding.device._CPU_FACTS", tmp_path / "cpuinfo")
    best_precision.cache_clear()
    assert best_precision("cpu") == expected
    best_precision.cache_clear()


@pytest.mark.parametrize("exists", [True, False])
def test_gpu_is_looked_for_only_where_a_driver_shows(tmp_path, monkeypatch, exists):
    """``/dev/dxg``, say, which is all that WSL2 shows."""
    (tmp_path / "dxg").touch()
    monkeypatch.setattr(device, "_GPU_SIGNS", (tmp_path / "nvidia", tmp_path / ("dxg" if exists else "kfd")))
    monkeypatch.setattr(device.platform, "system", lambda: "Linux")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    device.best_device.cache_clear()
    assert device.best_device() == ("cuda" if exists else "cpu")
    device.best_device.cache_clear()


def emulated(including_emulation=True):
    return including_emulation


@pytest.mark.parametrize(
    ("supported", "expected"), [(emulated, "fp16"), (lambda **_: True, "bf16"), (lambda: True, "bf16")]
)
def test_gpu_that_only_emulates_bfloat16_runs_in_float16(monkeypatch, supported, expected):
    """The last one is PyTorch before 2.4, which takes no argument."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    best_precision.cache_clear()
    assert best_precision("cuda") == expected
    best_precision.cache_clear()


@pytest.mark.parametrize(("asked", "here"), [("cuda", "cpu"), ("mps", "cpu"), ("cuda:7", "cuda")])
def test_gpu_that_is_not_here_is_a_missing_part_before_anything_is_loaded(settings, monkeypatch, asked, here):
    monkeypatch.setattr(device, "best_device", lambda: here)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(MissingPart, match=f'device = "{asked}", but') as error:
        OpenClip(replace(settings, device=asked)).check()
    assert one_line(error)
    for fine in ("auto", "cpu", *(("cuda:0",) if here == "cuda" else ())):
        OpenClip(replace(settings, device=fine)).check()


def test_weights_that_do_not_load_say_what_to_do(settings, tmp_path, monkeypatch):
    (tmp_path / "own.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match=r"name the right model, or give config_path$"):
        OpenClip(replace(settings, weights_path=str(tmp_path / "own.safetensors"))).embed_texts(["a cat"])
    monkeypatch.setattr(openclip, "need_backbone", lambda *_: tmp_path / "own.safetensors")
    with pytest.raises(InputError, match=r"; bestshot weights verify clip-vit-b-32$"):
        OpenClip(EmbeddingSettings("ViT-B-32", "openai", device="cpu")).embed_texts(["a cat"])
