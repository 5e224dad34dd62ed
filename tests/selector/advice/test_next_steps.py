"""What to do next: which steps there are, in which order, what they say of gain and money, and how they are done."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
from conftest import Clock, ToyGenerator, noise_jpeg
from PIL import Image
from toy_services import Make, toy_service

from selector import Campaign
from selector.advice import Step, StepKind, _making
from selector.domain import InputError
from tests.servers.judge_server import JudgeServer

Files = Callable[[Sequence[str]], tuple[Path, Path]]
Run = Callable[..., tuple[int, str, str]]


def kinds(steps: Sequence[Step]) -> list[StepKind]:
    return [step.kind for step in steps]


def first(campaign: Campaign, kind: StepKind, **asked: object) -> Step:
    return next(step for step in campaign.next(**asked) if step.kind is kind)  # type: ignore[arg-type]


def test_a_new_campaign_begins_with_making_and_every_step_leads_to_the_upload(campaign: Campaign) -> None:
    assert kinds(campaign.next()) == [StepKind.GENERATE]
    campaign.generate()
    assert kinds(campaign.next())[0] is StepKind.SCORE
    campaign.score()
    plan = campaign.next()[0]
    assert (plan.kind, plan.command) == (StepKind.PLAN, "bestshot plan")
    assert plan.gain == pytest.approx(campaign.plan().plan.gain)
    assert campaign.next()[0].kind is StepKind.EXPORT
    made = campaign.export()
    upload = campaign.next()[0]
    assert upload.by_person and upload.command == f"bestshot record {made.submission.id} --submitted"
    assert campaign.folder / upload.file == made.zip_path


def test_lost_images_are_told_and_never_to_be_measured(campaign: Campaign) -> None:
    campaign.generate()
    paths = sorted(campaign.folder.glob("images/*/*.jpg"))
    for path in paths:
        path.unlink()
    steps = campaign.next()
    assert StepKind.SCORE not in kinds(steps)
    lost = first(campaign, StepKind.EQUIP)
    assert (lost.count, lost.command, lost.by_person) == (len(paths), "bestshot doctor", True)
    assert f"{len(paths)} images of candidates are lost" in lost.words
    campaign.generate()
    assert kinds(campaign.next()) == [StepKind.SCORE]


def test_do_goes_on_until_a_person_is_needed_and_again_does_nothing(campaign: Campaign) -> None:
    done = campaign.do()
    assert [one.step.kind for one in done.done] == [
        StepKind.GENERATE,
        StepKind.SCORE,
        StepKind.PLAN,
        StepKind.EXPORT,
    ]
    assert all(one.ok for one in done.done) and done.ended == ""
    assert done.person is not None and done.person.kind is StepKind.UPLOAD
    calls = len(ToyGenerator.calls)
    again = campaign.do()
    assert again.done == () and again.person == done.person and len(ToyGenerator.calls) == calls


def test_do_goes_on_where_a_run_was_interrupted(campaign: Campaign) -> None:
    def interrupted(_stage: str, done: int, _total: int, _note: str = "") -> None:
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign.do(progress=interrupted)
    done = campaign.do()
    assert done.person is not None and done.person.kind is StepKind.UPLOAD
    assert len(ToyGenerator.calls) == len(set(ToyGenerator.calls)) == 9, "nothing was made twice"


def test_an_upload_without_a_total_asks_for_it_and_a_used_day_says_when_the_next_begins(
    campaign: Campaign, clock: Clock
) -> None:
    one = campaign.do().person
    assert one is not None
    campaign.record(one.about[0], submitted=True)
    record = campaign.next()[0]
    assert record.command == f"bestshot record {one.about[0]} --score TOTAL" and record.by_person
    campaign.record(one.about[0], 4.0)
    used = campaign.submissions.quota().left
    clock.now += timedelta(days=1)
    assert campaign.submissions.quota().left == used + 1
    assert StepKind.RECORD not in kinds(campaign.next())


def test_a_day_that_is_used_up_waits_for_the_next(campaign: Campaign, tmp_path: Path) -> None:
    for number in range(campaign.profile.quota.per_day):
        made = campaign.do().person
        if made is None or made.kind is not StepKind.UPLOAD:
            (tmp_path / str(number)).mkdir()
            (tmp_path / str(number) / "3.jpg").write_bytes(noise_jpeg(50 + number))
            campaign.import_folder(tmp_path / str(number), f"more{number}")
            campaign.score()
            campaign.pick()
            campaign.record(campaign.export().submission.id, 4.5)
        else:
            campaign.record(made.about[0], 4.0)
    assert campaign.submissions.quota().left == 0
    (wait,) = [s for s in campaign.next() if s.kind is StepKind.WAIT]
    assert "the next day begins at 2025-07-02" in wait.words
    assert StepKind.PLAN not in kinds(campaign.next())


def test_a_contest_that_is_over_says_only_that(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Files,
    clock: Clock,
) -> None:
    text = (resources.files("selector") / "profiles" / "tianchi-532389.toml").read_text("utf-8")
    profile = tmp_path / "own.toml"
    profile.write_text("last_day = 2025-07-01\n" + text, "utf-8")
    table, images = contest_files(["brighter"])
    config = {"generate": {"tie": {"toy": 1}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "c", table, images, str(profile), clock, **config)
    assert campaign.next()[0].kind is StepKind.GENERATE
    clock.now += timedelta(days=1)
    (over,) = campaign.next()
    assert over.words == "the contest is over: its last day was 2025-07-01"
    assert campaign.do().done == ()


def test_what_costs_money_is_left_out_without_a_budget_and_said(make: Make) -> None:
    campaign = make({"toy_remote": 2})
    step = first(campaign, StepKind.GENERATE)
    assert step.money == pytest.approx(0.5 * step.count) and step.currency == "CNY"
    assert step.waits == "it costs money: say how much may be spent with --budget"
    done = campaign.do()
    assert toy_service().submits == [] and done.done == ()
    assert [one.kind for one in done.left_out] == [StepKind.GENERATE]


@pytest.mark.parametrize("budget", [0.4, 0.5, 1.2, "1.5 CNY"])
def test_a_budget_bounds_what_is_spent(make: Make, budget: float | str) -> None:
    campaign = make({"toy_remote": 4})
    allowed = float(str(budget).split()[0])
    done = campaign.do(budget)
    assert len(toy_service().submits) == int(allowed / 0.5)
    assert sum(one.money for one in done.done) <= allowed
    before = len(toy_service().submits)
    campaign.do()
    assert len(toy_service().submits) == before


def test_a_budget_bounds_two_services_together(make: Make) -> None:
    campaign = make(
        {"toy_remote": 2, "other": 2},
        generators={"other": {"kind": "toy_remote", "service": "second"}},
        services={"second": {"base_url": "http://toy.invalid"}},
    )
    campaign.do(budget=1.0)
    assert len(toy_service().submits) + len(toy_service("second").submits) == 2


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("much", "a budget is an amount of money, as in 5 or '5 CNY', got 'much'"),
        ("-1", "got '-1'"),
        ("5 EUR", "nothing here has a price in EUR; prices are in CNY"),
    ],
)
def test_a_wrong_budget_is_told(make: Make, told: str, said: str) -> None:
    with pytest.raises(InputError, match=r"budget|price") as caught:
        make({"toy_remote": 1}).next(budget=told)
    assert said in str(caught.value)


def test_hours_end_the_work_and_another_call_goes_on(campaign: Campaign) -> None:
    done = campaign.do(hours=0.0)
    assert "the time is up" in done.ended and done.left_out
    assert campaign.do().person is not None


def test_a_task_with_only_a_fallback_is_exported_only_if_that_is_allowed(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Files,
    clock: Clock,
) -> None:
    table, images = contest_files(["brighter", "decline"])
    config = {"generate": {"tie": {"toy": 2}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "c", table, images, clock=clock, **config)
    done = campaign.do()
    (export,) = [one for one in done.left_out if one.kind is StepKind.EXPORT]
    assert export.waits.startswith("1 task has only a fallback") and export.command.endswith("--allow-fallbacks")
    assert campaign.do(allow_fallbacks=True).person.kind is StepKind.UPLOAD  # type: ignore[union-attr]


def test_more_of_what_is_free_takes_hours(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_making, "LEAST_WORTH", 0.0)  # the toy's pictures differ by little
    campaign.do()
    more = first(campaign, StepKind.MORE)
    assert more.about == ("toy",) and more.count == 3 and more.gain and more.waits.endswith("may take with --hours")
    assert not first(campaign, StepKind.MORE, hours=1).waits
    done = campaign.do(hours=1).done
    assert [one.step.kind for one in done][:2] == [StepKind.MORE, StepKind.SCORE]
    assert done[0].outcome == "3 candidates made, 0 declined, 0 failed" and len(ToyGenerator.calls) == 12


def test_more_of_what_is_priced_names_the_budget_in_its_command(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_making, "LEAST_WORTH", 0.0)
    campaign = make({"toy_remote": 3}, ["brighter", "b", "c"])
    campaign.generate()
    campaign.score()
    assert first(campaign, StepKind.MORE).waits == "it costs money: say how much may be spent with --budget"
    more = first(campaign, StepKind.MORE, budget=1.0)
    assert more.count == 2 and more.money == pytest.approx(1.0)
    assert more.command.endswith("bestshot generate --plan gen.csv --budget-money 1")


def test_more_pictures_of_imports_are_work_by_hand(
    campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_making, "LEAST_WORTH", 0.0)
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, name in enumerate(f"{task.id}{copy}.png" for task in campaign.tasks for copy in ("", "_b", "_c")):
        noise = Image.open(io.BytesIO(noise_jpeg(100 + number)))
        noise.point(lambda level, more=8 * number: min(255, level + more)).save(folder / name)
    campaign.import_folder(folder, "mine")
    campaign.score()
    step = first(campaign, StepKind.BY_HAND)
    assert step.by_person and step.command == "bestshot import FOLDER --label mine" and step.gain
    assert step.about == ("folder:mine",) and "with your tool 'mine'" in step.words


def test_tasks_without_a_generator_are_named(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Files,
    clock: Clock,
) -> None:
    table, images = contest_files(["brighter"])
    table.write_text(table.read_text("utf-8") + "900,t2i,a red cube,,\n", "utf-8")
    config = {"generate": {"tie": {"toy": 1}, "t2i": {}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "c", table, images, clock=clock, **config)
    step = first(campaign, StepKind.EQUIP)
    assert step.by_person and step.words.startswith("1 task has no candidate and no generator (t2i)")


def test_a_paid_judge_is_asked_within_the_budget_alone(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Files,
    clock: Clock,
) -> None:
    table, images = contest_files(["brighter", "much brighter"])
    with JudgeServer() as server:
        judge = {"base_url": server.url, "model": "toy-judge", "price_in": 1.0, "price_out": 1.0}
        config = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}, "judges": {"vlm": judge}}
        campaign = Campaign.init(tmp_path / "c", table, images, clock=clock, **config)
        assert StepKind.JUDGE not in kinds([one.step for one in campaign.do().done])
        waiting = first(campaign, StepKind.JUDGE)
        assert waiting.about == ("vlm",) and "say how much may be spent with --budget" in waiting.waits
        assert server.received == 0
        done = campaign.do(budget=1.0).done
        assert StepKind.JUDGE in kinds([one.step for one in done]) and server.received > 0
        assert 0 < sum(one.money for one in done) <= 1.0


def test_the_verb_prints_steps_and_json(campaign: Campaign, run: Run) -> None:
    code, out, _ = run("next", "-C", campaign.folder)
    assert code == 0 and "1. make 9 candidates (9 by toy)" in out and "bestshot generate" in out
    code, out, err = run("next", "-C", campaign.folder, "--do")
    assert code == 0 and "now you: upload submissions/" in out and "bestshot score" in err
    document = json.loads(run("next", "-C", campaign.folder, "--json")[1])
    assert document[0]["kind"] == "upload" and document[0]["by_person"] is True
    document = json.loads(run("next", "-C", campaign.folder, "--do", "--json")[1])
    assert document["done"] == [] and [one["kind"] for one in document["persons"]] == ["upload"]
    code, _, err = run("next", "-C", campaign.folder, "--hours", "-1")
    assert code == 2 and "--hours takes hours, 0 or more, got -1" in err


def test_what_was_only_picked_is_planned_first_and_what_was_exported_is_uploaded(campaign: Campaign) -> None:
    campaign.generate()
    campaign.score()
    campaign.pick()
    assert campaign.next()[0].kind is StepKind.PLAN, "a plan may teach more, or hold"
    submission = campaign.export().submission.id
    upload = campaign.next()[0]
    assert upload.kind is StepKind.UPLOAD and upload.about == (submission,)
