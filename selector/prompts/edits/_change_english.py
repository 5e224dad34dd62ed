"""English rules of ``edit_change``: the first that matches a part says its captions."""

from __future__ import annotations

import re
from collections.abc import Callable

from selector.prompts.edits._change_words_english import (
    ATTRIBUTE,
    BACKGROUND,
    BEING,
    COLOUR,
    DEFINITE,
    DETERMINER,
    DETERMINERS,
    GONE,
    MODIFIER,
    ONE_QUALITY,
    PARTICLE,
    PREPOSITION,
    SIDE,
    STATE,
    WHOLE,
    well_cut,
)
from selector.prompts.edits._words_english import ADJECTIVES

Captions = tuple[str, str]

JOINER = "; "
PHOTO = "a photo"
_VERBS = (
    r"(?:replace|swap|substitute|exchange|change|turn|transform|convert|modify|alter|switch|make|have|let|add|insert|"
    r"put|place|draw|include|attach|remove|delete|erase|get rid of|take|eliminate|give|dress|cover|paint|colou?r|dye|"
    r"recolou?r|set|render|apply|brighten|darken|blur|sharpen|keep|leave|preserve|do not|don't)"
)
_SEPARATOR = re.compile(
    rf"[.;!?。]+(?:\s+|$)|\s*(?:,\s*(?:and\s+)?(?:then\s+)?|\band\s+(?:then\s+)?|\bthen\s+)(?={_VERBS}\b)", re.I
)
_COURTESY = re.compile(
    r"^(?:please|kindly|now|also|just|(?:can|could|would) you|i(?: want| would like|'d like) (?:you )?to|let's|try to)"
    r"\s+",
    re.I,
)
_KEEP = re.compile(
    r"(?:^|,?\s+)(?:while |and |but )?(?:keep|keeping|leave|leaving|preserve|preserving|maintain|maintaining|"
    r"without (?:chang|alter|affect|modify|touch|los|mov)ing|do not|don't|never|avoid)\b.*$",
    re.I,
)
_STRONGER = {
    "brighten": "bright", "lighten": "bright", "darken": "dark", "dim": "dark", "blur": "blurred", "sharpen": "sharp",
    "colorize": "colourful", "colourize": "colourful", "desaturate": "grey", "saturate": "vividly coloured",
    "stylize": "stylised", "decorate": "decorated", "burn": "burning", "freeze": "frozen",
}  # fmt: skip


def split(text: str) -> list[str]:
    """The parts of an instruction, without courtesies and without what should stay as it is."""
    parts = []
    for part in _SEPARATOR.split(text):
        bare = part.strip(" ,.")
        while (shorter := _COURTESY.sub("", bare)) != bare:
            bare = shorter
        parts.append(_KEEP.sub("", bare).strip(" ,."))
    return [part for part in parts if part]


def parse(part: str) -> Captions | None:
    """Captions before and after one part."""
    for pattern, handler in _RULES:
        match = pattern.fullmatch(part)
        found = handler(match) if match and well_cut(match.groupdict()) else None
        if found is not None:
            return found
    return None


def _of(thing: str) -> str:
    return PHOTO if _is_whole(thing) else f"a photo of {thing}"


def _is_whole(thing: str) -> bool:
    return bool(re.fullmatch(rf"{WHOLE}|{ATTRIBUTE}", thing, re.I))


def _with(thing: str, quality: str) -> str:
    """ "the sky", "purple" to "the purple sky"; a colour takes the place of the one that is named."""
    match = DETERMINER.match(thing)
    at = match.end() if match else 0
    rest = thing[at:]
    if re.fullmatch(COLOUR, quality, re.I):
        rest = re.sub(rf"^{COLOUR} (?=\S)", "", rest, flags=re.I)
    return f"{thing[:at]}{quality} {rest}"


def _scene(what: str) -> str:
    """A caption of the whole picture in another state or style."""
    if re.match(r"(?:an?|the) ", what, re.I) and not re.search(r"\b(?:style|look|effect|filter|tone|mood)\b", what):
        return what
    if what.lower() in ADJECTIVES or re.fullmatch(rf"{COLOUR}|black and white|\w+(?:er|ful|y|ic)", what, re.I):
        return f"a {what} photo"
    return f"a photo {what}" if re.match(r"(?:in|at|as|like|with|under|on) ", what, re.I) else f"a photo, {what}"


def _become(thing: str, what: str) -> Captions:
    """``thing`` is to become ``what``: another thing, another colour, or the whole in another state."""
    if re.match(r"(?:the )?(?:number|amount|size|position|place) of ", thing, re.I):
        return "", ""  # what the embedding does not see
    if GONE.fullmatch(what):
        return f"a photo with {thing}", PHOTO
    if re.search(rf"\b{GONE.pattern}", what, re.I):
        return "", ""  # "look as if the dog is gone" names what should not be there
    what = re.sub(
        rf"^(?:look(?:s|ing)? (?!{PREPOSITION}\b|{PARTICLE}\b)(?:like |as if )?|be |appear |seem |like |as (?=an? )|"
        r"in colou?r )+",
        "",
        what,
        flags=re.I,
    )
    thing = re.sub(r"^(?:the )?colou?rs? of ", "", re.sub(r"(?:'s)? colou?r$", "", thing, flags=re.I), flags=re.I)
    if _is_whole(thing):
        return PHOTO, _scene(what)
    if re.fullmatch(BACKGROUND, thing, re.I):
        return PHOTO, f"a photo with a {what} background" if _plain(what) else f"a photo with {what} in the background"
    if not _plain(what) and re.match(rf"(?:{STATE}|{PREPOSITION}|with)\b", what, re.I):
        return _of(thing), f"{_of(thing)} {what}"  # "turn the man to face the camera", "what if he was on a horse"
    return _of(thing), _of(_with(thing, what) if _plain(what) else what)


def _plain(what: str) -> bool:
    """Whether it is a quality and no thing."""
    return bool(re.fullmatch(rf"{ONE_QUALITY}(?:(?:,| and) {ONE_QUALITY})*", what, re.I))


def _replace(match: re.Match[str]) -> Captions:
    return _become(match["a"], match["b"])


def _from_to(match: re.Match[str]) -> Captions:
    thing, old, new = match["a"], match["old"], match["b"]
    return _become(thing, old)[1], _become(thing, new)[1]


def _add(match: re.Match[str]) -> Captions:
    thing, how, place = match["b"], match["how"], match["place"]
    if place is None or _is_whole(place) or re.fullmatch(SIDE, place, re.I):
        return PHOTO, f"a photo with {thing}"
    if re.fullmatch(BACKGROUND, place, re.I):
        return PHOTO, f"a photo with {thing} in the background"
    if how.lower() == "to":
        return _of(place), f"{_of(place)} with {thing}"
    return _of(place), f"a photo of {thing} {how} {place}"


def _put(match: re.Match[str]) -> Captions | None:
    """ "put a hat on the man" adds a thing; "put the man on a beach" moves one that is there."""
    if match["place"] is not None and re.fullmatch(SIDE, match["place"], re.I) and DEFINITE.match(match["b"]):
        return None  # the embedding is blind to where in the picture a thing is
    if match["place"] is None and DEFINITE.match(match["b"]):
        return None  # "set the table for dinner", "move the cup"
    if match["place"] is not None and DEFINITE.match(match["b"]):
        return _of(match["b"]), f"{_of(match['b'])} {match['how']} {match['place']}"
    return _add(match)


def _remove(match: re.Match[str]) -> Captions:
    thing, place = match["a"], match["place"]
    if re.fullmatch(BACKGROUND, thing, re.I):
        return PHOTO, "a photo on a plain white background"
    whole = PHOTO if place is None else _of(place)
    return f"{whole} with {thing}", whole


def _give(match: re.Match[str]) -> Captions:
    before = _of(match["a"])
    return before, f"{before} with {match['b']}"


def _dress(match: re.Match[str]) -> Captions:
    before = _of(match["a"])
    return before, f"{before} {match['how']} {match['b']}"


def _make(match: re.Match[str]) -> Captions | None:
    """ "make A B" has no word between the two: B begins at a verb, at a second article, or is a quality at the end.

    Where A or B is cut at the wrong word, the next way of cutting is tried.
    """
    for pattern, says_more in _MAKE_SPLITS:
        found = pattern.fullmatch(match["rest"])
        if found is None:
            continue
        thing, what = found["a"], found["b"]
        if re.fullmatch(rf"{PARTICLE}|left|right", what, re.I):
            return None
        if not well_cut(found.groupdict()) or _is_half_of(thing, what):
            continue
        if not says_more and re.match(r"an? ", thing, re.I):
            continue  # "make a chocolate cake" makes a thing, and nothing of another
        if re.match("an? ", what, re.I) and (
            match["verb"].lower() in ("have", "let", "get") or re.search(rf"\b{BEING} \S+$", thing, re.I)
        ):
            return None  # "have the man repair a car": an unknown verb
        if says_more and not _is_whole(thing) and not _plain(what) and not re.match(r"(?:look|be|seem)", what, re.I):
            return _of(thing), f"{_of(thing)} {re.sub(r'^(?:become|appear) ', '', what, flags=re.I)}"
        return _become(thing, re.sub(r"^(?:become|appear) ", "", what, flags=re.I))
    return None


def _is_half_of(thing: str, what: str) -> bool:
    """Whether the cut went through a thing: "the red" and "drink blue", "the man" and "in a red shirt taller"."""
    if re.fullmatch(rf"(?:{DETERMINERS} )?(?:{ONE_QUALITY}|\w+ly)", thing, re.I):
        return True
    return bool(re.fullmatch(rf"(?:{PREPOSITION}|of) \S+ .*?{ONE_QUALITY}", what, re.I))


# Each with whether B says something of A ("the man wear a hat") rather than what A becomes ("the man a robot").
_MAKE_SPLITS = tuple(
    (re.compile(pattern, re.I), says_more)
    for pattern, says_more in (
        (rf"(?P<a>{WHOLE}|{ATTRIBUTE}) (?P<b>.+)", False),
        (rf"(?P<a>.+?) (?P<b>{STATE}\b.*)", True),
        (r"(?P<a>.+?) (?P<b>(?:out )?of .+)", True),
        (rf"(?P<a>.+?) (?P<b>(?:{MODIFIER} )+\S+ (?:with|like|than|and) .+)", True),
        (r"(?P<a>\S+ .*?) (?:into |to )?(?P<b>(?:an?|like|in|as) .+)", False),
        (rf"(?P<a>.+?) (?P<b>(?:{MODIFIER} )*\S+ and \S+)", True),
        (rf"(?P<a>.+?) (?P<b>(?:{MODIFIER} )+\S+)", False),
        (r"(?P<a>\S+(?: \S+)*) (?P<b>\S+)", False),
    )
)


def _lone_verb(match: re.Match[str]) -> Captions:
    return _become(match["a"], _STRONGER[match["verb"].lower()])


def _had(match: re.Match[str]) -> Captions | None:
    """ "what if the man had a hat", "the woman should be wearing a hat", "it could be a cartoon"."""
    verb, thing, what = match["verb"].lower(), match["a"], match["b"]
    if thing.lower() == "there":
        return PHOTO, f"a photo with {what}"
    if verb in ("had", "have", "has"):
        return _of(thing), f"{_of(thing)} with {what}"
    if re.match(r"\w+ing\b", what) and not _is_whole(thing):
        return _of(thing), f"{_of(thing)} {what}"
    return _become(thing, what)


def _style(match: re.Match[str]) -> Captions:
    return PHOTO, _scene(match["b"])


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Captions | None]], ...] = tuple(
    (re.compile(pattern, re.I), handler)
    for pattern, handler in (
        (r"(?:replace|swap(?: out)?|exchange|substitute) (?P<a>.+?) (?:with|by) (?P<b>.+)", _replace),
        (r"(?:swap(?: out)?|exchange|replace) (?P<a>.+?) for (?P<b>.+)", _replace),
        (r"substitute (?P<b>.+?) for (?P<a>.+)", _replace),
        (r"(?:change|turn|switch|alter|modify) (?P<a>.+?) from (?P<old>.+?) (?:in)?to (?P<b>.+)", _from_to),
        (
            r"(?:change|turn|transform|convert|morph|modify|alter|switch|make|set|recolou?r|adjust) (?P<a>.+?)"
            r" (?:in)?to (?!the (?:left|right)\b)(?:be |become |look like )?(?P<b>.+)",
            _replace,
        ),
        (
            rf"(?:render|redraw|repaint|draw|paint|show|depict|turn|set|have|make|put|place) {WHOLE} "
            r"(?P<b>(?:as|in|like|at|during|under) .+)",
            _style,
        ),
        (r"(?:apply|use) (?P<b>an? .+? (?:filter|effect|style|look))(?: (?:to|on|over) .+)?", _style),
        (rf"(?:put|place|set|move) (?P<b>.+?)(?: (?P<how>{PREPOSITION}) (?P<place>.+))?", _put),
        (
            r"(?:(?:have|let) there be|(?:(?:could|can) )?(?:we|there) (?:have|be|see)|"
            rf"add|insert|include|introduce|draw|attach|hang|show|create|plant|build) (?:in )?(?P<b>.+?)"
            rf"(?: (?P<how>{PREPOSITION}) (?P<place>.+))?",
            _add,
        ),
        (
            r"(?:remove|delete|erase|get rid of|take (?:away|off|out)|eliminate|clear(?: away)?|cut out|wipe out)"
            r" (?P<a>.+?)(?: (?:from|off|out of) (?P<place>.+))?",
            _remove,
        ),
        (r"take (?P<a>.+?) (?:off(?: of)?|out of|away from) (?P<place>.+)", _remove),
        (r"give (?P<a>(?:him|her|it|them)|\S+ .+?) (?P<b>(?:an?|some|more|two|three|four|many) .+|\S+s)", _give),
        (r"(?:dress|cover|wrap|fill|decorate|surround|equip) (?P<a>.+?) (?P<how>in|with) (?P<b>.+)", _dress),
        (rf"(?:paint|colou?r|dye|tint|recolou?r) (?P<a>.+?) (?P<b>{COLOUR})", _replace),
        (rf"(?P<verb>{'|'.join(_STRONGER)}) (?P<a>.+)", _lone_verb),
        (r"(?:change|convert|turn|transform|switch) (?:in)?to (?P<b>.+)", _style),
        (r"make (?:it so that|it so|sure that|sure) (?P<a>.+?) (?P<verb>had|has|have|was|were|is|are) (?P<b>.+)", _had),
        (r"what if (?P<a>.+?) (?P<verb>had|has|was|were|is|are|could be|became) (?P<b>.+)", _had),
        (r"(?P<a>.+?) (?:should|could|must) (?P<verb>be|have|become) (?P<b>.+)", _had),
        (r"(?P<verb>make|have|let|get|turn) (?P<rest>.+)", _make),
        (r"(?P<b>in the style of .+)", _style),
    )
)
