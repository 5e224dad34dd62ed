"""The command line in Chinese: what people read is translated, what programs read is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import click
import pytest
from conftest import Run

from selector import Campaign
from selector.cli.common import table
from selector.cli.main import group
from selector.language import display_width

COMMANDS = ("bestshot", "cd")


def verbs(command: click.Group = group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, one in command.commands.items():
        yield (*before, name)
        if isinstance(one, click.Group):
            yield from verbs(one, (*before, name))


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTSHOT_LANG", "zh")


def english_sentences(text: str) -> list[str]:
    """Lines of four English words in a row, but for commands."""
    lines = (re.sub(r"`[^`]*`", "", line).strip() for line in text.splitlines())
    return [line for line in lines if not line.startswith(COMMANDS) and re.search(r"(?:\b[a-z]+ ){3}[a-z]+\b", line)]


@pytest.mark.parametrize("verb", [(), *verbs()], ids=" ".join)
def test_help_is_chinese_and_keeps_its_example(run: Run, verb: tuple[str, ...]) -> None:
    code, out, _ = run(*verb, "--help")
    assert code == 0
    assert "用法：" in out and "选项" in out and "显示本帮助并退出" in out
    assert english_sentences(out) == []
    assert not verb or f"示例：\n    bestshot {' '.join(verb)}" in out


@pytest.mark.parametrize("verb", [(), *verbs()], ids=" ".join)
def test_help_fits_the_width_of_its_terminal(run: Run, verb: tuple[str, ...]) -> None:
    prose = [line for line in run(*verb, "--help")[1].splitlines() if not line.strip().startswith(COMMANDS)]
    assert [line for line in prose if display_width(line) > 80 and "bestshot" not in line] == []


def test_a_campaign_is_told_of_in_chinese(run: Run, campaign: Campaign) -> None:
    at = ("-C", campaign.folder)
    for verb in ("generate", "score", "status", "pick", "plan", "quota", "calibrate"):
        code, out, err = run(verb, *at)
        assert code in (0, 1), err
        assert re.search("[一-鿿]", out)
        assert english_sentences(out) == [], verb
    code, out, _ = run("export", *at, "--allow-fallbacks")
    assert code == 0 and "提交 " in out and "清单" in out
    submission = campaign.submissions[0].id if hasattr(campaign.submissions, "__getitem__") else out.split()[1][:8]
    code, out, _ = run("record", submission, *at, "--score", "3.5")
    assert code == 0 and "已有总分" in out and english_sentences(out) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "没有命令 “nope”"),
        (("init",), "缺少"),
        (("generate", "-n", "0"), "“-n” 的值无效：0 不在范围"),
        (("generate", "-n", "x"), "“-n” 的值无效：“x” 不是整数。见 `bestshot generate --help`。"),
        (("record", "abc", "--score", "x"), "“--score” 的值无效：“x” 不是数。见 `bestshot record --help`。"),
        (("generate", "--nope"), "没有选项"),
        (("record", "abc", "--score", "1", "--submitted"), "请在 --score TOTAL"),
        (("record", "abc", "--score", "1"), "没有提交 “abc”"),
        (("plan", "--judge", "3"), "--judge N 和 --by NAME 必须一起给"),
        (("explain", "no-such"), "“no-such”"),
    ],
)
def test_errors_are_chinese(run: Run, campaign: Campaign, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(arguments[0], "-C", campaign.folder, *arguments[1:]) if len(arguments) > 1 else run(*arguments)
    assert code == 2 and out == ""
    assert err.startswith("bestshot: ") and said in err and err.count("\n") == 1
    assert english_sentences(err) == []


def test_programs_read_english(run: Run, campaign: Campaign) -> None:
    code, out, err = run("record", "abc", "-C", campaign.folder, "--score", "1", "--json")
    assert code == 2
    assert json.loads(out)["error"].startswith("there is no submission 'abc'")
    assert "there is no submission" in err
    code, out, _ = run("status", "-C", campaign.folder, "--json")
    assert code == 0 and not re.search("[一-鿿]", out.replace(campaign.config.team, ""))


def test_a_table_is_aligned_by_the_columns_that_characters_take() -> None:
    lines = table([("tie", 12), ("换脸", 7)], ("type", "candidates")).splitlines()
    assert lines[0] == "类型  候选图"
    assert len({display_width(line) for line in lines}) == 1


def test_a_cell_of_one_word_is_translated_below_its_own_column_only() -> None:
    told = table([("submitted", "submitted")], ("generator", "state")).splitlines()[-1]
    assert told.split() == ["submitted", "已上传"]


def test_a_terminal_without_the_letters_gets_english(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.cli._language._can_write", lambda _letters: False)
    assert "Usage:" in run("status", "--help")[1]
