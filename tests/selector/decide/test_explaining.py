"""Why a task's pick leads: what judges wrote of the candidates, and what nothing measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run
from decided_campaigns import TASK, of_task
from sqlalchemy import Connection

from selector import Campaign
from selector.cli._learn_verbs import _reading
from selector.decide import explaining
from selector.domain.reading import Reading
from selector.store.observations import Judgement, load_judgements
from selector.store.replies import REFUSED, SCORED, ReplyRow, add_replies, words_about


def reply(candidate: str, text: str, outcome: str = SCORED, repeat: int = 0) -> ReplyRow:
    key = f"{candidate[:4]}{repeat}{outcome}"
    return ReplyRow(key, 0, "vlm", "host", "m", "p", ["source", candidate], repeat, outcome, {"sc": 7.0}, text=text)


@pytest.fixture
def judged(campaign: Campaign, tmp_path: Path) -> Campaign:
    """With a judgement of the first candidate, and what the judge wrote of it in two looks."""
    campaign.generate()
    campaign.score()
    first, second, _ = of_task(campaign)
    table = tmp_path / "judged.csv"
    table.write_text(f"task,candidate,sc,pq\n{TASK},{first},7,4\n")
    campaign.judges["vlm"].tell(table)
    said = [
        reply(first, "the hat is\n still red"),
        reply(first, "x" * 400 + " so: 7", repeat=1),
        reply(first, "no", REFUSED, 2),
        reply(second, "another one"),
    ]
    with campaign._ws.db.write() as connection:
        add_replies(campaign._ws.db, connection, said)
    return campaign


def test_what_a_judge_wrote_of_a_candidate_stands_with_its_scores(judged: Campaign, run: Run) -> None:
    first = of_task(judged)[0]
    (said,) = judged.explain(TASK).said
    assert (said.judge, said.sc, said.pq, len(said.words)) == ("vlm", 7.0, 4.0, 2)
    _, out, _ = run("explain", "-C", judged.folder, TASK)
    assert f"vlm of {first[:8]}: the hat is still red" in out
    assert f"vlm of {first[:8]}: … " in out and "x so: 7" in out
    told = json.loads(run("explain", "-C", judged.folder, TASK, "--json")[1])["said"]
    assert told[0]["words"][0] == "the hat is\n still red"


def test_only_replies_that_gave_scores_about_these_candidates_are_words(judged: Campaign) -> None:
    first, second, third = of_task(judged)
    with judged._ws.db.read() as connection:
        assert set(words_about(connection, [first])) == {(first, "vlm")}
        assert words_about(connection, [second, third]) == {(second, "vlm"): ("another one",)}


def test_what_nothing_measured_has_no_number(judged: Campaign, run: Run) -> None:
    rivals = judged.explain(TASK).rivals
    assert sorted(rival.sc_measured for rival in rivals) == [False, False, True], "the judge spoke of one"
    _, out, _ = run("explain", "-C", judged.folder, TASK)
    cells = [line.split() for line in out.splitlines() if line.startswith("toy tint")]
    assert [row[2] for row in cells if "-" in row[3:]] == [r.candidate_id[:8] for r in rivals if not r.sc_measured]


def test_candidates_of_one_recipe_are_told_apart_by_their_seeds(judged: Campaign) -> None:
    assert all(rival.seed is not None for rival in judged.explain(TASK).rivals)


def test_only_the_judgements_of_the_task_are_read_for_it(judged: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def heard(connection: Connection, judge: str | None = None, task_id: str | None = None) -> list[Judgement]:
        asked.append(task_id)
        return load_judgements(connection, judge, task_id)

    monkeypatch.setattr(explaining, "load_judgements", heard)
    assert len(judged.explain(TASK).said) == 1 and asked == [TASK]


def test_what_was_read_of_a_long_prompt_is_a_line_a_claim() -> None:
    lines = _reading(Reading(texts=("a\nb " * 10_000,), unread="why\nnot")).splitlines()
    assert len(lines) == 3 and max(map(len, lines)) < 330 and lines[1].endswith("…")
