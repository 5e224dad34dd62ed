"""Writes the contact sheet: ``index.html``, ``page-2.html``, …, a style sheet, two scripts, and ``thumbs/``.

Tasks are rendered as they stream by, a page of them at a time lies in memory, and pages are put together when the
counts are known. Everything shown comes from files and tables that others wrote: the templates escape all of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from selector.domain import InputError, TaskType, is_applicable, raise_shortage
from selector.domain.files import replacing, sweep, write_atomically
from selector.domain.visible import visible
from selector.report._index import EXCLUDED, MOST_NAMES, NOTED, PINNED, TaskIndex
from selector.report._model import Sheet, TaskRow
from selector.report._pictures import Pictures, Thumbnail, link, plot_view
from selector.report._summary import HEIGHT, WIDTH, Summary, concerns_of, histogram
from selector.report._view import anchor, task_view
from selector.report._words import Words

if TYPE_CHECKING:
    from jinja2 import Environment

TASKS_A_PAGE = 50
HERE = Path(__file__).parent
DECIDED = ("excluded", "pinned", "noted", "none")
SORTS = ("estimate", "uncertainty", "margin", "flags", "type")
MAX_THREADS = 4  # decoding leaves the interpreter lock; more threads than this wait for the disk


def write_contact_sheet(folder: Path, sheet: Sheet, copied: bool = False, whole: bool = False) -> Path:
    """Write ``sheet`` into ``folder`` and return its ``index.html``; thumbnails of an earlier run are reused.

    A damaged or missing picture is shown as such on the page. The same sheet gives the same bytes.

    Args:
        copied: pictures are copied into the folder, picks and inputs at full size; else pages link to them.
        whole: the other candidates, too, are copied at full size.

    Raises:
        InputError: when the folder cannot be written.
    """
    words = Words(sheet.language)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder, deep=True)
        # Without names: a killed run leaves nothing.
        with tempfile.TemporaryFile(dir=folder) as spool, tempfile.TemporaryFile(dir=folder) as entries:
            with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
                pictures = Pictures(folder, copied, sheet.fetch)
                renderer = _TaskRenderer(sheet, words, pictures, whole, _environment(words), pool)
                written = _render_tasks(renderer, spool, TaskIndex(entries, words))
            return _write_pages(folder, sheet, words, written, spool)
    except OSError as error:
        raise_shortage(error)
        raise InputError(f"the contact sheet cannot be written to {folder}: {error.strerror or error}") from error


@dataclass(frozen=True)
class _TaskRenderer:
    """Renders one task after another, making its pictures in a small pool on the way."""

    sheet: Sheet
    words: Words
    pictures: Pictures
    whole: bool
    environment: Environment
    pool: ThreadPoolExecutor

    def render(self, task: TaskRow) -> str:
        view = task_view(task, self.sheet.columns)
        inputs = [path for path in (task.source, task.reference) if path is not None]
        wanted: list[tuple[Path, str | None, bool]] = [(path, None, True) for path in inputs]
        wanted += [(card.image, card.id, self.whole or card.picked) for card in view.cards]
        gone = {card.id: Thumbnail("", problem=card.gone) for card in view.cards if card.gone}
        pictures = list(self.pool.map(lambda one: gone.get(one[1] or "") or self.pictures.thumbnail(*one), wanted))
        source = pictures.pop(0) if task.source else None
        reference = pictures.pop(0) if task.reference else None
        return self.environment.get_template("task.html").render(
            view=view,
            source=source,
            reference=reference,
            cards=list(zip(view.cards, pictures, strict=True)),
            calibrated=self.sheet.calibrated,
        )


@dataclass(frozen=True)
class _Written:
    """What all tasks together give: counts, the index, and where in the spool each page starts and the last ends."""

    summary: Summary
    index: TaskIndex
    edges: list[int]

    @property
    def pages(self) -> int:
        return len(self.edges) - 1


def _render_tasks(renderer: _TaskRenderer, spool: IO[bytes], index: TaskIndex) -> _Written:
    """Write the tasks of all pages into ``spool``."""
    summary, edges = Summary(), [0]
    for task in renderer.sheet.tasks:
        page = summary.tasks // TASKS_A_PAGE + 1
        if page > len(edges):
            edges.append(spool.tell())
        summary.add(task, page)
        index.add(task, page, concerns_of(task))
        spool.write(_encoded(renderer.render(task)))
    return _Written(summary, index, [*edges, spool.tell()])


def _write_pages(folder: Path, sheet: Sheet, words: Words, written: _Written, spool: IO[bytes]) -> Path:
    """Assets first and the index page last: a reader who opens it finds all that it points to."""
    for asset in ("sheet.css", "sheet.js"):
        write_atomically(folder / asset, (HERE / asset).read_bytes(), durable=False)
    with replacing(folder / "tasks.js", durable=False) as stream:
        stream.writelines(written.index.parts(sheet.calibrated))
    environment = _environment(words)
    shared = _shared_values(folder, sheet, words, written)
    for page in range(written.pages, 0, -1):
        top, bottom = (
            _encoded(environment.get_template(name).render(page=page, **shared))
            for name in ("page_top.html", "page_bottom.html")
        )
        start, end = written.edges[page - 1 : page + 1]
        spool.seek(start)
        write_atomically(folder / page_name(page), top + spool.read(end - start) + bottom, durable=False)
    _remove_pages_beyond(folder, written.pages)
    return folder / page_name(1)


def page_name(page: int) -> str:
    """File name of a page; the first is 1."""
    return "index.html" if page == 1 else f"page-{page}.html"


def _shared_values(folder: Path, sheet: Sheet, words: Words, written: _Written) -> dict[str, Any]:
    summary, index = written.summary, written.index
    kinds = [(kind, words(f"type_{kind.value}")) for kind in TaskType if kind in summary.types]
    decided = [("n_excluded", EXCLUDED), ("n_pinned", PINNED), ("n_noted", NOTED)]
    return {
        "sheet": sheet,
        "summary": summary,
        "pages": written.pages,
        "kinds": kinds,
        "menus": _menus(words, kinds, index),
        "decided": [words(key, n=index.decided[bit]) for key, bit in decided if index.decided[bit]],
        "panels": [(name, summary.types[kind], histogram(summary.types[kind])) for kind, name in kinds],
        "plots": [plot_view(card, folder) for card in sheet.plots],
        "width": WIDTH,
        "height": HEIGHT,
        "zip_url": link(sheet.zip_file, folder) if sheet.zip_file else None,
    }


@dataclass(frozen=True)
class _Menu:
    """A choice above the tasks; options are (value, text), flags and generators by their numbers in the index."""

    name: str
    label: str
    first: str
    options: list[tuple[object, str]]


def _menus(words: Words, kinds: Sequence[tuple[TaskType, str]], index: TaskIndex) -> list[_Menu]:
    flags: list[tuple[object, str]] = [(i, words.flag(name)) for i, name in enumerate(index.flags)]
    makers: list[tuple[object, str]] = list(enumerate(index.generators))
    decisions: list[tuple[object, str]] = [(name, words(f"decision_{name}")) for name in DECIDED]
    return [
        _Menu("type", words("type"), words("any_type"), [(kind.value, name) for kind, name in kinds]),
        _Menu("generator", words("generator"), words("any_generator"), makers[:MOST_NAMES]),
        _Menu("flag", words("flag"), words("any_flag"), [("any", words("flag_any")), *flags[:MOST_NAMES]]),
        _Menu("decision", words("decision"), words("any_decision"), decisions),
        _Menu("sort", words("sort"), words("sort_order"), [(name, words(f"sort_{name}")) for name in SORTS]),
    ]


def _environment(words: Words) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

    def told(reason: str) -> str:
        """Why a score has no value; where none is missing the reason says so itself."""
        return words("unscored", reason=words.said(reason)) if is_applicable(reason) else words.said(reason)

    bold = Markup("<b>{}</b>").format
    environment.globals.update(page_name=page_name, anchor=anchor, told=told, t=words, words=words, bold=bold)
    environment.filters["said"] = words.said
    return environment


def _encoded(text: str) -> bytes:
    return visible(text).encode()


def _remove_pages_beyond(folder: Path, pages: int) -> None:
    for path in folder.glob("page-*.html"):
        number = path.stem.removeprefix("page-")
        if number.isdecimal() and int(number) > pages:
            path.unlink(missing_ok=True)
