"""The reader of English scenes: lists, counts, attributes, and one named thing beside another."""

from __future__ import annotations

import re
from functools import lru_cache

from selector.domain.reading import Attribute, Scene, Thing
from selector.prompts.scene._builder import Builder, NotRead
from selector.prompts.scene._words import (
    is_noun,
    is_plural,
    kinds,
    parts_of_speech,
    singular,
    tables,
    with_article,
)

_NUMBERS = ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
            " eighteen nineteen twenty").split()  # fmt: skip
_COUNTS = {word: value for value, word in enumerate(_NUMBERS, 1)} | {"dozen": 12, "thirty": 30, "forty": 40, "fifty": 50}
_MANY = frozenset("some several many multiple various few lots numerous assorted different".split())
_TOKEN = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|[^\w\s]|[\ue000_]")
_CITED = re.compile(r"(?:that (?:says|reads)|saying|reading|with the (?:words?|text|title|letters)|labell?ed|titled) *\ue000")
_ADJECTIVE_END = re.compile(r".*(?:ic|al|ous|ful|ive|able|ible|ish|less|ed|ant|ent|ary|y)$")
_BE = ("is", "are", "was", "were")
_WITH = frozenset("with wearing holding carrying containing featuring and&".split())
_NOT_BARE = ("in", "on", "over", "at", "")  # "on fire", "in bed": no place without an article
_HEAD = re.compile(
    rf"^(?:(?:an?|the) )?(?:[a-z-]+ |black and white ){{0,2}}(?:{'|'.join(tables('en')['pictures'])}) (?:of|showing) "
)


def read_english(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder("en"), []
    for sentence in re.split(r"[.;:!?\n|]+(?=\s|$)", _CITED.sub(" ", text)):
        if sentence.strip() and not _read(builder, sentence):
            unread += _read_pieces(builder, sentence)
    return builder.scene(), "; ".join(unread)


def _read(builder: Builder, text: str) -> bool:
    mark = builder.mark()
    try:
        _Clause(builder, _TOKEN.findall(_HEAD.sub("", " ".join(text.split())))).read()
    except NotRead:
        builder.back(mark)
        return False
    return True


def _read_pieces(builder: Builder, sentence: str) -> list[str]:
    """Read the parts between commas that stand for themselves; what is denied or likened takes its sentence along."""
    if set(_TOKEN.findall(sentence)) & {*tables("en")["denials"], "\ue000"}:
        return [sentence.strip()]
    pieces = [piece.strip() for piece in sentence.split(",") if piece.strip()]
    return [p for i, p in enumerate(pieces) if not ((i == 0 or _opens(p)) and _read(builder, p))]


def _opens(piece: str) -> bool:
    return piece.split()[0] in {"a", "an", "there", *_COUNTS}


@lru_cache
def _relations() -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): kind for phrase, kind in tables("en")["relations"].items()}


class _Clause:
    """One clause, read from left to right; every method raises ``NotRead`` where it does not understand a word."""

    def __init__(self, builder: Builder, words: list[str]) -> None:
        self.builder, self.words, self.at = builder, words, 0
        self.subjects: list[int | None] = []  # of the group that was named last
        self.settled = False  # what follows could be said of several things

    def read(self) -> None:
        self._take("there", *_BE)
        kind = self._relation()
        if kind is None:
            self._group()
        else:
            self._fronted(kind)
        while self.at < len(self.words):
            self._tail()

    def _peek(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""

    def _take(self, *words: str) -> bool:
        """Step over one or two of the words, in their order of a clause ("there is")."""
        start = self.at
        while self._peek() in words and self.at < start + 2:
            self.at += 1
        return self.at > start

    def _fronted(self, kind: str) -> None:
        """ "On the table (there) is a cup": the place before the thing."""
        place = [self._noun_phrase(kind)]
        self._take(",")
        if not (self._take("there", *_BE) or self._posture(finite=True)):
            raise NotRead(self._peek())
        self._group()
        self.builder.relate(self.subjects, kind, place)
        self.settled = True

    def _group(self) -> None:
        """ "A", "A and B", "A, B and C"."""
        self.subjects = [self._noun_phrase()]
        while self._peek() in (",", "and", "&"):
            start = self.at
            self._take(",", "and", "&")
            try:
                self.subjects.append(self._noun_phrase())
            except NotRead:
                self.at = start
                return

    def _tail(self) -> None:
        word = self._peek()
        whole = word in _BE or (self._posture(finite=True, test=True) and not self.settled)
        if word in _BE:
            self.at += 1
        if self._side():
            return
        posture = self._posture(finite=whole)
        kind = self._relation()
        if kind is not None:
            self._related(kind, whole)
        elif posture:
            pass
        elif whole and word in _BE:
            self._described()
        elif word in _WITH or self._is_action(word):
            self.at += 1
            self.settled = True
            self._group()
        elif word in (",", "and", "&") and not (word == "," and self._relation_next()):
            self.at += 1
            self._take("and")
            self._group()
        elif word == ",":
            self.at += 1
            self.settled = self.settled or len(self.builder.things) > 1
        else:
            raise NotRead(word)

    def _related(self, kind: str, whole: bool) -> None:
        subjects = self.subjects if whole else self.subjects[-1:]
        lies = self._noun_phrase(kind)
        if not self.settled:
            self.builder.relate(subjects, kind, [lies])
        self.settled = True
        if self._peek() == "and":  # "A on B and C on D": the next pair stands for itself, but not inside a "with"
            self.at += 1
            self._group()
            self.settled = False

    def _relation_next(self) -> bool:
        self.at += 1
        start = self.at
        found = bool(self._posture()) or self._relation() is not None
        self.at = start - 1
        return found

    def _relation(self) -> str | None:
        """The kind of the longest phrase of place that stands here; "" for one that claims nothing."""
        for length in range(5, 0, -1):
            words = tuple(self.words[self.at : self.at + length])
            if len(words) == length and words in _relations():
                self.at += length
                return _relations()[words]
        return None

    def _side(self) -> bool:
        """ "On the left", of the picture."""
        match = re.match(r"(?:on|to|at) the (?:far )?(left|right)(?: side)?(?! (?:of|side))\b", " ".join(self.words[self.at :]))
        if not match:
            return False
        self.at += len(match[0].split())
        for index in self.subjects[-1:]:
            if index is not None:
                self.builder.sides[index] = match[1]
        return True

    def _posture(self, finite: bool = False, test: bool = False) -> bool:
        """Step over "sitting", "parked" or, if ``finite``, "sits"; only before a place."""
        word = self._peek()
        fits = bool(set(parts_of_speech(word).get("VERB", ())) & set(tables("en")["postures"]))
        fits = fits and (finite or word.endswith(("ing", "ed")) or word in ("hung", "set", "stood"))
        if fits and not test:
            self.at += 1
        return fits

    def _is_action(self, word: str) -> bool:
        """ "Chasing", "eats": what one thing does to another, which says nothing of their places."""
        lemmas = parts_of_speech(word).get("VERB", ())
        return bool(lemmas) and word.endswith(("ing", "s")) and not set(lemmas) & set(tables("en")["not_visible"])

    def _described(self) -> None:
        """ "The cat is black": only of one thing."""
        attributes = self._attributes(len(self.words))
        if not attributes or len(self.subjects) != 1 or self.subjects[0] is None:
            raise NotRead(self._peek())
        thing = self.builder.things[self.subjects[0]]
        phrase = _phrase(thing.noun, (*thing.attributes, *attributes), not thing.phrase.startswith(("a ", "an ")))
        self.builder.describe(self.subjects[0], attributes, phrase, phrase)
        self.settled = True

    def _noun_phrase(self, relation: str | None = None) -> int | None:
        """Read one noun phrase; ``relation``: of the phrase of place before it."""
        start = self.at
        article = self._peek() if self._peek() in ("a", "an", "the") else ""
        self.at += bool(article)
        count, many = self._count()
        attributes, noun = self._longest_noun(article, count, many)
        head = noun.split(" ")[-1]
        bare = self.at - start == 1 and not is_plural(head) and len(self.words) > 3
        if bare and relation in _NOT_BARE:
            raise NotRead(noun)
        plural = is_plural(noun) and noun != singular(noun)
        if self._peek() == "of" and singular(head) in (*tables("en")["groups"], *tables("en")["containers"]):
            return self._of(singular(noun), attributes, count, plural)
        if self._peek() == "made" and self.words[self.at + 1 : self.at + 2] in (["of"], ["from"]):
            self.at += 2
            attributes += self._attributes(self.at + 1) or self._fail()
        name = singular(noun)
        if singular(head) in tables("en")["no_thing"] and name not in tables("en")["compounds"]:
            return None
        if relation == "in" and singular(head) not in tables("en")["places"]:
            self.settled = True  # "in a red coat": worn, or a manner
        phrase = _phrase(name, attributes, plural and not count)
        return self.builder.add(Thing(name, tuple(attributes), count, phrase, phrase), article == "the")

    def _fail(self) -> list[Attribute]:
        raise NotRead(self._peek())

    def _of(self, noun: str, attributes: list[Attribute], count: int | None, plural: bool) -> int | None:
        """ "A group of cats" is cats; "a cup of coffee" is one thing, "a bowl of red apples" are two."""
        self.at += 1
        before = len(self.builder.things)
        inner = self._noun_phrase()
        if noun in tables("en")["groups"] or inner is None or inner < before:
            return inner
        content = self.builder.things[inner]
        if content.attributes or content.count:
            phrase = _phrase(noun, attributes, plural and not count)
            return self.builder.add(Thing(noun, tuple(attributes), count, phrase, phrase))
        del self.builder.things[inner:]
        name = f"{noun} of {content.phrase.split(' ', 1)[-1] if content.phrase[:2] in ('a ', 'an') else content.phrase}"
        phrase = _phrase(name, attributes, plural and not count)
        return self.builder.add(Thing(name, tuple(attributes), count, phrase, phrase))

    def _count(self) -> tuple[int | None, bool]:
        """(stated number, whether several are meant)."""
        word = self._peek()
        value = _COUNTS.get(word) or (int(word) if word.isdigit() and 0 < int(word) <= 50 else None)
        if value:
            self.at += 1
            return value, value > 1
        if word in _MANY:
            self.at += 1
            self.at += self._peek() == "of"
            return None, True
        return None, False

    def _longest_noun(self, article: str, count: int | None, many: bool) -> tuple[list[Attribute], str]:
        """Attributes and noun, as many words as can be one. The number must agree; the whole compound is the noun."""
        start = self.at
        for end in range(min(len(self.words), start + 7), start, -1):
            if all(word.isalpha() or "-" in word for word in self.words[start:end]):
                self.at = start
                attributes = self._attributes(end - 1)
                words = self.words[self.at : end]
                if words and _is_compound(words, bool(article and article != "the"), count, many):
                    self.at = end
                    return attributes, " ".join(words)
        self.at = start
        raise NotRead(self._peek())

    def _attributes(self, end: int) -> list[Attribute]:
        """Attributes from here to the word before ``end`` at most; a lexical compound ("hot dog") is none."""
        found: list[Attribute] = []
        while self.at < end:
            if _compound_starts(self.words[self.at :]):
                break
            word, after = self._peek(), self._peek(1)
            colour = kinds("en").get(word) == "colour"
            if word in tables("en")["shades"] and kinds("en").get(after) == "colour" and self.at + 1 < end:
                found.append(Attribute("colour", f"{word} {after}", f"{word} {after}"))
                self.at += 1
            elif colour and after == "and" and kinds("en").get(self._peek(2)) == "colour" and self.at + 2 < end:
                both = f"{word} and {self._peek(2)}"
                found.append(Attribute("colour", both, both))
                self.at += 2
            elif kind := _kind(word):
                found.append(Attribute(kind, word, word))
            elif word not in (",", "and") or not found or not _kind(after):
                break
            self.at += 1
        return found


def _kind(word: str) -> str:
    """The kind of an attribute's word; "state" for other words that can only be adjectives here."""
    known = kinds("en").get(word)
    if known or word in tables("en")["stops"] or word in _COUNTS or word in _MANY:
        return known or ""
    parts = parts_of_speech(word)
    adjective = "ADJ" in parts or (word.endswith("ed") and "VERB" in parts)
    return "state" if adjective and (not is_noun(word) or _ADJECTIVE_END.match(word)) else ""


def _compound_starts(words: list[str]) -> bool:
    return any(f"{words[0]} {singular(word)}" in tables("en")["compounds"] for word in words[1:2])


def _is_compound(words: list[str], one: bool, count: int | None, many: bool) -> bool:
    """Whether the words are one noun in the number that goes with "a", a count, or nothing."""
    *before, last = words
    known = " ".join([*before, singular(last)]) in tables("en")["compounds"]
    if not known and not all(_can_modify(word) for word in before) or not _can_be_head(last):
        return False
    plural, alike = is_plural(last), singular(last) in tables("en")["either_number"]
    if many:
        agrees = plural or alike
    elif one or count == 1:
        agrees = not plural or (not before and last.endswith("s"))  # "a skis", "a scissors"
    else:
        agrees = True
    parts = parts_of_speech(last)
    verb = before and not known and "VERB" in parts and (not one or set(parts["VERB"]) & set(tables("en")["postures"]))
    return agrees and not verb


def _can_be_head(word: str) -> bool:
    """Whether a word can be what is there: "orange" and "square", never "red" or "small"."""
    adjective = kinds("en").get(word) not in (None, "material", "shape") and word not in ("orange", "lavender", "rainbow")
    return is_noun(word) and not adjective and word not in tables("en")["stops"]


def _can_modify(word: str) -> bool:
    """Whether a noun can stand before another one: in the singular, or a plural that is a word of its own (sports)."""
    own = word in parts_of_speech(word).get("NOUN", ())
    return is_noun(word) and word not in tables("en")["stops"] and (own or not is_plural(word))


def _phrase(noun: str, attributes: list[Attribute] | tuple[Attribute, ...], plural: bool) -> str:
    name = " ".join([*(attribute.word for attribute in attributes), noun])
    return name if plural else with_article(name)
