"""Colour on a terminal: what needs a hand stands out, and what is only there steps back. Piped text has none."""

from __future__ import annotations

import os
import re
import sys

import click

_RULE = re.compile(r"-[- ]*-|-")  # the line under a table's header
_STARTS = (  # how lines begin that are to be seen, and the colour of that beginning
    (re.compile(r"ok(?=  )"), "green"),
    (re.compile(r"--(?=  )|NOT valid|problem:|failed or declined:|cannot be made now:|left out"), "red"),
    (re.compile(r"不合规|问题：|失败或拒绝：|现在无法生成：|未用"), "red"),
    (re.compile(r"still to make:|warning|note:|not taken"), "yellow"),
    (re.compile(r"还要生成：|警告|注意：|未收"), "yellow"),
)
_ASIDE = re.compile(r"\s{3,}\S.*  (?:not used: |未使用：)")


def is_terminal() -> bool:
    """Whether a person reads what is printed: it goes to a terminal."""
    return sys.stdout.isatty()


def wants_colour() -> bool:
    """Whether that terminal is to show colours: not where ``NO_COLOR`` is set, nor on one that has none."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str) -> str:
    """The text with colours where they are wanted, else as it is. ``text`` has no control characters of its own."""
    if not wants_colour():
        return text
    lines = text.split("\n")
    return "\n".join(_line(line, lines[i + 1] if i + 1 < len(lines) else "") for i, line in enumerate(lines))


def _line(line: str, following: str) -> str:
    if line and _RULE.fullmatch(line.strip()):
        return click.style(line, dim=True)
    if following and _RULE.fullmatch(following.strip()):
        return click.style(line, bold=True)
    if _ASIDE.match(line):
        return click.style(line, dim=True)
    blanks = len(line) - len(line.lstrip())
    for start, colour in _STARTS:
        if found := start.match(line, blanks):
            return line[:blanks] + click.style(found[0], fg=colour, bold=True) + line[found.end() :]
    return line
