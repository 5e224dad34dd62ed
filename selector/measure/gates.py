"""Gates: columns whose 0 says that an image must not be picked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from selector.domain import Axis, Scorer

Key = tuple[str, str]  # task id, candidate id


class Gates:
    """Watches scores go by and knows afterwards which candidates the gates exclude, and why.

    A candidate is excluded by a gate column that is 0, and by one that was measured on another candidate of its task
    but never on it (its scorer broke on it): what was not looked at must not pass.
    """

    def __init__(self, scorers: Mapping[str, Scorer]) -> None:
        self._meaning = {
            f"{name}.{column.name}": column.what
            for name, scorer in scorers.items()
            for column in scorer.columns
            if column.axis is Axis.GATE
        }
        self._closed: dict[Key, str] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}  # (task id, column) to candidate ids

    def watch(self, rows: Iterable[Any]) -> Iterator[tuple[str, str, str, float | None]]:
        """Pass score rows on, one at a time, as (task id, candidate id, ``scorer.column``, value)."""
        for row in rows:
            column = f"{row.scorer}.{row.column}"
            self.note(row.task_id, row.candidate_id, column, row.value)
            yield row.task_id, row.candidate_id, column, row.value

    def note(self, task_id: str, candidate_id: str, column: str, value: float | None) -> None:
        """Take one score into account; an unscored one counts as looked at."""
        if column in self._meaning:
            self._seen.setdefault((task_id, column), set()).add(candidate_id)
            if value == 0.0:
                self._closed.setdefault((task_id, candidate_id), f"{column} is 0 ({self._meaning[column]})")

    def excluded(self, candidates: Iterable[Key]) -> dict[Key, str]:
        """Those of ``candidates`` that must not be picked, with the reason."""
        found = {}
        for task_id, candidate_id in candidates:
            reason = self._closed.get((task_id, candidate_id)) or self._unseen(task_id, candidate_id)
            if reason:
                found[task_id, candidate_id] = reason
        return found

    def _unseen(self, task_id: str, candidate_id: str) -> str | None:
        for column in self._meaning:
            seen = self._seen.get((task_id, column))
            if seen and candidate_id not in seen:
                return f"{column} has not looked at it (run `bestshot score`)"
        return None
