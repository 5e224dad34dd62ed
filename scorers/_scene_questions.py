"""What to look for in a picture so that a scene can be checked: names, attributes and what they could be instead."""

from __future__ import annotations

from dataclasses import dataclass

from selector.prompts.scene import Attribute, Scene, Thing
from selector.prompts.scene.wording import instead_of, phrase_of

NOTHING_THERE = {"en": "an empty background", "zh": "空白的背景"}
MOST_RIVALS = 3


@dataclass(frozen=True)
class AttributeQuestion:
    """Whether a thing looks like ``own`` ("a red cube") rather than like one of ``rivals`` ("a blue cube")."""

    thing: int
    own: str
    rivals: tuple[str, ...]


@dataclass(frozen=True)
class Questions:
    """All phrases that a scene needs grounded.

    ``names``: one a thing, what tells it from the others: the noun alone, so that a wrong attribute does not move it;
    with its attributes where another thing has the same noun. Equal names cannot be told apart.
    """

    names: tuple[str, ...]
    attributes: tuple[AttributeQuestion, ...]
    nothing: str

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase once, the neutral one last."""
        asked = [phrase for question in self.attributes for phrase in (question.own, *question.rivals)]
        return tuple(dict.fromkeys([*self.names, *asked, self.nothing]))

    def told_apart(self, first: int, second: int) -> bool:
        """Whether two things have different names."""
        return self.names[first] != self.names[second]


def questions_of(scene: Scene) -> Questions:
    """The questions of a scene."""
    asked = [_attribute_question(scene, i, a) for i, thing in enumerate(scene.objects) for a in thing.attributes]
    names = tuple(_name(scene, thing) for thing in scene.objects)
    return Questions(names, tuple(question for question in asked if question), NOTHING_THERE[scene.language])


def _name(scene: Scene, thing: Thing) -> str:
    alike = sum(other.noun == thing.noun for other in scene.objects)
    return phrase_of(thing.noun, thing.attributes if alike > 1 else (), scene.language)


def _attribute_question(scene: Scene, index: int, attribute: Attribute) -> AttributeQuestion | None:
    """None for an attribute that nothing can be compared with."""
    thing = scene.objects[index]
    others = [a.word for i, other in enumerate(scene.objects) for a in other.attributes if i != index
              and a.kind == attribute.kind]  # fmt: skip
    words = instead_of(attribute, others, scene.language)[:MOST_RIVALS]
    if not words:
        return None
    rivals = tuple(phrase_of(thing.noun, [Attribute(attribute.kind, word)], scene.language) for word in words)
    return AttributeQuestion(index, phrase_of(thing.noun, [attribute], scene.language), rivals)
