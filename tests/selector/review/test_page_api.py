"""What the page is told, and what it can do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from io import BytesIO
from pathlib import Path

import pytest
import requests
from PIL import Image
from review_pages import EACH, TASKS, Client, Open, all_allowed, folder, page, serve  # noqa: F401

from selector import Campaign
from selector.domain import SubmissionError
from selector.store import schema
from selector.store.presence import present
from selector.submit.export import Export


def first(page: Client, **query: str) -> dict:
    return page.get("api/queue", limit=1, **query)["tasks"][0]


def test_the_state_says_where_the_campaign_stands(page: Client) -> None:
    state = page.get("api/state")
    assert (state["tasks"], state["candidates"], state["looked"]) == (TASKS, TASKS * EACH, 0)
    assert state["rule"] == "exclusions" and not state["ratings"] and state["person"] == "Li"
    assert state["calibrated"] and state["snapshot"]["ready"] and state["snapshot"]["stale"] == []
    assert state["quota"]["allowed"] == 2 and state["quota"]["zone"] == "Asia/Shanghai"
    assert len(state["submissions"]) == 6 and state["submissions"][0]["expected"] is not None
    assert {one["name"] for one in state["generators"]} >= {"folder:alpha", "folder:beta", "retouch"}
    assert sum(one["tasks"] for one in state["types"]) == TASKS
    assert 0 < state["to_look"] <= TASKS and state["look_floor"] == pytest.approx(0.1 / TASKS)


def test_the_queue_begins_with_what_a_look_is_worth_most(page: Client) -> None:
    worths = [task["worth"] for task in page.get("api/queue")["tasks"]]
    assert worths == sorted(worths, reverse=True) and worths[0] > 0
    assert [t["id"] for t in page.get("api/queue", sort="id")["tasks"]] == [str(n) for n in range(TASKS)]
    assert [t["id"] for t in page.get("api/queue", sort="id", order="desc", limit=1)["tasks"]] == [str(TASKS - 1)]


def test_the_queue_is_filtered_and_searched_as_a_whole(page: Client) -> None:
    assert page.get("api/queue", type="tie", limit=1)["total"] == TASKS // 4
    assert page.get("api/queue", generator="faceswap")["total"] == TASKS // 4
    assert {t["id"] for t in page.get("api/queue", q="CAT 8")["tasks"]} >= {"8"}
    assert page.get("api/queue", q="no such word")["total"] == 0
    task = first(page)
    assert task["id"] in {t["id"] for t in page.get("api/queue", q=task["pick"]["short"])["tasks"]}
    assert "did you mean 'worth'" in page.get("api/queue", 400, sort="wort")["error"]
    page.get("api/queue", 400, limit="-1")


def test_a_task_has_all_that_a_person_needs(page: Client) -> None:
    row = first(page, type="tie")
    task = page.get(f"api/task/{row['id']}", type="tie")
    cards = task["candidates"]
    assert len(cards) == EACH and sum(card["picked"] for card in cards) == 1
    assert task["source"]["width"] == 72 and task["reference"] is None
    pick = next(card for card in cards if card["picked"])
    assert pick["estimate"]["behind"] == 0 and 0 <= pick["estimate"]["overall"] <= 10
    assert {score["scorer"] for score in pick["scores"]} >= {"technical", "gate"}
    placed = [score["place"] for card in cards for score in card["scores"] if score["value"] is not None]
    assert all(0 < place <= 1 for place in placed)
    assert [card["rank"] for card in cards if card["rank"]] == [n + 1 for n, c in enumerate(cards) if c["rank"]]
    assert task["neighbours"]["previous"] is None and task["neighbours"]["next"] != row["id"]
    assert task["reading"] and task["declined"] == [] and task["decisions"] == []
    assert page.get("api/task/nowhere", 404)["error"].startswith("there is no task")


def test_an_exclusion_counts_at_once_and_is_taken_back(page: Client) -> None:
    row = first(page)
    pick = row["pick"]["id"]
    told = page.post("api/decide", kind="exclude", task=row["id"], candidate=pick, reason="six fingers")
    assert told["decisions"][0]["by"] == "Li" and told["decision"] == 1
    now = first(page, q=row["id"] + " " + row["pick"]["short"])
    assert now["pick"]["id"] != pick and now["excluded"] == 1 and "pick_excluded" in now["flags"]
    card = next(c for c in page.get(f"api/task/{row['id']}")["candidates"] if c["id"] == pick)
    assert card["excluded"] == {**card["excluded"], "reason": "six fingers", "of": "candidate"} and not card["picked"]
    assert [t["id"] for t in page.get("api/queue", decision="excluded")["tasks"]] == [row["id"]]
    assert page.post("api/undo")["decision"]["kind"] == "include"
    assert page.post("api/undo")["decision"] is None
    assert first(page, q=row["id"] + " " + row["pick"]["short"])["pick"]["id"] == pick


def test_an_excluded_generator_is_excluded_everywhere(page: Client) -> None:
    page.post("api/decide", kind="exclude", generator="folder:alpha", reason="all of them blurred")
    assert page.get("api/queue", decision="excluded")["total"] == TASKS
    card = next(c for c in page.get("api/task/1")["candidates"] if c["excluded"])
    assert card["excluded"]["of"] == "generator" and card["excluded"]["generator"] == "folder:alpha"
    said = next(g for g in page.get("api/state")["generators"] if g["name"] == "folder:alpha")
    assert said["excluded"]["reason"] == "all of them blurred"
    page.post("api/decide", kind="include", generator="folder:alpha")
    assert page.get("api/queue", decision="excluded")["total"] == 0


def test_what_the_rules_do_not_allow_is_refused_with_the_rule(page: Client) -> None:
    row = first(page)
    said = page.post("api/decide", 400, kind="pin", task=row["id"], candidate=row["pick"]["id"], reason="mine")
    assert "allow no pins" in said["error"]
    assert "needs a reason" in page.post("api/decide", 400, kind="exclude", generator="retouch")["error"]
    assert "no ratings by people" in page.get("api/pair", 400)["error"]


def test_a_pin_where_it_is_allowed(all_allowed: Path, serve: Open) -> None:
    page = serve(all_allowed)
    task = page.get("api/task/2")
    other = next(card for card in task["candidates"] if not card["picked"])
    page.post("api/decide", kind="pin", task="2", candidate=other["short"], reason="the client's choice")
    cards = page.get("api/task/2")["candidates"]
    assert [c["id"] for c in cards if c["picked"]] == [other["id"]] and cards[0]["pinned"]["by"] == "Li"
    assert page.get("api/queue", decision="pinned")["total"] == 1
    page.post("api/decide", kind="release", task="2")
    assert page.get("api/queue", decision="pinned")["total"] == 0


def test_notes_are_found_by_search(page: Client) -> None:
    page.post("api/decide", kind="note", task="3", reason="ask the Sponsor about 左手")
    assert [t["id"] for t in page.get("api/queue", q="sponsor 左手")["tasks"]] == ["3"]
    assert page.get("api/task/3")["notes"][0]["text"].startswith("ask")


def test_hostile_text_comes_out_as_text(page: Client) -> None:
    text = "</script><script>alert(1)</script> \u202e\"'\\ \x07"
    page.post("api/decide", kind="note", task="3", reason=text)
    answer = page.raw("api/task/3")
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.text)["notes"][0]["text"] == """</script><script>alert(1)</script> ?"'\\ ?"""


def test_a_body_that_is_nested_too_deeply_is_no_json(page: Client) -> None:
    headers = {"X-Bestshot": "1", "content-type": "application/json"}
    answer = page.raw("api/decide", "POST", data="[" * 60_000, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "the request is no JSON")


def test_a_look_is_kept_until_there_is_something_new(page: Client) -> None:
    row = first(page)
    before = page.get("api/state")["to_look"]
    assert page.post("api/look", task=row["id"]) == {"looked": 1, "to_look": before - 1}
    page.post("api/look", task=row["id"])
    assert page.get(f"api/task/{row['id']}")["looked"]
    assert page.get("api/queue", decision="not_looked")["total"] == TASKS - 1
    after = page.get(f"api/task/{row['id']}", decision="not_looked")["neighbours"]
    assert after["previous"] is None and after["next"] is not None  # goes on from the one that was looked at
    page.post("api/decide", kind="exclude", task=row["id"], candidate=row["pick"]["id"], reason="broken")
    again = page.get(f"api/task/{row['id']}")
    assert again["changed"] and not again["looked"]
    assert page.get("api/queue", decision="changed")["total"] == 1


def test_blind_answers_become_ratings_that_calibrate(all_allowed: Path, serve: Open) -> None:
    page = serve(all_allowed)
    pair = page.get("api/pair", task="1")
    assert set(pair) == {"task", "prompt", "source", "a", "b", "left"} and pair["left"] == 1
    assert page.get("api/pair", task="1") == pair
    page.post("api/pair", task="1", a=pair["a"], b=pair["b"], better="b")
    assert {page.get("api/pair", task="1")["a"], page.get("api/pair", task="1")["b"]} != {pair["a"], pair["b"]}
    judges = {c["id"]: c["judges"] for c in page.get("api/task/1")["candidates"]}
    (better,), (worse,) = judges[pair["b"]], judges[pair["a"]]
    assert better["kind"] == "rating" and better["overall"] == pytest.approx(5.844, abs=0.001)
    assert worse["overall"] == pytest.approx(10 - better["overall"], abs=0.001)
    page.post("api/pair", 400, task="1", a=pair["a"], b=pair["a"], better="a")
    page.post("api/pair", 400, task="1", a=pair["a"], b=pair["b"], better="c")
    with Campaign(all_allowed) as campaign:
        assert any(w.name == "judge:Li, A or B" for w in campaign.calibrate().weights)


def test_the_source_of_a_pair_has_an_address_whatever_its_name(all_allowed: Path, serve: Open) -> None:
    with Campaign(all_allowed) as campaign, campaign._ws.db.write() as connection:
        connection.execute(schema.task.update().where(schema.task.c.id == "1").values(source="a #1.png"))
    assert serve(all_allowed).get("api/pair", task="1")["source"] == "input/a%20%231.png"


def test_pictures_come_in_sizes_and_are_kept(page: Client) -> None:
    wanted = first(page)["pick"]["id"]
    small = page.raw(f"image/{wanted}", params={"size": 160})
    assert small.headers["content-type"] == "image/jpeg" and "immutable" in small.headers["cache-control"]
    assert max(Image.open(BytesIO(small.content)).size) <= 160
    assert list((page.folder / "cache" / "review" / "pictures").rglob(f"{wanted[:40]}-160.jpg"))
    whole = page.raw(f"image/{wanted}")
    assert whole.content == next((page.folder / "images").rglob(f"{wanted}.jpg")).read_bytes()
    known = {"If-None-Match": whole.headers["etag"]}
    assert page.raw(f"image/{wanted}", headers=known).status_code == 304
    assert page.raw(f"image/{wanted}", params={"size": 161}).status_code == 400
    source = page.get("api/task/1")["source"]["url"]
    assert page.raw(source, params={"size": 320}).status_code == 200


def test_a_missing_and_a_damaged_picture_are_told(page: Client) -> None:
    one, two = (c["id"] for c in page.get("api/task/1")["candidates"][:2])
    next((page.folder / "images").rglob(f"{one}.jpg")).unlink()
    next((page.folder / "images").rglob(f"{two}.jpg")).write_bytes(b"no picture")
    assert "missing" in page.raw(f"image/{one}", params={"size": 320}).json()["error"]
    assert page.raw(f"image/{two}", params={"size": 320}).status_code == 400


def test_pages_hear_what_others_decide(page: Client) -> None:
    heard: list[dict] = []

    def listen() -> None:
        with requests.get(page.review.url + "api/events", stream=True, timeout=30) as answer:
            for line in answer.iter_lines():
                if line.startswith(b"data: "):
                    heard.append(json.loads(line[6:]))
                    if heard[-1].get("decision"):
                        return

    thread = threading.Thread(target=listen)
    thread.start()
    code = (
        "import sys; from selector import Campaign\n"
        "with Campaign(sys.argv[1]) as c: c.decisions.note('hello', '1', by='Wang')"
    )
    subprocess.run([sys.executable, "-c", code, str(page.folder)], check=True)
    thread.join(20)
    assert heard[0].get("decision", 0) == 0 and heard[-1]["decision"] == 1
    assert page.get("api/task/1")["notes"][0]["by"] == "Wang"


def test_a_run_is_followed_to_its_end_and_another_must_wait(page: Client) -> None:
    job = page.post("api/run", verb="plan", options={"remaining": 3})["job"]
    assert job["state"] == "running"
    assert "running" in page.post("api/run", 409, verb="pick")["error"]
    job = _ended(page, job["id"])
    assert job["state"] == "done", job
    plan = page.get("api/plan")
    assert plan["words"] == job["words"].splitlines() and plan["hold"] in (True, False) and plan["expected"] > 0
    page.post("api/run", 400, verb="rm")
    page.post("api/run", 400, verb="score", options={"remaining": 3})


def test_a_plan_to_learn_is_not_replaced_silently(page: Client) -> None:
    with Campaign(page.folder) as campaign, campaign._ws.db.write() as connection:
        told = campaign._context().need().learned_from["told"]  # a lesson that nothing has told yet
        picks = {"digest": "x", "basis": {"plan": "learn", "told": told}, "at": "2025-07-08T00:00:00+00:00"}
        number = connection.execute(schema.pick_set.insert().values(**picks)).inserted_primary_key[0]
        for task in campaign.tasks:  # none of the submissions holds these
            shown = sorted(page.get(f"api/task/{task.id}")["candidates"], key=lambda card: card["id"])[0]
            own = {"pick_set_id": number, "task_id": task.id, "candidate_id": shown["id"], "reason": "to learn"}
            connection.execute(schema.pick.insert().values(**own, fallback=False))
    assert page.get("api/state")["picks"]["purpose"] == "learn"
    job = _ended(page, page.post("api/run", verb="pick")["job"]["id"])
    assert job["needs"] == "replace" and "plan to learn" in job["error"]
    assert _ended(page, page.post("api/run", verb="pick", options={"replace": True})["job"]["id"])["state"] == "done"


def test_a_run_is_stopped_as_by_an_interrupt(page: Client) -> None:
    job = page.post("api/run", verb="score")["job"]
    time.sleep(0.3)
    page.post(f"api/jobs/{job['id']}/stop")
    assert _ended(page, job["id"])["state"] == "stopped"
    page.post("api/jobs/99/stop", 400)


def test_the_preview_names_what_export_writes(page: Client) -> None:
    row = first(page)
    _ended(page, page.post("api/run", verb="pick")["job"]["id"])
    preview = page.get("api/export-preview")
    assert preview["missing"] == 0 and preview["tasks"] == TASKS and preview["changed_from_last"] > 0
    assert row["id"]
    with Campaign(page.folder) as campaign:
        done: Export = campaign.export()
    assert done.submission.id == preview["submission"] and done.zip_path.name == preview["zip"]
    assert page.get("api/state")["picks"]["submission"] == preview["submission"]


def test_the_preview_is_what_export_writes_after_a_pick_was_excluded_and_included_again(page: Client) -> None:
    row = first(page)
    told = {"task": row["id"], "candidate": row["pick"]["id"]}
    with Campaign(page.folder) as campaign:
        campaign.pick(replace=True)
        page.post("api/decide", kind="exclude", reason="six fingers", **told)
        assert page.get("api/export-preview")["submission"] == campaign.export().submission.id
        page.post("api/decide", kind="include", **told)
        preview = page.get("api/export-preview")
        assert preview["certain"] and preview["submission"] == campaign.export().submission.id


def test_a_task_of_which_all_is_excluded_is_a_fallback_of_the_preview(page: Client) -> None:
    with Campaign(page.folder) as campaign:
        campaign.pick(replace=True)
        for card in page.get("api/task/1")["candidates"]:
            page.post("api/decide", kind="exclude", task="1", candidate=card["id"], reason="broken")
        preview = page.get("api/export-preview")
        assert (preview["fallbacks"], preview["missing"], preview["submission"]) == (1, 0, None)
        assert [task["id"] for task in page.get("api/queue", flag="fallback")["tasks"]] == ["1"]
        with pytest.raises(SubmissionError, match="only a fallback"):  # which it has made before
            campaign.export()
        preview = page.get("api/export-preview")
        done = campaign.export(allow_fallbacks=True)
        assert (preview["fallbacks"], preview["submission"]) == (1, done.submission.id)


def test_a_plan_that_was_made_in_the_shell_is_shown(page: Client) -> None:
    assert page.get("api/plan") is None
    with Campaign(page.folder) as campaign:
        found = campaign.plan(remaining=3)
    plan = page.get("api/plan", lang="zh")
    assert plan["hold"] == found.plan.hold and plan["purpose"] in (None, found.plan.purpose)
    (words,) = plan["words"]
    assert words.startswith("最新的计划") and "3 次提交" in words
    job = _ended(page, page.post("api/run", verb="plan", options={"remaining": 4})["job"]["id"])
    assert page.get("api/plan")["words"] == job["words"].splitlines()


def test_the_cache_may_be_deleted_while_the_page_is_open(page: Client) -> None:
    shutil.rmtree(page.folder / "cache")
    assert page.get("api/task/1")["candidates"]
    for _ in range(240):
        if (page.folder / "cache" / "review" / "estimates.db").is_file():
            break
        time.sleep(0.25)
    assert page.get("api/task/1")["reading"]


def test_a_look_is_at_what_the_page_has_drawn(page: Client) -> None:
    row = first(page)
    drawn = page.get(f"api/task/{row['id']}")["seen"]
    page.post("api/decide", kind="exclude", task=row["id"], candidate=row["pick"]["id"], reason="broken")
    page.post("api/look", task=row["id"], seen=drawn)
    task = page.get(f"api/task/{row['id']}")
    assert task["changed"] and not task["looked"]


def test_a_number_finds_the_task_of_that_number_first_and_no_hashes(page: Client) -> None:
    found = page.get("api/queue", q="7")
    assert found["tasks"][0]["id"] == "7" and found["total"] < TASKS


def test_the_next_step_is_there_soon_and_does_not_wait_for_the_estimates(folder: Path, serve: Open) -> None:
    shutil.rmtree(folder / "cache")
    page = serve(folder)
    for _ in range(240):
        state = page.get("api/state")
        if state["next"] or state["snapshot"]["ready"]:
            break
        time.sleep(0.1)
    for _ in range(100):
        state = page.get("api/state")
        if state["next"]:
            break
        time.sleep(0.1)
    assert state["next"]["words"]


def test_totals_stand_beside_what_was_expected(page: Client) -> None:
    totals = page.get("api/totals")
    assert len(totals["told"]) == 6 and totals["pending"] == []
    assert all(line["low"] <= line["expected"] <= line["high"] and line["day"] for line in totals["told"])


def test_who_is_at_work_is_told(page: Client) -> None:
    with Campaign(page.folder) as campaign, present(campaign._ws.db, "score", "2025-07-01T12:00:00+00:00"):
        for _ in range(100):
            told = page.get("api/work")["at_work"]
            if told:
                break
            time.sleep(0.05)
    assert [(one["what"], one["alive"], one["alone_at"]) for one in told] == [("score", True, [])]


def test_errors_are_in_the_language_of_the_page(page: Client) -> None:
    body, headers = {"kind": "exclude", "generator": "retouch"}, {"X-Bestshot": "1"}
    said = page.raw("api/decide", "POST", json=body, params={"lang": "zh"}, headers=headers)
    assert said.status_code == 400 and said.json()["error"]
    assert page.get("api/state", lang="zh")["lang"] == "zh"


CHINESE = re.compile("[一-鿿]")


@pytest.mark.parametrize(
    ("path", "status"),
    [("api/nowhere", 404), ("static/other.js", 404), ("api/region/nowhere", 404), ("image/x", 404), ("input/x", 404)],
)
def test_what_is_not_there_is_told_in_chinese(page: Client, path: str, status: int) -> None:
    assert CHINESE.search(page.get(path, status, lang="zh")["error"])


def test_the_guard_and_a_busy_server_speak_chinese(page: Client) -> None:
    ours = {"X-Bestshot": "1", "Accept-Language": "zh-CN"}
    assert CHINESE.search(page.post("api/undo", 403, headers={"Accept-Language": "zh-CN"})["error"])
    assert CHINESE.search(page.raw("api/state", headers={"Host": "x", "Accept-Language": "zh"}).json()["error"])
    page.post("api/run", verb="plan", options={"remaining": 3})
    assert CHINESE.search(page.post("api/run", 409, headers=ours, verb="pick")["error"])


def _ended(page: Client, number: int) -> dict:
    for _ in range(240):
        job = next(job for job in page.get("api/jobs") if job["id"] == number)
        if job["state"] not in ("running", "stopping") and (job["result"] is not None or job["error"]):
            return job
        time.sleep(0.25)
    raise AssertionError(job)
