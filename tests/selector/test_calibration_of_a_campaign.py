"""Calibrate, plan and explain on a campaign: what totals and judges say moves the picks, and survives bad input."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Clock

from selector import Campaign
from selector.cli.main import group
from selector.contest import load_profile
from selector.contest.quota import remaining_submissions
from selector.domain import InputError
from selector.store.picks import load_submission_picks

Files = Callable[[Sequence[str]], tuple[Path, Path]]


@pytest.fixture
def made(tmp_path: Path, toys: None, clock: Clock, contest_files: Files) -> Campaign:  # noqa: ARG001
    """Twelve scene edits with four scored candidates each."""
    table, images = contest_files([f"brighter, number {i}" for i in range(12)])
    campaign = Campaign.init(
        tmp_path / "campaign",
        table,
        images,
        clock=clock,
        generate={"tie": {"toy": 4}},
        score={"scorers": ["technical"]},
    )
    campaign.generate()
    campaign.score()
    return campaign


def play(campaign: Campaign, clock: Clock, truth: Callable[[str], float], rounds: int) -> list[float]:
    """Plan, export and record ``rounds`` submissions against a leaderboard that knows each candidate's worth."""
    totals = []
    for turn in range(rounds):
        campaign.plan(rounds - turn, hold_below=0.0)
        done = campaign.export()
        with campaign._ws.db.read() as connection:
            picks = load_submission_picks(connection)[done.submission.id]
        total = round(sum(truth(p.candidate_id) for p in picks.values()) / len(picks), 2)
        if done.submission.total is None:
            campaign.record(done.submission.id, total)
        totals.append(total)
        if turn % 2:
            clock.now += timedelta(days=1)
    return totals


def variants(campaign: Campaign) -> dict[str, str]:
    """Candidate id to the toy's variant."""
    from selector.store.candidates import makers

    with campaign._ws.db.read() as connection:
        return {candidate: maker.variant for (_, candidate), maker in makers(connection).items()}


def test_totals_teach_against_the_prior_which_variant_the_judge_likes(made: Campaign, clock: Clock) -> None:
    variant = variants(made)
    before = [variant[str(p.candidate_id)] for p in made.pick()]
    assert before == ["tint3"] * 12, "the prior takes the brightest"
    play(made, clock, lambda c: 6.0 if variant[c] == "tint2" else 4.0, rounds=8)
    after = [variant[str(p.candidate_id)] for p in made.pick()]
    assert after.count("tint2") >= 8


def test_a_plan_is_exported_without_a_warning_until_its_total_comes(made: Campaign) -> None:
    planned = made.plan(5, hold_below=0.0)
    assert planned.plan.purpose == "learn"
    done = made.export()
    assert done.warnings == ()
    assert "planned to learn" in made.report().read_text(encoding="utf-8")
    made.record(done.submission.id, 4.0)
    assert any("before the newest total: `bestshot plan` or `bestshot pick`" in w for w in made.export().warnings)
    made.plan(4, hold_below=20.0)  # holds, and so leaves the picks as they are
    made.pick()
    assert made.export().warnings == ()


def test_a_plan_is_out_of_date_once_a_total_is_corrected_or_a_judge_has_spoken(made: Campaign, tmp_path: Path) -> None:
    made.plan(6, hold_below=0.0)
    first = made.export().submission.id
    made.record(first, 4.0)
    made.plan(5, hold_below=0.0)
    assert made.export().warnings == ()
    made.record(first, 5.0, reason="read wrongly")
    assert any("newest total" in line for line in made.export().warnings)
    made.plan(5, hold_below=0.0)
    assert made.export().warnings == ()
    scores = tmp_path / "judged.csv"
    one = made.judges["vlm"].plan(1)[0]
    for sc in (9, 8):
        scores.write_text(f"task,candidate,sc,pq\n{one.task_id},{one.candidate_id},{sc},6\n")
        made.judges["vlm"].tell(scores, reason="looked again")
        assert any("planned before the newest" in line for line in made.export().warnings)
        made.plan(5, hold_below=0.0)
        assert made.export().warnings == ()


def test_totals_that_repeat_each_other_count_once(made: Campaign) -> None:
    made.plan(6, hold_below=0.0)
    first = made.export().submission
    made.record(first.id, submitted=True)
    made.record(first.id, types={"tie": 4.0})
    assert [t.scope for t in made.calibrate().told] == ["tie"]
    assert not any("no total yet" in note for note in made.plan(5, hold_below=0.0).notes)
    made.record(first.id, 4.0)
    assert [t.scope for t in made.calibrate().told] == [None], "the one type is all tasks"


def test_planned_picks_say_why_they_are_not_the_best_known(made: Campaign) -> None:
    made.plan(6, hold_below=0.0)
    made.record(made.export().submission.id, 4.0)
    planned = next(p for p in (made.plan(n, hold_below=0.0) for n in range(5, 15)) if p.plan.changed)
    reasons = [p.reason for p in planned.picks]
    assert len(reasons) == 12
    assert sum(r.startswith("planned to learn") for r in reasons) == planned.plan.changed > 0


def test_the_same_campaign_plans_the_same_again(made: Campaign) -> None:
    first, second = made.plan(5, hold_below=0.0), made.plan(5, hold_below=0.0)
    assert [p.candidate_id for p in first.picks] == [p.candidate_id for p in second.picks]
    assert first.plan.expected == second.plan.expected


def test_hold_stores_no_picks(made: Campaign) -> None:
    held = made.plan(5, hold_below=20.0)
    assert held.plan.hold and held.picks == ()
    assert "HOLD" in held.plan.why
    with pytest.raises(Exception, match="nothing has been picked yet"):
        made.export()


def test_pending_uploads_are_told_and_planned_around(made: Campaign) -> None:
    made.plan(6, hold_below=0.0)
    first = made.export().submission
    made.record(first.id, submitted=True)
    planned = made.plan(5, hold_below=0.0)
    assert any("no total yet" in note for note in planned.notes)
    assert made.export().submission.id != first.id


def test_an_outlying_total_is_named(made: Campaign, clock: Clock) -> None:
    variant = variants(made)
    play(made, clock, lambda c: 6.0 + 0.2 * (variant[c] == "tint1"), rounds=7)
    scored = [s for s in list(made.submissions) if s.total is not None]
    assert scored[3].total is not None
    made.record(scored[3].id, round(scored[3].total - 4.0, 2), reason="the judge failed on half of the images")
    assert any("outlier" in note and scored[3].id in note for note in made.plan(5).notes)
    assert [t.outlier for t in made.calibrate().told].count(True) == 1


def test_a_judge_moves_the_picks(made: Campaign, tmp_path: Path) -> None:
    variant = variants(made)
    listed = made.judges["vlm"].plan(48)
    assert len(listed) == 48, "every candidate can be judged"
    rows = [(j.task_id, j.candidate_id, 9 if variant[j.candidate_id] == "tint1" else 2, 6) for j in listed]
    scores = tmp_path / "judged.csv"
    with scores.open("w", newline="") as file:
        csv.writer(file).writerows([("task", "candidate", "sc", "pq"), *rows])
    made.judges["vlm"].tell(scores)
    picks = made.pick()
    assert [variant[str(p.candidate_id)] for p in picks] == ["tint1"] * 12
    assert made.judges["vlm"].plan(5) == [], "what the judge has seen is left out"
    estimate = picks[0].estimate
    assert estimate is not None and estimate.sc > estimate.pq, "the judge saw a better SC than PQ"
    assert estimate.overall == pytest.approx((estimate.sc * estimate.pq) ** 0.5)


def test_new_candidates_are_wished_where_they_win_most(made: Campaign) -> None:
    wishes = made.plan_candidates(6)
    assert sum(w.count for w in wishes) == 6
    assert {w.generator for w in wishes} == {"toy"}
    assert all(w.worth > 0 for w in wishes)
    with pytest.raises(InputError, match="has made nothing here"):
        made.plan_candidates(6, ["nobody"])
    with pytest.raises(InputError, match="above 0"):
        made.plan_candidates(0)


def test_what_more_candidates_are_worth_comes_with_the_plan(made: Campaign, tmp_path: Path) -> None:
    found = made.plan_generating(6, picture=tmp_path / "curves.png")
    assert list(found.wishes) == made.plan_candidates(6)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    (curve,) = found.curves
    assert (curve.task_type, curve.tasks, curve.measured_to) == ("tie", 12, 4)
    assert sorted(t.task_id for t in found.tasks) == sorted(t.id for t in made.tasks)
    assert {(t.candidates, t.generator) for t in found.tasks} == {(4, "toy")}
    assert found.checks == (), "nobody has judged"


def test_a_judge_says_whether_the_choice_of_the_others_is_good(made: Campaign, tmp_path: Path) -> None:
    rows = [(j.task_id, j.candidate_id, 1 + i % 7, 5) for i, j in enumerate(made.judges["vlm"].plan(48))]
    scores = tmp_path / "judged.csv"
    with scores.open("w", newline="") as file:
        csv.writer(file).writerows([("task", "candidate", "sc", "pq"), *rows])
    made.judges["vlm"].tell(scores)
    (check,) = made.plan_generating(5).checks
    assert (check.column, check.judged, check.tasks, check.n) == ("judge:vlm", 48, 12, (1, 2, 3, 4))
    assert "judge:vlm, left out of the choice and then asked" in run(made, "plan", "--generate", "5")


def test_explain_adds_up_and_names_the_runner_up(made: Campaign, tmp_path: Path) -> None:
    found = made.explain("3", tmp_path / "why.png")
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    assert len(found.rivals) == 4 and found.pick == found.rivals[0] and found.runner_up == found.rivals[1]
    assert sum(r.p_best for r in found.rivals) == pytest.approx(1.0)
    assert found.start + sum(p.pick for p in found.parts) == pytest.approx(found.rivals[0].merit, abs=1e-6)
    assert found.start + sum(p.runner_up for p in found.parts) == pytest.approx(found.rivals[1].merit, abs=1e-6)
    with pytest.raises(InputError, match="no task '4'"):
        made.explain("4")


def test_explain_agrees_with_pick_and_adds_up_beyond_the_scale(made: Campaign, clock: Clock) -> None:
    variant = variants(made)
    play(made, clock, lambda c: 10.0 if variant[c] == "tint2" else 9.0, rounds=4)
    picks = {p.task_id: p.candidate_id for p in made.pick()}
    known = made._context().known
    assert known is not None
    mean = dict(zip(known.pool.candidate_ids, known.fitted.posterior.mean, strict=True))
    assert max(mean.values()) > 10.0, "or this test says nothing of cut means"
    for task in made.tasks:
        found = made.explain(task.id)
        assert found.pick is not None and found.pick.candidate_id == picks[task.id] and found.stored is None
        assert found.start + sum(p.pick for p in found.parts) == pytest.approx(mean[found.pick.candidate_id], abs=1e-6)


def test_explain_names_the_stored_pick_where_it_was_planned_to_learn(made: Campaign) -> None:
    made.plan(6, hold_below=0.0)
    made.record(made.export().submission.id, 4.0)
    planned = made.plan(5, hold_below=0.0)
    odd = next(p for p in planned.picks if p.reason.startswith("planned to learn"))
    found = made.explain(odd.task_id)
    assert (found.stored, found.stored_reason) == (odd.candidate_id, odd.reason)
    assert f"{str(odd.candidate_id)[:8]}: planned to learn" in run(made, "explain", odd.task_id)


def test_calibrate_draws_and_says_what_changed(made: Campaign, clock: Clock) -> None:
    first = made.calibrate()
    assert first.basis == "the prior alone" and first.told == ()
    variant = variants(made)
    play(made, clock, lambda c: 5.0 if variant[c] == "tint2" else 4.0, rounds=3)
    second = made.calibrate()
    assert second.basis == f"the prior and {len(second.told)} totals" and len(second.told) >= 2
    assert any(w.moved for w in second.weights)
    for name in ("totals", "weights", "over-submissions"):
        assert (made.folder / "report" / "plots" / f"{name}.png").is_file()
    page = made.report().read_text(encoding="utf-8")
    assert "plots/weights.png" in page and "no leaderboard total has taught them" not in page


def test_another_campaign_s_weights_become_the_prior(made: Campaign, clock: Clock, tmp_path: Path) -> None:
    variant = variants(made)
    play(made, clock, lambda c: 6.0 if variant[c] == "tint2" else 4.0, rounds=8)
    later = Campaign.init(
        tmp_path / "later",
        tmp_path / "task.csv",
        tmp_path / "imgs",
        clock=clock,
        generate={"tie": {"toy": 4}},
        score={"scorers": ["technical"]},
    )
    later.generate()
    later.score()
    assert later.calibrate().prior_from is None
    assert later.calibrate(prior_from=made.folder).prior_from == "campaign"
    kept = (later.folder / "prior.json").read_bytes()
    assert later.calibrate(prior_from=made.folder).prior_from == "campaign"
    assert (later.folder / "prior.json").read_bytes() == kept, "once more changes nothing"
    learned = {w.name: w.prior for w in later.calibrate().weights if w.kind == "variant"}
    assert learned["toy tint2"] == max(learned.values()) > 0.1
    (later.folder / "prior.json").write_text("{}")
    with pytest.raises(InputError, match=r"prior\.json cannot be read"):
        later.pick()
    (later.folder / "prior.json").unlink()
    with pytest.raises(InputError, match="another campaign"):
        later.calibrate(prior_from=later.folder)


def test_a_prior_is_not_kept_where_there_is_nothing_to_calibrate(made: Campaign, tmp_path: Path) -> None:
    empty = Campaign.init(tmp_path / "empty", tmp_path / "task.csv", tmp_path / "imgs", generate={"tie": {"toy": 4}})
    with pytest.raises(InputError, match="no candidates yet"):
        empty.calibrate(prior_from=made.folder)
    assert not (empty.folder / "prior.json").exists()


def test_a_weight_that_is_no_number_is_refused_before_it_reaches_a_pick(made: Campaign) -> None:
    (made.folder / "prior.json").write_text('{"from": "x", "effects": {"tie/variant/toy tint2": [NaN, 0.1]}}')
    with pytest.raises(InputError, match="'tie/variant/toy tint2'"):
        made.pick()


def test_without_candidates_every_verb_says_what_to_do(campaign: Campaign) -> None:
    for verb in (campaign.calibrate, campaign.plan, lambda: campaign.explain("3"), lambda: campaign.plan_candidates(3)):
        with pytest.raises(InputError, match="no candidates yet"):
            verb()
    campaign.generate()
    with pytest.raises(InputError, match="bestshot score"):
        campaign.plan()


def test_one_candidate_a_task_leaves_nothing_to_choose_and_breaks_nothing(
    tmp_path: Path,
    toys: None,  # noqa: ARG001
    contest_files: Files,
) -> None:
    table, images = contest_files(["brighter", "much brighter"])
    campaign = Campaign.init(
        tmp_path / "c", table, images, generate={"tie": {"toy": 1}}, score={"scorers": ["technical"]}
    )
    campaign.generate()
    campaign.score()
    planned = campaign.plan(4)
    assert planned.plan.changed == 0
    done = campaign.export()
    campaign.record(done.submission.id, 3.0)
    assert campaign.plan(3).plan.hold, "the same picks again teach nothing and win nothing"
    assert campaign.explain("3").runner_up is None
    assert campaign.judges["vlm"].plan(3) == []


def test_remaining_submissions_follow_from_the_last_day() -> None:
    profile = load_profile("mini-png")
    assert profile.last_day is not None
    last, quota = profile.last_day, profile.quota.per_day
    assert remaining_submissions(profile, last, 0) == quota
    assert remaining_submissions(profile, last, quota) == 0
    assert remaining_submissions(profile, last - timedelta(days=2), 1) == 3 * quota - 1
    assert remaining_submissions(profile, last + timedelta(days=1), 0) == 0
    assert remaining_submissions(load_profile("tianchi-532389"), date(2026, 1, 1), 0) is None


def run(campaign: Campaign, *arguments: str) -> str:
    done = CliRunner().invoke(group, [arguments[0], "-C", str(campaign.folder), *arguments[1:]])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


def test_the_verbs_print_words_and_json(made: Campaign, tmp_path: Path) -> None:
    assert "expected" in run(made, "plan", "--remaining", "4", "--hold-below", "0")
    assert "HOLD" in run(made, "plan", "--remaining", "4", "--hold-below", "30")
    assert json.loads(run(made, "plan", "--json"))["plan"]["remaining"] == 14
    assert "note: the profile names no last day" in run(made, "plan")
    assert "the prior alone" in run(made, "calibrate", "--all")
    assert json.loads(run(made, "explain", "3", "--json"))["task_id"] == "3"
    drawn = tmp_path / "best-of-n.png"
    words = run(made, "plan", "--generate", "5", "--plot", str(drawn))
    assert "candidates for" in words and "one more adds" in words and "one candidate more is worth" in words
    assert f"picture: {drawn}" in words and drawn.is_file()
    document = json.loads(run(made, "plan", "--generate", "5", "--json"))
    assert (
        list(document) == ["wishes", "tasks", "curves", "checks", "declined", "by_hand", "without_ideas"]
        and len(document["curves"][0]["mean"]) == 12
    )
    refused = CliRunner().invoke(group, ["plan", "-C", str(made.folder), "--plot", str(drawn)])
    assert "--plot has no effect without --generate" in str(refused.exception)
    out = tmp_path / "judge.csv"
    assert "bestshot judge" in run(made, "plan", "--judge", "5", "--by", "vlm", "--out", str(out))
    assert out.read_text(encoding="utf-8-sig").splitlines()[0] == "task,candidate,pass,sc,pq,image,points,look"


def test_a_planned_second_look_is_filled_in_and_read_as_another_pass(made: Campaign, tmp_path: Path) -> None:
    """Two looks at every candidate of four tasks are a point apart; the plan for further ones comes back filled in."""
    path = tmp_path / "judged.csv"
    listed = made.judges["vlm"].plan(48)
    assert {(j.passes, j.look) for j in listed} == {(0, "first look")}
    twice = {t.id for t in made.tasks[:4]}
    scores = {j.candidate_id: 5 + i % 4 * 0.25 for i, j in enumerate(listed)}
    looks = [(j.task_id, j.candidate_id, scores[j.candidate_id] + d, 5.0) for j in listed for d in (-0.5, 0.5)]
    rows = [row for i, row in enumerate(looks) if row[0] in twice or i % 2]
    path.write_text("\n".join(["task,candidate,sc,pq", *(",".join(map(str, row)) for row in rows)]), encoding="utf-8")
    said = made.judges["vlm"].tell(path)
    assert (said.new, said.repeated, said.pass_sd["sc"]) == (
        len(listed),
        sum(j.task_id in twice for j in listed),
        0.5**0.5,
    )
    known = made._context().need()
    gain = known.pool.gain["judge:vlm"]
    assert set(gain[[t in twice for t in known.pool.task_ids]] > 1.0) == {True}
    assert set(gain[[t not in twice for t in known.pool.task_ids]]) == {1.0}

    words = run(made, "plan", "--judge", "6", "--by", "vlm", "--out", str(path))
    assert "(0 first looks, 6 further looks)" in words
    with path.open(encoding="utf-8-sig", newline="") as file:
        planned = list(csv.DictReader(file))
    assert [(p["pass"], p["look"]) for p in planned] == [
        ("3", "look 3 (2 so far)") if p["task"] in twice else ("2", "look 2 (1 so far)") for p in planned
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, planned[0])
        table.writeheader()
        table.writerows({**p, "sc": 7, "pq": 7} for p in planned)
    assert "6 new judgements stored, 0 known" in run(made, "judge", str(path), "--by", "vlm")
    assert "0 new judgements stored, 6 known" in run(made, "judge", str(path), "--by", "vlm")


def test_a_plan_to_learn_that_keeps_the_best_picks_says_so(made: Campaign) -> None:
    from selector.cli._learn_verbs import _plan

    found = made.plan(5, hold_below=0.0)
    assert "differ from the best known" in _plan(found)
    same = replace(found, plan=replace(found.plan, purpose="learn", changed=0))
    assert "the best picks known also teach most" in _plan(same)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--generate", "3", "--judge", "3", "--by", "x"], "not both"),
        (["--judge", "3"], "belong together"),
        (["--by", "x"], "belong together"),
        (["--generator", "toy"], "no effect without --generate"),
        (["--out", "x.csv"], "no effect without"),
        (["--generate", "0"], "above 0"),
        (["--remaining", "0"], "no submission remains"),
        (["--generate", "3", "--remaining", "4"], "--remaining has no effect"),
        (["--judge", "3", "--by", "x", "--hold-below", "0"], "--hold-below has no effect"),
        (["--hold-below", "nan"], "0 or more"),
        (["--hold-below", "-1"], "0 or more"),
    ],
)
def test_options_that_do_not_fit_are_one_line(made: Campaign, arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(group, ["plan", "-C", str(made.folder), *arguments])
    assert isinstance(done.exception, InputError) and words in str(done.exception)


def test_a_judge_of_sc_alone_is_heard_and_not_asked_again(made: Campaign, tmp_path: Path) -> None:
    variant = variants(made)
    listed = made.judges["clip-judge"].plan(48)
    rows = [(j.task_id, j.candidate_id, 9 if variant[j.candidate_id] == "tint2" else 2) for j in listed]
    scores = tmp_path / "sc.csv"
    with scores.open("w", newline="") as file:
        csv.writer(file).writerows([("task", "candidate", "sc"), *rows])
    made.judges["clip-judge"].tell(scores)
    assert [variant[str(p.candidate_id)] for p in made.pick()] == ["tint2"] * 12
    assert made.judges["clip-judge"].plan(5) == []


def test_a_few_judgements_move_estimates_by_no_more_than_many(made: Campaign, tmp_path: Path) -> None:
    """A column with holes must not be blown up: four of 48 candidates judged 9 and 2."""
    listed = [j for j in made.judges["vlm"].plan(48) if j.task_id == "3"]
    scores = tmp_path / "few.csv"
    with scores.open("w", newline="") as file:
        rows = [(j.task_id, j.candidate_id, 9 if i % 2 else 2, 5) for i, j in enumerate(listed)]
        csv.writer(file).writerows([("task", "candidate", "sc", "pq"), *rows])
    before = {r.candidate_id: r.overall for r in made.explain("3").rivals}
    made.judges["vlm"].tell(scores)
    page = made.report().read_text(encoding="utf-8")
    assert "come from the prior and " in page and " judgements: no leaderboard total" in page
    after = {r.candidate_id: r.overall for r in made.explain("3").rivals}
    assert 0.2 < max(abs(after[c] - before[c]) for c in before) < 1.5


def test_the_page_says_nothing_of_plans_where_the_best_known_are_picked(made: Campaign) -> None:
    made.pick()
    assert "planned to learn" not in made.report().read_text(encoding="utf-8")
