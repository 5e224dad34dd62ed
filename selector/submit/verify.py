"""The verifier of submissions: re-opens a ZIP and checks every rule of the contest, sharing nothing with the writer.

What it is given may come from anywhere, so nothing in it is trusted: names are never used as paths, sizes are bounded
before anything is unpacked, and pictures before any is decoded, each and all together, by what their headers say.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from selector.contest.profile import ContestProfile, load_profile
from selector.contest.task_table import read_task_table
from selector.domain import InputError, Picture, Task, raise_shortage
from selector.domain.names import name_fault
from selector.domain.picture import MAX_PIXELS, open_image
from selector.domain.words import n_of

MAX_MANIFEST_BYTES = 64 * 1024 * 1024
MAX_IMAGE_BYTES = 64 * 1024 * 1024
MAX_LISTING_BYTES, LISTING_BYTES_A_TASK = 1 << 20, 1 << 10  # of the ZIP's own list of its files
_ANY_PIXELS = 20 * MAX_PIXELS  # that any archive may have, however few its tasks
HEADER_BYTES = 64 * 1024  # of a picture: nearly all tell their size here
MOST_OF_A_KIND = 10  # a thousand missing images are one mistake, not a thousand lines
WORKERS = 4
SMALL_PX = 64  # of a side; no contest forbids less, but nobody means to submit a picture that small
_MAGIC = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}
# What zipfile and its decompressors raise on damaged archives.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    LookupError,
    OverflowError,
)
DEFAULT_PROFILE = "tianchi-532389"


@dataclass(frozen=True)
class Verdict:
    """What was found in a ZIP. ``problems`` break a rule of the contest, ``warnings`` do not."""

    valid: bool
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    tasks: int  # rows that the task table asks for
    images: int  # of them, how many have an image that is there, complete and as the contest wants it
    bytes: int
    sha256: str  # "" of a file that is too large to be a submission: it would take minutes


def _cut(lines: Sequence[str]) -> list[str]:
    """Lines of one kind; beyond the first ten only their number."""
    more = len(lines) - MOST_OF_A_KIND
    return [*lines[:MOST_OF_A_KIND], *([f"... and {more} more like the last one"] if more > 0 else [])]


def verify_archive(path: Path, profile: ContestProfile, tasks: Sequence[Task], team: str = "{team}") -> Verdict:
    """Check the ZIP at ``path`` against the profile and the task table; a bad ZIP is a verdict, not an exception.

    Args:
        path: of the ZIP.
        profile: of the contest.
        tasks: of the table.
        team: who uploads it, where that is known: the file name to rename it to is said with it.

    Raises:
        InputError: there is no file that can be read at ``path``.
    """
    limit = profile.export.max_bytes
    size, sha256 = _measure(path, limit)
    problems = [f"the file has {size:,} bytes, the contest takes at most {limit:,}"] if size > limit else []
    warnings = _file_name_warnings(path.name, profile, team)
    images = 0
    try:
        with _Stream(path) as stream, _listed(stream, len(tasks)) as archive:
            images = _check_members(archive, profile, tasks, problems, warnings)
    except DAMAGE as error:
        raise_shortage(error)
        problems.append(f"not a readable ZIP ({_first_line(error)})")
    return Verdict(not problems, tuple(problems), tuple(warnings), len(tasks), images, size, sha256)


class _Stream(io.FileIO):
    """A file of which no more is read at once than ``most_bytes``."""

    most_bytes: int | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.most_bytes is not None and size is not None and size > self.most_bytes:
            raise zipfile.BadZipFile(f"a list of its files of {size:,} bytes")
        return super().read(size) or b""


def _listed(stream: _Stream, tasks: int) -> zipfile.ZipFile:
    """The ZIP, whose list of files is read at once: one of a million would take minutes and gigabytes."""
    stream.most_bytes = MAX_LISTING_BYTES + LISTING_BYTES_A_TASK * tasks
    archive = zipfile.ZipFile(stream)
    stream.most_bytes = None
    return archive


def verify_against_table(zip_path: Path, tasks: Path, profile: str | Path = DEFAULT_PROFILE) -> Verdict:
    """Check every rule of the contest on the ZIP; whose images it holds, and whether they are fallbacks, is not known.

    Args:
        tasks: the contest's task table; the input images need not be there.
        profile: name of a built-in contest profile, or the path of one.

    Raises:
        InputError: the ZIP, the table or the profile cannot be read.
    """
    contest = load_profile(profile)
    return verify_archive(zip_path, contest, read_task_table(tasks, contest, tasks.parent))


def _measure(path: Path, most_bytes: int) -> tuple[int, str]:
    digest = hashlib.sha256()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):  # a device may have no end
            raise ValueError("no regular file")
        with path.open("rb") as stream:
            if found.st_size > most_bytes:
                return found.st_size, ""
            while block := stream.read(1 << 20):
                digest.update(block)
            size = stream.tell()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"submission {path} cannot be read ({reason}); give the path of a ZIP") from error
    return size, digest.hexdigest()


def _file_name_warnings(name: str, profile: ContestProfile, team: str) -> list[str]:
    """A wrong file name is a warning: renaming the file mends it, and changes no byte."""
    export = profile.export
    pattern = re.escape(export.archive_name).replace(re.escape("{team}"), ".+")
    if re.fullmatch(pattern, name) or name in export.other_archive_names:
        return []
    expected = export.archive_name.replace("{team}", team)
    return [f"the file is called {name!r}; the contest expects {expected!r}: rename it before uploading"]


def _check_members(
    archive: zipfile.ZipFile,
    profile: ContestProfile,
    tasks: Sequence[Task],
    problems: list[str],
    warnings: list[str],
) -> int:
    """All checks inside an opened ZIP, added to what was found before; returns how many tasks have a good image."""
    images = {profile.export.image_path.replace("{id}", task.id): task for task in tasks}
    infos = archive.infolist()
    members = {info.filename: info for info in infos}
    problems += _cut(_name_problems(infos))
    problems += _cut(_member_problems(infos))
    problems += _cut(_extra_problems(members, {*images, profile.export.manifest}))
    bombs = _bomb_problems(infos, profile, archive)
    problems += _cut(bombs)
    if bombs:  # unpack nothing
        return 0
    problems += _cut(_manifest_problems(archive, members, profile, tasks))
    problems += _cut(
        [f"task {task.id}: {name!r} is not in the ZIP" for name, task in images.items() if name not in members]
    )
    present = [(members[name], task) for name, task in images.items() if name in members]
    sizes = {info.filename: _header_size_px(archive, info) for info, _ in present}
    decoded = (sizes[info.filename] for info, task in present if not _is_other(sizes[info.filename], task, profile))
    bombs = _pixel_problems([size for size in decoded if size], len(tasks), profile)
    problems += bombs
    if bombs:  # decode nothing
        return 0
    with ThreadPoolExecutor(WORKERS) as pool:
        checked = list(
            pool.map(lambda pair: _check_image(archive, pair[0], pair[1], sizes[pair[0].filename], profile), present)
        )
    faults = [fault for fault, _ in checked if fault]
    problems += _cut(faults)
    warnings += _cut([warning for _, warning in checked if warning])
    return len(present) - len(faults)


def _name_problems(infos: Iterable[zipfile.ZipInfo]) -> list[str]:
    problems = []
    for name, count in Counter(info.filename for info in infos).items():
        fault = name_fault(name.removesuffix("/"), folders=True)  # a folder's name ends with a slash
        if fault:
            problems.append(f"{name!r} {fault}; give a path inside the ZIP")
        if count > 1:
            problems.append(f"{name!r} is in the ZIP {count} times")
    return problems


def _member_problems(infos: Iterable[zipfile.ZipInfo]) -> list[str]:
    problems = []
    for info in infos:
        # zipfile cuts a name at a NUL byte, so that what is listed is not what others would unpack.
        if info.orig_filename != info.filename:
            problems.append(f"{info.orig_filename!r} is an ambiguous name")
        if info.flag_bits & 0x1:
            problems.append(f"{info.filename!r} is encrypted")
        if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
            problems.append(f"{info.filename!r} is a symbolic link, not a file")
    return problems


def _extra_problems(members: Iterable[str], expected: set[str]) -> list[str]:
    folders = {name[: at + 1] for name in expected for at, char in enumerate(name) if char == "/"}
    return [f"{name!r} does not belong in the ZIP" for name in members if name not in expected | folders]


def _bomb_problems(infos: Sequence[zipfile.ZipInfo], profile: ContestProfile, archive: zipfile.ZipFile) -> list[str]:
    """Entries or sums whose declared sizes are beyond any honest submission. Pictures hardly compress."""
    problems = [
        f"{info.filename!r} would unpack to {info.file_size:,} bytes; nothing was unpacked"
        for info in infos
        if info.file_size > MAX_IMAGE_BYTES
    ]
    total = sum(info.file_size for info in infos)
    if total > 2 * profile.export.max_bytes:
        problems.append(f"the ZIP would unpack to {total:,} bytes; nothing was unpacked")
    if sum(info.compress_size for info in infos) > archive.start_dir:
        problems.append("files of the ZIP share their bytes; nothing was unpacked")
    return problems


def _header_size_px(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, int] | None:
    """Width and height as a picture's header says them, without decoding; None for what has no such header."""
    for most_bytes in (HEADER_BYTES, MAX_IMAGE_BYTES):
        try:
            with archive.open(info) as stream:
                return open_image(stream.read(most_bytes), info.filename).size
        except (InputError, *DAMAGE) as error:
            raise_shortage(error)
    return None


def _pixel_problems(sizes_px: Sequence[tuple[int, int]], tasks: int, profile: ContestProfile) -> list[str]:
    """All pictures together may have as many pixels as if each were the largest that the program writes."""
    pixels = sum(width * height for width, height in sizes_px)
    most = max(tasks * min(MAX_PIXELS, profile.export.max_side_px**2), _ANY_PIXELS)
    if pixels <= most:
        return []
    return [
        f"the pictures have {pixels // 1_000_000:,} megapixels together, for {n_of(tasks, 'task')} at most "
        f"{most // 1_000_000:,} are decoded; make them smaller"
    ]


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """The content of a member, its CRC checked. Declared sizes can lie, so the limit holds while reading, too.

    Raises:
        InputError: damaged, encrypted, compressed otherwise than by deflate, or larger than ``limit`` bytes.
    """
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{info.filename!r} is compressed by method {info.compress_type}; use store or deflate")
    try:
        with archive.open(info) as stream:
            data = stream.read(limit + 1)
    except DAMAGE as error:
        raise_shortage(error)
        raise InputError(f"{info.filename!r} cannot be unpacked ({_first_line(error)})") from error
    if len(data) > limit:
        raise InputError(f"{info.filename!r} has more than {limit:,} bytes")
    if len(data) != info.file_size:
        raise InputError(f"{info.filename!r} is declared to have {info.file_size:,} bytes, it has {len(data):,}")
    return data


def _manifest_problems(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], profile: ContestProfile, tasks: Sequence[Task]
) -> list[str]:
    name = profile.export.manifest
    if name not in members:
        deeper = [other for other in members if other.endswith("/" + name)]
        hint = f", but {deeper[0]!r} is: zip the content of the folder, not the folder" if deeper else ""
        return [f"{name!r} is not at the root of the ZIP{hint}"]
    try:
        text = _manifest_text(_read(archive, members[name], MAX_MANIFEST_BYTES), profile)
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except InputError as error:
        return [str(error)]
    except csv.Error as error:
        return [f"{name!r} is not a readable CSV ({error})"]
    return [f"{name!r}: {problem}" for problem in _row_problems(rows, profile, tasks)]


def _manifest_text(data: bytes, profile: ContestProfile) -> str:
    export = profile.export
    bom, wanted = data.startswith(b"\xef\xbb\xbf"), export.manifest_encoding == "utf-8-sig"
    if bom != wanted:
        state = "begins with a BOM" if bom else "has no BOM"
        raise InputError(f"{export.manifest!r} {state}; the contest expects the encoding {export.manifest_encoding}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{export.manifest!r} is not UTF-8 at byte {error.start}") from error


def _row_problems(rows: list[list[str]], profile: ContestProfile, tasks: Sequence[Task]) -> list[str]:
    columns = profile.export.manifest_columns
    header = [name for name, _ in columns]
    if not rows or rows[0] != header:
        came = ",".join(rows[0]) if rows else "nothing"
        return [f"the header must be {','.join(header)!r}, it is {came!r}"]
    wanted = [[template.replace("{id}", task.id) for _, template in columns] for task in tasks]
    problems = []
    if len(rows) - 1 != len(wanted):
        problems.append(f"{n_of(len(rows) - 1, 'row')} for {n_of(len(wanted), 'task')}")
    if sorted(rows[1:]) == sorted(wanted) and rows[1:] != wanted:
        problems.append("the rows are right, but not in the order of the task table")
    for number, (row, right) in enumerate(zip(rows[1:], wanted, strict=False), start=1):
        if row != right:
            problems.append(f"row {number} must be {','.join(right)!r}, it is {','.join(row)!r}")
            break  # the rows after it are often just shifted
    return problems


def _wanted_px(task: Task, profile: ContestProfile) -> tuple[int, int] | None:
    return profile.export.fixed_size_px if profile.task_types[task.type].size == "fixed" else None


def _is_other(size_px: tuple[int, int] | None, task: Task, profile: ContestProfile) -> bool:
    """Whether a picture has not the size that the contest fixes, however EXIF turns it."""
    wanted = _wanted_px(task, profile)
    return size_px is not None and wanted is not None and sorted(size_px) != sorted(wanted)


def _check_image(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    task: Task,
    header_size_px: tuple[int, int] | None,
    profile: ContestProfile,
) -> tuple[str | None, str | None]:
    """What is wrong with an image, and what is merely odd about it. One of another size is not decoded."""
    export, name = profile.export, repr(info.filename)
    wanted, size_px = _wanted_px(task, profile), header_size_px
    try:
        if size_px is None or not _is_other(size_px, task, profile):
            data = _read(archive, info, MAX_IMAGE_BYTES)
            if not data.startswith(_MAGIC[export.image_format]):
                return f"{name} is not a {export.image_format.upper()} picture", None
            size_px = Picture(data, name).check()
    except InputError as error:
        return str(error), None
    width, height = size_px
    if wanted is not None and (width, height) != wanted:
        return f"{name} has {width} x {height} px, the contest expects {wanted[0]} x {wanted[1]}", None
    if min(width, height) < SMALL_PX:
        return None, f"{name} has only {width} x {height} px: is that the picture you mean?"
    return None, None


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def image_hashes(path: Path, profile: ContestProfile, tasks: Sequence[Task]) -> dict[str, str]:
    """Task id to the SHA-256 of its image in a valid ZIP."""
    with zipfile.ZipFile(path) as archive:
        names = {task.id: profile.export.image_path.replace("{id}", task.id) for task in tasks}
        return {task_id: hashlib.sha256(archive.read(name)).hexdigest() for task_id, name in names.items()}
