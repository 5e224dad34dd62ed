"""Ten steps of every model of the closed world: interrupted and gone on with, written, and loaded by other code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("open_clip")

from experiments.closed_world import autoencoder, embedder, painter, reader, words  # noqa: E402
from experiments.closed_world.agreement import true_pairs  # noqa: E402
from experiments.closed_world.lessons import FAMILY, scene_of  # noqa: E402
from experiments.closed_world.train import STAGES, Size, Training  # noqa: E402
from experiments.closed_world.training import Chance, Plan, train  # noqa: E402
from experiments.closed_world.windows import EMPTY, cut_out, visible, windows  # noqa: E402

STEPS = 10
MODELS = ("autoencoder", "reader", "painter", "embedder")


@pytest.fixture(scope="module", autouse=True)
def small_batches():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autoencoder, "BATCH", 2)
        patch.setattr(reader, "BATCH", 4)
        patch.setattr(painter, "BATCH", 4)
        patch.setattr(embedder, "FAMILIES", 3)
        patch.setattr(embedder, "WINDOWS", 4)
        yield


def training(work: Path, stop_at: int | None = None) -> Training:
    return Training(work, Size(pictures=8, families=12, steps=STEPS, stop_at=stop_at), torch.device("cpu"))


def weights(work: Path, name: str) -> dict[str, object]:
    return torch.load(work / f"{name}.pt", weights_only=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    work = tmp_path_factory.mktemp("trained")
    at_once = training(work)
    for stage in STAGES:
        getattr(at_once, stage)
    return work


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(trained, tmp_path):
    for stop_at in (4, None):
        part = training(tmp_path, stop_at)
        # The next stage starts from the end of the one before, so each is brought there first.
        for stage in STAGES:
            if stop_at is not None and stage in MODELS:
                getattr(training(tmp_path, stop_at), stage)
                assert weights(tmp_path, stage)["step"] == stop_at
                getattr(training(tmp_path), stage)
            else:
                getattr(part, stage)
    for name in MODELS:
        whole, parts = weights(trained, name), weights(tmp_path, name)
        assert whole["step"] == parts["step"] == STEPS
        for key, value in whole["averaged"].items():
            assert torch.allclose(value.float(), parts["averaged"][key].float(), atol=1e-5), (name, key)


def test_what_is_done_is_not_done_again(trained):
    before = {name: (trained / f"{name}.pt").stat().st_mtime_ns for name in MODELS}
    for name in MODELS:
        getattr(training(trained), name)
    assert before == {name: (trained / f"{name}.pt").stat().st_mtime_ns for name in MODELS}


def test_training_learns(tmp_path):
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)

    def loss_at(step: int, chance: Chance) -> torch.Tensor:
        del step
        values = torch.randn((16, 2), generator=chance.torch)
        return ((model(values) - values.sum(1, keepdim=True)) ** 2).mean()

    train(Plan("line", steps=400, rate=0.05, warm_up=5, average=0.9), model, loss_at, tmp_path)
    assert torch.allclose(model.weight, torch.ones(1, 2), atol=0.05)


def test_both_folders_load_outside_our_code(trained, tmp_path):
    import open_clip
    from diffusers import DiffusionPipeline

    made = training(trained)
    pipeline = DiffusionPipeline.from_pretrained(made.write_painter(tmp_path))
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("一个红色的圆形", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (64, 64, 3)
    folder = made.write_embedder(tmp_path)
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(["a red circle", "蓝色的圆形"])
    assert model.encode_text(tokens).shape == (2, 128)
    assert torch.allclose(model.visual.proj, made.embedder.clip.visual.proj, atol=1e-2)
    from PIL import Image

    seen = preprocess(Image.fromarray(np.zeros((64, 64, 3), np.uint8)))
    assert torch.allclose(seen, embedder.prepared(np.zeros((1, 64, 64, 3), np.uint8))[0], atol=1e-5)


def test_the_text_tower_starts_as_the_text_encoder(trained):
    made = training(trained)
    text_encoder = made.reader.text_encoder
    clip = embedder.build(made.tokenizer, text_encoder).eval()
    ids = words.token_ids(made.tokenizer, ["a small red circle above two blue crosses", "三个小的蓝色三角形"])
    with torch.no_grad():
        ours = clip.encode_text(ids)
        theirs = text_encoder(ids).pooler_output @ clip.text_projection
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_captions_are_read_into_few_tokens(trained):
    tokenizer = training(trained).tokenizer
    texts, _ = reader.read_batch(0, 500, np.random.default_rng(0))
    longest = max(len(tokenizer(text).input_ids) for text in texts)
    assert longest <= words.LENGTH
    assert tokenizer.decode(tokenizer("a red circle").input_ids, skip_special_tokens=True).strip() == "a red circle"


def test_a_caption_is_true_of_its_own_picture_and_of_no_changed_one(trained):
    known = training(trained).lessons
    true = true_pairs(known, np.arange(12))
    assert (true.diagonal() == (known.malformed.reshape(-1) == 0)).all()
    for row in range(12):
        scenes = [scene_of(known, row, member) for member in range(FAMILY)]
        for i in range(FAMILY):
            for j in range(FAMILY):
                if i != j and scenes[i].groups[::-1] == scenes[j].groups and scenes[i].axis == scenes[j].axis:
                    assert not true[FAMILY * row + i, FAMILY * row + j]


def test_a_window_shows_what_its_phrase_says(trained):
    known = training(trained).lessons
    rows = np.arange(12)
    looked = windows(known, rows, np.random.default_rng(0))
    assert not (looked.true & looked.false).any()
    assert looked.true.diagonal().all()
    for row, box, phrase in zip(rows, looked.boxes, looked.phrases, strict=True):
        empty = phrase in ("an empty background", "空白的背景")
        assert empty == bool((visible(known, int(row), box) < 0.6).all())
    assert EMPTY == -1


def test_a_window_over_everything_is_the_picture():
    picture = torch.rand((1, 3, 64, 64))
    whole = cut_out(picture, np.array([[0, 0, 1, 1]], np.float32))
    assert torch.allclose(whole, picture, atol=1e-4)
    quarter = cut_out(picture, np.array([[0.5, 0, 1, 0.5]], np.float32))
    assert torch.allclose(quarter.mean(), picture[:, :, :32, 32:].mean(), atol=0.02)
