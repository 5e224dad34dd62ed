"""Tasks are read once by a model over real HTTP, checked against their prompts, corrected by a table."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import noise_jpeg

from experiments.support.reading_answers import answer_of
from experiments.support.reading_server import (
    BROKEN,
    GOOD,
    NOT_THERE,
    REFUSAL,
    UNREADABLE,
    ReadingServer,
)
from selector import Campaign
from selector.cli.main import group
from selector.domain import InputError
from selector.llm._reading_orders import EXAMPLES
from selector.store.replies import money_spent

SHIPS = {
    "prompt": "two grey ships left of a red buoy",
    "things": [
        {"noun": "ship", "count": 2, "attributes": ["grey"]},
        {"noun": "buoy", "count": 1, "attributes": ["red"]},
    ],
    "relations": [[0, "left of", 1]],
}
KITES = {"prompt": "three kites", "things": [{"noun": "kite", "count": 3, "attributes": []}]}
SIGN = {"instruction": "swap the word “MILK” for “TEA”", "action": "replace", "old": "MILK", "new": "TEA"}
CANOE = "Turn the canoe's hull bright yellow but leave the paddles alone"
LINES: list[dict[str, Any]] = [SHIPS, KITES, SIGN]
ANSWERS = {line.get("prompt") or line["instruction"]: answer_of(line) for line in LINES}
TYPES = {"swap the word “MILK” for “TEA”": "vttie", CANOE: "tie"}
Make = Callable[..., Campaign]


@pytest.fixture
def server() -> Iterator[ReadingServer]:
    from selector.domain import TaskType

    with ReadingServer({**ANSWERS, CANOE: EXAMPLES[TaskType.TIE][CANOE]}) as running:
        yield running


@pytest.fixture
def make(toys: None, tmp_path: Path, server: ReadingServer) -> Make:  # noqa: ARG001
    def made(prompts: list[str], **settings: Any) -> Campaign:
        images = tmp_path / "imgs"
        images.mkdir()
        (images / "a.jpg").write_bytes(noise_jpeg(1))
        with (tmp_path / "task.csv").open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["index", "task_type", "prompt", "ori_image", "target_image"])
            for number, prompt in enumerate(prompts, 1):
                kind = TYPES.get(prompt, "t2i")
                rows.writerow([number, kind, prompt, "" if kind == "t2i" else "a.jpg", ""])
        judge = {"base_url": server.url, "model": "toy-reader", "backoff_seconds": 0.01, "reasks": 1, **settings}
        own = {"judges": {"reader": judge}, "score": {"scorers": ["technical"]}, "generate": {"vttie": {"toy": 2}}}
        return Campaign.init(tmp_path / "campaign", tmp_path / "task.csv", images, **own)

    return made


def rows_of(campaign: Campaign) -> list[dict[str, str]]:
    text = (campaign.folder / "readings.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def write_rows(campaign: Campaign, rows: list[dict[str, str]]) -> None:
    with (campaign.folder / "readings.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def correct(campaign: Campaign, number: str, **cells: str) -> None:
    write_rows(campaign, [row | cells if row["task"] == number else row for row in rows_of(campaign)])


def test_each_prompt_is_asked_about_once_however_many_tasks_have_it(make: Make, server: ReadingServer) -> None:
    campaign = make([SHIPS["prompt"], SHIPS["prompt"], SIGN["instruction"], CANOE])
    done = campaign.read_tasks("reader")
    assert (done.by, done.new, sorted(server.asked)) == (
        {"toy-reader": 4},
        4,
        sorted([SHIPS["prompt"], SIGN["instruction"], CANOE]),
    )
    assert campaign.read_tasks("reader").new == 0
    assert len(server.asked) == 3
    assert {fields["response_format"]["type"] for fields in server.fields} == {"json_schema"}
    scene, text, edit = campaign.reading(2).scene, campaign.reading(3).text_edit, campaign.reading(4).edit
    assert scene and [(t.noun, t.count, t.attributes[0].english) for t in scene.objects] == [
        ("ship", 2, "grey"),
        ("buoy", None, "red"),
    ]
    assert text and (text.action, text.old, text.new) == ("replace", "MILK", "TEA")
    assert edit and edit.change and (edit.region, edit.keeps, edit.becomes) == ("hull", ("paddles",), "bright yellow")


def test_without_a_model_rules_read_and_the_table_says_so(make: Make, server: ReadingServer) -> None:
    campaign = make([KITES["prompt"]])
    assert campaign.read_tasks().by == {"rules": 1}
    assert not server.asked
    assert rows_of(campaign)[0]["by"] == "rules"
    assert campaign.status().readings == {"rules": 1}


def test_words_that_are_not_in_the_prompt_are_asked_for_again_and_never_claimed(
    make: Make, server: ReadingServer
) -> None:
    server.fault = lambda _prompt, _times: NOT_THERE
    campaign = make([SHIPS["prompt"]])
    done = campaign.read_tasks("reader")
    assert (len(server.asked), done.by, sum(done.failures.values())) == (2, {"rules": 1}, 1)
    assert campaign.read_tasks("reader").failures == {}, "it was asked as often as it may be"
    server.fault = lambda _prompt, _times: GOOD
    assert campaign.read_tasks("reader", retry_failed=True).by == {"toy-reader": 1}


def test_a_refusal_is_final_until_it_is_to_be_tried_again(make: Make, server: ReadingServer) -> None:
    server.fault = lambda _prompt, _times: REFUSAL
    campaign = make([KITES["prompt"]])
    assert campaign.read_tasks("reader").failures == {"refused": 1}
    again = campaign.read_tasks("reader")
    assert (len(server.asked), again.failures, again.given_up) == (1, {}, 1)
    campaign.read_tasks("reader", retry_failed=True)
    assert len(server.asked) == 2


def test_a_server_that_failed_is_asked_again_by_the_next_run(make: Make, server: ReadingServer) -> None:
    server.fault = lambda _prompt, _times: BROKEN
    campaign = make([KITES["prompt"]], max_retries=0)
    assert campaign.read_tasks("reader").by == {"rules": 1}
    server.fault = lambda _prompt, _times: GOOD
    assert campaign.read_tasks("reader").by == {"toy-reader": 1}


def test_an_answer_of_another_form_is_asked_for_again(make: Make, server: ReadingServer) -> None:
    server.fault = lambda _prompt, times: GOOD if times else UNREADABLE
    campaign = make([SHIPS["prompt"]])
    assert campaign.read_tasks("reader").by == {"toy-reader": 1}
    assert len(server.asked) == 2


def test_every_reply_counts_in_the_budget(make: Make, server: ReadingServer) -> None:
    server.fault = lambda _prompt, times: GOOD if times else UNREADABLE
    campaign = make([SHIPS["prompt"], KITES["prompt"]], price_in=1000.0, price_out=0.0, concurrency=1)
    with pytest.raises(InputError, match="budget"):
        make_without_price = campaign.config.judges["reader"].model_copy(update={"price_in": None})
        campaign.config.judges["reader"] = make_without_price
        campaign.read_tasks("reader", budget_money=1.0)
    campaign.config.judges["reader"] = make_without_price.model_copy(update={"price_in": 1000.0})
    done = campaign.read_tasks("reader", budget_money=2.5)
    assert done.stopped and done.cost is not None and done.cost <= 2.5
    campaign.read_tasks("reader")
    with campaign._ws.db.read() as connection:
        assert money_spent(connection, "reader") == 4.0, "two prompts, each unreadable once"


def test_a_limit_leaves_the_rest_for_another_run(make: Make, server: ReadingServer) -> None:
    campaign = make([SHIPS["prompt"], KITES["prompt"], SIGN["instruction"]])
    campaign.read_tasks("reader", types="vttie")
    assert server.asked == [SIGN["instruction"]]
    campaign.read_tasks("reader", limit=1)
    assert len(server.asked) == 2


def test_a_killed_run_loses_nothing_that_was_answered(make: Make, server: ReadingServer) -> None:
    prompts = [f"{n} kites" for n in range(2, 62)]
    for prompt in prompts:
        server.answers = {**server.answers, prompt: answer_of({**KITES, "prompt": prompt})}

    def slow(_prompt: str, _times: int) -> str:
        time.sleep(0.1)
        return GOOD

    server.fault = slow
    campaign = make(prompts, concurrency=2)
    arguments = ["read", "-C", str(campaign.folder), "--by", "reader"]
    process = subprocess.Popen([sys.executable, "-m", "selector.cli", *arguments], env=dict(os.environ))
    while len(server.asked) < 20 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stored = {task.prompt for task in campaign.tasks if campaign.reading(task.id).by == "toy-reader"}
    assert 0 < len(stored) < 60
    assert campaign.read_tasks("reader").by == {"toy-reader": 60}
    assert {prompt: server.asked.count(prompt) for prompt in stored} == dict.fromkeys(stored, 1)


def test_a_correction_of_the_table_counts_and_goes_when_its_row_goes(make: Make) -> None:
    campaign = make([SHIPS["prompt"], KITES["prompt"]])
    campaign.read_tasks("reader")
    assert rows_of(campaign)[0]["things"] == "2 ship (colour grey); buoy (colour red)"
    assert rows_of(campaign)[0]["relations"] == "ship left of buoy"
    correct(campaign, "1", things="2 ship (colour grey); 1 buoy (colour red)", relations="#2 right of #1")
    done = campaign.read_tasks()
    assert (done.corrected, done.by) == (1, {"table": 1, "toy-reader": 1})
    scene = campaign.reading(1).scene
    assert scene and (scene.objects[1].count, scene.relations[0].kind) == (1, "right")
    assert campaign.read_tasks("reader").corrected == 0
    write_rows(campaign, rows_of(campaign)[1:])
    done = campaign.read_tasks()
    assert (done.taken_back, done.by) == (1, {"toy-reader": 2})
    scene = campaign.reading(1).scene
    assert scene and scene.objects[1].count is None


@pytest.mark.parametrize("reader", [None, "reader"])
def test_a_row_put_back_from_a_saved_table_counts_again(make: Make, reader: str | None) -> None:
    campaign = make([SHIPS["prompt"], KITES["prompt"]])
    campaign.read_tasks(reader)
    saved = rows_of(campaign)
    correct(campaign, "2", things="4 kite")
    assert campaign.read_tasks().corrected == 1
    corrected = rows_of(campaign)
    write_rows(campaign, saved)
    done = campaign.read_tasks()
    assert (done.corrected, done.outdated, done.by["table"]) == (1, 0, 1)
    assert rows_of(campaign)[1]["things"] == saved[1]["things"]
    assert campaign.read_tasks().corrected == 0
    write_rows(campaign, corrected)
    assert campaign.read_tasks().corrected == 1
    assert rows_of(campaign)[1]["things"] == "4 kite"


def test_a_correction_put_back_after_it_was_taken_back_counts_again(make: Make) -> None:
    campaign = make([SHIPS["prompt"], KITES["prompt"]])
    campaign.read_tasks()
    correct(campaign, "2", things="4 kite")
    campaign.read_tasks()
    corrected = rows_of(campaign)
    write_rows(campaign, corrected[:1])
    assert campaign.read_tasks().taken_back == 1
    write_rows(campaign, corrected)
    assert (campaign.read_tasks().corrected, rows_of(campaign)[1]["things"]) == (1, "4 kite")


def test_rows_from_before_a_model_read_are_no_corrections_and_are_told_of(make: Make) -> None:
    campaign = make([CANOE, KITES["prompt"]])
    campaign.read_tasks()
    by_rules = rows_of(campaign)
    campaign.read_tasks("reader")
    write_rows(campaign, by_rules)
    told = CliRunner().invoke(group, ["read", "-C", str(campaign.folder)]).output
    assert "held an older reading" in told and "corrections" not in told
    assert campaign.status().readings == {"toy-reader": 2}


def test_a_task_that_was_corrected_first_gets_the_reading_of_its_twin_once_the_correction_goes(make: Make) -> None:
    campaign = make([KITES["prompt"], KITES["prompt"]])
    campaign.read_tasks()
    correct(campaign, "1", things="4 kite")
    assert campaign.read_tasks("reader").by == {"table": 1, "toy-reader": 1}
    write_rows(campaign, rows_of(campaign)[1:])
    assert campaign.read_tasks().by == {"toy-reader": 2}


def test_another_model_is_asked_again_only_on_demand_and_corrections_stay(make: Make, server: ReadingServer) -> None:
    campaign = make([SHIPS["prompt"], KITES["prompt"], SIGN["instruction"]])
    other = campaign.config.judges["reader"].model_copy(update={"model": "other-reader"})
    campaign.config.judges["other"] = other
    campaign.read_tasks("reader")
    correct(campaign, "2", things="4 kite")
    assert campaign.read_tasks("other").new == 0, "all are read"
    done = campaign.read_tasks("other", again=True)
    assert (done.new, done.by, len(server.asked)) == (2, {"table": 1, "other-reader": 2}, 5)
    assert campaign.read_tasks("other", again=True).new == 0
    back = campaign.read_tasks("reader", types="vttie", again=True)
    assert (back.new, back.again, back.by) == (0, 1, {"table": 1, "other-reader": 1, "toy-reader": 1})
    assert len(server.asked) == 5, "what a model has read is not paid for twice"
    write_rows(campaign, [row for row in rows_of(campaign) if row["task"] != "2"])
    assert campaign.read_tasks().by == {"other-reader": 1, "toy-reader": 2}


def test_where_the_model_asked_again_reads_nothing_the_other_reading_counts(make: Make, server: ReadingServer) -> None:
    campaign = make([KITES["prompt"]])
    campaign.config.judges["other"] = campaign.config.judges["reader"].model_copy(update={"model": "other-reader"})
    campaign.read_tasks("reader")
    server.fault = lambda _prompt, _times: REFUSAL
    done = campaign.read_tasks("other", again=True)
    assert (done.by, done.failures) == ({"toy-reader": 1}, {"refused": 1})


def test_a_table_that_is_gone_takes_no_correction_back(make: Make) -> None:
    campaign = make([KITES["prompt"]])
    campaign.read_tasks()
    correct(campaign, "1", things="4 kite")
    campaign.read_tasks()
    (campaign.folder / "readings.csv").unlink()
    assert campaign.read_tasks().by == {"table": 1}
    assert rows_of(campaign)[0]["things"] == "4 kite"


def test_a_spreadsheet_that_writes_the_same_anew_corrects_nothing(make: Make) -> None:
    campaign = make([SHIPS["prompt"], SIGN["instruction"], CANOE])
    campaign.read_tasks("reader")
    write_rows(campaign, [{**row, "things": row["things"].replace("; ", " ;  ")} for row in rows_of(campaign)])
    assert campaign.read_tasks().corrected == 0


@pytest.mark.parametrize(
    ("task", "cells", "expected"),
    [
        ("1", {"things": "2 ship (grey)"}, "row 2, column things: expected attributes in brackets"),
        (
            "1",
            {"things": "2 ship (colour grey)"},
            "things, where 'buoy' is not: put it there or take 'ship left of buoy'",
        ),
        ("1", {"relations": "ship near buoy"}, "row 2, column relations: expected two of the row's things"),
        ("1", {"action": "add"}, "row 2, column action: expected nothing: a t2i task"),
        ("2", {"action": "swap"}, "row 3, column action: expected one of replace, add, delete"),
        ("2", {"new": ""}, "row 3, column new: expected nothing for a deletion"),
        ("2", {"place": "somewhere"}, "row 3, column place: expected a place such as"),
        ("3", {"after": ""}, "row 4, column after: expected captions"),
        ("2", {"task": "77"}, "row 3, column task: '77' is not in this campaign"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_stored(make: Make, task: str, cells: Any, expected: str) -> None:
    campaign = make([SHIPS["prompt"], SIGN["instruction"], CANOE])
    campaign.read_tasks("reader")
    correct(campaign, "3", region="bow")
    correct(campaign, task, **cells)
    with pytest.raises(InputError) as raised:
        campaign.read_tasks()
    assert expected in str(raised.value)
    assert campaign.status().readings == {"toy-reader": 3}


def test_a_text_that_a_spreadsheet_would_run_comes_back_as_it_was(make: Make, server: ReadingServer) -> None:
    prompt = "replace “SUM” with “=SUM(A1)”"
    TYPES[prompt] = "vttie"
    line = {"instruction": prompt, "action": "replace", "old": "SUM", "new": "=SUM(A1)"}
    server.answers = {prompt: answer_of(line)}
    campaign = make([prompt])
    campaign.read_tasks("reader")
    assert rows_of(campaign)[0]["new"] == "'=SUM(A1)"
    correct(campaign, "1", old="TOTAL")
    campaign.read_tasks()
    edit = campaign.reading(1).text_edit
    assert edit and (edit.old, edit.new) == ("TOTAL", "=SUM(A1)")


def test_a_corrected_reading_measures_only_its_task_and_only_scorers_that_read_words(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conftest import ToyScorer

    campaign = make([CANOE, SIGN["instruction"]])
    monkeypatch.setattr(ToyScorer, "reads_words", True, raising=False)
    campaign.read_tasks("reader")
    import_pictures(campaign)
    campaign.score()
    before = len(ToyScorer.calls)
    campaign.score()
    assert len(ToyScorer.calls) == before == 4
    correct(campaign, "2", new="COCOA")
    campaign.read_tasks()
    assert campaign.status().scores == 2, "those of the other task"
    summary = campaign.score()
    assert (summary.candidates, len(ToyScorer.calls)) == (2, before + 2)
    assert campaign.status().scores == 4
    monkeypatch.setattr(ToyScorer, "reads_words", False, raising=False)
    campaign.score()
    versions = {row["version"] for row in scores(campaign)}
    assert len(versions) == 4 and sum("~" in version for version in versions) == 3
    correct(campaign, "2", new="JUICE")
    campaign.read_tasks()
    assert campaign.score().candidates == 0


def import_pictures(campaign: Campaign) -> None:
    folder = campaign.folder.parent / "made"
    folder.mkdir()
    for number in range(4):
        (folder / f"{1 + number // 2}_{number}.jpg").write_bytes(noise_jpeg(10 + number))
    campaign.import_folder(folder)


def scores(campaign: Campaign) -> list[Any]:
    with campaign._ws.db.read() as connection:
        return list(connection.exec_driver_sql("SELECT DISTINCT version FROM score").mappings())


def test_what_a_generator_declined_is_tried_again_with_a_new_reading(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conftest import ToyGenerator

    from selector.domain import Declined
    from selector.prompts.reading import reading_of

    def recipes(self: Any, inputs: Any, n: int, seed: int) -> Any:
        edit = reading_of(inputs).text_edit
        if edit is None or edit.new != "TEA":
            raise Declined("not understood")
        return plain(self, inputs, n, seed)

    plain = ToyGenerator.recipes
    monkeypatch.setattr(ToyGenerator, "recipes", recipes)
    monkeypatch.setattr(ToyGenerator, "reads_words", True, raising=False)
    TYPES["let the board sell TEA, never MILK"] = "vttie"
    campaign = make(["let the board sell TEA, never MILK"])
    assert campaign.generate(generators=["toy"]).without_candidates == ["1"]
    assert any("not understood" in reason for reason in campaign.status().failures)
    campaign.read_tasks()
    correct(campaign, "1", action="replace", old="MILK", new="TEA")
    campaign.read_tasks()
    assert not any("not understood" in reason for reason in campaign.status().failures)
    assert campaign.generate(generators=["toy"]).without_candidates == []


def test_the_command_line_reads_shows_and_explains(make: Make) -> None:
    campaign = make([CANOE, SIGN["instruction"]])
    place = ["-C", str(campaign.folder)]
    told = CliRunner().invoke(group, ["read", *place, "--by", "reader"]).output
    assert "nothing was understood" not in told
    assert "the words of 2 tasks" in told and "2 read by toy-reader" in told
    assert json.loads(CliRunner().invoke(group, ["read", *place, "--json"]).output)["by"] == {"toy-reader": 2}
    assert "prompts read by: toy-reader 2" in CliRunner().invoke(group, ["status", *place]).output
    import_pictures(campaign)
    campaign.score()
    explained = CliRunner().invoke(group, ["explain", "2", *place]).output
    assert "words, read by toy-reader:" in explained and "MILK" in explained and "TEA" in explained
    wrong = CliRunner().invoke(group, ["read", *place, "--limit", "3"])
    assert wrong.exit_code != 0
