"""Realism of sets in a campaign. The backbone has random weights: plumbing only, what is near means nothing."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import HEADER, noise_jpeg
from photographs import Bands, blur, grain, photographs
from tiny_backbone import tiny_clip

from selector import Campaign
from selector.cli.main import group
from selector.domain import InputError, MissingPart
from selector.domain.embedding import EmbeddingSettings
from selector.measure.realism import HALVES, RANDOM, Realism, RealismQuestion, SetRealism, _Told
from selector.measure.realism_measures import VectorSet, Yardstick, grouped
from selector.registry import BUILTIN_GENERATORS, BUILTIN_SCORERS
from selector.sight.embedding.openclip import OpenClip
from selector.store._images import ImageFolder

TASKS = 24


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingSettings]:
    yield tiny_clip(tmp_path_factory.mktemp("clip"), dim=16)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, backbone: EmbeddingSettings) -> Iterator[Path]:
    """Scene edits with three toy candidates each, scored and picked by their brightness."""
    folder = tmp_path_factory.mktemp("contest")
    (folder / "imgs").mkdir()
    for i in range(TASKS):
        (folder / "imgs" / f"{i}.jpg").write_bytes(noise_jpeg(i))
    rows = [HEADER, *(f"{i},tie,brighter {i},{i}.jpg," for i in range(TASKS))]
    (folder / "task.csv").write_text("\n".join(rows), encoding="utf-8")
    embedding = {"model": backbone.model, "weights_path": backbone.weights_path, "config_path": backbone.config_path}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BUILTIN_GENERATORS, "toy", "conftest:ToyGenerator")
        patch.setitem(BUILTIN_SCORERS, "technical", "conftest:ToyScorer")
        campaign = Campaign.init(
            folder / "campaign",
            folder / "task.csv",
            folder / "imgs",
            generate={"tie": {"toy": 3}},
            score={"scorers": ["technical"]},
            embedding={**embedding, "reads": "english", "device": "cpu", "precision": "fp32"},
        )
        campaign.generate()
        campaign.score()
        campaign.pick()
        campaign.close()
        yield folder / "campaign"


@pytest.fixture
def made(whole: Path, tmp_path: Path) -> Iterator[Campaign]:
    """A copy for one test, which nothing has been embedded for."""
    shutil.copytree(whole, tmp_path / "campaign")
    with Campaign(tmp_path / "campaign") as campaign:
        yield campaign


def by_name(found: Realism) -> dict[str, SetRealism]:
    return {one.name: one for one in (*found.baselines, *found.sets)}


def test_picks_generators_and_baselines_are_measured_with_their_sizes(made: Campaign) -> None:
    found = made.realism()
    sets = by_name(found)
    assert list(sets) == [HALVES, RANDOM, "picks", "toy"]
    assert [(s.images, s.tasks) for s in sets.values()] == [(12, 0), (24, 24), (24, 24), (72, 24)]
    assert found.photographs == TASKS
    for one in sets.values():
        assert set(one.distances) == {"cmmd", "kid"}
        assert all(d.low is not None and d.high is not None and d.low < d.high for d in one.distances.values())
    # a random pick of the only generator's candidates is, on average, what its tasks hold
    assert sets[RANDOM].distances["cmmd"].value == pytest.approx(sets["toy"].distances["cmmd"].value)
    assert found.gain is not None
    assert found.gain.value == pytest.approx(
        sets["picks"].distances["cmmd"].value - sets[RANDOM].distances["cmmd"].value
    )
    assert (made.folder / "report" / "plots" / "realism.png").stat().st_size > 10_000


def test_fid_is_refused_for_few_images_in_one_line_and_shown_when_forced(made: Campaign) -> None:
    refused = made.realism(metrics=["fid"])
    note = next(n for n in refused.notes if n.startswith("FID"))
    assert note == (
        "FID is left out where a side has fewer than 2048 images (photographs 24, smallest set 24): CMMD and KID hold "
        "for few; --force-fid shows it all the same"
    )
    assert set(by_name(refused)["picks"].distances) == {"cmmd", "kid"}
    forced = made.realism(of=["picks"], metrics=["fid"], force_fid=True)
    assert set(by_name(forced)["picks"].distances) == {"fid"}
    assert by_name(forced)["picks"].distances["fid"].value > 0
    assert [n[:33] for n in forced.notes] == ["FID counts an edit beside its own "[:33]]


def test_fid_is_shown_where_both_sides_have_enough_images(made: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.measure.realism.LEAST_FOR_FID", TASKS)
    sets = by_name(made.realism(metrics=["fid"]))
    assert all(set(sets[name].distances) == {"fid"} for name in ("picks", "toy", RANDOM))
    assert sets[HALVES].distances == {}  # half as many
    monkeypatch.setattr("selector.measure.realism.LEAST_FOR_FID", TASKS + 1)  # more than there are photographs
    assert "fid" not in by_name(made.realism(metrics=["fid"]))["toy"].distances


def test_second_call_reads_no_image_and_runs_no_model_and_says_the_same(
    made: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made.realism()

    def never(*_: Any) -> Any:
        raise AssertionError("an image was read or a model was run")

    monkeypatch.setattr(OpenClip, "embed_crops", never)
    monkeypatch.setattr(ImageFolder, "picture", never)
    monkeypatch.setattr("selector.sight.embedding.real_pictures.RealPictures.read", never)
    monkeypatch.setattr("selector.sight.embedding.real_pictures.sha256_of", never)
    assert made.realism() == first


def test_a_scored_campaign_has_the_vectors_already(made: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    config = made.folder / "campaign.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('scorers = ["technical"]', 'scorers = ["realism"]'), encoding="utf-8")
    with Campaign(made.folder) as other:
        summary = other.score()
        assert summary.values == 2 * 3 * TASKS, summary
    monkeypatch.setattr(OpenClip, "embed_crops", lambda *_: pytest.fail("the scorer kept the vectors"))
    assert made.realism().photographs == TASKS


def test_sets_are_named_or_refused_in_one_line(made: Campaign) -> None:
    assert [s.name for s in made.realism(of=["toy"]).sets] == ["toy"]
    with pytest.raises(InputError, match=r"no candidate was made by 'toi'.*toy"):
        made.realism(of=["toi"])
    with pytest.raises(InputError, match="set metrics are cmmd, kid, fid, got 'is'"):
        made.realism(metrics=["is"])
    with pytest.raises(MissingPart, match="is no folder: name a folder of real photographs"):
        made.realism(reference=made.folder / "nowhere")


def test_a_folder_replaces_the_input_pictures(made: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for i in range(30):
        (folder / f"{i}.jpg").write_bytes(noise_jpeg(1000 + i))
    (folder / "broken.jpg").write_bytes(b"no picture")
    found = made.realism(of=["picks"], reference=folder, metrics=["cmmd"])
    assert found.photographs == 30
    assert found.reference == str(folder)
    assert any(note.startswith("1 picture is left out: not a picture") for note in found.notes)
    for i in range(19, 30):
        (folder / f"{i}.jpg").unlink()
    with pytest.raises(InputError, match=r"at least 20 real photographs, here are 19: name a folder of more"):
        made.realism(reference=folder)


def test_candidates_that_the_folder_holds_are_not_paired_with_themselves(made: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    picked = {str(pick.candidate_id) for pick in made.pick()}
    for path in (made.folder / "images").rglob("*.jpg"):
        if path.stem in picked:
            shutil.copy(path, folder)
    found = made.realism(of=["picks"], reference=folder, metrics=["cmmd"])
    assert found.photographs == TASKS
    assert found.sets[0].distances["cmmd"].value == pytest.approx(0.0, abs=1e-6)  # with themselves it is below 0


def test_candidates_whose_files_are_gone_are_counted_and_left_out(made: Campaign) -> None:
    for path in sorted((made.folder / "images").rglob("*.jpg"))[:2]:
        path.unlink()
    found = made.realism(of=["toy"], metrics=["cmmd"])
    assert found.sets[0].images == 3 * TASKS - 2
    assert "2 pictures are left out: the file is missing or was changed, see `bestshot doctor`" in found.notes


def test_campaign_without_candidates_or_weights_says_what_to_do(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Callable[[list[str]], tuple[Path, Path]],
) -> None:
    table, images = contest_files(["brighter"] * 3)
    empty = Campaign.init(
        tmp_path / "empty",
        table,
        images,
        generate={"tie": {"toy": 1}},
        score={"scorers": ["technical"]},
        embedding={"weights_path": "nowhere.safetensors"},
    )
    with pytest.raises(InputError, match="there are no candidates yet: run `bestshot generate`"):
        empty.realism()
    empty.generate()
    with pytest.raises(InputError, match="there are no picks yet: run `bestshot pick` first"):
        empty.realism(of=["picks"])
    with pytest.raises(MissingPart, match="there are no weights at"):
        empty.realism()
    empty.close()


def test_missing_package_is_named_with_its_extra(made: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchmetrics" else found(name))
    with pytest.raises(MissingPart, match=r"set metrics need torchmetrics: pip install 'bestshot\[models\]'"):
        made.realism()


def test_command_line_prints_a_table_or_json(made: Campaign) -> None:
    done = CliRunner().invoke(group, ["realism", "-C", str(made.folder), "--of", "picks", "--type", "tie"])
    assert done.exit_code == 0, done.output
    assert "a random pick" in done.stdout
    assert "note: FID is left out where a side has fewer than 2048 images" in done.stdout
    done = CliRunner().invoke(group, ["realism", "-C", str(made.folder), "--metric", "cmmd", "--json"])
    document = json.loads(done.stdout)
    assert document["photographs"] == TASKS
    assert set(document["sets"][0]["distances"]["cmmd"]) == {"value", "low", "high", "subsets"}


def vectors(n: int, seed: int, shift: float = 0.0) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(shift, 1, (n, 12)).astype(np.float32)


def set_of(found: np.ndarray[Any, Any], a_task: int = 1, real: int = 0, own: bool = False) -> VectorSet:
    """Vectors in tasks of ``a_task``; with ``own`` task i was made from photograph i."""
    named = {str(i): vector for i, vector in enumerate(found)}
    keys = [list(named)[i : i + a_task] for i in range(0, len(named), a_task)]
    return grouped([(i, ids, [i] if own else []) for i, ids in enumerate(keys)], named, real)


@pytest.mark.parametrize("metric", ["cmmd", "kid"])
def test_unchanged_copies_are_as_far_off_as_photographs_are_from_themselves(metric: str) -> None:
    real = vectors(120, 1, 0.3)
    yardstick = Yardstick(real, 120, 0)
    copies = yardstick.measure(set_of(real, real=120, own=True), metric)[0]
    as_strangers = yardstick.measure(set_of(real, real=120), metric)[0]
    halves = yardstick.halves(metric)
    assert halves.low is not None
    assert halves.high is not None
    assert halves.low < copies.value < halves.high
    assert as_strangers.value < copies.value


@pytest.mark.parametrize("metric", ["cmmd", "kid", "fid"])
@pytest.mark.parametrize(
    "hurt", [lambda p, s: blur(p, 0.6 * s), lambda p, s: grain(p, 10.0 * s)], ids=["blur", "noise"]
)
def test_damaged_photographs_lie_farther_off_than_their_own_spread(
    hurt: Callable[[Any, float], Any], metric: str
) -> None:
    whole = photographs()
    yardstick = Yardstick(Bands().embed_crops(np.stack(whole)), len(whole), 0)
    found = [
        yardstick.measure(set_of(Bands().embed_crops(np.stack(damaged)), real=len(whole), own=True), metric)[0]
        for damaged in (whole, [hurt(p, 1) for p in whole], [hurt(p, 3) for p in whole])
    ]
    assert found[0].value < found[1].value < found[2].value
    halves = yardstick.halves(metric)
    assert found[2].value > (halves.value if halves.high is None else halves.high)


@pytest.mark.parametrize("metric", ["cmmd", "kid", "fid"])
def test_distance_grows_with_the_shift_of_the_set(metric: str) -> None:
    yardstick = Yardstick(vectors(150, 1, 0.3), 100, 0)
    found = [yardstick.measure(set_of(vectors(100, 2, s), real=150), metric)[0].value for s in (0.3, 0.6, 1.2)]
    assert found[0] < found[1] < found[2]


def test_many_alike_candidates_of_a_task_do_not_count_as_variety_or_its_lack() -> None:
    """Ten copies of each task's candidate leave CMMD and KID where one of each has them."""
    yardstick, few = Yardstick(vectors(80, 1, 0.3), 40, 0), vectors(40, 2, 0.5)
    one, ten = set_of(few, real=80), set_of(np.repeat(few, 10, axis=0), 10, real=80)
    for metric in ("cmmd", "kid"):
        (a, draws_a), (b, draws_b) = yardstick.measure(one, metric), yardstick.measure(ten, metric)
        assert b.low == pytest.approx(a.low, rel=1e-3, abs=1e-5)
        assert draws_a == pytest.approx(draws_b, rel=1e-3, abs=1e-4)


def test_subsets_of_kid_say_what_all_pairs_say() -> None:
    found = Yardstick(vectors(150, 1, 0.3), 100, 0).measure(set_of(vectors(300, 2, 0.5), 3, real=150), "kid")[0]
    assert found.subsets is not None
    assert found.subsets.images == 50
    spread = found.subsets.sd / np.sqrt(found.subsets.count)
    assert found.subsets.mean == pytest.approx(found.value, abs=3.5 * spread)


def own_in(marks: list[list[int]], real: int) -> VectorSet:
    """One candidate a task, and the photographs that each was made from."""
    found = vectors(len(marks), 2)
    return grouped([(i, [str(i)], own) for i, own in enumerate(marks)], {str(i): v for i, v in enumerate(found)}, real)


def test_subsets_of_kid_say_the_smallest_size_and_are_left_out_below_two_images() -> None:
    real = 20
    yardstick = Yardstick(vectors(real, 1), 20, 0)
    every, most = list(range(real)), list(range(real - 4))
    narrow = yardstick.measure(own_in([most if i % 2 else [] for i in range(20)], real), "kid")[0].subsets
    assert narrow is not None
    assert (narrow.count, narrow.images) == (30, 4)
    some = yardstick.measure(own_in([every, *([[]] * 19)], real), "kid")[0].subsets
    assert some is not None
    assert 5 < some.count < 25  # the first task is in half of the subsets
    assert some.images == 10
    assert np.isfinite([some.mean, some.sd]).all()
    for own in (every, every[:-1]):
        assert yardstick.measure(own_in([own] * 19 + [[]], real), "kid")[0].subsets is None


def test_subsets_of_kid_that_are_left_out_are_told() -> None:
    told = _Told(Yardstick(vectors(20, 1), 20, 0), RealismQuestion(metrics=("kid",)), [])
    found = told.realism({RANDOM: own_in([[]] * 20, 20), "toy": own_in([list(range(20))] * 19 + [[]], 20)}, "s", "r")
    assert found.sets[0].distances["kid"].subsets is None
    assert [note[:44] for note in found.notes] == ["toy: 30 of 30 subsets of KID are left out, b"]


def test_order_of_photographs_and_candidates_does_not_matter_to_the_value() -> None:
    real, x = vectors(60, 1), vectors(30, 2, 0.4)
    mixed = np.random.default_rng(0).permutation
    a = Yardstick(real, 30, 0).measure(set_of(x, real=60), "cmmd")[0].value
    b = Yardstick(mixed(real), 30, 5).measure(set_of(mixed(x), real=60), "cmmd")[0].value
    assert a == pytest.approx(b, rel=1e-4)


def test_same_seed_gives_the_same_figures() -> None:
    real, x = vectors(60, 1), set_of(vectors(30, 2, 0.4), real=60)
    for metric in ("cmmd", "kid", "fid"):
        assert Yardstick(real, 30, 7).measure(x, metric)[0] == Yardstick(real, 30, 7).measure(x, metric)[0]
    assert Yardstick(real, 30, 7).measure(x, "kid")[0] != Yardstick(real, 30, 8).measure(x, "kid")[0]
