"""Understands edit instructions that classical processing can carry out, in English and Chinese; declines the rest.

An instruction is split into parts, and every word of every part must be accounted for by a rule: a prompt that merely
contains a keyword ("add a bright lamp") is declined, and so is a compound of which only one part is understood.

Names of operations: brightness, contrast, warmth, saturation (signed amounts); black_white, sepia, blur, sharpen,
vignette, pencil_sketch; recolour (scope "region"); flip, rotate, crop (scope "geometry").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from selector.domain import Declined
from selector.domain.reading import Operation
from selector.prompts.edits._grammar import Grammar, grammar_of

ABILITIES = (
    "brightness, contrast, warmth, saturation, black and white, sepia, blur, sharpen, flip, rotate, crop, "
    "vignette, pencil sketch, another colour for a region of a named colour"
)
MAX_CHARACTERS = 300  # a longer text describes something else
MAX_OPERATIONS = 6
SLIGHT, STRONG = 0.5, 1.6
_PLAIN_PERCENT = 25.0  # "by 25%" is what a plain request means
_GEOMETRY = frozenset({"flip", "rotate", "crop"})
_WHOLE_ONLY = _GEOMETRY | {"vignette", "pencil_sketch"}
_LESS = {f"-{name}": "" for name in ("black_white", "sepia", "sharpen", "vignette", "pencil_sketch")} | {
    "-blur": "sharpen"
}
_NO_NOUN = re.compile(
    r"\b(?:on|in|of|with|at|near|by|under|over|behind|beside|from|to|into|and|or|who|that|which|ones?|background|lights?)\b"
    r"|[和与及或上下里中旁边左右前后的在变]|背景|灯|光"
)


@dataclass(frozen=True)
class _Clause:
    operation: Operation
    target: str = ""  # whole, background, subject, it; "" where none is named
    lone: bool = False  # a verb without its object


@lru_cache(maxsize=1024)
def parse_edit_instruction(prompt: str) -> tuple[Operation, ...]:
    """The operations that the instruction asks for, in its order, without repetitions.

    Raises:
        Declined: when any part of the instruction is not understood, is negated, or contradicts another part.
    """
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", prompt).lower().replace("’", "'"))
    if len(text) > MAX_CHARACTERS:
        raise Declined(f"an instruction of {len(text)} characters is too long for simple retouching")
    grammar = grammar_of("zh" if re.search(r"[\u4e00-\u9fff]", text) else "en")
    parts = _parts(text, grammar)
    if not parts:
        raise Declined("the edit instruction is empty")
    keeps = [grammar.pattern(name) for name in ("keep_subject", "keep_rest")]
    asked = [part for part in parts if not any(keep.fullmatch(part) for keep in keeps)]
    kept = any(keeps[0].fullmatch(part) for part in parts)
    operations = [_aimed(clause) for clause in _with_targets(_clauses(asked, len(parts), grammar))]
    return _without_contradictions(list({str(one): one for one in operations}.values()), kept)


def _parts(text: str, grammar: Grammar) -> list[str]:
    for name, instead in (("so_that", ""), ("same", "black and white")):
        text = grammar.pattern(name).sub(instead, text)
    courtesy = grammar.pattern("courtesy")
    divided = grammar.pattern("divide").split(courtesy.sub("", text.strip(" .!?。")))
    return [part for piece in divided if (part := courtesy.sub("", piece.strip(" .")).strip())]


def _clauses(parts: Sequence[str], all_parts: int, grammar: Grammar) -> list[_Clause]:
    """What each part asks for. One without a verb borrows the beginning of the part before ("brighter, warmer")."""
    found: list[_Clause] = []
    before = ""
    for part in parts:
        wholes = [part, *(beginning + part for beginning in _beginnings(before))]
        said = ((whole, clause) for whole in wholes if (clause := _clause(whole, grammar)))
        whole, clause = next(said, (part, _clause(part, grammar, bare=True)))
        if clause is None:
            raise Declined(_not_understood(part, all_parts, grammar))
        if whole is not part and clause.target and found and not found[-1].target:
            found[-1] = replace(found[-1], target=clause.target)  # "increase the brightness and contrast of the sky"
        found.append(clause)
        before = whole
    return found


def _beginnings(text: str) -> Iterator[str]:
    """Beginnings of an instruction, the longest first: by words in English, by characters in Chinese."""
    ends = [match.end() for match in re.finditer(r"[\u4e00-\u9fff]|\S+\s+", text)]
    yield from (text[:end] for end in reversed(ends))


def _not_understood(part: str, parts: int, grammar: Grammar) -> str:
    which = f"the part '{part}' of the instruction" if parts > 1 else f"'{part}'"
    if grammar.pattern("negation").search(part):
        return f"retouching cannot honour the negation or exception in {which}"
    return f"retouching does not understand {which}; it can do: {ABILITIES}"


def _clause(part: str, grammar: Grammar, bare: bool = False) -> _Clause | None:
    """What the first rule says that fits all of a part."""
    text, amount = _amount(part, grammar)
    for kind, pattern in grammar.rules:
        match = pattern.fullmatch(text) if (kind == "bare") == bare else None
        words = {name: said for name, said in match.groupdict().items() if said} if match else {}
        operation = _operation(kind, words, amount, grammar) if match else None
        if operation:
            targets = ("background", "subject", "whole")
            fits = (name for name in targets if grammar.pattern(name).fullmatch(words.get("target", "")))
            return _Clause(operation, next(fits, "it" if "target" in words else ""), "lone" in words)
    return None


def _amount(text: str, grammar: Grammar) -> tuple[str, float]:
    """Without words of degree: taking them away makes no other instruction, for the rest must fit."""
    percent = re.search(r"(?:\bby )?(?<![\d.])(\d{1,3}(?:\.\d+)?) ?(?:%|percent\b)", text)
    amount = 1.0
    if percent and float(percent[1]) > 0:
        amount = min(max(float(percent[1]) / _PLAIN_PERCENT, 0.2), 4.0)
        text = text.replace(percent[0], " ")
    for name, factor in (("slight", SLIGHT), ("strong", STRONG), ("plain", 1.0)):
        text, found = grammar.pattern(name).subn(" ", text)
        amount *= factor if found else 1.0
    return re.sub(r"\s+", "" if grammar.language == "zh" else " ", text).strip(), round(amount, 3)


def _operation(kind: str, words: dict[str, str], amount: float, grammar: Grammar) -> Operation | None:
    if kind in ("quality", "bare"):
        table = next((table for table in grammar.meanings if table in words), "verbs")
        name = grammar.meanings[table][words.get(table) or words.get("verb") or words["lone"]]
        if "less" in words:
            name = name[1:] if name[0] == "-" else f"-{name}"
        name = _LESS.get(name, name)
        return Operation(name.lstrip("-"), "whole", -amount if name[0] == "-" else amount) if name else None
    if kind in _PARAMETERS:
        params = _PARAMETERS[kind](words, grammar)
        plain = kind in _GEOMETRY and params != {"kind": "margin"}
        scope = "geometry" if kind in _GEOMETRY else "region"
        return Operation(kind, scope, 1.0 if plain else amount, params) if params else None  # type: ignore[arg-type]
    return Operation(kind, "whole", amount)


def _flip(words: Mapping[str, str], _: Grammar) -> dict[str, Any]:
    return {"axis": "vertical" if "vertical" in words else "horizontal"}


def _rotate(words: Mapping[str, str], grammar: Grammar) -> dict[str, Any]:
    angle = words.get("angle", "90")
    degrees = float(grammar.numbers.get(angle, angle))
    certain = "direction" in words or degrees == 180
    return {"degrees": -degrees if "left" in words else degrees, "certain": certain} if 0 < degrees < 360 else {}


def _crop(words: Mapping[str, str], _: Grammar) -> dict[str, Any]:
    if "side" in words:
        return {"kind": "half", "side": {"upper": "top", "lower": "bottom"}.get(words["side"], words["side"])}
    if "ratio" not in words:
        return {"kind": "margin"}
    width, height = map(float, re.findall(r"\d+", words["ratio"]) or (1, 1))
    return {"kind": "ratio", "ratio": width / height} if width and height and 0.2 <= width / height <= 5 else {}


def _recolour(words: Mapping[str, str], grammar: Grammar) -> dict[str, Any]:
    old, new, noun = grammar.colours[words["old"]], grammar.colours[words["new"]], words["noun"]
    named = any(re.search(rf"\b{colour}\b|{colour}色", noun) for colour in grammar.colours)
    if old == new or named or _NO_NOUN.search(noun) or words.get("again", noun) not in (noun, "one", "ones"):
        return {}
    # Chinese nouns carry no plural: flowers, leaves and "all" are taken as many.
    plural = "all" in words or noun[-1] in "花叶树草" or (noun.endswith("s") and not noun.endswith(("ss", "us")))
    return {"from": old, "to": new, "noun": noun, "plural": plural}


_PARAMETERS = {"flip": _flip, "rotate": _rotate, "crop": _crop, "recolour": _recolour}


def _with_targets(clauses: Sequence[_Clause]) -> list[_Clause]:
    """Resolve "it" by what was named before, and a lone verb by the next part ("blur and darken the background")."""
    result: list[_Clause] = []
    for clause in clauses:
        if clause.target == "it":
            clause = replace(clause, target=next((c.target for c in reversed(result) if c.target), "whole"))
        if result and result[-1].lone and not result[-1].target and clause.target:
            result[-1] = replace(result[-1], target=clause.target)
        result.append(clause)
    if any(clause.operation.name == "blur" and clause.lone and not clause.target for clause in result):
        raise Declined("'blur' does not say what to blur: the background, or the whole picture")
    return result


def _aimed(clause: _Clause) -> Operation:
    name = clause.operation.name
    if clause.target not in ("background", "subject"):
        return clause.operation
    if name in _WHOLE_ONLY:
        raise Declined(f"retouching can apply {name.replace('_', ' ')} only to the whole picture")
    return replace(clause.operation, scope=clause.target)  # type: ignore[arg-type]


def _without_contradictions(operations: Sequence[Operation], subject_kept: bool) -> tuple[Operation, ...]:
    if not operations:
        raise Declined("the instruction asks only to keep things as they are")
    if len(operations) > MAX_OPERATIONS:
        raise Declined(f"an instruction with {len(operations)} operations is more than retouching can do")
    if subject_kept and any(operation.scope != "background" for operation in operations):
        raise Declined("the instruction keeps the subject and yet asks for a change that is not the background's")
    places = [(o.name, o.scope, o.params.get("from")) for o in operations if o.name not in _GEOMETRY]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice:
        raise Declined(f"the instruction asks twice, and differently, for {twice[0].replace('_', ' ')}")
    return tuple(operations)
