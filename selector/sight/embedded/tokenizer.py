"""CLIP's tokenizer (Radford et al. 2021) over the vocabulary of the embedded models, without a package.

A text is brought to NFC and lower case and falls into runs of letters, single digits and runs of other signs; each run
is spelled in bytes, whose neighbours are joined in the order of the merges. Both models have one vocabulary.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from selector.sight.embedded import EMBEDDING, TEXT_LENGTH

Ids = np.ndarray[Any, np.dtype[np.int64]]

END_OF_WORD = "</w>"
_MARKS = ("<|startoftext|>", "<|endoftext|>")  # written out in a text, they are the tokens themselves
_ENDINGS = re.compile("'s|'t|'re|'ve|'m|'ll|'d")
_NO_SPACE = "\x1c\x1d\x1e\x1f"  # in Python they are some, in Unicode none


class Tokenizer:
    """Texts to ids. Raises ``OSError`` or ``ValueError`` where the folder's files are not those of a tokenizer."""

    def __init__(self, folder: Path) -> None:
        self._ids: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        self._tokens = {token_id: token for token, token_id in self._ids.items()}
        merges = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
        pairs = [tuple(line.split()) for line in merges if line and not line.startswith("#version")]
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self._start, self._end = (self._ids[mark] for mark in _MARKS)

    def ids(self, text: str) -> list[int]:
        """Of the text alone, without the marks of its start and end, however many there are."""
        return [token for run in _runs(text) for token in self._of_run(run)]

    def rows(self, texts: Sequence[str]) -> Ids:
        """(n, 40), with the marks; what is longer loses its end, what is shorter is filled with the end's mark."""
        made = np.full((len(texts), TEXT_LENGTH), self._end, np.int64)
        for row, text in zip(made, texts, strict=True):
            found = [self._start, *self.ids(text)[: TEXT_LENGTH - 2]]
            row[: len(found)] = found
        return made

    def text(self, ids: Sequence[int]) -> str:
        """What ids spell."""
        signs = "".join(self._tokens[one] for one in ids).replace(END_OF_WORD, " ")
        spelled = (bytes([_LETTERS.index(sign)]) if sign in _LETTERS else sign.encode() for sign in signs)
        return b"".join(spelled).decode("utf-8", "replace").strip()

    def _of_run(self, run: str) -> Iterable[int]:
        if run in _MARKS:
            return (self._ids[run],)
        letters = [_LETTERS[byte] for byte in run.encode("utf-8")]
        return [self._ids.get(token, self._end) for token in self._joined((*letters[:-1], letters[-1] + END_OF_WORD))]

    def _joined(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, len(self._ranks)))
            if best not in self._ranks:
                break
            parts = tuple(_join(parts, best))
        return parts


def cleaned(text: str) -> str:
    """As open_clip cleans a text before it reads it: escapes, widths, quotes and white space; broken encodings stay."""
    plain = unescape(unescape(text)).translate(_PLAIN)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", plain)).strip()


@lru_cache(maxsize=1)
def embedded_tokenizer() -> Tokenizer:
    """The one of both models."""
    return Tokenizer(EMBEDDING)


def _join(parts: Sequence[str], pair: tuple[str, str]) -> Iterator[str]:
    place = 0
    while place < len(parts):
        size = 2 if tuple(parts[place : place + 2]) == pair else 1
        yield "".join(parts[place : place + size])
        place += size


def _runs(text: str) -> Iterator[str]:
    for part in re.split(f"({'|'.join(map(re.escape, _MARKS))})", text):
        yield from [part] if part in _MARKS else _words(_lower(unicodedata.normalize("NFC", part)))


def _words(text: str) -> Iterator[str]:
    """An ending such as 's is one where a run begins, and not within a run of signs."""
    place = 0
    while place < len(text):
        ending, kind = _ENDINGS.match(text, place), _kind(text[place])
        end = place + 1
        if ending:
            end = ending.end()
        elif kind != "N":
            end = next((i for i in range(end, len(text)) if _kind(text[i]) != kind), len(text))
        if kind != " ":
            yield text[place:end]
        place = end


def _lower(text: str) -> str:
    """Letter by letter: Python alone would look at what a final sigma stands behind."""
    return "".join(letter.lower() for letter in text)


def _kind(sign: str) -> str:
    """L a letter, N a digit, " " white space, and "" anything else."""
    if sign.isspace() and sign not in _NO_SPACE:
        return " "
    kind = unicodedata.category(sign)[0]
    return kind if kind in "LN" else ""


def _letters() -> list[str]:
    """A printable character for every byte, as GPT-2's vocabulary has them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    named = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [named[byte] for byte in range(256)]


_LETTERS = _letters()
_QUOTES = {"'": "\u2018\u2019\u201a\u201b\u02bc", '"': "\u201c\u201d\u201e\u201f"}
_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_WIDE = {code: unicodedata.normalize("NFKC", chr(code)) for code in (0x3000, *range(0xFF01, 0xFFF0))}
_PLAIN = _WIDE | _LIGATURES | {ord(curly): plain for plain, signs in _QUOTES.items() for curly in signs}
