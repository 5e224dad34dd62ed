"""``bestshot status`` says what is still to be made, what stands in its way, and only failures of the present plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ToyGenerator
from toy_services import Make, ToyRemote, raises, reopened, toy_service

from selector import Campaign
from selector.cli._show_verbs import status as status_verb
from selector.domain import MissingPart, ServiceStopped, TaskType
from selector.domain.reading import Reading, SceneEdit
from selector.status import _scores_of_present_versions
from selector.store.readings import add_readings


def told(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """What the verb prints."""
    status_verb.main(["-C", str(folder)], standalone_mode=False)
    return capsys.readouterr().out


def test_what_a_stopped_service_left_is_still_to_make(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    toy_service().on_submit = raises(ServiceStopped("the key is not accepted"))
    campaign = make({"toy_remote": 3, "toy": 1}, ["a", "b"])
    assert "still to make: toy at most 2 images: run `bestshot generate`" in told(capsys, campaign.folder)
    campaign.generate()
    out = told(capsys, campaign.folder)
    assert "still to make: toy_remote 6 images: run `bestshot generate`" in out
    assert "still to make: toy " not in out
    found = campaign.status().to_make
    assert found is not None
    assert found.generators["toy_remote"].to_make == 6


def test_what_is_lost_is_said_with_what_to_do(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make({"toy": 2}, ["a", "b"], score={"scorers": ["technical"]}, store={"scores": "columns"})
    campaign.generate()
    campaign.score()
    campaign.move_scores()
    assert "lost" not in told(capsys, campaign.folder)
    first, deleted, *_ = sorted((campaign.folder / "images").rglob("*.jpg"))
    campaign.prune(pictures=[deleted.stem], delete=True, reason="asked to")
    first.unlink()
    (parquet,) = (campaign.folder / "scores").rglob("*.parquet")
    parquet.rename(parquet.with_suffix(".away"))
    found = campaign.status()
    path = parquet.relative_to(campaign.folder / "scores").as_posix()
    assert (found.lost_pictures, found.lost_score_files) == (1, (path,))
    out = told(capsys, campaign.folder)
    assert "lost: 1 picture, which `bestshot doctor` names" in out
    assert f"lost: 1 file of scores ({path}): put back what you have, or run `bestshot scores --forget-lost`" in out
    monkeypatch.setenv("BESTSHOT_LANG", "zh")
    assert f"丢失存有分数的 1 个文件（{path}）：请放回" in told(capsys, campaign.folder)


def test_a_budget_that_is_too_small_is_said(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    campaign = make({"toy_remote": 4}, ["a", "b"], services={"toyland": {"budget": 1.5}})
    campaign.generate()
    assert "that is 2.50 more than is left at toyland" in told(capsys, campaign.folder)


def test_what_stands_in_the_way_is_said_with_its_cure(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ToyRemote, "check", raises(MissingPart("no key: export TOY_KEY=... first")))
    plan = {"toy_remote": 2, "toy": {"n": 2, "prompts": ["as_is", "rewritten"]}}
    campaign = make(plan, ["a", "b"])
    campaign.generate()
    out = told(capsys, campaign.folder)
    assert "cannot be made now: toy_remote 4 images: no key: export TOY_KEY=... first" in out
    assert "cannot be made now: toy 2 images: prompt style rewritten: " in out
    assert "still to make" not in out


def test_types_that_nobody_makes_or_serves_are_said(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "2 tie tasks have no generator" in told(capsys, make({}, ["a", "b"]).folder)
    monkeypatch.setattr(ToyGenerator, "task_types", frozenset({TaskType.T2I}))
    out = told(capsys, make({"toy": 1}, ["a", "b"], "other").folder)
    assert "toy: 2 tasks are of types that it does not serve" in out


def test_when_all_is_settled_nothing_is_said_of_it(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    campaign = make({"toy": 2, "toy_remote": 1}, ["a", "decline"])
    campaign.generate()
    out = told(capsys, campaign.folder)
    assert "still" not in out
    assert "toy declined: this toy does not do that" in out


def test_what_cannot_be_estimated_ends_no_status(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    tables = {"generators": {"toy_remote": {"free": True}}, "services": {"toyland": {"budget": 1.0}}}
    campaign = make({"toy_remote": 2}, **tables)
    assert "cannot be told: service toyland has a budget, and no price is known" in told(capsys, campaign.folder)


def test_failures_of_generators_that_the_plan_no_longer_names_are_not_shown(make: Make) -> None:
    campaign = make({"toy": 1, "toy_remote": 1}, ["decline"])
    campaign.generate()
    assert any(why.startswith("toy declined") for why in campaign.status().failures)
    assert reopened(campaign, {"toy_remote": 1}).status().failures == {}


def test_failures_of_imports_stay(make: Make, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "3.png").write_bytes(b"no picture")
    campaign = make({"toy": 1}, ["a"])
    campaign.import_folder(tmp_path / "mine")
    assert any(why.startswith("folder:mine") for why in campaign.status().failures)


def test_scores_that_rest_on_an_older_reading_do_not_count(campaign: Campaign) -> None:
    """Though they are of the only version in the store."""
    config = campaign.folder / "campaign.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('scorers = ["technical"]', 'scorers = ["technical", "preservation"]'), "utf-8")
    with Campaign(campaign.folder) as measured:
        measured.generate()
        measured.score()
        before = measured.status()
        with measured._ws.db.write() as connection:
            add_readings(connection, {"3": Reading("vlm", edit=SceneEdit("cup", "cup"))}, "now")
    with Campaign(campaign.folder) as again:
        after = again.status()
        assert 0 < after.scores < before.scores
        assert (after.scores, {**after.unscored, **after.not_applicable}) == _scores_of_present_versions(
            again._context()
        )
