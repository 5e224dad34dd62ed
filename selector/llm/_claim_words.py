"""What words of a prompt bear out: the number that they hold, and the thing that an attribute stands beside."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_ENGLISH = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_NUMBERS = {word: value for value, word in enumerate(_ENGLISH.split(), 1)} | {
    **{word: 10 * tens for tens, word in enumerate(["thirty", "forty", "fifty"], 3)},
    **dict.fromkeys(("a", "an", "single", "lone", "solo"), 1),
    **dict.fromkeys(("pair", "pairs", "couple", "both", "twin", "twins", "duo", "double"), 2),
    **dict.fromkeys(("trio", "triplet", "triplets", "triple"), 3),
    **dict.fromkeys(("quartet", "quadruplets"), 4),
    **dict.fromkeys(("dozen", "dozens"), 12),
}
_NUMBER = re.compile(
    r"(?<![a-z0-9.])\d+(?![a-z0-9]|\.\d)|[a-z]+|(?P<han>[一二两三四五六七八九十]+(?![几多来]))(?P<pairs>[双对])?|[俩仨]"
)
_HAN = {char: value for value, char in enumerate("一二三四五六七八九", 1)} | {"两": 2, "俩": 2, "仨": 3}
_PIECE_ENDS = re.compile(r"[,，、。;；:：!！?？\n]|\.(?!\d)|(?<![a-z])(?:and|or|but|while)(?![a-z])|[和与及]|还有")
_Span = tuple[int, int]


def plain(text: str) -> str:
    """In the form in which words of prompts are compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def as_words(words: str) -> re.Pattern[str]:
    """Finds whole words in plain text, whatever white space is between them: a car is not in a carpet."""
    letters = re.sub(r"\s+", "", plain(words))
    edges = [r"(?<![a-z])" if _is_latin(letters[0]) else "", r"(?![a-z])" if _is_latin(letters[-1]) else ""]
    return re.compile(r"\s*".join(map(re.escape, letters)).join(edges))


def hold_number(words: str, count: int) -> bool:
    """Whether a count is one of the numbers in these words, or all of them together ("two dozen", "twenty-one").

    Example:
        >>> hold_number("a pair of", 2), hold_number("两只", 2), hold_number("several", 3)
        (True, True, False)
    """
    numbers = list(_numbers(plain(words)))
    return bool(numbers) and count in {*numbers, sum(numbers), math.prod(numbers)}


def is_beside(prompt: str, attribute: str, noun: str, nouns: Iterable[str]) -> bool:
    """Whether an attribute stands where it may be said of a thing, and not of another one.

    It is said of the next thing in its piece of the sentence, else of the last one before it there; in a piece without
    a thing of that of either side: "a cat, black and white".

    Args:
        prompt: plain.
        nouns: the words of all things.
    """
    own = _spans(prompt, noun)
    every = sorted({*own, *(span for one in nouns for span in _spans(prompt, one))})
    ends = [0, *(found.end() for found in _PIECE_ENDS.finditer(prompt)), len(prompt) + 1]
    return any(
        owner in own or any(_overlap(owner, span) for span in own)
        for place in _spans(prompt, attribute)
        for owner in _owners(prompt, place, every, ends)
    )


def _owners(prompt: str, place: _Span, nouns: Sequence[_Span], ends: Sequence[int]) -> Iterator[_Span]:
    within = [span for span in nouns if _overlap(span, place)]
    if within:
        yield from within
        return
    begin, end = max(e for e in ends if e <= place[0]), min(e for e in ends if e > place[0])
    before = [span for span in nouns if span[1] <= place[0]]
    after = [span for span in nouns if span[0] >= place[1]]
    if after and after[0][0] < end:
        yield after[0]
    elif before and before[-1][0] >= begin:
        yield before[-1]
    else:
        is_new = re.match(r"\s*(?:an?|the)\s", prompt[begin:]) is not None
        yield from [*([] if is_new and after else before[-1:]), *after[:1]]


def _numbers(words: str) -> Iterator[int]:
    for found in _NUMBER.finditer(words):
        word = found[0]
        if found["han"]:
            yield _of_han(found["han"]) * (2 if found["pairs"] else 1)
        elif word.isdecimal():
            yield int(word[:9])
        elif value := _NUMBERS.get(word) or _HAN.get(word):
            yield value


def _of_han(digits: str) -> int:
    tens, ten, ones = digits.partition("十")
    return (_HAN.get(tens[-1:], 1) * 10 if ten else 0) + _HAN.get((ones if ten else digits)[:1], 0)


def _spans(prompt: str, words: str) -> list[_Span]:
    return [found.span() for found in as_words(words).finditer(prompt)] if words.strip() else []


def _overlap(one: _Span, other: _Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()
