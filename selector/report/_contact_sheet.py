"""Writes the contact sheet: ``index.html``, ``page-2.html``, …, one style sheet, one script, and ``thumbs/``.

Tasks are rendered as they stream by, a page of them at a time lies in memory, and pages are put together when the
counts are known. Everything shown comes from files and tables that others wrote: the templates escape all of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from selector.domain import InputError
from selector.domain.files import sweep, write_atomically
from selector.report._model import Sheet, TaskRow
from selector.report._pictures import Thumbnail, link, plot_view, thumbnail
from selector.report._summary import HEIGHT, WIDTH, Summary, histogram
from selector.report._view import TYPE_NAMES, anchor, task_view, unscored_in_words

if TYPE_CHECKING:
    from jinja2 import Environment

TASKS_A_PAGE = 50
HERE = Path(__file__).parent
MAX_THREADS = 4  # decoding leaves the interpreter lock; more threads than this wait for the disk


def write_contact_sheet(folder: Path, sheet: Sheet) -> Path:
    """Write ``sheet`` into ``folder`` and return its ``index.html``; thumbnails of an earlier run are reused.

    A damaged or missing picture is shown as such on the page. The same sheet gives the same bytes.

    Raises:
        InputError: when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, deep=True)
        with tempfile.TemporaryFile(dir=folder) as spool:  # without a name: a killed run leaves nothing
            summary, starts = _render_tasks(folder, sheet, spool)
            return _write_pages(folder, sheet, summary, spool, starts)
    except OSError as error:
        raise InputError(f"the contact sheet cannot be written to {folder}: {error.strerror or error}") from error


@dataclass(frozen=True)
class _TaskRenderer:
    """Renders one task after another, making its thumbnails in a small pool on the way."""

    folder: Path
    sheet: Sheet
    environment: Environment
    pool: ThreadPoolExecutor

    def render(self, task: TaskRow) -> str:
        view = task_view(task, self.sheet.columns)
        inputs = [path for path in (task.source, task.reference) if path is not None]
        wanted = [(path, None) for path in inputs] + [(card.image, card.id) for card in view.cards]
        made: Iterator[Thumbnail] = self.pool.map(lambda pair: thumbnail(pair[0], self.folder, pair[1]), wanted)
        pictures = list(made)
        source = pictures.pop(0) if task.source else None
        reference = pictures.pop(0) if task.reference else None
        return self.environment.get_template("task.html").render(
            view=view,
            source=source,
            reference=reference,
            cards=list(zip(view.cards, pictures, strict=True)),
            calibrated=self.sheet.calibrated,
        )


def _render_tasks(folder: Path, sheet: Sheet, spool: IO[bytes]) -> tuple[Summary, list[int]]:
    """Write the tasks of all pages into ``spool``; returns where in it each page starts."""
    summary, starts = Summary(), [0]
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        renderer = _TaskRenderer(folder, sheet, _environment(), pool)
        for task in sheet.tasks:
            page = summary.tasks // TASKS_A_PAGE + 1
            if page > len(starts):
                starts.append(spool.tell())
            summary.add(task, page)
            spool.write(_encoded(renderer.render(task)))
    return summary, starts


def _write_pages(folder: Path, sheet: Sheet, summary: Summary, spool: IO[bytes], starts: list[int]) -> Path:
    """Assets first and the index last: a reader who opens the index finds all that it points to."""
    for asset in ("sheet.css", "sheet.js"):
        write_atomically(folder / asset, (HERE / asset).read_bytes(), durable=False)
    environment = _environment()
    shared = _shared_values(folder, sheet, summary, len(starts))
    ends = [*starts[1:], spool.tell()]
    for page in range(len(starts), 0, -1):
        top, bottom = (
            _encoded(environment.get_template(name).render(page=page, **shared))
            for name in ("page_top.html", "page_bottom.html")
        )
        spool.seek(starts[page - 1])
        tasks = spool.read(ends[page - 1] - starts[page - 1])
        write_atomically(folder / page_name(page), top + tasks + bottom, durable=False)
    _remove_pages_beyond(folder, len(starts))
    return folder / page_name(1)


def page_name(page: int) -> str:
    """File name of a page; the first is 1."""
    return "index.html" if page == 1 else f"page-{page}.html"


def _shared_values(folder: Path, sheet: Sheet, summary: Summary, pages: int) -> dict[str, Any]:
    kinds = [kind for kind in TYPE_NAMES if kind in summary.types]
    return {
        "sheet": sheet,
        "summary": summary,
        "pages": pages,
        "kinds": [(kind, TYPE_NAMES[kind]) for kind in kinds],
        "panels": [(TYPE_NAMES[kind], summary.types[kind], histogram(summary.types[kind])) for kind in kinds],
        "plots": [plot_view(card, folder) for card in sheet.plots],
        "width": WIDTH,
        "height": HEIGHT,
        "zip_url": link(sheet.zip_file, folder) if sheet.zip_file else None,
    }


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(page_name=page_name, anchor=anchor, told=unscored_in_words)
    return environment


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a lone surrogate from a broken table must not end the report


def _remove_pages_beyond(folder: Path, pages: int) -> None:
    for path in folder.glob("page-*.html"):
        number = path.stem.removeprefix("page-")
        if number.isdecimal() and int(number) > pages:
            path.unlink(missing_ok=True)
