"""What was understood of a task's words: one reading a task, by rules, by a language model, or corrected by a person.

Generators and scorers get it with the task (``TaskInputs.reading``). A claim has the words of the prompt and, where
known, their English. What was not understood is not claimed: None, or an empty tuple, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from selector.domain.types import JSONValue, stable_hash

Kind = Literal["left", "right", "above", "below", "on", "under", "in", "beside", "in_front", "behind"]
Language = Literal["en", "zh"]
Action = Literal["replace", "add", "delete"]
Side = Literal["above", "below", "left", "right", "in", "on"]
Spot = Literal[
    "top", "bottom", "left", "right", "centre", "top left", "top right", "bottom left", "bottom right"
]  # of the picture, or of what ``Place.of`` names
Scope = Literal["whole", "background", "subject", "region", "geometry"]
RULES = "rules"

OPPOSITE: dict[Kind, Kind] = {"left": "right", "right": "left", "above": "below", "below": "above"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property as the prompt words it. ``kind``: colour, material, size, shape, pattern, age, texture or state."""

    kind: str
    word: str
    english: str = ""  # "": not known; the same as ``word`` in an English prompt


@dataclass(frozen=True, slots=True)
class Thing:
    """One named thing, or several alike.

    ``noun``: as the prompt has it, singular in English ("cube"). ``count``: a number that the prompt states, None for
    "a", "some" and the like. ``phrase``: what to look for, in the prompt's language, with all attributes ("a red
    cube"); ``english``: the same phrase in English, "" where that is not known.
    """

    noun: str
    attributes: tuple[Attribute, ...]
    count: int | None
    phrase: str
    english: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """``subject`` lies ``kind`` ("left": to the left of) ``object``; both are indexes of ``Scene.objects``."""

    subject: int
    kind: Kind
    object: int


@dataclass(frozen=True, slots=True)
class Scene:
    """What a prompt says that can be looked for. What was not understood is absent: fewer things, never other ones."""

    objects: tuple[Thing, ...]
    relations: tuple[Relation, ...]
    language: Language


@dataclass(frozen=True, slots=True)
class Change:
    """Captions of the picture before and after, in the prompt's language, and in English where known; they differ."""

    before: str
    after: str
    before_english: str = ""
    after_english: str = ""


@dataclass(frozen=True)
class Operation:
    """One thing that classical processing can do to a picture.

    ``amount``: 1.0 is the plain request, 0.5 "slightly", 1.6 "much"; negative where the operation goes both ways and
    less is wanted (darker, cooler). ``params``: recolour {"from", "to", "noun", "plural"}; flip {"axis": "horizontal"
    or "vertical"}; rotate {"degrees": clockwise, "certain": whether the direction was given}; crop {"kind": "margin"},
    {"kind": "ratio", "ratio": width / height} or {"kind": "half", "side": "left", "right", "top" or "bottom"}.
    """

    name: str
    scope: Scope
    amount: float = 1.0
    params: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True)
class SceneEdit:
    """What an instruction changes, and what it wants kept.

    ``region``: the noun of what changes, "" where it is the whole picture or not known; ``keeps``: what is named as to
    stay; ``operations``: all that it asks for, where classical processing can do all of it, else none.
    """

    region: str = ""
    region_english: str = ""
    change: Change | None = None
    keeps: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is to stand: ``side`` of the line or thing ``of``, or ``spot`` of the picture or of ``of``.

    With ``of`` but neither, it stands near it, and no side is said ("next to"). With ``words`` alone, more is said than
    can be held here: it is to be declined or noted. ``is_text``: ``of`` is a text in the picture, by its words; else a
    thing, without its article. ``words``: as the instruction has it.
    """

    of: str = ""
    is_text: bool = False
    side: Side | None = None
    spot: Spot | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class TextEdit:
    """What is to happen to the text in a picture.

    ``old`` is None for "add", for "replace" when the instruction names only the new text, and for "delete" when all
    text is to go. ``new`` is None for "delete" only. ``place``: where a new text goes that replaces none; None where
    nothing is said of it.
    """

    action: Action
    old: str | None
    new: str | None
    place: Place | None = None


@dataclass(frozen=True)
class Reading:
    """All that was understood of one task's words. Which fields can be filled depends on the task's type.

    ``by``: "rules", a model's name, or "table" where a person has corrected it. ``texts``: to be drawn, of a text to
    image task. ``unread``: why nothing, or not all, was understood; "" where all was.
    """

    by: str = RULES
    scene: Scene | None = None
    texts: tuple[str, ...] = ()
    edit: SceneEdit | None = None
    text_edit: TextEdit | None = None
    unread: str = ""

    @property
    def tag(self) -> str:
        """What a score that rests on it bears beside its version; "" for rules, whose version is the scorer's."""
        return "" if self.by == RULES else stable_hash(self.as_json(), 8)

    def as_json(self) -> dict[str, Any]:
        """JSON values, as a store or another program gets them."""
        return asdict(self)
