"""What a table of judgements says that it changes, or why it cannot change anything yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import noise_jpeg

from selector import Campaign
from selector.decide.judging import JudgeSummary


def tell(campaign: Campaign, rows: dict[tuple[str, str], float]) -> JudgeSummary:
    """A table of the same SC and PQ for each (task, candidate)."""
    table = campaign.folder / "scores.csv"
    lines = ["task,candidate,sc,pq", *(f"{task},{one},{value},{value}" for (task, one), value in rows.items())]
    table.write_text("\n".join(lines), encoding="utf-8")
    return campaign.judges["vlm"].tell(table)


@pytest.fixture
def candidates(campaign: Campaign) -> list[str]:
    """Those of task 3, the pick first."""
    campaign.generate()
    campaign.score()
    return [rival.candidate_id for rival in campaign.explain("3").rivals]


def test_before_the_first_pick_it_says_so(campaign: Campaign, candidates: list[str]) -> None:
    told = tell(campaign, {("3", candidates[0]): 1.0, ("3", candidates[1]): 9.0})
    assert (told.picks_to_change, told.effect) == (
        0,
        "there are no picks yet: run `bestshot pick`, and these scores count",
    )


def test_picks_that_would_be_others_are_counted(campaign: Campaign, candidates: list[str]) -> None:
    before = campaign.pick()
    told = tell(campaign, {("3", candidates[0]): 0.0, ("3", candidates[1]): 10.0, ("3", candidates[2]): 10.0})
    changed = sum(old.candidate_id != new.candidate_id for old, new in zip(before, campaign.pick(), strict=True))
    assert changed == told.picks_to_change > 0, "also of other tasks: a judge teaches of generators"
    assert told.effect.startswith(f"{changed} pick") and told.effect.endswith("by now: run `bestshot pick`")
    again = tell(campaign, {("3", candidates[0]): 0.0})
    assert again.effect == "no pick changes: what is picked is still the best known"


def test_equal_scores_tell_none_from_another(campaign: Campaign, candidates: list[str]) -> None:
    campaign.pick()
    told = tell(campaign, {("3", one): 5.0 for one in candidates})
    assert told.effect.startswith("no pick changes: every candidate got the same scores")


def test_what_may_not_be_picked_or_stands_alone_changes_nothing(
    campaign: Campaign, candidates: list[str], tmp_path: Path
) -> None:
    campaign.pick()
    campaign.decisions.exclude("blurred", candidate=candidates[0])
    told = tell(campaign, {("3", candidates[0]): 9.0})
    assert "none of the judged candidates may be picked (excluded by" in told.effect
    assert "still teach" in told.effect
    for one in candidates[1:]:
        campaign.decisions.exclude("blurred", candidate=one)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "3.jpg").write_bytes(noise_jpeg(60))
    campaign.import_folder(tmp_path / "mine")
    campaign.score()
    (alone,) = (r.candidate_id for r in campaign.explain("3").rivals if r.excluded is None)
    assert "only one candidate that may be picked" in tell(campaign, {("3", alone): 9.0}).effect
