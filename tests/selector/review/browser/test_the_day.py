"""The day on the page: what is left, what was expected, and buttons that run the program's own verbs."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from browser_pages import TASKS, Open, campaign, folder, open_page, url  # noqa: F401

from selector import Campaign

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


def test_a_run_can_be_stopped(page: Any) -> None:
    page.click("text=Score what is new")
    page.click("#ask .primary")
    page.wait_for_selector(".job")
    if page.is_visible(".job.running >> text=Stop"):
        page.click(".job.running >> text=Stop")
    page.wait_for_selector(".job.stopped, .job.done", timeout=_RUN_SECONDS)


def test_the_first_line_is_the_next_step(url: str, page: Any) -> None:
    page.route("**/api/state?*", lambda route: route.fulfill(json=_with_step(url)))
    page.goto(url)
    page.wait_for_selector(".next .kicker")
    assert "Plan the next one" in page.inner_text(".next") and "bestshot plan" in page.inner_text(".next")


def _with_step(url: str) -> dict[str, Any]:
    state: dict[str, Any] = requests.get(f"{url}api/state", timeout=30).json()
    return {**state, "next": {"words": "Plan the next one", "command": "bestshot plan", "person": False}}
