"""What is new, to every open page: server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from selector.domain.visible import visible_json
from selector.review._spoken import in_language

_PING_SECONDS = 15.0
_MOST_PAGES = 64  # that listen at once


class Events:
    """A state that pages listen to. ``tell`` and ``touch`` may be called by any thread.

    Args:
        more: what is added when an event is sent, such as the runs as they stand.
    """

    def __init__(self, more: Callable[[], dict[str, Any]]) -> None:
        self._more, self._told = more, dict[str, Any]()
        self._number, self._listening = 0, 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self.closed = False

    def open(self) -> None:
        """In the server's loop, when it starts."""
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()

    def tell(self, state: dict[str, Any]) -> None:
        """A state; the same as before is no news."""
        if state != self._told:
            self._told = state
            self.touch()

    def touch(self) -> None:
        """Send everybody what is told now."""
        self._number += 1
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody listens
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """Every page's stream ends."""
        self.closed = True
        self.touch()

    @property
    def is_full(self) -> bool:
        return self._listening >= _MOST_PAGES

    async def listen(self, language: str) -> AsyncIterator[str]:
        """The stream of one page: the present state at once, then each newer one, at most ten a second."""
        seen = -1
        self._listening += 1
        try:
            while not self.closed:
                if seen != self._number:
                    seen = self._number
                    state = in_language({**self._told, **self._more()}, language)
                    yield f"data: {visible_json(json.dumps(state, ensure_ascii=False))}\n\n"
                    await asyncio.sleep(0.1)
                    continue
                assert self._news is not None
                try:
                    await asyncio.wait_for(self._news.wait(), _PING_SECONDS)
                except asyncio.TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._listening -= 1

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = asyncio.Event()  # those who wait hold the one that was set
