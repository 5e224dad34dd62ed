"""A campaign, its page served by the real server, and a real browser. Without a browser these tests skip and say so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_pages import EACH, TASKS, Open, is_error, wait_for_estimates
from system_browser import browser as browser

from experiments.support.synthetic_campaign import make_campaign, write_contest
from selector import Campaign


@pytest.fixture(scope="session")
def first_campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 tasks of four types with eight candidates each, scores, judgements and six totals; to be copied."""
    place = tmp_path_factory.mktemp("review")
    write_contest(place / "contest", TASKS, 1)
    make_campaign(place / "campaign", place / "contest", 1, EACH)
    with Campaign(place / "campaign") as campaign, campaign.review(by="Ada") as review:
        wait_for_estimates(review.url)  # once for all copies
    return place / "campaign"


@pytest.fixture
def folder(first_campaign: Path, tmp_path: Path) -> Path:
    """A campaign of one's own."""
    return Path(shutil.copytree(first_campaign, tmp_path / "campaign"))


@pytest.fixture
def campaign(folder: Path) -> Iterator[Campaign]:
    with Campaign(folder) as opened:
        yield opened


@pytest.fixture
def url(campaign: Campaign) -> Iterator[str]:
    """The address of the page."""
    with campaign.review(by="Ada") as review:
        yield review.url


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens an address in a window of its own; an error of the script fails the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def call(address: str, width: int = 1400, height: int = 900, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if is_error(message) else None)
        page.goto(address)
        page.wait_for_selector(".row a, .task, .pair, .day, .empty")
        return page

    yield call
    for context in contexts:
        context.close()
    assert not errors
