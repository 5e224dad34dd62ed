"""Scores are the same in another process: no clock, no state, no order of a set, no address of an object in them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from selector.conformance._results import Results, check_results, name_of, require, same, tolerance_of
from selector.domain import Item, JSONValue, Picture, Score, Scorer, Task, TaskInputs, TaskType

LONGEST_SECONDS = 600
_CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from selector.conformance.process import answer; answer(sys.argv[2])"
)


@dataclass(frozen=True)
class Job:
    """Items for a scorer that the other process makes by calling ``target`` ("module:name") with ``arguments``.

    Example:
        >>> Job("my_package:MyScorer", [], {"threshold": 0.5}).arguments["threshold"]
        0.5
    """

    target: str
    items: Sequence[Item]
    arguments: Mapping[str, JSONValue] = field(default_factory=dict)


def check_another_process(
    scorer: Scorer,
    items: Sequence[Item],
    arguments: Mapping[str, JSONValue] | None = None,
    target: str | None = None,
    tolerance: float | None = None,
) -> None:
    """Check that another process, with another hash seed and working directory, gives the same scores.

    Args:
        arguments: keyword arguments (JSON values) that make the same scorer there; none by default.
        target: "module:name" of what is called with them; by default the scorer's class, which must be importable.
        tolerance: as for ``check_scorer``.

    Raises:
        AssertionError: with the scorer's name and the first difference, or the other process's last words.
    """
    who, cls = name_of(scorer), type(scorer)
    allowed = tolerance_of(scorer, tolerance)
    importable = cls.__module__ != "__main__" and "<locals>" not in cls.__qualname__
    require(target or importable, f"{who}: another process cannot import {cls.__qualname__}; give target='module:name'")
    job = Job(target or f"{cls.__module__}:{cls.__qualname__}", items, arguments or {})
    (there,) = scores_in_another_process([job])
    check_results(scorer, there, len(items), f"{who} in another process")
    same(scorer, there, scorer.score(items), allowed, f"{who}: another process gives other scores")


def scores_in_another_process(jobs: Sequence[Job]) -> list[Results]:
    """Results of each job, made by one fresh process for all of them: starting one takes seconds.

    Raises:
        AssertionError: when it fails, with the last line of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        entries = [
            {
                "target": job.target,
                "arguments": dict(job.arguments),
                "items": [_entry(item, Path(folder)) for item in job.items],
            }
            for job in jobs
        ]
        (Path(folder) / "jobs.json").write_text(json.dumps(entries), encoding="utf-8")
        path = json.dumps([str(Path(entry or ".").absolute()) for entry in sys.path])
        environment = {**os.environ, "PYTHONHASHSEED": "4321"}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, path, folder],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=environment,
            timeout=LONGEST_SECONDS,
        )
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        require(done.returncode == 0, f"another process failed (exit status {done.returncode}); it said: {last}")
        answers = json.loads((Path(folder) / "scores.json").read_text(encoding="utf-8"))
    return [
        [{name: Score(value, reason) for name, (value, reason) in result.items()} for result in job] for job in answers
    ]


def answer(folder: str) -> None:
    """The other process's part: read the jobs of ``folder``, score, and write the scores beside them."""
    place = Path(folder)
    scored = []
    for job in json.loads((place / "jobs.json").read_text(encoding="utf-8")):
        module, _, name = job["target"].partition(":")
        scorer = cast(Scorer, getattr(importlib.import_module(module), name)(**job["arguments"]))
        results = scorer.score([_item(entry, place) for entry in job["items"]])
        scored.append([{key: (score.value, score.reason) for key, score in result.items()} for result in results])
    (place / "scores.json").write_text(json.dumps(scored), encoding="utf-8")


def _entry(item: Item, folder: Path) -> dict[str, JSONValue]:
    pictures = {"source": item.inputs.source, "reference": item.inputs.reference, "picture": item.picture}
    entry: dict[str, Any] = {"task": asdict(item.inputs.task)}
    for role, picture in pictures.items():
        if picture is not None:
            (folder / picture.id).write_bytes(picture.data)
            entry[role] = {"file": picture.id, "name": picture.name}
    return entry


def _item(entry: Mapping[str, Any], folder: Path) -> Item:
    def picture(role: str) -> Picture | None:
        place = entry.get(role)
        return None if place is None else Picture((folder / place["file"]).read_bytes(), place["name"])

    task = Task(**{**entry["task"], "type": TaskType(entry["task"]["type"])})
    return Item(TaskInputs(task, picture("source"), picture("reference")), cast(Picture, picture("picture")))
