"""The queue of tasks: order, search, filters, keys, and the address that holds all of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlparse

import requests
from browser_pages import TASKS, Open, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign


def _ids(page: Any) -> list[str]:
    return list(page.eval_on_selector_all(".row .what b", "nodes => nodes.map(n => n.textContent)"))


def _query(page: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def _count(page: Any, text: str) -> None:
    until(page, "text => document.getElementById('count')?.textContent === text", arg=text)


def test_tasks_come_in_the_order_of_what_a_look_is_worth(url: str, open_page: Open) -> None:
    page = open_page(url)
    expected = [one["id"] for one in requests.get(f"{url}api/queue", timeout=30).json()["tasks"]]
    shown = _ids(page)
    assert len(shown) > 5 and shown == expected[: len(shown)]
    assert page.text_content("#count") == f"{TASKS} tasks"


def test_search_looks_at_all_tasks_and_stays_in_the_address(url: str, open_page: Open) -> None:
    page = open_page(url)
    page.keyboard.press("/")
    page.keyboard.type("CAT 12 birds")
    told = requests.get(f"{url}api/queue", params={"q": "cat 12 birds"}, timeout=30).json()
    expected = f"{told['total']} of {TASKS} tasks"
    _count(page, expected)
    assert "12" in _ids(page) and 0 < len(_ids(page)) <= TASKS // 4 and _query(page)["q"] == "CAT 12 birds"
    page.reload()
    _count(page, expected)
    assert page.input_value("#search") == "CAT 12 birds" and "12" in _ids(page)


def test_sort_order_and_filters_by_their_controls(url: str, open_page: Open) -> None:
    page = open_page(url)
    page.select_option("[name=sort]", "id")
    until(page, "document.querySelector('.row .what b').textContent === '0'")
    page.click("text=↕")
    until(page, "document.querySelector('.row .what b').textContent === '0'")
    page.click(".selects button:has-text('↑')")
    until(page, f"document.querySelector('.row .what b').textContent === '{TASKS - 1}'")
    page.select_option("[name=type]", "vttie")
    _count(page, f"{TASKS // 4} of {TASKS} tasks")
    page.select_option("[name=decision]", "excluded")
    _count(page, f"0 of {TASKS} tasks")
    assert page.is_visible("text=No task is like that")
    page.click("text=Clear")
    _count(page, f"{TASKS} tasks")
    assert not {"sort", "order", "type", "decision"} & set(_query(page))


def test_generator_and_flag_filters(url: str, open_page: Open) -> None:
    page = open_page(url)
    page.select_option("[name=generator]", "textedit")
    _count(page, f"{TASKS // 4} of {TASKS} tasks")
    page.select_option("[name=generator]", "")
    flag = page.eval_on_selector("[name=flag]", "node => node.options[1].value")
    page.select_option("[name=flag]", flag)
    told = requests.get(f"{url}api/queue", params={"flag": flag}, timeout=30).json()["total"]
    _count(page, f"{TASKS} tasks" if told == TASKS else f"{told} of {TASKS} tasks")


def test_j_and_k_move_enter_opens_escape_comes_back(url: str, open_page: Open) -> None:
    page = open_page(url)
    order = [one["id"] for one in requests.get(f"{url}api/queue", timeout=30).json()["tasks"]]
    for key in "jjjk":
        page.keyboard.press(key)
    page.wait_for_selector(".row.current")
    assert page.text_content(".row.current .what b") == order[1]
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.task[data-id="{order[1]}"]')
    page.keyboard.press("Escape")
    page.wait_for_selector(".row.current")
    assert _query(page)["at"] == "1"


def test_reload_comes_back_to_the_same_row(url: str, open_page: Open) -> None:
    page = open_page(url, height=500)
    for _ in range(20):
        page.keyboard.press("j")
    before = page.text_content(".row.current .what b")
    page.reload()
    page.wait_for_selector(".row.current")
    assert page.text_content(".row.current .what b") == before
    assert page.evaluate("document.querySelector('.row.current').getBoundingClientRect().top < innerHeight")


def test_only_rows_near_the_window_exist_and_only_their_pictures_are_asked_for(url: str, open_page: Open) -> None:
    asked: list[str] = []
    page = open_page(f"{url}?lang=en", height=420)
    page.on("request", lambda request: asked.append(request.url) if "/image/" in request.url else None)
    page.reload()
    page.wait_for_selector(".row img[src]")
    page.wait_for_timeout(600)
    assert 0 < len(asked) < TASKS * 0.7
    assert page.locator(".row").count() < TASKS
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    until(page, f"[...document.querySelectorAll('.row')].some(r => r.getAttribute('aria-posinset') === '{TASKS}')")
    assert page.locator(".row").count() < TASKS


def test_the_end_says_that_nothing_is_left_and_what_that_means(campaign: Campaign, url: str, open_page: Open) -> None:
    tasks = [one["id"] for one in requests.get(f"{url}api/queue", params={"limit": TASKS}, timeout=30).json()["tasks"]]
    for task in tasks[1:]:
        _look(url, task)
    page = open_page(url)
    assert page.locator(".end").count() == 0
    _look(url, tasks[0])  # on another page
    page.wait_for_selector(".end h2:has-text('Nothing left that needs you')")
    floor = requests.get(f"{url}api/state", timeout=30).json()["look_floor"]
    assert floor > 0 and f"more than {floor:.4f} points of the total" in page.inner_text(".end")
    page.click(".end a")
    page.wait_for_selector(".day")
    page.go_back()
    page.wait_for_selector(".end")
    page.goto(f"{url}?view=task&task={tasks[-1]}&at={TASKS - 1}")
    page.wait_for_selector(".task .card")
    page.keyboard.press("j")
    page.wait_for_selector(".toast:has-text('Nothing left that needs you')")
    cards = requests.get(f"{url}api/task/{tasks[0]}", timeout=30).json()["candidates"]
    picked = next(card["id"] for card in cards if card["picked"])
    campaign.decisions.exclude("broken", picked, tasks[0], by="Li")  # what was looked at is another pick now
    page.goto(url)
    page.wait_for_selector(".row a")
    assert requests.get(f"{url}api/state", timeout=30).json()["to_look"] == 1 and page.locator(".end").count() == 0


def _look(url: str, task: str) -> None:
    answer = requests.post(f"{url}api/look", json={"task": task}, headers={"X-Bestshot": "1"}, timeout=30)
    assert answer.status_code == 200, answer.text


def test_history_goes_back_through_what_was_shown(url: str, open_page: Open) -> None:
    page = open_page(url)
    page.click(".row >> nth=1")
    page.wait_for_selector(".task")
    page.go_back()
    page.wait_for_selector(".row")
    page.go_forward()
    page.wait_for_selector(".task")
