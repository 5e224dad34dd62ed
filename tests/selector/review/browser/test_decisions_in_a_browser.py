"""Decisions on the page: by keyboard, at once in the store, seen by others, taken back where they cannot be stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_pages import Open, allow, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign
from selector.domain.decisions import DecisionKind
from selector.store.looks import SAME, A, B, load_comparisons
from selector.store.observations import load_judgements

TASK = "1"


def _current(page: Any) -> str:
    return str(page.get_attribute(".card.current", "data-short"))


def _exclude(page: Any, reason: str) -> None:
    page.keyboard.press("x")
    page.wait_for_selector("#ask[open] #reason")
    page.fill("#reason", reason)
    page.keyboard.press("Enter")


@pytest.fixture
def page(url: str, open_page: Open) -> Any:
    return open_page(f"{url}?view=task&task={TASK}")


def test_x_excludes_with_a_reason_that_is_on_the_disk_at_once(campaign: Campaign, page: Any) -> None:
    short = _current(page)
    _exclude(page, "two left hands")
    page.wait_for_selector(f'.card.excluded[data-short="{short}"]')
    page.evaluate("last")  # what is on its way
    found = campaign.decisions.history[-1]
    assert (found.kind, found.reason, found.by) == (DecisionKind.EXCLUDE, "two left hands", "Ada")
    assert found.target.candidate_id is not None and found.target.candidate_id.startswith(short)
    page.reload()
    page.wait_for_selector(f'.card.excluded[data-short="{short}"]')


def test_u_takes_the_last_decision_back(campaign: Campaign, page: Any) -> None:
    _exclude(page, "broken")
    page.wait_for_selector(".card.excluded")
    page.keyboard.press("u")
    until(page, "document.querySelectorAll('.card.excluded').length === 0")
    assert not campaign.decisions.present.excluded


def test_x_on_what_is_excluded_includes_it_again(campaign: Campaign, page: Any) -> None:
    _exclude(page, "broken")
    page.wait_for_selector(".card.excluded")
    page.keyboard.press("x")
    until(page, "document.querySelectorAll('.card.excluded').length === 0")
    page.evaluate("last")
    assert not campaign.decisions.present.excluded


def test_the_last_reason_is_ready_and_ready_made_ones_fill_the_field(page: Any) -> None:
    _exclude(page, "two left hands")
    page.wait_for_selector(".card.excluded")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("u")
    until(page, "document.querySelectorAll('.card.excluded').length === 0")
    page.keyboard.press("x")
    page.wait_for_selector("#ask[open]")
    assert page.input_value("#reason") == "two left hands"
    page.click(".chips >> text=the face is wrong")
    assert page.input_value("#reason") == "the face is wrong"
    page.keyboard.press("Escape")
    until(page, "!document.getElementById('ask').open")
    assert page.locator(".card.excluded").count() == 0  # Esc decides nothing


def test_a_generator_is_excluded_here_or_everywhere(campaign: Campaign, page: Any) -> None:
    maker = page.inner_text(".card.current .maker")
    page.keyboard.press("x")
    page.fill("#reason", "makes nightmares")
    page.check("#ask input[value='task generator']")
    page.click("#ask .primary")
    page.wait_for_selector(".card.excluded")
    makers = page.eval_on_selector_all(".card.excluded .maker", "nodes => nodes.map(n => n.textContent)")
    assert len(makers) > 1 and set(makers) == {maker}
    page.evaluate("last")
    target = campaign.decisions.history[-1].target
    assert (target.task_id, target.generator) == (TASK, maker)
    page.keyboard.press("u")
    until(page, "document.querySelectorAll('.card.excluded').length === 0")


def test_n_writes_a_note(campaign: Campaign, page: Any) -> None:
    page.keyboard.press("n")
    page.fill("#reason", "看看左手")
    page.keyboard.press("Enter")
    page.wait_for_selector(".inspector:has-text('看看左手')")
    page.evaluate("last")
    assert campaign.decisions.present.notes[-1].reason == "看看左手"


def test_a_note_that_was_begun_is_there_again_and_control_enter_stores_it(page: Any, campaign: Any) -> None:
    page.keyboard.press("n")
    page.fill("#reason", "half a thought")
    assert page.inner_text("#ask label") == "Note"
    page.keyboard.press("Escape")
    page.wait_for_selector("#ask[open]", state="detached")
    page.keyboard.press("n")
    page.wait_for_selector("#ask[open]")
    assert page.input_value("#reason") == "half a thought"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".inspector:has-text('half a thought')")
    page.evaluate("last")
    assert campaign.decisions.present.notes[-1].reason == "half a thought"
    page.keyboard.press("n")
    page.wait_for_selector("#ask[open]")
    assert page.input_value("#reason") == ""


def test_the_buttons_of_the_bar_do_what_the_keys_do(page: Any) -> None:
    page.click(".actions >> text=Exclude")
    page.fill("#reason", "broken")
    page.click("#ask .primary")
    page.wait_for_selector(".card.excluded")
    page.click(".actions >> text=Undo")
    until(page, "document.querySelectorAll('.card.excluded').length === 0")
    page.click(".actions >> text=Note")
    page.wait_for_selector("#ask[open]")
    page.click("#ask >> text=Cancel")
    page.click(".actions >> text=Next")
    until(page, f"document.querySelector('.task').dataset.id !== '{TASK}'")
    page.click(".actions >> text=Previous")
    page.wait_for_selector(f'.task[data-id="{TASK}"]')


def test_what_cannot_be_stored_is_taken_back_with_the_error(page: Any) -> None:
    page.route("**/api/decide?*", lambda route: route.fulfill(status=507, json={"error": "the disk is full"}))
    _exclude(page, "broken")
    page.wait_for_selector(".toast.error:has-text('the disk is full')")
    until(page, "document.querySelectorAll('.card.excluded').length === 0")


def test_it_is_shown_before_the_answer_has_come(page: Any) -> None:
    held: list[Any] = []
    page.route("**/api/decide?*", lambda route: held.append(route))
    _exclude(page, "broken")
    page.wait_for_selector(".card.excluded")
    until(page, "sending === 1")
    held[0].continue_()
    until(page, "sending === 0")
    assert page.locator(".card.excluded").count() == 1


def test_two_windows_see_each_others_decisions(url: str, open_page: Open) -> None:
    one, two = open_page(f"{url}?view=task&task={TASK}"), open_page(f"{url}?view=task&task={TASK}")
    queue = open_page(f"{url}?sort=id")
    _exclude(one, "broken")
    two.wait_for_selector(".card.excluded:has-text('broken')")
    queue.wait_for_selector(".row:has-text('1 excluded')")
    two.keyboard.press("n")
    two.fill("#reason", "agreed")
    two.keyboard.press("Enter")
    one.wait_for_selector(".history:has-text('agreed'), .inspector:has-text('agreed')", state="attached")


def test_a_decision_in_the_shell_is_seen_too(campaign: Campaign, page: Any) -> None:
    campaign.decisions.exclude("from the shell", candidate=_current(page), by="Li")
    page.wait_for_selector(".card.excluded:has-text('from the shell')")


def test_a_look_at_nothing_but_the_page_in_read_only(campaign: Campaign, open_page: Open) -> None:
    with campaign.review(read_only=True, by="Ada") as review:
        page = open_page(f"{review.url}?view=task&task={TASK}")
        assert page.is_visible("text=read-only") and not page.is_visible(".actions >> text=Exclude")
        page.keyboard.press("x")
        page.wait_for_selector(".toast:has-text('nothing is stored')")
        page.wait_for_timeout(900)  # a look would have been told by now
    assert not campaign.decisions.history


def test_pins_are_off_where_the_contest_forbids_them(campaign: Campaign, page: Any) -> None:
    assert not page.is_visible(".actions >> text=Pin")
    page.keyboard.press("p")
    page.wait_for_selector(".toast:has-text('no pins')")
    page.keyboard.press("Shift+Digit2")
    assert not campaign.decisions.history


def test_pins_by_p_and_by_shift_and_a_digit_where_they_are_allowed(folder: Path, open_page: Open) -> None:
    allow(folder, decisions="exclusions_and_pins")
    with Campaign(folder) as campaign, campaign.review(by="Ada") as review:
        page = open_page(f"{review.url}?view=task&task={TASK}")
        short = page.get_attribute(".card >> nth=2", "data-short")
        page.keyboard.press("Shift+Digit3")
        page.fill("#reason", "the client's wish")
        page.keyboard.press("Enter")
        page.wait_for_selector(f'.card.pinned[data-short="{short}"]')
        page.evaluate("last")
        assert str(campaign.decisions.present.pinned(TASK)).startswith(str(short))
        page.click(f'.card[data-short="{short}"] .maker')
        page.keyboard.press("p")
        until(page, "document.querySelectorAll('.card.pinned').length === 0")
        page.evaluate("last")
        assert campaign.decisions.present.pinned(TASK) is None


def test_where_no_decision_is_allowed_the_page_names_the_rule(folder: Path, open_page: Open) -> None:
    allow(folder, decisions="none")
    with Campaign(folder) as campaign, campaign.review(by="Ada") as review:
        page = open_page(f"{review.url}?view=task&task={TASK}")
        assert page.is_disabled(".actions button:has-text('Exclude')")
        page.keyboard.press("x")
        page.wait_for_selector(".toast:has-text('rules allow no decisions')")
        assert not campaign.decisions.history


def test_a_or_b_answers_become_ratings(folder: Path, open_page: Open) -> None:
    allow(folder, decisions="exclusions", ratings=True)
    with Campaign(folder) as campaign, campaign.review(by="Ada") as review:
        page = open_page(f"{review.url}?view=pair")
        page.wait_for_selector(".duel img[src]")
        assert not {"alpha", "beta", "retouch"} & set(page.inner_text("main").split())  # blind
        first = _answered(page, lambda: page.keyboard.press("1"))
        same = _answered(page, lambda: page.click("button:has-text('About the same')"))
        second = _answered(page, lambda: page.click("[aria-label='B is better']"))
        with campaign._ws.db.read() as connection:
            told = load_comparisons(connection, by="Ada")
            ratings = load_judgements(connection, "Ada, A or B")
    better = [None if one.better == SAME else {A: one.a, B: one.b}[one.better] for one in told]
    assert [(one.task_id, {one.a, one.b}) for one in told] == [
        (q["task"], {q["a"], q["b"]}) for q in (first, same, second)
    ]
    assert better == [first["a"], None, second["b"]]
    assert {r.candidate_id for r in ratings} == {q[side] for q in (first, same, second) for side in "ab"}


def _answered(page: Any, answer: Callable[[], None]) -> dict[str, Any]:
    """The question that was answered, once the next one is on the page."""
    question: dict[str, Any] = page.evaluate("pair")
    answer()
    until(page, "old => !answering && pair?.a && (pair.a !== old.a || pair.b !== old.b)", arg=question)
    return question


def test_a_or_b_is_not_asked_where_ratings_are_forbidden(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=pair")
    assert "forbid judgements" in page.inner_text("main")
