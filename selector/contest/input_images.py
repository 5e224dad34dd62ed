"""Input pictures: names that stay inside their folder, and pictures that decode to the last byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from selector.domain import InputError, Picture, Task
from selector.domain.errors import InputProblems
from selector.domain.names import check_name

MAX_FILE_BYTES = 256 * 1024 * 1024  # 50 MP as uncompressed RGB is 150 MB; no contest picture is larger
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
    try:
        folder = images.resolve()
        path = (images / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a name too long for the file system
        raise InputError(f"image name {name!r} cannot be followed inside {images} ({error})") from error
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
        raise InputProblems(problems, more="; run `bestshot doctor` to list them all")


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
            return f"input image {name!r} is larger than {MAX_FILE_BYTES // 2**20} MiB"
        _ = Picture(path.read_bytes(), f"input image {name!r}").rgb
    except (InputError, OSError) as error:
        return str(error)
    return None
