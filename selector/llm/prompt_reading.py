"""What a model answered when it was to translate or rewrite a prompt: the text, or the reason why it is none.

Read as strictly as a translation (``translation_reading``): a sentence of talk that is taken for a prompt would be
painted, and nobody would see why. Nothing is cut to fit; only quotation marks around the whole answer are taken off.
"""

from __future__ import annotations

import re

from selector.llm import Answer
from selector.llm.replies import EMPTY, TRUNCATED, after_thinking, is_refusal
from selector.llm.translation_reading import (
    DECLINED,
    LONGEST,
    NOT_ENGLISH,
    QUOTED,
    TALK,
    UNFINISHED,
    is_talk,
)
from selector.prompts.quotes import take_quotes
from selector.prompts.wording import CAPTION, FORMS, TAGS, TRANSLATED, in_english
from selector.prompts.wording.orders import LONGEST_CHARACTERS
from selector.sight.embedding.texts import is_latin

TOO_LONG = "the reply is too long or has several lines"
TOO_SHORT = "the reply says less than the text"
OTHER_LANGUAGE = "the reply is in another language than the text"
LOST_QUOTE = "quoted text is not repeated letter by letter"
SAME = "the reply is the text itself"

LEAST_SHARE = 0.5  # of the text's length: a caption that is shorter than half of it has left something out
_ROOM = 1.3  # a long text may grow by this factor, whatever the form's bound
_HAN = re.compile(r"[\u3400-\u9fff]")
_OF_REWRITING = re.compile(
    r"^\W*(?:the |your |my |an? )?(?:re-?written|revised|improved|optimi[sz]ed|enhanced|expanded|new|final)\W{1,3}"
    r"(?:\w+\W{1,3})?(?:prompt|instruction|caption|text|version|description)\b"
    r"|^\W*(?:prompt|instruction|caption|text)\W{0,3}:"
    r"|^\W*(?:好的|当然|没问题|以下是|这是|改写后|优化后|润色后|重写后|翻译|译文)[^“”\"]{0,20}[：:，,。！!]"
    r"|^\W*(?:提示词|指令|改写|优化)\s*[：:]",
    re.IGNORECASE,
)
_PAIRS = (('"', '"'), ("“", "”"), ("「", "」"), ("'", "'"), ("`", "`"))


def read_prompt(original: str, style: str, form: str, answer: Answer) -> tuple[str, str | None]:
    """(text, None), or ("", why there is none).

    Args:
        original: the task's prompt.
        style: ``translated`` or ``rewritten``.
        form: one of ``FORMS``.

    Example:
        >>> from selector.llm import Usage
        >>> read_prompt("make it red", "rewritten", "instruction", Answer("Paint the car red.", "stop", None, Usage()))
        ('Paint the car red.', None)
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}")
    text = _unwrapped(after_thinking(answer.text or ""), original)
    why = _fault(original.strip(), style, form, text, answer)
    return ("", why) if why else (text, None)


def _fault(original: str, style: str, form: str, text: str, answer: Answer) -> str | None:
    said = QUOTED.sub(" ", text)
    if answer.refusal or answer.finish_reason == "content_filter" or (is_refusal(said) and not is_refusal(original)):
        return DECLINED
    if answer.finish_reason not in (None, "stop"):  # some servers leave it out
        return TRUNCATED if answer.finish_reason == "length" else UNFINISHED
    if not text:
        return EMPTY
    if is_talk(said) or _OF_REWRITING.search(said):
        return TALK
    if "\n" in text or len(text) > _most(original, style, form):
        return TOO_LONG
    if form == CAPTION and style != TRANSLATED and len(text) < LEAST_SHARE * len(original):
        return TOO_SHORT
    return _other_language(original, style, form, text) or _lost_quote(original, text)


def _most(original: str, style: str, form: str) -> float:
    if style == TRANSLATED:
        return LONGEST * len(original) + 40
    return LONGEST_CHARACTERS[form] if form == TAGS else max(LONGEST_CHARACTERS[form], _ROOM * len(original))


def _other_language(original: str, style: str, form: str, text: str) -> str | None:
    if style == TRANSLATED or in_english(form):
        return None if is_latin(text) else NOT_ENGLISH
    if is_latin(original):
        return None if is_latin(text) else OTHER_LANGUAGE
    outside = QUOTED.sub(" ", text)
    return OTHER_LANGUAGE if _HAN.search(QUOTED.sub(" ", original)) and not _HAN.search(outside) else None


def _lost_quote(original: str, text: str) -> str | None:
    """The words that a picture is to show must be there to the letter, whatever marks stand around them."""
    _, quotes = take_quotes(original)
    if len(quotes) == 1 and len(quotes[0][0]) + 2 >= len(original):
        return None  # quotes around the whole prompt are no quotation
    return None if all(quoted in text for quoted, _ in quotes) else LOST_QUOTE


def _unwrapped(text: str, original: str) -> str:
    """Without quotation marks around the whole answer: an image model would paint them."""
    for opening, closing in _PAIRS:
        inside = text[1:-1]
        wrapped = len(text) > 2 and text[0] == opening and text[-1] == closing
        if wrapped and opening not in inside and closing not in inside and not original.startswith(opening):
            return inside.strip()
    return text
