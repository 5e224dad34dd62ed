"""The command line as a function of a program: what it sets for its own run is as before afterwards."""

import gc
import signal

import pytest

from selector.cli.main import main


def test_garbage_is_looked_for_as_often_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    before = gc.get_threshold()
    with pytest.raises(SystemExit):
        main(["--version"])
    assert gc.get_threshold() == before and capsys.readouterr().out


def test_signals_are_heard_by_whom_they_were_before(capsys: pytest.CaptureFixture[str]) -> None:
    def heard() -> list[object]:
        return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    before = heard()
    with pytest.raises(SystemExit):
        main(["--version"])
    assert heard() == before and capsys.readouterr().out
