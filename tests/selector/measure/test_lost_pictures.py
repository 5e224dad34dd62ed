"""A picture that a worker finds missing at its address: the machine of the run is to know it, and make it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from toy_services import Files

from selector import Campaign
from selector.measure import _embedding, _head_stage, _item_stage, scoring
from selector.store import schema
from selector.store._object_images import ObjectImages

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("scorer", ["gate", "realism"])
@pytest.mark.usefixtures("toys")
def test_what_another_machine_lacks_is_made_again_here(
    scorer: str, contest_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, pictures = contest_files(["Replace the dog with a cat"])
    campaign = Campaign.init(
        tmp_path / "campaign", table, pictures, generate={"tie": {"toy": 2}}, score={"scorers": [scorer]},
        embedding={"model": "embedded"}, store={"images": f"memory://{tmp_path.name}-{scorer}"},
    )  # fmt: skip
    campaign.generate()
    with campaign._ws.db.read() as connection:
        lost = str(connection.execute(select(schema.candidate.c.id)).scalars().first())
    images = campaign._ws.images
    images._store.remove(images.name(lost))  # type: ignore[attr-defined]
    there = ObjectImages(images.address, tmp_path / "two", images.suffix, 16, images.owner)
    monkeypatch.setattr(scoring, "ItemStage", lambda scorers, _: _item_stage.ItemStage(scorers, there))
    monkeypatch.setattr(_embedding, "HeadStage", lambda heads, _: _head_stage.HeadStage(heads, there))
    summary = campaign.score()
    assert "is missing" in summary.lost.pop(lost)
    assert (summary.lost, summary.failures) == ({}, {})
    assert campaign.generate().made == 1
    assert campaign.score().lost == {}


def test_score_says_in_one_line_that_images_are_lost_and_exits_with_1(campaign: Campaign, run: Run) -> None:
    campaign.generate()
    lost = sorted(campaign.folder.glob("images/*/*.jpg"))[:2]
    for path in lost:
        path.unlink()
    for scored in (7, 0):
        code, out, _ = run("score", "-C", campaign.folder)
        assert (code, f"{scored} candidates scored" in out) == (1, True)
        assert "2 images are lost or damaged: `bestshot doctor` names them" in out and lost[0].stem not in out
    campaign.generate()
    assert run("score", "-C", campaign.folder)[0] == 0
