"""Writes the demo contest to a folder: ``task.csv`` and ``imgs/``, in the shape in which the Tianchi contest comes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from selector.demo.script import PICTURES, SCENES, TEXT_TO_IMAGE, Scene
from selector.domain import InputError, encode_final
from selector.domain.files import write_atomically

COLUMNS = ("index", "task_type", "prompt", "ori_image", "target_image")
JPEG_QUALITY = 92


@dataclass(frozen=True)
class DemoContest:
    """Where the contest lies: its table, the folder of its input pictures, and how many tasks it has."""

    table: Path
    images: Path
    tasks: int


def make_demo_contest(folder: Path, text_to_image: bool = False) -> DemoContest:
    """Write the contest into ``folder``, which is made when needed; the same bytes each time on one machine.

    Args:
        text_to_image: with the tasks of text to image, which come last.

    Raises:
        MissingPart: when a package that ships a photograph or a font is not installed.
        InputError: when the folder cannot be written.
    """
    images, table = folder / "imgs", folder / "task.csv"
    scenes = (*SCENES, *(TEXT_TO_IMAGE if text_to_image else ()))
    try:
        images.mkdir(parents=True, exist_ok=True)
        names = {name: _write_picture(images, name) for name in _pictures_used()}
        rows = _table(scenes, names)
        write_atomically(table, rows.encode("utf-8-sig"))  # the real table opens with a byte order mark
    except OSError as error:
        raise InputError(f"the demo contest cannot be written to {folder}: {error.strerror or error}") from error
    return DemoContest(table, images, len(scenes))


def task_id(position: int) -> int:
    """Ids rise but skip some numbers, as those of the real table do, so that nobody takes an id for a position."""
    return 3 + 4 * position + position % 3


def _pictures_used() -> list[str]:
    named = (name for scene in SCENES for name in (scene.source, scene.reference) if name is not None)
    return list(dict.fromkeys(named))


def _write_picture(images: Path, name: str) -> str:
    data = encode_final(PICTURES[name](), quality=JPEG_QUALITY)
    file_name = hashlib.md5(data, usedforsecurity=False).hexdigest() + ".jpg"
    write_atomically(images / file_name, data, durable=False)
    return file_name


def _table(scenes: Sequence[Scene], names: dict[str, str]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for position, scene in enumerate(scenes):
        source, reference = (names[name] if name else "" for name in (scene.source, scene.reference))
        rows.writerow((task_id(position), scene.type.value, scene.prompt, source, reference))
    return text.getvalue()
