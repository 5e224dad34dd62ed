"""The crash test in small: its kills do kill, what they leave is compared, and its audit would notice what is amiss."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from experiments import crash_test
from experiments.crash_test import planned
from experiments.support import crash_trial
from experiments.support.crash_loop import CAMPAIGN, INIT, LOOP, SIGNALS, Verb
from experiments.support.crash_process import ON_ITS_WAY_SECONDS, Servers, serving
from experiments.support.crash_state import faults_of, files_of
from experiments.support.crash_store import FileStore
from experiments.support.crash_trial import Found, Quiet, Run, Trial
from experiments.support.killed_at import OPEN, RENAME, Moment, Watch
from experiments.support.reading_server import ReadingServer
from experiments.support.two_folders import TwoFolders
from tests.servers.dashscope_server import DashScopeServer
from tests.servers.judge_server import IN_ENGLISH, Asked, JudgeServer

SHORT = tuple(verb for verb in LOOP if verb.name in ("init", "generate", "score", "pick", "export"))


def test_a_loop_that_was_disturbed_and_run_again_equals_the_quiet_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = ("generate,KILL,commit:2:after", "score,KILL,commit:1", "pick,INT,insert:1", "export,TERM,commit:1:after")
    results = tried(trials, SHORT, tmp_path / "out.json", monkeypatch)
    assert list(results) == ["generate", "score", "pick", "export", "total", "two_folders"]
    total = results["total"]
    assert (total["kills"], total["killed_while_running"]) == (4, 4)
    assert not any(total[name] for name in crash_test.COUNTED)


def test_the_same_holds_where_scores_are_in_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = ("score,KILL,rename:5:after", "score,TERM,commit:2:after")
    loop = tuple(verb for verb in LOOP if verb.name in ("init", "import", "score"))
    total = tried(trials, loop, tmp_path / "out.json", monkeypatch, "--store", "sqlite-columns")["total"]
    assert (total["kills"], total["killed_while_running"]) == (2, 2)
    assert not any(total[name] for name in crash_test.COUNTED)


@pytest.mark.usefixtures("postgresql_server")  # where none can be had, it is skipped
def test_the_same_holds_on_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = ("init,KILL,commit:2", "generate,KILL,commit:2:after")
    total = tried(trials, SHORT[:2], tmp_path / "out.json", monkeypatch, "--store", "postgresql")["total"]
    assert (total["kills"], total["killed_while_running"]) == (2, 2)
    assert not any(total[name] for name in crash_test.COUNTED)


def tried(
    trials: tuple[str, ...], loop: tuple[Verb, ...], out: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> dict[str, Any]:
    """The results of these trials of a short loop."""
    monkeypatch.setattr(crash_test, "LOOP", loop)
    words = [word for trial in trials for word in ("--trial", trial)]
    assert crash_test.main([*words, *more, "--jobs", "1", "--json", str(out)]) == 0
    results: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))["results"]
    return results


def test_kills_are_planned_over_all_verbs_moments_and_signals_and_follow_from_the_seed() -> None:
    events = {"open": 2, "commit": 3}
    run = Run(LOOP, Path(), {verb.name: Quiet(2.0, events, {}, {}, Counter()) for verb in LOOP}, "")
    loops = planned(run, LOOP, 300, seed=1)
    assert loops == planned(run, LOOP, 300, seed=1) != planned(run, LOOP, 300, seed=2)
    assert sum(map(len, loops)) == 300 and [trial.verb for trial in loops[0]] == list(LOOP)
    for loop in loops:
        places = [LOOP.index(trial.verb) for trial in loop]
        assert places == sorted(set(places)), "each verb once, in the order in which they follow each other"
    of_export = [trial for loop in loops for trial in loop if trial.verb.name == "export"]
    assert {trial.sign for trial in of_export} == set(SIGNALS)
    moments = [trial.moment for trial in of_export]
    assert {(m.kind, m.after) for m in moments if isinstance(m, Moment)} == {
        (kind, after) for kind in events for after in (False, True)
    }
    assert all(1 <= m.number <= events[m.kind] for m in moments if isinstance(m, Moment))
    assert all(0 <= m <= 2.0 for m in moments if isinstance(m, float))


@pytest.mark.parametrize("text", ["export,KILL,rename:3:after", "score --judge,INT,commit:1", "init,TERM,0.250"])
def test_what_a_note_names_can_be_read_back(text: str) -> None:
    assert str(Trial.read(text)) == text


@pytest.mark.parametrize(
    "text", ["export", "paint,KILL,1.0", "export,STOP,1.0", "export,KILL,rename:0", "export,KILL,x:1"]
)
def test_what_is_no_trial_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        Trial.read(text)


@pytest.mark.parametrize("after", [False, True])
def test_the_signal_comes_at_its_event_and_only_there(after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(os, "kill", lambda _pid, sign: seen.append(sign))
    watch = Watch(Moment(OPEN, 2, after), signal.SIGTERM)
    for number, kind in enumerate((OPEN, RENAME, OPEN, OPEN)):
        with watch.event(kind):
            seen.append(number)
    assert seen == ([0, 1, 2, signal.SIGTERM, 3] if after else [0, 1, signal.SIGTERM, 2, 3])
    assert watch.counts == {OPEN: 3, RENAME: 1}


def test_a_signal_that_comes_too_late_comes_again_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = tuple(verb for verb in LOOP if verb.name in ("init", "read"))
    total = tried(("read,KILL,commit:999",), loop, tmp_path / "out.json", monkeypatch)["total"]
    assert (total["kills"], total["killed_while_running"]) == (1, 1)


def test_what_a_verb_says_when_all_was_done_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = tuple(verb for verb in LOOP if verb.name in ("init", "import", "backup", "init --from"))
    trials = ("backup,KILL,fsync:2:after", "init --from,KILL,fsync:1:after")
    total = tried(trials, loop, tmp_path / "out.json", monkeypatch)["total"]
    assert (total["kills"], total["killed_while_running"]) == (2, 2)
    assert not any(total[name] for name in crash_test.COUNTED)


def test_rows_are_lost_doubled_or_wrong() -> None:
    found = Found()
    quiet: Counter[tuple[object, ...]] = Counter([("a",), ("b",), ("b",)])
    crash_trial._compare_rows({"scores": Counter([("a",), ("a",), ("b",), ("c",)])}, {"scores": quiet}, found)
    assert (found.lost, found.doubled, found.wrong) == (
        ["1 x scores: ('b',)"],
        ["1 x scores: ('a',)"],
        ["1 x scores: ('c',)"],
    )


def test_half_files_lost_images_and_what_was_left_behind_are_noticed(tmp_path: Path) -> None:
    folder = tmp_path / CAMPAIGN
    (folder / "images").mkdir(parents=True)
    with sqlite3.connect(folder / "campaign.db") as connection:
        connection.execute("CREATE TABLE candidate (task_id TEXT, id TEXT)")
        connection.execute("INSERT INTO candidate VALUES ('1', 'abcdef0123')")
    connection.close()
    before = files_of(tmp_path)
    (folder / "report.zip").write_bytes(b"PK\x03\x04")
    (folder / ".tmp-1-x").write_bytes(b"")
    half, lost = faults_of(tmp_path, FileStore())
    assert half == f"{CAMPAIGN}/report.zip is half a file"
    assert lost == "task 1: the image abcdef01 is missing or damaged"
    found = Found()
    crash_trial._compare_files(files_of(tmp_path), before, found)
    assert found.left_behind == [f"{CAMPAIGN}/.tmp-1-x", f"{CAMPAIGN}/report.zip"]


def test_only_what_was_paid_for_at_the_last_moment_is_on_its_way() -> None:
    service, chat = DashScopeServer(), JudgeServer()
    jobs = [service.state.create({}, "a cat", seed, 1, (64, 64), None) for seed in range(3)]
    ended_at = 1000.0
    long_ago, just_before = ended_at - 2 * ON_ITS_WAY_SECONDS, ended_at - ON_ITS_WAY_SECONDS / 2
    for job, told in zip(jobs, (long_ago, just_before, just_before), strict=True):
        job.told = told
    chat.log += [
        Asked((), (), text, {}, "", True, "good", True, at) for text, at in (("old", long_ago), ("new", just_before))
    ]
    reader = ReadingServer({})
    servers = Servers(service, chat, reader)
    assert servers.on_their_way({jobs[2].id}, ended_at) == {("image", "a cat", "1"): 1, ("answer", "new"): 1}
    assert servers.bill().total() == 5
    service._http.server_close()
    chat._http.server_close()
    reader._http.server_close()


def test_the_chat_server_gives_english_for_a_text_without_pictures() -> None:
    body = {
        "model": "toy-judge",
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "一只猫"}],
    }
    with serving() as servers:
        request = urllib.request.Request(f"{servers.chat_url}/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as reply:
            said: Any = json.load(reply)
    assert said["choices"][0]["message"]["content"] == IN_ENGLISH


def test_two_folders_that_pay_twice_are_a_fault() -> None:
    assert TwoFolders(rounds=1, needed=8, paid=16, beyond=8).faults == 8
    assert TwoFolders().describe() == [] and INIT.words("") == list(INIT.arguments)
