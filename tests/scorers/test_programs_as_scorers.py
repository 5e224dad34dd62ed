"""Programs as scorers, with real child processes: small Python scripts that the tests write."""

from __future__ import annotations

import json
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import noise_jpeg

from scorers.command import Command
from selector.domain import (
    BestshotError,
    InputError,
    Item,
    MissingPart,
    OutOfResources,
    Picture,
    Score,
    Task,
    TaskInputs,
    TaskType,
)
from selector.net import Interrupted
from selector.registry import create_scorer

COLUMN = {"name": "length", "low": 0.0, "high": 100.0, "better": "up", "axis": "sc"}
SOURCE, REFERENCE = noise_jpeg(1, (48, 40)), noise_jpeg(2, (40, 40))
Made = Callable[..., Command]


def item(prompt: str, kind: TaskType = TaskType.T2I, seed: int = 5) -> Item:
    source = None if kind is TaskType.T2I else Picture(SOURCE, "s.jpg")
    reference = Picture(REFERENCE, "r.jpg") if kind is TaskType.DEEPFAKE else None
    names = ("s.jpg" if source else None, "r.jpg" if reference else None)
    inputs = TaskInputs(Task("7", kind, prompt, *names, 0), source, reference)
    return Item(inputs, Picture(noise_jpeg(seed, (40, 40))))


def lengths(scorer: Command, *prompts: str) -> list[Score]:
    return [result["length"] for result in scorer.score([item(prompt) for prompt in prompts])]


def values(scores: Sequence[Score]) -> list[float | None]:
    return [score.value for score in scores]


@pytest.fixture
def program(tmp_path: Path):
    """Makes a scorer of a program's body; ``say`` and ``items`` stand for the protocol. All are closed afterwards."""
    made: list[Command] = []
    preamble = """
        import json, os, sys, time
        def say(item, **told):
            print(json.dumps({"id": item["id"], **told}), flush=True)
        items = (json.loads(line) for line in sys.stdin)
    """

    def write(body: str, **settings: Any) -> Command:
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(preamble) + textwrap.dedent(body), encoding="utf-8")
        given = {"command": [sys.executable, "-S", str(path)], "columns": [COLUMN], "timeout_seconds": 60.0, **settings}
        made.append(Command(**given))
        return made[-1]

    yield write
    for scorer in made:
        scorer.close()


LENGTH = """
    for item in items:
        say(item, scores={"length": len(item["prompt"])})
"""


def test_a_program_is_started_once_and_answers_batch_after_batch(program: Made, tmp_path: Path) -> None:
    scorer = program(f"open({str(tmp_path / 'starts')!r}, 'a').write('x')\n" + textwrap.dedent(LENGTH))
    assert values(lengths(scorer, "a", "abc")) == [1, 3]
    assert values(lengths(scorer, "abcd")) == [4]
    assert (tmp_path / "starts").read_text() == "x"


def test_it_is_told_all_of_an_item_and_the_last_of_a_batch(program: Made, tmp_path: Path) -> None:
    body = f"""
        for item in items:
            for role in ("picture", "source", "reference"):
                item[role] = item[role] and len(open(item[role], "rb").read())
            open({str(tmp_path / "told")!r}, "a").write(json.dumps(item) + "\\n")
            say(item, scores={{}})
    """
    prompt = 'a red cube left of a blue ball, with the text "海 \u2028 $(x)"'
    program(body).score([item(prompt), item("", TaskType.DEEPFAKE)])
    first, last = map(json.loads, (tmp_path / "told").read_text().splitlines())
    assert (first["task"], first["type"], first["prompt"], first["left"]) == ("7", "t2i", prompt, 1)
    assert (first["source"], first["reference"], last["left"]) == (None, None, 0)
    assert first["reading"]["scene"]["relations"][0]["kind"] == "left"
    assert (last["type"], last["source"], last["reference"]) == ("deepfake", len(SOURCE), len(REFERENCE))
    assert len({first["id"], last["id"]}) == 2


def test_answers_may_come_in_any_order_between_other_lines(program: Made) -> None:
    body = """
        batch = []
        for item in items:
            batch.append(item)
            print("\\nLoading checkpoint shards: 100%\\n\\n", flush=True)
            if item["left"] == 0:
                for one in reversed(batch):
                    say(one, scores={"length": len(one["prompt"])})
                print('{"id": "999", "scores": {"length": 1}}\\n[1]\\n', flush=True)
                batch = []
    """
    scorer = program(body)
    for _ in range(3):
        assert values(lengths(scorer, "a", "ab", "abc")) == [1, 2, 3]


@pytest.mark.parametrize("noise", ["", "\n\n", " ", "null", "{}", '{"end": true}', '{"end": "0"}', "[]", "end"])
def test_what_a_library_prints_before_the_answers_ends_no_batch(program: Made, noise: str) -> None:
    body = f"""
        print({noise!r}, flush=True)
        for item in items:
            print({noise!r}, flush=True)
            say(item, scores={{"length": len(item["prompt"])}})
    """
    scorer = program(body)
    assert values(lengths(scorer, "a", "ab")) == [1, 2] and values(lengths(scorer, "abc")) == [3]


def test_what_is_left_out_of_a_batch_that_ended_is_no_score_and_the_program_lives_on(
    program: Made, tmp_path: Path
) -> None:
    body = f"""
        open({str(tmp_path / "starts")!r}, "a").write("x")
        for item in items:
            if item["prompt"] == "ab":
                say(item, scores={{"length": 2}})
            if item["left"] == 0:
                print(json.dumps({{"end": item["id"]}}), flush=True)
    """
    scorer = program(body)
    for _ in range(3):  # an end that comes after a whole batch is not the end of the next one
        with pytest.raises(BestshotError, match="ended a batch with 2 unanswered: give each scores or a reason"):
            lengths(scorer, "a", "ab", "abc")
        assert values(lengths(scorer, "ab")) == [2]
    assert (tmp_path / "starts").read_text() == "x"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("float('nan')", "the program gave NaN or an infinite number where a number is wanted"),
        ("float('-inf')", "the program gave NaN or an infinite number where a number is wanted"),
        ("'7/10'", "the program gave a text where a number is wanted"),
        ("True", "the program gave true or false where a number is wanted"),
        ("[7]", "the program gave a list where a number is wanted"),
        ("{}", "the program gave an object where a number is wanted"),
        ("100.5", "the program gave a value outside the range 0 to 100"),
        ("10 ** 400", "the program gave a value outside the range 0 to 100"),
        ("None", "the program gave no value for this column"),
    ],
)
def test_what_is_no_number_in_range_is_unscored(program: Made, said: str, reason: str) -> None:
    body = f"""
        for item in items:
            say(item, scores={{"length": {said}, "other": 1}})
    """
    assert lengths(program(body), "a") == [Score.unscored(reason)]


def test_a_reason_of_the_program_is_kept_without_places_secrets_and_controls(program: Made, monkeypatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-very-secret-123")
    body = """
        for item in items:
            say(item, reason=f"cannot read {item['picture']}: \\x1b[31m {os.environ['JUDGE_KEY']} " + "x" * 500)
    """
    (score,) = lengths(program(body, env=["JUDGE_KEY"]), "a")
    assert score.reason is not None and score.reason.startswith("cannot read picture: ")
    assert "secret" not in score.reason and "\x1b" not in score.reason and len(score.reason) <= 203


def test_a_secret_that_is_not_named_stays_here(program: Made, monkeypatch) -> None:
    monkeypatch.setenv("OTHER_TOKEN", "x")
    body = """
        for item in items:
            say(item, scores={"length": int("OTHER_TOKEN" in os.environ)})
    """
    assert values(lengths(program(body), "a")) == [0]


def test_one_that_dies_is_started_anew_once_and_asked_what_was_open(program: Made, tmp_path: Path) -> None:
    body = f"""
        again = os.path.exists({str(tmp_path / "mark")!r})
        for item in items:
            if item["prompt"] == "ab" and not again:
                open({str(tmp_path / "mark")!r}, "w").close()
                sys.exit("out of luck")
            say(item, scores={{"length": len(item["prompt"]) + 10 * again}})
    """
    assert values(lengths(program(body), "a", "ab", "abc")) == [1, 12, 13]


def test_one_that_dies_on_a_picture_is_a_failure_and_serves_the_next(program: Made) -> None:
    body = """
        for item in items:
            if item["prompt"] == "bad":
                sys.exit("RuntimeError: no such layer")
            say(item, scores={"length": len(item["prompt"])})
    """
    scorer = program(body)
    wanted = r"ended with status 1 before it had answered: RuntimeError: no such layer"
    for _ in range(3):
        with pytest.raises(BestshotError, match=wanted):
            lengths(scorer, "a", "bad")
        assert values(lengths(scorer, "abc")) == [3]


def test_one_that_never_answers_is_given_up_after_a_few_starts(program: Made, tmp_path: Path) -> None:
    scorer = program(f"open({str(tmp_path / 'starts')!r}, 'a').write('x')\nsys.exit('no GPU')")
    for _ in range(20):
        with pytest.raises(BestshotError):
            lengths(scorer, "a")
    with pytest.raises(BestshotError, match="has answered nothing in a row of tries"):
        lengths(scorer, "a")
    assert len((tmp_path / "starts").read_text()) <= 8


def test_one_that_is_too_slow_is_killed_with_its_children_and_nothing_is_stored(program: Made, tmp_path: Path) -> None:
    body = f"""
        import subprocess
        child = subprocess.Popen(["sleep", "600"])
        open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
        say(next(items), scores={{"length": 1}})
        time.sleep(600)
    """
    began = time.monotonic()
    with pytest.raises(BestshotError, match=r"did not answer all of a batch within 4\.5 s"):
        lengths(program(body, timeout_seconds=4.5), "a", "b")
    assert time.monotonic() - began < 30
    child = int((tmp_path / "child").read_text())
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or "Z" in state.read_text().split()[2]


@pytest.mark.parametrize(
    ("flood", "reason"),
    [
        ("sys.stdout.write('x' * 10_000_000)", "wrote a line of over 65 kB to stdout"),
        ("[print('y' * 60_000) for _ in range(1000)]", "wrote over 16 MB to stdout"),
    ],
)
def test_one_that_floods_its_stdout_is_killed(program: Made, flood: str, reason: str) -> None:
    with pytest.raises(BestshotError, match=reason):
        lengths(program(f"{flood}\nsys.stdout.flush()\ntime.sleep(600)"), "a")


def test_a_batch_that_is_longer_than_a_pipe_waits_for_nobody(program: Made) -> None:
    """The program writes more than a pipe holds before it reads, and so do we."""
    body = """
        for _ in range(4000):
            print("chatter " * 10)
        for item in items:
            print("more chatter " * 2000)
            say(item, scores={"length": len(item["prompt"]) / 10_000})
    """
    assert values(lengths(program(body), *(["z" * 90_000] * 8))) == [9] * 8


def test_one_that_sigkill_ended_ends_the_run(program: Made) -> None:
    with pytest.raises(OutOfResources, match="killed by SIGKILL, as happens when memory runs out"):
        lengths(program("os.kill(os.getpid(), 9)"), "a")


def test_one_that_closes_its_stdout_and_lingers_is_a_failure_and_no_want_of_memory(program: Made) -> None:
    body = """
        print("leaving", file=sys.stderr, flush=True)
        os.close(1)
        time.sleep(600)
    """
    with pytest.raises(BestshotError, match="closed its stdout before it had answered: leaving"):
        lengths(program(body), "a")


def test_close_ends_what_is_under_way_in_another_thread(program: Made) -> None:
    scorer = program("time.sleep(600)")
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            lengths(scorer, "a")
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    scorer.close()
    thread.join(15)
    assert [type(error) for error in caught] == [Interrupted]
    with pytest.raises(Interrupted):
        lengths(scorer, "a")


def test_a_program_need_not_be_in_python(tmp_path: Path) -> None:
    path = tmp_path / "five"
    answer = r"""s/.*"id": "\([^"]*\)".*/{"id": "\1", "scores": {"length": 5}}/"""
    path.write_text(f"#!/bin/sh\nwhile read -r line; do printf '%s\\n' \"$line\" | sed '{answer}'; done\n")
    path.chmod(0o755)
    scorer = Command([str(path)], [COLUMN], timeout_seconds=30.0)
    try:
        assert values(lengths(scorer, "a", "海")) == [5, 5] == values(lengths(scorer, "b", "c"))
    finally:
        scorer.close()


def test_several_programs_work_at_once_where_they_may(program: Made) -> None:
    body = """
        for item in items:
            time.sleep(1)
            say(item, scores={"length": os.getpid() % 100})
    """
    scorer = program(body, parallel=2)
    threads = [threading.Thread(target=lengths, args=(scorer, "a")) for _ in range(2)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 1.9 or len(scorer._programs) == 2


def test_an_unknown_program_is_missing_with_the_cure(program: Made) -> None:
    scorer = Command(["/no/such/program"], [COLUMN])
    with pytest.raises(MissingPart, match="is not found or cannot be executed: install it"):
        scorer.check()
    with pytest.raises(MissingPart, match="no command is set"):
        Command().check()
    with pytest.raises(MissingPart, match="export SOME_KEY="):
        program(LENGTH, env=["SOME_KEY"]).check()


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"command": "python x.py"}, "must be a list of strings"),
        ({"columns": []}, "columns is empty: declare what the program measures"),
        ({"columns": {"name": "a"}}, "columns must be a list of tables such as"),
        ({"columns": [{**COLUMN, "better": "more"}]}, "column 'length': better must be one of up, down; got 'more'"),
        ({"columns": [{**COLUMN, "axis": "both"}]}, "axis must be one of sc, pq, gate"),
        ({"columns": [{**COLUMN, "low": 100}]}, r"its range \[100, 100\] is none"),
        ({"columns": [{**COLUMN, "high": "x"}]}, "high must be a finite number"),
        ({"columns": [{**COLUMN, "hihg": 1}]}, r"a column has no 'hihg' \(did you mean 'high'\?\)"),
        ({"columns": [COLUMN, COLUMN]}, "column 'length' is declared twice"),
        ({"columns": [{"name": "a"}]}, "'low' is missing"),
        ({"timeout_seconds": 0}, "timeout_seconds must be a number"),
        ({"task_types": ["tei"]}, r"no task type 'tei' \(did you mean 'tie'\?\)"),
        ({"version": ""}, "version must be a text"),
        ({"env": ["sk-123"]}, "names of environment variables, never their values"),
    ],
)
def test_a_wrong_setting_is_told(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        Command(**{"command": ["python"], "columns": [COLUMN], **settings})


def test_the_version_follows_the_programs_files_and_ranges_and_not_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))  # elsewhere python3 may be a script that chooses one
    one, other = tmp_path / "a.py", tmp_path / "b.py"
    one.write_text("1")
    other.write_text("1")

    def version(path: Path, program: str = sys.executable, **more: Any) -> str:
        settings = {"command": [program, str(path), "--size=7b"], "columns": [COLUMN], **more}
        return create_scorer("command", settings).version

    assert version(one) == version(other) == version(one, "python3") == version(one, timeout_seconds=5.0)
    assert version(one) == version(one, columns=[{**COLUMN, "better": "down"}])  # the numbers are the same
    different = [version(one), version(one, version="2"), version(one, reading=False)]
    different.append(version(one, columns=[{**COLUMN, "high": 5.0}]))
    one.write_text("2, and longer")
    different.append(version(one))
    assert len(set(different)) == 5
