"""Takes finished images of a folder as candidates, and says which files no task got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generators.folder import Folder, unmatched_files
from selector.config import Step
from selector.domain import Task
from selector.domain.names import check_name
from selector.domain.progress import Progress, silent
from selector.generate.generating import generate
from selector.generate.orders import Order
from selector.generate.summary import GenerateSummary
from selector.workspace.plug_ins import build_of
from selector.workspace.workspace import Workspace

MOST_FILES = 10_000  # candidates of one task that an import may bring


@dataclass
class ImportSummary(GenerateSummary):
    """What an import did. ``unmatched`` are files of no task, no format that is read or a bad name, by their paths."""

    unmatched: tuple[str, ...] = ()


def import_images(
    ws: Workspace, tasks: Sequence[Task], folder: Path, label: str | None = None, progress: Progress = silent
) -> ImportSummary:
    """Import the files of ``folder`` under the generator name ``folder:LABEL``, the folder's own name by default.

    Raises:
        InputError: ``folder`` is no folder, or the label is none.
    """
    path = folder.resolve()
    name = check_name(label or path.name, "the label", "name the model with --label", folders=True)
    ids = [task.id for task in tasks]
    generator = Folder(str(path), ids)
    generator.check()
    # The folder's place is no part of the build: the same file imported from elsewhere is the same candidate.
    build = build_of(generator, {}, ws.config.seed)
    step = Step(f"folder:{name}", MOST_FILES)
    orders = [Order(task, step, generator, build) for task in tasks]
    made = generate(ws, orders, retry_failed=True, progress=progress)
    return ImportSummary(**vars(made), unmatched=unmatched_files(path, ids))
