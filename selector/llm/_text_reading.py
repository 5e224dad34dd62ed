"""What a model answered when it was to translate or rewrite a text: the new text, or the reason why it is none.

As strict as a judge's reading (``replies``): a sentence of talk that is taken for a prompt would be painted, and nobody
would see why. Nothing is cut to fit; only quotation marks around the whole answer to a prompt are taken off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selector.domain.json_text import parse_json
from selector.llm._answers import Answer
from selector.llm._replies import EMPTY, REFUSED, TRUNCATED, UNREADABLE, WRITTEN, Reading, is_refusal
from selector.llm._tokens import after_thinking
from selector.net.redact import HIDDEN
from selector.prompts.quotes import take_quotes, without_quotes
from selector.prompts.wording import CAPTION, FORMS, LONGEST_CHARACTERS, TAGS, TRANSLATED, in_english
from selector.sight.embedding.texts import is_latin

LONGEST = 6  # characters of English for one of the text, and some for short ones

DECLINED = "the model refused"
UNFINISHED = "the model did not end its reply by itself"
TALK = "there is talk beside the translation"
NO_TRANSLATION = "the reply is no translation: several lines, or far too long"
NOT_ENGLISH = "the reply is not English"
MARKUP = "the reply is JSON or markup, no plain text"

_MARKUP = re.compile(r"<(?:!doctype\b|!--|\?xml\b|/?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)

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
TOO_LONG = "the reply is too long or has several lines"
TOO_SHORT = "the reply says less than the text"
OTHER_LANGUAGE = "the reply is in another language than the text"
LOST_QUOTE = "quoted text is not repeated letter by letter"
KEY_HIDDEN = "the reply repeats a part of the key"

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


def read_translation(text: str, answer: Answer) -> Reading:
    """English, or why there is none: one finished line of Latin letters, of a fitting length, no talk.

    Example:
        >>> read_translation("一只猫", Answer("a cat", "stop")).text
        'a cat'
    """
    english = after_thinking(answer.text or "")
    why = _no_text(english, "", answer) or (MARKUP if _is_markup(english) else None)
    if not why and ("\n" in english or len(english) > _longest_english(text)):
        why = NO_TRANSLATION
    return _reading(text, english, why or (None if is_latin(english) else NOT_ENGLISH))


def read_prompt(original: str, style: str, form: str, answer: Answer, texts: Sequence[str] = ()) -> Reading:
    """A prompt in other words, or why there is none.

    Args:
        original: the task's prompt.
        style: ``translated`` or ``rewritten``.
        form: one of ``FORMS``.
        texts: to be repeated letter by letter, as quoted ones are.

    Example:
        >>> read_prompt("make it red", "rewritten", "instruction", Answer("Paint the car red.", "stop")).text
        'Paint the car red.'
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}")
    text = _unwrapped(after_thinking(answer.text or ""), original)
    lost = None if all(wanted in text for wanted in texts) else LOST_QUOTE
    return _reading(original, text, _fault(original.strip(), style, form, text, answer) or lost)


def _reading(original: str, text: str, why: str | None) -> Reading:
    if why is None and HIDDEN in text and HIDDEN not in original:
        why = KEY_HIDDEN  # a text with a hole in it: a key of one's own server may be a common word
    if why is None:
        return Reading(WRITTEN, text=text)
    return Reading(REFUSED if why == DECLINED else UNREADABLE, reason=why)


def _no_text(text: str, original: str, answer: Answer) -> str | None:
    """Why an answer is no text of its own, whatever was wanted."""
    said = without_quotes(text, singles=False)
    if answer.refusal or answer.was_filtered or (is_refusal(said) and not is_refusal(original)):
        return DECLINED
    if answer.finish_reason not in (None, "stop"):  # some servers leave it out
        return TRUNCATED if answer.was_cut else UNFINISHED
    if not text:
        return EMPTY
    return TALK if _TALK.search(said) else None


def _is_markup(text: str) -> bool:
    """JSON, whole or broken off, or tags: what a server answers in place of a model, or a model beside its order."""
    if _MARKUP.match(text.strip()):
        return True
    try:
        return isinstance(parse_json(text), (dict, list))
    except ValueError:
        return bool(re.match(r'\s*[\[{]\s*"[^"]*"\s*[:,]', text))


def _fault(original: str, style: str, form: str, text: str, answer: Answer) -> str | None:
    why = _no_text(text, original, answer)
    if why:
        return why
    if _is_markup(text) and not _is_markup(original):
        return MARKUP
    said = without_quotes(text, singles=False)
    if _OF_REWRITING.search(said):
        return TALK
    most: float = _longest_english(original)
    if style != TRANSLATED:
        most = LONGEST_CHARACTERS[form] if form == TAGS else max(LONGEST_CHARACTERS[form], _ROOM * len(original))
    if "\n" in text or len(text) > most:
        return TOO_LONG
    if form == CAPTION and style != TRANSLATED and len(text) < LEAST_SHARE * len(original):
        return TOO_SHORT
    if style == TRANSLATED or in_english(form):
        if not is_latin(text):
            return NOT_ENGLISH
    elif is_latin(original):
        if not is_latin(text):
            return OTHER_LANGUAGE
    elif _HAN.search(without_quotes(original, singles=False)) and not _HAN.search(said):
        return OTHER_LANGUAGE
    # The words that a picture is to show must be there to the letter, whatever marks stand around them.
    _, quotes = take_quotes(original)
    if len(quotes) == 1 and len(quotes[0][0]) + 2 >= len(original):
        return None  # quotes around the whole prompt are no quotation
    return None if all(quoted in text for quoted, _ in quotes) else LOST_QUOTE


def _longest_english(text: str) -> int:
    return LONGEST * len(text) + 40


def _unwrapped(text: str, original: str) -> str:
    """Without quotation marks around the whole answer: an image model would paint them."""
    for opening, closing in _PAIRS:
        inside = text[1:-1]
        wrapped = len(text) > 2 and text[0] == opening and text[-1] == closing
        if wrapped and opening not in inside and closing not in inside and not original.startswith(opening):
            return inside.strip()
    return text
