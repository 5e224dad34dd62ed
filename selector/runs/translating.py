"""Prompts in other languages get their English: a table that people or a language model fill, kept with the campaign.

A backbone that reads English must not see anything else. The table is a file, so that it can be read, corrected and
filled by hand; a text that has its English is never asked about again.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scorers.judge import OutOfMoney
from selector.domain import Task, TaskType
from selector.domain.files import write_atomically
from selector.perception.embedding.texts import is_latin
from selector.runs.asking_pool import GRACE_SECONDS, AnswerPool
from selector.runs.asking_setup import client_of, judge_settings
from selector.runs.contest_context import ENGLISH, TEXT, USUAL_TABLE, read_translations
from selector.runs.progress import Progress, silent
from selector.runs.translating_calls import Translated, Translator
from selector.runs.workspace import Workspace
from selector.store.replies import add_replies

TYPES = (TaskType.T2I, TaskType.TIE)  # whose prompts a backbone is asked about
AT_ONCE = 20  # answers between two writings of the table


@dataclass
class TranslateSummary:
    """The table, how many prompts need English, how many have it, and why new ones failed, with how often.

    ``cost`` is None where price or tokens are not known; ``stopped``: why not all were asked.
    """

    table: Path
    needed: int
    known: int = 0
    new: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    cost: float | None = None
    currency: str = ""
    stopped: str | None = None


def translate(ws: Workspace, tasks: Sequence[Task], by: str | None, progress: Progress = silent) -> TranslateSummary:
    """Write the table of prompts that need English, and have the model of ``[judges.BY]`` fill it if one is named.

    Raises:
        InputError: the table is there and wrong, no such judge is configured, its key is not set, or it has a budget
            and no price.
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
        self._ws, self._known, self._missing, self._summary = ws, known, missing, summary
        self._settings = judge_settings(ws, name)
        self._stop = threading.Event()
        self._work = Translator(ws, name, *client_of(ws, name, self._settings, self._stop)).work
        self._unsaved: list[Translated] = []
        summary.currency = self._settings.currency

    def carry_out(self, progress: Progress) -> None:
        """Ask about every text; what came stays, however the run ends."""
        pool = AnswerPool(self._missing, self._work, min(self._settings.concurrency, len(self._missing)), self._stop)
        done = 0
        try:
            for events in pool:
                self._take(events)
                done += len(events)
                progress("translate", done, len(self._missing))
        except OutOfMoney as error:
            self._summary.stopped = str(error)
            self._take(pool.finish(self._settings.timeout_seconds))
        finally:
            self._take(pool.finish(GRACE_SECONDS))
            self._save()

    def _take(self, events: Iterable[Translated]) -> None:
        for event in events:
            self._unsaved.append(event)
            if event.reply.cost is not None:
                self._summary.cost = (self._summary.cost or 0.0) + event.reply.cost
            if event.english:
                self._known[event.text] = event.english
            else:
                why = event.reply.reason or event.reply.outcome
                self._summary.failures[why] = self._summary.failures.get(why, 0) + 1
        if len(self._unsaved) >= AT_ONCE:
            self._save()

    def _save(self) -> None:
        """The replies, because the budget counts them, and the table."""
        with self._ws.db.write() as connection:
            add_replies(self._ws.db, connection, [event.reply for event in self._unsaved])
        self._unsaved = []
        _write(self._summary.table, self._known, [text for text in self._missing if text not in self._known])


def _write(path: Path, known: Mapping[str, str], missing: Iterable[str]) -> None:
    """The whole table, texts without English last."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([TEXT, ENGLISH])
    writer.writerows([*known.items(), *((text, "") for text in missing)])
    data = text.getvalue().encode("utf-8-sig")  # with a BOM, so that a spreadsheet shows Chinese as it is
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)
