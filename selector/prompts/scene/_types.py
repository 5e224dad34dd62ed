"""What a prompt says that can be looked for: things with attributes and counts, and how they lie to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["left", "right", "above", "below", "on", "under", "in", "beside", "in_front", "behind"]
Language = Literal["en", "zh"]

OPPOSITE: dict[Kind, Kind] = {"left": "right", "right": "left", "above": "below", "below": "above"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property as the prompt words it. ``kind``: colour, material, size, shape, pattern, age, texture or state."""

    kind: str
    word: str


@dataclass(frozen=True, slots=True)
class Thing:
    """One named thing, or several alike.

    ``noun``: singular in English ("cube"). ``count``: a number that the prompt states, None for "a", "some" and the
    like. ``phrase``: what to look for, in the prompt's language, with all attributes ("a red cube").
    """

    noun: str
    attributes: tuple[Attribute, ...]
    count: int | None
    phrase: str


@dataclass(frozen=True, slots=True)
class Relation:
    """``subject`` lies ``kind`` ("left": to the left of) ``object``; both are indexes of ``Scene.objects``."""

    subject: int
    kind: Kind
    object: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What was understood of a prompt. What was not is absent: fewer things, never other ones."""

    objects: tuple[Thing, ...]
    relations: tuple[Relation, ...]
    language: Language
