"""Realism of single pictures: on real photographs with features built for it; with a random backbone only plumbing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import noise_jpeg
from photographs import Bands, blur, grain, photographs
from tiny_backbone import contest_with, tiny_clip

from scorers.realism import LEAST_PICTURES, TOO_FEW, Realism
from selector.domain import Item, MissingPart, Picture, Score, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import ContestContext, EmbeddingSettings, View
from selector.registry import create_scorer
from selector.sight.embedding.vectors import RecentVectors

Array = np.ndarray[Any, np.dtype[Any]]


def contest_of(folder: Path, pictures: Sequence[bytes], settings: EmbeddingSettings | None = None) -> ContestContext:
    """One edit a picture."""
    folder.mkdir(exist_ok=True)
    tasks = []
    for i, content in enumerate(pictures):
        (folder / f"{i}.jpg").write_bytes(content)
        tasks.append(Task(str(i), TaskType.TIE, "brighter", f"{i}.jpg", None, i))
    return ContestContext(tuple(tasks), folder, settings or EmbeddingSettings(), {})


def met(contest: ContestContext, **settings: Any) -> Realism:
    """A scorer over the features built by hand."""
    scorer = Realism(**settings)
    scorer.meet(contest)
    scorer.backbone = Bands()
    return scorer


def item(contest: ContestContext, i: int, rgb: Array) -> Item:
    task = contest.tasks[i]
    assert task.source is not None
    source = Picture((contest.inputs_folder / task.source).read_bytes())
    return Item(TaskInputs(task, source), Picture(encode_final(np.ascontiguousarray(rgb))))


def values(scorer: Realism, items: Sequence[Item]) -> Array:
    found = scorer.score(items)
    assert all(score.value is not None for result in found for score in result.values()), found
    return np.array([[result[c.name].value for c in scorer.columns] for result in found])


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> ContestContext:
    return contest_of(tmp_path_factory.mktemp("real"), [encode_final(p) for p in photographs()])


@pytest.mark.parametrize("damage", ["blur", "noise"])
def test_damaged_photographs_lie_farther_from_real_ones(contest: ContestContext, damage: str) -> None:
    scorer = met(contest)
    hurt = {"blur": lambda p, s: blur(p, 0.6 * s), "noise": lambda p, s: grain(p, 15.0 * s)}[damage]
    pictures = list(enumerate(photographs()))[::6]
    levels = [values(scorer, [item(contest, i, hurt(p, s) if s else p) for i, p in pictures]) for s in (0, 2, 4)]
    means = np.array([level.mean(axis=0) for level in levels])
    assert (means[1] > 1.1 * means[0]).all(), means
    assert (means[2] > 1.1 * means[1]).all(), means


def test_the_own_source_is_no_neighbour_and_no_part_of_the_mass(contest: ContestContext) -> None:
    """An unchanged copy gets what a photograph gets that the reference does not hold."""
    whole = met(contest)
    i, rgb = 7, photographs()[7]
    copy = item(contest, i, rgb)
    without = contest.tasks[:i] + contest.tasks[i + 1 :]
    smaller = met(ContestContext(without, contest.inputs_folder, contest.embedding, {}))
    same_pixels = Picture(encode_final(copy.picture.rgb, "png"))
    stranger = Item(TaskInputs(Task("x", TaskType.T2I, "a cat", None, None, 0)), same_pixels)
    inside, outside, other = values(whole, [copy])[0], values(smaller, [copy])[0], values(whole, [stranger])[0]
    assert inside[0] == pytest.approx(outside[0], abs=1e-6)
    assert inside[1] == pytest.approx(outside[1], rel=0.03)  # the amount of shrinkage is that of the whole
    assert (other < 0.97 * inside).all()  # a task without that source sees it as a very near neighbour


def test_the_reference_face_of_a_swap_is_left_out_too(contest: ContestContext) -> None:
    copy = item(contest, 3, photographs()[3])
    copy = Item(copy.inputs, Picture(encode_final(copy.picture.rgb, "png")))
    swap = TaskInputs(Task("d", TaskType.DEEPFAKE, "", "9.jpg", "3.jpg", 0), copy.inputs.source, copy.inputs.source)
    unseen = TaskInputs(Task("d", TaskType.DEEPFAKE, "", "9.jpg", "3.jpg", 0))
    found = values(met(contest), [Item(swap, copy.picture), Item(unseen, copy.picture)])
    assert (found[0] > found[1]).all()


def test_a_picture_that_the_folder_holds_is_not_its_own_neighbour(contest: ContestContext) -> None:
    nothing = TaskInputs(Task("x", TaskType.T2I, "a cat", None, None, 0))
    itself = item(contest, 3, photographs()[3]).picture
    again = Picture(encode_final(itself.rgb, "png"))
    found = values(met(contest), [Item(nothing, itself), Item(nothing, again)])
    assert (found[0] > 1.03 * found[1]).all()


def test_equal_bytes_under_two_names_are_one_photograph(tmp_path: Path, contest: ContestContext) -> None:
    doubled = contest_of(tmp_path / "twice", [encode_final(p) for p in photographs()] * 2)
    some = [item(contest, i, grain(photographs()[i], 20)) for i in (0, 5)]
    assert values(met(doubled), some) == pytest.approx(values(met(contest), some), abs=1e-7)


def test_too_few_photographs_leave_a_picture_unscored(tmp_path: Path) -> None:
    few = contest_of(tmp_path / "few", [encode_final(p) for p in photographs()[: LEAST_PICTURES - 1]])
    assert met(few).score([item(few, 0, photographs()[0])])[0]["knn_distance"] == Score.unscored(TOO_FEW)
    alone = Realism()
    alone.backbone = Bands()
    assert alone.score([item(few, 0, photographs()[0])])[0]["mahalanobis"] == Score.unscored(TOO_FEW)


def test_a_photograph_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    broken = contest_of(tmp_path / "broken", [b"no picture", *(encode_final(p) for p in photographs()[:25])])
    assert values(met(broken), [item(broken, 3, photographs()[2])]).shape == (1, 2)


def test_a_folder_of_photographs_replaces_the_contests_own(tmp_path: Path, contest: ContestContext) -> None:
    folder = tmp_path / "photographs" / "below"
    folder.mkdir(parents=True)
    for i, p in enumerate(photographs()[:30]):
        (folder / f"{i}.jpg").write_bytes(encode_final(p))
    some = [item(contest, 50, photographs()[50])]
    ours = values(met(contest, reference_folder=str(folder.parent)), some)
    assert (ours != values(met(contest), some)).all()
    with pytest.raises(MissingPart, match=r"is no folder: name a folder of real photographs"):
        met(contest, reference_folder=str(tmp_path / "nowhere")).check()
    assert "absent" in met(contest, reference_folder=str(tmp_path / "nowhere")).version


def test_version_follows_the_photographs_and_not_their_place(tmp_path: Path) -> None:
    pictures = [noise_jpeg(i) for i in range(3)]
    one, two, three = (
        contest_of(tmp_path / name, pictures[: 3 - less]) for name, less in (("a", 0), ("b", 0), ("c", 1))
    )
    assert met(one).version == met(two).version != met(three).version
    (two.inputs_folder / "1.jpg").write_bytes(noise_jpeg(99))
    assert met(one).version != met(two).version
    pinned = {task.source: f"{i}" for i, task in enumerate(one.tasks) if task.source}
    known = ContestContext(one.tasks, tmp_path / "gone", one.embedding, {}, pinned)
    assert "absent" not in met(known).version  # nothing is read where the ids are known


def test_version_of_a_folder_reads_a_file_again_only_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = contest_of(tmp_path / "a", [noise_jpeg(i) for i in range(3)])
    version, opened = met(contest).version, list[Path]()
    real = Path.open

    def counted(path: Path, *how: Any, **more: Any) -> Any:
        opened.append(path)
        return real(path, *how, **more)

    monkeypatch.setattr(Path, "open", counted)
    assert met(contest).version == version
    assert not opened
    changed = contest.inputs_folder / "1.jpg"
    content = changed.read_bytes()
    changed.write_bytes(content[:-1] + b"x")  # of the same size
    os.utime(changed, ns=(1, 1))
    opened.clear()
    assert met(contest).version != version
    assert opened == [changed]


def test_version_goes_by_what_changes_scores_alone(tmp_path: Path) -> None:
    """No text is read; the folder's pictures count, and not its place."""
    contest = contest_of(tmp_path / "inputs", [noise_jpeg(i) for i in range(3)])
    translated = replace(contest, translations={"变亮": "brighter"}, embedding=EmbeddingSettings(reads="all"))
    assert met(contest).version == met(translated).version
    for name in ("one", "two"):
        contest_of(tmp_path / name, [noise_jpeg(9)])
    settings: list[dict[str, Any]] = [
        {"reference_folder": str(tmp_path / "one")},
        {"reference_folder": str(tmp_path / "two"), "neighbours": 5, "model": ""},
        {"reference_folder": str(tmp_path / "two"), "neighbours": 7},
        {"reference_folder": str(tmp_path / "inputs")},
        {},
    ]
    versions = [create_scorer("realism", one).version for one in settings]
    assert versions[0] == versions[1]
    assert len(set(versions)) == 4


def test_photographs_are_embedded_once_and_found_again(contest: ContestContext) -> None:
    kept = RecentVectors()
    some = [item(contest, 0, photographs()[0])]
    Bands.crops = 0
    for expected in (len(photographs()) + 1, 1):
        scorer = met(contest)
        scorer.keep_in(kept)
        first = values(scorer, some)
        assert (values(scorer, some) == first).all()
        assert Bands.crops == expected
        Bands.crops = 0
    assert len(kept.pictures("bands", View.WHOLE, [some[0].inputs.source.id])) == 1  # type: ignore[union-attr]


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="neighbours is a number above 0"):
        Realism(neighbours=0)


@pytest.fixture(scope="module")
def random_backbone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingSettings]:
    yield tiny_clip(tmp_path_factory.mktemp("clip"), dim=64)


def test_it_runs_on_a_model_of_open_clip(contest: ContestContext, random_backbone: EmbeddingSettings) -> None:
    """Random weights: only that pictures go in and numbers in range come out."""
    scorer = create_scorer("realism", {"neighbours": 3})
    own = contest_with(random_backbone, contest.tasks)
    scorer.meet(ContestContext(own.tasks, contest.inputs_folder, own.embedding, {}))  # type: ignore[attr-defined]
    result = scorer.score([item(contest, i, photographs()[i]) for i in (0, 1)])
    for column in scorer.columns:
        assert all(column.low <= (r[column.name].value or -1) <= column.high for r in result)
