"""What an edit instruction changes: its region, what it keeps, and captions of the picture before and after.

For measures that compare a change of pictures with a change of texts, and for looking at what should have stayed. What
is changed must be read as a scene, every word of it, and so must what comes: a rule's pattern alone is not enough. An
instruction one of whose parts no rule knows (rotations, sizes, "open the door") has no change, never a guess: as a
caption, "remove the dog" has the wrong sign. English and Chinese; the captions are in the language of the instruction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from selector.domain import Declined
from selector.domain.reading import Change, Language, Operation, Scene, SceneEdit
from selector.prompts._data import data_file
from selector.prompts.edits.instruction import parse_edit_instruction
from selector.prompts.scene import read_scene

MAX_CHARACTERS = 600


@dataclass(frozen=True)
class _Part:
    before: str
    after: str
    region: str = ""
    keeps: tuple[str, ...] = ()


def change_of(instruction: str) -> Change | None:
    """The change that ``instruction`` asks for, or None when any part of it is not understood."""
    return edit_of(instruction).change


@lru_cache(maxsize=1024)
def edit_of(instruction: str) -> SceneEdit:
    """Region, change and what stays, as far as rules understand them.

    >>> edit = edit_of("Make the front door dark green.")
    >>> edit.region, edit.change.after
    ('front door', 'a photo of the dark green front door')
    """
    text = " ".join(unicodedata.normalize("NFKC", instruction).replace("’", "'").split())
    language: Language = "zh" if re.search(r"[\u4e00-\u9fff]", text) else "en"
    rules = data_file(__package__ or "", language)["change"]
    operations = _operations(instruction)
    parts, kept = _parts(text, rules, language) if 0 < len(text) <= MAX_CHARACTERS else ([], ())
    if not parts and operations:
        parts = [part for part in (_of_operation(one, rules) for one in operations) if part]
    keeps = tuple(dict.fromkeys([*kept, *(noun for part in parts for noun in part.keeps)]))
    region = parts[0].region if len({part.region for part in parts}) == 1 else ""
    english = region if language == "en" else ""
    return SceneEdit(region, english, _joined(parts, rules["join"], language), keeps, operations)


def _operations(instruction: str) -> tuple[Operation, ...]:
    try:
        return parse_edit_instruction(instruction)
    except Declined:
        return ()


def _joined(parts: Sequence[_Part], join: str, language: Language) -> Change | None:
    """Several changes as one; repeated captions ("a photo") are said once."""
    before, after = (join.join(dict.fromkeys(getattr(part, end) for part in parts)) for end in ("before", "after"))
    if before == after:
        return None
    return Change(before, after, before, after) if language == "en" else Change(before, after)


def _parts(text: str, rules: Mapping[str, Any], language: Language) -> tuple[list[_Part], tuple[str, ...]]:
    """What each part of an instruction changes, and what it names as to stay; nothing where a part is not read."""
    kept: list[str] = []
    plain = re.sub(rules["courtesy"], "", text, flags=re.IGNORECASE)
    for match in re.finditer(rules["keep"], plain, re.IGNORECASE):
        kept += [thing.noun for thing in read_scene(match["kept"] or "")[0].objects]
    plain = re.sub(rules["keep"], "", plain, flags=re.IGNORECASE)
    pieces = [piece.strip(" .,;!。") for piece in re.split(rules["divide"], plain, flags=re.IGNORECASE)]
    parts = [next(_readings(piece, rules, language), None) for piece in pieces if piece.strip(" .,;!。")]
    found = [part for part in parts if part is not None]
    return found if len(found) == len(parts) else [], tuple(kept)


def _readings(piece: str, rules: Mapping[str, Any], language: Language) -> Iterator[_Part]:
    for rule in rules["rules"]:
        for words in _matches(re.compile(rule["pattern"], re.IGNORECASE), piece):
            part = _part(words, rule, rules, language)
            if part is not None:
                yield part


def _matches(pattern: re.Pattern[str], piece: str) -> Iterator[dict[str, str]]:
    """Every way to part "the front door dark green" into x and y: a pattern with a space between them has several."""
    for cut in (
        [len(piece), *(match.start() for match in re.finditer(" ", piece))] if "(?P<y>" in pattern.pattern else [0]
    ):
        text = piece if cut in (0, len(piece)) else f"{piece[:cut]}|{piece[cut + 1 :]}"
        if match := pattern.fullmatch(text):
            yield {name: value or "" for name, value in match.groupdict().items()}


def _part(words: dict[str, str], rule: Mapping[str, str], rules: Mapping[str, Any], language: Language) -> _Part | None:
    """The captions of a rule that fits, if what it took for things and qualities is read as such."""
    words = {name: re.sub(rules["in_picture"], "", text, flags=re.IGNORECASE) for name, text in words.items()}
    scenes = {name: _scene(words.get(name, "")) for name in ("x", "y")}
    if "x" in words and not (scenes["x"] and (scenes["x"].objects or rule.get("any"))):
        return None
    if rule["y"] == "quality":
        words["xy"] = _with_quality(words["x"], words["y"], rules, language)
        words["x"] = _with_quality(words["x"], words["from"], rules, language) if words.get("from") else words["x"]
        if not (words["x"] and words["xy"]):
            return None
    elif rule["y"] == "thing" and not scenes["y"]:
        return None
    nouns = _nouns(scenes["x"]) if scenes["x"] else []
    before, after = (rule[end].format(**words) for end in ("before", "after"))
    return (
        _Part(before, after, nouns[0] if nouns else rule.get("region", ""), tuple(nouns[1:]))
        if before != after
        else None
    )


def _scene(text: str) -> Scene | None:
    """The scene of a phrase all of whose words are read."""
    scene, unread = read_scene(text)
    return scene if text and not unread else None


def _nouns(scene: Scene) -> list[str]:
    """First the one that is meant: not what something lies at; the first in English, the last in Chinese."""
    places = {relation.object for relation in scene.relations}
    found = [thing.noun for i, thing in enumerate(scene.objects) if i not in places]
    meant = found[:1] if scene.language == "en" else found[-1:]
    return [*meant, *(thing.noun for thing in scene.objects if thing.noun not in meant)]


def _with_quality(thing: str, quality: str, rules: Mapping[str, Any], language: Language) -> str:
    """ "The dark green front door": the same thing, read with an attribute that it had not, or had another of."""
    article, bare = re.fullmatch(f"({rules['article']})(.+)", thing, re.IGNORECASE).groups()  # type: ignore[union-attr]
    plain = re.sub(rules["degree"], "", quality, flags=re.IGNORECASE).strip()
    link = " " if language == "en" else "的"
    old, new = _scene(thing), _scene(f"{article}{plain}{link}{bare}")
    if not plain or not old or not new or old.objects[0].noun in plain or [t.noun for t in old.objects] != [t.noun for t in new.objects]:
        return ""
    has, gets = old.objects[0].attributes, new.objects[0].attributes
    fresh = gets[: len(gets) - len(has)]
    for attribute in has:
        if attribute.kind == "colour" and "colour" in {one.kind for one in fresh}:
            bare = bare.replace(f"{attribute.word}{link}", "", 1)
    return f"{article}{quality}{link}{bare}" if fresh else ""


def _of_operation(operation: Operation, rules: Mapping[str, Any]) -> _Part | None:
    """ "A photo" becomes "a brighter photo", where the operation is one that words can tell."""
    word = rules["operations"].get(("-" if operation.amount < 0 else "") + operation.name)
    if word is None or operation.scope not in ("whole", "background"):
        return None
    whole = operation.scope == "whole"
    after = rules["whole" if whole else "background"].format(word=word)
    return _Part(rules["photo"], after, "" if whole else rules["background_noun"])
