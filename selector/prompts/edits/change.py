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
from selector.domain.reading import Change, Operation, Scene, SceneEdit
from selector.prompts.edits._grammar import Grammar, grammar_of
from selector.prompts.edits.instruction import parse_edit_instruction
from selector.prompts.scene import read_scene
from selector.prompts.scene._words import is_plural

MAX_CHARACTERS = 600


@dataclass(frozen=True)
class _Part:
    before: str
    after: str
    region: str = ""
    keeps: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def edit_of(instruction: str) -> SceneEdit:
    """Region, change and what stays, as far as rules understand them.

    >>> edit = edit_of("Make the front door dark green.")
    >>> edit.region, edit.change.after
    ('front door', 'a photo of the dark green front door')
    """
    text = " ".join(unicodedata.normalize("NFKC", instruction).replace("’", "'").split())
    grammar = grammar_of("zh" if re.search(r"[\u4e00-\u9fff]", text) else "en")
    operations = _operations(instruction)
    parts, kept = _parts(text, grammar) if 0 < len(text) <= MAX_CHARACTERS else ([], [])
    if not parts:
        parts = [part for one in operations if (part := _of_operation(one, grammar.change))]
    keeps = tuple(dict.fromkeys([*kept, *(noun for part in parts for noun in part.keeps)]))
    region = parts[0].region if len({part.region for part in parts}) == 1 else ""
    return SceneEdit(region, region if grammar.language == "en" else "", _joined(parts, grammar), keeps, operations)


def _operations(instruction: str) -> tuple[Operation, ...]:
    try:
        return parse_edit_instruction(instruction)
    except Declined:
        return ()


def _joined(parts: Sequence[_Part], grammar: Grammar) -> Change | None:
    """Several changes as one; repeated captions ("a photo") are said once."""
    ends = ([part.before for part in parts], [part.after for part in parts])
    before, after = (grammar.change["join"].join(dict.fromkeys(end)) for end in ends)
    if before == after:
        return None
    return Change(before, after, before, after) if grammar.language == "en" else Change(before, after)


def _parts(text: str, grammar: Grammar) -> tuple[list[_Part], list[str]]:
    """What each part of an instruction changes, and what it names as to stay; nothing where a part is not read."""
    rules = grammar.change
    plain = _without(rules["courtesy"], text)
    keeps = (words for match in re.finditer(rules["keep"], plain, re.IGNORECASE) for words in match.groups() if words)
    kept = [thing.noun for words in keeps for thing in read_scene(words)[0].objects]
    divided = re.split(rules["divide"], _without(rules["keep"], plain), flags=re.IGNORECASE)
    pieces = [piece for one in divided if (piece := one.strip(" .,;!。"))]
    found = [part for piece in pieces if (part := next(_readings(piece, grammar), None))]
    return found if len(found) == len(pieces) else [], kept


def _without(pattern: str, text: str) -> str:
    return re.sub(pattern, "", text, flags=re.IGNORECASE)


def _readings(piece: str, grammar: Grammar) -> Iterator[_Part]:
    """What rules make of it. One with a bar parts "the front door dark green" at any of its spaces."""
    cut = [f"{piece[: space.start()]}|{piece[space.end() :]}" for space in re.finditer(" ", piece)]
    for rule in grammar.change["rules"]:
        for text in cut if r"\|" in rule["pattern"] else [piece]:
            match = re.fullmatch(rule["pattern"], text, re.IGNORECASE)
            part = _part(match.groupdict(""), rule, grammar) if match else None
            if part is not None:
                yield part


def _part(said: Mapping[str, str], rule: Mapping[str, str], grammar: Grammar) -> _Part | None:
    """The captions of a rule that fits, if what it took for things and qualities is read as such."""
    words = {name: _without(grammar.change["in_picture"], text) for name, text in said.items()}
    changed = _scene(words.get("x", ""))
    if "x" in words and not (changed and changed.objects):
        return None
    words["y"] = re.sub(r"(?<=\w )ones?$", lambda one: _named(changed, words["x"], one[0]), words.get("y", ""))
    if rule["y"] == "quality":
        words["xy"] = _with_quality(words["x"], words["y"], grammar)
        words["x"] = _with_quality(words["x"], words["from"], grammar) if words.get("from") else words["x"]
    elif rule["y"] == "thing" and not _scene(words["y"]):
        return None
    before, after = (rule[end].format(**words) for end in ("before", "after"))
    if before == after or not all(words.get(name, "-") for name in ("x", "xy")):
        return None
    region, *keeps = _nouns(changed) if changed else [rule.get("region", "")]
    return _Part(before, after, region, tuple(keeps))


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


def _named(scene: Scene | None, thing: str, one: str) -> str:
    """The noun that "one" or "ones" stands for, or what is read as no thing where it stands for none."""
    noun = " ".join(thing.split()[-len(scene.objects[0].noun.split()) :]) if scene and len(scene.objects) == 1 else ""
    return noun if noun and is_plural(noun) == (one == "ones") else "?"


def _with_quality(thing: str, quality: str, grammar: Grammar) -> str:
    """ "The dark green front door": the same thing, read with an attribute that it had not, or had another of."""
    article = re.match(grammar.change["article"], thing, re.IGNORECASE)[0]  # type: ignore[index]
    bare, plain = thing[len(article) :], _without(grammar.change["degree"], quality).strip()
    link = " " if grammar.language == "en" else "的"
    old, new = _scene(thing), _scene(f"{article}{plain}{link}{bare}")
    if not plain or not old or not new or old.objects[0].noun in plain:
        return ""
    has, gets = old.objects[0].attributes, new.objects[0].attributes
    fresh = {attribute.kind for attribute in gets[: len(gets) - len(has)]}
    for attribute in has:
        if attribute.kind in fresh - {"state"}:
            word = f"(?:and )?(?<![a-z]){attribute.word}(?![a-z])(?: and)?(?:{link})?"  # of "black and white", too
            bare = re.sub(word, "", bare, count=1, flags=re.IGNORECASE)
    same = [one.noun for one in old.objects] == [one.noun for one in new.objects]
    return f"{article}{quality}{link}{bare}" if fresh and same else ""


def _of_operation(operation: Operation, rules: Mapping[str, Any]) -> _Part | None:
    """ "A photo" becomes "a brighter photo", where the operation is one that words can tell."""
    word = rules["operations"].get(("-" if operation.amount < 0 else "") + operation.name)
    if word is None or operation.scope not in ("whole", "background"):
        return None
    region = rules["background_noun"] if operation.scope == "background" else ""
    return _Part(rules["photo"], rules[operation.scope].format(word=word), region)
