"""Plans of a campaign: advice that stands, contests whose totals may not teach, and what is said of empty tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from conftest import ToyGenerator
from sqlalchemy import Connection, func, select

from selector import Campaign
from selector.domain import Declined, InputError, Made, Recipe, TaskInputs
from selector.learn.holding import LEAVE_HOLD
from selector.store import Database, schema
from selector.store.candidates import makers

Files = Callable[[Sequence[str]], tuple[Path, Path]]
Run = Callable[..., tuple[int, str, str]]
RULE = "allow no learning from leaderboard totals (learn_from_totals = false)"


def made(folder: Path, files: Files, prompts: Sequence[str] = ("brighter",) * 8, **config: Any) -> Campaign:
    """Scene edits with four scored candidates each, but where the prompt says otherwise."""
    table, images = files(prompts)
    campaign = Campaign.init(
        folder, table, images, generate={"tie": {"toy": 4}}, score={"scorers": ["technical"]}, **config
    )
    campaign.generate()
    campaign.score()
    return campaign


@pytest.fixture
def campaign(toys: None, tmp_path: Path, contest_files: Files) -> Campaign:  # noqa: ARG001
    return made(tmp_path / "campaign", contest_files)


@pytest.fixture
def silenced(toys: None, tmp_path: Path, contest_files: Files) -> Campaign:  # noqa: ARG001
    """The same in a contest whose totals may not teach."""
    text = (resources.files("selector") / "profiles" / "tianchi-532389.toml").read_text("utf-8")
    profile = tmp_path / "own.toml"
    profile.write_text(text.replace("learn_from_totals = true", "learn_from_totals = false"), "utf-8")
    return made(tmp_path / "campaign", contest_files, profile=str(profile))


def decisions(campaign: Campaign) -> int:
    with campaign._ws.db.read() as connection:
        return connection.execute(select(func.count()).select_from(schema.plan_decision)).scalar_one()


def record_the_best(campaign: Campaign, total: float) -> str:
    """Submit the best picks known, so that nothing is left to win by them."""
    campaign.pick(replace=True)
    submission = campaign.export().submission.id
    campaign.record(submission, total)
    return submission


@pytest.fixture
def wavering(campaign: Campaign) -> tuple[Campaign, float, int, int]:
    """(campaign, bar, remaining, later): by the bar alone the advice is HOLD first, and later to submit."""
    record_the_best(campaign, 5.0)
    plans = {left: campaign.plan(left, hold_below=0.0).plan for left in range(9, 1, -1)}
    worth = {left: max(plan.gain, plan.lesson) for left, plan in plans.items()}
    low = min(worth, key=lambda left: worth[left])
    high = max((left for left in worth if left < low), key=lambda left: worth[left])
    assert worth[low] < worth[high], "or nothing would change by itself"
    return campaign, (worth[low] + worth[high]) / 2, low, high


def test_hold_stands_over_processes_until_something_is_new(
    wavering: tuple[Campaign, float, int, int], tmp_path: Path
) -> None:
    campaign, bar, first, later = wavering
    folder = campaign.folder
    assert campaign.plan(first, bar).plan.hold
    campaign.close()
    with Campaign(folder) as again:
        held = again.plan(later, bar)
        assert held.plan.hold and held.picks == () and "said HOLD before" in held.plan.why
        judged = again.judges["vlm"].plan(1)[0]
        table = tmp_path / "judged.csv"
        table.write_text(f"task,candidate,sc,pq\n{judged.task_id},{judged.candidate_id},9,9\n")
        again.judges["vlm"].tell(table)
        after = again.plan(later, bar).plan
        assert after.hold is (max(after.gain, after.lesson) < LEAVE_HOLD * bar)


def test_another_bar_is_another_question(wavering: tuple[Campaign, float, int, int]) -> None:
    campaign, bar, first, later = wavering
    assert campaign.plan(first, bar).plan.hold
    assert not campaign.plan(first, bar / 100).plan.hold
    assert campaign.plan(later, bar).plan.hold, "and no news for the first"


def test_a_decision_is_stored_where_it_or_what_it_rests_on_is_new(campaign: Campaign) -> None:
    campaign.plan(5, 0.001)
    campaign.plan(5, 0.001)
    campaign.plan(4, 0.001)
    assert decisions(campaign) == 1
    campaign.plan(6, 0.001)
    campaign.plan(6, 0.002)
    record_the_best(campaign, 5.0)
    campaign.plan(4, 0.001)
    assert decisions(campaign) == 4


def test_new_candidates_scores_and_uploads_are_news(campaign: Campaign) -> None:
    seen = []

    def look() -> None:
        known = campaign._context().known
        assert known is not None
        seen.append(known.everything)

    look()
    look()
    assert seen[0] == seen[1]
    campaign.generate(n=5)
    look()
    campaign.score()
    look()
    campaign.pick()
    submission = campaign.export().submission.id
    look()
    assert seen[-1] == seen[-2], "an export is nothing that was learned"
    campaign.record(submission, submitted=True)
    look()
    campaign.record(submission, 4.0)
    look()
    assert len(set(seen)) == 5


def test_a_plan_that_cannot_be_noted_is_told_all_the_same(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    record_the_best(campaign, 5.0)

    @contextmanager
    def refuse(_: Database) -> Iterator[Connection]:
        raise InputError("cannot write to the campaign's database (readonly): check its permissions")
        yield

    monkeypatch.setattr(Database, "write", refuse)
    held = campaign.plan(5, 20.0)
    assert held.plan.hold
    assert any("could not be noted: cannot write" in note for note in held.notes)


def test_where_totals_may_not_teach_they_are_recorded_and_change_no_estimate(silenced: Campaign) -> None:
    before = {p.task_id: p.estimate for p in silenced.pick()}
    submission = record_the_best(silenced, 9.9)
    assert silenced.submissions[submission].total == 9.9
    assert {p.task_id: p.estimate for p in silenced.pick()} == before
    described = silenced.calibrate()
    assert (described.basis, described.told, described.learns_from_totals) == ("the prior alone", (), False)
    known = silenced._context().known
    assert known is not None and known.learned_from == {} and known.totals == ()


def test_where_totals_may_not_teach_a_plan_takes_the_best_picks_known_or_holds(silenced: Campaign) -> None:
    first = silenced.plan(9)
    best = {p.task_id: p.candidate_id for p in silenced.pick()}
    assert (first.plan.purpose, first.plan.remaining, first.plan.lesson, first.plan.changed) == ("exploit", 9, 0.0, 0)
    assert {p.task_id: p.candidate_id for p in first.picks} == best == first.picked
    assert not first.learns_from_totals and RULE in first.notes[0]
    silenced.record(silenced.export().submission.id, submitted=True)
    held = silenced.plan(8)
    assert held.plan.hold and held.plan.gain == pytest.approx(0.0, abs=1e-9)
    assert "teach" not in held.plan.why
    assert not any("no total yet" in note for note in held.notes), "no outcome is waited for"


def test_a_total_where_it_may_not_teach_is_no_news(silenced: Campaign) -> None:
    silenced.pick()
    submission = silenced.export().submission.id
    silenced.record(submission, submitted=True)
    known = silenced._context().need().everything
    silenced.record(submission, 3.0)
    assert silenced._context().need().everything == known
    silenced.plan(4, hold_below=0.0)
    assert silenced.export().warnings == ()


def test_every_verb_says_that_totals_may_not_teach(silenced: Campaign, run: Run) -> None:
    record_the_best(silenced, 5.0)
    folder = silenced.folder
    for verb in (("calibrate",), ("plan", "--remaining", "4"), ("pick",), ("explain", "3"), ("status",)):
        code, out, _ = run(verb[0], "-C", folder, *verb[1:])
        assert (code, out.count(RULE)) == (0, 1), verb
    for verb in (("calibrate",), ("plan", "--remaining", "4"), ("explain", "3"), ("status",)):
        assert json.loads(run(verb[0], "-C", folder, *verb[1:], "--json")[1])["learns_from_totals"] is False, verb
    page = silenced.report().read_text("utf-8")
    assert RULE in page and "no leaderboard total has taught them" not in page


def test_contests_that_say_nothing_of_it_learn_and_no_verb_speaks_of_it(campaign: Campaign, run: Run) -> None:
    record_the_best(campaign, 5.0)
    for verb in (("calibrate",), ("plan", "--remaining", "4"), ("pick", "--replace"), ("explain", "3"), ("status",)):
        code, out, _ = run(verb[0], "-C", campaign.folder, *verb[1:])
        assert code == 0 and "learn_from_totals" not in out, verb


@pytest.mark.parametrize("bar", ["0", "20"], ids=["submit", "hold"])
def test_json_of_a_plan_names_candidates_and_no_rows(campaign: Campaign, run: Run, bar: str) -> None:
    document = json.loads(run("plan", "-C", campaign.folder, "--remaining", 1, "--hold-below", bar, "--json")[1])
    best = {p.task_id: p.candidate_id for p in campaign.pick()}
    assert document["plan"]["picked"] == best
    assert document["plan"]["hold"] is (bar == "20")


def test_a_plan_says_how_many_tasks_have_only_a_fallback(toys: None, tmp_path: Path, contest_files: Files) -> None:  # noqa: ARG001
    campaign = made(tmp_path / "campaign", contest_files, ["brighter", "decline", "decline", "brighter"])
    (note,) = [n for n in campaign.plan(4).notes if "fallback" in n]
    assert note.startswith("2 tasks have no candidate that may be picked: their fallback earns little or nothing")
    assert "plan --generate" in note


def test_what_a_generator_declined_at_every_try_is_not_wished_and_said(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Files,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
) -> None:
    """As a service does that refuses a prompt for its content: it plans, and then refuses recipe by recipe."""
    make = ToyGenerator.generate

    def refusing(toy: ToyGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
        if "refuse all" in inputs.task.prompt or ("refuse one" in inputs.task.prompt and recipe.variant == "tint0"):
            raise Declined("the content is not allowed")
        return make(toy, inputs, recipe)

    monkeypatch.setattr(ToyGenerator, "generate", refusing)
    campaign = made(tmp_path / "campaign", contest_files, ["brighter", "refuse all", "refuse one", "decline"])
    found = campaign.plan_generating(40)
    assert found.declined == {"toy": ("10", "24")}
    assert {w.task_id for w in found.wishes} == {t.task_id for t in found.tasks} == {"3", "17"}
    document = json.loads(run("plan", "-C", campaign.folder, "--generate", 5, "--json")[1])
    assert document["declined"] == {"toy": ["10", "24"]}
    out = run("plan", "-C", campaign.folder, "--generate", 5)[1]
    assert "left out: 2 tasks that toy declined at every try" in out
    with campaign._ws.db.read() as connection:
        assert {task_id for task_id, _ in makers(connection)} == {"3", "17"}
