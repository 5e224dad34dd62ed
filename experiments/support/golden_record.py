"""A record of behaviour as small text files: tables of rows by key, each with its tolerances and what it rests on.

A file begins with three lines of comment: the columns that name a row, the tolerance of the columns that have one (all
others are compared exactly), and the versions of the packages whose codecs or arithmetic its values follow from; the
processor counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")  # not the digits inside an id
_DIGEST = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_DIGITS = 9  # of a number; finer than every tolerance
NOT_INSTALLED = "none"
PROCESSOR = "processor"  # in place of a package: OpenCV rounds otherwise where it has wider vector instructions


@dataclass(frozen=True)
class Table:
    """One file of a record.

    Attributes:
        key: the columns that name a row; the first ones of ``columns``.
        columns: of all cells.
        rows: cells as text, sorted by key.
        tolerances: column to the largest difference of the numbers in its cells, absolute below 1 and relative above;
            the words around them are compared exactly.
        packages: name to version of what the values rest on; {} where they follow from the input alone.
    """

    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    tolerances: Mapping[str, float] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    def keyed(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Rows by their key; a key that stands there again gets its number."""
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        for row in self.rows:
            key, again = row[: len(self.key)], 2
            while key in found:
                key, again = (*row[: len(self.key)], f"({again})"), again + 1
            found[key] = row
        return found


@dataclass(frozen=True)
class Difference:
    """What differs in one row. ``column`` is "" where the whole row is missing or new."""

    file: str
    row: str
    column: str
    old: str
    new: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.row}" + (f", {self.column}" if self.column else "")
        return f"{place}: {self.old} -> {self.new}"


def table(
    key: str,
    values: str,
    rows: Iterable[Sequence[Any]],
    tolerances: Mapping[str, float] | None = None,
    packages: Sequence[str] = (),
) -> Table:
    """A table of values of any kind, sorted.

    Args:
        key, values: names of columns, with spaces between.
        packages: names of distributions whose installed versions the values rest on.
    """
    cells = sorted(tuple(as_text(value) for value in row) for row in rows)
    found = {name: installed(name) for name in packages if installed(name) != NOT_INSTALLED}
    return Table(tuple(key.split()), (*key.split(), *values.split()), tuple(cells), tolerances or {}, found)


def as_text(value: Any) -> str:
    """A cell: nothing as "-", numbers with 9 digits, digests of 64 digits by their first 16."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return _DIGEST.sub(r"\1", str(value)).translate(_ESCAPES)


def installed(package: str) -> str:
    """The version of a distribution, or that there is none; of ``PROCESSOR`` its widest vector instructions."""
    if package == PROCESSOR:
        return _widest_instructions()
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED


def _widest_instructions() -> str:
    import cv2

    there = [name.lstrip("*") for name in cv2.getCPUFeaturesLine().split() if not name.endswith("?")]
    return there[-1] if there else NOT_INSTALLED


def written(one: Table) -> str:
    """The file of a table."""
    head = [
        f"# key: {' '.join(one.key)}",
        "# tolerance: " + _facts((name, f"{by:g}") for name, by in one.tolerances.items()),
        "# rests on: " + _facts(one.packages.items()),
        "\t".join(one.columns),
    ]
    return "\n".join([*head, *("\t".join(row) for row in one.rows)]) + "\n"


def read(text: str) -> Table:
    """The table of a file that ``written`` gave."""
    key, tolerances, packages, columns, *rows = text.removesuffix("\n").split("\n")
    bounds = {name: float(by) for name, by in _read_facts(tolerances)}
    cells = tuple(tuple(row.split("\t")) for row in rows)
    names = tuple(key.removeprefix("# key: ").split())
    return Table(names, tuple(columns.split("\t")), cells, bounds, dict(_read_facts(packages)))


def not_comparable(old: Table) -> str:
    """Why the values of a record cannot be expected here: other versions than it rests on; "" where they can."""
    others = {name: (then, installed(name)) for name, then in old.packages.items() if installed(name) != then}
    return ", ".join(f"{name} {now} (recorded with {then})" for name, (then, now) in others.items())


def differences(file: str, old: Table, new: Table) -> list[Difference]:
    """What a file says otherwise, within the tolerances that the old one states."""
    if (old.key, old.columns) != (new.key, new.columns):
        return [Difference(file, "header", "", " ".join(old.columns), " ".join(new.columns))]
    before, after = old.keyed(), new.keyed()
    found = []
    for key in dict.fromkeys((*before, *after)):
        name = " ".join(key)
        if key not in after or key not in before:
            found.append(Difference(file, name, "", _row(before.get(key)), _row(after.get(key))))
            continue
        for column, then, now in zip(old.columns, before[key], after[key], strict=True):
            if not same(then, now, old.tolerances.get(column, 0.0)):
                found.append(Difference(file, name, column, then, now))
    return found


def same(old: str, new: str, tolerance: float) -> bool:
    """Whether two cells say the same: equal words, and numbers that differ by at most the tolerance."""
    if old == new or not tolerance:
        return old == new
    if _NUMBER.split(old) != _NUMBER.split(new):
        return False
    pairs = zip(map(float, _NUMBER.findall(old)), map(float, _NUMBER.findall(new)), strict=True)
    return all(abs(a - b) <= tolerance * max(1.0, abs(a), abs(b)) for a, b in pairs)


def _row(cells: Sequence[str] | None) -> str:
    return "(no such row)" if cells is None else "(row) " + " | ".join(cells)


def _facts(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs) or "-"


def _read_facts(line: str) -> list[tuple[str, str]]:
    facts = line.partition(": ")[2]
    return [] if facts == "-" else [(name, value) for name, _, value in (f.partition(" ") for f in facts.split(", "))]
