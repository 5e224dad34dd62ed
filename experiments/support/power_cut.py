"""What a process writes, in order, and the states of the disk that a loss of power may leave of it.

A recording is made by a small library that is preloaded into the process (``disk_recorder.c``): every write, sync,
truncation and change of a name below a folder, SQLite's too. A cut after the first N of them leaves what was synced;
of the rest what a disk may have written by then: of a file's bytes some sectors, or more of its length than of its
bytes; of names that were made, changed and removed those whose folder was synced, and some of the others. ``fsync`` of
a file promises its bytes and not its name, as POSIX has it: file systems that promise more lose less.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SOURCE = Path(__file__).with_name("disk_recorder.c")
SECTOR_BYTES = 512
NOTHING, ALL, NAMES, DATA, ORDERED, SOME = "nothing", "all", "names", "data", "ordered", "some"
WAYS = (NOTHING, NAMES, SOME, ORDERED, DATA, ALL)  # what was written of that which was not synced
_HEAD = struct.Struct("<cQqIII")
_FOLDER = -1  # among names: what has this number is a folder
_BY_SQLITE = "-shm"  # of files that it maps, and makes anew when it opens the database


@dataclass(frozen=True)
class Step:
    """One thing that a process did: ``kind`` as in ``disk_recorder.c``, paths below the folder that is recorded."""

    kind: str
    inode: int
    offset: int
    first: str
    second: str
    data: bytes


@dataclass(frozen=True)
class Recording:
    """A folder as it was, the steps, and as it was then: path to bytes, None for a folder; ``inodes`` of the first."""

    before: Mapping[str, bytes | None]
    inodes: Mapping[int, str]
    steps: Sequence[Step]
    after: Mapping[str, bytes | None]


def why_not() -> str:
    """Why nothing can be recorded on this machine; "" where it can."""
    if not sys.platform.startswith("linux"):
        return "the recorder of writes is made for Linux"
    return "" if shutil.which("cc") else "the recorder of writes needs a C compiler (cc)"


def built(folder: Path) -> Path:
    """The library, made in ``folder``."""
    made = folder / "disk_recorder.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, SOURCE], check=True)
    return made


def recorded(library: Path, root: Path, command: Sequence[str], env: Mapping[str, str]) -> Recording:
    """Run a command in ``root``.

    Raises:
        RuntimeError: it failed, or the steps do not come to what is in the folder afterwards: some were not seen.
    """
    root, log = root.resolve(), root.with_name(f"{root.name}.steps")
    before, inodes = _look(root), {p.stat().st_ino: _name(p, root) for p in [root, *root.rglob("*")]}
    preload = {"LD_PRELOAD": str(library), "DISK_ROOT": str(root), "DISK_LOG": str(log)}
    ended = subprocess.run(
        command, cwd=root, env={**env, **preload}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(command[-6:])} ended with {ended.returncode}: {ended.stdout[-300:]}")
    found = Recording(before, inodes, list(_steps(log.read_bytes(), root)), _look(root))
    seen = Disk(found, len(found.steps)).state(ALL)
    for name in sorted(seen.keys() | found.after.keys()):
        if seen.get(name) != found.after.get(name):
            raise RuntimeError(f"not all that was written to {name} was seen")
    return found


def _look(root: Path) -> dict[str, bytes | None]:
    paths = [path for path in sorted(root.rglob("*")) if not path.name.endswith(_BY_SQLITE)]
    return {_name(path, root): path.read_bytes() if path.is_file() else None for path in paths}


def _name(path: Path, root: Path) -> str:
    return "" if path == root else path.relative_to(root).as_posix()


def _steps(log: bytes, root: Path) -> Iterator[Step]:
    at, start = 0, str(root)
    while at < len(log):
        kind, inode, offset, *lengths = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        parts = []
        for length in lengths:
            parts.append(log[at : at + length])
            at += length
        names = (os.path.normpath(part.decode()) if part else "" for part in parts[:2])
        first, second = ("" if name == start else name.removeprefix(f"{start}/") for name in names)
        yield Step(kind.decode(), inode, offset, first, second, parts[2])


@dataclass
class _File:
    """``data`` is on the disk; ``waiting``: what was done since, (offset, bytes) or (size, None)."""

    data: bytes = b""
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        self.data, self.waiting = self.now(None), []

    def now(self, rng: Random | None) -> bytes:
        """With all that waits, or with some sectors of it and some of its length."""
        made, longest = bytearray(self.data), len(self.data)
        for offset, data in self.waiting:
            if data is None:
                if rng is None or rng.random() < 0.5:
                    _resize(made, offset)
                longest = max(longest, len(made))
                continue
            longest = max(longest, offset + len(data))
            for start, end in _sectors(offset, offset + len(data)):
                if rng is None or rng.random() < 0.5:
                    _resize(made, max(len(made), end))
                    made[start:end] = data[start - offset : end - offset]
        if rng is not None and rng.random() < 0.5:
            _resize(made, rng.randint(len(made), max(longest, len(made))))
        return bytes(made)


class Disk:
    """The disk after the first ``cut`` steps of a recording."""

    def __init__(self, recording: Recording, cut: int) -> None:
        self._files: list[_File] = []
        self._names: dict[str, int] = {}  # on the disk
        self._waiting: list[dict[str, int | None]] = []  # changes of names; None: it is removed
        self._now: dict[int, int] = {}  # inode to the file that has it now
        self._folders: dict[int, str] = {}
        for name, data in recording.before.items():
            self._names[name] = _FOLDER if data is None else self._add(_File(data))
        for inode, name in recording.inodes.items():
            if self._names.get(name, _FOLDER) == _FOLDER:
                self._folders[inode] = name
            else:
                self._now[inode] = self._names[name]
        for step in recording.steps[:cut]:
            self._do(step)

    def state(self, way: str, seed: str = "") -> dict[str, bytes | None]:
        """What may be there, as one of ``WAYS`` says: path to bytes, None for a folder."""
        rng, names = Random(seed), dict(self._names)
        waiting = self._waiting
        if way in (NOTHING, DATA):
            waiting = []
        elif way == ORDERED:  # a journal of names: in the order in which they were changed
            waiting = waiting[: rng.randint(0, len(waiting))]
        elif way == SOME:
            waiting = [change for change in waiting if rng.random() < 0.5]
        for change in waiting:
            names |= {name: there for name, there in change.items() if there is not None}
            for name, there in change.items():
                if there is None:
                    names.pop(name, None)
        found: dict[str, bytes | None] = {}
        for name in sorted(names):
            folder = name.rpartition("/")[0]
            if folder and found.get(folder, b"") is not None:  # its folder is not there
                continue
            if names[name] == _FOLDER:
                found[name] = None
            elif not name.endswith(_BY_SQLITE):
                file = self._files[names[name]]
                lost = way in (NOTHING, NAMES)
                found[name] = file.data if lost else file.now(None if way in (ALL, DATA) else rng)
        return found

    def _do(self, step: Step) -> None:
        if step.kind == "C":
            self._folders.pop(step.inode, None)  # a number is given again
            self._now[step.inode] = self._add(_File())
            self._waiting.append({step.first: self._now[step.inode]})
        elif step.kind == "M":
            self._folders[step.inode] = step.first
            self._waiting.append({step.first: _FOLDER})
        elif step.kind == "U":
            self._waiting.append({step.first: None})
        elif step.kind in "RL":
            there = self._now[step.inode]  # no folder is renamed
            self._waiting.append({step.second: there} | ({step.first: None} if step.kind == "R" else {}))
        elif step.kind == "S" and step.inode in self._folders:
            self._sync_names(self._folders[step.inode])
        elif step.inode in self._now:
            file = self._files[self._now[step.inode]]
            if step.kind == "S":
                file.sync()
            else:
                file.waiting.append((step.offset, step.data if step.kind == "W" else None))

    def _sync_names(self, folder: str) -> None:
        """All changes in a folder; a rename to or from it is done as a whole."""
        left: list[dict[str, int | None]] = []
        for change in self._waiting:
            if all(name.rpartition("/")[0] != folder for name in change):
                left.append(change)
                continue
            for name, there in change.items():
                left = [{n: t for n, t in one.items() if n != name} for one in left]
                if there is None:
                    self._names.pop(name, None)
                else:
                    self._names[name] = there
        self._waiting = [change for change in left if change]

    def _add(self, file: _File) -> int:
        self._files.append(file)
        return len(self._files) - 1


def lay_out(state: Mapping[str, bytes | None], folder: Path) -> None:
    """Make a state in a new folder."""
    folder.mkdir()
    for name, data in state.items():
        if data is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(data)


def _sectors(start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = min(end, start - start % SECTOR_BYTES + SECTOR_BYTES)
        yield start, stop
        start = stop


def _resize(data: bytearray, size: int) -> None:
    del data[size:]
    data.extend(bytes(size - len(data)))
