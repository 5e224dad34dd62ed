"""What tests of the page in a browser share: a campaign, its page served by the real server; fixtures to import."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from selector import Campaign

TASKS, EACH = 32, 8
Open = Callable[..., Any]


def until(page: Any, expression: str, seconds: float = 20.0, arg: Any = None) -> None:
    """Wait until JavaScript says true; Playwright's own way needs eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(25)


def allow(folder: Path, *, decisions: str, ratings: bool = False) -> None:
    """Give a campaign a contest of other rules."""
    built_in = resources.files("selector") / "profiles" / "tianchi-532389.toml"
    text = built_in.read_text(encoding="utf-8")
    text = text.replace('decisions = "exclusions"', f'decisions = "{decisions}"')
    text = text.replace("human_ratings = false", f"human_ratings = {str(ratings).lower()}")
    (folder / "profile.toml").write_text(text, encoding="utf-8")
    config = (folder / "campaign.toml").read_text(encoding="utf-8")
    changed = config.replace('profile = "tianchi-532389"', 'profile = "profile.toml"')
    (folder / "campaign.toml").write_text(changed, encoding="utf-8")


def is_error(message: Any) -> bool:
    """What the browser itself says of an answer with an error status is none of the script's."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def folder(many_tasks: Path, tmp_path: Path) -> Path:
    """A campaign of one's own."""
    return Path(shutil.copytree(many_tasks, tmp_path / "campaign"))


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
