"""The files of a folder by the tasks that they belong to, and why the others belong to none."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from generators._file_names import TaskIds, composed, loose, readings, says_a_number, with_underscore
from selector.domain.files import followed
from selector.domain.names import name_fault, printable_name

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"})
# Of Windows, macOS, network drives and office programs. "._7.png" of macOS looks like a picture and is none.
_SYSTEM = re.compile(r"(thumbs|ehthumbs)\.db|desktop\.ini|\.ds_store|\.localized|\._.*|~\$.*", re.IGNORECASE)
_SYSTEM_FOLDERS = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})


class Unmatched(str, Enum):
    """Why no task gets a file, in words for people."""

    NO_TASK = "no task has that id"
    TWO_TASKS = "two tasks fit"
    NO_MARK = "behind the task's id an underscore is expected"
    NO_ID = "the name begins with no task's id"
    OTHER_FOLDER = "in a folder that is no task's (import that folder itself)"
    NO_PICTURE = "no format of pictures that is read"
    NO_FILE = "a link that leads nowhere, or no ordinary file"
    OUTSIDE = "a link that leads out of the folder"
    BAD_NAME = "the name is no text that a file may have"
    SYSTEM = "a file of the system"


@dataclass(frozen=True)
class Listing:
    """A folder's own entries by the id that they belong to, each list sorted by name."""

    root: Path
    ids: TaskIds | None  # None: a file belongs to every id that its name may mean
    changed_ns: int  # the folder's time of change when it was listed
    beside: Mapping[str, Sequence[Path]]  # "7.png", "7_b.png" by "7"
    folders: Mapping[str, Sequence[Path]]  # "7/" by "7": two, if there is a "007/" as well

    @classmethod
    def of(cls, root: Path, ids: TaskIds | None) -> Listing:
        changed_ns = root.stat().st_mtime_ns  # before listing: what changes meanwhile is seen by the next look
        beside: dict[str, list[Path]] = {}
        folders: dict[str, list[Path]] = {}
        for child in sorted(root.iterdir(), key=sort_key):
            is_folder = os.path.isdir(child)  # noqa: PTH112 (a link that cannot be followed is none, not an error)
            for owner in _owners(child.name if is_folder else child.stem, ids, folder=is_folder):
                (folders if is_folder else beside).setdefault(owner, []).append(child)
        return cls(root, ids, changed_ns, beside, folders)

    def files_of(self, task_id: str) -> Iterator[Path]:
        """Files of one task: those beside each other first, then those in the task's own folder, sorted by name."""
        owner = composed(task_id) if self.ids else loose(task_id)
        yield from self._pictures(self.beside.get(owner, ()))
        for folder in self.folders.get(owner, ()):
            if is_inside(folder, self.root):
                yield from self._pictures(sorted(folder.rglob("*"), key=sort_key))

    def _pictures(self, files: Iterable[Path]) -> Iterator[Path]:
        for file in files:
            if (
                file.suffix.lower() in EXTENSIONS
                and not file.name.startswith(".")
                and not name_fault(file.relative_to(self.root).as_posix(), folders=True)
                and os.path.isfile(file)  # noqa: PTH113 (as above)
                and is_inside(file, self.root)
            ):
                yield file


def unmatched_files(root: Path, task_ids: Sequence[str]) -> dict[str, Unmatched]:
    """Files that no task gets by their paths below ``root``, sorted, and why.

    Hidden files are not told of, but those that systems leave behind. A file that a task gets through a link counts as
    taken.
    """
    ids = TaskIds.of(task_ids)
    listing = Listing.of(root, ids)
    taken = {followed(file) for task_id in task_ids for file in listing.files_of(task_id)}
    rest = sorted((file for file in _visible_files(root) if followed(file) not in taken), key=sort_key)
    return {printable_name(file.relative_to(root).as_posix()): _reason(file, root, ids) for file in rest}


def is_inside(file: Path, root: Path) -> bool:
    """Whether the path, links followed, stays in the folder."""
    return followed(file).is_relative_to(followed(root))


def sort_key(path: Path) -> tuple[str, str]:
    return composed(path.as_posix()), path.as_posix()


def _owners(name: str, ids: TaskIds | None, *, folder: bool) -> Sequence[str]:
    if ids is None:
        return list(dict.fromkeys(map(loose, readings(name, folder=folder))))
    meant = ids.meant_by(name, folder=folder)
    return meant if len(meant) == 1 else ()


def _visible_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in files if not name.startswith(".") or _SYSTEM.fullmatch(name))


def _reason(file: Path, root: Path, ids: TaskIds) -> Unmatched:
    """The first of the reasons that holds, from what no renaming would cure to what one would."""
    parts = file.relative_to(root).parts
    if name_fault("/".join(parts), folders=True):
        return Unmatched.BAD_NAME
    if _SYSTEM.fullmatch(file.name) or _SYSTEM_FOLDERS.intersection(parts):
        return Unmatched.SYSTEM
    if not os.path.isfile(file):  # noqa: PTH113 (as above)
        return Unmatched.NO_FILE
    if file.suffix.lower() not in EXTENSIONS:
        return Unmatched.NO_PICTURE
    if not is_inside(file, root):
        return Unmatched.OUTSIDE
    is_nested = len(parts) > 1
    name = parts[0] if is_nested else file.stem
    if len(ids.meant_by(name, folder=is_nested)) > 1:
        return Unmatched.TWO_TASKS
    if is_nested:
        return Unmatched.OTHER_FOLDER
    if says_a_number(name):
        return Unmatched.NO_TASK
    return Unmatched.NO_MARK if with_underscore(name, ids) else Unmatched.NO_ID


def better_name(file: str, task_ids: Sequence[str]) -> str | None:
    """The name under which a file that lacks an underscore would be taken; None for any other."""
    path = Path(file)
    stem = with_underscore(path.stem, TaskIds.of(task_ids))
    return f"{stem}{path.suffix}" if stem else None
