"""What the server knows at a moment, kept in memory and looked at again when the store has something new."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from selector.decide.deciding import DecisionBook
from selector.decide.revision import Revision
from selector.domain import InputError, Pick
from selector.domain.decisions import person
from selector.domain.words import no_task
from selector.review._gallery import load_gallery
from selector.review._rows import Known, Row, all_rows
from selector.review._snapshot_file import Snapshot, read_snapshot
from selector.store.decisions import load_decisions
from selector.store.looks import load_looks
from selector.store.news import newest_rows
from selector.store.picks import newest_picks
from selector.submit.ledger import Ledger
from selector.workspace.workspace import Workspace

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Settings:
    """How a page is served. ``by``: whose decisions these are; ``cache``: a folder for what can be made again."""

    read_only: bool
    by: str
    cache: Path

    @classmethod
    def of(cls, read_only: bool, by: str | None, cache: Path) -> Settings:
        return cls(read_only, (by or person()).strip(), cache)


class NoTask(InputError):
    """There is none of that id."""


class Desk:
    """The campaign as the page shows it. Safe for threads; every answer is of one moment.

    What is asked for often (tasks, candidates, decisions, picks, looks, the rows of the queue) is kept until a newer
    row of the store tells otherwise: a look at the store's newest rows takes less than a millisecond.
    """

    def __init__(self, ws: Workspace, ledger: Ledger, settings: Settings) -> None:
        self.ws, self.ledger, self.settings = ws, ledger, settings
        self.book = DecisionBook(ws, lambda: frozenset(self.known.gallery.by_id))
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[object, object]] = {}
        self._snapshot, self._taken = Snapshot(), 0  # how many snapshots were taken: an id() may come again
        self.load_snapshot()

    @property
    def snapshot_path(self) -> Path:
        return self.settings.cache / "estimates.db"

    def load_snapshot(self) -> Snapshot:
        """Take the snapshot that lies on the disk, if there is one."""
        found = read_snapshot(self.snapshot_path)
        if found is not None:
            with self._lock:
                self._snapshot, self._taken = found, self._taken + 1
        return self._snapshot

    @property
    def known(self) -> Known:
        """Everything as it is now."""
        return self._look()[0]

    @property
    def rows(self) -> Sequence[Row]:
        """Every task as the queue shows it, in the table's order."""
        with self._lock:
            known, news = self._look()
            return self._keep("rows", (*news.values(), self._taken), lambda: all_rows(known))

    def row(self, task_id: str) -> Row:
        """One task's; raises ``NoTask`` where there is none."""
        found = next((row for row in self.rows if row.task.id == task_id), None)
        if found is None:
            raise NoTask(no_task(task_id, [row.task.id for row in self.rows]))
        return found

    def _look(self) -> tuple[Known, dict[str, int]]:
        with self._lock, self.ws.db.read() as connection:
            news = newest_rows(connection)
            made = news["attempt"], news["candidate"]
            decisions = self._keep("decisions", (news["decision"], *made), lambda: load_decisions(connection))
            decided = news["pick_set"], news["decision"], *made
            known = Known(
                self._keep("gallery", made, lambda: load_gallery(connection)),
                self._snapshot,
                decisions,
                self._keep("picks", news["pick_set"], lambda: _by_task(newest_picks(connection))),
                self._keep("looks", news["look"], lambda: load_looks(connection)),
                self._keep("revision", decided, lambda: Revision.due(connection, decisions)),
            )
            return known, news

    def _keep(self, name: str, state: object, load: Callable[[], Loaded]) -> Loaded:
        kept = self._kept.get(name)
        if kept is None or kept[0] != state:
            kept = self._kept[name] = state, load()
        return kept[1]  # type: ignore[return-value]


def _by_task(newest: tuple[int, Sequence[Pick]] | None) -> dict[str, Pick]:
    return {pick.task_id: pick for pick in newest[1]} if newest else {}
