"""The scorer that never measures: its columns came as a table of another tool's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selector.config import IMPORTED
from selector.domain import Column, Item, Score, Scorer, TaskType
from selector.store.imported import Imported, imported_columns
from selector.workspace.workspace import Workspace


class ImportedScores(Scorer):
    """Columns of ``bestshot import-scores``: they count like those of any scorer, and are never measured here."""

    name = IMPORTED
    task_types = frozenset(TaskType)
    version = ""
    columns: tuple[Column, ...] = ()

    def __init__(self, imported: Imported) -> None:
        self.version = imported.version
        self.columns = imported.columns

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Nothing: who wants a value gives it in a table."""
        lacking = {column.name: Score.unscored("no table has brought it") for column in self.columns}
        return [lacking for _ in items]


def imported_scorers(ws: Workspace) -> dict[str, Scorer]:
    """The one for this campaign's tables, under its name; none before the first."""
    with ws.db.read() as connection:
        imported = imported_columns(ws.db, connection)
    return {} if imported is None else {IMPORTED: ImportedScores(imported)}
