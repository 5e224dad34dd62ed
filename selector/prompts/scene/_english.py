"""The reader of English scenes: lists, counts, attributes, and one named thing beside another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from selector.domain.reading import Scene, Thing
from selector.prompts._data import by_word
from selector.prompts.scene._clauses import Builder, Forms, Noun, Word, attributes_of
from selector.prompts.scene._english_tags import EN, HEADS, TOKEN, tagged
from selector.prompts.scene._words import is_plural, singular
from selector.prompts.scene.wording import phrase_of

_CITED = re.compile(r"(?:that (?:says|reads)|saying|reading|with the (?:words?|text|title)|labell?ed|titled) *\ue000")
_HEAD = re.compile(
    rf"^(?:(?:an?|the) )?(?:[a-z-]+ |black and white ){{0,2}}(?:{'|'.join(EN['pictures'])}) (?:of|showing) "
    "|^there (?:is|are|was|were) "
)
_OPENS = {"a", "an", "the", "there", *by_word(EN["numbers"])}
_LIST = "n(?:c+n)*"
_START = "(?:^|(?<=rnc)|(?<=bqc)|(?<=;))"  # of a clause, or of one joined by "and"
_PHRASE = (  # a group of, determiner, number, attributes, noun with what it holds, material
    "(?P<group>[at]?1?[AOJ]*gf)?(?P<determiner>{})(?P<count>{})"
    f"(?P<attributes>(?:[AOJ](?:c+(?=[AOJ]+(?:c+[AOJ]+)*[{''.join(HEADS)}]))?)*)"
    "(?P<noun>{})(?P<held>(?<=[ov])f[NO]*[NOPSZ])?(?P<made>M[AO])?"
)
_PHRASES = (  # two cats, a cat (or "a skis"), the cats, a word that the lexicon does not have
    _PHRASE.format("t?", "[2m]", "[NOSgo]*[PSZVv]"),
    _PHRASE.format("[at]?", "1?", "(?:[NOSgo]*[NSZOog]|(?<=[AJOa])[PV])"),
    _PHRASE.format("t?", "", "(?:[NOSgo]*[PSZv]|V)"),
    _PHRASE.format("[at]", "1?", "[NOSgo]*U"),
)


def read_english(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder(_FORMS), []
    for sentence in re.split(r"[.;:!?\n|]+(?=\s|$)", _CITED.sub(" ", text)):
        if sentence.strip() and not _read(builder, sentence):
            unread += _read_pieces(builder, sentence)
    return builder.scene(), "; ".join(unread)


def _read(builder: Builder, text: str) -> bool:
    return builder.read(tagged(TOKEN.findall(_HEAD.sub("", " ".join(text.split())))))


def _read_pieces(builder: Builder, sentence: str) -> list[str]:
    """Read the parts between commas that stand for themselves; what is denied or likened takes its sentence along."""
    if set(TOKEN.findall(sentence)) & {*EN["denials"], "\ue000"}:
        return [sentence.strip()]
    pieces = [piece.strip() for piece in sentence.split(",") if piece.strip()]
    return [p for p in pieces if not ((p is pieces[0] or p.split()[0] in _OPENS) and _read(builder, p))]


def _noun(words: Sequence[Word], match: re.Match[str]) -> Noun | None:
    """The thing of a phrase: "a group of cats" are cats, "a cup of coffee" is one thing, "on fire" is none."""
    words_of = {name: words[slice(*match.span(name))] for name in match.groupdict()}
    tag, before = words_of["noun"][-1].tag, words[match.start() - 1] if match.start() else Word("", "")
    plural = " ".join(word.text for word in words_of["noun"])
    holds = "".join(f" {word.text}" for word in words_of["held"])
    few = words_of["count"] and words_of["count"][0].tag == "2"
    name = (plural if plural == "glasses" and not few else singular(plural)) + holds  # spectacles have no singular
    head = singular(plural).split(" ")[-1]
    if head in EN["no_thing"] and name not in EN["compounds"]:
        ended = any(word.tag == "O" and after.tag == "c" for word, after in pairwise(words_of["attributes"]))
        return None if ended else Noun(None)  # "a blue square, white background"
    bare = match.start() == match.start("noun") and len(words_of["noun"]) == 1 and tag not in "PSZVv"
    idiom = before.value == "in" and head in EN["conditions"] and not words_of["attributes"] and not holds
    if before.tag == "r" and (idiom or (bare and before.value in ("in", "on", "under", ""))):  # in tears, under attack
        return None
    count = words_of["count"][0].value if words_of["count"] and not words_of["group"] else None
    several = is_plural(plural) and not count and (plural + holds != name or plural == "glasses")
    attributes = attributes_of([*words_of["attributes"], *words_of["made"]])
    thing = Thing(name, tuple(attributes), count, plural + holds if several else "a")
    return Noun(_worded(thing), [word.tag for word in words_of["determiner"]] == ["t"])


def _worded(thing: Thing) -> Thing:
    """With its phrase: an article, or the plural that its phrase ends in where the number of several is not said."""
    one = re.match("an?( |$)", thing.phrase)
    noun = thing.noun if one else " ".join(thing.phrase.split(" ")[-len(thing.noun.split(" ")) :])
    phrase = phrase_of(noun, thing.attributes, "en", plural=not one)
    return replace(thing, phrase=phrase, english=phrase)


_FORMS = Forms(
    language="en",
    phrases=_PHRASES,
    quality="[AOJ](?:c*[AOJ])*",
    clauses=("rnc?bn(?:c+n)*|(?!.+(?<!rnc)(?<!bqc)nbq)n(?:b?p?rn|b?p?s|bq|c?wn|c+n)*|ncp?rn",),
    claims=(
        f"{_START}(?P<things>{_LIST})bp?(?P<kind>r)(?P<place>n)",
        f"{_START}(?:nc+)*(?P<things>n)p?(?P<kind>r)(?P<place>n)",
        "^(?P<things>n)cp?(?P<kind>r)(?P<place>n)",
        "^(?P<things>n)wnbp?(?P<kind>r)(?P<place>n)",
        f"^(?P<kind>r)(?P<place>n)c?b(?P<things>{_LIST})$",
        f"{_START}(?P<things>n)b(?P<quality>q)",
        "(?P<things>n)b?p?(?P<side>s)",
    ),
    noun=_noun,
    worded=_worded,
    encloses=lambda thing: thing.noun.split(" ")[-1] in EN["places"],
)
