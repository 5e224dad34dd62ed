"""Colour and groups for a person at a terminal; piped text, NO_COLOR and a dumb terminal have none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.support.synthetic_campaign import make_campaign, write_contest
from selector.cli._colour import painted
from selector.cli.common import by_scorer, counted

ESCAPE = "\x1b["


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("campaign")
    write_contest(place / "contest", 8, 0)
    make_campaign(place / "campaign", place / "contest", 0)
    return place / "campaign"


def shown(*arguments: object, **environment: str) -> str:
    """What the program prints to a terminal."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    master, slave = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm-256color", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "selector.cli", *map(str, arguments)], stdout=slave, stderr=slave, env=env
    )
    os.close(slave)
    told = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # so Linux tells that nobody writes any more
            break
        if not part:
            break
        told += part
    os.close(master)
    assert process.wait() == 0, told
    return told.decode().replace("\r\n", "\n")


def test_status_at_a_terminal_has_colours_and_says_the_same_as_without(campaign: Path) -> None:
    coloured = shown("status", "-C", campaign)
    assert ESCAPE in coloured
    plain = shown("status", "-C", campaign, NO_COLOR="1")
    assert ESCAPE not in plain
    assert ESCAPE not in shown("status", "-C", campaign, TERM="dumb")
    piped = subprocess.check_output([sys.executable, "-m", "selector.cli", "status", "-C", str(campaign)], text=True)
    assert piped == plain
    bare = "".join(part.partition("m")[2] if i else part for i, part in enumerate(coloured.split(ESCAPE)))
    assert bare == plain


def test_doctor_at_a_terminal_names_first_what_needs_a_hand(campaign: Path) -> None:
    told = shown("doctor", "-C", campaign, NO_COLOR="1")
    titles = [line.partition(" (")[0] for line in told.splitlines() if line.startswith(("needs", "ready", "not used "))]
    assert titles in (["needs a hand", "ready", "not used here"], ["ready", "not used here"])
    piped = subprocess.check_output([sys.executable, "-m", "selector.cli", "doctor", "-C", str(campaign)], text=True)
    assert "ready (" not in piped


def test_what_needs_a_hand_stands_out_and_a_header_is_bold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.cli._colour.wants_colour", lambda: True)
    text = "    what  finding\n--  ----  -------\nok  a     fine\n--  b     gone\n    c     not used: x\nplain"
    header, rule, fine, gone, aside, plain = painted(text).split("\n")
    assert header.startswith("\x1b[1m")
    assert rule.startswith("\x1b[2m")
    assert fine.startswith("\x1b[32m\x1b[1mok\x1b[0m  a")
    assert gone.startswith("\x1b[31m\x1b[1m--\x1b[0m  b")
    assert aside.startswith("\x1b[2m")
    assert plain == "plain"


def test_columns_of_a_scorer_that_share_a_reason_are_one_line() -> None:
    reasons = {"technical.noise: too small": 3, "technical.blocking: too small": 4, "ocr_text.rest: no text": 9}
    assert counted(by_scorer(reasons)) == ["  9 x ocr_text.rest: no text", "  7 x technical (2 columns): too small"]
