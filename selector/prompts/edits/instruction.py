"""Understands edit instructions that classical processing can carry out, in English and Chinese; declines the rest.

An instruction is split into parts, and every word of every part must be accounted for by a rule: a prompt that merely
contains a keyword ("add a bright lamp") is declined, and so is a compound of which only one part is understood.

Names of operations: brightness, contrast, warmth, saturation (signed amounts); black_white, sepia, blur, sharpen,
vignette, pencil_sketch; recolour (scope "region"); flip, rotate, crop (scope "geometry").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from selector.domain import Declined
from selector.domain.reading import Language, Operation, Scope
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
_ONE_WAY = frozenset({"black_white", "sepia", "sharpen", "vignette", "pencil_sketch", "blur"})
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
    parser = _parser("zh" if re.search(r"[\u4e00-\u9fff]", text) else "en")
    clauses, kept = parser.clauses(text)
    operations = [_aimed(clause) for clause in _with_targets(clauses)]
    return _without_contradictions([o for i, o in enumerate(operations) if o not in operations[:i]], kept)


@lru_cache
def _parser(language: Language) -> _Parser:
    return _Parser(grammar_of(language))


class _Parser:
    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.spoken = {name: grammar.spoken(name) for name in grammar.data if isinstance(grammar.data[name], str)}

    def clauses(self, text: str) -> tuple[list[_Clause], bool]:
        """What each part asks for, and whether the subject is to be kept.

        A part without a verb borrows the beginning of the part before ("make it brighter, warmer").
        """
        found: list[_Clause] = []
        kept, before, parts = False, "", self._parts(text)
        if not parts:
            raise Declined("the edit instruction is empty")
        for part in parts:
            if self.spoken["keep_subject"].fullmatch(part) or self.spoken["keep_rest"].fullmatch(part):
                kept = kept or bool(self.spoken["keep_subject"].fullmatch(part))
                continue
            wholes = [part, *(beginning + part for beginning in _beginnings(before))]
            said = ((whole, clause) for whole in wholes if (clause := self._clause(whole)))
            whole, clause = next(said, (part, self._clause(part, bare=True)))
            if clause is None:
                raise Declined(self._not_understood(part, len(parts)))
            if whole is not part and clause.target and found and not found[-1].target:
                found[-1] = replace(
                    found[-1], target=clause.target
                )  # "increase the brightness and contrast of the sky"
            found.append(clause)
            before = whole
        return found, kept

    def _parts(self, text: str) -> list[str]:
        text = self.spoken["so_that"].sub("", self.spoken["same"].sub("black and white", text))
        courtesy = self.spoken["courtesy"]
        parts = (
            courtesy.sub("", part.strip(" ."))
            for part in self.spoken["divide"].split(courtesy.sub("", text.strip(" .!?。")))
        )
        return [part.strip() for part in parts if part.strip()]

    def _not_understood(self, part: str, parts: int) -> str:
        which = f"the part '{part}' of the instruction" if parts > 1 else f"'{part}'"
        if self.spoken["negation"].search(part):
            return f"retouching cannot honour the negation or exception in {which}"
        return f"retouching does not understand {which}; it can do: {ABILITIES}"

    def _clause(self, part: str, bare: bool = False) -> _Clause | None:
        """What the first rule says that fits all of a part."""
        text, amount = self._amount(part)
        for kind, pattern in self.grammar.rules:
            match = pattern.fullmatch(text) if (kind == "bare") == bare else None
            operation = self._operation(kind, match, amount) if match else None
            if match and operation:
                return _Clause(operation, self._target(match), bool(match.groupdict().get("lone")))
        return None

    def _amount(self, text: str) -> tuple[str, float]:
        """Without words of degree: taking them away makes no other instruction, for the rest must fit."""
        amount = 1.0
        if (percent := re.search(r"(?:\bby )?(?<![\d.])(\d{1,3}(?:\.\d+)?) ?(?:%|percent\b)", text)) and float(
            percent[1]
        ) > 0:
            amount = min(max(float(percent[1]) / _PLAIN_PERCENT, 0.2), 4.0)
            text = text.replace(percent[0], " ")
        for name, factor in (("slight", SLIGHT), ("strong", STRONG), ("plain", 1.0)):
            text, found = self.spoken[name].subn(" ", text)
            amount *= factor if found else 1.0
        space = "" if re.search(r"[\u4e00-\u9fff]", text) else " "
        return re.sub(r"\s+", space, text).strip(), round(amount, 3)

    def _target(self, match: re.Match[str]) -> str:
        text = match.groupdict().get("target") or ""
        fits = (
            name for name in ("background", "subject", "whole") if text and re.fullmatch(self.grammar.names[name], text)
        )
        return next(fits, "it" if text else "")

    def _operation(self, kind: str, match: re.Match[str], amount: float) -> Operation | None:
        words = {name: text for name, text in match.groupdict().items() if text}
        if kind in ("quality", "bare"):
            return self._quality(words, amount)
        if kind in ("flip", "rotate", "crop", "recolour"):
            params = getattr(self, f"_{kind}")(words)
            scope: Scope = "geometry" if kind in _GEOMETRY else "region"
            margin = params == {"kind": "margin"}
            return (
                None
                if params is None
                else Operation(kind, scope, amount if margin or kind == "recolour" else 1.0, params)
            )
        return Operation(kind, "whole", amount)

    def _quality(self, words: dict[str, str], amount: float) -> Operation | None:
        table = next((name for name in self.grammar.meanings if name in words), "verbs")
        name, sign = self.grammar.meanings[table][words.get(table) or words.get("verb") or words["lone"]]
        sign = -sign if "less" in words else sign
        if sign < 0 and name in _ONE_WAY:
            name, sign = ("sharpen", 1) if name == "blur" else ("", 0)
        return Operation(name, "whole", amount * sign) if name else None

    def _flip(self, words: dict[str, str]) -> dict[str, Any]:
        return {"axis": "vertical" if self.spoken["vertical"].fullmatch(words.get("how", "")) else "horizontal"}

    def _rotate(self, words: dict[str, str]) -> dict[str, Any] | None:
        angle, direction = words.get("angle", "90"), words.get("direction", "")
        degrees = float(self.grammar.values("numbers").get(angle, angle))
        left = bool(self.spoken["left"].fullmatch(direction))
        certain = bool(direction) or degrees == 180
        return {"degrees": -degrees if left else degrees, "certain": certain} if 0 < degrees < 360 else None

    def _crop(self, words: dict[str, str]) -> dict[str, Any] | None:
        if "side" in words:
            return {"kind": "half", "side": {"upper": "top", "lower": "bottom"}.get(words["side"], words["side"])}
        if "ratio" not in words:
            return {"kind": "margin"}
        width, height = map(float, re.findall(r"\d+", words["ratio"]) or (1, 1))
        return {"kind": "ratio", "ratio": width / height} if width and height and 0.2 <= width / height <= 5 else None

    def _recolour(self, words: dict[str, str]) -> dict[str, Any] | None:
        colours, noun = self.grammar.values("colours"), words["noun"]
        old, new = colours[words["old"]], colours[words["new"]]
        named = any(re.search(rf"\b{colour}\b|{colour}色", noun) for colour in colours)
        if old == new or named or _NO_NOUN.search(noun) or words.get("again", noun) not in (noun, "one", "ones"):
            return None
        # Chinese nouns carry no plural: flowers, leaves and "all" are taken as many.
        plural = "all" in words or noun[-1] in "花叶树草" or (noun.endswith("s") and not noun.endswith(("ss", "us")))
        return {"from": old, "to": new, "noun": noun, "plural": plural}


def _beginnings(text: str) -> Iterator[str]:
    """Beginnings of an instruction, the longest first: by words in English, by characters in Chinese."""
    ends = [match.end() for match in re.finditer(r"[\u4e00-\u9fff]|\S+\s+", text)]
    yield from (text[:end] for end in reversed(ends))


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
