"""``score --judge``: what is asked in which order, what is stored, what counts, and what is never asked twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import HEADER, Clock, noise_jpeg
from sqlalchemy import select

from selector import Campaign
from selector.cli.main import group
from selector.domain import InputError, TaskType
from selector.domain.errors import InputProblems
from selector.llm import JudgeStopped
from selector.store import Database, schema
from selector.store.candidates import load_candidates
from selector.store.observations import Judgement, load_judgements
from tests.servers import judge_server as js
from tests.servers.judge_server import JudgeServer, truth

TABLE = f"{HEADER}\n3,tie,brighter,a.jpg,\n4,vttie,把字改成“好”,a.jpg,\n5,deepfake,,a.jpg,b.jpg\n7,t2i,a red cube,,\n"
FILES = ("3_1", "3_2", "4_1", "5_1", "7_1", "7_2")
Make = Callable[..., Campaign]


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer() as running:
        yield running


@pytest.fixture
def make(tmp_path: Path, server: JudgeServer, clock: Clock) -> Make:
    """A campaign with six candidates of four tasks and the judge "vlm" with these settings."""

    def call(**settings: Any) -> Campaign:
        for seed, name in enumerate(("in/a.jpg", "in/b.jpg", *(f"out/{file}.jpg" for file in FILES))):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(noise_jpeg(seed))
        (tmp_path / "task.csv").write_text(TABLE, encoding="utf-8")
        judge = {"base_url": server.url, "model": "toy-judge", "backoff_seconds": 0.01, **settings}
        campaign = Campaign.init(
            tmp_path / "campaign",
            tmp_path / "task.csv",
            tmp_path / "in",
            clock=clock,
            judges={"vlm": judge},
            score={"scorers": ["technical"]},
        )
        campaign.import_folder(tmp_path / "out")
        return campaign

    return call


def with_close_candidates(campaign: Campaign) -> Campaign:
    """Twenty more pictures for task 7: among so many, some are about equally good."""
    more = campaign.folder.parent / "more"
    more.mkdir()
    for seed in range(20, 40):
        (more / f"7_{seed}.jpg").write_bytes(noise_jpeg(seed))
    campaign.import_folder(more)
    campaign.score()
    return campaign


def again(campaign: Campaign, **changes: Any) -> Campaign:
    """The campaign opened anew, with other settings of its judge."""
    toml = campaign.folder / "campaign.toml"
    lines = [line for line in toml.read_text(encoding="utf-8").splitlines() if line.split(" =")[0] not in changes]
    toml.write_text("\n".join([*lines, *(f"{k} = {json.dumps(v)}" for k, v in changes.items())]), encoding="utf-8")
    return Campaign(campaign.folder, campaign._ws.clock)


def judgements(campaign: Campaign) -> dict[str, list[Judgement]]:
    with Database(campaign.folder / "campaign.db").read() as connection:
        found: dict[str, list[Judgement]] = {}
        for judgement in load_judgements(connection, "vlm"):
            found.setdefault(judgement.task_id, []).append(judgement)
    return found


def replies(campaign: Campaign) -> list[Any]:
    with Database(campaign.folder / "campaign.db").read() as connection:
        return list(connection.execute(select(schema.judge_reply).order_by(schema.judge_reply.c.id)))


def test_every_candidate_gets_sc_and_pq_as_the_server_knows_them(make: Make) -> None:
    campaign = make()
    summary = campaign.judges["vlm"].ask()
    assert (summary.candidates, summary.judged, summary.questions, summary.scored) == (6, 6, 12, 12)
    said = judgements(campaign)
    for task_id, names in (
        ("3", ("edit_success", "minimal_over_editing")),
        ("4", ("edit_success", "minimal_over_editing")),
        ("5", ("identity",)),
        ("7", ("prompt_following",)),
    ):
        for judgement in said[task_id]:
            sc = [truth(judgement.candidate_id, part) for part in names]
            pq = [truth(judgement.candidate_id, part) for part in ("naturalness", "freedom_from_artefacts")]
            assert (judgement.sc, judgement.pq, judgement.kind, judgement.reason) == (min(sc), min(pq), "judge", None)
            assert judgement.parts == dict(zip((*names, "naturalness", "freedom_from_artefacts"), sc + pq, strict=True))


def test_pictures_go_out_as_their_final_bytes_in_the_right_order(make: Make, server: JudgeServer) -> None:
    campaign = make()
    campaign.judges["vlm"].ask(types=[TaskType.DEEPFAKE, TaskType.TIE])
    inputs = campaign._ws.task_inputs(campaign.tasks[2])
    assert inputs.source is not None and inputs.reference is not None
    with Database(campaign.folder / "campaign.db").read() as connection:
        ids = {task: [c.id for c in load_candidates(connection, task)] for task in ("3", "5")}
    shown = sorted(asked.images for asked in server.log)
    wanted = [(inputs.source.id, inputs.reference.id, ids["5"][0]), *((inputs.source.id, c) for c in ids["3"])]
    assert shown == sorted([*wanted, *((c,) for c in [*ids["3"], *ids["5"]])])
    assert all(asked.mime_matches for asked in server.log)


def test_the_judge_of_quality_never_sees_a_prompt(make: Make, server: JudgeServer) -> None:
    make().judges["vlm"].ask()
    for asked in server.log:
        told = any(prompt in asked.text for prompt in ("brighter", "好", "a red cube"))
        assert told == (asked.parts != ("naturalness", "freedom_from_artefacts") and asked.parts != ("identity",))


def test_a_second_run_asks_nothing(make: Make, server: JudgeServer) -> None:
    campaign = make()
    campaign.judges["vlm"].ask()
    before = judgements(campaign)
    summary = campaign.judges["vlm"].ask()
    assert (summary.candidates, summary.replies, len(server.log)) == (0, 0, 12)
    assert judgements(campaign) == before


@pytest.mark.usefixtures("toys")
def test_calibration_and_plan_use_what_the_judge_said_at_once(make: Make) -> None:
    campaign = make()
    campaign.score()
    assert len(campaign.judges["vlm"].plan(10)) > 0
    campaign.judges["vlm"].ask()
    assert campaign.judges["vlm"].plan(10) == []
    assert any(w.name == "judge:vlm" for w in campaign.calibrate().weights)


@pytest.mark.usefixtures("toys")
def test_a_limit_asks_first_what_the_plan_would(make: Make) -> None:
    campaign = make()
    campaign.score()
    planned = [(j.task_id, j.candidate_id) for j in campaign.judges["vlm"].plan(2)]
    summary = campaign.judges["vlm"].ask(limit=2)
    assert (summary.candidates, summary.later) == (2, 4)
    assert {(j.task_id, j.candidate_id) for each in judgements(campaign).values() for j in each} == set(planned)


def test_passes_count_by_their_mean_and_tell_their_spread(make: Make, server: JudgeServer) -> None:
    server.behaviour.jitter = True
    campaign = make(repeats=3, seed=5)
    summary = campaign.judges["vlm"].ask(types=[TaskType.T2I])
    assert (summary.questions, len(server.log)) == (12, 12)
    for judgement in judgements(campaign)["7"]:
        for part, value in judgement.parts.items():
            said = [truth(judgement.candidate_id, part, seed) for seed in (5, 6, 7)]
            assert value == pytest.approx(sum(said) / 3)
            assert [one.parts[part] for one in judgement.passes] == said
            assert judgement.spread is not None and judgement.spread[part] == max(said) - min(said)
        assert judgement.pq == pytest.approx(sum(one.pq or 0.0 for one in judgement.passes) / 3)
        assert all(one.pq == min(list(one.parts.values())[1:]) for one in judgement.passes), "each is judged by itself"
    assert summary.passes == {3: 2}
    assert set(summary.pass_sd) == {"sc", "pq"} and all(sd > 0 for sd in summary.pass_sd.values())


def test_further_passes_ask_only_what_is_missing_and_are_no_correction(make: Make, server: JudgeServer) -> None:
    server.behaviour.jitter = True
    campaign = make(seed=5)
    campaign.judges["vlm"].ask(types=[TaskType.T2I])
    first = {j.candidate_id: j for j in judgements(campaign)["7"]}
    campaign.judges["vlm"].ask(types=[TaskType.T2I], repeat=3)
    assert len(server.log) == 4 + 8
    for judgement in judgements(campaign)["7"]:
        assert judgement.looks[0] == first[judgement.candidate_id].looks[0]
        assert (len(judgement.looks), judgement.reason) == (3, None)


def test_fewer_passes_than_there_are_ask_nothing_and_lose_none(make: Make, server: JudgeServer) -> None:
    server.behaviour.jitter = True
    campaign = make(seed=5)
    campaign.judges["vlm"].ask(repeat=3, limit=2)
    before = judgements(campaign)
    summary = campaign.judges["vlm"].ask(limit=1)
    assert (summary.candidates, summary.questions) == (1, 2), "the next one, for the first time"
    after = [j for own in judgements(campaign).values() for j in own]
    assert [j for j in after if len(j.looks) == 3] == [j for own in before.values() for j in own]


def test_passes_survive_a_run_that_was_stopped_before_its_judgements(make: Make, server: JudgeServer) -> None:
    server.behaviour.jitter = True
    campaign = make(seed=5)
    campaign.judges["vlm"].ask(repeat=2)
    before, asked = judgements(campaign), len(server.log)
    with Database(campaign.folder / "campaign.db").write() as connection:
        connection.execute(schema.judgement.delete())
    campaign.judges["vlm"].ask()
    assert judgements(campaign) == before and len(server.log) == asked


def test_a_pass_of_which_one_question_was_refused_counts_by_the_other(make: Make, server: JudgeServer) -> None:
    server.behaviour.jitter = True
    campaign = make(seed=5)
    campaign.judges["vlm"].ask(types=[TaskType.T2I])
    server.behaviour.fault = lambda _number, parts, _rng: js.REFUSAL_FIELD if "naturalness" in parts else js.GOOD
    campaign.judges["vlm"].ask(types=[TaskType.T2I], repeat=2)
    for judgement in judgements(campaign)["7"]:
        first, second = judgement.passes
        assert (second.pq, second.overall) == (None, None)
        assert judgement.sc == pytest.approx(((first.sc or 0.0) + (second.sc or 0.0)) / 2)
        assert (judgement.pq, judgement.overall) == (first.pq, first.overall)


def test_medians_of_an_older_program_become_means_of_all_passes(make: Make, server: JudgeServer) -> None:
    """Before format 6 a judgement over repeats was one row of medians; the replies tell every pass."""
    server.behaviour.jitter = True
    campaign = make(seed=5)
    campaign.judges["vlm"].ask(repeat=3)
    after, asked = judgements(campaign), len(server.log)
    with Database(campaign.folder / "campaign.db").write() as connection:
        connection.execute(schema.judgement.update().values(passes=None, sc=0.25))
    campaign.judges["vlm"].ask()
    found = judgements(campaign)
    assert {k: [j.passes for j in own] for k, own in found.items()} == {
        k: [j.passes for j in own] for k, own in after.items()
    }
    assert {j.reason for own in found.values() for j in own} == {"mean over other passes"}
    assert len(server.log) == asked


@pytest.mark.usefixtures("toys")
def test_a_second_look_is_planned_where_passes_differ(make: Make, server: JudgeServer) -> None:
    server.behaviour.jitter = True
    campaign = with_close_candidates(make(seed=5))
    campaign.judges["vlm"].ask()
    assert campaign.judges["vlm"].plan(10) == [], "at temperature 0 nothing says that another pass would differ"
    believed = again(campaign, temperature=0.7).judges["vlm"].plan(10)
    assert believed and {(j.passes, j.pass_number, j.look) for j in believed} == {(1, 2, "look 2 (1 so far)")}
    campaign = again(campaign, temperature=0)
    campaign.judges["vlm"].ask(limit=5, repeat=2)
    assert {1, 2} >= {j.passes for j in campaign.judges["vlm"].plan(10)} >= {1}, "measured by now"
    arguments = ["plan", "-C", str(campaign.folder), "--judge", "10", "--by", "vlm"]
    text = CliRunner().invoke(group, arguments, catch_exceptions=False).output
    assert "(0 first looks, " in text and "look 2 (1 so far)" in text


@pytest.mark.usefixtures("toys")
def test_of_a_judge_whose_passes_are_all_alike_no_second_look_is_planned(make: Make) -> None:
    campaign = with_close_candidates(make(temperature=0.7))
    campaign.judges["vlm"].ask()
    assert campaign.judges["vlm"].plan(10)
    summary = campaign.judges["vlm"].ask(repeat=2)
    assert summary.pass_sd == {"sc": 0.0, "pq": 0.0}
    assert campaign.judges["vlm"].plan(10) == []


def test_an_unreadable_reply_is_asked_again_so_often_and_then_unscored(make: Make, server: JudgeServer) -> None:
    server.behaviour.fault = lambda number, parts, _rng: (
        js.OUT_OF_TEN if parts == ("prompt_following",) else js.TOO_HIGH if number == 0 else js.GOOD
    )
    campaign = make(reasks=2)
    summary = campaign.judges["vlm"].ask(types=[TaskType.T2I])
    assert summary.unscored == {"the reply is no JSON object": 2} and summary.scored == 2
    assert summary.replies == len(server.log) == 2 * 3 + 2 * 2
    assert [(j.sc, j.pq is None) for j in judgements(campaign)["7"]] == [(None, False)] * 2
    assert "could not be read" in server.log[-1].text


def test_unscored_is_asked_again_only_on_request(make: Make, server: JudgeServer) -> None:
    server.behaviour.fault = lambda _number, parts, _rng: js.REFUSAL_ENGLISH if len(parts) == 1 else js.GOOD
    campaign = make()
    assert campaign.judges["vlm"].ask().unscored == {"refused": 3}
    server.behaviour.fault = lambda *_: js.GOOD
    assert campaign.judges["vlm"].ask().questions == 0
    assert campaign.judges["vlm"].ask(retry_failed=True).scored == 3
    assert sum(map(len, judgements(campaign).values())) == 6
    assert campaign.judges["vlm"].ask(retry_failed=True).questions == 0


def test_what_was_never_answered_is_tried_by_the_next_run(make: Make, server: JudgeServer) -> None:
    server.behaviour.fault = lambda _number, parts, _rng: js.BROKEN_SERVER if len(parts) == 1 else js.GOOD
    campaign = make(max_retries=0)
    summary = campaign.judges["vlm"].ask()
    assert summary.unscored == {"the server failed (HTTP 500)": 3}
    assert summary.sent_again == {}, "a first try is not sent again"
    assert summary.samples == {"the server failed (HTTP 500)": "oops"}
    server.behaviour.fault = lambda *_: js.GOOD
    assert campaign.judges["vlm"].ask().scored == 3


def test_a_reply_survives_a_run_that_was_stopped_before_its_judgement(make: Make, server: JudgeServer) -> None:
    campaign = make()
    campaign.judges["vlm"].ask()
    before = judgements(campaign)
    database = Database(campaign.folder / "campaign.db")
    with database.write() as connection:
        connection.execute(schema.judgement.delete())
    campaign.judges["vlm"].ask()
    assert judgements(campaign) == before and len(server.log) == 12


def test_the_same_bytes_for_two_tasks_are_judged_once_for_quality(make: Make) -> None:
    campaign = make()
    (campaign.folder.parent / "more").mkdir()
    (campaign.folder.parent / "more" / "4_9.jpg").write_bytes((campaign.folder.parent / "out" / "3_1.jpg").read_bytes())
    campaign.import_folder(campaign.folder.parent / "more")
    summary = campaign.judges["vlm"].ask()
    assert (summary.candidates, summary.questions, summary.judged) == (7, 13, 7)


def test_a_budget_stops_before_it_would_be_passed(make: Make, server: JudgeServer) -> None:
    campaign = make(price_in=1000.0, price_out=0.0, concurrency=4)  # 1 a call: 1,000 tokens at 1,000 a million
    summary = campaign.judges["vlm"].ask(budget_money=5.5)
    assert (summary.cost, len(server.log)) == (5.0, 5)
    assert summary.stopped == "another call could cost more than is left of the budget of this run"
    summary = campaign.judges["vlm"].ask()
    assert (summary.cost, summary.stopped, len(server.log)) == (7.0, None, 12)


def test_the_budget_of_the_configuration_counts_earlier_runs(make: Make, server: JudgeServer) -> None:
    campaign = make(price_in=1000.0, price_out=0.0, budget=7.0)
    campaign.judges["vlm"].ask(limit=2)
    assert len(server.log) == 4
    campaign.judges["vlm"].ask()
    stopped = campaign.judges["vlm"].ask(budget_money=50.0).stopped
    assert stopped == "another call could cost more than is left of the budget of [judges.vlm]"
    assert len(server.log) == 7


def test_tokens_and_costs_are_stored_with_every_reply(make: Make, server: JudgeServer) -> None:
    campaign = make(price_in=2.0, price_out=10.0, currency="CNY")
    summary = campaign.judges["vlm"].ask(types=[TaskType.DEEPFAKE])
    (sc, pq) = sorted(replies(campaign), key=lambda row: -len(row.images))
    assert (sc.tokens_in, sc.tokens_out, sc.cost) == (1000, 20, pytest.approx(0.0022))
    assert (sc.provider, sc.model, sc.judge, sc.outcome, len(sc.images)) == (
        server.url.split("/")[2],
        "toy-judge",
        "vlm",
        "scored",
        3,
    )
    assert sc.prompt_hash != pq.prompt_hash and sc.key != pq.key
    assert (summary.tokens_in, summary.currency, summary.cost) == (2000, "CNY", pytest.approx(0.0044))


def test_what_binds_is_told(make: Make) -> None:
    campaign = make()
    binding = campaign.judges["vlm"].ask().binding
    assert {kind: sum(counts.values()) for kind, counts in binding.items()} == {
        "deepfake": 1,
        "t2i": 2,
        "tie": 2,
        "vttie": 1,
    }
    (swap,) = judgements(campaign)["5"]
    least = min(swap.parts.values())
    ruling = [part for part, value in swap.parts.items() if value == least]
    assert binding["deepfake"] == {ruling[0] if len(ruling) == 1 else "several alike": 1}


def test_a_stopped_run_keeps_what_was_answered(make: Make, server: JudgeServer) -> None:
    campaign = make(concurrency=1)
    original = server.behaviour.models
    server.behaviour.fault = lambda *_: (
        (setattr(server.behaviour, "models", ()) if len(server.log) >= 4 else None) or js.GOOD
    )
    with pytest.raises(JudgeStopped, match="does not know the model"):
        campaign.judges["vlm"].ask()
    assert len(replies(campaign)) == len(server.log) == 5
    assert sum(map(len, judgements(campaign).values())) == 3, "the third one has SC only so far"
    server.behaviour.models, server.behaviour.fault = original, lambda *_: js.GOOD
    campaign.judges["vlm"].ask()
    assert len(server.log) == 12 and sum(map(len, judgements(campaign).values())) == 6


def test_a_missing_input_picture_costs_its_tasks_only(make: Make) -> None:
    campaign = make()
    (campaign.folder / "inputs" / "b.jpg").unlink()
    summary = campaign.judges["vlm"].ask()
    assert summary.judged == 5
    assert any("b.jpg" in reason for reason in summary.failures)


def test_another_model_under_the_same_name_is_refused(make: Make, server: JudgeServer) -> None:
    server.behaviour.models = ("toy-judge", "other")
    campaign = make()
    campaign.judges["vlm"].ask(limit=1)
    with pytest.raises(InputError, match="had the model 'toy-judge' before"):
        again(campaign, model="other").judges["vlm"].ask()


def test_a_mistyped_model_ties_the_name_to_nothing(make: Make) -> None:
    campaign = make(model="toi-judge")
    with pytest.raises(JudgeStopped, match="does not know the model"):
        campaign.judges["vlm"].ask()
    assert again(campaign, model="toy-judge").judges["vlm"].ask().judged == 6


def test_a_name_that_a_table_used_is_refused(make: Make, tmp_path: Path) -> None:
    campaign = make()
    with Database(campaign.folder / "campaign.db").read() as connection:
        candidate = load_candidates(connection, "3")[0]
    (tmp_path / "scores.csv").write_text(f"task,candidate,sc\n3,{candidate.id},7\n")
    campaign.judges["vlm"].tell(tmp_path / "scores.csv")
    with pytest.raises(InputError, match="has judgements from a table already"):
        campaign.judges["vlm"].ask()


def test_a_correction_by_hand_stays(make: Make, tmp_path: Path) -> None:
    campaign = make()
    campaign.judges["vlm"].ask()
    (swap,) = judgements(campaign)["5"]
    (tmp_path / "scores.csv").write_text(f"task,candidate,sc\n5,{swap.candidate_id},{(swap.sc or 0) / 2 + 1}\n")
    campaign.judges["vlm"].tell(tmp_path / "scores.csv", reason="seen by eye")
    campaign.judges["vlm"].ask()
    assert judgements(campaign)["5"][0].reason == "seen by eye"


def test_a_correction_by_hand_takes_the_place_of_all_passes(make: Make, server: JudgeServer, tmp_path: Path) -> None:
    server.behaviour.jitter = True
    campaign = make(seed=5)
    campaign.judges["vlm"].ask(repeat=2)
    (swap,) = judgements(campaign)["5"]
    table = tmp_path / "scores.csv"
    table.write_text(f"task,candidate,sc\n5,{swap.candidate_id},3.21\n")
    campaign.judges["vlm"].tell(table, reason="seen by eye")
    campaign.judges["vlm"].ask(repeat=3)
    (now,) = judgements(campaign)["5"]
    assert (now.sc, now.pq, now.passes, now.reason) == (3.21, swap.pq, (), "seen by eye")


def test_a_table_adds_no_pass_to_what_was_asked(make: Make, tmp_path: Path) -> None:
    campaign = make()
    campaign.judges["vlm"].ask()
    (swap,) = judgements(campaign)["5"]
    (tmp_path / "scores.csv").write_text(f"task,candidate,pass,sc\n5,{swap.candidate_id},2,3\n")
    with pytest.raises(InputError, match="bestshot score --judge vlm --repeat 2"):
        campaign.judges["vlm"].tell(tmp_path / "scores.csv")


def test_the_key_is_nowhere_in_the_campaign(make: Make, server: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_KEY", "sk-very-secret")
    server.behaviour.key = "sk-very-secret"
    campaign = make(key_env="TOY_KEY")
    assert campaign.judges["vlm"].ask().judged == 6
    monkeypatch.setenv("TOY_KEY", "sk-wrong-secret")
    with pytest.raises(JudgeStopped, match="key_env") as caught:
        again(campaign, repeats=2).judges["vlm"].ask()
    assert "secret" not in str(caught.value)
    for path in campaign.folder.rglob("*"):
        assert not path.is_file() or b"-secret" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--judge", "nobody"], "no table [judges.nobody]"),
        (["--judge", "vmm"], "did you mean 'vlm'"),
        (["--limit", "3"], "belong to --judge"),
        (["--repeat", "3"], "belong to --judge"),
        (["--judge", "vlm", "--repeat", "26"], "1 to 25 passes over a candidate, got 26"),
        (["--judge", "vlm", "--budget-money", "2"], "price_in and price_out"),
    ],
)
def test_mistakes_are_one_line(make: Make, arguments: list[str], words: str) -> None:
    campaign = make()
    done = CliRunner().invoke(group, ["score", "-C", str(campaign.folder), *arguments])
    assert isinstance(done.exception, InputError)
    assert words in str(done.exception) and "\n" not in str(done.exception)


def test_the_command_prints_what_it_did(make: Make, server: JudgeServer) -> None:
    server.behaviour.fault = lambda _number, parts, _rng: js.REFUSAL_CHINESE if parts == ("identity",) else js.GOOD
    campaign = make(price_in=1.0, price_out=1.0, currency="CNY", repeats=2)
    arguments = ["score", "-C", str(campaign.folder), "--judge", "vlm", "--limit", "6"]
    text = CliRunner().invoke(group, arguments, catch_exceptions=False).output
    for words in (
        "6 candidates",
        "22 scored, 2 unscored",
        "2 x refused",
        "CNY",
        "6 candidates have several passes; sd of one pass: sc 0.00, pq 0.00; they are all alike",
        "tie: the smallest sub-score was ",
        " times",
    ):
        assert words in text, text
    again = CliRunner().invoke(group, arguments[:-2], catch_exceptions=False).output
    again = CliRunner().invoke(group, arguments[:-2], catch_exceptions=False).output
    assert "nothing left to ask" in again and "smallest" not in again and "cost" not in again
    shown = json.loads(CliRunner().invoke(group, [*arguments, "--json"], catch_exceptions=False).output)
    assert (shown["questions"], shown["judge"]) == (0, "vlm")


def test_the_doctor_names_every_judge(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOY_KEY", raising=False)
    campaign = make(key_env="TOY_KEY")
    (line,) = [check for check in campaign.doctor() if check.subject == "judge vlm"]
    assert not line.ok and "TOY_KEY" in line.text
    monkeypatch.setenv("TOY_KEY", "x")
    (line,) = [check for check in campaign.doctor() if check.subject == "judge vlm"]
    assert line.ok and "toy-judge" in line.text


def test_only_an_unreadable_answer_is_reminded_of_the_form(make: Make, server: JudgeServer) -> None:
    faults = iter([js.BROKEN_SERVER, js.REFUSAL_FIELD, js.EMPTY])
    server.behaviour.fault = lambda *_: next(faults, js.GOOD)
    campaign = make(max_retries=0, concurrency=1)
    campaign.judges["vlm"].ask(types=[TaskType.DEEPFAKE], limit=1)
    campaign.judges["vlm"].ask(types=[TaskType.DEEPFAKE], retry_failed=True)
    reminded = [(asked.served, "could not be read" in asked.text) for asked in server.log]
    assert reminded == [
        (js.BROKEN_SERVER, False),
        (js.REFUSAL_FIELD, False),
        (js.EMPTY, False),
        (js.GOOD, True),
        (js.GOOD, False),
    ]


def test_a_plan_of_looks_is_asked_as_it_stands_and_not_twice(make: Make, tmp_path: Path) -> None:
    campaign = make(temperature=0.5, concurrency=1)
    campaign.score()
    ids = ids_by_task(campaign)
    plan = tmp_path / "to-judge.csv"
    rows = [f"5,{ids['5'][0]},1", f"3,{ids['3'][1][:8]},2", f"7,{ids['7'][0]},"]
    plan.write_text("\n".join(["task,candidate,pass", *rows]) + "\n", encoding="utf-8")
    summary = campaign.judges["vlm"].ask(plan=plan)
    assert (summary.candidates, summary.questions) == (3, 8), "two passes of the second"
    assert [j.candidate_id for j in judgements(campaign)["3"]] == [ids["3"][1]]
    assert len(judgements(campaign)["3"][0].looks) == 2
    asked = list(dict.fromkeys(row.images[-1] for row in replies(campaign)))
    assert asked == [ids["5"][0], ids["3"][1], ids["7"][0]], "in the order of the table"
    assert campaign.judges["vlm"].ask(plan=plan).questions == 0
    with pytest.raises(InputError, match="leave out repeat"):
        campaign.judges["vlm"].ask(plan=plan, repeat=2)


def test_wrong_rows_of_a_plan_of_looks_are_told_and_nobody_is_asked(make: Make, tmp_path: Path) -> None:
    campaign = make()
    campaign.score()
    (out,) = ids_by_task(campaign)["5"]
    campaign.decisions.exclude("broken", candidate=out)
    plan = tmp_path / "to-judge.csv"
    plan.write_text(f"task,candidate\n99,{out}\n5,{out}\n", encoding="utf-8")
    with pytest.raises(InputProblems) as caught:
        campaign.judges["vlm"].ask(plan=plan)
    assert "there is no task '99'" in caught.value.problems[0]
    assert "is excluded by" in caught.value.problems[1] and "broken" in caught.value.problems[1]
    assert replies(campaign) == []


def test_next_asks_a_priced_judge_within_its_budget_alone(make: Make) -> None:
    campaign = with_close_candidates(make(price_in=1000.0, price_out=1000.0, currency="CNY"))
    (step,) = [s for s in campaign.next() if s.kind.value == "judge"]
    assert step.money is None and "--budget" in step.waits and step.gain and step.gain > 0
    campaign.do(allow_fallbacks=True)
    assert replies(campaign) == []
    campaign.judges["vlm"].ask(limit=1)
    (step,) = [s for s in campaign.next() if s.kind.value == "judge"]
    assert step.money and step.seconds is not None
    before = sum(row.cost for row in replies(campaign))
    dearest = max(row.cost for row in replies(campaign))
    done = campaign.do(budget=4.5 * dearest, allow_fallbacks=True)
    spent = sum(row.cost for row in replies(campaign)) - before
    assert 0 < spent <= 4.5 * dearest
    assert sum(one.money for one in done.done) == pytest.approx(spent)


def ids_by_task(campaign: Campaign) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with campaign._ws.db.read() as connection:
        for candidate in load_candidates(connection):
            found.setdefault(candidate.task_id, []).append(candidate.id)
    return found
