"""What the English and the Chinese rules of edit instructions share: the record of one parsed part, and amounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from selector.domain import JSONValue

Target = Literal["whole", "background", "subject", "pronoun"]

SLIGHT, PLAIN, STRONG = 0.5, 1.0, 1.6
PLAIN_PERCENT = 25.0  # "by 25%" is what a plain request means
UNSIGNED = frozenset({"black_white", "sepia", "blur", "sharpen", "vignette", "pencil_sketch", "recolour"})


@dataclass(frozen=True)
class Clause:
    """One understood part. ``target`` is None when the part names none; ``open_object`` when it is a lone verb."""

    name: str
    amount: float = PLAIN
    target: Target | None = None
    params: Mapping[str, JSONValue] = field(default_factory=dict)
    open_object: bool = False


@dataclass(frozen=True)
class Keep:
    """A part that only asks for something to stay as it is: "subject", or "rest" (whatever was not named)."""

    what: Literal["subject", "rest"]


Parsed = Clause | Keep
Handler = Callable[[re.Match[str], float], Clause | None]
Rules = tuple[tuple[str, Handler], ...]


def signed(name: str, sign: int) -> tuple[str, int] | None:
    """Operation and sign for "more" (+1) or "less" (-1) of a quality; None when less of it is no operation."""
    if sign > 0 or name not in UNSIGNED:
        return name, sign
    return ("sharpen", 1) if name == "blur" else None  # "less blurry"


def take_amount(text: str, words: Sequence[tuple[re.Pattern[str], float]]) -> tuple[str, float]:
    """The text without its words of degree and percentages, and the amount that they stand for.

    Taking an adverb of degree away never makes an instruction of something else, because all that remains must match.
    """
    amount = PLAIN
    percent = re.search(r"(?:\bby )?(?<![\d.])(\d{1,3}(?:\.\d+)?) ?(?:%|percent\b)", text)
    if percent and float(percent[1]) > 0:
        amount = min(max(float(percent[1]) / PLAIN_PERCENT, 0.2), 4.0)
        text = text[: percent.start()] + " " + text[percent.end() :]
    for pattern, factor in words:
        text, found = pattern.subn(" ", text)
        amount *= factor if found else 1.0
    return re.sub(r"\s+", " ", text).strip(), round(amount, 3)


def first_clause(text: str, amount: float, rules: Rules) -> Clause | None:
    """What the first rule says whose pattern matches all of ``text`` and whose handler accepts it."""
    for pattern, handler in rules:
        match = re.fullmatch(pattern, text)
        clause = handler(match, amount) if match else None
        if clause is not None:
            return clause
    return None
