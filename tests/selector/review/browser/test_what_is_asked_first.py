"""What the page asks or says before something is run, and what its keys take back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from browser_pages import Open, allow, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign
from selector.decide.picking import LEARN, PLAN
from selector.store.candidates import load_candidates
from selector.store.looks import A, B, load_comparisons
from selector.store.picks import newest_basis, newest_picks, save_picks

TASK = "1"
_RUN_SECONDS = 90_000  # milliseconds for a verb in a process of its own


def _plan_to_learn(campaign: Campaign) -> None:
    """Make the newest picks those of a plan to learn: one of them is not the best."""
    best = {pick.task_id: pick.candidate_id for pick in campaign.pick()}
    ws = campaign._ws
    with ws.db.write() as connection:
        newest = newest_picks(connection)
        assert newest is not None
        other = next(one.id for one in load_candidates(connection, TASK) if one.id != best[TASK])
        chosen = [replace(p, candidate_id=other) if p.task_id == TASK else p for p in newest[1]]
        save_picks(connection, chosen, {**newest_basis(connection), PLAN: LEARN}, ws.now())


def _purpose(url: str) -> str:
    return str(requests.get(f"{url}api/state", timeout=30).json()["picks"]["purpose"])


def test_pick_refuses_to_replace_a_plan_to_learn_and_the_page_asks(
    campaign: Campaign, url: str, open_page: Open
) -> None:
    _plan_to_learn(campaign)
    page, other = open_page(f"{url}?view=day"), open_page(f"{url}?view=day")
    for answer in ("Cancel", "Replace them"):
        assert _purpose(url) == "learn"
        page.click("text=Pick the best known")
        page.wait_for_selector("#ask[open] :text('to learn')", timeout=_RUN_SECONDS)
        assert not other.is_visible("#ask")  # who has not asked for it is told, not asked
        page.click(f"#ask >> text={answer}")
    page.wait_for_selector(".job.done", timeout=_RUN_SECONDS)
    assert _purpose(url) == "win"


def test_pick_is_not_asked_about_where_a_plan_to_learn_was_already_exported(
    campaign: Campaign, url: str, open_page: Open
) -> None:
    _plan_to_learn(campaign)
    campaign.export()
    page = open_page(f"{url}?view=day")
    page.click("text=Pick the best known")
    page.wait_for_selector(".job.done, #ask[open]", timeout=_RUN_SECONDS)
    assert not page.is_visible("#ask") and _purpose(url) == "win"


def _export_dialog(url: str, open_page: Open, **facts: Any) -> str:
    told = {**requests.get(f"{url}api/export-preview", timeout=60).json(), **facts}
    page = open_page(f"{url}?view=day")
    page.route("**/api/export-preview?*", lambda route: route.fulfill(json=told))
    page.click("text=Export the ZIP")
    page.wait_for_selector("#ask[open]")
    return str(page.inner_text("#ask"))


def test_a_first_export_is_compared_with_none(url: str, open_page: Open) -> None:
    asked = _export_dialog(url, open_page, changed_from_last=None, last=None)
    assert "Nothing was exported before" in asked and "differ from the last" not in asked


def test_what_is_not_known_of_an_export_is_said(url: str, open_page: Open) -> None:
    asked = _export_dialog(url, open_page, submission=None, missing=1, certain=False)
    assert "{" not in asked and "1 task has no pick" in asked
    assert "Which submission it is follows" in asked and "may still change" in asked


def test_plan_is_asked_for_one_submission_at_least(url: str, open_page: Open) -> None:
    page = open_page(f"{url}?view=day")
    page.click("text=Plan the next submission")
    page.wait_for_selector("#remaining")
    page.fill("#remaining", "0")
    page.click("#ask .primary")
    assert page.is_visible("#ask") and page.get_attribute("#remaining", "min") == "1"
    assert not requests.get(f"{url}api/jobs", timeout=30).json()


def test_a_look_says_what_the_page_had_drawn(url: str, open_page: Open) -> None:
    told = {**requests.get(f"{url}api/task/{TASK}", timeout=30).json(), "seen": "what was drawn"}
    page = open_page(url)
    page.route(f"**/api/task/{TASK}?*", lambda route: route.fulfill(json=told))
    with page.expect_request("**/api/look?*") as looked:
        page.goto(f"{url}?view=task&task={TASK}")
    assert looked.value.post_data_json == {"task": TASK, "seen": "what was drawn"}


def test_u_in_a_or_b_asks_the_last_question_again_and_leaves_decisions_alone(folder: Path, open_page: Open) -> None:
    allow(folder, decisions="exclusions", ratings=True)
    with Campaign(folder) as campaign, campaign.review(by="Ada") as review:
        campaign.decisions.exclude("broken", campaign.pick()[0].candidate_id, by="Ada")
        page = open_page(f"{review.url}?view=pair")
        page.wait_for_selector(".duel img[src]")
        page.keyboard.press("u")
        page.wait_for_selector(".toast:has-text('Nothing was answered')")
        first = _answered(page, lambda: page.keyboard.press("1"))
        pending = page.evaluate("pair")
        page.keyboard.press("u")
        until(page, "old => pair?.a === old.a && pair.b === old.b", arg=first)
        again = _answered(page, lambda: page.keyboard.press("2"))
        assert (again["task"], page.evaluate("pair.a"), page.evaluate("pair.b")) == (
            first["task"],
            pending["a"],
            pending["b"],
        )
        with campaign._ws.db.read() as connection:
            (told,) = load_comparisons(connection, by="Ada")
        assert {A: told.a, B: told.b}[told.better] == first["b"]
        assert campaign.decisions.present.excluded
        page.click(".pair >> text=Back to the question before")
        until(page, "old => pair?.a === old.a && pair.b === old.b", arg=first)


def _answered(page: Any, answer: Callable[[], None]) -> dict[str, Any]:
    """The question that was answered, once the next one is on the page."""
    question: dict[str, Any] = page.evaluate("pair")
    answer()
    until(page, "old => !answering && pair?.a && (pair.a !== old.a || pair.b !== old.b)", arg=question)
    return question
