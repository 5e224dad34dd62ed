"""Selection on any table of scores, without a campaign: files in, picks with their reasons out.

:func:`read_contest` reads the table with what is known of it; its ``picks``, ``next_picks`` and ``explain`` answer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selector.tables._files import check_writable, read_table, write_table
    from selector.tables._scores import Names, numbers, why_no_number
    from selector.tables.contest import ExplainedTask, Selection, TableContest, read_contest

_PLACES = {
    "ExplainedTask": "contest",
    "Names": "_scores",
    "Selection": "contest",
    "TableContest": "contest",
    "check_writable": "_files",
    "numbers": "_scores",
    "read_contest": "contest",
    "read_table": "_files",
    "why_no_number": "_scores",
    "write_table": "_files",
}
__all__ = [
    "ExplainedTask",
    "Names",
    "Selection",
    "TableContest",
    "check_writable",
    "numbers",
    "read_contest",
    "read_table",
    "why_no_number",
    "write_table",
]


def __getattr__(name: str) -> Any:
    # Lazy: the command line lists its verbs without numpy and scipy.
    if name in _PLACES:
        return getattr(import_module(f"selector.tables.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'selector.tables' has no attribute {name!r}")
