"""Prompts in other languages get their English: a table that people or a language model fill, kept with the campaign.

A backbone that reads English must not see anything else. The table is a file, so that it can be read, corrected and
filled by hand; a text that has its English is never asked about again. What a model answered is stored when it comes,
before it stands in the table: it is paid for, and a kill must not lose it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selector.config import JudgeConfig
from selector.contest.table_rows import csv_text
from selector.domain import Task, TaskType
from selector.domain.files import write_atomically
from selector.domain.progress import Progress, silent
from selector.llm._asking import Ended, Reply, Summary
from selector.llm._endpoint import provider_of
from selector.llm._session import Session, alone_with, judge_settings, open_session
from selector.llm._texts import Text, Untranslated, Writing
from selector.sight.embedding.texts import is_latin
from selector.store.replies import WRITTEN, load_prompt_texts
from selector.workspace.plug_ins import ENGLISH, TEXT, USUAL_TABLE, read_translations
from selector.workspace.workspace import Workspace

TYPES = (TaskType.T2I, TaskType.TIE)  # whose prompts a backbone is asked about
TABLE_SECONDS = 5.0  # between two writings of the table, which whoever waits may want to read


@dataclass
class TranslateSummary(Summary):
    """The table, how many prompts need English, how many have it, and why new ones failed, with how often.

    ``stored``: of the new ones, those that an interrupted run had been given and that nobody was asked for now.
    """

    table: Path
    needed: int
    known: int = 0
    new: int = 0
    stored: int = 0


def translate(ws: Workspace, tasks: Sequence[Task], by: str | None, progress: Progress = silent) -> TranslateSummary:
    """Write the table of prompts that need English, and have the model of ``[judges.BY]`` fill it if one is named.

    Raises:
        InputError: the table is there and wrong, no such judge is configured, its key is not set, it has a budget and
            no price, or another process asks it.
        JudgeStopped: the server does not let us in, or cannot be reached; what came before is in the table.
    """
    needed = list(dict.fromkeys(t.prompt.strip() for t in tasks if t.type in TYPES and not is_latin(t.prompt)))
    table = _Table(ws.folder / (ws.config.embedding.translations_path or USUAL_TABLE), needed)
    before = len(table.known.keys() & set(needed))
    table.write()
    summary = TranslateSummary(table.path, len(needed))
    if by is not None and table.missing:
        try:
            _fill(ws, by, table, summary, progress)
        finally:
            table.write()  # what came stays, however the run ends
    summary.known = sum(text in table.known for text in needed)
    summary.new = summary.known - before
    return summary


def _fill(ws: Workspace, name: str, table: _Table, summary: TranslateSummary, progress: Progress) -> None:
    """Take what was answered before, and ask about the rest."""
    settings = judge_settings(ws, name)
    summary.currency = settings.currency
    _take_stored(ws, settings, table, summary)
    if not table.without():
        return  # neither key nor server is needed
    with alone_with(ws, settings) as stop:
        asked = _take_stored(ws, settings, table, summary)  # also of a process that has just ended
        texts = {Untranslated(text): asked.get(text, 0) for text in table.without()}
        if texts:
            run = _Translating(open_session(ws, name, stop), summary, table)
            run.carry_out(run.questions(texts, times=1), len(texts), progress)


def _take_stored(ws: Workspace, settings: JudgeConfig, table: _Table, summary: TranslateSummary) -> dict[str, int]:
    """Fill in the English that the store has; returns how often each text was asked about."""
    provider = provider_of(settings.base_url)
    keys = {Untranslated(text).key(provider, settings.model): text for text in table.missing}
    with ws.db.read() as connection:
        found = load_prompt_texts(connection, keys)
    table.known.update({keys[key]: one.text for key, one in found.items() if one.outcome == WRITTEN})
    summary.stored = sum(text in table.known for text in table.missing)
    return {keys[key]: one.ask + 1 for key, one in found.items()}


class _Translating(Writing):
    """One run of a model over the texts without English: what came is in the table, too."""

    stage = "translate"

    def __init__(self, session: Session, summary: TranslateSummary, table: _Table) -> None:
        super().__init__(session, summary)
        self._table = table

    def take(self, text: Text, written: str) -> None:
        self._table.known[text.original] = written

    def withdraw(self, text: Text) -> None:
        self._table.known.pop(text.original, None)

    def stored(self, replies: Sequence[Reply], ended: Sequence[Ended]) -> int:
        done = super().stored(replies, ended)
        self._table.write_if_due()
        return done


class _Table:
    """The file of translations, ``known`` by text; texts without English come last."""

    def __init__(self, path: Path, needed: Sequence[str]) -> None:
        self.path = path
        self.known = read_translations(path) if path.is_file() else {}
        self.missing = [text for text in needed if text not in self.known]
        self._due = time.monotonic() + TABLE_SECONDS

    def without(self) -> list[str]:
        return [text for text in self.missing if text not in self.known]

    def write_if_due(self) -> None:
        """The table can wait: what came is in the store."""
        if time.monotonic() >= self._due:
            self.write()

    def write(self) -> None:
        rows = [(TEXT, ENGLISH), *self.known.items(), *((text, "") for text in self.without())]
        data = csv_text(rows, exactly=True).encode("utf-8-sig")
        if not self.path.is_file() or self.path.read_bytes() != data:
            write_atomically(self.path, data)
        self._due = time.monotonic() + TABLE_SECONDS
