"""Many windows of one page, and what they hear: once, only while they are seen, and only what is new."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from browser_pages import TASKS, Open, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign

TASK = "1"
WINDOWS = 8  # more than the six connections that a browser has to one server
SEEN = """seen => {
  Object.defineProperty(document, 'hidden', {configurable: true, get: () => !seen});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
STEP = {"words": "Plan the next one", "command": "bestshot plan", "person": False}
JOB = {"id": 7, "verb": "score", "state": "running", "stage": "", "done": 1, "total": 2, "left_seconds": 3, "lines": []}


def _state(url: str) -> dict[str, Any]:
    return dict(requests.get(f"{url}api/state", timeout=30).json())


def _hear(page: Any, url: str, *events: dict[str, Any]) -> None:
    """Have the page hear these instead of what the server says, all at once, and nothing after them."""
    news = {**_state(url)["version"], "next": None, "building": False, "jobs": []}
    text = "".join(f"data: {json.dumps({**news, **event})}\n\n" for event in events)
    page.route(
        "**/api/events?*",
        lambda route: route.fulfill(content_type="text/event-stream", body=f"retry: 600000\n\n{text}"),
    )


def test_more_windows_than_a_browser_has_connections_all_answer(url: str, open_page: Open) -> None:
    pages = [open_page(f"{url}?view=task&task={TASK}")]
    while len(pages) < WINDOWS:
        pages[-1].evaluate(SEEN, False)  # who opens a tab sees the others no more
        page = pages[0].context.new_page()
        page.goto(f"{url}?view=task&task={TASK}", timeout=10_000)
        page.wait_for_selector(".task", timeout=10_000)
        pages.append(page)


def test_a_window_that_is_seen_again_shows_what_it_missed(campaign: Campaign, url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=task&task={TASK}")
    until(page, "events?.readyState === 1")
    page.evaluate(SEEN, False)
    campaign.decisions.exclude("from the shell", candidate=page.get_attribute(".card.current", "data-short"), by="Li")
    page.wait_for_timeout(1500)
    assert page.locator(".card.excluded").count() == 0 and page.evaluate("events") is None
    page.evaluate(SEEN, True)
    page.wait_for_selector(".card.excluded:has-text('from the shell')")


@pytest.mark.parametrize("view", ["", "?view=day"])
def test_the_next_step_comes_by_itself_and_repeated_it_is_no_news(url: str, open_page: Open, view: str) -> None:
    page = open_page(f"{url}?view=pair")
    _hear(page, url, *[{"next": dict(STEP)} for _ in range(4)])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url + view)
    page.wait_for_selector(".next .kicker")
    page.wait_for_timeout(700)
    assert "Plan the next one" in page.inner_text(".next")
    assert len([one for one in asked if "/api/state" in one]) == 1, "the page asked again though nothing was new"


def test_a_step_beside_news_does_not_hide_them(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=pair")
    decision = _state(url)["version"]["decision"]
    _hear(page, url, {"next": STEP}, {"next": STEP, "decision": decision + 1}, {"next": None, "decision": decision + 1})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.wait_for_selector(f"#count:has-text('{TASKS} tasks')")
    page.wait_for_timeout(700)
    assert len([one for one in asked if "/api/state" in one]) == 2


def test_a_run_that_is_being_stopped_is_still_a_run(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=pair")
    _hear(page, url, {"jobs": [JOB]}, {"jobs": [{**JOB, "state": "stopping"}]})
    page.goto(f"{url}?view=day")
    page.wait_for_selector(".job.stopping >> text=Stop at once")
    assert "stopping" in page.inner_text(".job") and page.is_disabled("text=Export the ZIP")
    assert page.locator(".job progress").count() == 1 and page.locator(".toast").count() == 0
    _hear(page, url, {"jobs": [JOB]}, {"jobs": [{**JOB, "state": "stopped", "error": "run it again to go on"}]})
    page.reload()
    page.wait_for_selector(".toast:has-text('score: stopped')")
    assert page.is_enabled("text=Export the ZIP")
