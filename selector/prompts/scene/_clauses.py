"""What the readers of both languages share: words that have a tag each, and the forms of tags that claim something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from selector.domain.reading import OPPOSITE, Attribute, Language, Relation, Scene, Thing


@dataclass(frozen=True)
class Word:
    """A word, or several that are one, with a letter for what it is. A noun phrase is the letter n, a quality q."""

    text: str
    tag: str
    value: Any = None


@dataclass(frozen=True)
class Noun:
    """A noun phrase; ``thing`` is None for what cannot be looked for (light). ``again``: it may have been named."""

    thing: Thing | None
    again: bool = False


@dataclass(frozen=True)
class Forms:
    """How a language says things, as patterns of tags.

    ``phrases`` and ``quality``: of words; ``clauses``: of all that a clause can be; ``claims``: what its parts say, by
    the groups things, kind and place, quality, and side (of the picture). ``noun``: the thing of a phrase, None where
    it is none after all; ``encloses``: whether something can be "in" it.
    """

    language: Language
    phrases: tuple[str, ...]
    quality: str
    clauses: tuple[str, ...]
    claims: tuple[str, ...]
    noun: Callable[[Sequence[Word], re.Match[str]], Noun | None]
    worded: Callable[[Thing], Thing]
    encloses: Callable[[Thing], bool]


@dataclass
class Builder:
    """Things and relations so far; a clause claims all of its own or nothing."""

    forms: Forms
    things: list[Thing] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    sides: dict[int, str] = field(default_factory=dict)  # of the picture

    def read(self, words: Sequence[Word]) -> bool:
        """Claim what a clause says; whether all of its words are accounted for."""
        symbols = self._symbols(words)
        form = "".join(symbol.tag for symbol in symbols)
        if not any(re.fullmatch(clause, form) for clause in self.forms.clauses):
            return False
        nouns = [i for i, tag in enumerate(form) if tag == "n"]
        found = self._found([symbols[i].value for i in nouns])
        form = _ended(form, {i: symbols[i].value.again for i in nouns}, found or ())
        for claim in self.forms.claims if found is not None else ():
            for match in re.finditer(claim, form):
                self._claim(match, symbols, dict(zip(nouns, found or (), strict=True)))
        return found is not None

    def _symbols(self, words: Sequence[Word]) -> list[Word]:
        """With noun phrases, the longest that can be, and qualities after "is" as one symbol each."""
        tags, symbols, at = "".join(word.tag for word in words), [Word("", "")], 0
        while at < len(words):
            matches = [match for pattern in self.forms.phrases if (match := re.compile(pattern).match(tags, at))]
            quality = re.compile(self.forms.quality).match(tags, at) if symbols[-1].tag == "b" else None
            if matches:
                longest = max(matches, key=re.Match.end)
                noun = self.forms.noun(words, longest)
                symbols.append(Word("", "n" if noun else "?", noun))
            elif quality:
                symbols.append(Word("", "q", attributes_of(words[at : quality.end()])))
            else:
                symbols.append(words[at])
            at = longest.end() if matches else quality.end() if quality else at + 1
        return symbols[1:]

    def _found(self, nouns: Sequence[Noun]) -> list[int | None] | None:
        """Their places among the things, old ones where one of these may be meant; None where two may be."""
        things, found, old = list(self.things), list[int | None](), len(self.things)
        for noun in nouns:
            fitting = [i for i, one in enumerate(things) if noun.again and _same(one, noun.thing, i < old)]
            if len(fitting) > 1:
                return None
            found.append(fitting[0] if fitting else None if noun.thing is None else len(things))
            things += [noun.thing] if noun.thing is not None and not fitting else []
        self.things = things
        return found

    def _claim(self, match: re.Match[str], symbols: Sequence[Word], index: dict[int, int | None]) -> None:
        said = {name: symbols[match.start(name)].value for name, text in match.groupdict().items() if text}
        form, (start, end) = match.string, match.span("things")
        things = [index[i] for i in range(start, end) if i in index and form[i + 1 : i + 2] != "d"]  # 衬衫的男人
        place = index[match.start("place")] if "place" in said else None
        for thing in things:
            self._relate(thing, said.get("kind", ""), place)
        side = said.get("side") or (said.get("kind") if place is None else None)
        if things[0] is not None and side in OPPOSITE:
            self.sides[things[0]] = side
        if things[0] is not None and "quality" in said:
            old = self.things[things[0]]
            self.things[things[0]] = self.forms.worded(replace(old, attributes=(*old.attributes, *said["quality"])))

    def _relate(self, thing: int | None, kind: Any, place: int | None) -> None:
        """Claim an order, where both ends are things and the words say which."""
        if not kind or thing is None or place is None or thing == place:
            return
        if kind != "in" or self.forms.encloses(self.things[place]):
            self.relations.append(Relation(thing, kind, place))

    def scene(self) -> Scene:
        """All that was claimed. Two things on opposite sides of the picture have an order; two of a pair cancel out."""
        if len(self.sides) == 2:
            (a, side), (b, other) = self.sides.items()
            self._relate(a, side if OPPOSITE.get(side) == other else "", b)  # type: ignore[call-overload]
        said = list(dict.fromkeys(self.relations))
        pairs = Counter(frozenset((relation.subject, relation.object)) for relation in said)
        kept = tuple(relation for relation in said if pairs[frozenset((relation.subject, relation.object))] == 1)
        return Scene(tuple(self.things), kept, self.forms.language)


def attributes_of(words: Sequence[Word]) -> list[Attribute]:
    """Of words whose value is a kind and the word's English."""
    return [Attribute(word.value[0], word.text, word.value[1]) for word in words if word.tag in "AOJ"]


def _ended(form: str, again: dict[int, bool], found: Sequence[int | None]) -> str:
    """With ";" for "and" where a list ends: in "a cat and a dog, the cat is on a mat" the mat is not the dog's."""
    named = [place in found[:n] for n, place in enumerate(found)]
    for (last, i), *restated in zip(pairwise(again), named, named[1:], strict=False):
        ends = again[i] and (not again[last] or restated == [False, True])
        if ends and "b" in form[i:] and set(form[last + 1 : i]) == {"c"}:
            form = f"{form[: i - 1]};{form[i:]}"
    return form


def _same(old: Thing, new: Thing | None, earlier: bool) -> bool:
    """Whether "the tree" can be the fir tree of an earlier clause: the same head, and nothing new said of it."""
    if new is None:
        return False
    head = new.noun if re.match("[\u3400-\u9fff]", new.noun) else f" {new.noun}"
    fits = old.noun == new.noun or (earlier and old.noun.endswith(head))
    return fits and set(new.attributes) <= set(old.attributes) and new.count in (None, old.count)
