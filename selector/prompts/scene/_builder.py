"""Collects the things and relations of a scene; both languages end here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selector.prompts.scene._types import OPPOSITE, Attribute, Kind, Language, Relation, Scene, Thing
from selector.prompts.scene.wording import phrase_of

_FIRST_SIDES: dict[str, tuple[str, Kind]] = {
    "left": ("right", "left"),
    "right": ("left", "right"),
    "top": ("bottom", "above"),
    "bottom": ("top", "below"),
}


@dataclass
class _Draft:
    noun: str
    plural: str  # the noun as an English plural, where it was written so and without a count
    main_word: str
    attributes: list[Attribute]
    count: int | None


class Builder:
    """Things by index, relations between them, and sides of the picture ("on the left")."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._drafts: list[_Draft] = []
        self._relations: list[Relation] = []
        self.sides: list[tuple[int, str]] = []  # (thing, "left", "right", "top" or "bottom"), as they were named

    def add(
        self, noun: str, attributes: Sequence[Attribute], count: int | None, main_word: str = "", plural: str = ""
    ) -> int:
        """The index of a new thing."""
        self._drafts.append(_Draft(noun, plural, main_word or noun, list(dict.fromkeys(attributes)), count))
        return len(self._drafts) - 1

    @property
    def count(self) -> int:
        """How many things there are so far."""
        return len(self._drafts)

    def named(self, main_word: str, attributes: Sequence[Attribute]) -> list[int]:
        """Things that "the red cube" can mean: the same noun, and all of these attributes."""
        same = [i for i, draft in enumerate(self._drafts) if draft.main_word == main_word]
        return [i for i in same if set(attributes) <= set(self._drafts[i].attributes)] if attributes else same

    def describe(self, index: int, attributes: Sequence[Attribute]) -> None:
        """Add what the prompt says later: "the cube is red"."""
        draft = self._drafts[index]
        draft.attributes = list(dict.fromkeys([*draft.attributes, *attributes]))

    def relate(self, subject: int, kind: Kind, object_: int) -> None:
        """Add a relation once; a thing has none to itself."""
        relation = Relation(subject, kind, object_)
        if subject != object_ and relation not in self._relations:
            self._relations.append(relation)

    def scene(self) -> Scene:
        """All that was collected; relations that contradict each other are left out."""
        for (first, side), (second, other) in zip(self.sides, self.sides[1:], strict=False):
            if _FIRST_SIDES[side][0] == other:
                self.relate(first, _FIRST_SIDES[side][1], second)
        kept = tuple(relation for relation in self._relations if not self._contradicted(relation))
        return Scene(tuple(self._thing(draft) for draft in self._drafts), kept, self.language)

    def _thing(self, draft: _Draft) -> Thing:
        phrase = phrase_of(draft.plural or draft.noun, draft.attributes, self.language, bool(draft.plural))
        return Thing(draft.noun, tuple(draft.attributes), draft.count, phrase)

    def _contradicted(self, relation: Relation) -> bool:
        opposite, pair = OPPOSITE.get(relation.kind), (relation.subject, relation.object)
        if opposite is None:
            return False
        return any(
            (other.kind == opposite and (other.subject, other.object) == pair)
            or (other.kind == relation.kind and (other.object, other.subject) == pair)
            for other in self._relations
        )
