"""What was understood of a task's words: one reading a task, by rules, by a language model, or corrected by a person.

Generators and scorers get it with the task (``TaskInputs.reading``). A claim has the words of the prompt and, where
known, their English. What was not understood is not claimed: None, or an empty tuple, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from selector.domain.errors import InputError
from selector.domain.types import JSONValue, stable_hash

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Kind = Literal["left", "right", "above", "below", "on", "under", "in", "beside", "in_front", "behind"]
Language = Literal["en", "zh"]
Action = Literal["replace", "add", "delete"]
Side = Literal["above", "below", "left", "right", "in", "on"]
Spot = Literal[
    "top", "bottom", "left", "right", "centre", "top left", "top right", "bottom left", "bottom right"
]  # of the picture, or of what ``Place.of`` names
Scope = Literal["whole", "background", "subject", "region", "geometry"]
RULES = "rules"
TAGGED = "~"  # between a version and the tag of the reading that it rests on

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
    cube"); ``english``: the same phrase in English, ``noun_english``: of the noun; "" where that is not known.
    """

    noun: str
    attributes: tuple[Attribute, ...]
    count: int | None
    phrase: str
    english: str = ""
    noun_english: str = ""

    @property
    def in_english(self) -> Thing | None:
        """The same in English words alone; None where any of them is not known."""
        words = tuple(replace(attribute, word=attribute.english) for attribute in self.attributes)
        if not (self.english and self.noun_english and all(attribute.word for attribute in words)):
            return None
        return replace(self, noun=self.noun_english, attributes=words, phrase=self.english)


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

    def __post_init__(self) -> None:
        if not all(0 <= end < len(self.objects) for one in self.relations for end in (one.subject, one.object)):
            raise ValueError("a relation is of things that the scene has")

    @property
    def in_english(self) -> Scene | None:
        """The same scene in English words alone; None where those of any thing are not known."""
        if self.language == "en":
            return self
        things = tuple(thing for found in self.objects if (thing := found.in_english))
        return Scene(things, self.relations, "en") if len(things) == len(self.objects) else None


@dataclass(frozen=True, slots=True)
class Change:
    """Captions of the picture before and after, in the prompt's language, and in English where known; they differ."""

    before: str
    after: str
    before_english: str = ""
    after_english: str = ""

    @property
    def in_english(self) -> Change | None:
        """The English captions alone; None where they are not known."""
        return Change(self.before_english, self.after_english) if self.before_english and self.after_english else None


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
    stay; ``operations``: all that it asks for, where classical processing can do all of it, else none; ``becomes``: the
    words for what the region is to be or to have.
    """

    region: str = ""
    region_english: str = ""
    change: Change | None = None
    keeps: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    becomes: str = ""


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
    text is to go. ``new`` is None for "delete" only. ``place``: where an added text goes, or which of several equal
    old texts is meant; None where nothing is said of it. ``which``: "all" where all equal old texts are meant.
    """

    action: Action
    old: str | None
    new: str | None
    place: Place | None = None
    which: Literal["", "all"] = ""


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
        return "" if self.by == RULES else stable_hash(_told(self.as_json()), 8)

    @property
    def why_unread(self) -> str:
        """The reason of a score that rests on what is not claimed."""
        return f"not read: {self.unread.removeprefix('not read: ')}" if self.unread else "not read"

    def as_json(self) -> dict[str, Any]:
        """JSON values, as a store or another program gets them."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reading:
        """The reading that ``as_json`` told; what an older program did not know is as by default.

        Raises:
            InputError: it is none, as in a store that was damaged.

        >>> reading = Reading("qwen", Scene((Thing("cup", (), 2, "two cups"),), (), "en"), ("OPEN",))
        >>> Reading.from_json(reading.as_json()) == reading
        True
        """
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # text that is not Unicode
            found = _adapter().validate_python(value)
        except (ValueError, RecursionError) as error:
            raise InputError(
                "a stored reading of a task's words is damaged: restore the campaign from a backup"
            ) from error
        return found


def with_tag(version: str, tag: str) -> str:
    """The version of a score, or the build of a generator, that rests on a task's reading with this ``Reading.tag``.

    >>> with_tag("2-owlv2", "1f3a"), with_tag("2-owlv2", "")
    ('2-owlv2~1f3a', '2-owlv2')
    """
    return f"{version}{TAGGED}{tag}" if tag else version


def _told(value: Any) -> Any:
    """Without what says nothing, so that a field which a later program adds changes no tag."""
    if isinstance(value, dict):
        return {key: told for key, one in value.items() if (told := _told(one)) not in (None, "", [], {})}
    return [_told(one) for one in value] if isinstance(value, (list, tuple)) else value


@cache
def _adapter() -> TypeAdapter[Reading]:
    from pydantic import TypeAdapter

    return TypeAdapter(Reading)
