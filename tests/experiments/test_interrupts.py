"""Children hear Ctrl-C although the shell that started the tests told them to ignore it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from interrupts import hear_interrupts

HANDLER = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
TRIES_CONFTEST = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); import conftest; " + HANDLER


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_children_hear_ctrl_c_although_it_was_ignored_here() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        hear_interrupts()
        heard = subprocess.run([sys.executable, "-c", HANDLER], capture_output=True, text=True, check=True).stdout
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard.strip() == "True"


def test_a_handler_that_is_there_stays() -> None:
    def own(*_: object) -> None:
        """Does nothing."""

    before = signal.signal(signal.SIGINT, own)
    try:
        hear_interrupts()
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_suite_takes_ctrl_c_again_when_it_starts() -> None:
    tests = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", TRIES_CONFTEST], cwd=tests, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
