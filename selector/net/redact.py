"""Cleans what a server says: of keys, also in parts and in other spellings, and of characters that steer a terminal.

``cleaned`` is for what is used as it came (``http.request`` has done it to all that it returns): addresses, ids and
pictures as text lose whole keys alone, because chance puts six characters of a key into any of them. ``clean`` is for
what is shown or stored as words.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

LEAST_CHARACTERS = 6  # a part of a key that is shorter tells nothing, and could be any word
HIDDEN = "***"
MOST_DEPTH = 64  # of a JSON value
_LEAST_SPREAD = 8  # letters and digits of a key with others between them
_LEAST_IN_TOKENS = 12
_MOST_TOKEN = 1 << 13  # characters; what is longer is a picture
_MOST_WORDS = 1 << 18
_MOST_DECODINGS = 3
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|\x9b[0-?]*[ -/]*[@-~]"
)
_UNSEEN = re.compile(  # controls but for tab and line ends, marks that turn the writing round or are not seen
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: no file and no database takes them
_TOKEN = re.compile(r"[!-~]*")


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
    return _words(" ".join(_plain(text[:_MOST_WORDS]).split()), key)[:most_characters]


def cleaned(value: Any, key: str) -> Any:
    """A JSON value with all of its strings cleaned, not shortened. Raises ``TooDeep`` beyond ``MOST_DEPTH`` levels."""
    return _cleaned(value, key, MOST_DEPTH)


def _cleaned(value: Any, key: str, depth: int) -> Any:
    if isinstance(value, str):
        return _string(value, key)
    if isinstance(value, (list, dict)):
        if not depth:
            raise TooDeep
        if isinstance(value, list):
            return [_cleaned(one, key, depth - 1) for one in value]
        return {_string(name, key): _cleaned(one, key, depth - 1) for name, one in value.items()}
    return value


def _string(text: str, key: str) -> str:
    if _TOKEN.fullmatch(text):
        return _token(text, key)
    return _words(_plain(text[:_MOST_WORDS]), key)


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _HALVES.sub("\ufffd", _UNSEEN.sub("", _ESCAPES.sub("", text)))


def _words(text: str, key: str) -> str:
    """Without parts of the key, however it is spelt."""
    if not key:
        return text
    return _twice(text, lambda text: _without_spread(_hide(redacted(text, key), key), key, _LEAST_SPREAD))


def _token(text: str, key: str) -> str:
    """An address, an id, a picture in base64: without the key as a whole, or more of it than chance puts there."""
    if len(key) < LEAST_CHARACTERS or len(text) < min(len(key), _LEAST_IN_TOKENS):
        return text
    if len(text) > _MOST_TOKEN:
        return _hide(text, key)
    return _twice(text, lambda text: _without_spread(_hide(text, key), key, _LEAST_IN_TOKENS))


def _twice(text: str, hide: Callable[[str], str]) -> str:
    """Hide in a text as it is, and as a browser would read it; that is kept where it has something to hide."""
    hidden = hide(text)
    decoded = _decoded(hidden)
    again = decoded if decoded == hidden else hide(decoded)
    return hidden if again == decoded else again


def _hide(text: str, key: str) -> str:
    if len(text) <= _MOST_TOKEN or not _TOKEN.fullmatch(text):
        text = _without(text, _spans(text, _spellings(key), _LEAST_IN_TOKENS))
    if len(text) >= LEAST_CHARACTERS:
        for secret in _spellings(key):
            text = text.replace(secret, HIDDEN)
    return text


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


def _without_spread(text: str, key: str, least: int) -> str:
    """Without a key whose letters and digits have others between them, or whose punctuation is gone."""
    bare = _bare(key)
    if len(bare) < LEAST_CHARACTERS or len(text) < LEAST_CHARACTERS:
        return text
    places = [i for i, c in enumerate(text) if c.isascii() and c.isalnum()]
    squeezed = "".join(text[i] for i in places).lower()
    spans = _spans(squeezed, (bare,), min(len(bare), least))
    return _without(text, [(places[start], places[end - 1] + 1) for start, end in spans])


def _decoded(text: str) -> str:
    """Without percent signs and entities, where there are any."""
    for _ in range(_MOST_DECODINGS):
        if ("%" not in text and "&" not in text) or len(text) > _MOST_WORDS:
            break
        text = _plain(html.unescape(unquote(text)))
    return text


@lru_cache(maxsize=8)
def _bare(key: str) -> str:
    return "".join(c for c in key if c.isascii() and c.isalnum()).lower()


@lru_cache(maxsize=64)
def _parts(secrets: tuple[str, ...], least: int) -> frozenset[str]:
    return frozenset(secret[i : i + least] for secret in secrets for i in range(len(secret) - least + 1))


@lru_cache(maxsize=8)
def _spellings(key: str) -> tuple[str, ...]:
    """A key as it is, backwards, in base64 (at each of its three places within a longer text) and in hexadecimal."""
    data = key.encode("utf-8", "replace")
    found = {data.hex(), data.hex().upper(), key[::-1]}
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode()
        inner = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return (key, *sorted(each for each in found if len(each) >= _LEAST_IN_TOKENS))
