"""A few steps of every model of the closed world: interrupted and gone on with, written, and loaded by other code."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("open_clip")

from experiments.closed_world import (  # noqa: E402
    autoencoder,
    denoiser,
    embedder,
    embedder_losses,
    monitoring,
    text_encoder,
    train,
)
from experiments.closed_world.dataset import FAMILY, scene_of  # noqa: E402
from experiments.closed_world.embedder_losses import true_pairs  # noqa: E402
from experiments.closed_world.made_from import BUILDS_ON, FILES, FORMER, STAGES, Size, needed_for  # noqa: E402
from experiments.closed_world.pictures import in_parts, picture_at  # noqa: E402
from experiments.closed_world.training import Chance, Plan  # noqa: E402
from experiments.closed_world.training import train as run  # noqa: E402
from experiments.closed_world.training_stages import Training  # noqa: E402
from experiments.closed_world.windows import cut_out, visible, windows  # noqa: E402
from selector.demo.closed_world.scene import HELD_OUT_SEED  # noqa: E402
from selector.domain import InputError  # noqa: E402
from selector.sight.embedded import EMBEDDING, PICTURE_GRAPH, TEXT_GRAPH  # noqa: E402
from selector.sight.onnx_session import open_model  # noqa: E402

STEPS = 6
GRAPHS_OF_EMBEDDING = [PICTURE_GRAPH, TEXT_GRAPH]
MODELS = ("autoencoder", "text_encoder", "denoiser", "embedder")
PLANS = {"autoencoder": autoencoder, "text_encoder": text_encoder, "denoiser": denoiser, "embedder": embedder_losses}
SIZE = Size(pictures=8, families=12, steps=STEPS)
OPTIONS = ["--pictures", "8", "--families", "12", "--steps", str(STEPS)]


@pytest.fixture(scope="module", autouse=True)
def small_batches():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autoencoder, "BATCH", 2)
        patch.setattr(text_encoder, "BATCH", 4)
        patch.setattr(denoiser, "BATCH", 4)
        patch.setattr(embedder_losses, "FAMILIES", 3)
        patch.setattr(embedder_losses, "WINDOWS", 4)
        for module in PLANS.values():
            patch.setattr(module, "PLAN", replace(module.PLAN, look_every=STEPS))
        for name, few in (("SAMPLES", 12), ("STEPS", 2), ("CAPTIONS", 20), ("PAIRS", 4)):
            patch.setattr(monitoring, name, few)
        make_tokenizer = text_encoder.make_tokenizer
        patch.setattr(text_encoder, "make_tokenizer", lambda folder: make_tokenizer(folder, captions=2000))
        yield


def training(work: Path, stop_at: int | None = None) -> Training:
    return Training(work, replace(SIZE, stop_at=stop_at), torch.device("cpu"))


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
    shutil.copytree(trained / "tokenizer", tmp_path / "tokenizer")
    for name in MODELS:  # each is brought to its end before the next one, which may build on it
        getattr(training(tmp_path, 3), name)
        assert weights(tmp_path, name)["step"] == 3
        getattr(training(tmp_path), name)
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

    run(Plan("line", steps=400, rate=0.05, warm_up=5, average=0.9), model, loss_at, tmp_path)
    assert torch.allclose(model.weight, torch.ones(1, 2), atol=0.05)


def stages_in(work: Path) -> dict[str, bytes]:
    return {name: (work / file).read_bytes() for name, file in FILES.items()}


@pytest.mark.parametrize(
    ("change", "stale"),
    [({"pictures": 9}, "pictures"), ({"families": 13}, "dataset"), ({"steps": STEPS + 1}, "autoencoder")],
)
def test_stages_of_other_options_are_refused_all_at_once(trained, change, stale):
    other = Training(trained, replace(SIZE, **change), torch.device("cpu"))
    built_on_it = [name for name in BUILDS_ON if stale in needed_for(name)]
    with pytest.raises(InputError, match="delete these files, or choose another --work") as refused:
        other.refuse_others(STAGES)
    assert all(str(trained / FILES[name]) in str(refused.value) for name in built_on_it)
    with pytest.raises(InputError, match=FILES[stale]):
        getattr(other, stale)


def test_stages_of_another_plan_are_refused_and_one_that_nobody_vouches_for(trained, monkeypatch):
    monkeypatch.setattr(text_encoder, "PLAN", replace(text_encoder.PLAN, rate=0.5))
    with pytest.raises(InputError, match=r"text_encoder\.pt \(rate 0\.001, now 0\.5\), .*denoiser\.pt \(text_encoder "):
        training(trained).refuse_others(["denoiser"])
    training(trained).refuse_others(["latents"])
    monkeypatch.undo()
    facts = trained / "text_encoder.pt.made_from.json"
    said = facts.read_bytes()
    facts.unlink()
    with pytest.raises(InputError, match=r"no text_encoder\.pt\.made_from\.json says what from"):
        training(trained).refuse_others(["embedder"])
    facts.write_bytes(said)
    training(trained).refuse_others(STAGES)


def test_a_folder_of_a_version_with_other_names_of_stages_goes_on(trained, tmp_path):
    work = Path(shutil.copytree(trained, tmp_path / "work"))
    before = stages_in(work)
    for old, new in FORMER.items():
        for path in work.glob(f"{new}*"):
            path.rename(work / path.name.replace(new, old))
    for facts in work.rglob("*.made_from.json"):
        said = json.loads(facts.read_text(encoding="utf-8"))
        former = {new: old for old, new in FORMER.items()}
        facts.write_text(json.dumps({former.get(key, key): value for key, value in said.items()}), encoding="utf-8")
    assert not (work / "denoiser.pt").exists()
    training(work).refuse_others(STAGES)
    assert stages_in(work) == before


def test_a_stage_that_was_cut_off_is_named_with_the_cure(trained, tmp_path):
    shutil.copytree(trained / "tokenizer", tmp_path / "tokenizer")
    for name in ("text_encoder.pt", "text_encoder.pt.made_from.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes()[: 5000 if name == "text_encoder.pt" else None])
    with pytest.raises(InputError, match=r"text_encoder\.pt cannot be read .*: delete it, then this stage begins anew"):
        _ = training(tmp_path).text_encoder


def test_the_command_writes_both_folders_and_leaves_their_cards(trained, tmp_path, capsys):
    cards = [tmp_path / name / "README.md" for name in ("text_to_image", "embedding")]
    for card in cards:
        card.parent.mkdir()
        card.write_text("a card")
    before = stages_in(trained)
    assert train.main(["--work", str(trained), "--out", str(tmp_path), *OPTIONS]) == 0
    told = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if line.endswith(" MB")]
    assert told[-2:] == [str(card.parent) for card in cards]
    assert len(told[:-2]) == len(set(told[:-2])) == 5 and all(graph.endswith(".onnx") for graph in told[:-2])
    assert before == stages_in(trained)
    assert [card.read_text() for card in cards] == ["a card", "a card"]
    assert json.loads((tmp_path / "text_to_image" / "model_index.json").read_text())["unet"]
    assert (tmp_path / "embedding" / "open_clip_model.safetensors").is_file()
    for name in ("autoencoder", "denoiser"):
        assert (trained / f"{name}-{STEPS}.png").stat().st_size > 1000  # the contact sheet


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--steps", "0"], "--steps: expected at least 1, got 0"),
        (["--pictures", "3"], "--pictures: expected at least 4, a batch, got 3"),
        (["--families", "6"], "--families: expected at least 7, a batch, got 6"),
    ],
)
def test_too_little_is_refused_in_one_line(tmp_path, capsys, options, message):
    assert train.main(["--work", str(tmp_path), "--out", str(tmp_path), *options]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_missing_packages_are_named_with_the_command_that_installs_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, "PACKAGES", ("torch", "no_such_package"))
    assert train.main(["--work", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "error: training needs no_such_package: run `pip install '.[models,pipelines]'`\n"


def test_parts_come_in_order_from_several_processes():
    assert list(in_parts(sum, 7, 3, 2, "sums")) == [0 + 1 + 2, 3 + 4 + 5, 6]


def test_both_folders_load_outside_our_code(trained, tmp_path):
    import open_clip
    from diffusers import DiffusionPipeline
    from PIL import Image

    made = training(trained)
    pipeline = DiffusionPipeline.from_pretrained(made.write_denoiser(tmp_path))
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("一个红色的圆形", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (64, 64, 3)
    folder = made.write_embedder(tmp_path)
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    texts = ["a red circle", "蓝色的圆形"]
    drawn = np.stack([picture_at(i, HELD_OUT_SEED) for i in range(2)])
    ours = embedder.prepared(drawn)
    theirs = torch.stack([preprocess(Image.fromarray(one)) for one in drawn])
    assert theirs.shape == (2, 3, 96, 96)
    apart = (theirs - ours).abs()  # Pillow rounds and clips to bytes after each direction; a grey level is about 0.015
    assert apart.mean() < 0.01 and apart.max() < 0.1
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(texts)
    with torch.no_grad():
        seen = torch.nn.functional.normalize(model.eval().encode_image(ours), dim=-1)
        read = torch.nn.functional.normalize(model.encode_text(tokens), dim=-1)
        assert torch.allclose(seen, made.embedder.seen(ours)[0], atol=0.02)  # weights in fp16
        assert torch.allclose(read, made.embedder.read(text_encoder.token_ids(made.tokenizer, texts)), atol=0.02)


def test_graphs_alone_are_written_for_the_weights_that_lie_there(tmp_path, capsys):
    """They give what the shipped ones give."""
    shutil.copytree(EMBEDDING, tmp_path / "embedding", ignore=shutil.ignore_patterns("*.onnx"))
    assert train.main(["--out", str(tmp_path), "--only", "graphs"]) == 0
    assert [line.split("/")[-1].split(":")[0] for line in capsys.readouterr().out.splitlines()] == GRAPHS_OF_EMBEDDING
    ids = np.full((2, 40), 725, np.int64)
    made, shipped = (
        open_model(place / "text.onnx", "cpu").run({"ids": ids})[0] for place in (tmp_path / "embedding", EMBEDDING)
    )
    assert np.allclose(made, shipped, atol=1e-5)


def test_a_folder_without_weights_gets_no_graphs(tmp_path, capsys):
    assert train.main(["--out", str(tmp_path), "--only", "graphs"]) == 2
    assert "there are no weights in" in capsys.readouterr().err


def test_the_text_tower_starts_as_the_text_encoder(trained):
    made = training(trained)
    tower = made.text_encoder.text_encoder
    clip = embedder.build(made.tokenizer, tower).eval()
    ids = text_encoder.token_ids(made.tokenizer, ["a small red circle above two blue crosses", "三个小的蓝色三角形"])
    with torch.no_grad():
        ours = clip.encode_text(ids)
        theirs = tower(ids).pooler_output @ clip.text_projection
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_captions_are_read_into_few_tokens(trained):
    tokenizer = training(trained).tokenizer
    texts, _ = text_encoder.read_batch(0, 500, np.random.default_rng(0))
    longest = max(len(tokenizer(text).input_ids) for text in texts)
    assert longest <= text_encoder.LENGTH
    assert tokenizer.decode(tokenizer("a red circle").input_ids, skip_special_tokens=True).strip() == "a red circle"


def test_a_caption_is_true_of_its_own_picture_and_of_no_changed_one(trained):
    known = training(trained).dataset
    true = true_pairs(known, np.arange(12))
    assert (true.diagonal() == (known.malformed.reshape(-1) == 0)).all()
    for row in range(12):
        scenes = [scene_of(known, row, member) for member in range(FAMILY)]
        for i in range(FAMILY):
            for j in range(FAMILY):
                if i != j and scenes[i].groups[::-1] == scenes[j].groups and scenes[i].axis == scenes[j].axis:
                    assert not true[FAMILY * row + i, FAMILY * row + j]


def test_a_window_shows_what_its_phrase_says(trained):
    known = training(trained).dataset
    rows = np.arange(12)
    looked = windows(known, rows, np.random.default_rng(0))
    assert not (looked.true & looked.false).any()
    assert looked.true.diagonal().all()
    for row, box, phrase in zip(rows, looked.boxes, looked.phrases, strict=True):
        empty = phrase in ("an empty background", "空白的背景")
        assert empty == bool((visible(known, int(row), box) < 0.6).all())


def test_a_window_over_everything_is_the_picture():
    picture = torch.rand((1, 3, 64, 64))
    whole = cut_out(picture, np.array([[0, 0, 1, 1]], np.float32))
    assert torch.allclose(whole, picture, atol=1e-4)
    quarter = cut_out(picture, np.array([[0.5, 0, 1, 0.5]], np.float32))
    assert torch.allclose(quarter.mean(), picture[:, :, :32, 32:].mean(), atol=0.02)
