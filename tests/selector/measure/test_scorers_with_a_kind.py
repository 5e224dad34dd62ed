"""Scorers under names of their own: several of a kind, run, stored, known to later verbs, and ended with the run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from selector import Campaign
from selector.config import check_names, parse_config
from selector.domain import InputError

Run = Callable[..., tuple[int, str, str]]
PROGRAM = """
import json, os, sys
open(os.environ["PIDS"], "a").write(f"{os.getpid()}\\n")
for line in sys.stdin:
    item = json.loads(line)
    size = len(open(item["picture"], "rb").read())
    print(json.dumps({"id": item["id"], "scores": {"size": size * float(sys.argv[1])}}), flush=True)
"""


def table(name: str, program: Path, factor: str) -> str:
    return f"""
[scorers.{name}]
kind = "command"
command = [{json.dumps(sys.executable)}, "-S", {json.dumps(str(program))}, "{factor}"]
columns = [{{ name = "size", low = 0.0, high = 1e6, better = "up", axis = "pq" }}]
"""


@pytest.fixture
def two(campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a campaign with two programs as scorers, which note their process ids."""
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    program = tmp_path / "size.py"
    program.write_text(PROGRAM, encoding="utf-8")
    campaign.generate()
    campaign.close()
    path = campaign.folder / "campaign.toml"
    text = re.sub(r"^scorers = .*$", 'scorers = ["technical", "whole", "half"]', path.read_text(), flags=re.MULTILINE)
    path.write_text(text + table("whole", program, "1") + table("half", program, "0.5"), encoding="utf-8")
    return campaign.folder


def test_two_programs_score_under_their_own_names_and_end_with_the_run(two: Path, run: Run, tmp_path: Path) -> None:
    code, out, _ = run("score", "-C", two, "--json")
    assert code == 0
    summary = json.loads(out)
    assert (summary["candidates"], summary["values"], summary["failures"]) == (9, 27, {})
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2, "each is started once for the run"
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert json.loads(run("score", "-C", two, "--json")[1])["values"] == 0
    assert len((tmp_path / "pids").read_text().split()) == 2, "with nothing to score none is started"


def test_a_program_that_cannot_start_its_work_is_told_once_with_its_first_reason(
    two: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "size.py").write_text("import sys\nsys.exit('no module hpsv9: install it')\n", encoding="utf-8")
    code, out, _ = run("score", "-C", two)
    assert code == 1
    (whole,) = (line for line in out.splitlines() if line.startswith("whole "))
    assert "measured nothing and failed 9 times, first with: command: python" in whole
    assert whole.endswith("no module hpsv9: install it")
    assert "BestshotError" not in out and "in a row" not in out
    broken = json.loads(run("score", "-C", two, "--json")[1])["broken"]
    assert {name: one["times"] for name, one in broken.items()} == {"whole": 9, "half": 9}


def test_a_program_that_has_measured_before_is_not_called_broken(two: Path, run: Run, tmp_path: Path) -> None:
    text = PROGRAM.replace(
        "    size =", "    if os.path.exists(os.environ['PIDS'] + '.bad'): sys.exit('no more')\n    size ="
    )
    (tmp_path / "size.py").write_text(text, encoding="utf-8")
    assert run("score", "-C", two)[0] == 0
    (tmp_path / "pids.bad").touch()
    assert run("generate", "-C", two, "-n", "4")[0] == 0
    code, out, _ = run("score", "-C", two)
    assert (code, "failed, and tried again by the next run:" in out, "measured nothing" in out) == (0, True, False)


def test_later_verbs_know_their_columns(two: Path, run: Run) -> None:
    assert run("score", "-C", two)[0] == 0
    assert run("pick", "-C", two)[0] == 0
    explained = run("explain", "3", "-C", two, "--json")[1]
    assert "whole.size" in explained and "half.size" in explained
    _, doctor, _ = run("doctor", "-C", two)
    assert "scorer whole" in doctor and "scorer half" in doctor


@pytest.mark.parametrize(
    ("scorers", "fault"),
    [
        ({"mine": {"kind": "comand"}}, r"\[scorers.mine\] has the unknown kind 'comand' \(did you mean 'command'\?\)"),
        ({"gate": {"kind": "command"}}, r"'gate' is a scorer already: give \[scorers.gate\] another name"),
        ({"imported": {"kind": "command"}}, "'imported' is a scorer already"),
        ({"a.b": {"kind": "command"}}, "letters, digits, _ and - only, got 'a.b'"),
        ({"mine": {"command": ["x"]}}, "names the scorer 'mine', which is not known"),
    ],
)
def test_a_name_that_cannot_be_is_told(scorers: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        check_names(parse_config({"profile": "mini-png", "scorers": scorers}))


def test_ctrl_c_ends_a_run_that_waits_for_its_program_and_the_program(two: Path, tmp_path: Path) -> None:
    (tmp_path / "size.py").write_text(
        "import os, time\nopen(os.environ['PIDS'], 'a').write(f'{os.getpid()}\\n')\ntime.sleep(600)", encoding="utf-8"
    )
    config = two / "campaign.toml"
    config.write_text(config.read_text().replace("toy = 3", "retouch = 3"))  # a toy of this process alone
    run = subprocess.Popen([sys.executable, "-m", "selector.cli", "score", "-C", str(two)], stderr=subprocess.PIPE)
    pids = tmp_path / "pids"
    deadline = time.monotonic() + 60
    while (
        not (pids.exists() and pids.read_text().endswith("\n")) and run.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 130 and b"run the same command again to go on" in stderr
    assert b"finished first, 5 s at most; Ctrl-C again ends at once" in stderr
    assert not [pid for pid in pids.read_text().split() if Path(f"/proc/{pid}").exists()]
