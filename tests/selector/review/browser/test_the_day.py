"""The day on the page: what is left, what was expected, and buttons that run the program's own verbs."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from browser_pages import TASKS, Open, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign
from selector.language import CHINESE, translated

_RUN_SECONDS = 90_000  # milliseconds for a verb in a process of its own


@pytest.fixture
def page(url: str, open_page: Open) -> Any:
    return open_page(f"{url}?view=day")


def test_submissions_left_and_until_when(page: Any) -> None:
    text = page.inner_text(".panel >> nth=0")
    assert "2 of 2 left today" in text and "Asia/Shanghai" in text and " h " in text


def test_totals_as_a_chart_and_as_a_table_that_says_the_same(url: str, page: Any) -> None:
    told = requests.get(f"{url}api/totals", timeout=30).json()["told"]
    page.wait_for_selector(".chart .dot")
    assert page.locator(".chart .dot").count() == len(told) == page.locator("tbody tr").count()
    assert page.inner_text("tbody tr >> nth=0 >> td >> nth=1") == f"{told[0]['total']:.2f}"
    assert page.get_attribute(".chart", "aria-label")


@pytest.mark.parametrize("device", ["mouse", "space bar"])
def test_a_button_hears_its_click_though_news_come_while_it_is_pressed(
    campaign: Campaign, page: Any, device: str
) -> None:
    page.wait_for_selector(".chart .dot")  # the day is drawn anew when it is loaded
    page.evaluate("window.pressed = document.querySelector('[data-focus=run-plan]')")
    page.hover("[data-focus=run-plan]")
    page.focus("[data-focus=run-plan]")
    page.mouse.down() if device == "mouse" else page.keyboard.down(" ")
    campaign.decisions.note("news", campaign.tasks[0].id)
    page.wait_for_timeout(2000)
    page.mouse.up() if device == "mouse" else page.keyboard.up(" ")
    page.wait_for_selector("#remaining")
    until(page, "!window.pressed.isConnected")


def test_plan_and_export_run_and_the_zip_is_named_before(campaign: Campaign, page: Any) -> None:
    page.click("text=Plan the next submission")
    page.fill("#remaining", "10")
    page.click("#ask .primary")
    page.wait_for_selector(".job.done", timeout=_RUN_SECONDS)
    page.wait_for_selector(".panel:has-text('What the plan advises'):has-text('this submission is expected')")
    page.click("text=Export the ZIP")
    page.wait_for_selector("#ask[open]")
    asked = page.inner_text("#ask")
    assert ".zip" in asked and f"{TASKS} tasks" in asked
    page.click("#ask .primary")
    page.wait_for_selector(".job.done >> nth=1", timeout=_RUN_SECONDS)
    exported = [one for one in campaign.submissions if one.state == "exported"]
    assert exported and exported[-1].id[:8] in asked


def test_pick_runs_and_asks_before_it_replaces_a_plan_to_learn(campaign: Campaign, page: Any) -> None:
    campaign.plan(remaining=10)
    learns = requests.get(f"{page.url.split('?')[0]}api/state", timeout=30).json()["picks"]["purpose"] == "learn"
    page.reload()
    page.wait_for_selector(".day")
    page.click("text=Pick the best known")
    if learns:
        page.wait_for_selector("#ask[open] :text('to learn')")
        page.click("#ask .primary")
    page.wait_for_selector(".job.done", timeout=_RUN_SECONDS)
    after = requests.get(f"{page.url.split('?')[0]}api/state", timeout=30).json()
    assert after["picks"]["purpose"] == "win"


def test_a_run_can_be_stopped(folder: Path, open_page: Open) -> None:
    began = folder / "began"
    _make_with_a_program(folder, f"import pathlib, time; pathlib.Path({str(began)!r}).touch(); time.sleep(600)")
    with Campaign(folder) as campaign, campaign.review(by="Ada") as review:
        page = open_page(f"{review.url}?view=day")
        page.click("text=Generate what is missing")
        page.click("#ask .primary")
        page.wait_for_selector(".job.running >> text=Stop", timeout=_RUN_SECONDS)
        assert page.is_disabled("button:has-text('Export the ZIP')"), "one run at a time"
        _wait_for(began)
        page.click(".job.running >> text=Stop")
        page.wait_for_selector(".job.stopped:has-text('run it again to go on')", timeout=_RUN_SECONDS)
        assert page.locator(".job.running").count() == 0
        until(page, "!document.querySelector('[data-focus=run-export]').disabled")
        (job,) = requests.get(f"{review.url}api/jobs", timeout=30).json()
        assert (job["verb"], job["state"]) == ("generate", "stopped") and job["seconds"] < 500


def _make_with_a_program(folder: Path, program: str) -> None:
    """Have edits made by a Python program of the user, too."""
    config = folder / "campaign.toml"
    text = config.read_text(encoding="utf-8")
    assert text.count("[generate]\n") == 1 and "\ntie = { " in text
    text = text.replace("\ntie = { ", "\ntie = { command = 1, ")
    command = json.dumps([sys.executable, "-c", program, "{output}"])
    config.write_text(f"{text}\n[generators.command]\ncommand = {command}\n", encoding="utf-8")


def _wait_for(path: Path) -> None:
    end = time.monotonic() + _RUN_SECONDS / 1000
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.05)


def test_the_countdown_runs_and_at_its_end_the_new_day_is_asked_for(url: str, page: Any) -> None:
    turns = datetime.fromisoformat(requests.get(f"{url}api/state", timeout=30).json()["quota"]["turns_at"])
    page.clock.install(time=turns - timedelta(hours=3, minutes=30, seconds=30))
    page.reload()
    page.wait_for_selector("#countdown:has-text('3 h 30 min')")
    page.clock.fast_forward("01:10:00")
    page.wait_for_selector("#countdown:has-text('2 h 20 min')")
    page.route("**/api/state?*", lambda route: route.fulfill(json=_next_day(url)))
    page.clock.fast_forward("02:21:00")
    page.wait_for_selector(".panel:has-text('1 of 2 left today')")
    page.wait_for_selector("#countdown:has-text('23 h 59 min')")


def _next_day(url: str) -> dict[str, Any]:
    state: dict[str, Any] = requests.get(f"{url}api/state", timeout=30).json()
    turns = datetime.fromisoformat(state["quota"]["turns_at"]) + timedelta(days=1)
    return {**state, "quota": {**state["quota"], "left": 1, "turns_at": turns.isoformat()}}


def test_the_first_line_is_what_next_says_first(campaign: Campaign, url: str, open_page: Open) -> None:
    queue, day, chinese = open_page(url), open_page(f"{url}?view=day"), open_page(f"{url}?lang=zh")
    first = campaign.next()[0]
    for page in (queue, day):  # it comes when it is known, without a reload
        page.wait_for_selector(".next .kicker", timeout=_RUN_SECONDS)
        assert first.words in page.inner_text(".next") and (first.command or "") in page.inner_text(".next")
    chinese.wait_for_selector(".next .kicker", timeout=_RUN_SECONDS)
    assert translated(first.words, CHINESE) in chinese.inner_text(".next")
    assert re.search(r"[一-鿿]{4}", translated(first.words, CHINESE))


def test_the_first_line_changes_with_what_was_done(campaign: Campaign, page: Any) -> None:
    page.wait_for_selector(".next .kicker", timeout=_RUN_SECONDS)
    before = page.inner_text(".next")
    campaign.record(campaign.export().submission.id, submitted=True)
    until(page, "old => document.querySelector('.next')?.innerText !== old", _RUN_SECONDS / 1000, before)
    first = campaign.next()[0]
    assert first.by_person and first.words in page.inner_text(".next")


def test_the_first_line_can_be_copied(url: str, page: Any) -> None:
    page.route("**/api/state?*", lambda route: route.fulfill(json=_with_step(url)))
    page.goto(url)
    page.wait_for_selector(".next .kicker")
    assert "Plan the next one" in page.inner_text(".next") and "bestshot plan" in page.inner_text(".next")


def _with_step(url: str) -> dict[str, Any]:
    state: dict[str, Any] = requests.get(f"{url}api/state", timeout=30).json()
    return {**state, "next": {"words": "Plan the next one", "command": "bestshot plan", "person": False}}
