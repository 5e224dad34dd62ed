r"""Cleans what a server says: of keys, also in parts and in other spellings, and of characters that steer a terminal.

``cleaned`` is for what is used as it came (``http.request`` has done it to all that it returns): addresses, ids and
pictures as text lose whole keys alone, because chance puts six characters of a key into any of them. ``clean`` is for
what is shown or stored as words.

What is found in words: six characters of the key in a row; eight of its letters and digits, forwards or backwards, in
either case, whatever stands between them that is neither letter nor digit; twelve of the key in hexadecimal, in decimal
codes, in base32, in base64 or in base64 of base64. Before that letters of full width and their likes are read as plain
ones, and percent signs (however often they were encoded), entities and escapes (``\x73``, ``\u0073``, ``\163``) as
what they stand for. In tokens, and in numbers of eight digits or more, it takes twelve. In a token so long that it is a
picture only the whole key, its reverse, its base64 and its hexadecimal are looked for. Nothing else is found: a key
with words between its letters, in a cipher or in another code stays.
"""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

LEAST_CHARACTERS = 6  # a part of a key that is shorter tells nothing, and could be any word
HIDDEN = "***"
MOST_DEPTH = 64  # of a JSON value
_LEAST_SPREAD = 8  # letters and digits of a key with others between them
_LEAST_IN_TOKENS = 12  # also of a key in another code
_LEAST_NUMBER = 10 ** (_LEAST_SPREAD - 1)
_MOST_TOKEN = 1 << 13  # characters; what is longer is a picture
_MOST_TOGETHER = 1 << 14
_MOST_WORDS = 1 << 18
_MOST_CHARACTERS = 1 << 23  # of a reply, its pictures apart; what comes after them is hidden
_MOST_SEARCHED = 1 << 19  # of those the characters in texts that seem to hold a part of the key: the search is slow
_SEARCH_COSTS = 64  # as much as so many characters
_READING_COSTS = 400  # the same, of a text with letters, percent signs, entities or escapes to be read as others
_MOST_DECODINGS = 3
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|\x9b[0-?]*[ -/]*[@-~]"
)
_UNSEEN = re.compile(  # controls but for tab and line ends, marks that turn the writing round or are not seen
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_STEERS = re.compile("[\x1b\x9b]")
_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: no file and no database takes them
_TOKEN = re.compile(r"[!-~]*")
_PERCENTS = re.compile(r"%(?:25)+(?=[0-9a-fA-F]{2})")
_AMPERSANDS = re.compile(r"&(?:amp;|#0*38;|#[xX]0*26;)+")
_ZEROS = re.compile(r"&#([xX]?)0+(?=[0-9a-fA-F])")
_NO_CHARACTER = re.compile(r"&#(?:[0-9]{9,}|[xX][0-9a-fA-F]{9,});?")
_LITERALS = re.compile(r"\\+(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{0*([0-9a-fA-F]{1,5})\}|([0-7]{3}))")
_SQUEEZED = bytes(c + 32 if chr(c).isupper() and c < 128 else c for c in range(256))
_SQUEEZED_OUT = bytes(c for c in range(256) if not (c < 128 and chr(c).isalnum()))
_GRAM, _STRIDE = 6, 7  # each run of twelve holds six that begin at a multiple of seven


class TooDeep(ValueError):
    """A JSON value is nested deeper than any reply is."""


def redacted(text: str, key: str) -> str:
    """``text`` without the key and without any part of it that is ``LEAST_CHARACTERS`` long or longer.

    Example:
        >>> redacted("wrong key sk-12345678 (sk-1…5678)", "sk-12345678")
        'wrong key *** (sk-1…5678)'
    """
    if len(key) < LEAST_CHARACTERS:
        return text.replace(key, HIDDEN) if key else text
    return _without(text, _spans(text, (key,), LEAST_CHARACTERS))


def clean(text: str, key: str, most_characters: int = 500) -> str:
    """A server's words in one line, shortened, without controls and without any part of the key.

    Example:
        >>> clean("bad\\x1b[31m key:\\n s k 1 2 3 4 5 6 7 8", "sk-12345678")
        'bad key: ***'
    """
    return _Cleaning(key).words(" ".join(_plain(text[:_MOST_WORDS]).split()))[:most_characters]


def cleaned(value: Any, key: str) -> Any:
    """A JSON value with all of its strings cleaned, not shortened. Raises ``TooDeep`` beyond ``MOST_DEPTH`` levels."""
    cleaning = _Cleaning(key)
    if len(key) >= LEAST_CHARACTERS:
        cleaning.look_through(value)
    return cleaning.value(value, MOST_DEPTH)


class _Cleaning:
    """Of one reply: the bounds are of all of its texts together."""

    def __init__(self, key: str) -> None:
        self._secret = _secret(key)
        self._left, self._left_to_search = _MOST_CHARACTERS, _MOST_SEARCHED
        self._harmless: set[str] = set()

    def look_through(self, value: Any) -> None:
        """Find the texts that need no search: many at once, because each alone would take longer than its reading."""
        some, size, left = set[str](), 0, [value]
        while left:
            one = left.pop()
            if isinstance(one, (list, dict)):
                left += one
                left += one.values() if isinstance(one, dict) else ()
            elif isinstance(one, str) and len(one) <= _MOST_TOKEN and _plain(one) == one:
                some.add(one)
                size += len(one)
            if some and (size > _MOST_TOGETHER or not left):
                if self._are_harmless("\n".join(some)):
                    self._harmless |= some
                some, size = set(), 0

    def _are_harmless(self, texts: str) -> bool:
        if self._secret.seems_to_be_in(texts):
            return False
        read = _read(texts)
        return read == texts or not (_STEERS.search(read) or self._secret.seems_to_be_in(read))

    def value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, (list, dict)):
            if not depth:
                raise TooDeep
            if isinstance(value, list):
                return [self.value(one, depth - 1) for one in value]
            return {self._string(name): self.value(one, depth - 1) for name, one in value.items()}
        if isinstance(value, (int, float)) and abs(value) >= _LEAST_NUMBER:
            digits = repr(value)
            return value if self._token(digits) == digits else HIDDEN
        return value

    def words(self, text: str) -> str:
        """Without parts of the key."""
        key = self._secret.key
        if len(key) < LEAST_CHARACTERS:
            return redacted(text, key)
        return self._searched(text, LEAST_CHARACTERS, _LEAST_SPREAD)

    def _string(self, text: str) -> str:
        if text in self._harmless:
            return text
        if _TOKEN.fullmatch(text):
            return self._token(text)
        return self.words(_plain(text[:_MOST_WORDS]))

    def _token(self, text: str) -> str:
        """An address, an id, a picture in base64: without the key as a whole, or more of it than chance puts there."""
        key = self._secret.key
        least = min(len(key), _LEAST_IN_TOKENS)
        if len(key) < LEAST_CHARACTERS or len(text) < least:
            return text
        if len(text) > _MOST_TOKEN:
            for spelt in self._secret.spellings:
                text = text.replace(spelt, HIDDEN)
            return text
        return self._searched(text, least, _LEAST_IN_TOKENS)

    def _searched(self, text: str, least: int, least_spread: int) -> str:
        """Hide in a text as it is, and as a browser would read it; that is kept where it has something to hide."""
        self._left -= len(text) if _needs_no_reading(text) else len(text) + _READING_COSTS
        if self._left < 0:
            return HIDDEN
        secret, decoded = self._secret, _decoded(text)
        if not secret.seems_to_be_in(text) and (decoded == text or not secret.seems_to_be_in(decoded)):
            return text
        self._left_to_search -= len(text) + len(decoded) + _SEARCH_COSTS
        if self._left_to_search < 0:
            return HIDDEN
        hidden = secret.hide(text, least, least_spread)
        decoded = _decoded(hidden)
        again = decoded if decoded == hidden else secret.hide(decoded, least, least_spread)
        return hidden if again == decoded else again


class _Secret:
    """A key, and what it looks like in other spellings.

    Attributes:
        spellings: as they are: the key, backwards, in base64 (at each of its three places within a longer text) and in
            hexadecimal.
    """

    def __init__(self, key: str) -> None:
        data = key.encode("utf-8", "replace")
        once, twice = _in_base64(data), [again for each in _in_base64(data) for again in _in_base64(each.encode())]
        found = {data.hex(), data.hex().upper(), key[::-1], *once, *(each.translate(_URL_SAFE) for each in once)}
        self.key = key
        self.spellings = (key, *sorted(each for each in found if len(each) >= _LEAST_IN_TOKENS))
        bare = _squeezed(key)
        self._bare = (bare, bare[::-1]) if len(bare) >= LEAST_CHARACTERS else ()
        hexadecimal = [f"{byte:02x}" for byte in data]
        codes = ["".join(hexadecimal), "".join(f"0x{each}" for each in hexadecimal), "".join(map(str, data))]
        base32 = [base64.b32encode(bytes(before) + data).decode() for before in range(5)]
        coded = [
            _squeezed(each) for each in (*codes, *once, *twice, *(each[8:-8] or each for each in base32), base32[0])
        ]
        self._coded = tuple(sorted({each for each in coded if len(each) >= _LEAST_IN_TOKENS}))
        self._parts = _parts((key,), LEAST_CHARACTERS)
        self._bare_parts = [part.encode() for part in _parts(self._bare, min(len(bare), _LEAST_SPREAD))]
        self._grams = frozenset(part.encode() for part in _parts(self._coded, _GRAM))

    def seems_to_be_in(self, text: str) -> bool:
        """Whether ``hide`` may find something: quick, and never wrong when it says no."""
        if any(part in text for part in self._parts):
            return True
        squeezed = text.encode("ascii", "ignore").translate(_SQUEEZED, _SQUEEZED_OUT)
        if any(part in squeezed for part in self._bare_parts):
            return True
        grams = self._grams
        return any(squeezed[at : at + _GRAM] in grams for at in range(0, len(squeezed) - _GRAM + 1, _STRIDE))

    def hide(self, text: str, least: int, least_spread: int) -> str:
        """Without parts that are ``least`` long as they are, and ``least_spread`` without what stands between."""
        text = _without(text, _spans(text, (self.key,), least))
        for secrets, enough in ((self._bare, least_spread), (self._coded, _LEAST_IN_TOKENS)):
            if secrets:
                places = [i for i, c in enumerate(text) if c.isascii() and c.isalnum()]
                squeezed = "".join([text[i] for i in places]).lower()
                spans = _spans(squeezed, secrets, min(len(secrets[0]), enough))
                text = _without(text, [(places[start], places[end - 1] + 1) for start, end in spans])
        return text


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _HALVES.sub("\ufffd", _UNSEEN.sub("", _ESCAPES.sub("", text)))


def _spans(text: str, secrets: Sequence[str], least: int) -> list[tuple[int, int]]:
    """Where parts of secrets stand that are at least so long, each as far as it goes."""
    parts = _parts(tuple(secrets), least)
    if len(text) < least or not any(part in text for part in parts):
        return []
    found, at, last = [], 0, len(text) - least
    while at <= last:
        end = at + least
        if text[at:end] in parts:
            while end < len(text) and any(text[at : end + 1] in secret for secret in secrets):
                end += 1
            found.append((at, end))
            at = end
        else:
            at += 1
    return found


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    kept, at = [], 0
    for start, end in spans:
        kept += [text[at:start], HIDDEN]
        at = end
    return "".join((*kept, text[at:])) if kept else text


def _needs_no_reading(text: str) -> bool:
    return text.isascii() and not ("%" in text or "&" in text or "\\" in text)


def _decoded(text: str) -> str:
    """As who reads it would see it."""
    read = _read(text)
    return text if read == text else _plain(read)


def _read(text: str) -> str:
    """Letters that look like plain ones, percent signs, entities and escapes as what they stand for."""
    if _needs_no_reading(text):
        return text
    for _ in range(_MOST_DECODINGS):
        before = text
        if not text.isascii():
            text = text.translate(_plain_letters())
        if "%" in text:
            text = unquote(_PERCENTS.sub("%", text))
        if "&" in text:
            text = _unescaped(text)
        if "\\" in text:
            text = _LITERALS.sub(_of_literal, text)
        if text == before:
            break
    return text


def _unescaped(text: str) -> str:
    """Without entities. Of numbers that are no character the library makes one, or raises where they are very long."""
    text = _ZEROS.sub(r"&#\1", _AMPERSANDS.sub("&", text))
    return html.unescape(_NO_CHARACTER.sub("\ufffd", text))


def _of_literal(found: re.Match[str]) -> str:
    octal = found[4]
    return chr(int(octal, 8) if octal else int(found[1] or found[2] or found[3], 16))


@lru_cache(maxsize=1)
def _plain_letters() -> dict[int, str]:
    """What stands for ASCII, by its code: letters of full width, in circles, of mathematics."""
    found = {}
    for first, last in ((0xA0, 0x3400), (0xFB00, 0xFFF0), (0x1D400, 0x1D800), (0x1F100, 0x1F200), (0x1FBF0, 0x1FC00)):
        for code in range(first, last):
            plain = unicodedata.normalize("NFKC", chr(code))
            if plain.isascii():
                found[code] = plain
    return found


def _squeezed(text: str) -> str:
    """The letters and digits of ASCII alone, in lower case."""
    return text.encode("ascii", "ignore").translate(_SQUEEZED, _SQUEEZED_OUT).decode()


def _in_base64(data: bytes) -> list[str]:
    """As it reads at each of its three places within a longer text, without the characters that others share."""
    found = []
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        found.append(encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
    return found


_URL_SAFE = str.maketrans("+/", "-_")


@lru_cache(maxsize=64)
def _parts(secrets: tuple[str, ...], least: int) -> frozenset[str]:
    return frozenset(secret[i : i + least] for secret in secrets for i in range(len(secret) - least + 1))


@lru_cache(maxsize=8)
def _secret(key: str) -> _Secret:
    return _Secret(key)
