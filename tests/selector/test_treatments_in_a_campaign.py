"""Finishes and prompt styles from the plan of a campaign to its picks, its figures and its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Clock

from selector import Campaign
from selector.cli.main import group
from selector.decide.knowledge import Knowledge
from selector.domain import Recipe
from selector.domain.treatments import own_variant
from selector.generate.recipes import finished, recipe_in_words, worded
from selector.store.attempts import Attempt, add_attempt
from selector.store.candidates import Candidate, Maker, makers
from selector.store.picks import load_submission_picks

Files = Callable[[Sequence[str]], tuple[Path, Path]]


@pytest.fixture
def made(tmp_path: Path, toys: None, clock: Clock, contest_files: Files) -> Campaign:  # noqa: ARG001
    """Twelve scene edits; of two tints each there are the picture and one with grain."""
    table, images = contest_files([f"brighter, number {i}" for i in range(12)])
    step = {"n": 2, "finishes": ["grain"]}
    campaign = Campaign.init(
        tmp_path / "campaign",
        table,
        images,
        clock=clock,
        generate={"tie": {"toy": step}},
        score={"scorers": ["technical"]},
    )
    campaign.generate()
    campaign.score()
    return campaign


def known(campaign: Campaign) -> Knowledge:
    found = campaign._context().known
    assert found is not None
    return found


def test_the_pool_tells_a_finish_from_the_picture_that_it_was_made_from(made: Campaign) -> None:
    pool = known(made).pool
    assert sorted(pool.made_with[:4]) == [
        "toy tint0",
        "toy tint0, finish grain",
        "toy tint1",
        "toy tint1, finish grain",
    ]
    for row, origin in enumerate(pool.origins):
        if pool.finishes[row]:
            base = pool.row_of[pool.task_ids[row], origin]
            assert (pool.variants[base], pool.finishes[base]) == (pool.variants[row], "")
    assert pool.family_of is not None and pool.family_of.max() + 1 == 24


def test_totals_teach_that_a_finish_pays_and_words_say_so(made: Campaign, clock: Clock) -> None:
    for turn in range(6):
        made.plan(6 - turn, hold_below=0.0)
        done = made.export()
        with made._ws.db.read() as connection:
            picks = load_submission_picks(connection)[done.submission.id]
        finish = dict(zip(known(made).pool.candidate_ids, known(made).pool.finishes, strict=True))
        if done.submission.total is None:
            worth = [6.0 if finish[p.candidate_id] else 4.0 for p in picks.values()]
            made.record(done.submission.id, round(sum(worth) / len(worth), 2))
        clock.now += timedelta(days=turn % 2)
    picked = [made.explain(task.id) for task in made.tasks]
    assert sum(e.pick is not None and e.pick.finish == "grain" for e in picked) >= 8
    explained = next(e for e in picked if e.pick is not None and e.pick.finish)
    assert explained.pick is not None and explained.pick.made_with.endswith(", finish grain")
    assert next(p for p in explained.parts if p.name == "its finish").pick > 0
    line = next(w for w in made.calibrate().weights if w.kind == "treatment")
    assert (line.name, line.prior) == ("finish grain", 0.0) and line.mean > 0
    shown = CliRunner().invoke(group, ["calibrate", "-C", str(made.folder), "--all"])
    assert re.search(r"treatment +finish grain +\+0\.00", shown.output), shown.output
    told = CliRunner().invoke(group, ["explain", "-C", str(made.folder), explained.task_id, "--json"])
    assert json.loads(told.output)["rivals"][0]["finish"] == "grain"
    words = CliRunner().invoke(group, ["explain", "-C", str(made.folder), explained.task_id]).output
    assert explained.pick.made_with in words and "its finish" in words


def test_cards_name_the_finish(made: Campaign) -> None:
    made.pick()
    assert "tint1, finish grain" in made.report().read_text(encoding="utf-8")


def test_more_candidates_are_planned_for_generators_and_not_for_finishes(made: Campaign) -> None:
    assert {w.generator for w in made.plan_candidates(5, None)} <= {"toy"}


@pytest.mark.parametrize("variant", ["", "warp", "warp + soft"])
def test_a_recipe_s_own_variant_is_what_its_treatments_leave(variant: str) -> None:
    treated = finished(worded(Recipe(variant, 1, {}), "suffix", "a cat, sharp"), "denoise+sharpen", "1")
    assert own_variant(treated.variant, "suffix", "denoise+sharpen") == variant
    words = [variant, "prompt style suffix", "finish denoise+sharpen"]
    assert recipe_in_words(treated) == ", ".join(word for word in words if word)
    assert recipe_in_words(Recipe(variant, 1, {"finish": "matte"})) == variant
    imported = finished(Recipe(variant, 1, {"file": "a.png"}), "grain", "1")
    assert recipe_in_words(imported) == "a.png, finish grain"


def test_a_parameter_that_only_has_the_name_of_a_treatment_is_none(campaign: Campaign) -> None:
    recipes = [
        Recipe("soft", 1, {"finish": "matte", "prompt_style": ["x"]}),
        Recipe("soft", 2, {"finish": {"name": 3}}),
        worded(Recipe("soft", 3, {}), "suffix", "a cat"),
    ]
    task = campaign.tasks[0].id
    with campaign._ws.db.write() as connection:
        for recipe in recipes:
            image = f"{recipe.seed:064d}"
            attempt = Attempt(task, "toy", "1", recipe, None, "made", image)
            add_attempt(campaign._ws.db, connection, attempt, Candidate(task, image, 8, 8, 100), 1, "now")
    with campaign._ws.db.read() as connection:
        found = makers(connection)
    assert found[task, f"{1:064d}"] == Maker("toy", "soft")
    assert found[task, f"{2:064d}"].finish in ("", "3")
    assert found[task, f"{3:064d}"] == Maker("toy", "soft + suffix", "suffix")
