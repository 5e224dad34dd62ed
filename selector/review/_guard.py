"""Lets in only the page that this server gave out: the right host, a token in the address, no other origin."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from selector.review._spoken import error_line

_log = logging.getLogger("bestshot.review")
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

OUR_HEADER = b"x-bestshot"  # which no form and no simple request of another page can send
_MOST_PATH = 4096  # characters
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),  # the address holds the token
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Wraps an application that is served below ``/TOKEN/``.

    Args:
        app: what is behind it; its paths have no token.
        token: random, a part of every address.
        port: on which the server listens.
        read_only: nothing that would write is let through.
    """

    def __init__(self, app: App, token: str, port: int, read_only: bool) -> None:
        self._app, self._token, self._read_only = app, token.encode(), read_only
        names = ("127.0.0.1", "localhost", "[::1]")
        self._hosts = {f"{name}:{port}".encode() for name in names} | (
            {n.encode() for n in names} if port == 80 else set()
        )
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope) if scope["type"] == "http" else JSONResponse({"error": "no"}, 400)
        if answer is not None:
            await answer(scope, receive, _with_headers(send))
            return
        path = scope["path"][len(self._token) + 1 :]
        inner = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        try:
            await self._app(inner, receive, _with_headers(send))
        except asyncio.CancelledError:  # the server ends, and has waited for this answer long enough
            with suppress(Exception):
                await _error(scope, 503, "the page has ended")(scope, receive, _with_headers(send))
        except Exception:  # it is answered by now; the server would print it, with what others have written in it
            _log.exception("a request failed")

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = _first_of(scope["headers"])
        if headers.get(b"host", b"").lower() not in self._hosts:
            return _error(scope, 421, "this address is not the server's: open the one that `bestshot review` printed")
        path = scope["path"]
        token, _, rest = path[1:].partition("/")
        if not secrets.compare_digest(token.encode(), self._token) or len(path) > _MOST_PATH:
            return _error(scope, 404, "there is nothing here: open the address that `bestshot review` printed")
        if not rest and not path.endswith("/"):
            return JSONResponse({}, 307, {"location": f"{path}/"})
        if scope["method"] in ("GET", "HEAD"):
            return None
        return self._refused_post(scope, headers)

    def _refused_post(self, scope: Scope, headers: dict[bytes, bytes]) -> JSONResponse | None:
        origin, kind = headers.get(b"origin"), headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if origin is not None and origin.lower() not in self._origins:
            return _error(scope, 403, "another page may not decide here")
        if kind != b"application/json" or headers.get(OUR_HEADER) != b"1":
            return _error(scope, 403, "a request that writes is JSON with the header X-Bestshot: 1")
        if self._read_only:
            return _error(scope, 403, "this page was opened with --read-only: nothing can be changed on it")
        return None


def _error(scope: Scope, status: int, line: str) -> JSONResponse:
    return error_line(Request(scope), status, line, {"cache-control": "no-store"})


def _first_of(headers: Any) -> dict[bytes, bytes]:
    """Names in lower case to values; one that comes twice counts as none of both."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name.lower()] = b"" if name.lower() in found else value
    return found


def _with_headers(send: Any) -> Any:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in message.get("headers", ())}
            extra = [pair for pair in _HEADERS if pair[0] not in own]
            if b"cache-control" not in own:
                extra.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await send(message)

    return sending
