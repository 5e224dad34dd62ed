"""All tasks of all pages as one script, which pages search and sort: a page from a disk may fetch nothing.

A task takes 390 bytes on average at most. What its numbers and ids leave is its prompt's; what a short one leaves,
later ones may take. So 1,000 tasks of 16 candidates stay below 400 KB, and few prompts are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from selector.domain import TaskType
from selector.domain.decisions import DecisionKind
from selector.domain.visible import visible_json
from selector.report._model import TaskRow
from selector.report._words import Words

BYTES_A_TASK = 390
SHORT_ID = 8  # characters of an id, as cards show it
MOST_NAMES = 60  # flags that a menu lists
EXCLUDED, PINNED, NOTED = 1, 2, 4
TYPES = list(TaskType)
PROMPT = 3  # its place in a task's list


@dataclass
class TaskIndex:
    """Takes tasks as they stream by and keeps them in ``spool``; memory holds names of flags and generators alone.

    A task is a list: id, page, type, prompt, the pick's estimate and its deviation, margin, flags, generators (numbers
    in the lists of names), decisions as bits, and the first ``SHORT_ID`` characters of every candidate's id.
    """

    spool: IO[bytes]
    words: Words
    flags: dict[str, int] = field(default_factory=dict)
    generators: dict[str, int] = field(default_factory=dict)
    decided: dict[int, int] = field(default_factory=lambda: {EXCLUDED: 0, PINNED: 0, NOTED: 0})
    is_cut: bool = False
    _left: int = 0

    def add(self, task: TaskRow, page: int, concerns: tuple[str, ...]) -> None:
        """One task, which is shown on ``page``; ``concerns``: its flags."""
        entry = self._entry(task, page, concerns)
        self._left += BYTES_A_TASK - len(_json(entry))
        fits = len(_json(task.prompt)) - 2 <= self._left
        entry[PROMPT] = task.prompt if fits else _first(task.prompt, max(self._left, 0))
        self._left -= len(_json(entry[PROMPT])) - 2
        self.is_cut |= not fits
        self.spool.write(_json(entry) + b",\n")

    def parts(self, calibrated: bool) -> Iterator[bytes]:
        """The script, piece by piece."""
        facts = {
            "words": self.words.of_script(),
            "types": [[one.value, str(self.words(f"type_{one.value}"))] for one in TYPES],
            "flags": [self.words.flag(name) for name in self.flags],
            "generators": list(self.generators),
            "decisions": [str(self.words(f"decision_{name}")) for name in ("excluded", "pinned", "noted")],
            "calibrated": calibrated,
            "cut": self.is_cut,
        }
        yield b'"use strict";\nconst INDEX = ' + _json(facts)[:-1] + b',"tasks":[\n'
        self.spool.seek(0)
        while block := self.spool.read(1 << 20):
            yield block
        yield b"]};\n"

    def _entry(self, task: TaskRow, page: int, concerns: tuple[str, ...]) -> list[Any]:
        pick = next((card for card in task.candidates if card.picked), None)
        estimate = pick.estimate if pick else None
        made = {card.generator: None for card in task.candidates if not card.fallback}
        return [
            task.id,
            page,
            TYPES.index(task.type),
            "",
            round(estimate.overall, 2) if estimate else None,
            round(estimate.overall_sd, 2) if estimate else None,
            None if task.margin is None else round(task.margin, 2),
            [self.flags.setdefault(name, len(self.flags)) for name in concerns],
            [self.generators.setdefault(name, len(self.generators)) for name in made],
            self._decisions(task),
            "".join(card.id[:SHORT_ID] for card in task.candidates),
        ]

    def _decisions(self, task: TaskRow) -> int:
        by_hand = sum(card.excluded_by_hand for card in task.candidates)
        pinned = any(card.pinned for card in task.candidates)
        kinds = {one.kind for one in task.remarks}
        noted = DecisionKind.NOTE in kinds or any(card.notes for card in task.candidates)
        refused = by_hand or DecisionKind.EXCLUDE in kinds
        self.decided[EXCLUDED] += by_hand
        self.decided[PINNED] += pinned
        self.decided[NOTED] += noted
        return EXCLUDED * bool(refused) | PINNED * pinned | NOTED * noted


def _json(value: Any) -> bytes:
    return visible_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"))).encode()


def _first(text: str, most_bytes: int) -> str:
    """As many of the first characters as fit."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")
