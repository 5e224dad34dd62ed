"""Selection on any table of scores, without a campaign: files in, picks with their reasons out.

:func:`read_contest` reads the table with what is known of it; its ``picks``, ``next_picks`` and ``explain`` answer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selector.tables.contest import ExplainedTask, Selected, Selection, TableContest, read_contest

__all__ = ["ExplainedTask", "Selected", "Selection", "TableContest", "read_contest"]


def __getattr__(name: str) -> Any:
    # Lazy: the command line lists its verbs without pandas and scipy.
    if name in __all__:
        return getattr(import_module("selector.tables.contest"), name)
    raise AttributeError(f"module 'selector.tables' has no attribute {name!r}")
