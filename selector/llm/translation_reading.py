"""What a model answered when it was to translate: English, or the reason why it is none. Nothing is cut to fit."""

from __future__ import annotations

import re

from selector.llm import Answer
from selector.llm.replies import EMPTY, TRUNCATED, after_thinking, is_refusal
from selector.sight.embedding.texts import is_latin

LONGEST = 6  # characters of English for one of the text, and some for short ones

DECLINED = "the model refused"
UNFINISHED = "the model did not end its reply by itself"
TALK = "there is talk beside the translation"
TOO_LONG = "the reply is no translation: several lines, or far too long"
NOT_ENGLISH = "the reply is not English"

# What stands before or after a translation when a model talks. A prompt rarely begins so; one that does is left to a
# person, because talk that is taken for a prompt would be seen by nobody.
_TALK = re.compile(
    r"^\W*(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|understood|got it|no problem)\b\s*[,!.:;–—-]"
    r"|^\W*(?:here(?:'|’)?s|here (?:is|are)|below is)\b(?:[^:]{0,60}:|.{0,30}\b(?:translat|english\b))"
    r"|^\W*(?:the |your |my |an? )?(?:english |literal )?translat(?:ion|ed)\b(?:[^:.,]{0,30}:| of\b| is\b)"
    r"|^\W*(?:english|output|answer)\W{0,3}:"
    r"|^\W*(?:the |this |your )?(?:\w+ )?(?:text|prompt|sentence|phrase) (?:says|means|translates|reads)\b"
    r"|^\W*in english[,:]|\btranslates? (?:to|as|into)\b|\((?:note|translat|literal)"
    r"|\b(?:let me know|i hope this helps|hope this helps|as an ai\b|language model)|```|</?think>",
    re.IGNORECASE,
)
QUOTED = re.compile(r'"[^"]*"|“[^”]*”|「[^」]*」|『[^』]*』|《[^》]*》')  # what the picture shows may say anything


def read_translation(text: str, answer: Answer) -> tuple[str, str | None]:
    """(English, None), or ("", why there is none): one finished line of Latin letters, of a fitting length, no talk.

    Example:
        >>> from selector.llm import Usage
        >>> read_translation("一只猫", Answer("a cat", "stop", None, Usage()))
        ('a cat', None)
    """
    english = after_thinking(answer.text or "")
    why = _fault(text, english, answer)
    return ("", why) if why else (english, None)


def is_talk(said: str) -> bool:
    """Whether there is talk beside a text; ``said``: without what stands in quotes."""
    return _TALK.search(said) is not None


def _fault(text: str, english: str, answer: Answer) -> str | None:
    said = QUOTED.sub(" ", english)
    if answer.refusal or answer.finish_reason == "content_filter" or is_refusal(said):
        return DECLINED
    if answer.finish_reason not in (None, "stop"):  # some servers leave it out
        return TRUNCATED if answer.finish_reason == "length" else UNFINISHED
    if not english:
        return EMPTY
    if is_talk(said):
        return TALK
    if "\n" in english or len(english) > LONGEST * len(text) + 40:
        return TOO_LONG
    return None if is_latin(english) else NOT_ENGLISH
