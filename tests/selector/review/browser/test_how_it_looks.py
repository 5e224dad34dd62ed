"""Languages, themes, widths, accessibility, and nothing from outside."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_pages import Open, allow, folder, open_page, until  # noqa: F401

from selector import Campaign
from selector.review.page import words

VIEWS = ("?", "?view=task&task=3&at=1", "?view=task&task=3&see=source,reference&mode=side", "?view=pair", "?view=day")
_SHOWN = """() => [...document.querySelectorAll('body *')].filter(n => !n.closest('script, .words, .prompt, code'))
  .flatMap(n => [...[...n.childNodes].filter(c => c.nodeType === 3).map(c => c.data.trim()),
    ...['aria-label', 'title', 'placeholder'].map(a => n.getAttribute(a))]).filter(Boolean)"""
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@pytest.fixture(scope="module")
def url(many_tasks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One page for all who only look."""
    copy = Path(shutil.copytree(many_tasks, tmp_path_factory.mktemp("looked-at") / "campaign"))
    with Campaign(copy) as campaign, campaign.review(by="Ada") as review:
        yield review.url


@pytest.mark.parametrize("width", [390, 900, 1500])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_the_window(url: str, open_page: Open, view: str, width: int) -> None:
    page = open_page(url + view, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_at_390_px_the_bar_lies_at_the_lower_edge(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=task&task=1", width=390, height=844)
    box = page.locator(".actions").bounding_box()
    assert box["y"] + box["height"] == pytest.approx(844, abs=1)
    heights = page.eval_on_selector_all(".actions button:not(.wide)", "nodes => nodes.map(n => n.offsetHeight)")
    assert min(heights) >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_against_contrast_labels_and_the_rest(
    url: str, open_page: Open, axe: str, view: str, scheme: str
) -> None:
    page = open_page(url + view, color_scheme=scheme)
    page.wait_for_timeout(300)
    page.evaluate(axe + "; undefined")
    found = page.evaluate("rules => axe.run({runOnly: rules})", _RULES)["violations"]
    assert not [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found]


def test_dark_and_light_follow_the_system_and_the_button(url: str, open_page: Open) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light, dark = open_page(url, color_scheme="light"), open_page(url, color_scheme="dark")
    assert light.evaluate(colour) != dark.evaluate(colour)
    dark.click("[aria-label='Dark or light']")
    assert dark.evaluate(colour) == light.evaluate(colour)
    dark.reload()
    dark.wait_for_selector(".row a")
    assert dark.evaluate(colour) == light.evaluate(colour)


def _open_chinese(browser: Any, address: str) -> Any:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".row a, .task, .pair, .day")
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_a_chinese_browser_sees_no_english_of_the_page(url: str, browser: Any, view: str) -> None:
    page = _open_chinese(browser, url + view)
    english = {
        text for key, text in words("en").items() if text != words("zh")[key] and "{" not in text and len(text) > 3
    }
    shown = page.evaluate(_SHOWN)
    assert not english & set(shown) - {"English", "bestshot review"}
    assert any(re.search(r"[一-鿿]", text) for text in shown)
    assert page.get_attribute("html", "lang") == "zh-CN"
    page.context.close()


def test_the_language_can_be_switched_and_stays_in_the_address(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?sort=id")
    page.click("text=中文")
    page.wait_for_selector("text=队列")
    assert "lang=zh" in page.url and "sort=id" in page.url
    page.click("text=English")
    page.wait_for_selector("nav >> text=Queue")


def test_only_this_server_is_asked(url: str, open_page: Open) -> None:
    page = open_page(url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for view in VIEWS:
        page.goto(url + view)
        page.wait_for_timeout(300)
    assert asked and not [one for one in asked if not one.startswith((url, "data:"))]


def test_before_any_total_there_are_ranks_and_bars_and_no_decimals(folder: Path, open_page: Open) -> None:
    import requests

    with Campaign(folder) as campaign, campaign.review(by="Ada") as review:
        state = {**requests.get(f"{review.url}api/state", timeout=30).json(), "calibrated": False}
        page = open_page(review.url)
        page.route("**/api/state?*", lambda route: route.fulfill(json=state))
        page.goto(f"{review.url}?view=task&task=1")
        page.wait_for_selector(".card .numbers")
        numbers = page.eval_on_selector_all(".card .numbers", "nodes => nodes.map(n => n.textContent)")
        assert all(not re.search(r"\d\.\d", text) for text in numbers) and "rank 1" in "".join(numbers)
        assert "±" not in page.inner_text(".inspector .soft >> nth=0")


def test_hostile_words_stay_words(folder: Path, open_page: Open) -> None:
    allow(folder, decisions="exclusions")
    with Campaign(folder) as campaign, campaign.review(by="<b>Ada</b>") as review:
        campaign.decisions.note("<img src=x onerror=alert(1)>", "1", by="<i>Li</i>")
        page = open_page(f"{review.url}?view=task&task=1")
        until(page, "document.querySelector('.inspector').textContent.includes('<img src=x onerror=alert(1)>')")
        assert page.locator("img[src=x]").count() == 0


def test_a_long_prompt_folds(url: str, open_page: Open) -> None:
    import requests

    told = {**requests.get(f"{url}api/task/1", timeout=30).json(), "prompt": "Long words. " * 200}
    page = open_page(url)
    page.route("**/api/task/1?*", lambda route: route.fulfill(json=told))
    page.goto(f"{url}?view=task&task=1")
    page.wait_for_selector(".fold")
    assert page.locator(".prompt").bounding_box()["height"] < 100
    page.click("text=The whole prompt")
    until(page, "document.querySelector('.prompt').offsetHeight > 150")
