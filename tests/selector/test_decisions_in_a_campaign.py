"""Decisions of people in a campaign: what is excluded, pinned or noted, and what the other verbs make of it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from conftest import Clock, Run
from decided_campaigns import TASK, of_task, picked
from toy_services import Files

from selector import Campaign
from selector.decide.planning import candidates_in_order, plan_judgements
from selector.domain import InputError
from selector.domain.decisions import DecisionKind
from selector.store.candidates import candidate_keys


@pytest.fixture
def scored(campaign: Campaign) -> Campaign:
    """Three tasks of three candidates, all measured."""
    campaign.generate()
    campaign.score()
    return campaign


@pytest.fixture
def free(toys: None, tmp_path: Path, contest_files: Files, clock: Clock) -> Campaign:  # noqa: ARG001
    """The same in a contest that allows pins, too."""
    text = (resources.files("selector") / "profiles" / "tianchi-532389.toml").read_text("utf-8")
    profile = tmp_path / "own.toml"
    profile.write_text(text.replace('decisions = "exclusions"', 'decisions = "exclusions_and_pins"'), "utf-8")
    table, images = contest_files(["brighter", "brighter still"])
    plan = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
    made = Campaign.init(tmp_path / "free", table, images, profile=str(profile), clock=clock, **plan)
    made.generate()
    made.score()
    return made


def test_an_excluded_candidate_is_not_picked_until_it_is_included_again(scored: Campaign) -> None:
    best, second, _ = of_task(scored)
    scored.decisions.exclude("six fingers", best[:8], by="ann")
    assert picked(scored.pick()).candidate_id == second
    assert of_task(scored)[-1] == best
    assert scored.explain(TASK).rivals[-1].excluded == "excluded by ann: six fingers"
    scored.decisions.include("five", best)
    assert picked(scored.pick()).candidate_id == best


def test_an_exclusion_changes_no_weight_that_was_fitted(scored: Campaign, tmp_path: Path) -> None:
    table = tmp_path / "judged.csv"
    rows = [f"{t.id},{c},{3 + i},{6 - i}" for t in scored.tasks for i, c in enumerate(of_task(scored, t.id))]
    table.write_text("\n".join(["task,candidate,sc,pq", *rows]) + "\n")
    scored.judges["vlm"].tell(table)
    scored.pick()
    scored.record(scored.export().submission.id, 5.0)
    before = scored.calibrate()
    scored.decisions.exclude("broken", [of_task(scored)[0], of_task(scored, "10")[1]])
    after = scored.calibrate()
    assert after.weights == before.weights and after.told == before.told
    assert scored._context().need().pool.eligible.sum() == 7


def test_an_excluded_candidate_is_shown_to_no_judge_before_and_after_it_is_scored(campaign: Campaign) -> None:
    campaign.generate()
    with campaign._ws.db.read() as connection:
        first = candidate_keys(connection)[0][1]
    campaign.decisions.exclude("broken", first)
    assert first not in {c for _, c in candidates_in_order(campaign._context(), "vlm")}
    campaign.score()
    assert first not in {c for _, c in candidates_in_order(campaign._context(), "vlm")}
    assert first not in {j.candidate_id for j in plan_judgements(campaign._context(), "vlm", 9)}


def test_a_plan_takes_nothing_that_is_excluded(scored: Campaign) -> None:
    for remaining in (9, 1):
        planned = scored.plan(remaining, 0.0).picked[TASK]
        scored.decisions.exclude("broken", planned)
        assert scored.plan(remaining, 0.0).picked[TASK] != planned


def test_what_is_decided_twice_is_stored_once(scored: Campaign) -> None:
    book, best = scored.decisions, of_task(scored)[0]
    assert len(book.exclude("broken", best)) == 1
    assert book.exclude("broken", best) == ()
    assert len(book.include("whole", best)) == 1
    assert book.include("whole", best) == ()
    assert len(book.note("look again", TASK)) == 1
    assert book.note("look again", TASK) == ()
    assert [d.kind.value for d in book.history] == ["exclude", "include", "note"]


def test_several_candidates_are_excluded_together_or_not_at_all(scored: Campaign) -> None:
    ids = of_task(scored)
    with pytest.raises(InputError, match="there is no candidate 'ffffffff'"):
        scored.decisions.exclude("broken", [ids[0], "ffffffff"])
    assert scored.decisions.history == ()
    assert len(scored.decisions.exclude("broken", ids[:2])) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "3"}, "say what of task 3 is meant: --candidate ID, --generator NAME or --label LABEL"),
        ({}, "say what is meant"),
        ({"generator": "tyo"}, "nothing was made or is configured as 'tyo' (did you mean 'toy'?)"),
        ({"generator": "folder:qwen"}, "nothing was imported under the label 'qwen'"),
        ({"candidate": "zz"}, "'zz' is no id of a candidate"),
        ({"generator": "toy", "task": "4"}, "there is no task '4'"),
        ({"generator": "toy", "candidate": "abcd"}, "name candidates or generators, not both"),
    ],
)
def test_a_target_that_is_none_is_refused_with_the_cure(
    scored: Campaign, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as told:
        scored.decisions.exclude("broken", **arguments)
    assert message in str(told.value)


def test_what_is_excluded_with_its_generator_is_included_with_it(scored: Campaign) -> None:
    best = of_task(scored)[0]
    scored.decisions.exclude("blurred", generator="toy", by="ann")
    with pytest.raises(InputError, match=r"\(blurred\): `bestshot include --generator toy` takes that back"):
        scored.decisions.include(candidate=best)
    with pytest.raises(InputError, match="is excluded for all tasks: `bestshot include --generator toy`"):
        scored.decisions.include(task=TASK, generator="toy")
    with pytest.raises(InputError, match=r"no candidate may be picked \(the first: excluded by ann: blurred\)"):
        scored.plan(9)
    assert scored.explain(TASK).pick is None


def test_a_reason_is_needed_and_kept_as_one_line(scored: Campaign) -> None:
    best = of_task(scored)[0]
    with pytest.raises(InputError, match="an exclusion needs a reason: give --reason"):
        scored.decisions.exclude("  ", best)
    with pytest.raises(InputError, match="2001 characters are too many"):
        scored.decisions.exclude("x" * 2001, best)
    with pytest.raises(InputError, match="text in UTF-8"):
        scored.decisions.exclude("a\udcff", best)
    (one,) = scored.decisions.exclude(" six\n fingers ", best, by=" ann ")
    assert (one.reason, one.by) == ("six fingers", "ann")


def test_the_contest_may_allow_no_pins(scored: Campaign) -> None:
    with pytest.raises(InputError, match=r'tianchi-532389 allow no pins by hand \(decisions = "exclusions"'):
        scored.decisions.pin(TASK, of_task(scored)[0], "the best")
    assert scored.decisions.note("the best", TASK)[0].kind is DecisionKind.NOTE


def test_a_pin_is_picked_until_it_is_released(free: Campaign) -> None:
    best, _, worst = of_task(free)
    free.decisions.pin(TASK, worst, "the only one with the right text", by="ann")
    assert picked(free.pick()).candidate_id == worst
    assert picked(free.pick()).reason == "pinned by ann: the only one with the right text"
    assert free.plan(9, 0.0).picked[TASK] == worst
    free.decisions.release(TASK)
    assert free.decisions.release(TASK) == ()
    assert picked(free.pick(replace=True)).candidate_id == best


def test_a_pin_of_a_lost_image_is_refused(free: Campaign) -> None:
    worst = of_task(free)[-1]
    free._ws.images.path(worst).unlink()
    with pytest.raises(InputError, match="is lost: restore, make or import it again before it is pinned"):
        free.decisions.pin(TASK, worst, "the best")
    free.generate()
    assert free.decisions.pin(TASK, worst, "the best")


def test_a_pin_of_what_is_excluded_and_of_a_fallback_is_refused(free: Campaign) -> None:
    worst = of_task(free)[-1]
    free.decisions.exclude("broken", worst, by="ann")
    with pytest.raises(InputError, match=r"excluded by ann \(broken\): `bestshot include --candidate"):
        free.decisions.pin(TASK, worst, "the best")
    free.decisions.exclude("all of it", generator="toy", task=TASK)
    fallback = picked(free.pick()).candidate_id
    assert fallback is not None
    with pytest.raises(InputError, match="is only the fallback"):
        free.decisions.pin(TASK, fallback, "the best")


def test_an_export_after_an_exclusion_replaces_that_pick_alone(scored: Campaign) -> None:
    before = {p.task_id: p.candidate_id for p in scored.pick()}
    uploaded = scored.export().submission.id
    scored.record(uploaded, submitted=True)
    best, second, _ = of_task(scored)
    scored.decisions.exclude("six fingers", best, by="ann")
    exported = scored.export()
    (replaced,) = exported.replaced
    assert (replaced.task_id, replaced.before, replaced.now) == (TASK, best, second)
    assert replaced.reason == f"in place of {best[:8]}, excluded by ann: six fingers"
    manifest = json.loads(exported.manifest_path.read_text())
    after = {p["task"]: p["candidate"] for p in manifest["picks"]}
    assert after == {**before, TASK: second}
    assert exported.submission.id != uploaded and scored.submissions[uploaded].state == "submitted"
    assert scored.export().replaced == () and scored.export().submission.id == exported.submission.id
    assert exported.warnings == ()


def test_an_export_after_a_decision_keeps_the_lesson_of_a_plan(free: Campaign) -> None:
    planned = free.plan(9, 0.0)
    assert planned.plan.purpose == "learn"
    other = next(t.id for t in free.tasks if t.id != TASK)
    excluded = planned.picked[TASK]
    free.decisions.exclude("broken", excluded)
    free.decisions.note("and this changes nothing", other)
    exported = free.export()
    assert [one.task_id for one in exported.replaced] == [TASK]
    picks = {p["task"]: p["candidate"] for p in json.loads(exported.manifest_path.read_text())["picks"]}
    assert picks[other] == planned.picked[other] and picks[TASK] != excluded
    assert json.loads(exported.manifest_path.read_text())["basis"]["plan"] == "learn"
    free.decisions.pin(other, of_task(free, other)[-1], "the right one")
    assert {one.task_id: one.now for one in free.export().replaced} == {other: of_task(free, other)[0]}


def test_what_is_included_again_is_exported_again_unless_the_picks_are_a_lesson(scored: Campaign) -> None:
    scored.pick()
    best = of_task(scored)[0]
    scored.decisions.exclude("broken", best)
    assert len(scored.export().replaced) == 1
    scored.decisions.include("whole", best)
    (back,) = scored.export().replaced
    assert (back.now, "was included again" in back.reason) == (best, True)


def test_a_plan_to_learn_is_not_picked_over_silently(scored: Campaign, run: Run) -> None:
    planned = scored.plan(9, 0.0)
    assert planned.plan.purpose == "learn" and planned.plan.changed
    with pytest.raises(
        InputError, match=r"would be replaced: `bestshot export` writes it first, `bestshot pick --repl"
    ):
        scored.pick()
    code, _, err = run("pick", "-C", scored.folder)
    assert code == 2 and "plan to learn" in err
    scored.export()
    scored.pick()
    scored.plan(9, 0.0)
    scored.pick()  # the same plan is exported already
    assert scored.plan(8, 0.0).plan.purpose == "learn"


def test_a_plan_to_learn_gives_way_on_demand_and_once_anything_was_told(scored: Campaign, tmp_path: Path) -> None:
    best = of_task(scored)[0]
    assert scored.plan(9, 0.0).plan.changed
    assert picked(scored.pick(replace=True)).candidate_id == best
    assert scored.plan(9, 0.0).plan.changed
    table = tmp_path / "judged.csv"
    table.write_text(f"task,candidate,sc,pq\n{TASK},{best},9,9\n")
    scored.judges["vlm"].tell(table)
    assert picked(scored.pick()).candidate_id == best


def test_explain_and_status_say_what_was_decided(scored: Campaign, tmp_path: Path, run: Run) -> None:
    best = of_task(scored)[0]
    scored.decisions.exclude("six fingers", best, by="ann")
    scored.decisions.exclude("blurred", generator="toy", by="bob")
    scored.decisions.note("look again", TASK, by="ann")
    table = tmp_path / "judged.csv"
    table.write_text(f"task,candidate,sc,pq\n{TASK},{best},7,4\n")
    scored.judges["vlm"].tell(table)
    scored.decisions.include(generator="toy", by="bob")
    found = scored.explain(TASK)
    assert [d.kind.value for d in found.decisions] == ["exclude", "exclude", "note", "include"]
    assert [(s.judge, s.sc, s.pq) for s in found.said] == [("vlm", 7.0, 4.0)]
    _, out, _ = run("explain", "-C", scored.folder, TASK)
    assert f"2025-07-01 ann: exclude candidate {best[:8]} of task 3: six fingers" in out
    assert "ann: note task 3: look again" in out
    seeds = {str(rival.seed) for rival in found.rivals}
    assert all(seed in out for seed in seeds)
    assert not any(rival.sc_measured for rival in found.rivals if rival.candidate_id != best)
    counts = scored.status().decisions
    assert (counts.candidates, counts.on_tasks, dict(counts.generators), counts.pins, counts.notes) == (1, 0, {}, 0, 1)
    scored.decisions.exclude("blurred", generator="toy", by="bob")
    _, out, _ = run("status", "-C", scored.folder)
    assert "decided by people: 1 candidate excluded, 1 note" in out
    assert "excluded for all tasks: toy by bob: blurred" in out
    document = json.loads(run("status", "-C", scored.folder, "--json")[1])
    assert document["decisions"]["generators"] == {"toy": "bob: blurred"}


def test_the_verbs_do_what_the_book_does(free: Campaign, run: Run) -> None:
    best, second, worst = of_task(free)
    folder = ("-C", free.folder)
    code, out, _ = run(
        "exclude", *folder, "--candidate", best[:8], "--candidate", second[:8], "--reason", "x", "--by", "a"
    )
    assert code == 0 and out.splitlines() == [
        f"excluded: candidate {best[:8]} of task 3",
        f"excluded: candidate {second[:8]} of task 3",
        "decided by a: x",
    ]
    assert "nothing was left to do" in run("exclude", *folder, "--candidate", best[:8], "--reason", "x")[1]
    assert run("include", *folder, "--candidate", best[:8])[0] == 0
    assert run("exclude", *folder, "--generator", "toy", "--task", "10", "--reason", "y")[0] == 0
    assert run("include", *folder, "--generator", "toy", "--task", "10")[0] == 0
    code, out, _ = run("pin", *folder, TASK, worst[:8], "--reason", "the best", "--json")
    assert code == 0 and json.loads(out)[0]["target"]["candidate_id"] == worst
    assert run("pin", *folder, TASK)[0] == 2
    assert run("pin", *folder, TASK, worst[:8])[2] == "bestshot: a pin needs a reason: give --reason\n"
    assert "released: task 3" in run("pin", *folder, TASK, "--release")[1]
    assert "noted: candidate" in run("note", *folder, TASK, "nice sky", "--candidate", worst[:8])[1]
    code, _, err = run("exclude", *folder, "--label", "nobody", "--reason", "x")
    assert code == 2 and err.count("\n") == 1
    assert {d.kind for d in free.decisions.history} == set(DecisionKind)
    assert np.all([d.by for d in free.decisions.history])
