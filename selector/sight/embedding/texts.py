"""What a text needs before a backbone embeds it: a language that it reads, and pieces that fit its context.

CLIP's text tower holds 77 tokens. Cutting a longer prompt loses its end token, whose place is where the tower reads the
result, and the score collapses; so a long text is split where it may be and its pieces are averaged.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]

TEXT_BATCH = 64  # texts in a pass of the tower

# A straight ' opens and closes only at the edge of a word: elsewhere it is an apostrophe.
_QUOTED = re.compile(
    r"“[^“”]*”|\"[^\"]*\"|‘[^‘’]*’|「[^「」]*」|『[^『』]*』|《[^《》]*》|(?<![^\W_])'[^']*'(?![^\W_])"
)
_SYMBOLS = ("GREEK", "MICRO", "OHM")  # alone they are symbols, as in 5 µm
_BREAKS = (r"(?<=[.!?;。！？；])\s*", r"(?<=[,:，、：])\s*", r"\s+")  # in the order of preference


@lru_cache(maxsize=8192)  # asked again for every batch
def is_latin(text: str) -> bool:
    """Whether a tokenizer for English can read it: every letter outside quotes is a Latin one.

    Quoted text beside it may be in any script: it is what a picture shows, not what the prompt says.
    """
    outside = _QUOTED.sub(" ", text)
    if not any(map(_is_latin_letter, outside)):
        outside = text  # quotes around the whole prompt are no quotation
    words = re.findall(r"[^\W\d_]+", outside)
    return all(all(map(_is_latin_letter, word)) or _is_symbol(word) for word in words)


def _is_latin_letter(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "FULLWIDTH LATIN", "FEMININE ORD", "MASCULINE ORD"))


def _is_symbol(word: str) -> bool:
    """A single Greek letter, alone or before a unit: µ, µm, Ω."""
    first, rest = unicodedata.name(word[0], ""), word[1:]
    return first.startswith(_SYMBOLS) and len(rest) <= 2 and all(map(_is_latin_letter, rest))


def readable_form(text: str, reads_all: bool, translations: Mapping[str, str]) -> tuple[str, str | None]:
    """The text as the backbone should get it, or ("", why it cannot)."""
    text = text.strip()
    if not text:
        return "", "the task has no text"
    if reads_all or is_latin(text):
        return text, None
    translated = translations.get(text, "").strip()
    if translated and is_latin(translated):
        return translated, None
    return "", (
        "the backbone reads English and the text is in another language: choose a multilingual model in [embedding], "
        "or give a translation"
    )


def pieces(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text in pieces that fit, cut near the middle: between sentences, else clauses, else words, else anywhere."""
    if fits(text) or len(text) < 2:
        return [text]
    at = _cut(text)
    return [piece for part in (text[:at], text[at:]) if part.strip() for piece in pieces(part.strip(), fits)]


def embed_long(
    texts: Sequence[str],
    fits: Callable[[str], bool],
    tokens: Callable[[str], int],
    embed: Callable[[Sequence[str]], Floats],
    dim: int,
) -> Floats:
    """(n, dim), length 1: the pieces of a text are embedded, normalised and averaged by their length in tokens.

    Args:
        fits, tokens: whether a text fits the tower, and how many tokens it has.
        embed: vectors (m, dim) of texts that fit.
    """
    split = [pieces(text, fits) for text in texts]
    flat = [piece for parts in split for piece in parts]
    chunks = [embed(flat[start : start + TEXT_BATCH]) for start in range(0, len(flat), TEXT_BATCH)]
    units = _units(np.concatenate(chunks)) if chunks else np.zeros((0, dim))
    weights = np.array([tokens(piece) for piece in flat], np.float64)
    ends = np.cumsum([len(parts) for parts in split], dtype=int)
    means = [
        np.average(units[end - len(parts) : end], axis=0, weights=weights[end - len(parts) : end])
        for parts, end in zip(split, ends, strict=True)
    ]
    return np.asarray(_units(np.array(means).reshape(len(texts), dim)), np.float32)


def _units(vectors: Any) -> Any:
    exact = np.asarray(vectors, np.float64)
    return exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-12)


def _cut(text: str) -> int:
    middle = len(text) / 2
    for pattern in _BREAKS:
        places = [m.end() for m in re.finditer(pattern, text) if 0 < m.end() < len(text)]
        near = [p for p in places if len(text) / 4 <= p <= 3 * len(text) / 4]
        if near:
            return min(near, key=lambda p: (abs(p - middle), p))
    return len(text) // 2
