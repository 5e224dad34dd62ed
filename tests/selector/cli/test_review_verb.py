"""`bestshot review` from the shell."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from selector import Campaign
from selector.cli import _review_verb
from selector.domain import InputError
from selector.review.serving import Review


@pytest.fixture
def folder(campaign: Campaign) -> Path:
    campaign.close()
    return campaign.folder


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "selector.cli", "review", "-C", str(folder), "--no-browser", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_it_prints_its_address_and_ends_by_an_interrupt(folder: Path) -> None:
    process = started(folder, "--json")
    assert process.stdout is not None
    document = process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
    url = json.loads(document)["url"]
    assert requests.get(f"{url}api/state", timeout=30).json()["tasks"] == 3
    with requests.get(f"{url}api/events", stream=True, timeout=30) as listening:  # an open page holds nothing up
        next(listening.iter_lines())
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


@pytest.mark.parametrize("writable", [True, False])
def test_it_says_who_may_decide(
    folder: Path, writable: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: writable)
    monkeypatch.setattr(Review, "wait", lambda _: None)
    with Campaign(folder) as campaign:
        _review_verb.show_page(campaign)
    assert ("can decide here" if writable else "can look, and change nothing") in capsys.readouterr().out


def test_a_port_that_is_taken_is_one_line(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Campaign(folder) as campaign, pytest.raises(InputError, match=f"port {port} cannot be used"):
            campaign.review(port=port)


def test_the_page_is_on_this_machine_alone(folder: Path) -> None:
    with Campaign(folder) as campaign, campaign.review() as page:
        assert page.url.startswith("http://127.0.0.1:") and len(page.url.split("/")[3]) >= 32
