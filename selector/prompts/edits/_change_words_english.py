"""English words of ``edit_change`` as patterns, and whether a rule cut an instruction at the right words."""

from __future__ import annotations

import re

from selector.prompts.edits._words_english import ADJECTIVES, COLOURS

WHOLE = (
    r"(?:it|this|everything|(?:(?:the|this|my|entire|whole|overall|original) )*"
    r"(?:image|picture|photo|photograph|scene|painting|style)(?: of (?:the|this) (?:image|picture|photo|scene))?)"
)
ATTRIBUTE = (
    r"(?:the |this )?(?:overall )?(?:weather|season|time(?: of day)?|lighting|light|mood|atmosphere|setting|scenery)"
)
BACKGROUND = r"(?:the |this )?(?:entire |whole )?(?:background|backdrop)(?: of (?:the |this )\w+)?"
SIDE = (
    r"the (?:(?:upper|lower|top|bottom) )?"
    r"(?:left|right|center|centre|middle|top|bottom|front|foreground|corner|distance)"
    r"(?: (?:side|corner|half|part))?(?: of .+)?"
)
COLOUR_WORDS = "|".join([*COLOURS, "silver", "gold", "beige", "navy", "maroon", "blonde", "blond", "rainbow"])
COLOUR = rf"(?:(?:light|dark|bright|deep|pale|neon|vivid|pastel)[ -])?(?:{COLOUR_WORDS})"
DETERMINER = re.compile(
    r"(?:(?:the|a|an|this|that|his|her|its|their|my|all|some|both|each)(?: the)? )?(?:\w+'s )?", re.I
)
DEFINITE = re.compile(r"(?:the|this|that|these|those|his|her|its|their|my|him|it|them)\b", re.I)
MODIFIER = (
    r"(?:very|more|much|less|slightly|completely|fully|all|pure|plain|bright|dark|light|deep|pale|neon|super|a bit|"
    r"a little)"
)
STATE = (  # verbs that begin what a thing should do: "make the man wear a hat"
    r"(?:wear|hold|stand|sit|smile|laugh|cry|run|walk|jump|lie|sleep|ride|carry|raise|lift|fly|look|face|dance|drink|"
    r"eat|read|open|close|lean|kneel|wave|point|hug|swim|glow|burn|have|appear|seem|be|become|chas|kick|throw|catch|"
    r"bite|push|pull|climb|touch|kiss|feed|cook|sing|rais|danc|smil|rid|mak|tak|bak)(?:e|ing|s)?"
)
PREPOSITION = (
    r"(?:on top of|in front of|next to|in between|to the (?:left|right) of|into|onto|on|in|at|near|beside|behind|under|"
    r"below|above|over|between|around|inside|by|across|along|to)"
)
PARTICLE = r"(?:off|on|up|down|out|away|over|around|back|in)"
DETERMINERS = r"(?:the|an?|this|that|these|those|his|her|its|their|my|your|our|some|any|no|every|each|\w+'s)"
LEFT_OVER = (
    rf"(?:{DETERMINERS}|of|to|with|without|by|at|for|from|into|onto|than|like|as|so|and|or|not|is|are|was|were|be|been|"
    r"has|have|full|made|more|less|very|too|much|slightly|completely)"
)
BEING = r"(?:man|woman|person|people|boy|girl|child|kid|baby|dog|cat|horse|bird|men|women|children|him|them)"
HALF_A_THING = re.compile(  # what is left when an instruction was cut at the wrong word, or denies
    rf"(?:{PREPOSITION}|{PARTICLE}|of|with|for|from|than|as|like|look|not|no|never|so|that|sure|if|and|or)\b.*"
    rf"|.*\b(?:not|never|than|except|but|no longer|other than|\w+n't)\b.*"
    rf"|(?!(?:her|this|these|those)$)(?:.* )?(?:{LEFT_OVER}|{PARTICLE}|stops?|quit|cease|avoid)",
    re.I,
)
HALF_A_QUALITY = re.compile(
    rf"(?:off|up|down|than|not|no|never|so|that|if|less|fewer|been|to|and|or|as \S+ as)\b.*"
    r"|.*\b(?:not|never|no longer|\w+n't|without|tak(?:e|es|ing) off|stop(?! sign))\b.*"
    r"|.*\b(?:the same|same as|unchanged|identical|intact|unaffected|untouched)\b.*"
    rf"|(?:.* )?{LEFT_OVER}|{PARTICLE}",
    re.I,
)
GONE = re.compile(
    r"(?:be |is |are )?(?:completely )?(?:gone|missing|absent|disappear|vanish|invisible|removed|go away)", re.I
)
QUALITIES = (
    "|".join(map(re.escape, sorted(ADJECTIVES, key=len, reverse=True)))
    + r"|old|older|young|younger|new|big|bigger|small|smaller|tall|taller|long|longer|short|shorter|happy|sad|angry|"
    r"wet|dry|snowy|rainy|sunny|cloudy|foggy|stormy|wooden|metal|metallic|golden|transparent|shiny|rusty|furry|"
    r"fat|fatter|thin|thinner|bald|curly|straight|leather|gold|silver|marble|glass|stone|brick|plastic|clean|dirty|"
    r"empty|full|broken|modern|ancient|futuristic|"
    r"\w+(?:ed|ful|less|ous)"
)
ONE_QUALITY = rf"(?:{MODIFIER} )*(?:{COLOUR}|{QUALITIES})"


def well_cut(words: dict[str, str | None]) -> bool:
    """Whether the sides of a rule are whole: "turn off the lights" has no thing "off the"."""
    adds = "place" in words and "b" in words
    things = [words.get(name) for name in ("a", "place", *(["b"] if adds else []))]
    qualities = [words.get(name) for name in ("b", "old")]
    return not (
        any(thing and HALF_A_THING.fullmatch(thing) for thing in things)
        or any(quality and HALF_A_QUALITY.fullmatch(quality) for quality in qualities)
    )
