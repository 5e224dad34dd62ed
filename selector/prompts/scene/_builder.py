"""Collects what a reader claims; what a clause claimed is dropped again when one of its words is not accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from selector.domain.reading import OPPOSITE, Attribute, Kind, Language, Relation, Scene, Thing


class NotRead(Exception):
    """A word that no closed form accounts for."""


class Builder:
    """Things and relations so far. An index is None for what is named but cannot be looked for (light, mood)."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.things: list[Thing] = []
        self.relations: dict[tuple[int, int], Relation] = {}
        self.sides: dict[int, str] = {}  # of the picture
        self.before = 0  # things of earlier clauses: only these can be spoken of again

    def mark(self) -> tuple[int, list[Thing], dict[tuple[int, int], Relation], dict[int, str]]:
        """What to give to ``back``."""
        self.before = len(self.things)
        return self.before, list(self.things), dict(self.relations), dict(self.sides)

    def back(self, mark: tuple[int, list[Thing], dict[tuple[int, int], Relation], dict[int, str]]) -> None:
        """Drop what was claimed since the mark."""
        self.before, self.things, self.relations, self.sides = mark[0], list(mark[1]), dict(mark[2]), dict(mark[3])

    def add(self, thing: Thing, again: bool = False) -> int:
        """The index of a thing; with ``again`` ("the cat") of the one that an earlier clause named, if it fits.

        Raises:
            NotRead: two earlier things could be meant.
        """
        fitting = [i for i, old in enumerate(self.things[: self.before]) if again and _same(old, thing)]
        if len(fitting) > 1:
            raise NotRead(thing.noun)
        if fitting:
            return fitting[0]
        self.things.append(thing)
        return len(self.things) - 1

    def describe(self, index: int, attributes: Iterable[Attribute], phrase: str, english: str) -> None:
        """Give a thing more attributes."""
        old = self.things[index]
        self.things[index] = replace(old, attributes=(*old.attributes, *attributes), phrase=phrase, english=english)

    def relate(self, subjects: Iterable[int | None], kind: Kind | str, objects: Sequence[int | None]) -> None:
        """Claim an order, where both ends are things and ``kind`` is one of the known."""
        for a in subjects:
            for b in objects:
                if kind and a is not None and b is not None and a != b:
                    self.relations.setdefault((a, b), Relation(a, kind, b))  # type: ignore[arg-type]

    def scene(self) -> Scene:
        """All that was claimed. Two things on opposite sides of the picture have an order."""
        if len(self.sides) == 2:
            (a, side), (b, other) = self.sides.items()
            if OPPOSITE.get(side) == other:  # type: ignore[call-overload]
                self.relate([a], side, [b])
        return Scene(tuple(self.things), tuple(self.relations.values()), self.language)


def _same(old: Thing, new: Thing) -> bool:
    """Whether "the tree" can be the fir tree named before: the same head, and nothing said that the first has not."""
    head = new.noun if re.match("[\u3400-\u9fff]", new.noun) else f" {new.noun}"
    return (old.noun == new.noun or old.noun.endswith(head)) and set(new.attributes) <= set(old.attributes) and new.count in (None, old.count)
