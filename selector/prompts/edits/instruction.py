"""Understands edit instructions that classical processing can carry out, in English and Chinese; declines the rest.

An instruction is split into parts, and every word of every part must be accounted for by a rule: a prompt that merely
contains a keyword ("add a bright lamp") is declined, and so is a compound of which only one part is understood.

Names of operations: brightness, contrast, warmth, saturation (signed amounts); black_white, sepia, blur, sharpen,
vignette, pencil_sketch; recolour (scope "region"); flip, rotate, crop (scope "geometry").
Cost: about a millisecond. It declines wordings that the rules do not know; the reason quotes the part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from selector.domain import Declined
from selector.domain.reading import Operation, Scope
from selector.prompts.edits import _rules_chinese as edit_rules_chinese
from selector.prompts.edits import _rules_english as edit_rules_english
from selector.prompts.edits._rules import Clause, Keep, Parsed

GEOMETRY = frozenset({"flip", "rotate", "crop"})
WHOLE_ONLY = GEOMETRY | {"vignette", "pencil_sketch"}
ABILITIES = (
    "brightness, contrast, warmth, saturation, black and white, sepia, blur, sharpen, flip, rotate, crop, "
    "vignette, pencil sketch, another colour for a region of a named colour"
)
MAX_CHARACTERS = 300  # a longer text describes something else
MAX_OPERATIONS = 6
_HAN = re.compile(r"[\u4e00-\u9fff]")


@lru_cache(maxsize=1024)
def parse_edit_instruction(prompt: str) -> tuple[Operation, ...]:
    """The operations that the instruction asks for, in its order, without repetitions.

    Raises:
        Declined: when any part of the instruction is not understood, is negated, or contradicts another part.
    """
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", prompt).lower().replace("’", "'"))
    rules = edit_rules_chinese if _HAN.search(text) else edit_rules_english
    if len(text) > MAX_CHARACTERS:
        raise Declined(f"an instruction of {len(text)} characters is too long for simple retouching")
    parts = rules.split(text)
    if not parts:
        raise Declined("the edit instruction is empty")
    parsed = _parse_parts(parts, rules.parse_imperative, rules.parse_bare, rules.is_negated)
    operations = [_operation(clause) for clause in _with_targets(c for c in parsed if isinstance(c, Clause))]
    unique = [operation for i, operation in enumerate(operations) if operation not in operations[:i]]
    _refuse_contradictions(unique, {clause.what for clause in parsed if isinstance(clause, Keep)})
    return tuple(unique)


def _parse_parts(
    parts: Sequence[str],
    imperative: Callable[[str], Parsed | None],
    bare: Callable[[str], Parsed | None],
    is_negated: Callable[[str], bool],
) -> list[Parsed]:
    """Parse each part; a part without a verb borrows the beginning of the part before ("make it brighter, warmer")."""
    parsed: list[Parsed] = []
    before = ""
    for part in parts:
        clause = imperative(part)
        whole = part
        if clause is None:
            for beginning in _beginnings(before):
                clause = imperative(beginning + part)
                if clause is not None:
                    clause, whole = _sharing(parsed, clause), beginning + part
                    break
        clause = clause or bare(part)
        if clause is None:
            raise Declined(_not_understood(part, len(parts), is_negated(part)))
        parsed.append(clause)
        before = whole
    return parsed


def _beginnings(text: str) -> Iterator[str]:
    """Beginnings of an instruction, the longest first: by words in English, by characters in Chinese."""
    ends = [match.end() for match in re.finditer(r"[\u4e00-\u9fff]|\S+\s+", text)]
    yield from (text[:end] for end in reversed(ends))


def _sharing(parsed: list[Parsed], clause: Parsed) -> Parsed:
    """ "Increase the brightness and contrast of the background" names the target once, for both."""
    last = parsed[-1]
    if isinstance(clause, Clause) and isinstance(last, Clause) and clause.target and last.target is None:
        parsed[-1] = replace(last, target=clause.target)
    return clause


def _not_understood(part: str, parts: int, negated: bool) -> str:
    which = f"the part '{part}' of the instruction" if parts > 1 else f"'{part}'"
    if negated:
        return f"retouching cannot honour the negation or exception in {which}"
    return f"retouching does not understand {which}; it can do: {ABILITIES}"


def _with_targets(clauses: Iterator[Clause]) -> list[Clause]:
    """Resolve "it" by what was named before, and a lone verb by the next part ("blur and darken the background")."""
    result: list[Clause] = []
    for clause in clauses:
        if clause.target == "pronoun":
            named = [c.target for c in result if c.target]
            clause = replace(clause, target=named[-1] if named else "whole")
        if result and result[-1].open_object and clause.target:
            result[-1] = replace(result[-1], target=clause.target)
        result.append(clause)
    if any(clause.name == "blur" and clause.open_object and not clause.target for clause in result):
        raise Declined("'blur' does not say what to blur: the background, or the whole picture")
    return result


def _operation(clause: Clause) -> Operation:
    target = clause.target or "whole"
    if clause.name in WHOLE_ONLY and target != "whole":
        raise Declined(f"retouching can apply {clause.name.replace('_', ' ')} only to the whole picture")
    scope: Scope = "geometry" if clause.name in GEOMETRY else "region" if clause.name == "recolour" else "whole"
    if target in ("background", "subject"):
        scope = "background" if target == "background" else "subject"
    return Operation(clause.name, scope, clause.amount, dict(clause.params))


def _refuse_contradictions(operations: Sequence[Operation], kept: set[str]) -> None:
    if not operations:
        raise Declined("the instruction asks only to keep things as they are")
    if len(operations) > MAX_OPERATIONS:
        raise Declined(f"an instruction with {len(operations)} operations is more than retouching can do")
    if "subject" in kept and any(operation.scope != "background" for operation in operations):
        raise Declined("the instruction keeps the subject and yet asks for a change that is not the background's")
    seen: dict[tuple[str, str, str], Operation] = {}
    for operation in operations:
        place = (operation.name, operation.scope, str(operation.params.get("from")))
        if place in seen and operation.name not in GEOMETRY:
            raise Declined(f"the instruction asks twice, and differently, for {operation.name.replace('_', ' ')}")
        seen[place] = operation
