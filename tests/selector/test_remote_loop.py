"""The whole loop by the command line on sixty tasks of all four types, with services on loopback, and with kills."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from selector import Campaign
from selector.demo import DemoContest
from tests.servers.dashscope_server import Behaviour, DashScopeServer

KEY = "sk-loop-8f3b1c77d2a94e06b5"
ENV = "BESTSHOT_LOOP_KEY"
EACH = 15
EMOJI = "a 🦊 under a tree, 'single', back\\slash, {braces} and %s"


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[DashScopeServer, DashScopeServer]]:
    """A service with faults and refusals, and one without; both ask for the key."""
    shares = {"429": 0.05, "500": 0.03, "html": 0.02, "truncated": 0.02, "poll-429": 0.03, "drop": 0.02}
    shares |= {"refuse": 0.1, "failed-refuse": 0.1}  # these two go by the prompt alone, however often it is asked
    usual = {"key": KEY, "running": 8, "job_seconds": 0.4, "picture_px": 160}
    with DashScopeServer(Behaviour(shares=shares, **usual)) as faulty, DashScopeServer(Behaviour(**usual)) as calm:
        yield faulty, calm


_HEARD_SECONDS = 1.0  # from a reply's leaving to its row, on a busy machine


def contest(place: Path, demo: DemoContest) -> tuple[Path, Path]:
    """(table, images): EACH tasks of every type, pictures under names with a space and Chinese."""
    rows = [line.split(",") for line in demo.table.read_text(encoding="utf-8-sig").splitlines()]
    swap = next(row for row in rows if row[1] == "deepfake")
    images = place / "images"
    images.mkdir()
    scenes = {}
    for i, name in enumerate((swap[-2], swap[-1])):
        scenes[i] = f"图片 {i}.jpg"
        shutil.copy(demo.images / name, images / scenes[i])
    lines = ["index,task_type,prompt,ori_image,target_image"]
    for i in range(EACH):
        t2i = {0: '"say ""hi""\nin two lines"', 1: f'"{EMOJI}"', 2: "word " * 1000}.get(i, f"猫 {i}")
        lines += [f"{10 * i},t2i,{t2i},,", f"{10 * i + 1},tie,make the sky number {i} green,{scenes[0]},"]
        lines += [
            f'{10 * i + 2},vttie,"把文字改成“你好{i}”",{scenes[1]},',
            f"{10 * i + 3},deepfake,,{scenes[0]},{scenes[1]}",
        ]
    table = place / "任务 table.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table, images


def make(place: Path, demo: DemoContest, services: tuple[DashScopeServer, DashScopeServer]) -> Path:
    """A campaign folder: jobs at the faulty service, what it refuses at the calm one, swaps on this machine."""
    table, images = contest(place, demo)
    folder = place / "campaign"
    bestshot("init", str(folder), "--tasks", str(table), "--images", str(images), "--team", "loop")
    faulty, calm = services
    text = (folder / "campaign.toml").read_text(encoding="utf-8")
    plans = {
        "t2i": "{ wanx = { n = 2, prompts = ['as_is', 'suffix'], finishes = ['sharpen'] }, "
        "spare = { reserve = true } }",
        "tie": "{ edit = 1, spare-edit = { reserve = true } }",
        "vttie": "{ edit = 1, spare-edit = { reserve = true } }",
        "deepfake": "{ faceswap = 1 }",
    }
    for kind, plan in plans.items():
        text = re.sub(rf"(?m)^{kind} = .*$", f"{kind} = {plan}", text)
    text = re.sub(r"(?m)^scorers = .*$", 'scorers = ["gate", "technical"]', text)
    text += "\n".join(
        (
            '\n[generators.wanx]\nkind = "dashscope"\nservice = "faulty"',
            '[generators.edit]\nkind = "dashscope"\nservice = "faulty"\nmodel = "wanx2.1-imageedit"',
            '[generators.spare]\nkind = "dashscope"\nservice = "calm"\nmodel = "wanx2.1-t2i-plus"',
            '[generators.spare-edit]\nkind = "dashscope"\nservice = "calm"\nmodel = "wanx2.1-imageedit"',
            *(
                f'[services.{name}]\nbase_url = "{server.url}"\nkey_env = "{ENV}"\nrunning = 8\n'
                "submits_per_second = 0\npolls_per_second = 0\nbackoff_seconds = 0.05"
                for name, server in (("faulty", faulty), ("calm", calm))
            ),
            "",
        )
    )
    (folder / "campaign.toml").write_text(text, encoding="utf-8")
    return folder


def bestshot(*arguments: str) -> str:
    """What the command prints; it must end well."""
    done = subprocess.run(command(arguments), env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    assert KEY not in done.stdout + done.stderr
    return done.stdout


def command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "selector.cli", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, ENV: KEY, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def rest_of_the_loop(folder: Path) -> Path:
    """Score, pick, export, verify; returns the ZIP."""
    for verb in ("score", "pick"):
        bestshot(verb, "-C", str(folder))
    exported = Path(json.loads(bestshot("export", "-C", str(folder), "--json"))["zip_path"])
    assert json.loads(bestshot("verify", str(exported), "-C", str(folder), "--json"))["valid"]
    return exported


@pytest.fixture(scope="module")
def quiet(
    tmp_path_factory: pytest.TempPathFactory,
    demo_contest: DemoContest,
    services: tuple[DashScopeServer, DashScopeServer],
) -> Path:
    """A campaign that nobody disturbed, exported."""
    folder = make(tmp_path_factory.mktemp("quiet"), demo_contest, services)
    bestshot("generate", "-C", str(folder))
    rest_of_the_loop(folder)
    return folder


def rows(folder: Path, query: str) -> Counter[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        return Counter(connection.execute(query).fetchall())


def test_every_task_gets_an_answer_and_the_zip_is_verified(quiet: Path) -> None:
    with Campaign(quiet) as campaign:
        status = campaign.status()
    assert {name: t.tasks for name, t in status.types.items()} == dict.fromkeys(
        ("t2i", "tie", "vttie", "deepfake"), EACH
    )
    assert all(t.without_candidates == 0 and t.picked == EACH for t in status.types.values()), status.types


def test_what_was_refused_was_made_by_the_reserve_alone_and_says_so(quiet: Path) -> None:
    outcomes = "SELECT task_id, generator, outcome FROM attempt WHERE params NOT LIKE '%\"finish\"%'"
    refused = {"wanx": Counter[str](), "edit": Counter[str]()}
    spare = {"spare": Counter[str](), "spare-edit": Counter[str]()}
    for (task_id, generator, outcome), n in rows(quiet, outcomes).items():
        if generator in refused and outcome != "made":
            refused[str(generator)][str(task_id)] += n
        if generator in spare:
            assert outcome == "made"
            spare[str(generator)][str(task_id)] += n
    assert refused["wanx"] == spare["spare"] and refused["edit"] == spare["spare-edit"]
    assert refused["wanx"] and refused["edit"], "the faulty service refuses some of both"
    reasons = rows(quiet, "SELECT DISTINCT reason FROM attempt WHERE outcome = 'declined' AND generator = 'wanx'")
    assert any("DataInspectionFailed" in str(reason) for (reason,) in reasons)


def test_wordings_and_finishes_are_variants(quiet: Path) -> None:
    variants = {row[0] for row in rows(quiet, "SELECT variant FROM attempt WHERE generator = 'wanx'")}
    assert variants == {"", "suffix", "sharpen", "suffix + sharpen"}


def test_kills_change_nothing_of_what_is_exported_and_pay_for_nothing_twice(
    quiet: Path, tmp_path: Path, demo_contest: DemoContest, services: tuple[DashScopeServer, DashScopeServer]
) -> None:
    folder = make(tmp_path, demo_contest, services)
    kills: list[float] = []
    for seconds in (0.3, 1.1, 0.6):
        process = subprocess.Popen(
            command(["generate", "-C", str(folder)]),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not rows(folder, "SELECT 1 FROM planning") and process.poll() is None:
            time.sleep(0.02)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        kills.append(time.time())
        process.wait()
    bestshot("generate", "-C", str(folder))
    made = "SELECT task_id, generator, recipe_key, candidate_id FROM attempt WHERE outcome = 'made'"
    assert rows(folder, made) == rows(quiet, made)
    assert max(rows(folder, made).values()) == 1
    theirs = next((quiet / "submissions").rglob("*.zip"))
    assert rest_of_the_loop(folder).read_bytes() == theirs.read_bytes()
    jobs = Counter(row[0] for row in rows(folder, "SELECT ticket FROM job"))
    known = set(jobs) | {row[0] for row in rows(quiet, "SELECT ticket FROM job")}
    paid = [job for server in services for job in server.state.jobs.values() if job.made and job.id not in known]
    unheard = [job for job in paid if not any(0 <= kill - job.told < _HEARD_SECONDS for kill in kills)]
    assert all(job.lost for job in unheard), "only a job whose reply had just left, or never arrived, is unknown"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_what_a_model_answered_at_once_is_not_paid_again_when_its_downloads_were_interrupted(
    tmp_path: Path, sign: signal.Signals
) -> None:
    table = tmp_path / "task.csv"
    rows_of = [f"{i},t2i,a cat {i} @download-500,," for i in range(6)]  # each picture fails at its first download
    table.write_text("\n".join(["index,task_type,prompt,ori_image,target_image", *rows_of]) + "\n", encoding="utf-8")
    (tmp_path / "in").mkdir()
    folder = tmp_path / "campaign"
    with DashScopeServer(Behaviour(key=KEY, job_seconds=0.1, picture_px=64)) as server:
        service = {"base_url": server.url, "key_env": ENV, "running": 8, "downloads": 16, "submits_per_second": 0}
        generators = {"qwen": {"kind": "dashscope", "model": "qwen-image", "service": "calm"}}
        services = {"calm": {**service, "backoff_seconds": 60}}
        Campaign.init(
            folder, table, tmp_path / "in", generate={"t2i": {"qwen": 1}}, generators=generators, services=services
        ).close()
        arguments = command(["generate", "-C", str(folder)])
        process = subprocess.Popen(
            arguments, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
        )
        ends = time.monotonic() + 60
        while server.state.requests["downloads"] < 6 and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
        process.send_signal(sign)
        process.wait(30)
        assert not rows(folder, "SELECT 1 FROM attempt") and len(rows(folder, "SELECT ticket FROM job")) == 6
        bestshot("generate", "-C", str(folder))
        assert sum(rows(folder, "SELECT id FROM attempt WHERE outcome = 'made'").values()) == 6
        stats = server.state.stats()
    assert (stats["paid"], stats["requests"]["submits"], stats["violations"]) == (6, 6, {})


def test_no_file_log_row_or_message_holds_a_part_of_the_key(quiet: Path) -> None:
    parts = [KEY[i : i + 8].encode() for i in range(len(KEY) - 7)]
    for path in [p for p in quiet.rglob("*") if p.is_file()]:
        data = path.read_bytes()
        assert not [part for part in parts if part in data], path
    for verb in (["status"], ["doctor"], ["generate", "--dry-run"], ["generate", "--json"], ["status", "--json"]):
        said = bestshot(*verb, "-C", str(quiet)).encode()
        assert not [part for part in parts if part in said], verb


def test_a_second_run_asks_the_services_for_nothing(
    quiet: Path, services: tuple[DashScopeServer, DashScopeServer]
) -> None:
    before = [dict(server.state.requests) for server in services]
    assert json.loads(bestshot("generate", "-C", str(quiet), "--json"))["made"] == 0
    assert [dict(server.state.requests) for server in services] == before
