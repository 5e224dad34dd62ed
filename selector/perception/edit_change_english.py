"""English rules of ``edit_change``: the first that matches a part says its captions."""

from __future__ import annotations

import re
from collections.abc import Callable

from selector.perception.edit_words_english import ADJECTIVES, COLOURS

Captions = tuple[str, str]

JOINER = "; "
PHOTO = "a photo"
_WHOLE = (
    r"(?:it|this|everything|(?:(?:the|this|my|entire|whole|overall|original) )*"
    r"(?:image|picture|photo|photograph|scene|painting|style)(?: of (?:the|this) (?:image|picture|photo|scene))?)"
)
_ATTRIBUTE = (
    r"(?:the |this )?(?:overall )?(?:weather|season|time(?: of day)?|lighting|light|mood|atmosphere|setting|scenery)"
)
_BACKGROUND = r"(?:the |this )?(?:entire |whole )?(?:background|backdrop)(?: of (?:the |this )\w+)?"
_SIDE = (
    r"the (?:(?:upper|lower|top|bottom) )?"
    r"(?:left|right|center|centre|middle|top|bottom|front|foreground|corner|distance)"
    r"(?: (?:side|corner|half|part))?(?: of .+)?"
)
_COLOUR_WORDS = "|".join([*COLOURS, "silver", "gold", "beige", "navy", "maroon", "blonde", "blond", "rainbow"])
_COLOUR = rf"(?:(?:light|dark|bright|deep|pale|neon|vivid|pastel)[ -])?(?:{_COLOUR_WORDS})"
_DETERMINER = re.compile(
    r"(?:(?:the|a|an|this|that|his|her|its|their|my|all|some|both|each)(?: the)? )?(?:\w+'s )?", re.I
)
_DEFINITE = re.compile(r"(?:the|this|that|these|those|his|her|its|their|my|him|it|them)\b", re.I)
_MODIFIER = (
    r"(?:very|more|much|less|slightly|completely|fully|all|pure|plain|bright|dark|light|deep|pale|neon|super|a bit|"
    r"a little)"
)
_STATE = (  # verbs that begin what a thing should do: "make the man wear a hat"
    r"(?:wear|hold|stand|sit|smile|laugh|cry|run|walk|jump|lie|sleep|ride|carry|raise|lift|fly|look|face|dance|drink|"
    r"eat|read|open|close|lean|kneel|wave|point|hug|swim|glow|burn|have|appear|seem|be|become|chas|kick|throw|catch|"
    r"bite|push|pull|climb|touch|kiss|feed|cook|sing|rais|danc|smil|rid|mak|tak|bak)(?:e|ing|s)?"
)
_PREPOSITION = (
    r"(?:on top of|in front of|next to|in between|to the (?:left|right) of|into|onto|on|in|at|near|beside|behind|under|"
    r"below|above|over|between|around|inside|by|across|along|to)"
)
_PARTICLE = r"(?:off|on|up|down|out|away|over|around|back|in)"
_DETERMINERS = r"(?:the|an?|this|that|these|those|his|her|its|their|my|your|our|some|any|no|every|each|\w+'s)"
_LEFT_OVER = (
    rf"(?:{_DETERMINERS}|of|to|with|without|by|at|for|from|into|onto|than|like|as|so|and|or|not|is|are|was|were|be|been|"
    r"has|have|full|made|more|less|very|too|much|slightly|completely)"
)
_BEING = r"(?:man|woman|person|people|boy|girl|child|kid|baby|dog|cat|horse|bird|men|women|children|him|them)"
_HALF_A_THING = re.compile(  # what is left when an instruction was cut at the wrong word, or denies
    rf"(?:{_PREPOSITION}|{_PARTICLE}|of|with|for|from|than|as|like|look|not|no|never|so|that|sure|if|and|or)\b.*"
    rf"|.*\b(?:not|never|than|except|but|no longer|other than|\w+n't)\b.*"
    rf"|(?!(?:her|this|these|those)$)(?:.* )?(?:{_LEFT_OVER}|{_PARTICLE}|stops?|quit|cease|avoid)",
    re.I,
)
_HALF_A_QUALITY = re.compile(
    rf"(?:off|up|down|than|not|no|never|so|that|if|less|fewer|been|to|and|or|as \S+ as)\b.*"
    r"|.*\b(?:not|never|no longer|\w+n't|without|tak(?:e|es|ing) off|stop(?! sign))\b.*"
    r"|.*\b(?:the same|same as|unchanged|identical|intact|unaffected|untouched)\b.*"
    rf"|(?:.* )?{_LEFT_OVER}|{_PARTICLE}",
    re.I,
)
_GONE = re.compile(
    r"(?:be |is |are )?(?:completely )?(?:gone|missing|absent|disappear|vanish|invisible|removed|go away)", re.I
)
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
        found = handler(match) if match and _well_cut(match.groupdict()) else None
        if found is not None:
            return found
    return None


def _well_cut(words: dict[str, str | None]) -> bool:
    """Whether the sides of a rule are whole: "turn off the lights" has no thing "off the"."""
    adds = "place" in words and "b" in words
    things = [words.get(name) for name in ("a", "place", *(["b"] if adds else []))]
    qualities = [words.get(name) for name in ("b", "old")]
    return not (
        any(thing and _HALF_A_THING.fullmatch(thing) for thing in things)
        or any(quality and _HALF_A_QUALITY.fullmatch(quality) for quality in qualities)
    )


def _of(thing: str) -> str:
    return PHOTO if _is_whole(thing) else f"a photo of {thing}"


def _is_whole(thing: str) -> bool:
    return bool(re.fullmatch(rf"{_WHOLE}|{_ATTRIBUTE}", thing, re.I))


def _with(thing: str, quality: str) -> str:
    """ "the sky", "purple" to "the purple sky"; a colour takes the place of the one that is named."""
    match = _DETERMINER.match(thing)
    at = match.end() if match else 0
    rest = thing[at:]
    if re.fullmatch(_COLOUR, quality, re.I):
        rest = re.sub(rf"^{_COLOUR} (?=\S)", "", rest, flags=re.I)
    return f"{thing[:at]}{quality} {rest}"


def _scene(what: str) -> str:
    """A caption of the whole picture in another state or style."""
    if re.match(r"(?:an?|the) ", what, re.I) and not re.search(r"\b(?:style|look|effect|filter|tone|mood)\b", what):
        return what
    if what.lower() in ADJECTIVES or re.fullmatch(rf"{_COLOUR}|black and white|\w+(?:er|ful|y|ic)", what, re.I):
        return f"a {what} photo"
    return f"a photo {what}" if re.match(r"(?:in|at|as|like|with|under|on) ", what, re.I) else f"a photo, {what}"


def _become(thing: str, what: str) -> Captions:
    """``thing`` is to become ``what``: another thing, another colour, or the whole in another state."""
    if re.match(r"(?:the )?(?:number|amount|size|position|place) of ", thing, re.I):
        return "", ""  # what the embedding does not see
    if _GONE.fullmatch(what):
        return f"a photo with {thing}", PHOTO
    if re.search(rf"\b{_GONE.pattern}", what, re.I):
        return "", ""  # "look as if the dog is gone" names what should not be there
    what = re.sub(
        rf"^(?:look(?:s|ing)? (?!{_PREPOSITION}\b|{_PARTICLE}\b)(?:like |as if )?|be |appear |seem |like |as (?=an? )|"
        r"in colou?r )+",
        "",
        what,
        flags=re.I,
    )
    thing = re.sub(r"^(?:the )?colou?rs? of ", "", re.sub(r"(?:'s)? colou?r$", "", thing, flags=re.I), flags=re.I)
    if _is_whole(thing):
        return PHOTO, _scene(what)
    if re.fullmatch(_BACKGROUND, thing, re.I):
        return PHOTO, f"a photo with a {what} background" if _plain(what) else f"a photo with {what} in the background"
    if not _plain(what) and re.match(rf"(?:{_STATE}|{_PREPOSITION}|with)\b", what, re.I):
        return _of(thing), f"{_of(thing)} {what}"  # "turn the man to face the camera", "what if he was on a horse"
    return _of(thing), _of(_with(thing, what) if _plain(what) else what)


def _plain(what: str) -> bool:
    """Whether it is a quality and no thing."""
    return bool(re.fullmatch(rf"{_ONE_QUALITY}(?:(?:,| and) {_ONE_QUALITY})*", what, re.I))


_QUALITIES = (
    "|".join(map(re.escape, sorted(ADJECTIVES, key=len, reverse=True)))
    + r"|old|older|young|younger|new|big|bigger|small|smaller|tall|taller|long|longer|short|shorter|happy|sad|angry|"
    r"wet|dry|snowy|rainy|sunny|cloudy|foggy|stormy|wooden|metal|metallic|golden|transparent|shiny|rusty|furry|"
    r"fat|fatter|thin|thinner|bald|curly|straight|leather|gold|silver|marble|glass|stone|brick|plastic|clean|dirty|"
    r"empty|full|broken|modern|ancient|futuristic|"
    r"\w+(?:ed|ful|less|ous)"
)
_ONE_QUALITY = rf"(?:{_MODIFIER} )*(?:{_COLOUR}|{_QUALITIES})"


def _replace(match: re.Match[str]) -> Captions:
    return _become(match["a"], match["b"])


def _from_to(match: re.Match[str]) -> Captions:
    thing, old, new = match["a"], match["old"], match["b"]
    return _become(thing, old)[1], _become(thing, new)[1]


def _add(match: re.Match[str]) -> Captions:
    thing, how, place = match["b"], match["how"], match["place"]
    if place is None or _is_whole(place) or re.fullmatch(_SIDE, place, re.I):
        return PHOTO, f"a photo with {thing}"
    if re.fullmatch(_BACKGROUND, place, re.I):
        return PHOTO, f"a photo with {thing} in the background"
    if how.lower() == "to":
        return _of(place), f"{_of(place)} with {thing}"
    return _of(place), f"a photo of {thing} {how} {place}"


def _put(match: re.Match[str]) -> Captions | None:
    """ "put a hat on the man" adds a thing; "put the man on a beach" moves one that is there."""
    if match["place"] is not None and re.fullmatch(_SIDE, match["place"], re.I) and _DEFINITE.match(match["b"]):
        return None  # the embedding is blind to where in the picture a thing is
    if match["place"] is None and _DEFINITE.match(match["b"]):
        return None  # "set the table for dinner", "move the cup"
    if match["place"] is not None and _DEFINITE.match(match["b"]):
        return _of(match["b"]), f"{_of(match['b'])} {match['how']} {match['place']}"
    return _add(match)


def _remove(match: re.Match[str]) -> Captions:
    thing, place = match["a"], match["place"]
    if re.fullmatch(_BACKGROUND, thing, re.I):
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
        if re.fullmatch(rf"{_PARTICLE}|left|right", what, re.I):
            return None
        if not _well_cut(found.groupdict()) or _is_half_of(thing, what):
            continue
        if not says_more and re.match(r"an? ", thing, re.I):
            continue  # "make a chocolate cake" makes a thing, and nothing of another
        if re.match("an? ", what, re.I) and (
            match["verb"].lower() in ("have", "let", "get") or re.search(rf"\b{_BEING} \S+$", thing, re.I)
        ):
            return None  # "have the man repair a car": an unknown verb
        if says_more and not _is_whole(thing) and not _plain(what) and not re.match(r"(?:look|be|seem)", what, re.I):
            return _of(thing), f"{_of(thing)} {re.sub(r'^(?:become|appear) ', '', what, flags=re.I)}"
        return _become(thing, re.sub(r"^(?:become|appear) ", "", what, flags=re.I))
    return None


def _is_half_of(thing: str, what: str) -> bool:
    """Whether the cut went through a thing: "the red" and "drink blue", "the man" and "in a red shirt taller"."""
    if re.fullmatch(rf"(?:{_DETERMINERS} )?(?:{_ONE_QUALITY}|\w+ly)", thing, re.I):
        return True
    return bool(re.fullmatch(rf"(?:{_PREPOSITION}|of) \S+ .*?{_ONE_QUALITY}", what, re.I))


# Each with whether B says something of A ("the man wear a hat") rather than what A becomes ("the man a robot").
_MAKE_SPLITS = tuple(
    (re.compile(pattern, re.I), says_more)
    for pattern, says_more in (
        (rf"(?P<a>{_WHOLE}|{_ATTRIBUTE}) (?P<b>.+)", False),
        (rf"(?P<a>.+?) (?P<b>{_STATE}\b.*)", True),
        (r"(?P<a>.+?) (?P<b>(?:out )?of .+)", True),
        (rf"(?P<a>.+?) (?P<b>(?:{_MODIFIER} )+\S+ (?:with|like|than|and) .+)", True),
        (r"(?P<a>\S+ .*?) (?:into |to )?(?P<b>(?:an?|like|in|as) .+)", False),
        (rf"(?P<a>.+?) (?P<b>(?:{_MODIFIER} )*\S+ and \S+)", True),
        (rf"(?P<a>.+?) (?P<b>(?:{_MODIFIER} )+\S+)", False),
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
            rf"(?:render|redraw|repaint|draw|paint|show|depict|turn|set|have|make|put|place) {_WHOLE} "
            r"(?P<b>(?:as|in|like|at|during|under) .+)",
            _style,
        ),
        (r"(?:apply|use) (?P<b>an? .+? (?:filter|effect|style|look))(?: (?:to|on|over) .+)?", _style),
        (rf"(?:put|place|set|move) (?P<b>.+?)(?: (?P<how>{_PREPOSITION}) (?P<place>.+))?", _put),
        (
            r"(?:(?:have|let) there be|(?:(?:could|can) )?(?:we|there) (?:have|be|see)|"
            rf"add|insert|include|introduce|draw|attach|hang|show|create|plant|build) (?:in )?(?P<b>.+?)"
            rf"(?: (?P<how>{_PREPOSITION}) (?P<place>.+))?",
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
        (rf"(?:paint|colou?r|dye|tint|recolou?r) (?P<a>.+?) (?P<b>{_COLOUR})", _replace),
        (rf"(?P<verb>{'|'.join(_STRONGER)}) (?P<a>.+)", _lone_verb),
        (r"(?:change|convert|turn|transform|switch) (?:in)?to (?P<b>.+)", _style),
        (r"make (?:it so that|it so|sure that|sure) (?P<a>.+?) (?P<verb>had|has|have|was|were|is|are) (?P<b>.+)", _had),
        (r"what if (?P<a>.+?) (?P<verb>had|has|was|were|is|are|could be|became) (?P<b>.+)", _had),
        (r"(?P<a>.+?) (?:should|could|must) (?P<verb>be|have|become) (?P<b>.+)", _had),
        (r"(?P<verb>make|have|let|get|turn) (?P<rest>.+)", _make),
        (r"(?P<b>in the style of .+)", _style),
    )
)
