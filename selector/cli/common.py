"""What verbs share: where the campaign is, the options of all, printing for people and for programs."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli._colour import painted
from selector.cli._language import said, said_cell, said_header, show, show_json
from selector.cli._progress import progress_bar as progress_bar
from selector.domain.campaign_folder import check_spared
from selector.domain.errors import InputError
from selector.domain.types import TaskType
from selector.domain.visible import visible
from selector.domain.words import tasks_named
from selector.language import display_width

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.llm import Summary

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
_debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
campaign_option = click.option(
    "-C",
    "--campaign",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    envvar="BESTSHOT_CAMPAIGN",
    help="The campaign's folder (default: here; also the environment variable BESTSHOT_CAMPAIGN). All other paths are "
    "relative to the shell's folder.",
)

type_option = click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice([t.value for t in TaskType]),
    help="Only tasks of this type (may be repeated).",
)


def engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--engine`` and ``--engine-address``: where this run works, whatever ``[engine]`` says."""
    address = click.option(
        "--engine-address",
        default=None,
        metavar="HOST:PORT",
        callback=_with_a_place,
        help="Of a Ray cluster that runs; `auto` finds that of this machine.  [default: address of [engine]]",
    )
    engine = click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default=None,
        help="Work in this process, or as a Ray program in several (docs/scaling.md).  [default: name of [engine]]",
    )
    return engine(address(function))


def _with_a_place(_: click.Context, __: click.Parameter, address: str | None) -> str | None:
    """A slip is told before a campaign is opened and anything is counted."""
    if address:
        from selector.config import EngineConfig

        EngineConfig().chosen(address=address)
    return address


def _listen(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Show what the rooms log, until the call of the program ends."""
    logger = logging.getLogger("bestshot")
    if not wanted or any(type(handler) is _Told for handler in logger.handlers):
        return  # not wanted, or asked for before the verb and after it
    handler = _Told()
    handler.setFormatter(logging.Formatter("%(asctime)s.%(msecs)03d %(name)s: %(message)s", "%H:%M:%S"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    context.call_on_close(functools.partial(logger.setLevel, level))
    context.call_on_close(functools.partial(logger.removeHandler, handler))


class _Told(logging.Handler):
    """A line a message on stderr, whatever a server or a file name has put into it."""

    def emit(self, record: logging.LogRecord) -> None:
        show(visible(" ".join(self.format(record).split())), err=True)


verbose_option = click.option(
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_listen,
    help="Tell on stderr what is opened, fetched, asked for and tried again, with the time.",
)


def debug_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--debug`` and ``--verbose``: to see inside."""
    return _debug_option(verbose_option(function))


def verb(
    name: str, help_text: str, example: str, whatever_images: bool = False
) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a verb that works on a campaign: ``function(campaign, …)`` gets it opened and returns (result, text).

    A third value is the exit status, 0 if it is left out. ``whatever_images``: as ``Campaign`` takes it.
    """

    def wrap(function: Callable[..., tuple[Any, str] | tuple[Any, str, int]]) -> click.Command:
        @functools.wraps(function)
        def run(folder: Path, as_json: bool, **options: Any) -> None:
            from selector.campaign import Campaign

            with Campaign(folder, whatever_images=whatever_images) as campaign:
                result, text, *status = function(campaign, **options)
            emit(result, text, as_json)
            if any(status):
                sys.exit(status[0])

        short = help_text.split(". ")[0].split("\n")[0].rstrip(".") + "."
        decorated = campaign_option(json_option(debug_option(run)))
        return click.command(name, help=with_example(help_text, example), short_help=short)(decorated)

    return wrap


class Output(click.Path):
    """A file to write that has one of these suffixes, if any are told, and is no part of a campaign."""

    def __init__(self, *suffixes: str) -> None:
        super().__init__(path_type=Path)
        self._suffixes = suffixes

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(str(super().convert(value, param, ctx)))
        if self._suffixes and path.suffix.lower() not in self._suffixes:
            raise InputError(f"{path} has the suffix '{path.suffix}': it is written as {', '.join(self._suffixes)}")
        check_spared(path)
        return path


def need_writable(folder: Path, option: str) -> None:
    """Raise ``InputError`` where a verb would write its file into a campaign that is read-only."""
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write into {folder}, which is read-only: {option} writes it elsewhere")


def with_example(help_text: str, example: str) -> str:
    """Help text followed by an example that click does not re-flow."""
    return f"{help_text}\n\n\b\nExample:\n  {example}"


def emit(result: Any, text: str, as_json: bool) -> None:
    """Print data on stdout: JSON for programs, text for people."""
    if as_json:
        context = click.get_current_context(silent=True)
        if context is not None and isinstance(context.obj, Printed):
            context.obj.document = True
        show_json(jsonable(result), indent=1)
        if os.environ.get("BESTSHOT_PROGRESS") == "json":  # a program that shows people how it goes: the words, too
            show_json({"said": visible(text)}, err=True)
    elif text:
        show(painted(said(visible(text))))


@dataclasses.dataclass
class Printed:
    """What a call of the program has printed on stdout: after its one JSON document, an error adds none.

    ``for_people``: whether people read it; programs read English.
    """

    document: bool = False
    for_people: bool = True


_PLAIN = {str, int, float, bool, type(None)}


def jsonable(value: Any) -> Any:
    """Dataclasses, paths, dates, enums, arrays and containers of them as JSON values."""
    if type(value) in _PLAIN:  # most are, of the 10,000 picks of a contest
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(jsonable(k)): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    if hasattr(value, "tolist"):  # a numpy array or number, known without importing numpy
        return value.tolist()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def table(rows: Iterable[Sequence[Any]], header: Sequence[str]) -> str:
    """Plain columns: text to the left, numbers to the right; in the language of people, by the columns it takes."""
    cells = [[said_cell(str(c).replace("\n", " "), name) for c, name in zip(row, header, strict=True)] for row in rows]
    head = [said_header(name) for name in header]
    widths = [max(display_width(r[i]) for r in [head, *cells]) for i in range(len(head))]
    numeric = [all(_is_number(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(_padded(c, w, n) for c, w, n in zip(r, widths, numeric, strict=True)).rstrip()
        for r in (head, ["-" * w for w in widths], *cells)
    )


def _padded(cell: str, columns: int, numeric: bool) -> str:
    blanks = " " * (columns - display_width(cell))
    return blanks + cell if numeric else cell + blanks


def counted(counts: Mapping[str, int], most: int = 12, tasks: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Lines "  12 x reason", most frequent first; with the first of each reason's tasks where they are told."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [f"  {count} x {reason}{_of_tasks((tasks or {}).get(reason, ()))}" for reason, count in ordered[:most]]
    return [*lines, f"  … and {len(ordered) - most} other reasons"] if len(ordered) > most else lines


def _of_tasks(ids: Sequence[str]) -> str:
    return f" ({tasks_named(ids)})" if ids else ""


def by_scorer(counts: Mapping[str, int]) -> dict[str, int]:
    """Reasons "scorer.column: why" put together where columns of a scorer share one: "scorer (8 columns): why"."""
    together: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for reason, count in counts.items():
        column, _, why = reason.partition(": ")
        together.setdefault((column.partition(".")[0], why), []).append((column, count))
    found = {}
    for (scorer, why), columns in together.items():
        name = columns[0][0] if len(columns) == 1 else f"{scorer} ({len(columns)} columns)"
        found[f"{name}: {why}" if why else name] = sum(count for _, count in columns)
    return found


def explained(summary: Summary, counts: Mapping[str, int]) -> list[str]:
    """As ``counted``, of a run of a language model: with what would cure each reason, and one sample."""
    from selector.llm import cure_for

    told = {}
    for reason, count in counts.items():
        cure, sample = cure_for(reason), summary.samples.get(reason)
        told[reason + (cure and f": {cure}") + (f" (one of them: {sample!r})" if sample else "")] = count
    return counted(told)


def best_known(campaign: Campaign) -> str:
    """ "best total 1.63 of 3" or "no total yet"."""
    totals = [s.total for s in campaign.submissions if s.total is not None]
    return f"best total {max(totals):g} of {len(totals)}" if totals else "no total yet"


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace("-", "").replace("%", "").isdigit() or text in ("", "-")
