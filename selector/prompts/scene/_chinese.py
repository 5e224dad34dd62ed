"""Reads Chinese prompts: pieces one after the other. A location comes after its landmark (桌子上, 在猫的左边)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selector.prompts.scene._builder import Builder
from selector.prompts.scene._pieces_chinese import Phrase, Piece, location_kind, phrase_at, pieces
from selector.prompts.scene._types import Attribute, Kind, Scene

_SIDES: dict[Kind, str] = {"left": "left", "right": "right", "above": "top", "below": "bottom"}
_NOWHERE = -1
_AGE = re.compile(
    r"(?:\d+|[一二两三四五六七八九十几百半]+)[多来]?(?:周?岁半?大?|个月大)(?!月)(?:左右)?的?"
)  # 三岁的女孩 is one girl


def parse_chinese(text: str) -> Scene:
    """The scene of a cleaned Chinese prompt."""
    return _Reader(pieces(_AGE.sub("", text))).read()


@dataclass
class _Wait:
    """A relation whose subject comes later: 桌子上有…, or 桌子上的… (``attributive``)."""

    kind: Kind
    landmark: int
    attributive: bool = False


class _Reader:
    """One pass over the pieces."""

    def __init__(self, found: Sequence[Piece]) -> None:
        self.found = found
        self.made = Builder("zh")
        self.heads: list[int] = []
        self.object: int | None = None  # of the clause's verb
        self.before: list[int] = []  # heads of the clause before
        self.landmark: int | None = None  # of the last location of this sentence
        self.waiting: _Wait | None = None
        self.shared: _Wait | None = None  # 桌子上有一只猫和一只狗: both
        self.relative = False  # 两只坐在树上的猫: the quantity came first, the noun comes later
        self.count: int | None = None
        self.side = ""
        self.since: list[str] = ["stop"]  # roles since the last thing

    def read(self) -> Scene:
        j = 0
        while j < len(self.found):
            j = self._step(j)
        return self.made.scene()

    def _step(self, j: int) -> int:
        piece = self.found[j]
        phrase = phrase_at(self.found, j)
        if phrase:
            return self._phrase(*phrase)
        if piece.role == "location" or (piece.role == "picture"):
            return self._bare_location(j)
        if piece.role == "attribute" and ("be" in self.since or self._role(j + 1) in ("comma", "stop")):
            self._predicate(j)
        elif piece.role == "quantity":
            self.relative, self.count = True, piece.count
        elif piece.role in ("stop", "comma"):
            self._end(piece.role)
        self.since.append(piece.role)
        return j + 1

    def _role(self, j: int) -> str:
        return self.found[j].role if j < len(self.found) else "stop"

    def _end(self, role: str) -> None:
        """A comma ends a clause, a full stop the sentence with its landmark as well."""
        self.before = self.heads or self.before
        self.heads, self.object, self.count, self.relative = [], None, None, False
        if self.waiting and self.waiting.attributive:
            self.waiting = None
        if role == "stop":
            self.landmark, self.waiting, self.side = None, None, ""

    def _phrase(self, phrase: Phrase, after: int) -> int:
        """A noun phrase: a landmark when a location follows, else a thing."""
        location = after + 1 if self._role(after) == "of" and self._role(after + 1) == "location" else after
        if self._role(location) == "location":
            return self._landmark(phrase, location)
        worn = self.since[-1:] == ["verb"] or (phrase.opened and "verb" in self.since)  # 戴着帽子的男人
        if self._role(after) == "of" and not worn:
            if phrase.quantified:  # 一座红色屋顶的小木屋: the quantity is that of what comes
                self.relative, self.count = True, phrase.count
            self.since.append("of")  # 猫的帽子: what it belongs to, no thing of its own
            return after + 1
        self._thing(phrase, after)
        return after

    def _landmark(self, phrase: Phrase, location: int) -> int:
        kind = location_kind(self.found[location])
        index = self._named(phrase) if phrase.is_object else None
        after = location + 1
        nowhere = index is None or phrase.is_place
        self.landmark = None if nowhere else index
        attributive = self._role(after) == "of"
        ends = self._role(after) in ("comma", "stop")
        at = "at" in self.since or ("verb" in self.since and ends)  # 飞过大桥上方
        if at and self.heads and not attributive:
            for subject in self.heads:
                if not nowhere and index is not None:
                    self.made.relate(subject, kind, index)
            self.object = index if index is not None else self.object
        elif index is not None and not nowhere:
            self.waiting = _Wait(kind, index, attributive)
        self.since = ["of"] if attributive else ["location"]
        return after + 1 if attributive else after

    def _bare_location(self, j: int) -> int:
        """A location without a landmark: a side of the picture, or of what the sentence spoke of."""
        of_picture = self.found[j].role == "picture"
        while self._role(j) in ("picture", "of"):
            j += 1
        kind = location_kind(self.found[j])
        at, after = "at" in self.since, j + 1
        owner = self._owner(kind, of_picture)
        if owner is None:
            self._to_side(_SIDES.get(kind, ""), at)
        elif at and self.heads:
            for subject in self.heads:
                self.made.relate(subject, kind, owner)
        else:
            self.waiting = _Wait(kind, owner)
        self.since.append("location")
        return after + 1 if self._role(after) == "of" else after

    def _owner(self, kind: Kind, of_picture: bool) -> int | None:
        if of_picture or self._role_is_side(kind):
            return None
        before = [i for i in self.before if i not in self.heads]
        if len(before) == 1 and kind not in _SIDES:
            return before[0]
        return self.landmark

    def _role_is_side(self, kind: Kind) -> bool:
        return kind in _SIDES and bool(self.made.sides)

    def _to_side(self, side: str, at: bool) -> None:
        if side and at and self.heads:
            self.made.sides += [(index, side) for index in self.heads]
        elif side:
            self.side = side

    def _thing(self, phrase: Phrase, after: int) -> None:
        dropped = "drop" in self.since or not phrase.is_object
        if dropped or not (phrase.opened or self._bare_is_welcome(after)):
            self.since.append("other")
            return
        index = self._named(phrase)
        if self.side:
            self.made.sides.append((index, self.side))
            self.side = ""
        in_clause = self.relative and "verb" in self.since  # 图书馆里，一位戴眼镜的教授: the professor waits
        if self.waiting and not in_clause:
            self._end_waiting(index)
        else:
            self._enter(index)
        self.since = []

    def _bare_is_welcome(self, after: int) -> bool:
        """Whether a noun alone counts: at the start, in a list, after a verb, before 在 or 是."""
        before = self.since[-1] if self.since else ""
        return (
            before in ("and", "verb")
            or (before in ("stop", "comma", "of", "be") and self._role(after) in ("at", "be", "and", "verb"))
            or (before == "stop" and not self.made.count and self._role(after) in ("comma", "stop"))
            or (before == "of" and self.relative)
            or self.waiting is not None
        )

    def _named(self, phrase: Phrase) -> int:
        known = self.made.named(phrase.noun, phrase.attributes) if not phrase.quantified else []
        if len(known) == 1:
            return known[0]
        count = phrase.count
        if self.relative and self.since[-1:] == ["of"]:
            count, self.count, self.relative = self.count, None, False
        return self.made.add(phrase.noun, phrase.attributes, count)

    def _end_waiting(self, index: int) -> None:
        waiting, self.waiting = self.waiting, None
        assert waiting is not None
        self.made.relate(index, waiting.kind, waiting.landmark)
        if waiting.attributive:
            self._enter(index)
            return
        self.heads, self.shared = [index], waiting

    def _enter(self, index: int) -> None:
        """A thing that no location brought: in a list, the object of a verb, or what the clause is about."""
        since = self.since
        if self.heads and since == ["and"]:
            self.heads.append(index)
            if self.shared:
                self.made.relate(index, self.shared.kind, self.shared.landmark)
            return
        self.shared = None
        if self.object is not None and since == ["and"]:
            pass
        elif "verb" in since and "of" not in since:
            self.object = index
        else:
            self.heads = [index]

    def _predicate(self, j: int) -> None:
        """猫是黑色的: what the clause is about gets the attribute."""
        piece = self.found[j]
        text = f"{piece.text}色" if piece.kind == "colour" and len(piece.text) == 1 else piece.text
        for index in self.heads:
            self.made.describe(index, [Attribute(piece.kind, text)])
