"""A picture that a worker finds missing at its address: the machine of the run is to know it, and make it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from toy_services import Files

from selector import Campaign
from selector.measure import _embedding, _head_stage, _item_stage, scoring
from selector.store import schema
from selector.store._object_images import ObjectImages


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
    (reason,) = campaign.score().failures
    assert "is missing" in reason
    assert campaign.generate().made == 1
    assert campaign.score().failures == {}
