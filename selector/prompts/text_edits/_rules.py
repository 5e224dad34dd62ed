"""What the English and the Chinese rules of text edits have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from selector.domain.reading import Action, Place

QUOTE = "[\ue000-\ue7ff]"  # private use: one character stands for one quoted text
SURFACE, PLAIN, ANCHORED = "\uf100", "\uf400", "\uf600"  # first of the characters that stand for one place each
ANY_PLACE = "[\uf100-\uf8ff]"
_FIRST_PLACES = re.compile(rf"^(?:{ANY_PLACE}[,\s]+)+")


@dataclass(frozen=True)
class Rule:
    """A pattern for a whole instruction; its groups "old", "new", "part" (of the old text), "lead" and "place" count.

    ``alike``: old and new must share a character. Without quotes 周一 to 周二 is a text; 开门 to 小猫 may be a picture.
    ``alone``: which text is meant is not said; then a wish to keep one thing or other could speak of that text.
    """

    action: Action
    pattern: str
    alike: bool = False
    alone: bool = False

    def match(self, instruction: Instruction) -> re.Match[str] | None:
        """Match the whole instruction, case ignored. The pattern is compiled when its number of quotes first fits."""
        quotes = len(re.findall(QUOTE, instruction.text))
        fits = self.pattern.count(f">{QUOTE})") <= quotes <= self.pattern.count(QUOTE)
        if not fits or (self.alone and (instruction.keeps or PLAIN <= instruction.text[:1] <= "\uf8ff")):
            return None
        text = instruction.text if self.action == "add" else _FIRST_PLACES.sub("", instruction.text)
        return _compiled(self.pattern).fullmatch(text)


@dataclass(frozen=True)
class Instruction:
    """What rules match: quotes, and in English places, as one private character each; wishes to keep are taken off.

    ``keeps``: one was more than to keep all else, or the lettering's look. ``places``: their words, by character.
    """

    text: str
    keeps: bool = False
    places: dict[str, str] = field(default_factory=dict)

    def words(self, group: str | None) -> str:
        """The words of a group of places."""
        return re.sub(ANY_PLACE, lambda match: self.places[match.group()], group or "").strip(" ,")


@dataclass(frozen=True)
class Spot:
    """One phrase of place. ``bears``: it names what the text stands on or in, which adds little to another phrase."""

    place: Place
    bears: bool = False


def one_place(phrases: Sequence[Spot], words: str) -> Place:
    """The place that several phrases name together, or their words alone where one record cannot hold what they say.

    On the sign in front of the shop: the second says which sign. On the wall above the sofa: the second says more.
    """
    bearers = [phrase.place for phrase in phrases if phrase.bears and phrase.place.of]
    spots = [phrase.place for phrase in phrases if not phrase.bears]
    if bearers:
        spots = [spot for spot in spots if spot.side or spot.spot or spot.is_text]
    if len(spots) > 1:
        return Place(words=words)
    place = (spots or bearers or [Place()])[0]
    return replace(place, of=place.of or (bearers[0].of if bearers else ""), words=words)


def without(frame: Sequence[re.Pattern[str]], text: str) -> str:
    """The text without what the patterns match, taken away again and again until nothing more goes."""
    while True:
        shorter = text
        for pattern in frame:
            shorter = pattern.sub("", shorter).strip()
        if shorter == text:
            return text
        text = shorter


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)
