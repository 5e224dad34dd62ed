"""Input pictures: names that stay inside their folder, and pictures that decode to the last byte."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from selector.domain import InputError, Picture, Task
from selector.domain.errors import InputProblems
from selector.domain.files import followed
from selector.domain.names import check_name
from selector.domain.words import size_words

MAX_FILE_BYTES = 256_000_000  # 50 MP as uncompressed RGB is 150 MB; no contest picture is larger
WORKERS = 4  # decoding releases the interpreter lock; more threads only cost memory


def check_image_name(name: str, images: Path, written: bool = False) -> None:
    """Raise ``InputError`` for a name that is no path inside the folder ``images``; looks at no disk.

    ``./a.jpg`` is taken for ``a.jpg``, as tables have it. ``written``: a file of this name will be written.
    """
    plain = PurePosixPath(name).as_posix() if "/" in name and name.strip("./ ") else name
    check_name(plain, "image name", f"give a file name inside {images}", folders=True, written=written)


def resolve_image(images: Path, name: str) -> Path:
    """The path of input image ``name`` inside the folder ``images``; the file need not exist.

    Raises:
        InputError: the name is none (``check_image_name``), or leads out of the folder through a symbolic link.
    """
    check_image_name(name, images)
    folder, path = followed(images), followed(images / name)
    if os.path.islink(path):  # noqa: PTH114 - a loop; Path raises at names that are too long
        raise InputError(f"image name {name!r} is a link that leads to itself; copy the file into {images}")
    if not path.is_relative_to(folder) or path == folder:
        raise InputError(f"image name {name!r} leads out of {images} through a link; copy the file into the folder")
    return images / name


def check_input_images(tasks: Sequence[Task], images: Path) -> None:
    """Check that every picture that a task names exists and decodes completely. Files are read in parallel.

    Raises:
        InputProblems: its message names the first problem and counts the others, its ``problems`` are all of them.
    """
    needed = _first_task_of_each_name(tasks)
    if needed and not images.is_dir():
        raise InputError(f"the folder of input images {images} does not exist; give the folder that holds them")
    # By stem in lower case: a wrong ending or case is the usual reason for a missing file.
    near_names = {p.stem.casefold(): p.name for p in sorted(images.iterdir(), reverse=True)} if needed else {}
    with ThreadPoolExecutor(WORKERS) as pool:
        faults = list(pool.map(lambda name: _picture_fault(images, name, near_names), needed))
    problems = [
        f"task {task.id} (row {task.position + 1}): {fault}"
        for task, fault in zip(needed.values(), faults, strict=True)
        if fault
    ]
    if problems:
        raise InputProblems(problems)


def _first_task_of_each_name(tasks: Iterable[Task]) -> dict[str, Task]:
    needed: dict[str, Task] = {}
    for task in tasks:
        for name in (task.source, task.reference):
            if name is not None:
                needed.setdefault(name, task)
    return needed


def _picture_fault(images: Path, name: str, near_names: dict[str, str]) -> str | None:
    try:
        path = resolve_image(images, name)
        if not path.exists():
            near = near_names.get(Path(name).stem.casefold())
            return f"input image {name!r} is not in {images}" + (f" (but {near!r} is)" if near else "")
        if not path.is_file():
            return f"input image {name!r} is not a file"
        if path.stat().st_size > MAX_FILE_BYTES:
            return f"input image {name!r} is larger than {size_words(MAX_FILE_BYTES)}"
        Picture(path.read_bytes(), f"input image {name!r}").check()
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"input image {name!r} cannot be read ({error.strerror or error})"
    return None
