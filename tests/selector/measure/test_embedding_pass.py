"""Heads of one embedding in a campaign: embedded once, stored, resumed; one bad item or head loses only itself."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fixed_backbone import FixedBackbone
from sqlalchemy import func, select
from tiny_backbone import tiny_clip

from scorers.clip_direction import ClipDirection
from selector import Campaign
from selector.cli.main import main
from selector.config import ScoreConfig
from selector.domain import OutOfResources, TaskType
from selector.registry import BUILTIN_SCORERS
from selector.store import schema
from selector.store._images import ImageFolder

HEADS = ("aesthetic", "clip_direction", "clip_similarity", "fake_universal", "prompt_contrast")
PROMPTS = ("Replace the dog with a cat", "Add a boat on the lake", "Make the sky purple")
CANDIDATES = 9  # three of each task


@pytest.fixture
def backbone(monkeypatch):
    """Every head's backbone, whatever it is configured to."""
    made = FixedBackbone()
    monkeypatch.setattr("selector.sight.embedding.openclip.backbone_of", lambda _: made)
    return made


@pytest.fixture
def head_path(tmp_path, toys):  # noqa: ARG001
    weights = torch.tensor(np.random.default_rng(1).normal(0, 0.3, (1, 768)), dtype=torch.float32)
    torch.save({"weight": weights, "bias": torch.tensor([5.0])}, tmp_path / "head.pth")
    return str(tmp_path / "head.pth")


@pytest.fixture
def made(tmp_path, contest_files, head_path, backbone):  # noqa: ARG001 - it is the one that heads get
    """A campaign with candidates and two heads of the whole view; not scored yet."""
    return new_campaign(tmp_path / "campaign", contest_files, head_path, ["clip_direction", "aesthetic"])


def new_campaign(folder, contest_files, head_path, scorers, **embedding):
    table, images = contest_files(PROMPTS)
    heads = {name: {"head_path": head_path} for name in ("aesthetic", "fake_universal")}
    campaign = Campaign.init(
        folder, table, images, generate={"tie": {"toy": 3}}, score={"scorers": scorers}, scorers=heads,
        embedding=embedding,
    )  # fmt: skip
    campaign.generate()
    return campaign


def reopened(campaign, scorers):
    """The campaign with other scorers in its file."""
    path = campaign.folder / "campaign.toml"
    lines = [f"scorers = {json.dumps(scorers)}" if line.startswith("scorers = ") else line
             for line in path.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    campaign.close()
    return Campaign(campaign.folder)


def stored(campaign):
    """(candidate, scorer, column) to (value, reason)."""
    s = schema.score.c
    with campaign._ws.db.read() as connection:
        rows = connection.execute(select(s.candidate_id, s.scorer, s.column, s.value, s.reason))
        return {(r.candidate_id, r.scorer, r.column): (r.value, r.reason) for r in rows}


def count(campaign, table):
    with campaign._ws.db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_scores_and_vectors_of_candidates_and_sources_are_stored(made, backbone):
    summary = made.score()
    assert (summary.candidates, summary.values, summary.unscored) == (CANDIDATES, 3 * CANDIDATES, 0)
    assert backbone.crops_seen == CANDIDATES + len(PROMPTS)
    assert sorted(set(backbone.texts_seen)) == sorted(backbone.texts_seen)
    assert count(made, schema.embedding) == CANDIDATES + len(PROMPTS)
    assert count(made, schema.text_embedding) == len(backbone.texts_seen) == 6
    assert len(stored(made)) == 3 * CANDIDATES


def test_second_run_touches_no_image_and_no_model(made, backbone, monkeypatch):
    made.score()

    def no_image(*_):
        raise AssertionError("an image was read")

    backbone.broken = True
    monkeypatch.setattr(ImageFolder, "picture", no_image)  # what read() goes through, too
    summary = made.score()
    assert (summary.candidates, summary.values, summary.failures) == (0, 0, {})


def test_head_that_comes_later_embeds_nothing_that_was_seen(made, backbone):
    made = reopened(made, ["clip_direction"])
    made.score()
    backbone.broken = True
    later = reopened(made, ["clip_direction", "aesthetic"])
    summary = later.score()
    assert (summary.candidates, summary.values, summary.failures) == (CANDIDATES, CANDIDATES, {})


def test_head_of_another_view_embeds_only_that_view(made, backbone):
    made.score()
    backbone.crops_seen = 0
    summary = reopened(made, ["clip_direction", "aesthetic", "fake_universal"]).score()
    assert summary.values == 3 * CANDIDATES
    assert backbone.crops_seen == 5 * CANDIDATES


class Killed(BaseException):
    """What no handler of errors catches."""


def test_killed_run_is_completed_by_the_next(tmp_path, contest_files, head_path, backbone):
    made = new_campaign(tmp_path / "campaign", contest_files, head_path, ["aesthetic"])
    backbone.batch = 2
    real, calls = backbone.embed_crops, []

    def killed_later(crops):
        calls.append(len(crops))
        if len(calls) > 2:
            raise Killed
        return real(crops)

    backbone.embed_crops = killed_later
    with pytest.raises(Killed):
        made.score()
    done = {key for key, _, _ in stored(made)}
    backbone.embed_crops = real
    before = backbone.crops_seen
    made.score()
    assert len({key for key, _, _ in stored(made)}) == CANDIDATES
    assert backbone.crops_seen - before <= CANDIDATES - len(done)


def test_new_weights_of_a_head_score_again_without_embedding(made, backbone, head_path):
    made.score()
    backbone.broken = True
    torch.save({"weight": torch.ones(1, 768), "bias": torch.tensor([4.0])}, head_path)
    assert made.score().values == CANDIDATES


def test_damaged_image_fails_alone_and_is_tried_again(made):
    candidate = sorted((made.folder / "images").rglob("*.jpg"))[0]
    good = candidate.read_bytes()
    candidate.write_bytes(good[:100])
    summary = made.score()
    assert len({key for key, _, _ in stored(made)}) == CANDIDATES - 1
    assert (list(summary.lost), summary.failures) == ([candidate.stem], {})
    candidate.write_bytes(good)
    assert made.score().values == 3


class Moody(ClipDirection):
    """Raises for one picture, and only there."""

    name = "clip_direction"
    hated = ""

    def read(self, item, seen):
        if item.picture.id == self.hated:
            raise ZeroDivisionError("a bug in a head")
        return super().read(item, seen)


def test_head_that_raises_for_one_item_loses_only_that_item(made, monkeypatch):
    monkeypatch.setitem(BUILTIN_SCORERS, "clip_direction", f"{__name__}:Moody")
    monkeypatch.setattr(Moody, "hated", sorted((made.folder / "images").rglob("*.jpg"))[4].stem)
    summary = made.score()
    assert [(n, "ZeroDivisionError: a bug in a head" in why) for why, n in summary.failures.items()] == [(1, True)]
    by_head = [scorer for _, scorer, column in stored(made) if column != "kept"]
    assert (by_head.count("clip_direction"), by_head.count("aesthetic")) == (CANDIDATES - 1, CANDIDATES)


class Wordless(ClipDirection):
    """Raises over the words of one task."""

    name = "clip_direction"

    def texts(self, inputs):
        if "boat" in inputs.task.prompt:
            raise ZeroDivisionError("a bug in a head")
        return super().texts(inputs)


def test_head_that_raises_over_one_task_s_words_loses_only_that_task(made, monkeypatch):
    monkeypatch.setitem(BUILTIN_SCORERS, "clip_direction", f"{__name__}:Wordless")
    summary = made.score()
    assert sum(summary.failures.values()) == 3
    by_head = [scorer for _, scorer, column in stored(made) if column != "kept"]
    assert (by_head.count("clip_direction"), by_head.count("aesthetic")) == (CANDIDATES - 3, CANDIDATES)


def test_scores_do_not_depend_on_what_is_scored_together(tmp_path, contest_files, head_path, backbone):
    scores = []
    for i, (batch, scorers) in enumerate([(1, ["aesthetic"]), (32, ["aesthetic", "clip_direction", "fake_universal"])]):
        backbone.batch = batch
        campaign = new_campaign(tmp_path / f"c{i}", contest_files, head_path, scorers)
        campaign.score()
        scores.append({key: value for key, value in stored(campaign).items() if key[1] == "aesthetic"})
    assert scores[0].keys() == scores[1].keys()
    for key, (value, _) in scores[0].items():
        assert scores[1][key][0] == pytest.approx(value, abs=1e-5)


def test_real_backbone_of_the_configuration_scores_a_campaign(tmp_path, contest_files, head_path):
    """Small random weights through open_clip, seen from the campaign's folder; nothing of the backbone is replaced."""
    (tmp_path / "campaign").mkdir()
    tiny = tiny_clip(tmp_path)
    campaign = new_campaign(
        tmp_path / "campaign", contest_files, head_path, ["aesthetic", "clip_direction", "fake_universal"],
        weights_path=f"../{Path(tiny.weights_path).name}", config_path=f"../{Path(tiny.config_path).name}",
        precision="fp32", device="cpu", reads="english",
    )  # fmt: skip
    summary = campaign.score()
    assert (summary.values, summary.left_out, summary.failures) == (6 * CANDIDATES, {}, {})
    assert campaign.score().candidates == 0


def test_weights_that_cannot_be_loaded_are_said_in_one_line_after_the_other_scorers_ran(
    tmp_path, contest_files, head_path
):
    tiny = tiny_clip(tmp_path, dim=16)
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(Path(tiny_clip(tmp_path, dim=24).weights_path).read_bytes())
    campaign = new_campaign(
        tmp_path / "campaign", contest_files, head_path, ["clip_direction", "technical"],
        weights_path=str(wrong), config_path=tiny.config_path, precision="fp32", device="cpu",
    )  # fmt: skip
    failures = campaign.score().failures
    assert list(failures.values()) == [1]
    assert next(iter(failures)).startswith("clip_direction: cannot load wrong.safetensors as the model tiny-16")
    assert "\n" not in next(iter(failures))
    assert {scorer for _, scorer, _ in stored(campaign)} == {"technical"}


@pytest.fixture
def without_weights(tmp_path, contest_files, toys, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path / "no-weights"))
    return new_campaign(tmp_path / "campaign", contest_files, "", ["technical", *HEADS])


def test_without_weights_the_rest_is_scored_and_the_heads_are_named_with_the_cure(without_weights):
    summary = without_weights.score()
    assert summary.values == CANDIDATES
    assert set(summary.left_out) == set(HEADS)
    assert all("bestshot weights fetch clip-vit-l-14" in why for why in summary.left_out.values())


def test_command_shows_in_one_table_what_was_left_out(without_weights, capsys):
    without_weights.close()
    with pytest.raises(SystemExit) as done:
        main(["score", "-C", str(without_weights.folder)])
    assert not done.value.code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{CANDIDATES} candidates scored: {CANDIDATES} values, 0 unscored"
    at = next(i for i, line in enumerate(lines) if line.startswith("left out"))
    assert lines[at].split("  ")[-1] == "why, and what to do"
    width = lines[at + 1].index("  ")
    names, why = (
        " ".join(part.strip() for part in parts)
        for parts in zip(*((line[:width], line[width:]) for line in lines[at + 2 :]), strict=True)
    )
    assert names.split() == ", ".join(HEADS).split()  # one entry for all that lack the same weights
    assert why.count("bestshot weights fetch clip-vit-l-14") == 1


def test_doctor_looks_for_the_backbone_of_the_campaign(without_weights):
    path = without_weights.folder / "campaign.toml"
    path.write_text(path.read_text().replace('weights_path = ""', 'weights_path = "own.safetensors"'))
    without_weights.close()
    found = {check.subject: check for check in Campaign(without_weights.folder).doctor()}
    assert "own.safetensors" in found["scorer clip_similarity"].text


def test_heads_are_scored_by_default():
    assert set(HEADS) <= set(ScoreConfig().scorers)
    assert sorted(ScoreConfig().scorers) == ScoreConfig().scorers
    assert TaskType.TIE in ClipDirection.task_types


def test_a_batch_that_is_too_large_is_halved_and_one_picture_that_is_ends_the_run(made, backbone, monkeypatch):
    honest, most = backbone.embed_crops, [1]

    def embed_crops(crops):
        if len(crops) > most[0]:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return honest(crops)

    monkeypatch.setattr(backbone, "embed_crops", embed_crops)
    most[0] = 0
    with pytest.raises(OutOfResources, match="a smaller batch"):
        made.score()
    assert stored(made) == {}
    most[0] = 2  # a picture and its source
    assert made.score().values == 3 * CANDIDATES
