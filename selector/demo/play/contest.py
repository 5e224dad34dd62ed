"""The closed world as a contest: its table, its pictures, its profile, and the truth that no team sees.

Text-to-image tasks are captions of scenes drawn anew from the distribution that the models were trained on: a small
world, so many a scene is also in the training. Scene edits ask for one change of a rendered scene. There are no text
edits and no face swaps: the closed world has neither letters nor faces.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias

import numpy as np

from selector.demo.closed_world.checker import check
from selector.demo.closed_world.edit_truth import check_edit
from selector.demo.closed_world.edits import Edit, Source, instruction, random_edit, random_source
from selector.demo.closed_world.render import Pixels
from selector.demo.closed_world.scene import HELD_OUT_SEED, LANGUAGES, Scene, caption, scene_at
from selector.domain import TaskType, encode_final
from selector.domain.files import write_atomically

FIRST_DAY = date(2030, 3, 1)
PER_DAY = 2
# A pool's seed names its series of scenes. `play` has the seeds below, `closed_world.evaluate` those from here on, so
# they share no draw; what is looked at while training comes from the front of the series of seed 0.
EVALUATED_FROM = 1_000_000
FIRST_SCENE = 500_000
COLUMNS = ("index", "task_type", "prompt", "ori_image")
_PROFILE = """\
# The closed world as a contest. The keys are explained in the built-in tianchi-532389.toml.
name = "closed-world"
title = "Coloured shapes: draw them or change them"
last_day = {last_day}

[table]
id_column = "index"
type_column = "task_type"
prompt_column = "prompt"
integer_ids = true

[task_types.t2i]
word = "t2i"
prompt = "required"
size = "as_made"
fallback = "blank"
sc = "judge"
sc_parts = ["prompt_following"]

[task_types.tie]
word = "tie"
prompt = "required"
source = "ori_image"
size = "source"
fallback = "source"
sc = "judge"
sc_parts = ["edit_success", "minimal_over_editing"]

[score]
high = 10
overall = "sqrt(SC*PQ)"
pq_parts = ["quality"]
cosine_scale = 10.0
failed_image = 0.0
total = "mean"
decimals = 2
judge = "the closed world's checker, with noise"

[export]
archive_name = "{{team}}-play.zip"
max_bytes = 104_857_600
manifest = "result.csv"
manifest_encoding = "utf-8-sig"
manifest_columns = [["index", "{{id}}"], ["gen_image", "{{id}}.jpg"]]
image_path = "imgs/{{id}}.jpg"
image_format = "jpeg"
jpeg_quality = 95
max_side_px = 256
blank_size_px = [64, 64]

[quota]
per_day = {per_day}
time_zone = "UTC"
counts = "best"

[rules]
human_ratings = false
reproducible = false
"""


@dataclass(frozen=True)
class PlayTask:
    """One task. ``scene`` is of a text-to-image task, ``source`` and ``edit`` of a scene edit."""

    id: str
    prompt: str
    scene: Scene | None = None
    source: Source | None = None
    edit: Edit | None = None

    @property
    def type(self) -> TaskType:
        return TaskType.T2I if self.scene is not None else TaskType.TIE

    def truth(self, picture: Pixels) -> float:
        """VIEScore of a square RGB picture, uint8: 0 to 10."""
        if self.scene is not None:
            return check(picture, self.scene).overall
        assert self.source is not None and self.edit is not None
        return check_edit(picture, self.source, self.edit).overall


Scores: TypeAlias = Mapping[tuple[str, str], float]  # (task id, candidate id) to VIEScore, 0 to 10


@dataclass(frozen=True)
class Files:
    """What a team gets: the table, the folder of its pictures, the contest's profile."""

    table: Path
    images: Path
    profile: Path


def play_tasks(prompts: int, edits: int, seed: int) -> tuple[PlayTask, ...]:
    """So many text-to-image tasks and scene edits, in turn English and Chinese; ids rise and skip some numbers."""
    texts = [_prompt_task(i, seed) for i in range(prompts)]
    return (*texts, *(_edit_task(prompts + i, seed) for i in range(edits)))


def write_contest(folder: Path, tasks: Sequence[PlayTask], days: int) -> Files:
    """Write all that a team gets into ``folder``, which is made where it is not there."""
    images = folder / "imgs"
    images.mkdir(parents=True, exist_ok=True)
    for task in tasks:
        if task.source is not None:
            data = encode_final(task.source.picture)
            write_atomically(images / _picture_name(task), data, durable=False)
    files = Files(folder / "task.csv", images, folder / "profile.toml")
    write_table(files.table, tasks)
    last_day = FIRST_DAY + timedelta(days=days - 1)
    write_atomically(files.profile, _PROFILE.format(last_day=last_day, per_day=PER_DAY).encode(), durable=False)
    return files


def write_table(path: Path, tasks: Sequence[PlayTask]) -> None:
    """The task table with these tasks, in their order."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for task in tasks:
        rows.writerow((task.id, task.type.value, task.prompt, _picture_name(task) if task.source else ""))
    write_atomically(path, text.getvalue().encode("utf-8-sig"), durable=False)


def _prompt_task(number: int, seed: int) -> PlayTask:
    scene = scene_at(FIRST_SCENE + number, HELD_OUT_SEED + seed * 10_000)
    words = caption(scene, _rng(seed, number), LANGUAGES[number % len(LANGUAGES)])
    return PlayTask(_id(number), words, scene=scene)


def _edit_task(number: int, seed: int) -> PlayTask:
    rng = _rng(seed, number)
    source = random_source(rng)
    edit = random_edit(source, rng)
    words = instruction(source, edit, rng, LANGUAGES[number % len(LANGUAGES)])
    return PlayTask(_id(number), words, source=source, edit=edit)


def _rng(seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng([HELD_OUT_SEED, seed, number])


def _id(number: int) -> str:
    return str(3 + 4 * number + number % 3)


def _picture_name(task: PlayTask) -> str:
    return f"{int(task.id):032x}.jpg"
