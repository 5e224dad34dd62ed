"""What a campaign lacks: who makes pictures, who measures SC, and the commands that cure it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run, noise_jpeg
from toy_services import Make

from selector.domain import MissingPart, TaskType
from selector.registry import BUILTIN_SCORERS
from selector.sight.embedding.openclip import OpenClip


def test_a_type_that_a_generator_makes_lacks_nothing(make: Make) -> None:
    assert make({"toy": 2}).lacking() == ()


def test_a_type_without_a_generator_is_named_with_what_would_make_it(make: Make) -> None:
    (lack,) = make({}, ["a", "b"]).lacking()
    assert (lack.type, lack.tasks, lack.missing) == (TaskType.TIE, 2, ())
    assert lack.cures == ("name one in `tie` of [generate] in campaign.toml", "bestshot import FOLDER")


def test_who_has_imported_pictures_of_all_tasks_is_told_of_no_generator(make: Make, tmp_path: Path, run: Run) -> None:
    campaign = make({}, ["a", "b"])
    pictures = tmp_path / "made"
    pictures.mkdir()
    first, second = campaign.tasks
    (pictures / f"{first.id}.jpg").write_bytes(noise_jpeg(1))
    campaign.import_folder(pictures, "own")
    assert [lack.tasks for lack in campaign.lacking()] == [1] == list(campaign.estimate().no_generator.values())
    (pictures / f"{second.id}.jpg").write_bytes(noise_jpeg(2))
    campaign.import_folder(pictures, "own")
    assert campaign.lacking() == () and campaign.estimate().no_generator == {}
    for verb in ("status", "generate", "doctor"):
        assert "no generator" not in run(verb, "-C", campaign.folder)[1]


def test_scorers_of_sc_that_cannot_run_are_named_with_the_commands(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILTIN_SCORERS, "clip_direction", "scorers.clip_direction:ClipDirection")

    def no_torch(_: OpenClip) -> None:
        raise MissingPart("an embedding needs torch: pip install 'bestshot[models]'")

    monkeypatch.setattr(OpenClip, "check", no_torch)
    settings = {"score": {"scorers": ["technical", "clip_direction"]}}
    (lack,) = make({"toy": 2}, ["a"], **settings).lacking()
    assert (lack.missing, lack.measured_by) == (("clip_direction",), ())
    assert lack.cures[0] == "pip install 'bestshot[models]' && bestshot weights fetch --all"
    (lack,) = make({"toy": 2}, ["变成雪天"], name="chinese", **settings).lacking()
    assert lack.cures[0].endswith("&& bestshot translate")
    with_judge = {**settings, "judges": {"vlm": {"base_url": "http://127.0.0.1:1/v1", "model": "m"}}}
    assert make({"toy": 2}, ["a"], name="judged", **with_judge).lacking() == ()


def test_init_says_what_lacks_and_tells_importers_to_import(run: Run, make: Make, tmp_path: Path) -> None:
    made = make({}, ["a", "b"])
    code, out, _ = run(
        "init", tmp_path / "new", "--tasks", made.folder / "task.csv", "--images", made.folder / "inputs",
        "--profile", made.folder / "profile.toml" if (made.folder / "profile.toml").exists() else made.profile.name,
    )  # fmt: skip
    assert code == 0
    assert "bestshot import FOLDER" in out and f"next: cd {tmp_path / 'new'}" in out
