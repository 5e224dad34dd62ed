"""What tests of the page in a browser share."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import requests

TASKS, EACH = 32, 8
Open = Callable[..., Any]


def until(page: Any, expression: str, seconds: float = 20.0, arg: Any = None) -> None:
    """Wait until JavaScript says true; Playwright's own way needs eval, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(25)


def wait_for_estimates(url: str) -> None:
    end = time.monotonic() + 120
    while not requests.get(f"{url}api/state", timeout=30).json()["snapshot"]["ready"]:
        assert time.monotonic() < end, "the estimates did not come"
        time.sleep(0.1)


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
