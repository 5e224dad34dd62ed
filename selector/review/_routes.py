"""The addresses of the page and what each answers. All text goes out as JSON: the page puts it in as text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from selector.domain import BestshotError, InputError
from selector.domain.decisions import Decision, DecisionKind
from selector.domain.json_text import parse_json
from selector.review._desk import Desk, NoTask
from selector.review._events import Events
from selector.review._jobs import DONE, Busy, Jobs
from selector.review._outlines import LEFT_OUT, Outlines
from selector.review._pairs import answer, next_pair
from selector.review._pictures import FULL, NoPicture, Pictures, Sent
from selector.review._queue import MOST_ROWS, QueueWish, in_order, is_wanted, neighbours, number_of
from selector.review._rows import Row
from selector.review._spoken import Answer, error_line, in_language, language_in
from selector.review._state_view import export_preview, state_view, stored_plan, totals_view
from selector.review._task_view import decision_json, task_view
from selector.review._watch import Watch
from selector.review.page import shell
from selector.store.decisions import newest_decision
from selector.store.looks import add_look
from selector.store.presence import at_work

_log = logging.getLogger("bestshot.review")
_MOST_BYTES = 64 << 10  # of a request's body
_BODY_SECONDS = 10.0  # that it may take to come
_MOST_SEEN = 100  # characters of what a page says that it has drawn
_MOST_TEXT = 200  # characters of a prompt in the queue
_FOREVER = "private, max-age=31536000, immutable"
_FOLDER = Path(__file__).parent
_STATIC = {"review.js": "text/javascript", "review.css": "text/css"}
Body = dict[str, Any]


_STATUS: dict[type[BestshotError], int] = {Busy: 409, NoPicture: 404, NoTask: 404}


class Routes:
    """Handlers over what the server holds. Those that touch the store or the disk run in threads."""

    def __init__(
        self, desk: Desk, pictures: Pictures, jobs: Jobs, outlines: Outlines, watch: Watch, events: Events
    ) -> None:
        self._desk, self._pictures, self._jobs = desk, pictures, jobs
        self._outlines, self._watch, self._events = outlines, watch, events

    def app(self) -> Starlette:
        """The application, whose paths begin at the folder of the page."""
        get = [
            Route("/", self._page),
            Route("/static/{name}", self._static),
            Route("/api/state", _answered(self._state)),
            Route("/api/queue", _answered(self._queue)),
            Route("/api/task/{id:path}", _answered(self._task)),
            Route("/api/region/{id:path}", self._region),
            Route("/api/totals", _answered(lambda _: totals_view(self._desk))),
            Route("/api/work", _answered(lambda _: {"at_work": [vars(one) for one in at_work(self._desk.ws.db)]})),
            Route("/api/plan", _answered(lambda _: self._plan())),
            Route("/api/export-preview", _answered(lambda _: export_preview(self._desk))),
            Route("/api/jobs", _answered(lambda _: self._all_jobs())),
            Route("/api/events", self._listen),
            Route("/image/{id}", self._image),
            Route("/input/{name:path}", self._input),
        ]
        post = [
            Route("/api/decide", _told(self._decide), methods=["POST"]),
            Route("/api/undo", _told(self._undo), methods=["POST"]),
            Route("/api/look", _told(self._look), methods=["POST"]),
            Route("/api/run", _told(self._run), methods=["POST"]),
            Route("/api/jobs/{id:int}/stop", _told(self._stop), methods=["POST"]),
            Route("/api/pair", self._pair, methods=["GET", "POST"]),
        ]
        app = Starlette(
            routes=[*get, *post], exception_handlers={HTTPException: _no_such_place, Exception: _unexpected}
        )
        app.router.redirect_slashes = False  # to an address without the token
        return app

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(
            await run_in_threadpool(shell, language_in(request), read_only=self._desk.settings.read_only)
        )

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            return error_line(request, 404, "there is no such file")
        return FileResponse(_FOLDER / name, media_type=_STATIC[name], headers={"cache-control": "no-cache"})

    def _state(self, request: Request) -> Body:
        building = self._watch.building  # before the estimates are looked at: they may come in between
        facts = self._desk.known.snapshot.facts
        return {
            **state_view(self._desk),
            "lang": language_in(request),
            "version": {"snapshot": facts.at or None, "decision": self._newest()},
            "snapshot": {
                "ready": bool(facts.at),
                "building": building,
                "stale": self._watch.stale(facts),
                "fault": self._watch.fault or None,
                "at": facts.at or None,
            },
            "next": self._watch.next_step,
            "jobs": self._all_jobs(),
        }

    def _queue(self, request: Request) -> Body:
        wish = QueueWish.of(request.query_params)
        offset = number_of(request.query_params.get("offset"), 0)
        limit = number_of(request.query_params.get("limit"), 50, MOST_ROWS)
        rows, haystacks = self._desk.rows, self._desk.known.gallery.haystacks
        found = [row for row in in_order(rows, wish) if is_wanted(row, wish, haystacks)]
        shown = [_row_json(row, len(rows)) for row in found[offset : offset + limit]]
        return {"total": len(found), "offset": offset, "tasks": shown}

    def _task(self, request: Request) -> Body:
        task_id, wish = request.path_params["id"], QueueWish.of(request.query_params)
        found = task_view(self._desk, task_id)
        for role in ("source", "reference"):
            if found[role] is not None:
                size = self._pictures.size_of_input(found[role]["name"])
                found[role] |= {"width": size[0] if size else None, "height": size[1] if size else None}
        outlines = self._outlines.known(task_id, self._desk.known.gallery.digests[task_id])
        if outlines is not None:
            found["region"] = outlines.get("asked")
            for card in found["candidates"]:
                card["region"] = outlines.get("changed", {}).get(card["id"])
        before, after = neighbours(self._desk.rows, wish, self._desk.known.gallery.haystacks, task_id)
        return {**found, "neighbours": {"previous": before, "next": after}}

    async def _region(self, request: Request) -> Response:
        """What was edited; the first time it takes seconds, in a process of its own."""
        task_id = request.path_params["id"]
        digest = (await run_in_threadpool(lambda: self._desk.known.gallery.digests)).get(task_id)
        if digest is None:
            return error_line(request, 404, "there is no such task")
        found = await self._outlines.wanted(task_id, digest)
        if found is None:
            return error_line(request, 503, "what was edited could not be found out: open the task again to try again")
        boxes = {"region": found.get("asked"), "candidates": found.get("changed", {})}
        return Answer({**boxes, "left_out": found is LEFT_OUT})

    async def _image(self, request: Request) -> Response:
        wanted, size = request.path_params["id"], request.query_params.get("size", FULL)
        return await _picture(request, lambda: self._pictures.candidate(wanted, size))

    async def _input(self, request: Request) -> Response:
        name, size = request.path_params["name"], request.query_params.get("size", FULL)
        return await _picture(request, lambda: self._pictures.input(name, self._desk.known.gallery.inputs, size))

    async def _listen(self, request: Request) -> Response:
        if self._events.is_full:
            return error_line(request, 503, "too many pages are open: close some")
        return StreamingResponse(self._events.listen(language_in(request)), media_type="text/event-stream")

    async def _pair(self, request: Request) -> Response:
        handler = _told(self._compare) if request.method == "POST" else _answered(self._next_pair)
        return await handler(request)

    def _next_pair(self, request: Request) -> Body:
        return next_pair(self._desk, request.query_params.get("task", ""))

    def _compare(self, body: Body, _request: Request) -> Body:
        task = _text(body, "task")
        answer(self._desk, task, _text(body, "a"), _text(body, "b"), _text(body, "better"))
        return {"left": next_pair(self._desk, "").get("left", 0)}

    def _decide(self, body: Body, _request: Request) -> Body:
        book, by = self._desk.book, self._desk.settings.by
        task, candidate, generator = (_text(body, name, "") or None for name in ("task", "candidate", "generator"))
        kind, reason = _text(body, "kind"), _text(body, "reason", "")
        about = {"candidate": candidate, "task": task, "generator": generator, "by": by}
        found: tuple[Decision, ...]
        if kind == DecisionKind.EXCLUDE.value:
            found = book.exclude(reason, **about)
        elif kind == DecisionKind.INCLUDE.value:
            found = book.include(reason, **about)
        elif task is None:
            raise InputError(f"'{kind[:20]}' needs a task")
        elif kind == DecisionKind.PIN.value:
            found = book.pin(task, candidate or "", reason, by)
        elif kind == DecisionKind.RELEASE.value:
            found = book.release(task, reason, by)
        elif kind == DecisionKind.NOTE.value:
            found = book.note(reason, task, candidate, by)
        else:
            raise InputError(f"there is no decision '{kind[:20]}'")
        self._events.touch()
        return {"decisions": [decision_json(one) for one in found], "decision": self._newest()}

    def _undo(self, _body: Body, _request: Request) -> Body:
        found = self._desk.book.undo(self._desk.settings.by)
        self._events.touch()
        return {"decision": decision_json(found) if found else None, "newest": self._newest()}

    def _look(self, body: Body, _request: Request) -> Body:
        row, ws = self._desk.row(_text(body, "task")), self._desk.ws
        seen = _text(body, "seen", row.seen)[:_MOST_SEEN]  # what the page drew: more may be there by now
        with ws.db.write() as connection:
            add_look(connection, row.task.id, seen, self._desk.settings.by, ws.now())
        rows = self._desk.rows
        return {"looked": sum(one.looked for one in rows), "to_look": sum(one.open for one in rows)}

    def _run(self, body: Body, _request: Request) -> Body:
        verb, options = _text(body, "verb"), body.get("options") or {}
        if not isinstance(options, dict):
            raise InputError("'options' is an object")
        return {"job": self._jobs.run(verb, options).as_json()}

    def _stop(self, _body: Body, request: Request) -> Body:
        return {"job": self._jobs.stop(request.path_params["id"]).as_json()}

    def _all_jobs(self) -> list[Body]:
        return [job.as_json() for job in self._jobs.all()]

    def _plan(self) -> Body | None:
        """The newest plan: as its run here told it, else as the store knows one that was made elsewhere since."""
        stored = stored_plan(self._desk)
        job = next((j for j in reversed(self._jobs.all()) if j.verb == "plan" and j.state == DONE), None)
        if job is None or not isinstance(job.result, dict) or (stored and _is_later(stored["at"], job.ended_at)):
            return stored
        plan = job.result.get("plan", {})
        numbers = {name: plan.get(name) for name in ("hold", "expected", "low", "high", "purpose", "present")}
        return {"words": job.words.splitlines(), **numbers, "at": job.at}

    def _newest(self) -> int:
        with self._desk.ws.db.read() as connection:
            return newest_decision(connection)


def _is_later(one: str, other: str) -> bool:
    """Whether a moment in ISO 8601 is after another one."""
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _row_json(row: Row, tasks: int) -> Body:
    """Worth and loss in points of the contest's total, which is the mean over all tasks."""
    per_total = {
        name: None if value is None else value / tasks for name, value in (("worth", row.worth), ("loss", row.loss))
    }
    pick = row.pick
    prompt = row.task.prompt
    return {
        "id": row.task.id,
        "type": row.task.type.value,
        "prompt": prompt if len(prompt) <= _MOST_TEXT else prompt[: _MOST_TEXT - 1] + "…",
        **per_total,
        "overall": row.overall,
        "sd": row.sd,
        "margin": row.margin,
        "disagreement": row.disagreement,
        "flags": row.flags,
        "pick": None if pick is None else {"id": pick.id, "short": pick.short, "generator": pick.generator},
        "candidates": row.candidates,
        "excluded": row.excluded,
        "pinned": row.pinned,
        "notes": len(row.notes),
        "looked": row.looked,
        "changed": row.changed,
    }


def _answered(answer: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """A handler that looks something up in a thread, its errors as one line."""

    async def handler(request: Request) -> Response:
        return await _safely(request, lambda: answer(request))

    return handler


def _told(act: Callable[[Body, Request], Body]) -> Callable[[Request], Awaitable[Response]]:
    """A handler of a JSON body of bounded size."""

    async def handler(request: Request) -> Response:
        try:
            data = await asyncio.wait_for(_read(request), _BODY_SECONDS)
            if len(data) > _MOST_BYTES:
                return error_line(request, 413, f"at most {_MOST_BYTES // 1024} kB can be sent at once")
            body = parse_json(data or b"{}")
        except asyncio.TimeoutError:
            return error_line(request, 408, "the request took too long to come", {"connection": "close"})
        except ClientDisconnect:
            return error_line(request, 400, "the request was cut off")
        except ValueError:
            return error_line(request, 400, "the request is no JSON")
        if not isinstance(body, dict):
            return error_line(request, 400, "the request is no JSON object")
        return await _safely(request, lambda: act(body, request))

    return handler


async def _read(request: Request) -> bytes:
    """The body; of one that is too long a beginning that is, too."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > _MOST_BYTES:
            break
    return data


async def _safely(request: Request, answer: Callable[[], Any]) -> Response:
    language = language_in(request)
    try:
        return Answer(await run_in_threadpool(lambda: in_language(answer(), language)))
    except BestshotError as error:
        return error_line(request, _STATUS.get(type(error), 400), str(error))
    except Exception as error:  # a page must not end for one answer
        _log.exception("a request failed")
        return await _unexpected(request, error)


async def _unexpected(request: Request, error: Exception) -> Response:
    return error_line(request, 500, f"unexpected {type(error).__name__}: {error}")


async def _picture(request: Request, find: Callable[[], Sent]) -> Response:
    try:
        sent = await run_in_threadpool(find)
    except NoPicture as error:
        return error_line(request, 404, str(error))
    except (BestshotError, OSError) as error:
        return error_line(request, 400, str(error))
    headers = {"etag": f'"{sent.tag}"', "cache-control": _FOREVER}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    if sent.path is not None:
        return FileResponse(sent.path, media_type=sent.media_type, headers=headers)
    return Response(sent.data, media_type=sent.media_type, headers=headers)


async def _no_such_place(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return error_line(request, status, "there is nothing here" if status == 404 else "this is not how it is asked for")


def _text(body: Body, name: str, usual: str | None = None) -> str:
    value = body.get(name, usual)
    if value is None and usual is not None:
        return usual
    if not isinstance(value, str):
        raise InputError(f"'{name}' is missing, or no text")
    return value
