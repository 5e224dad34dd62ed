"""Prompts in other languages get their English: a table that people or a language model fill, kept with the campaign.

A backbone that reads English must not see anything else. The table is a file, so that it can be read, corrected and
filled by hand; a text that has its English is never asked about again. What a model answered is stored when it comes,
before it stands in the table: it is paid for, and a kill must not lose it.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selector.domain import Task, TaskType
from selector.domain.files import write_atomically
from selector.domain.progress import Progress, silent
from selector.llm import Endpoint, OutOfMoney
from selector.llm.asking_pool import GRACE_SECONDS, AnswerPool
from selector.llm.asking_setup import alone_with, client_of, judge_settings
from selector.llm.text_replies import Written, store_written
from selector.llm.translating_calls import Translator, translation_key
from selector.sight.embedding.texts import is_latin
from selector.store.prompt_texts import WRITTEN, load_prompt_texts
from selector.workspace.contest_context import ENGLISH, TEXT, USUAL_TABLE, read_translations
from selector.workspace.workspace import Workspace

TYPES = (TaskType.T2I, TaskType.TIE)  # whose prompts a backbone is asked about
TABLE_SECONDS = 5.0  # between two writings of the table, which whoever waits may want to read


@dataclass
class TranslateSummary:
    """The table, how many prompts need English, how many have it, and why new ones failed, with how often.

    ``stored``: of the new ones, those that an interrupted run had been given and that nobody was asked for now.
    ``cost`` is None where price or tokens are not known; ``stopped``: why not all were asked.
    """

    table: Path
    needed: int
    known: int = 0
    new: int = 0
    stored: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    cost: float | None = None
    currency: str = ""
    stopped: str | None = None


def translate(ws: Workspace, tasks: Sequence[Task], by: str | None, progress: Progress = silent) -> TranslateSummary:
    """Write the table of prompts that need English, and have the model of ``[judges.BY]`` fill it if one is named.

    Raises:
        InputError: the table is there and wrong, no such judge is configured, its key is not set, it has a budget and
            no price, or another process asks it.
        JudgeStopped: the server does not let us in, or cannot be reached; what came before is in the table.
        MissingPart: the openai package is not installed.
    """
    path = ws.folder / (ws.config.embedding.translations_path or USUAL_TABLE)
    known = read_translations(path) if path.is_file() else {}
    needed = list(dict.fromkeys(t.prompt.strip() for t in tasks if t.type in TYPES and not is_latin(t.prompt)))
    missing = [text for text in needed if text not in known]
    _write(path, known, missing)
    summary = TranslateSummary(path, len(needed))
    if by is not None and missing:
        _Filling(ws, by, known, missing, summary).carry_out(progress)
    summary.known = sum(text in known for text in needed)
    summary.new = summary.known - (len(needed) - len(missing))
    return summary


class _Filling:
    """One run of a model over the texts without English: the main thread's state."""

    def __init__(
        self, ws: Workspace, name: str, known: dict[str, str], missing: Sequence[str], summary: TranslateSummary
    ) -> None:
        self._ws, self._name, self._known, self._missing, self._summary = ws, name, known, missing, summary
        self._settings = judge_settings(ws, name)
        self._table_due = time.monotonic() + TABLE_SECONDS
        summary.currency = self._settings.currency

    def carry_out(self, progress: Progress) -> None:
        """Take what was answered before, and ask about the rest; what came stays, however the run ends."""
        try:
            self._take_stored()
            if any(text not in self._known for text in self._missing):
                stop = threading.Event()
                with alone_with(self._ws, self._settings, stop):
                    asked = self._take_stored()  # also of a process that has just ended
                    self._ask({t: asked.get(t, 0) for t in self._missing if t not in self._known}, stop, progress)
        finally:
            self._write_table()

    def _take_stored(self) -> dict[str, int]:
        """Fill in the English that the store has; returns how often each text was asked about."""
        provider = Endpoint(self._settings.base_url, self._settings.model).provider
        keys = {translation_key(provider, self._settings.model, text): text for text in self._missing}
        with self._ws.db.read() as connection:
            found = load_prompt_texts(connection, keys)
        self._known.update({keys[key]: one.text for key, one in found.items() if one.outcome == WRITTEN})
        self._summary.stored = sum(text in self._known for text in self._missing)
        return {keys[key]: one.ask + 1 for key, one in found.items()}

    def _ask(self, texts: Mapping[str, int], stop: threading.Event, progress: Progress) -> None:
        if not texts:
            return
        work = Translator(self._ws, self._name, *client_of(self._ws, self._name, self._settings, stop)).work
        pool = AnswerPool(texts.items(), work, min(self._settings.concurrency, len(texts)), stop)
        done = 0
        try:
            for events in pool:
                self._take(events)
                done += len(events)
                progress("translate", done, len(texts))
        except OutOfMoney as error:
            self._summary.stopped = str(error)
            for events in pool.finish(self._settings.timeout_seconds):
                self._take(events)
        finally:
            for events in pool.finish(GRACE_SECONDS):
                self._take(events)

    def _take(self, came: Sequence[Written]) -> None:
        """Stored at once, for the budget and because each is paid for; the table can wait."""
        with self._ws.db.write() as connection:
            store_written(self._ws.db, connection, came)
        for event in came:
            self._count(event)
        if time.monotonic() >= self._table_due:
            self._write_table()

    def _count(self, event: Written) -> None:
        row = event.text
        if row.cost is not None:
            self._summary.cost = (self._summary.cost or 0.0) + row.cost
        if row.outcome == WRITTEN:
            self._known[row.original] = row.text
        else:
            why = row.reason or row.outcome
            self._summary.failures[why] = self._summary.failures.get(why, 0) + 1

    def _write_table(self) -> None:
        _write(self._summary.table, self._known, [text for text in self._missing if text not in self._known])
        self._table_due = time.monotonic() + TABLE_SECONDS


def _write(path: Path, known: Mapping[str, str], missing: Iterable[str]) -> None:
    """The whole table, texts without English last."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([TEXT, ENGLISH])
    writer.writerows([*known.items(), *((text, "") for text in missing)])
    data = text.getvalue().encode("utf-8-sig")  # with a BOM, so that a spreadsheet shows Chinese as it is
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)
