"""A prompt's scene as questions to a picture, and their answers from evidence as scores.

The questions: names, attributes and what they could be instead. The scores: whether things are there, look as told, lie
as told, and are as many as told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorers._grounding import Evidence, Floats, binding, counted, found, order, place
from selector.domain import Score, not_applicable
from selector.prompts.scene import Attribute, Scene, Thing
from selector.prompts.scene.wording import instead_of, phrase_of

NOTHING = not_applicable("the prompt names no two objects, relation, attribute or count")
_NO_OBJECTS = not_applicable("the prompt names fewer than two objects")
_NO_ATTRIBUTE = not_applicable("the prompt gives no object an attribute that can be compared")
_NO_RELATION = not_applicable("the prompt relates no two objects that can be told apart")
_NO_ORDER = "crops do not show the relations of the prompt; a detector may (grounding = 'owlv2')"
_FLAT = "a flat picture does not show the relations of the prompt"
_NO_COUNT = not_applicable("the prompt states no count")
_CANNOT_COUNT = "crops cannot be counted; a detector can (grounding = 'owlv2')"
NOTHING_THERE = {"en": "an empty background", "zh": "空白的背景"}
MOST_RIVALS = 3


def checkable(scene: Scene) -> bool:
    """Whether a prompt says anything to check."""
    counts = any(thing.count for thing in scene.objects)
    return len(scene.objects) > 1 or counts or any(thing.attributes for thing in scene.objects)


def scene_scores(scene: Scene, questions: Questions, evidence: Evidence) -> dict[str, Score]:
    """One score a column. ``coherence`` is the geometric mean of those that are scored, where an order of things that
    are not there does not hold, while ``relations`` calls it unknown."""
    names = [[*questions.names, questions.nothing]] * len(scene.objects)
    places = [place(evidence, name, others) for name, others in zip(questions.names, names, strict=True)]
    relations, hold = _relations(scene, questions, evidence, places)
    parts = {
        "objects": _objects(questions, evidence),
        "attributes": _mean(
            [binding(evidence, places[q.thing], q.own, q.rivals) for q in questions.attributes], _NO_ATTRIBUTE
        ),
        "relations": relations,
        "counts": _counts(scene, questions, evidence),
    }
    values = [part.value for part in (parts | {"relations": hold}).values() if part.value is not None]
    if not values:
        reason = parts["counts"].reason if any(thing.count for thing in scene.objects) else NOTHING
        return parts | {"coherence": Score.unscored(reason or NOTHING)}
    return parts | {"coherence": _score(float(np.prod(values) ** (1 / len(values))))}


def _score(value: float) -> Score:
    return Score.of(min(1.0, max(0.0, value)))


def _mean(values: Sequence[float], reason: str) -> Score:
    return _score(float(np.mean(values))) if values else Score.unscored(reason)


def _objects(questions: Questions, evidence: Evidence) -> Score:
    names = tuple(dict.fromkeys(questions.names))
    if len(names) < 2:
        return Score.unscored(_NO_OBJECTS)
    return _mean([found(evidence, name, [*names, questions.nothing]) for name in names], _NO_OBJECTS)


def _relations(scene: Scene, questions: Questions, evidence: Evidence, places: Sequence[Floats]) -> tuple[Score, Score]:
    """What is known of the order: 0.5 where the things lie in none, or where it is not sure that both are there; and
    how sure it is that both are there and lie so."""
    told = [relation for relation in scene.relations if questions.told_apart(relation.subject, relation.object)]
    if not told:
        return Score.unscored(_NO_RELATION), Score.unscored(_NO_RELATION)
    others = [*questions.names, questions.nothing]
    there = [found(evidence, name, others) for name in questions.names]
    orders = [(r, order(evidence, places[r.subject], places[r.object], r.kind)) for r in told]
    pairs = [(value, there[r.subject] * there[r.object]) for r, value in orders if value is not None]
    reason = _NO_ORDER if not evidence.outlines and any(r.kind == "in" for r in told) else _FLAT
    known = _mean([0.5 + (value - 0.5) * both for value, both in pairs], reason)
    return known, _mean([value * both for value, both in pairs], reason)


def _counts(scene: Scene, questions: Questions, evidence: Evidence) -> Score:
    wanted = [(name, thing.count) for name, thing in zip(questions.names, scene.objects, strict=True) if thing.count]
    if not wanted:
        return Score.unscored(_NO_COUNT)
    if not evidence.outlines:
        return Score.unscored(_CANNOT_COUNT)
    others = [*questions.names, questions.nothing]
    return _mean([counted(evidence, name, others, count) for name, count in wanted], _NO_COUNT)


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
