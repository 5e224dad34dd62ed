"""Thirty tasks decided in the browser without a mouse, into the ZIP, which its manifest alone makes again elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

from browser_pages import TASKS, Open, campaign, folder, open_page, until, url  # noqa: F401

from selector import Campaign
from selector.domain.decisions import DecisionKind

MANY = 30


def test_thirty_tasks_decided_by_keyboard_are_what_is_exported_and_reproduced(
    campaign: Campaign, url: str, open_page: Open, many_tasks: Path, tmp_path: Path
) -> None:
    before = {pick.task_id: pick.candidate_id for pick in campaign.pick()}
    page = open_page(f"{url}?sort=id")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector('.task[data-id="0"]')
    for number in range(MANY):
        page.wait_for_selector(f'.task[data-id="{number}"] .card.picked')
        if number % 3 == 0:  # not this one
            page.keyboard.press("x")
            page.wait_for_selector("#ask[open]")
            if number == 0:
                page.keyboard.type("broken")  # the last reason is ready in all that follow
            page.keyboard.press("Enter")
            page.wait_for_selector(".card.excluded")
        elif number % 3 == 1:
            page.keyboard.press("n")
            page.wait_for_selector("#ask[open]")
            page.keyboard.type("fine")
            page.keyboard.press("Enter")
            until(page, "!document.getElementById('ask').open")
        page.keyboard.press("j")
    until(page, "sending === 0")
    history = campaign.decisions.history
    assert [one.kind for one in history].count(DecisionKind.EXCLUDE) == MANY // 3
    assert [one.kind for one in history].count(DecisionKind.NOTE) == MANY // 3
    assert {one.reason for one in history if one.kind is DecisionKind.EXCLUDE} == {"broken"}
    after = {pick.task_id: pick.candidate_id for pick in campaign.pick()}
    export = campaign.export()
    assert export.zip_path.is_file() and len(after) == TASKS
    against = {one.target.candidate_id for one in history if one.kind is DecisionKind.EXCLUDE}
    assert all(before[str(n)] in against and after[str(n)] not in against for n in range(0, MANY, 3))
    copied = Path(shutil.copytree(many_tasks, tmp_path / "copy"))  # as it was before anybody decided
    with Campaign(copied) as copy:
        again = copy.submissions.reproduce(export.manifest_path)
        assert not copy.decisions.history
    assert again.submission.id == export.submission.id
    assert again.zip_path.read_bytes() == export.zip_path.read_bytes()
    assert again.manifest_path.read_bytes() == export.manifest_path.read_bytes()
