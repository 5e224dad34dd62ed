"""What a model answered about a task's words, checked against them: the reading, or why there is none.

Words that are claimed must stand in the prompt (NFKC, without regard to case and white space), letters that a picture
is to show must stand there exactly. A claim that fails is dropped, with the reason in ``Reading.unread``; an answer of
which nothing is left, or of another form, is unreadable. One that claims nothing of an edit leaves it to the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from functools import partial
from typing import Any, TypeVar

from selector.domain import TaskType
from selector.domain.reading import (
    Attribute,
    Change,
    Language,
    Place,
    Reading,
    Relation,
    Scene,
    SceneEdit,
    TextEdit,
    Thing,
)
from selector.llm import _replies
from selector.llm._answers import Answer
from selector.llm._claim_words import LONGEST_WORDS, as_words, hold_number, is_beside, plain
from selector.llm._reading_orders import SCHEMAS
from selector.prompts.quotes import take_quotes
from selector.prompts.scene import singular
from selector.prompts.scene.wording import phrase_of
from selector.sight.embedding.texts import is_latin

LONGEST_CAPTION = 300
MOST_CLAIMS = 200  # of a reply: things, attributes, relations and texts together
_LIKE_ITS_SINGULAR = 0.6  # "knives" and "knife", "cups" and "cup"; other words are not taken for the noun's singular

_T = TypeVar("_T")


class _Dropped(Exception):
    """A claim that the prompt does not bear out; the message is for people."""


def read_task_reply(task_type: TaskType, prompt: str, by: str, answer: Answer) -> _replies.Reading:
    """The reading as JSON in ``text``, "" where the model leaves the task to the rules, or why the answer is none.

    Args:
        task_type: of ``READ_TYPES``.
        prompt: the task's.
        by: the model's name.
    """
    found = _replies.read_object(answer)
    if isinstance(found, _replies.Reading):
        return found
    if not _fits(found, SCHEMAS[task_type]):
        return _replies.Reading(_replies.UNREADABLE, reason=_replies.WRONG_FORM)
    if _claims(found) > MOST_CLAIMS:
        return _replies.Reading(_replies.UNREADABLE, reason=_replies.TOO_MANY)
    check = _Check(prompt)
    reading = check.reading(task_type, found, by)
    if reading is None and check.faults:
        return _replies.Reading(_replies.UNREADABLE, reason=_replies.NOTHING_LEFT)
    if reading is None:
        return _replies.Reading(_replies.WRITTEN)
    return _replies.Reading(_replies.WRITTEN, text=json.dumps(reading.as_json(), ensure_ascii=False))


class _Check:
    """A reply's claims against one prompt; ``faults``: why claims were dropped."""

    def __init__(self, prompt: str) -> None:
        self.prompt, self.faults = prompt, list[str]()
        self._plain = plain(prompt)
        self._nouns: list[str] = []  # words of all things that the reply claims
        self._is_english = is_latin(prompt)
        self._language: Language = "en" if self._is_english else "zh"

    def reading(self, task_type: TaskType, said: Mapping[str, Any], by: str) -> Reading | None:
        """None where nothing is left of what the reply claims, or it claims nothing of an edit."""
        if task_type is TaskType.T2I:
            found = Reading(by, self._scene(said), self._all(said["texts"], self._shown))
            is_empty = not (found.scene and found.scene.objects) and not found.texts
        else:
            text_edit = self._try(self._text_edit, said["text"])
            edit = self._edit(said) if task_type is TaskType.TIE else None
            found = Reading(by, edit=edit, text_edit=text_edit)
            is_empty = text_edit is None and edit in (None, SceneEdit())
        if is_empty and (self.faults or task_type is not TaskType.T2I):
            return None
        unread = "; ".join(dict.fromkeys(self.faults))
        return Reading(by, found.scene, found.texts, found.edit, found.text_edit, unread)

    def _try(self, read: Callable[[Any], _T], said: Any) -> _T | None:
        try:
            return None if said is None else read(said)
        except _Dropped as fault:
            self.faults.append(str(fault))
            return None

    def _all(self, said: list[Any], read: Callable[[Any], _T]) -> tuple[_T, ...]:
        return tuple(found for one in said if (found := self._try(read, one)) is not None)

    def _scene(self, said: Mapping[str, Any]) -> Scene:
        self._nouns = [one["words"] for one in said["things"]]
        things = [self._try(self._thing, one) for one in said["things"]]
        kept = [thing for thing in things if thing is not None]
        place = {i: sum(thing is not None for thing in things[:i]) for i, thing in enumerate(things) if thing}

        def relation(one: Mapping[str, Any]) -> Relation:
            ends = place.get(one["subject"]), place.get(one["object"])
            if ends[0] is None or ends[1] is None or ends[0] == ends[1]:
                raise _Dropped(f"the ends of '{one['words']}' are no two things of the prompt")
            self._stands(one["words"])
            return Relation(ends[0], one["kind"], ends[1])

        relations = self._all(said["relations"], relation)
        return Scene(tuple(kept), relations, self._language)

    def _thing(self, said: Mapping[str, Any]) -> Thing:
        words = self._stands(said["words"])
        english = _english(said["english"])
        noun = words
        if self._is_english:
            noun = english = english if _is_form_of(english, words) else words.casefold()
        attributes = self._all(said["attributes"], partial(self._attribute, words))
        count = self._try(self._count, said)
        in_english = [Attribute(one.kind, one.english) for one in attributes]
        known = english and all(one.word for one in in_english)
        phrase = phrase_of(noun, attributes, self._language)
        return Thing(noun, attributes, count, phrase, phrase_of(english, in_english, "en") if known else "", english)

    def _attribute(self, noun: str, said: Mapping[str, Any]) -> Attribute:
        words = self._stands(said["words"])
        if not is_beside(self._plain, words, noun, self._nouns):
            raise _Dropped(f"'{words}' is not said of '{noun}'")
        return Attribute(said["kind"], words, words if self._is_english else _english(said["english"]))

    def _count(self, said: Mapping[str, Any]) -> int | None:
        count = said["count"]
        if count is None:
            return None
        words = self._stands(said["count_words"])
        if not hold_number(words, count):
            raise _Dropped(f"'{words}' is not {count}")
        return int(count)

    def _edit(self, said: Mapping[str, Any]) -> SceneEdit:
        region = self._try(self._region, said["region"]) or ("", "")
        becomes = self._try(self._stands, said["becomes"] or None) or ""
        change = self._try(self._change, said if said["before"] or said["after"] else None)
        return SceneEdit(*region, change, self._all(said["keeps"], self._stands), (), becomes)

    def _region(self, said: Mapping[str, Any]) -> tuple[str, str]:
        words = self._stands(said["words"])
        return words, words if self._is_english else _english(said["english"])

    def _change(self, said: Mapping[str, Any]) -> Change:
        before, after = (" ".join(said[name].split()) for name in ("before", "after"))
        english = [_english(said[f"{name}_english"]) for name in ("before", "after")]
        if self._is_english:
            english = [before, after]
        captions = (before, after, *filter(None, english))
        if not before or not after or _plain(before) == _plain(after) or max(map(len, captions)) > LONGEST_CAPTION:
            raise _Dropped("the captions before and after do not differ, or are too long")
        if is_latin(before + after) is not self._is_english:
            raise _Dropped("the captions are in another language than the prompt")
        known = all(english) and _plain(english[0]) != _plain(english[1])
        return Change(before, after, *(english if known else ("", "")))

    def _text_edit(self, said: Mapping[str, Any]) -> TextEdit:
        action, old, new = said["action"], said["old"], said["new"]
        for text in filter(None, (old, new)):
            self._shown(text)
        if (new is None) != (action == "delete") or (action == "add" and old is not None) or old == "" or new == "":
            raise _Dropped(f"old and new text do not go with '{action}'")
        if old is not None and old == new:
            raise _Dropped("old and new text are the same")
        return TextEdit(action, old, new, None if said["place"] is None else self._place(said["place"]))

    def _place(self, said: Mapping[str, Any]) -> Place:
        words, of = self._stands(said["words"]), said["of"]
        if of:
            self._stands(of)
        if (said["side"] and said["spot"]) or (said["side"] and not of):
            raise _Dropped("a place is a side of something named, or a spot, or told in words alone")
        return Place(of, said["is_text"], said["side"], said["spot"], words)

    def _shown(self, text: str) -> str:
        """Letters that a picture shows; a quotation mark of the prompt's is none of them."""
        rest, quotes = take_quotes(text)
        if not text.strip() or text not in self.prompt:
            raise _Dropped(f"'{text}' does not stand in the prompt letter by letter")
        if len(quotes) == 1 and len(rest) == 1:
            raise _Dropped(f"the quotation marks of {text} are no part of the text")
        return text

    def _stands(self, words: str) -> str:
        if not words.strip() or len(words) > LONGEST_WORDS or not as_words(words).search(self._plain):
            raise _Dropped(f"'{words}' does not stand in the prompt")
        return " ".join(words.split())


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", plain(text))


def _english(words: str) -> str:
    """English for an English model, or nothing."""
    words = " ".join(words[: LONGEST_WORDS + 1].split())
    return words if is_latin(words) and len(words) <= LONGEST_WORDS else ""


def _is_form_of(english: str, words: str) -> bool:
    english, words = english.casefold(), words.casefold()
    return english == singular(words) or SequenceMatcher(None, english, words).ratio() >= _LIKE_ITS_SINGULAR


def _claims(value: Any) -> int:
    """How many entries the lists of a JSON value have, those within them included."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (len(value) if isinstance(value, list) else 0) + sum(map(_claims, parts))


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a JSON value has the form; servers do not all hold a model to it."""
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    kind = schema["type"]
    if kind == "object":
        properties = schema["properties"]
        same = isinstance(value, dict) and value.keys() == properties.keys()
        return same and all(_fits(value[name], one) for name, one in properties.items())
    if kind == "array":
        return isinstance(value, list) and all(_fits(one, schema["items"]) for one in value)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and value >= schema["minimum"]
    if kind == "string":
        return isinstance(value, str) and value in schema.get("enum", [value])
    return isinstance(value, bool) if kind == "boolean" else value is None
