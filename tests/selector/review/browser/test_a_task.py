"""A task in the browser: candidates, what is told of them, the large view with all its ways to look."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from browser_pages import EACH, Open, campaign, folder, open_page, until, url  # noqa: F401

TASK = "1"  # a scene edit: it has a source


def _told(url: str, task: str = TASK) -> dict[str, Any]:
    return dict(requests.get(f"{url}api/task/{task}", timeout=30).json())


@pytest.fixture
def page(url: str, open_page: Open) -> Any:
    return open_page(f"{url}?view=task&task={TASK}&at=3")


def _mode(page: Any, name: str) -> None:
    page.wait_for_selector(f"#viewer[open] .stage.{name}")


def test_candidates_stand_beside_the_source_with_the_pick_marked(url: str, page: Any) -> None:
    told = _told(url)["candidates"]
    assert page.locator(".inputs figure").count() == 1
    shown = page.eval_on_selector_all(".card", "nodes => nodes.map(n => n.dataset.short)")
    assert shown == [one["short"] for one in told] and len(shown) == EACH
    assert page.get_attribute(".card.picked", "data-short") == next(one["short"] for one in told if one["picked"])
    assert page.is_visible(".card .badge:has-text('runner-up')")


def test_the_inspector_says_why_what_was_measured_and_how_it_was_made(url: str, page: Any) -> None:
    text = page.inner_text(".inspector")
    assert "Why this pick" in text and "Scores" in text and "How it was made" in text and "±" in text
    assert page.locator(".strip .track").count() > 5
    pick = next(i for i, one in enumerate(_told(url)["candidates"]) if one["picked"])
    key, other = ("ArrowRight", pick + 1) if pick + 1 < EACH else ("ArrowLeft", pick - 1)
    page.keyboard.press(key)
    until(page, f"document.querySelectorAll('.card')[{other}].classList.contains('current')")
    assert f"Candidate {other + 1}" in page.inner_text(".inspector h2")
    assert "c=" in page.url


def test_what_a_judge_said_is_shown(url: str, open_page: Open) -> None:
    judged = next(t for t in map(str, range(0, 30, 10)) if any(c["judges"] for c in _told(url, t)["candidates"]))
    page = open_page(f"{url}?view=task&task={judged}")
    one = next(c for c in _told(url, judged)["candidates"] if c["judges"])
    page.click(f'.card[data-short="{one["short"]}"] .line .maker')
    page.wait_for_selector(".inspector blockquote")
    assert "a-model" in page.inner_text(".inspector blockquote")


def test_ids_and_prompts_can_be_copied(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=task&task={TASK}", permissions=["clipboard-read", "clipboard-write"])
    page.click("text=Copy prompt")
    page.wait_for_selector(".toast")
    assert page.evaluate("navigator.clipboard.readText()") == _told(url)["prompt"]
    page.click(".card >> nth=0 >> button.code")
    until(page, "navigator.clipboard.readText().then(text => text.length === 8)")
    page.click('[aria-label="Copy: Id"]')
    until(page, "navigator.clipboard.readText().then(text => text.length === 64)")


def test_j_and_k_walk_along_the_queue_and_back(url: str, open_page: Open) -> None:
    order = [one["id"] for one in requests.get(f"{url}api/queue", timeout=30).json()["tasks"]]
    page = open_page(f"{url}?view=task&task={order[0]}&at=0")
    for expected, key in ((order[1], "j"), (order[2], "j"), (order[1], "k"), (order[0], "k")):
        page.keyboard.press(key)
        page.wait_for_selector(f'.task[data-id="{expected}"]')
    page.keyboard.press("k")
    page.wait_for_selector(".toast:has-text('first task')")


def test_the_next_task_is_there_before_it_is_asked_for(url: str, open_page: Open) -> None:
    order = [one["id"] for one in requests.get(f"{url}api/queue", timeout=30).json()["tasks"]]
    page = open_page(f"{url}?view=task&task={order[0]}&at=0")
    until(page, f"performance.getEntriesByType('resource').some(e => e.name.includes('/api/task/{order[1]}?'))")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("j")
    page.wait_for_selector(f'.task[data-id="{order[1]}"]')
    page.wait_for_selector(".card img[src]")
    assert not [one for one in asked if f"/api/task/{order[1]}?" in one]


def test_digits_choose_and_c_compares_what_was_chosen(page: Any) -> None:
    page.keyboard.press("2")
    page.keyboard.press("4")
    until(page, "document.querySelectorAll('.card.compared').length === 2")
    assert page.get_attribute(".card >> nth=1 >> .number", "aria-pressed") == "true"
    page.keyboard.press("c")
    _mode(page, "side")
    assert page.locator(".pane").count() == 2
    page.keyboard.press("5")
    until(page, "document.querySelectorAll('.pane').length === 3")
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('viewer').open")
    page.keyboard.press("2")
    until(page, "document.querySelectorAll('.card.compared').length === 1")


def test_every_way_to_look_by_its_key(page: Any) -> None:
    page.keyboard.press("l")
    _mode(page, "single")
    page.keyboard.press("ArrowRight")
    until(page, "new URLSearchParams(location.search).get('see') !== null")
    for key, mode in (("s", "side"), ("b", "blink"), ("d", "difference"), ("w", "slider"), ("l", "single")):
        page.keyboard.press(key)
        _mode(page, mode)
        assert (f"mode={mode}" in page.url) == (mode != "single")
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('viewer').open")


def test_every_way_to_look_by_its_button(page: Any) -> None:
    page.click(".actions >> text=Compare")
    _mode(page, "side")
    for label, mode in (
        ("Blink", "blink"),
        ("Difference", "difference"),
        ("Slider", "slider"),
        ("Side by side", "side"),
    ):
        page.click(f".viewer-bar >> text={label}")
        _mode(page, mode)
    page.click(".viewer-bar >> text=Source")
    until(page, "document.querySelectorAll('.pane').length === 3")
    page.click(".viewer-bar >> text=Close")
    until(page, "!document.getElementById('viewer').open")


def test_pictures_are_enlarged_and_moved_together(page: Any) -> None:
    page.keyboard.press("c")
    _mode(page, "side")
    widths = "[...document.querySelectorAll('.layer')].map(n => Math.round(n.getBoundingClientRect().width))"
    lefts = "[...document.querySelectorAll('.layer')].map(n => n.style.left)"
    before = page.evaluate(widths)
    page.mouse.move(300, 400)
    page.mouse.wheel(0, -600)
    until(page, f"({widths})[0] > {before[0]} * 2")
    after = page.evaluate(widths)
    assert after[0] == after[1]
    first = page.evaluate(lefts)
    page.mouse.down()
    page.mouse.move(200, 420, steps=4)
    page.mouse.up()
    moved = page.evaluate(lefts)
    assert moved[0] == moved[1] != first[0]
    page.keyboard.press("f")
    until(page, f"({widths})[0] === {before[0]}")
    page.keyboard.press("+")
    until(page, f"({widths})[0] > {before[0]}")
    page.keyboard.press("-")
    until(page, f"({widths})[0] === {before[0]}")


def test_full_size_shows_a_pixel_as_a_pixel(page: Any) -> None:
    page.keyboard.press("c")
    _mode(page, "side")
    width = "document.querySelector('.layer').getBoundingClientRect().width"
    assert page.evaluate(width) > 300
    page.keyboard.press("z")
    assert page.evaluate(width) == pytest.approx(72, abs=0.5)  # the pictures' own width
    assert page.inner_text("#zoom") == "100%"
    page.click(".viewer-bar >> text=Fit")
    assert page.evaluate(width) > 300


def test_the_difference_of_equal_sizes_is_drawn_and_told(page: Any) -> None:
    page.keyboard.press("c")
    page.keyboard.press("d")
    page.wait_for_selector(".stage.difference canvas")
    until(page, "document.getElementById('differs').textContent.includes('%')")
    lit = page.evaluate(
        "(() => { const c = document.querySelector('.stage canvas');"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 < 3 && v > 40) })()"
    )
    assert lit


def test_the_divider_moves_by_mouse_and_by_keyboard(page: Any) -> None:
    page.keyboard.press("c")
    page.keyboard.press("w")
    _mode(page, "slider")
    place = "parseFloat(document.querySelector('.divider').style.left) / document.querySelector('.pane').clientWidth"
    page.wait_for_selector(".divider", state="attached")
    assert page.evaluate(place) == pytest.approx(0.5, abs=0.01)
    page.mouse.move(700, 400)
    page.mouse.down()
    page.mouse.move(350, 400, steps=3)
    page.mouse.up()
    assert page.evaluate(place) == pytest.approx(0.25, abs=0.03)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(place) == pytest.approx(0.3, abs=0.03)


def test_blinking_turns_the_page_and_can_be_paused(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=task&task={TASK}", reduced_motion="reduce")
    page.keyboard.press("c")
    page.keyboard.press("b")
    _mode(page, "blink")
    assert page.inner_text("#pause") == "Go on"  # who wants little motion turns the page by hand
    first = page.inner_text("#blinking")
    page.keyboard.press(" ")
    until(page, "text => document.getElementById('blinking').textContent !== text", arg=first)
    page.click("#pause")
    assert page.inner_text("#pause") == "Pause"


def test_the_address_opens_the_large_view_again(page: Any) -> None:
    page.keyboard.press("c")
    page.keyboard.press("d")
    _mode(page, "difference")
    page.reload()
    _mode(page, "difference")
    page.go_back()
    until(page, "!document.getElementById('viewer').open")


def test_what_was_edited_is_outlined_when_wanted(page: Any) -> None:
    assert page.locator(".card .region").count() == 0
    page.keyboard.press("o")
    page.wait_for_selector(".card .region", timeout=60_000)
    page.keyboard.press("c")
    page.wait_for_selector(".layer .region")
    page.keyboard.press("o")
    until(page, "document.querySelectorAll('.region').length === 0")


def test_help_names_the_keys(page: Any) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("#ask[open]")
    assert "exclude, or include again" in page.inner_text("#ask")
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('ask').open")
    page.click("button[aria-label=Keys]")
    page.wait_for_selector("#ask[open]")


def test_a_task_that_does_not_exist_is_said(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=task&task=nope")
    assert "nope" in page.inner_text("main")


def test_a_task_that_was_seen_for_a_moment_counts_as_looked_at(url: str, page: Any) -> None:
    until(page, "document.querySelector('.looked span').textContent.startsWith('1 of')")
    assert requests.get(f"{url}api/state", timeout=30).json()["looked"] == 1
