"""``--verbose`` tells on stderr what happens inside, with the time; without it, and in a library, nothing is said."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from installed_plug_ins import add_entry_points

from selector import Campaign
from selector.cli.main import group, main

Files = Callable[[Sequence[str]], tuple[Path, Path]]
LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} bestshot\.[a-z.]+: .+")


@pytest.fixture
def folder(toys: None, tmp_path: Path, contest_files: Files, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """A campaign that names a plug-in which cannot be loaded."""
    add_entry_points(monkeypatch, tmp_path / "site", "gone", {"bestshot.scorers": {"gone": "no_such_module:X"}})
    table, images = contest_files(["brighter"])
    settings = {"generate": {"tie": {"toy": 1}}, "score": {"scorers": ["technical", "gone"]}}
    with Campaign.init(tmp_path / "campaign", table, images, **settings) as campaign:
        campaign.generate()
        return campaign.folder


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, list[str]]:
    with pytest.raises(SystemExit):
        main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return captured.out, captured.err.splitlines()


@pytest.mark.parametrize("place", ["before the verb", "after the verb", "both"])
def test_verbose_tells_each_thing_once_with_the_time(
    folder: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    before = ["--verbose"] if place != "after the verb" else []
    after = ["--verbose"] if place != "before the verb" else []
    out, told = call(capsys, *before, "score", "--json", *after, "-C", folder)
    assert json.loads(out)["candidates"] == 1
    assert told and all(LINE.fullmatch(line) for line in told), told
    assert sum(line.endswith("campaign.db") for line in told) == 1
    assert sum("scorer 'gone' is left out" in line and "no_such_module" in line for line in told) == 1


def test_nothing_is_told_unless_it_is_asked_for_and_nothing_after_the_call(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, "--verbose", "status", "-C", folder)
    assert call(capsys, "score", "-C", folder)[1] == []
    logger = logging.getLogger("bestshot")
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]
    assert logger.level == logging.NOTSET


def test_a_name_with_escapes_and_newlines_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    @group.command("tell-me")
    def tell() -> None:
        logging.getLogger("bestshot.test").warning("a\nb\x1b[31mc 汉字")

    try:
        _, told = call(capsys, "--verbose", "tell-me")
    finally:
        del group.commands["tell-me"]
    assert len(told) == 1 and told[0].endswith("bestshot.test: a b?[31mc 汉字")


def test_a_library_is_silent_unless_its_caller_listens(folder: Path) -> None:
    code = f"from selector import Campaign; Campaign({str(folder)!r}).close()"
    listen = "import logging; logging.basicConfig(level='DEBUG'); "
    silent, heard = (
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stderr
        for text in (code, listen + code)
    )
    assert silent == ""
    assert "DEBUG:bestshot.store:opened " in heard and "campaign.db" in heard


def test_every_verb_takes_verbose() -> None:
    def lacking(verbs: dict[str, object], path: str = "") -> list[str]:
        found = []
        for name, verb in verbs.items():
            inner = getattr(verb, "commands", None)
            if inner:
                found += lacking(inner, f"{path}{name} ")
            elif "verbose" not in [parameter.name for parameter in verb.params]:  # type: ignore[attr-defined]
                found.append(path + name)
        return found

    assert lacking(dict(group.commands)) == []
