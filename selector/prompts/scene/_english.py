"""Reads English prompts: elements one after the other, with what each clause is about.

Precision before recall: where a preposition could belong to either of two things ("a woman with a cat on the sofa"),
no relation is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from selector.prompts.scene._builder import Builder
from selector.prompts.scene._elements_english import Element, elements
from selector.prompts.scene._noun_phrases import NounPhrase
from selector.prompts.scene._types import Kind, Scene

_SHARED_KINDS = frozenset({"on", "under", "in"})  # "a cup and a plate on a table": both
_NOWHERE = -1  # the landmark is a place (a beach): it is named, but nothing has an order to it


def parse_english(text: str) -> Scene:
    """The scene of a cleaned English prompt."""
    return _Reader(_with_shared_nouns(elements(text))).read()


def _with_shared_nouns(found: list[Element]) -> list[Element]:
    """ "a red and a blue ball": the first takes its noun from the second. What stays without a noun goes."""
    for i, element in enumerate(found):
        if element.phrase is None or element.phrase.words:
            continue
        after = [e.phrase for e in found[i + 2 : i + 3] if found[i + 1].role == "and" and e.phrase and e.phrase.words]
        if after:
            element.phrase.words, element.phrase.head = list(after[0].words), after[0].head
    return [e for e in found if e.phrase is None or e.phrase.words]


@dataclass
class _Clause:
    """What the words so far are about. ``came``: how the last thing entered: head, with, object, relation, inverted."""

    heads: list[int] = field(default_factory=list)
    last: int = _NOWHERE
    came: str = ""
    before: int | None = None  # the first head of the clause before
    unclear: bool = False  # "a cat under a table with a vase": what follows "with" may belong to either


@dataclass
class _Pending:
    """A relation that waits for its object, or, inverted ("on the table is"), for its subject after it."""

    kind: Kind
    subjects: list[int]
    inverted: bool = False
    landmark: int | None = None


class _Reader:
    """One pass over the elements."""

    def __init__(self, found: list[Element]) -> None:
        self.found = found
        self.at = 0
        self.made = Builder("en")
        self.clause = _Clause()
        self.pending: _Pending | None = None
        self.side = ""  # of the thing that comes next
        self.since: set[str] = set()  # roles since the last thing

    def read(self) -> Scene:
        steps = {
            "thing": self._thing, "pronoun": self._thing, "relation": self._relation, "its_side": self._its_side,
            "side": self._side, "attribute": self._attributes, "stop": self._stop,
        }  # fmt: skip
        for at, element in enumerate(list(self.found)):
            self.at = at
            if element.role in steps:
                steps[element.role](element)
            else:
                self.since.add(element.role)
        return self.made.scene()

    def _stop(self, _element: Element) -> None:
        before = self.clause.heads[0] if self.clause.heads else self.clause.before
        self.clause, self.pending, self.side, self.since = _Clause(before=before), None, "", set()

    def _thing(self, element: Element) -> None:
        index = self._meant() if element.phrase is None else self._named(element.phrase)
        if index is None:
            waits = self.pending is not None and self.pending.landmark is not None
            self.pending = self.pending if waits else None
            self.since = (self.since | {"other"}) - {"drop", "be"}
            return
        phrase = element.phrase
        worn = phrase is not None and phrase.is_worn and self.pending is not None and self.pending.kind == "in"
        self._place(index, worn or (phrase is not None and phrase.is_place))
        if self.side:
            self.made.sides.append((index, self.side))
            self.side = ""
        self.since = set()

    def _meant(self) -> int | None:
        """What "it" stands for: the clause's first head, or that of the clause before."""
        clause = self.clause
        alone = clause.came == "head" and clause.last == clause.heads[0] if clause.heads else True
        awaiting_object = self.pending is not None and not self.pending.inverted
        return clause.before if alone and (awaiting_object or not clause.heads) else clause.heads[0]

    def _named(self, phrase: NounPhrase) -> int | None:
        """The index of a thing, a new one or one that "the" refers to; None for what is no object or unclear."""
        if not phrase.is_object or "drop" in self.since:
            return None
        if phrase.definite and (found := self.made.named(phrase.main_word, phrase.attributes)):
            return found[0] if len(found) == 1 else None
        plural = " ".join(phrase.words) if phrase.plural and phrase.count is None else ""
        return self.made.add(phrase.noun, phrase.attributes, phrase.count, phrase.main_word, plural)

    def _place(self, index: int, is_place: bool) -> None:
        """Put a thing into the clause: it ends a relation, or is a new head, or comes by "with" or a verb."""
        pending = self.pending
        if pending is None:
            self._enter(index)
        elif pending.inverted and pending.landmark is None:
            pending.landmark = _NOWHERE if is_place else index
        elif pending.inverted:
            self._end_inverted(pending, index)
        else:
            for subject in pending.subjects:
                if not is_place:
                    self.made.relate(subject, pending.kind, index)
            self.clause.last, self.clause.came, self.pending = index, "relation", None

    def _end_inverted(self, pending: _Pending, index: int) -> None:
        if pending.landmark is not None and pending.landmark != _NOWHERE:
            self.made.relate(index, pending.kind, pending.landmark)
        before = self.clause.heads[0] if self.clause.heads else self.clause.before
        self.clause = _Clause([index], index, "inverted", before)
        follows = [element.role for element in self.found[self.at + 1 : self.at + 3]]
        shares = follows == ["and", "thing"] and pending.kind in _SHARED_KINDS  # "on the table are a cup and a plate"
        self.pending = pending if shares else None

    def _enter(self, index: int) -> None:
        clause, since = self.clause, self.since
        if clause.heads and "with" in since:
            clause.unclear = clause.unclear or clause.came in ("relation", "object", "with")
            clause.came = "with"
        elif clause.heads and "verb" in since and clause.came != "inverted":
            clause.came = "object"
        elif clause.came in ("with", "object") and since and since <= {"and", "comma"}:
            pass  # "with a hat, a scarf and a coat"
        elif clause.came == "head" and since and since <= {"and", "comma"}:
            clause.heads.append(index)
        else:
            before = clause.heads[0] if clause.heads else clause.before
            self.clause = clause = _Clause([index], came="head", before=before)
        clause.last = index

    def _relation(self, element: Element) -> None:
        kind = element.kind
        assert kind is not None
        inverted = not self.clause.heads or (bool(self.since & {"and", "comma"}) and self._inverts())
        subjects = [] if inverted else self._subjects(kind)
        self.pending = _Pending(kind, subjects, inverted)
        self.since = self.since & {"drop"}

    def _inverts(self) -> bool:
        """Whether a subject follows the landmark: "next to it a bell", "behind the car stands a man"."""
        roles = [e.role for e in self.found[self.at + 1 : self.at + 5]]
        return roles[:2] == ["pronoun", "thing"] or (
            roles[:1] in (["thing"], ["pronoun"]) and roles[1:2] in (["be"], ["verb"]) and "thing" in roles[2:4]
        )

    def _subjects(self, kind: Kind) -> list[int]:
        """What a relation is about; nothing where it could be either of two."""
        clause, since = self.clause, self.since
        if clause.came == "head":
            shared = bool(since & {"be", "verb"}) or kind in _SHARED_KINDS
            return list(clause.heads) if shared and "comma" not in since else clause.heads[-1:]
        if clause.came == "inverted":
            return clause.heads[-1:]
        if since & {"and", "comma"}:
            return clause.heads[:1]
        return [clause.last] if clause.came == "with" and self._refers_back(clause.unclear) else []

    def _refers_back(self, unclear: bool) -> bool:
        """Whether what follows was named before: "a box with a ball on it"; no pronoun where it could be either."""
        for element in self.found[self.at + 1 : self.at + 2]:
            phrase = element.phrase
            if phrase is not None:
                return phrase.definite and bool(self.made.named(phrase.main_word, phrase.attributes))
            return element.role == "pronoun" and not unclear
        return False

    def _its_side(self, element: Element) -> None:
        """ "with a dog to its left", "to its left is a dog"."""
        kind, clause = element.kind, self.clause
        assert kind is not None
        if clause.came == "with" and not self.since and clause.heads:
            if not clause.unclear:
                self.made.relate(clause.last, kind, clause.heads[0])
        else:
            owner = clause.heads[0] if clause.heads else clause.before
            self.pending = _Pending(kind, [], True, owner) if owner is not None else None

    def _side(self, element: Element) -> None:
        """ "on the left": of the thing before, or, at the start of a clause, of the one that follows."""
        starts = not self.clause.heads or bool(self.since & {"and", "comma", "other"})
        follows = [e.role for e in self.found[self.at + 1 : self.at + 2]]
        if starts and follows and follows[0] in ("be", "thing", "verb", "other", "comma"):
            self.side = element.side
        elif self.clause.last != _NOWHERE:
            self.made.sides.append((self.clause.last, element.side))

    def _attributes(self, element: Element) -> None:
        """ "is red" describes what the clause is about; "which is red" and "painted red" the thing before."""
        clause = self.clause
        described = [clause.last] if element.side == "last" else clause.heads
        for index in described:
            if index != _NOWHERE:
                self.made.describe(index, element.attributes)
        self.since.add("attribute")
