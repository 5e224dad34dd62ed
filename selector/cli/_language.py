"""The language of the command line: what people read is translated here, what programs read never is."""

from __future__ import annotations

import codecs
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterable
from typing import Any

import click

from selector.domain.visible import escaped_json, visible
from selector.language import CHINESE, ENGLISH, display_width, meaning, spoken, translated, wrapped


def language() -> str:
    """The language of people, English where a program reads (``--json``) or the terminal has no letters for another."""
    context = click.get_current_context(silent=True)
    if context is not None and context.params.get("as_json"):
        return ENGLISH
    wanted = spoken(os.environ)
    return wanted if wanted == ENGLISH or _can_write("中文，（）") else ENGLISH


def said(text: str) -> str:
    """The text in the language of people."""
    return translated(text, language())


def tell(text: str, err: bool = True) -> None:
    """Print words beside the result, on stderr."""
    show(said(visible(text)), err)


def tell_error(message: str, for_people: bool = True) -> str:
    """Print an error's one line on stderr, for programs in English; returns that without the program's name."""
    line = visible(" ".join(message.split()))
    show(f"bestshot: {said(line) if for_people else line}", err=True)
    return line


def silence_libraries() -> None:
    """What libraries tell programmers is not for those who use a program; ``python -W`` shows it."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        logging.lastResort = logging.NullHandler()  # gets what a library logs and nobody listens to


def show(text: str, err: bool = False) -> None:
    """Print text that is ``visible``; a letter that the stream's encoding lacks is a question mark."""
    encoding = _encoding(err)
    click.echo(text.encode(encoding, "replace").decode(encoding), err=err)


def show_json(value: Any, err: bool = False, indent: int | None = None) -> None:
    """Print a JSON document, with escapes for what steers a terminal or what the stream's encoding lacks."""
    document = escaped_json(json.dumps(value, ensure_ascii=False, indent=indent))
    try:
        document.encode(_encoding(err))
    except UnicodeEncodeError:
        document = json.dumps(value, indent=indent)
    click.echo(document, err=err)


def _encoding(err: bool) -> str:
    """Of what click writes: where a stream says ASCII, as in the locale "C", that is UTF-8."""
    try:
        name = codecs.lookup(getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8").name
    except LookupError:
        return "utf-8"
    return "utf-8" if name == "ascii" else name


def said_header(name: str) -> str:
    """The name of a column; one word is known as a column's, because elsewhere it may be anybody's name."""
    return meaning(f"column: {name}", language()) or said(name)


def said_cell(cell: str, header: str) -> str:
    """A cell of a table: a sentence as all text is; one word only where it is known below that header."""
    return meaning(f"{header}: {cell}", language()) or (said(cell) if " " in cell else cell)


def _can_write(letters: str) -> bool:
    try:
        letters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class SpokenContext(click.Context):
    """Writes help in the language of people."""

    def make_formatter(self) -> click.HelpFormatter:
        if language() == CHINESE:
            return ChineseHelp(width=self.terminal_width, max_width=self.max_content_width)
        return super().make_formatter()


def speak(command: click.Command) -> None:
    """Give a command, and those below it, help in the language of people."""
    command.context_class = SpokenContext
    for below in getattr(command, "commands", {}).values():
        speak(below)


class ChineseHelp(click.HelpFormatter):
    """click's help, translated, and broken into lines by the columns that Chinese takes."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, said("Usage:") + " " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        super().write_heading(said(heading))

    def write_text(self, text: str) -> None:
        blocks = [self._block(paragraph) for paragraph in text.split("\n\n")]
        self.write("\n\n".join(blocks) + "\n")

    def _block(self, paragraph: str) -> str:
        indent = " " * self.current_indent
        if paragraph.startswith("\b"):
            lines = [said(line) for line in paragraph.split("\n")[1:]]
        else:
            lines = wrapped(said(" ".join(paragraph.split())), max(self.width - self.current_indent, 11))
        return "\n".join(indent + line for line in lines)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        told = [(name, said(text)) for name, text in rows]
        column = min(max((display_width(name) for name, _ in told), default=0), col_max) + col_spacing
        for name, text in told:
            lines = wrapped(text, max(self.width - self.current_indent - column, 10))
            head = " " * self.current_indent + name
            if display_width(name) > column - col_spacing:
                self.write(f"{head}\n")
                head = " " * self.current_indent
            gap = " " * (self.current_indent + column - display_width(head))
            self.write(f"{head}{gap}{lines[0]}".rstrip() + "\n")
            for line in lines[1:]:
                self.write(" " * (self.current_indent + column) + line + "\n")
