"""The words that readers know: tables of ours as data, an English lexicon and a Chinese segmenter from packages."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from selector.domain.reading import Language
from selector.prompts._data import data_file, listed

_LONGEST_WORD = 45  # letters; that of English in dictionaries


@lru_cache
def tables(language: Language) -> dict[str, Any]:
    """The data file of a language: lists as tuples (parted by commas where they are of phrases), tables as they are."""
    read = data_file(__package__, language)
    return {key: listed(value) if isinstance(value, str) else value for key, value in read.items()}


@lru_cache
def kinds(language: Language) -> dict[str, str]:
    """An attribute's word to its kind."""
    return {word: kind for kind, words in tables(language)["attributes"].items() for word in listed(words)}


@lru_cache(maxsize=8192)
def parts_of_speech(word: str) -> dict[str, tuple[str, ...]]:
    """NOUN, VERB, ADJ, ADV to the word's base forms, of the lexicon of ``lemminflect``; {} for an unknown word."""
    from lemminflect import getAllLemmas

    if len(word) > _LONGEST_WORD:  # it takes a long one apart letter by letter, each in a call of its own
        return {}
    found = getAllLemmas(word) or getAllLemmas(word.capitalize())
    return {part: tuple(lemma.lower() for lemma in lemmas) for part, lemmas in found.items()}


def is_noun(word: str) -> bool:
    """Whether an English word can be a noun, in either number."""
    name, known = singular(word), tables("en")
    return name in (*known["nouns"], *known["no_singular"]) or "NOUN" in parts_of_speech(name)


@lru_cache(maxsize=8192)
def singular(word: str) -> str:
    """The singular of an English noun; a word that is none already stays as it is.

    >>> [singular(word) for word in ("buses", "knives", "tvs", "scissors", "wine glasses", "series")]
    ['bus', 'knife', 'tv', 'scissors', 'wine glass', 'series']
    """
    *before, word = word.split(" ")
    if len(word) > _LONGEST_WORD:
        return " ".join([*before, word])
    return " ".join([*before, _irregular().get(word) or _regular(word)])


@lru_cache
def _irregular() -> dict[str, str]:
    english = tables("en")
    same = (*english["no_singular"], *english["either_number"], *english["nouns"])
    return {**dict.fromkeys(same), **{w: w for w in same}, **dict(pair.split() for pair in english["irregular"])}


def _regular(word: str) -> str:
    known = parts_of_speech(word).get("NOUN")
    if known:
        return word if word in known and not (len(known) > 1 and word.endswith("es")) else known[0]
    shorter = (word[: -len(end)] for end in ("es", "s") if word.endswith(end))  # "benchs", "scissorses"
    return next((singular(short) for short in shorter if is_noun(short)), word)


def is_plural(word: str) -> bool:
    """Whether an English noun is the plural of another one, or has no singular."""
    last = word.split(" ")[-1]
    return singular(last) != last or last in tables("en")["no_singular"]


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an", by its first letter."""
    return f"{'an' if re.match('[aeio]|u[mgn]', phrase) else 'a'} {phrase}"


@lru_cache
def _segmenter() -> Any:
    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.WARNING)
    words = jieba.Tokenizer()
    words.FREQ, words.total = words.gen_pfdict(words.get_dict_file())  # its own start writes to the shared temp folder
    words.initialized = True
    return jieba.posseg.POSTokenizer(words)


@lru_cache(maxsize=8192)
def segments(text: str) -> tuple[tuple[str, str], ...]:
    """Chinese words with their part of speech, the likeliest cut by the dictionary's frequencies; no unknown words."""
    return tuple((pair.word, pair.flag) for pair in _segmenter().cut(text, HMM=False))


def rarity(word: str) -> tuple[int, str]:
    """How often the dictionary has seen a Chinese word (0: it does not know it), and as what."""
    segmenter = _segmenter()
    return segmenter.tokenizer.FREQ.get(word) or 0, segmenter.word_tag_tab.get(word, "")
