"""Numbers as people write them in tables: with a decimal comma, as spreadsheets do in Europe, and in full width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from selector.domain.words import half_width

# A spreadsheet leaves the comma out of a whole number, and writes 1,5E-05.
_WITH_COMMA = re.compile(r"[+-]?\d+(,\d+)?(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def takes_decimal_commas(delimiter: str) -> bool:
    """Whether a table so separated has commas free for its numbers."""
    return delimiter in (";", "\t")


def are_decimal_commas(cells: Iterable[str]) -> bool:
    """Whether all cells of a column are numbers without a point, and one at least has a comma."""
    commas = False
    for cell in cells:
        number = half_width(cell).strip()
        if not _WITH_COMMA.fullmatch(number):
            return False
        commas = commas or "," in number
    return commas


def with_point(cell: str) -> str:
    """``0,31`` as ``0.31``."""
    return half_width(cell).strip().replace(",", ".")


def has_decimal_comma(cell: str) -> bool:
    """Whether the cell is a number with a comma for the point."""
    return are_decimal_commas([cell])


def comma_hint(cells: Sequence[str]) -> str:
    """What to do about a column that holds no number because of its commas, to follow a message; else nothing."""
    commas = [cell.strip() for cell in cells if has_decimal_comma(cell)]
    if not commas:
        return ""
    if are_decimal_commas(cells):
        return (
            f"; '{commas[0][:40]}' has a decimal comma: write {with_point(commas[0])[:40]}, or separate the table by "
            "semicolons with sep=; on top"
        )
    other = next(cell for cell in cells if not are_decimal_commas([cell, commas[0]]))
    return f"; it has decimal commas as in '{commas[0][:40]}', but also '{other[:40]}': write all with a decimal point"
