"""The judge's client under load, in small: faults, throughput and a kill, judged by what the server knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import judge_load
from tests.servers import judge_server as js


def test_every_reply_is_scored_right_or_unscored_with_the_right_reason(tmp_path: Path) -> None:
    found = judge_load.measure_faults(tmp_path, candidates=60, seed=1, pause_seconds=0)
    assert (found.candidates, found.questions, found.right, found.wrong) == (60, 120, 120, 0)
    assert found.scored > 80 and found.unscored > 2 and found.wrong_judgements == 0
    assert sum(found.served.get(fault, 0) for fault in js.FINE) < 0.8 * found.requests, "faults were served"


def test_the_comparison_notices_a_wrong_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_load, "truth", lambda picture_id, part: 10 - js.truth(picture_id, part))
    found = judge_load.measure_faults(tmp_path, candidates=8, seed=1, pause_seconds=0)
    assert found.wrong > 0 and found.wrong_judgements > 0


def test_systematic_faults_cost_ten_questions_at_the_start_and_twenty_later(tmp_path: Path) -> None:
    found = judge_load.measure_stops(tmp_path, candidates=40, seed=1)
    assert found.kinds > 35 and (found.at_start, found.not_stopped, found.final) == (10, 0, 0)
    # A good answer that comes late, on a busy machine, begins the twenty in a row anew.
    assert found.later <= 2 * 20 + found.concurrency


def test_there_are_enough_kinds() -> None:
    assert len(js.EVERY_FAULT) >= 65 and len(set(js.EVERY_FAULT)) == len(js.EVERY_FAULT)


def test_workers_keep_the_server_busy(tmp_path: Path) -> None:
    found = judge_load.measure_throughput(tmp_path, candidates=32, latency_seconds=0.5, side_px=96)
    assert found.requests == 64 and found.fraction > 0.3  # the figure itself needs more candidates and a quiet machine


def test_nothing_that_was_stored_is_asked_twice_after_a_kill(tmp_path: Path) -> None:
    found = judge_load.measure_kills(tmp_path, candidates=16, kills=1, seed=3)
    assert (found.kills, found.asked_twice, found.different_judgements) == (1, 0, 0)
    assert found.while_asking > 0


@pytest.mark.parametrize(
    ("served", "end"),
    [
        ([js.GOOD], ("scored", None)),
        ([js.DROP, js.THROTTLE, js.THINK], ("scored", None)),
        ([js.EMPTY, js.TOO_FEW], ("unreadable", js.UNREADABLE[js.TOO_FEW])),
        ([js.EMPTY, js.REFUSAL_CHINESE], ("refused", "refused")),
        ([js.DROP] * 2, ("unfinished", None)),
        ([js.DROP] * 4, ("unanswered", None)),
    ],
)
def test_what_a_log_demands(served: list[str], end: tuple[str, str | None]) -> None:
    assert js.expected(served, reasks=1, max_retries=3) == end
