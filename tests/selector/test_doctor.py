"""The doctor shows first what the plan uses, says what the plan cannot keep, and calls nothing unused a fault."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conftest import Run, ToyGenerator
from toy_services import Make

from selector import Campaign
from selector.cli._show_verbs import _finding, _lines_of
from selector.doctor import Check, check_machine
from selector.domain import TaskType


def faults(campaign: Campaign) -> dict[str, str]:
    """Where to what is wrong with the plan."""
    return {c.subject: c.text for c in campaign.doctor() if c.subject.startswith(("plan ", "prompts of")) and not c.ok}


def test_planned_generators_come_first_and_unused_ones_last(make: Make) -> None:
    checks = make({"toy_remote": 1, "toy": 1}).doctor()
    assert {c.subject for c in checks[:2]} == {"generator toy", "generator toy_remote"}
    unused = [c for c in checks if not c.used]
    assert checks[-len(unused) :] == unused
    assert "generator dashscope" in {c.subject for c in unused}
    assert "scorer technical" not in {c.subject for c in unused}
    assert {c.subject for c in unused if not c.subject.startswith(("generator ", "scorer "))} == set()


def test_what_is_not_used_is_not_shown_as_a_fault() -> None:
    assert _finding(Check("generator x", False, "no key", used=False)) == ("", "generator x", "not used: no key")
    assert _finding(Check("generator x", False, "no key")) == ("--", "generator x", "no key")


def test_a_place_of_images_that_is_gone_is_a_line_and_not_the_end(make: Make, tmp_path: Path, run: Run) -> None:
    (tmp_path / "mounted").mkdir()
    campaign = make({"toy": 1}, ["a"], store={"images": (tmp_path / "mounted").as_posix()})
    campaign.generate()
    campaign.close()
    shutil.move(tmp_path / "mounted", tmp_path / "away")
    code, out, err = run("doctor", "-C", campaign.folder)
    assert code == 2 and "the campaign's files are not whole" in err
    assert f"there is no folder {tmp_path / 'mounted'}: make it, mount it" in out
    assert "ok  task table" in out
    assert not (tmp_path / "mounted").exists(), "what is not mounted must not be made"
    code, out, _ = run("status", "-C", campaign.folder)
    assert code == 0 and "lost" not in out
    assert "the images cannot be looked at: " in out and f"there is no folder {tmp_path / 'mounted'}: make it" in out
    shutil.move(tmp_path / "away", tmp_path / "mounted")
    assert run("doctor", "-C", campaign.folder)[0] == 0


def test_it_says_where_images_lie_and_what_it_brought_there(make: Make, tmp_path: Path) -> None:
    campaign = make({"toy": 2}, ["a"])
    campaign.generate()
    found = {check.subject: check.text for check in campaign.doctor()}
    assert found["images"] == f"{campaign.folder}/images can be written"
    campaign.close()
    (tmp_path / "shared").mkdir()
    path = campaign.folder / "campaign.toml"
    path.write_text(path.read_text().replace('images = ""', f'images = "{(tmp_path / "shared").as_posix()}"'))
    with Campaign(campaign.folder) as moved:
        found = {check.subject: check.text for check in moved.doctor()}
    assert found["images"] == f"{tmp_path}/shared can be written"
    assert found["candidates"].endswith("; 2 images brought over from images/ of this folder")


def test_a_finding_takes_as_many_lines_as_a_terminal_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((60, 20)))
    rows = _lines_of(Check("scorer x", False, "word " * 30))
    assert rows[0][:2] == ("--", "scorer x") and {row[:2] for row in rows[1:]} == {("", "")}
    assert max(len(row[2]) for row in rows) <= 60 - len("--  scorer x  ")
    assert " ".join(row[2] for row in rows).split() == ["word"] * 30


def test_without_a_campaign_nothing_is_unused() -> None:
    assert all(check.used for check in check_machine())


def test_a_plan_that_can_be_kept_has_no_faults(make: Make) -> None:
    assert faults(make({"toy": 2})) == {}


def test_a_generator_that_does_not_serve_the_type_is_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyGenerator, "task_types", frozenset({TaskType.T2I}))
    assert "'toy' makes t2i only" in faults(make({"toy": 2}))["plan tie"]


def test_a_type_without_a_generator_is_told(make: Make) -> None:
    assert "2 tasks have no generator" in faults(make({}, ["a", "b"]))["plan tie"]


def test_a_style_without_a_writer_is_told(make: Make) -> None:
    campaign = make({"toy": {"n": 2, "prompts": ["as_is", "rewritten"]}}, ["a", "b"])
    assert "2 in the style 'rewritten' need a language model" in faults(campaign)["prompts of tie"]
    assert faults(make({"toy": {"n": 2, "prompts": ["as_is", "suffix"]}}, name="other")) == {}


def test_a_writer_that_is_no_judge_is_told(make: Make) -> None:
    campaign = make({"toy": {"n": 2, "prompts": ["as_is", "rewritten"]}})
    campaign.close()
    path = campaign.folder / "campaign.toml"
    text = path.read_text(encoding="utf-8").replace('prompt_writer = ""', 'prompt_writer = "qwen"')
    path.write_text(text, encoding="utf-8")
    assert "there is no [judges.qwen]" in faults(Campaign(campaign.folder))["prompts of tie"]
