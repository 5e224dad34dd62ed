"""What a reading claims of a line of a set (see ``experiments.readings``), claim by claim, and whether it is right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from selector.domain.reading import Place, Reading, Scene, TextEdit, Thing
from selector.llm._cell_words import place_cell
from selector.prompts.scene import singular

Line: TypeAlias = Mapping[str, Any]
Claims: TypeAlias = Iterator[tuple[str, bool]]  # kind of claim, whether it is right
RELATIONS = {
    "left": "left of", "right": "right of", "above": "above", "below": "below", "on": "on", "under": "under",
    "in": "in", "in_front": "in front of", "behind": "behind", "beside": "beside",
}  # fmt: skip
_TURNED = {"right of": "left of", "below": "above", "under": "above", "behind": "in front of"}
_SAME_COLOUR = {"gray": "grey", "golden": "gold", "silvery": "silver", "colorful": "colourful"}
_SAME_PLACE = {  # in this order
    r"[‘’'“”]": '"', r"\bon top of\b": "on", r"\b(?:the|an?|to|very|exact|corner|side|edge|of)\b": " ",
    r"\b(?:center|middle)\b": "centre", r"\bupper\b": "top", r"\blower\b": "bottom",
    r"\b(?:under|underneath|beneath)\b": "below", r"\bover\b": "above", r"\b(?:next|beside|close|by)\b": "near",
    r"^(?:in|on|at) (?=(?:top|bottom|left|right|centre)\b)": "", r'^(\w+) [^"]+(?=".+")': r"\1 ",
}  # fmt: skip


def claims_of(reading: Reading, line: Line) -> list[tuple[str, bool]]:
    """Kind of each claim (thing, count, colour, relation; action, old, new, place), and whether the set has it."""
    if "instruction" in line:
        return list(_text_claims(reading.text_edit, line))
    return list(_scene_claims(reading.scene, line))


def is_exact(reading: Reading, line: Line) -> bool:
    """Whether all that is wanted is claimed, and nothing else."""
    claims = claims_of(reading, line)
    if not claims or not all(right for _, right in claims):
        return False
    kinds = [kind for kind, _ in claims]
    if "instruction" in line:
        return all(part in kinds for part in ("action", "old", "new", "place") if line.get(part))
    numbers = sum((thing.get("count") or 1) != 1 for thing in line["things"])
    said = sum((thing.count or 1) != 1 for thing in reading.scene.objects) if reading.scene else 0
    colours = sum(len(thing.get("attributes", ())) for thing in line["things"])
    wanted = (len(line["things"]), numbers, colours, len(line.get("relations", ())))
    return wanted == (kinds.count("thing"), said, kinds.count("colour"), kinds.count("relation"))


def _scene_claims(scene: Scene | None, line: Line) -> Claims:
    """Every thing, count, colour and relation that was claimed, and whether the set has it."""
    if scene is None:
        return
    places = _matched(scene.objects, line["things"])
    for thing, place in zip(scene.objects, places, strict=True):
        wanted = line["things"][place] if place is not None else {}
        yield "thing", place is not None
        if thing.count:
            yield "count", wanted.get("count") == thing.count
        has = [_colour(colour) for colour in wanted.get("attributes", ())]
        for colour in _colours(thing):
            yield "colour", colour in has or colour.split()[-1] in has
    orders = {_order(a, kind, b) for a, kind, b in line.get("relations", ())}
    for relation in scene.relations:
        ends = places[relation.subject], places[relation.object]
        yield "relation", None not in ends and _order(ends[0], RELATIONS[relation.kind], ends[1]) in orders


def _matched(things: Sequence[Thing], wanted: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each thing the place of the wanted one with its noun, of several the one that is most like it."""
    free, places = set(range(len(wanted))), []
    for thing in things:
        fits = [i for i in free if singular(wanted[i]["noun"].lower()) in _names(thing)]
        place = max(fits, key=lambda i: _likeness(thing, wanted[i]), default=None)
        free.discard(place if place is not None else -1)
        places.append(place)
    return places


def _names(thing: Thing) -> set[str]:
    """Its noun with a material before it too ("glass bowl"), and without the size in it (小男孩)."""
    materials = {f"{one.word} {thing.noun}" for one in thing.attributes if one.kind == "material"}
    return {singular(thing.noun), thing.noun.lstrip("小大") or thing.noun, *materials}


def _likeness(thing: Thing, wanted: Mapping[str, Any]) -> tuple[int, bool]:
    has = {_colour(colour) for colour in wanted.get("attributes", ())}
    return len(has & set(_colours(thing))), (thing.count or 1) == wanted.get("count")


def _colours(thing: Thing) -> list[str]:
    """In English; those whose English is not known cannot be compared."""
    said = [a.english for a in thing.attributes if a.kind == "colour" and a.english]
    return [_colour(colour) for word in said for colour in word.split(" and ")]


def _colour(word: str) -> str:
    return " ".join(_SAME_COLOUR.get(part, part) for part in word.lower().split())


def _order(first: Any, kind: str, second: Any) -> tuple[Any, str, Any]:
    """One way to say what can be said from both ends."""
    if kind in _TURNED:
        first, kind, second = second, _TURNED[kind], first
    return (*sorted((first, second)), kind) if kind == "beside" else (first, kind, second)


def _text_claims(edit: TextEdit | None, line: Line) -> Claims:
    """Every part of a text edit that was claimed; a place only where the set names one."""
    if edit is None:
        return
    yield "action", edit.action == line["action"]
    for part, said in (("old", edit.old), ("new", edit.new)):
        if said is not None:
            yield part, said == line.get(part)
    if edit.place is not None and line.get("place"):
        yield "place", _place(line["place"]) in _places(edit.place)


def _places(place: Place) -> set[str]:
    """The ways to write a place in a set: "centre", 'below "Annual Report"', or as the instruction has it."""
    where = place.side or place.spot or ""
    return {_place(said) for said in (place.words, place_cell(place), where) if said}


def _place(words: str) -> str:
    """One way to say what sets and instructions say in several: "in the upper left corner" is "top left"."""
    words = words.lower()
    for said, meant in _SAME_PLACE.items():
        words = re.sub(said, meant, " ".join(words.split()))
    return " ".join(words.split())
