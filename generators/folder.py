"""folder: finished images that any other tool has made, found by the task's id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from generators._file_names import TaskIds
from generators._folder_listing import Listing, Unmatched, better_name, is_inside, unmatched_files
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
from selector.domain.files import expanded
from selector.domain.names import name_fault

__all__ = ["Folder", "Unmatched", "better_name", "unmatched_files"]

MAX_FILE_BYTES = 200_000_000


class Folder(Generator):
    """folder: finished images that any other tool has made, found by the task's id.

    Settings: ``path``, the folder; ``task_ids``, all ids of the contest, so that of ``a`` and ``a_b`` the longer one
        gets ``a_b.jpg``; without them a file belongs to every id that its name may mean. Files of task 7: ``7.png``,
        ``007.png``, ``7_anything.jpg``, ``task-7.png``, copies as browsers and file managers name them (``7 (1).png``,
        ``7 - 副本.png``) and everything under ``7/``; the extensions are those of the formats that ``Picture`` reads,
        in any case. An id as it is written goes first: with tasks 7 and 007, ``007.png`` is of the latter, and
        ``07.png`` of none.
    Input: any task. One recipe a file, keyed by the hash of its bytes, so that a file that was made anew is a new
        candidate. Hands on the bytes as they are; notes hold the seed, prompt and model that the tool wrote into the
        file (``generators/_metadata.py`` names the tools).
    Model: none of its own.
    Cost: reading the file; the folder is listed once, and again when its time of change is another.
    Fails when a file vanished, changed or is damaged since it was listed. Links that lead out of the folder and names
        that are not UTF-8 or hold control characters are ignored; ``unmatched_files`` says why no task gets a file.

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
        self._task_ids = TaskIds.of(task_ids) if task_ids else None
        self._listed: Listing | None = None

    def check(self) -> None:
        """Raises ``MissingPart`` when no path is set and ``InputError`` when it is no folder."""
        self._root()

    def files_of(self, task_id: str) -> int:
        """How many files of the folder are a task's."""
        return sum(1 for _ in self._listing(self._root()).files_of(task_id))

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """One recipe a file, sorted by name, at most ``n``; none for a task without a file, which may still come."""
        root = self._root()
        files = list(self._listing(root).files_of(inputs.task.id))
        return [_recipe(root, file, seed) for file in files[: max(n, 0)]]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:  # noqa: ARG002 (the contract's arguments)
        """The bytes of the recipe's file and what its metadata tell. Raises ``GenerationFailed`` when it changed."""
        from generators._metadata import read_metadata

        root, name = self._root(), str(recipe.params.get("file", ""))
        file = root / name
        if name_fault(name, folders=True) or not is_inside(file, root):
            raise GenerationFailed(f"folder: {name!r} is not a file of the folder {root.name}")
        data = _read(file)
        if hashlib.sha256(data).hexdigest() != recipe.params.get("sha256"):
            raise GenerationFailed(f"folder: {name} changed since it was listed; list the folder again")
        return Made(_decodable(data, name), {"file": name, **read_metadata(data).as_notes()})

    def _listing(self, root: Path) -> Listing:
        """The folder's listing, made anew when entries came, went or were renamed. Threads may make it twice."""
        if self._listed is None or self._listed.changed_ns != root.stat().st_mtime_ns:
            self._listed = Listing.of(root, self._task_ids)
        return self._listed

    def _root(self) -> Path:
        if not self.path:
            raise MissingPart("folder: no path is set; set `path` to the folder with the finished images")
        root = expanded(self.path)
        if not root.is_dir():
            raise InputError(f"folder: {self.path} is not a folder; set `path` to the folder with the finished images")
        return root


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
        Picture(data, name).check()
    except InputError as error:
        bare = without_texts(data)
        try:
            Picture(bare, name).check()
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
