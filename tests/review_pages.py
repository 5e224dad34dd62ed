"""Small campaigns with estimates, served for real on loopback: fixtures that tests of the page import."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from selector import Campaign
from selector.review.serving import Review

TASKS, EACH = 12, 4
ALLOWED = {
    "human_ratings = false": "human_ratings = true",
    '\ndecisions = "exclusions"\n': '\ndecisions = "exclusions_and_pins"\n',
}
PROFILE = Path(__file__).parents[1] / "selector" / "profiles" / "tianchi-532389.toml"


class Client:
    """Speaks to a page as its script does."""

    def __init__(self, review: Review, folder: Path) -> None:
        self.review, self.folder = review, folder

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = requests.get(self.review.url + path, params=query, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
        own = {"X-Bestshot": "1"} if headers is None else headers
        answer = requests.post(self.review.url + path, json=body, headers=own, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json()

    def raw(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        return requests.request(method, self.review.url + path, timeout=60, allow_redirects=False, **options)


Open = Callable[..., Client]


@pytest.fixture
def folder(few_tasks: Path, tmp_path: Path) -> Path:
    """A campaign of one's own."""
    return Path(shutil.copytree(few_tasks, tmp_path / "campaign"))


@pytest.fixture
def all_allowed(folder: Path) -> Path:
    """The same under rules that allow pins and people's ratings."""
    text = PROFILE.read_text(encoding="utf-8")
    for old, new in ALLOWED.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "profile.toml").write_text(text, encoding="utf-8")
    config = folder / "campaign.toml"
    told = config.read_text(encoding="utf-8")
    assert '"tianchi-532389"' in told
    config.write_text(told.replace('"tianchi-532389"', '"profile.toml"', 1), encoding="utf-8")
    return folder


@pytest.fixture
def serve() -> Iterator[Open]:
    """Serves campaigns until the test ends."""
    opened: list[tuple[Campaign, Review]] = []

    def open_page(folder: Path, **options: Any) -> Client:
        campaign = Campaign(folder)
        review = campaign.review(**{"by": "Li", **options})
        opened.append((campaign, review))
        return Client(review, folder)

    yield open_page
    for campaign, review in opened:
        review.close()
        campaign.close()


@pytest.fixture
def page(folder: Path, serve: Open) -> Client:
    """The usual page of the usual campaign."""
    return serve(folder)
