"""The lines of the scorer ``command``: an item as a line of JSON, and an answer as scores or the reason of none."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selector.domain import Column, Item, Picture, Score
from selector.domain.json_text import parse_json
from selector.programs.pictures import write_picture
from selector.programs.said import shortened
from selector.prompts.reading import reading_of

_ROLES = ("picture", "source", "reference")
_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object", float: "NaN or an infinite number"}


@dataclass(frozen=True)
class Answer:
    """What the program said of one item: values as they came, by column, and why there are none, "" where unsaid."""

    scores: Mapping[str, Any]
    reason: str


def question(item: Item, folder: Path, reading: bool) -> dict[str, Any]:
    """What the program is told of an item, whose pictures are written into ``folder``.

    Raises:
        OSError, OutOfResources: they cannot be written.
    """
    inputs, task = item.inputs, item.inputs.task
    pictures = zip(_ROLES, (item.picture, inputs.source, inputs.reference), strict=True)
    return {
        "task": task.id,
        "type": task.type.value,
        "prompt": task.prompt,
        **{role: None if one is None else _file(folder, one) for role, one in pictures},
        "reading": reading_of(inputs).as_json() if reading else None,
    }


def _file(folder: Path, picture: Picture) -> str:
    """By its content: a source that several items share is written once."""
    there = next(iter(folder.glob(f"{picture.id}.*")), None)
    return write_picture(folder, picture.id, picture) if there is None else str(there)


def lines(questions: Mapping[str, Mapping[str, Any]]) -> str:
    """A batch: a line a question, in ASCII; ``left``: how many follow, so that the last one says 0."""
    numbered = zip(range(len(questions) - 1, -1, -1), questions.items(), strict=True)
    return "".join(json.dumps({"id": key, **told, "left": left}) + "\n" for left, (key, told) in numbered)


def read_answer(line: str, ids: Collection[str]) -> tuple[str, Answer] | None:
    """The id and answer of a line; None for what is no answer to one of ``ids``, such as what a library prints."""
    said = _record(line)
    if not isinstance(said.get("id"), str) or said["id"] not in ids:
        return None
    scores, reason = said.get("scores"), said.get("reason")
    return said["id"], Answer(scores if isinstance(scores, dict) else {}, reason if isinstance(reason, str) else "")


def ends_batch(line: str, last: str) -> bool:
    """Whether a line says that no more comes of the batch whose last item has this id: {"end": id}."""
    return _record(line).get("end") == last


def _record(line: str) -> dict[str, Any]:
    """The object of a line; an empty one for any other text."""
    try:
        said = parse_json(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def scores_of(
    answer: Answer, columns: Sequence[Column], told: Mapping[str, Any], secrets: Collection[str]
) -> dict[str, Score]:
    """Every column's score. What is no finite number within its range is unscored, with the reason."""
    reason = answer.reason
    for role in _ROLES:  # another name in every run, and reasons are counted
        reason = reason.replace(str(told[role]), role) if told[role] else reason
    why = shortened(reason, secrets) or "the program gave no value for this column"
    return {c.name: _score(c, answer.scores.get(c.name), why) for c in columns}


def _score(column: Column, value: Any, why: str) -> Score:
    if value is None:
        return Score.unscored(why)
    if type(value) not in (int, float) or (isinstance(value, float) and not math.isfinite(value)):
        return Score.unscored(f"the program gave {_KINDS[type(value)]} where a number is wanted")
    if not column.low <= value <= column.high:  # also of an integer that no float can hold
        return Score.unscored(f"the program gave a value outside the range {column.low:g} to {column.high:g}")
    return Score.of(value)
