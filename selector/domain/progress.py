"""How long work tells how far it is, without knowing whether anyone looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from the main thread, with ``done`` rising from 0 to ``total``; ``note`` is a few words or empty."""

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None: ...


def silent(stage: str, done: int, total: int, note: str = "") -> None:
    """The progress that nobody sees."""
