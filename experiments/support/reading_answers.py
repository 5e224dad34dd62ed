"""What a model that reads perfectly would answer about a line of a set (see ``experiments.readings``)."""

from __future__ import annotations

import re
from typing import Any

from experiments.support.reading_claims import Line
from selector.llm._cell_words import KIND_WORDS, WrongCell, place_of_cell
from selector.prompts.scene import singular

COLOURS = {
    "红": "red", "橙": "orange", "黄": "yellow", "绿": "green", "蓝": "blue", "紫": "purple", "粉": "pink",
    "黑": "black", "白": "white", "灰": "grey", "棕": "brown", "橘": "orange", "五颜六色": "colourful",
}  # fmt: skip


def words_of(line: Line) -> str:
    """The prompt or the instruction."""
    return str(line.get("instruction") or line["prompt"]).strip()


def answer_of(line: Line) -> dict[str, Any]:
    """A model's perfect answer for a line of a set, with words as they stand in its prompt."""
    prompt = words_of(line)
    if "instruction" in line:
        text = {"action": line["action"], "old": line.get("old") or None, "new": line.get("new") or None}
        return {"text": {**text, "place": _where(line.get("place") or "", prompt)}}
    kinds = {words: kind for kind, words in KIND_WORDS.items()}
    relations = [
        {"subject": a, "kind": kinds[words], "object": b, "words": prompt} for a, words, b in line.get("relations", ())
    ]
    return {"things": [_thing(thing, prompt) for thing in line["things"]], "relations": relations, "texts": []}


def _where(place: str, prompt: str) -> dict[str, Any] | None:
    """The place that a set names, as a model says it; None where it is not said in short."""
    try:
        found = place_of_cell(re.sub(r"^(left|right) of\b", r"\1", place))
    except WrongCell:
        return None
    if found is None:
        return None
    return {"words": prompt, **{name: getattr(found, name) for name in ("of", "is_text", "side", "spot")}}


def _thing(thing: Line, prompt: str) -> dict[str, Any]:
    count = thing.get("count") if (thing.get("count") or 1) > 1 else None
    colours = [
        {"kind": "colour", "words": _colour_in(prompt, colour), "english": colour} for colour in thing["attributes"]
    ]
    noun = thing["noun"]
    return {
        "words": _noun_in(prompt, noun) if noun.isascii() else noun,
        "english": noun if noun.isascii() else "thing",
        "count": count,
        "count_words": prompt if count else "",
        "attributes": colours,
    }


def _noun_in(prompt: str, noun: str) -> str:
    """The noun as the prompt has it, which may be its plural."""
    words, length = re.findall(r"[\w'-]+", prompt), len(noun.split())
    found = (" ".join(words[start : start + length]) for start in range(len(words)))
    return next((one for one in found if singular(one.lower()) == singular(noun.lower())), noun)


def _colour_in(prompt: str, colour: str) -> str:
    return next((word for word, english in COLOURS.items() if english == colour and word in prompt), colour)
