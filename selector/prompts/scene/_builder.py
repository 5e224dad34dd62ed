"""What readers of all languages share: a clause as symbols, and what was claimed so far."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from selector.domain.reading import OPPOSITE, Attribute, Kind, Language, Relation, Scene, Thing


class NotRead(Exception):
    """A word that no closed form accounts for."""


@dataclass(frozen=True)
class Noun:
    """A noun phrase; ``thing`` is None for what cannot be looked for (light, mood). ``again``: it may have been named;
    ``holds``: it may hold what the next words name ("a bowl of red apples")."""

    thing: Thing | None
    again: bool = False
    holds: bool = False


Symbols = list[tuple[str, Any]]  # a letter for what it is, which the forms of a clause are written in, and its value


@dataclass
class Builder:
    """Things and relations so far; a clause claims all of its own or nothing."""

    language: Language
    things: list[Thing] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    sides: dict[int, str] = field(default_factory=dict)  # of the picture

    def add(self, nouns: Iterable[Noun]) -> list[int | None]:
        """Their indexes; those of earlier clauses where a noun fits one of them.

        Raises:
            NotRead: two earlier things could be meant.
        """
        old = list(self.things)
        fitting = [[i for i, thing in enumerate(old) if noun.again and _same(thing, noun.thing)] for noun in nouns]
        if any(len(places) > 1 for places in fitting):
            raise NotRead
        found: list[int | None] = []
        for noun, places in zip(nouns, fitting, strict=True):
            found.append(places[0] if places else None if noun.thing is None else len(self.things))
            self.things += [noun.thing] if noun.thing is not None and not places else []
        return found

    def relate(self, subjects: Iterable[int | None], kind: Kind | str, place: int | None) -> None:
        """Claim an order, where both ends are things and ``kind`` is known."""
        for a in subjects:
            if kind and a is not None and place is not None and a != place:
                self.relations.append(Relation(a, kind, place))  # type: ignore[arg-type]

    def describe(self, index: int | None, attributes: Iterable[Attribute], phrase: Callable[[Thing], Thing]) -> None:
        """Give a thing more attributes."""
        if index is not None:
            old = self.things[index]
            self.things[index] = phrase(replace(old, attributes=(*old.attributes, *attributes)))

    def scene(self) -> Scene:
        """All that was claimed. Two things on opposite sides of the picture have an order; two of a pair cancel out."""
        if len(self.sides) == 2:
            (a, side), (b, other) = self.sides.items()
            self.relate([a], side if OPPOSITE.get(side) == other else "", b)  # type: ignore[call-overload]
        said = list(dict.fromkeys(self.relations))
        pairs = Counter(frozenset((relation.subject, relation.object)) for relation in said)
        kept = tuple(relation for relation in said if pairs[frozenset((relation.subject, relation.object))] == 1)
        return Scene(tuple(self.things), kept, self.language)


def _same(old: Thing, new: Thing | None) -> bool:
    """Whether "the tree" can be the fir tree named before: the same head, and nothing said that the first has not."""
    if new is None:
        return False
    head = new.noun if re.match("[\u3400-\u9fff]", new.noun) else f" {new.noun}"
    fits = old.noun == new.noun or old.noun.endswith(head)
    return fits and set(new.attributes) <= set(old.attributes) and new.count in (None, old.count)
