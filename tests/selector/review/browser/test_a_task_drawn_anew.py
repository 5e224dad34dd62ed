"""What stays as it was when a task is drawn anew because of news, and what is outlined on its source."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from browser_pages import Open, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign

TASK = "1"
BOX = {"left": 0.25, "top": 0.5, "right": 0.75, "bottom": 1.0}


@pytest.fixture
def page(url: str, open_page: Open) -> Any:
    return open_page(f"{url}?view=task&task={TASK}", height=500)


def test_what_is_open_shut_and_scrolled_stays_so_through_news_and_to_the_next_task(
    campaign: Campaign, page: Any
) -> None:
    campaign.decisions.note("one", TASK, by="Li")
    page.wait_for_selector(".inspector:has-text('one')")
    page.click(".inspector .made summary")
    page.click(".inspector summary:has-text('Decisions')")
    page.wait_for_selector(".history")
    page.evaluate("document.querySelector('.inspector').scrollTop = 60")
    campaign.decisions.note("two", TASK, by="Li")
    page.wait_for_selector(".inspector:has-text('two')")
    assert page.get_attribute(".inspector .made", "open") is None
    assert page.is_visible(".history")
    assert page.evaluate("document.querySelector('.inspector').scrollTop") == 60
    page.keyboard.press("j")
    until(page, f"document.querySelector('.task').dataset.id !== '{TASK}'")
    assert page.get_attribute(".inspector .made", "open") is None


def test_what_the_task_asks_to_edit_is_outlined_on_its_source(url: str, open_page: Open) -> None:
    known = [c["id"] for c in requests.get(f"{url}api/task/{TASK}", timeout=30).json()["candidates"]]
    page = open_page(f"{url}?view=task&task={TASK}")
    page.route(
        f"**/api/region/{TASK}?*",
        lambda route: route.fulfill(json={"region": [BOX], "candidates": dict.fromkeys(known)}),
    )
    page.keyboard.press("o")
    page.wait_for_selector(".inputs .region.asked")
    assert page.locator(".card .region").count() == 0
    share = page.eval_on_selector(
        ".inputs .region.asked",
        "n => n.getBoundingClientRect().height / n.parentElement.getBoundingClientRect().height",
    )
    assert share == pytest.approx(0.5, abs=0.02)
    page.goto(f"{url}?view=task&task={TASK}&outline=on&see=source")
    page.wait_for_selector(".layer .region.asked")


def test_an_outline_that_failed_is_asked_for_again(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=task&task={TASK}")
    page.route(f"**/api/region/{TASK}?*", lambda route: route.fulfill(status=503, json={"error": "not found out"}))
    page.keyboard.press("o")
    page.wait_for_selector(".toast.error:has-text('not found out')")
    page.unroute(f"**/api/region/{TASK}?*")
    page.route(f"**/api/region/{TASK}?*", lambda route: route.fulfill(json={"region": [BOX], "candidates": {}}))
    page.keyboard.press("o")
    page.keyboard.press("o")
    page.wait_for_selector(".inputs .region.asked")
