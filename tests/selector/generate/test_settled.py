"""What `status` says of a plan that is carried out, without a generator; and when the generators must be asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.support.synthetic_campaign import make_campaign, write_contest
from selector import Campaign
from selector.generate.dry_run import GenerateEstimate
from selector.generate.settled import settled_estimate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_contest(tmp_path / "contest", 8, 0)
    make_campaign(tmp_path / "campaign", tmp_path / "contest", 0)
    return tmp_path / "campaign"


@pytest.fixture
def campaign(folder: Path) -> Iterator[Campaign]:
    with Campaign(folder) as opened:
        yield opened


def settled(campaign: Campaign) -> GenerateEstimate | None:
    return settled_estimate(campaign._ws, campaign.tasks)


def test_of_a_plan_that_is_carried_out_it_says_what_the_generators_would(campaign: Campaign) -> None:
    found = settled(campaign)
    assert found is not None
    assert found == campaign.estimate()
    assert found.no_generator == {}, "nobody makes the texts' pictures, and imports are there for all of them"
    assert {name: (one.tasks, one.settled) for name, one in found.generators.items()} == {
        "retouch": (2, 4),
        "textedit": (2, 4),
        "faceswap": (2, 4),
    }


def test_a_picture_that_is_gone_or_cut_is_left_to_the_generators(campaign: Campaign, folder: Path) -> None:
    made = campaign.scores(types="tie")
    image = next(folder.glob(f"images/*/{made[made['generator'] == 'retouch']['candidate'].iloc[0]}.jpg"))
    data = image.read_bytes()
    image.write_bytes(data[:-1])
    assert settled(campaign) is None
    image.unlink()
    assert settled(campaign) is None
    assert (campaign.status().to_make or pytest.fail("no estimate")).generators["retouch"].to_make > 0
    image.write_bytes(data)
    assert settled(campaign) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"retouch = 2", "retouch = 3"),
        (r"retouch = 2", 'retouch = { n = 2, finishes = ["sharpen"] }'),
        (r"retouch = 2", "retouch = 2, faceswap = { reserve = true }"),
        (r"seed = \d+", "seed = 7"),
        (r"\Z", '\n[generators.textedit]\nexclude_fonts = ["Noto"]\n'),
    ],
)
def test_another_plan_seed_or_setting_is_left_to_the_generators(folder: Path, old: str, new: str) -> None:
    config = folder / "campaign.toml"
    text = config.read_text(encoding="utf-8")
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    config.write_text(changed, encoding="utf-8")
    with Campaign(folder) as campaign:
        assert settled(campaign) is None


def test_a_plug_in_that_is_newer_than_its_planning_is_asked(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plugged").mkdir()
    for name in ("__init__.py", "retouch.py"):
        (tmp_path / "plugged" / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("selector.generate.settled.BUILTIN_GENERATORS", {"retouch": "plugged.retouch:Retouch"})
    assert settled(campaign) is None, "its file came after the planning"


def test_what_a_newer_bestshot_has_made_is_asked_about(campaign: Campaign) -> None:
    with campaign._ws.db.write() as connection:
        for table in ("planning", "attempt"):
            connection.exec_driver_sql(f"UPDATE {table} SET build = '7' || build WHERE generator = 'retouch'")
    assert settled(campaign) is None


def test_scores_of_another_version_of_the_code_are_not_counted(campaign: Campaign) -> None:
    before = campaign.status().scores
    with campaign._ws.db.write() as connection:
        moved = connection.exec_driver_sql("UPDATE score SET version = '0' WHERE scorer = 'technical'").rowcount
    assert moved > 0
    assert campaign.status().scores == campaign_scores(campaign) < before


def campaign_scores(campaign: Campaign) -> int:
    """As the scorers themselves say."""
    from selector.status import _scores_of_present_versions

    return _scores_of_present_versions(campaign._context())[0]


def test_what_people_exclude_changes_what_is_asked_for(campaign: Campaign) -> None:
    campaign.decisions.note("nice", task="0")
    assert settled(campaign) is not None
    campaign.decisions.exclude("all blurred", generator="retouch")
    assert settled(campaign) is None


def test_a_declined_recipe_is_settled_as_for_the_generators(campaign: Campaign) -> None:
    from sqlalchemy import update

    from selector.store import schema

    a = schema.attempt.c
    with campaign._ws.db.write() as connection:
        one = (a.task_id == "1", a.generator == "retouch", a.ordinal == 0)
        connection.execute(update(schema.attempt).where(*one).values(outcome="declined", candidate_id=None))
    assert settled(campaign) == campaign.estimate()
    with campaign._ws.db.write() as connection:
        connection.execute(update(schema.attempt).where(*one).values(outcome="missing"))
    assert settled(campaign) is None
