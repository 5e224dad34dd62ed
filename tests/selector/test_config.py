"""``campaign.toml``: every key is explained, reading back gives the same, and mistakes name their cure."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from selector.config import CampaignConfig, Step, check_names, parse_config, read_config, render_config
from selector.contest.toml_model import parse_toml
from selector.domain import InputError, TaskType
from selector.language import CHINESE, translated

FULL = {
    "profile": "tianchi-532389",
    "team": "队伍 'one'",
    "seed": 7,
    "workers": 3,
    "store": {"url": "sqlite:///x.db"},
    "generate": {"tie": {"retouch": 3, "folder": {"n": 2, "finishes": ["sharpen"]}}, "t2i": {}},
    "score": {"scorers": ["gate"]},
    "generators": {"folder": {"path": "C:\\images\\完成"}, "textedit": {"exclude_fonts": ["A", "B"]}},
    "scorers": {},
    "judges": {"qwen2.5-vl": {"base_url": "http://localhost:8000/v1", "model": "Qwen/Qwen2.5-VL-72B", "budget": 20.5}},
    "services": {"dashscope": {"running": 3, "prices": {"wanx2.1-t2i-plus": 0.2}}},
    "finish": {"sharpen_strength": 0.25},
}
PLUG_IN_KEYS = (
    "path",
    "exclude_fonts",
    "base_url",
    "model",
    "budget",
    "running",
    "prices",
    "sharpen_strength",
)  # of tables that a team writes itself


@pytest.mark.parametrize("values", [{"profile": "mini-png"}, FULL], ids=["defaults", "full"])
def test_a_rendered_file_reads_back_the_same(tmp_path: Path, values: dict[str, object]) -> None:
    config = parse_config(values)
    path = tmp_path / "campaign.toml"
    path.write_text(render_config(config), encoding="utf-8")
    assert read_config(path) == config


def test_settings_of_any_kind_that_toml_has_read_back_the_same(tmp_path: Path) -> None:
    odd = {"🙂 \x7f": "🙂\x7f\\", "wide": float("inf"), "small": -1e-30, "since": date(2026, 1, 2), "of": [{"🙂": 1}]}
    config = parse_config({"profile": "mini-png", "generators": {"🙂": {"kind": "blank", **odd}}, "finish": odd})
    path = tmp_path / "campaign.toml"
    path.write_text(render_config(config), encoding="utf-8")
    assert read_config(path) == config


def test_every_key_has_its_comment() -> None:
    lines = render_config(parse_config(FULL)).splitlines()
    for i, line in enumerate(lines):
        if "=" in line and not line.startswith("#") and line.split(" =")[0] not in PLUG_IN_KEYS:
            assert lines[i - 1].startswith("# "), line


def test_a_number_and_a_table_are_steps_in_the_order_of_the_file() -> None:
    plan = {"wanx": {"n": 4, "prompts": ["as_is", "suffix"], "finishes": ["sharpen"]}, "folder": 2, "off": 0}
    steps = parse_config({"profile": "mini-png", "generate": {"t2i": plan}}).generate.steps(TaskType.T2I)
    assert steps == (Step("wanx", 4, False, ("as_is", "suffix"), ("sharpen",)), Step("folder", 2))


def test_named_seeds_say_how_many() -> None:
    config = parse_config(
        {"profile": "mini-png", "generate": {"t2i": {"wanx": {"seeds": [7, 11], "prompts": ["as_is", "suffix"]}}}}
    )
    assert config.generate.steps(TaskType.T2I)[0].n == 4


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"a": {"reserve": True}}, "first"),
        ({"b": 2, "a": {"reserve": True, "n": 2}}, "reserve"),
        ({"a": {"n": 3, "seeds": [1]}}, "more than"),
        ({"a": {"n": 3, "prompts": ["suffix", "suffix"]}}, "twice"),
        ({"a": {"n": 3, "promts": ["suffix"]}}, "promts"),
        ({"a": -1}, "0"),
        ({"a": {"n": 1, "prompts": ["as_is", "suffix"]}}, r"generate\.t2i\.a: n = 1 is fewer than its 2 prompt styles"),
        ({"a": {"n": 2, "seeds": [1, 2, 3]}}, "n = 2 is fewer than the 3"),
        ({"a": {"prompts": ["suffix"]}}, "how many"),
        ({"b": 2, "a": {"finishes": ["sharpen"]}}, r"generate\.t2i\.a: .*how many"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(plan: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_config({"profile": "mini-png", "generate": {"t2i": plan}})


def test_a_generator_may_be_there_twice_under_names_of_ones_own() -> None:
    tables = {"wanx-plus": {"kind": "dashscope"}, "wanx": {"kind": "dashscope"}}
    check_names(
        parse_config({"profile": "mini-png", "generate": {"t2i": {"wanx-plus": 2, "wanx": 2}}, "generators": tables})
    )
    with pytest.raises(InputError, match="dashscope"):
        check_names(parse_config({"profile": "mini-png", "generators": {"wanx": {"kind": "dashscop"}}}))


def test_a_step_that_is_switched_off_reads_back_the_same() -> None:
    plan = {"a": {"n": 0, "prompts": ["suffix"]}, "b": 0, "c": {"reserve": True, "finishes": ["sharpen"]}}
    config = parse_config({"profile": "mini-png", "generate": {"t2i": {"first": 1, **plan}}})
    assert parse_toml(render_config(config).encode(), CampaignConfig, "campaign.toml") == config


def test_a_table_without_a_kind_says_what_to_add() -> None:
    values = {"generate": {"t2i": {"wanx": 4}}, "generators": {"wanx": {"model": "wanx2.1-t2i-plus"}}}
    with pytest.raises(InputError) as caught:
        check_names(parse_config({"profile": "mini-png", **values}))
    assert '[generators.wanx] has no kind: add kind = "dashscope" (or another of ' in str(caught.value)
    assert "diffusers" in str(caught.value)
    assert "'wanx'?" not in str(caught.value)


def test_two_keys_of_one_service_are_refused() -> None:
    table = {"key_path": "~/key", "key_env": "MY_KEY"}
    with pytest.raises(InputError, match=r"services\.dashscope: key_path and key_env"):
        parse_config({"profile": "mini-png", "services": {"dashscope": table}})
    parse_config({"profile": "mini-png", "services": {"dashscope": {**table, "key_env": ""}}})


def test_two_unknown_keys_are_both_named() -> None:
    with pytest.raises(InputError, match=r"'calibrate\.x'.*'calibrate\.y'"):
        parse_config({"profile": "mini-png", "calibrate": {"x": 1, "y": 2}})
    many = {f"a_very_long_key_that_nobody_knows_{i}": 1 for i in range(9)}
    with pytest.raises(InputError, match=r"and 8 more$"):
        parse_config({"profile": "mini-png", "calibrate": many})


@pytest.mark.parametrize("table", [{"base_url": "https://u:hunter2@h/v1"}, {"key_env": "sk-hunter2"}])
def test_a_secret_in_a_service_is_refused_without_repeating_it(table: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_config({"profile": "mini-png", "services": {"dashscope": table}})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tem": "x"}, ["tem", "team"]),
        ({"generate": {"tei": {}}}, ["generate.tei", "tie"]),
        ({"workers": 0}, ["workers", "1"]),
        ({"workers": "many"}, ["workers"]),
        ({"seed": -1}, ["seed"]),
        ({"generate": {"tie": {"retouch": "three"}}}, ["retouch"]),
        ({"team": ""}, ["team"]),
        ({"judges": {"a": {"model": "m"}}}, ["judges.a.base_url", "missing"]),
        ({"judges": {"a": {"base_url": "localhost:8000", "model": "m"}}}, ["base_url", "http://localhost:8000/v1"]),
        ({"judges": {"a": {"base_url": "http://u:secret@h/v1", "model": "m"}}}, ["base_url", "key_env"]),
        ({"judges": {"a": {"base_url": "http://h/v1", "model": "m", "key_env": "sk-1234"}}}, ["key_env"]),
        ({"judges": {"a": {"base_url": "http://h/v1", "model": "m", "repeat": 3}}}, ["repeat", "repeats"]),
        ({"judges": {"a b": {"base_url": "http://h/v1", "model": "m"}}}, ["judges"]),
    ],
)
def test_a_wrong_key_or_value_is_one_line_that_names_it(change: dict[str, object], words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_config({"profile": "mini-png", **change})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "table",
    [
        {"base_url": "https://u:s3cret@h/v1"},
        {"base_url": "http://h/v1", "key_env": "sk-s3cret"},
        {"base_url": "s3cret", "key_env": "K"},
        {"base_url": "http://[s3cret/v1", "key_env": "K"},
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(table: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_config({"profile": "mini-png", "judges": {"a": {"model": "m", **table}}})
    assert "s3cret" not in str(caught.value)
    assert str(caught.value).startswith("campaign.toml: judges.a: ")
    assert ("key_env" if table.get("key_env") != "K" else "base_url") in str(caught.value)


def test_a_new_file_shows_how_a_judge_and_settings_of_a_scorer_are_written() -> None:
    text = render_config(parse_config({"profile": "mini-png"}))
    for words in ("# [judges.NAME]\n# base_url", "# model = ", "# key_env = ", "# [scorers.NAME]", "docs/judge.md"):
        assert words in text
    assert "# [judges.NAME]" not in render_config(parse_config(FULL))


@pytest.mark.parametrize(
    ("text", "told", "chinese"),
    [
        ("workers = -1", "must be 1 or more, got -1", "必须大于或等于 1，而给的是 -1"),
        ("workers = 900", "must be 256 or less, got 900", "必须小于或等于 256，而给的是 900"),
        ("seed = 3000000000", "must be less than 2147483648, got", "必须小于 2147483648"),
        ("team = 3", "must be text in quotation marks, got 3", "必须是带引号的文字，而给的是 3"),
        ('team = ""', "its length must be 1 or more, got ''", "长度必须大于或等于 1"),
        ("generate.tie.retouch = 8.5", "must be a whole number, got 8.5", "必须是整数，而给的是 8.5"),
        ("generate.tie = 3", "must be a table of keys and values, got 3", "必须是由键和值组成的表"),
        ("generate.tie.retouch.prompts = 3", "must be a list in square brackets, got 3", "必须是方括号里的列表"),
        ("generate.tie.retouch.reserve = 4", "must be true or false, got 4", "必须是 true 或 false"),
        ('engine.gpus = "x"', "must be a number, got 'x'", "必须是数，而给的是 'x'"),
        ('engine.name = "rai"', "must be one of 'local', 'ray', got 'rai'", "必须是 'local', 'ray' 之一"),
        ('judges."a b".model = "m"', "must fit the pattern", "必须符合模式"),
    ],
)
def test_a_wrong_value_is_told_in_words_of_toml_in_both_languages(text: str, told: str, chinese: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)) as error:
        parse_toml(f'profile = "mini-png"\n{text}\n'.encode(), CampaignConfig, "campaign.toml")
    line = str(error.value).partition("; ")[0]
    assert "input should" not in line
    said = translated(line, CHINESE)
    assert said.startswith("campaign.toml：键 ") and chinese in said


def test_a_file_that_is_no_toml_or_not_utf8_says_so(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text("profile = ")
    with pytest.raises(InputError, match="not valid TOML"):
        read_config(path)
    for text in ("seed = " + "9" * 5000, "a = " + "[" * 5000):  # what the reader of TOML has no words of its own for
        path.write_text(text)
        with pytest.raises(InputError, match=r"not valid TOML: .+"):
            read_config(path)
    path.write_bytes('team = "队"'.encode("gbk"))
    with pytest.raises(InputError, match="UTF-8"):
        read_config(path)


def test_defaults_are_those_of_the_documentation() -> None:
    config = CampaignConfig(profile="x")
    assert (config.workers, config.generate.steps(TaskType.DEEPFAKE)) == (2, (Step("faceswap", 8),))


@pytest.mark.parametrize("team", ["../evil", "a/b", "a\\b", "line\nbreak", ".", "dots.", "队" * 51, 'say "hi"'])
def test_a_team_that_is_no_file_name_is_refused(team: str) -> None:
    with pytest.raises(InputError, match="team"):
        parse_config({"profile": "mini-png", "team": team})


def test_a_negative_number_of_candidates_is_refused() -> None:
    with pytest.raises(InputError, match="retouch"):
        parse_config({"profile": "mini-png", "generate": {"tie": {"retouch": -1}}})


@pytest.mark.parametrize(
    "values", [{"generators": {"faceswp": {}}}, {"generate": {"tie": {"retuch": 2}}}, {"score": {"scorers": ["gaet"]}}]
)
def test_a_misspelt_plug_in_is_named_with_the_nearest(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match="did you mean"):
        check_names(parse_config({"profile": "mini-png", **values}))
