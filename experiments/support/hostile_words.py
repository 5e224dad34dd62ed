"""Readers of words: names of files, prompts, and what a scorer's program says."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from experiments.support.hostile_inputs import json_texts
from experiments.support.hostile_shared import (
    TASKS,
    Lines,
    strategy,
    texts_of,
)
from experiments.support.hostile_trial import Beside, Reader
from selector.domain import TaskType


def _read_name_list(data: bytes, folder: Path) -> Lines:
    """A folder whose files have these names."""
    from generators._file_names import TaskIds
    from generators._folder_listing import Listing, better_name, unmatched_files

    root = folder / "pictures"
    root.mkdir()
    for name in data.split(b"\n")[:20]:
        place = root / os.fsdecode(name)
        with suppress(OSError, ValueError):  # a name that the disk does not take
            if place.resolve().is_relative_to(root.resolve()):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch(exist_ok=False)
    ids = ["3", "7", "11", "a_b"]
    listing = Listing.of(root, TaskIds.of(ids))
    for task_id in ids:
        list(listing.files_of(task_id))
    found = unmatched_files(root, ids)
    return [f"{name[:100]}: {why.value} {better_name(name, ids) or ''}"[:300] for name, why in found.items()]


def _read_answers(data: bytes, _folder: Path) -> Lines:
    """What a scorer's program says, line by line."""
    from scorers._command_lines import ends_batch, read_answer, scores_of
    from selector.domain import Axis, Column
    from selector.programs.said import last_line, last_words

    columns = [Column("score", 0.0, 10.0, True, Axis.SC, "a score"), Column("b", -1.0, 1.0, False, Axis.PQ, "b")]
    files = {"picture": "/tmp/x/a.png", "source": None, "reference": None}
    said: list[str] = []
    answered = False
    for raw in data.split(b"\n")[:50]:
        line = raw.decode("utf-8", "replace")
        found = read_answer(line, {"1", "2"})
        ends_batch(line, "2")
        if found:
            answered = True
            scores = scores_of(found[1], columns, files, ["sk-test-0123456789"]).values()
            said += [score.reason for score in scores if score.reason is not None]
    text = data.decode("utf-8", "replace")
    last_words(text, [])
    told = [one for one in (*said, last_line(text, ["sk-test-0123456789"])) if one]
    return Beside(told) if answered else told


_ANSWERS: list[Any] = [{"id": "1", "scores": {"score": 7.5, "b": -0.5}}, {"end": "2"}, {"id": "2", "reason": "no face"}]


def _read_prompt(data: bytes, _folder: Path) -> Lines:
    from selector.llm._cell_words import WrongCell
    from selector.llm._reading_cells import cells_of, reading_of_cells
    from selector.prompts.reading import read_by_rules

    prompt = data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")[:1500] if _is_text(data) else ""
    for kind in (TaskType.T2I, TaskType.TIE, TaskType.VTTIE):
        reading = read_by_rules(kind, prompt)
        json.dumps(reading.as_json())
        cells = cells_of(reading)
        try:
            reading_of_cells(kind, prompt, cells, "table", reading)
        except WrongCell:
            continue
    read_by_rules.cache_clear()
    return ()


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _prompts() -> list[bytes]:
    more = [
        "Three knives beside two cars, on top of a wooden table, with the words 'FRESH FISH' above",
        "Make the photo brighter, crop it to 16:9 and turn it by 90 degrees clockwise",
        "在右上角加上“开业大吉”四个字，删除左边的“8折”",
        "Change the text \"OPEN\" on the second sign to 'CLOSED' and keep the colours; remove the man",
        "一只红色的猫坐在两把椅子的左边，墙上写着《春》",
    ]
    return [text.encode() for text in [*(task.prompt for task in TASKS[:3]), *more]]


READERS: tuple[Reader, ...] = (
    Reader(
        "file names",
        texts_of("3.png\n7_b.jpg\n11/x.webp\na_b.png\n0003 (2).png", "3.png\nThumbs.db\n三.png"),
        _read_name_list,
        share=0.5,
        told=1,
    ),
    Reader(
        "scorer's program",
        lambda: ["\n".join(map(json.dumps, answers)).encode() for answers in (_ANSWERS[:2], _ANSWERS)],
        _read_answers,
        strategy(json_texts, _ANSWERS, ["id", "scores", "reason"], lines=True),
    ),
    Reader("prompts", _prompts, _read_prompt),
)
