"""What words of a prompt bear out: the number that they hold, and the thing that an attribute stands beside."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

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
_NEW = re.compile(r"\s*(?:an?|the)\s")
LONGEST_WORDS = 300  # characters of one claim's words
_REACH = 2 * LONGEST_WORDS  # of the same with the white space that may stand between them
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
    own, every, ends = _places(prompt, (noun,)), _places(prompt, tuple(sorted({noun, *nouns}))), _piece_ends(prompt)
    return any(
        _overlapping(owner, own)
        for place in _places(prompt, (attribute,))
        for owner in _owners(prompt, place, every, ends)
    )


def _owners(prompt: str, place: _Span, nouns: Sequence[_Span], ends: Sequence[int]) -> Iterator[_Span]:
    within = _overlapping(place, nouns)
    if within:
        yield from within
        return
    piece, at = bisect_right(ends, place[0]), bisect_left(nouns, place)
    begin, end = ends[piece - 1], ends[piece]
    before, after = nouns[max(0, at - 1) : at], nouns[at : at + 1]
    if after and after[0][0] < end:
        yield after[0]
    elif before and before[0][0] >= begin:
        yield before[0]
    else:
        is_new = _NEW.match(prompt, begin) is not None
        yield from [*([] if is_new and after else before), *after]


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


@lru_cache(maxsize=256)  # the same things are asked for with every attribute of a reply
def _places(prompt: str, words: tuple[str, ...]) -> tuple[_Span, ...]:
    """Where any of the words stand, in order."""
    patterns = [as_words(one) for one in words if one.strip() and len(one) <= LONGEST_WORDS]
    return tuple(sorted({found.span() for pattern in patterns for found in pattern.finditer(prompt)}))


@lru_cache(maxsize=4)
def _piece_ends(prompt: str) -> tuple[int, ...]:
    return (0, *(found.end() for found in _PIECE_ENDS.finditer(prompt)), len(prompt) + 1)


def _overlapping(one: _Span, spans: Sequence[_Span]) -> list[_Span]:
    """Those of sorted spans that share a letter with one: they begin near it."""
    near = spans[bisect_left(spans, (one[0] - _REACH,)) : bisect_left(spans, (one[1],))]
    return [span for span in near if one[0] < span[1]]


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()
