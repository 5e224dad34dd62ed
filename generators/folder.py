"""folder: finished images that any other tool has made, found by the task's id."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from selector.domain import (
    GenerationFailed,
    Generator,
    InputError,
    Made,
    MissingPart,
    Picture,
    Recipe,
    TaskInputs,
    TaskType,
    raise_shortage,
)
from selector.domain.names import name_fault, printable_name

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff"})
MAX_FILE_BYTES = 200_000_000


class Folder(Generator):
    """folder: finished images that any other tool has made, found by the task's id.

    Settings: ``path``, the folder; ``task_ids``, all ids of the contest, so that of ``a`` and ``a_b`` the longer one
        gets ``a_b.jpg``; without them a file belongs to every id that it begins with. Files of task 7: ``7.png``,
        ``7_anything.jpg`` and everything under ``7/``; the extensions are those of the formats that ``Picture`` reads,
        in any case.
    Input: any task. One recipe a file, keyed by the hash of its bytes, so that a file that was made anew is a new
        candidate. Hands on the bytes as they are; notes hold the seed, prompt and model that the tool wrote into the
        file (A1111, ComfyUI, InvokeAI, Fooocus, SwarmUI).
    Model: none of its own.
    Cost: reading the file; the folder is listed once, and again when its time of change is another.
    Fails when a file vanished, changed or is damaged since it was listed. Links that lead out of the folder and names
        that are not UTF-8 or hold control characters are ignored; ``unmatched_files`` names what no task gets.

    Args:
        path: the folder; a relative one is seen from the working directory.
        task_ids: every id that the folder may have files of; () if they are not known.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from selector.domain import Task, TaskInputs, TaskType
        >>> from selector.registry import create_generator
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("7.png", "7_second.png", "8.png"):
        ...         _ = Path(folder, name).write_bytes(b"")
        ...     inputs = TaskInputs(Task("7", TaskType.T2I, "a fox", None, None, 0))
        ...     [recipe.params["file"] for recipe in create_generator("folder", {"path": folder}).recipes(inputs, 9, 0)]
        ['7.png', '7_second.png']
    """

    name = "folder"
    version = "1"
    task_types = frozenset(TaskType)
    best_first = False  # the order of file names says nothing of the images

    def __init__(self, path: str = "", task_ids: Sequence[str] = ()) -> None:
        self.path = path
        self._task_ids = frozenset(_normal(task_id) for task_id in task_ids)
        self._listed: _Listing | None = None

    def check(self) -> None:
        """Raises ``MissingPart`` when no path is set and ``InputError`` when it is no folder."""
        self._root()

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """One recipe a file, sorted by name, at most ``n``; none for a task without a file, which may still come."""
        root = self._root()
        files = list(_files_of(root, self._listing(root), inputs.task.id))
        return [_recipe(root, file, seed) for file in files[: max(n, 0)]]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:  # noqa: ARG002 (the contract's arguments)
        """The bytes of the recipe's file and what its metadata tell. Raises ``GenerationFailed`` when it changed."""
        from generators._metadata import read_metadata

        root, name = self._root(), str(recipe.params.get("file", ""))
        file = root / name
        if name_fault(name, folders=True) or not _is_inside(file, root):
            raise GenerationFailed(f"folder: {name!r} is not a file of the folder {root.name}")
        data = _read(file)
        if hashlib.sha256(data).hexdigest() != recipe.params.get("sha256"):
            raise GenerationFailed(f"folder: {name} changed since it was listed; list the folder again")
        return Made(_decodable(data, name), {"file": name, **read_metadata(data).as_notes()})

    def _listing(self, root: Path) -> _Listing:
        """The folder's listing, made anew when entries came, went or were renamed. Threads may make it twice."""
        changed_ns = root.stat().st_mtime_ns  # before listing: what changes meanwhile is seen by the next call
        if self._listed is None or self._listed.changed_ns != changed_ns:
            self._listed = _list(root, self._task_ids, changed_ns)
        return self._listed

    def _root(self) -> Path:
        if not self.path:
            raise MissingPart("folder: no path is set; set `path` to the folder with the finished images")
        root = Path(self.path).expanduser()
        if not root.is_dir():
            raise InputError(f"folder: {self.path} is not a folder; set `path` to the folder with the finished images")
        return root


def unmatched_files(root: Path, task_ids: Sequence[str]) -> tuple[str, ...]:
    """Files that no task gets, by their paths below ``root``, sorted: no such task, no format that is read, a bad name.

    Hidden files are not told of. A file that a task gets through a link counts as taken.
    """
    listing = _list(root, frozenset(_normal(task_id) for task_id in task_ids), 0)
    taken = {file.resolve() for task_id in task_ids for file in _files_of(root, listing, task_id)}
    rest = (file for file in _visible_files(root) if file.resolve() not in taken)
    return tuple(printable_name(file.relative_to(root).as_posix()) for file in sorted(rest, key=_sort_key))


@dataclass(frozen=True)
class _Listing:
    """The folder's own entries by the id that they belong to, each list sorted by name."""

    changed_ns: int  # the folder's time of change when it was listed
    beside: Mapping[str, Sequence[Path]]  # "7.png", "7_b.png" by "7"
    folders: Mapping[str, Sequence[Path]]  # "7/" by "7": two, if one name is composed and the other decomposed


def _list(root: Path, task_ids: Collection[str], changed_ns: int) -> _Listing:
    beside: dict[str, list[Path]] = {}
    folders: dict[str, list[Path]] = {}
    for child in sorted(root.iterdir(), key=_sort_key):
        folders.setdefault(_normal(child.name), []).append(child)
        for task_id in _owners(_normal(child.stem), task_ids):
            beside.setdefault(task_id, []).append(child)
    return _Listing(changed_ns, beside, folders)


def _owners(stem: str, task_ids: Collection[str]) -> Sequence[str]:
    """The longest id that the stem is or begins with, up to an underscore; all that may be ids if none are known."""
    beginnings = [stem, *(stem[:at] for at in range(len(stem) - 1, 0, -1) if stem[at] == "_")]
    return [one for one in beginnings if one in task_ids][:1] if task_ids else beginnings


def _files_of(root: Path, listing: _Listing, task_id: str) -> Iterator[Path]:
    """Files of one task: those beside each other first, then those in the task's own folder, each sorted by name."""
    wanted = _normal(task_id)
    yield from _pictures(listing.beside.get(wanted, ()), root)
    for folder in listing.folders.get(wanted, ()):
        if folder.is_dir() and _is_inside(folder, root):
            yield from _pictures(sorted(folder.rglob("*"), key=_sort_key), root)


def _visible_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _pictures(files: Iterable[Path], root: Path) -> Iterator[Path]:
    for file in files:
        if (
            file.suffix.lower() in EXTENSIONS
            and not file.name.startswith(".")
            and not name_fault(file.relative_to(root).as_posix(), folders=True)
            and file.is_file()
            and _is_inside(file, root)
        ):
            yield file


def _is_inside(file: Path, root: Path) -> bool:
    """Whether the path, links followed, stays in the folder."""
    return file.resolve().is_relative_to(root.resolve())


def _normal(name: str) -> str:
    """Composed form: some file systems hand out names decomposed."""
    return unicodedata.normalize("NFC", name)


def _sort_key(path: Path) -> tuple[str, str]:
    return _normal(path.as_posix()), path.as_posix()


def _recipe(root: Path, file: Path, seed: int) -> Recipe:
    """The recipe of a file. One that cannot be read now is listed too, so that its failure is told when it is made."""
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        tag = digest.hexdigest()
    except OSError as error:
        raise_shortage(error)
        tag = "unreadable"
    return Recipe("file", seed, {"file": file.relative_to(root).as_posix(), "sha256": tag})


def _decodable(data: bytes, name: str) -> bytes:
    """The bytes, or those of a PNG without texts that decoders refuse for their size."""
    from generators._metadata import without_texts

    try:
        _ = Picture(data, name).rgb
    except InputError as error:
        bare = without_texts(data)
        try:
            _ = Picture(bare, name).rgb
        except InputError:
            raise GenerationFailed(f"folder: {error}") from error
        return bare
    return data


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            limit = MAX_FILE_BYTES // 1_000_000
            raise GenerationFailed(f"folder: {file.name} is larger than {limit} MB; no contest image is")
        return file.read_bytes()
    except OSError as error:
        raise GenerationFailed(f"folder: {file.name} cannot be read ({error.strerror or error})") from error
