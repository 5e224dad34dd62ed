"""Serves the page on this machine alone, for as long as somebody wants it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from selector.domain import InputError
from selector.domain.files import make_folder
from selector.review._desk import Desk, Settings
from selector.submit.ledger import Ledger
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.review")
HOST = "127.0.0.1"
_TOKEN_BYTES = 24
_START_SECONDS = 30.0
_ASK_SECONDS = 10.0  # that a connection may take until it has asked for something
_MOST_CONNECTIONS = 256  # at once, of which those that ask for nothing are closed
_END_SECONDS = 2  # that open answers get to end, before they are cut off


class Review:
    """A page that is being served: ``url`` is its address, which holds a secret. Ends with ``close``.

    Example:
        >>> with campaign.review() as review:  # doctest: +SKIP
        ...     print(review.url)
        ...     review.wait()
    """

    def __init__(self, ws: Workspace, ledger: Ledger, port: int, read_only: bool, by: str | None) -> None:
        self._own = contextlib.ExitStack()
        listening = self._own.enter_context(_listening(port))
        self.port, self._token = int(listening.getsockname()[1]), secrets.token_urlsafe(_TOKEN_BYTES)
        self._settings = Settings.of(read_only, by, _cache_folder(ws.folder, read_only, self._own))
        self._server = _server(Desk(ws, ledger, self._settings), self._token, self.port, self._own)
        self._thread = threading.Thread(target=self._serve, args=(listening,), daemon=True, name="review")
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.005)
        if not self._server.started:
            self.close()
            raise InputError("the page could not be served: try again with --verbose")

    @property
    def url(self) -> str:
        """The address to open. Who has it can decide."""
        return f"http://{HOST}:{self.port}/{self._token}/"

    def door(self) -> Path:
        """A file that only its owner can read and that leads to the address; it is gone when the page is closed.

        A browser that is started with it shows no secret to who lists the machine's processes.
        """
        folder = self._settings.cache
        make_folder(folder)
        number, name = tempfile.mkstemp(".html", "open-", folder)  # of mode 0600
        door = Path(name).resolve()
        self._own.callback(door.unlink, missing_ok=True)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write('<!doctype html><meta name="referrer" content="no-referrer">')
            file.write(f'<meta http-equiv="refresh" content="0; url={self.url}"><a href="{self.url}">bestshot</a>\n')
        return door

    def wait(self) -> None:
        """Until the server ends: by ``close`` in another thread, or by Ctrl-C, which is raised here.

        Raises:
            RuntimeError: it has ended by itself.
        """
        while self._thread.is_alive():
            self._thread.join(0.5)
        if not self._server.should_exit:
            raise RuntimeError("the page's server has ended by itself; every decision is stored")

    def close(self) -> None:
        """End the server and what it has started; runs that are on their way are interrupted and stored."""
        self._server.should_exit = True
        self._server.end()
        self._thread.join()
        self._own.close()

    def _serve(self, listening: socket.socket) -> None:
        try:
            self._server.run([listening])
        except Exception as error:  # of answers that were cut off at the end; before it, nobody is served any more
            _log.log(logging.DEBUG if self._server.should_exit else logging.ERROR, "the page has ended: %r", error)

    def __enter__(self) -> Review:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _server(desk: Desk, token: str, port: int, own: contextlib.ExitStack) -> Any:
    """A server of uvicorn with ``end`` for its long answers; what it starts is ended by ``own``, last first."""
    import uvicorn

    from selector.review._events import Events
    from selector.review._guard import Guard
    from selector.review._jobs import Jobs
    from selector.review._outlines import Outlines
    from selector.review._pictures import Pictures
    from selector.review._routes import Routes
    from selector.review._watch import Watch

    events = Events(lambda: {"jobs": [job.as_json() for job in jobs.all()]})
    jobs = Jobs(desk.ws.folder, events.touch)
    own.callback(jobs.close)
    outlines = Outlines(desk.ws.folder)
    own.callback(outlines.close)
    watch = Watch(desk, events.tell)
    pictures = Pictures(desk.ws.images, desk.ws.inputs_folder, desk.settings.cache)
    app = Routes(desk, pictures, jobs, outlines, watch, events).app()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            events.open()
            watch.start()
            await super().startup(sockets)
            self._turning_out = asyncio.create_task(self._turn_out())

        async def _turn_out(self) -> None:
            """Who asks for nothing, or takes long to say what, makes room for others."""
            waiting: dict[Any, tuple[Any, float]] = {}
            while True:
                await asyncio.sleep(1.0)
                now, before, waiting = time.monotonic(), waiting, {}
                connections: list[Any] = list(self.server_state.connections)
                for one in connections:
                    if one.cycle is None or one.cycle.response_complete:
                        asked, since = before.get(one, (None, now))
                        waiting[one] = one.cycle, since if asked is one.cycle else now
                oldest = sorted(waiting, key=lambda one: waiting[one][1])
                surplus = len(connections) - _MOST_CONNECTIONS
                for number, one in enumerate(oldest):
                    if number < surplus or now - waiting[one][1] >= _ASK_SECONDS:
                        one.transport.close()

        def end(self) -> None:
            """Answers that would go on for long end."""
            events.close()
            outlines.end()

        async def shutdown(self, sockets: Any = None) -> None:
            self._turning_out.cancel()
            hurrying = asyncio.create_task(self._hurry())
            await super().shutdown(sockets)
            hurrying.cancel()

        async def _hurry(self) -> None:
            """Also who connected at that very moment is to go; what still answers after a while is cut off."""
            end = time.monotonic() + _END_SECONDS
            while time.monotonic() < end:
                await asyncio.sleep(0.1)
                for connection in list(self.server_state.connections):
                    connection.shutdown()
            for task in self.server_state.tasks:
                task.cancel()

    config = uvicorn.Config(
        Guard(app, token, port, desk.settings.read_only),
        log_config=None,
        log_level="critical",  # of what strangers send it would print lines
        access_log=False,  # the address holds the token
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2 * _END_SECONDS,  # the server's own way is loud
        h11_max_incomplete_event_size=32 << 10,
        http="h11",
        ws="none",
    )
    own.callback(watch.close)
    return Server(config)


def _listening(port: int) -> socket.socket:
    """A socket on this machine alone; raises ``InputError`` where the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows it would let two listen at once
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or error
        raise InputError(f"port {port} cannot be used ({why}): leave --port out, or give another one") from error
    return listening


def _cache_folder(folder: Path, read_only: bool, own: contextlib.ExitStack) -> Path:
    """Where small pictures and estimates are kept: in the campaign, or for this time only where it stays untouched."""
    if not read_only and os.access(folder, os.W_OK):
        return folder / "cache" / "review"
    return Path(own.enter_context(tempfile.TemporaryDirectory(prefix="bestshot-review-")))
