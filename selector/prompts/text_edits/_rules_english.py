"""English rules of text edits. A rule must match a whole instruction; what no rule matches is not understood."""

from __future__ import annotations

import re

from selector.prompts.text_edits._rules import QUOTE, Rule, without
from selector.prompts.text_edits._words_english import ASPECTS, GRAMMAR, NOT_BARE

_MODIFIER = rf"(?!(?:{ASPECTS}|{GRAMMAR})(?![\w-]))[a-z][\w'-]*"
_WORD = rf"(?!{NOT_BARE})[a-z][\w'-]*"
_DET = r"(?:the|this|that|its|my|our|their)"
# A bare text is written as a name or a number is: Hello World, OPEN, 20%, Bank of China, 关门.
_TOKEN = rf"(?!{NOT_BARE})(?:(?-i:[A-Z0-9$€£¥#])[^\s,;:?!\"\ue000-\uf8ff]*|[\u4e00-\u9fff]+)"
_BARE = rf"{_TOKEN}(?: (?:(?-i:of|&) )?{_TOKEN}){{0,4}}"
_CAPITAL_WORD = rf"(?!{NOT_BARE})(?-i:[A-Z0-9$€£¥#%.:&'-]+)"
_CAPITALS = rf"{_CAPITAL_WORD}(?: {_CAPITAL_WORD}){{0,3}}"

_PICTURE = r"(?:image|picture|photo|photograph|pic|scene|screenshot|drawing|painting|illustration)"
_BOARD = (
    r"(?:sign|signs|signboard|signage|board|billboard|poster|banner|label|plate|plaque|screen|page|cover|book|logo|"
    r"card|box|bottle|shirt|t-shirt|window|storefront|store|shop|wall|door|cake|cup|mug|bag|package|packaging|"
    r"blackboard|whiteboard|paper|newspaper|magazine|flyer|menu|ticket|header|footer|bubble|speech bubble|frame)"
)
_AREA = r"(?:corner|side|part|area|half|middle|center|centre|background|foreground|line|row|column|top|bottom|title)"
_PLACE = (
    rf"(?:(?:in|of|from|inside|within)\s+{_DET}\s+(?:{_MODIFIER}\s+){{0,3}}?(?:{_PICTURE}|{_BOARD}|{_AREA})|"
    rf"(?:on|onto|at|above|below|under|underneath|beneath|over|near|beside|next to|across|along|after|before|behind|"
    rf"in front of|on top of)\s+{_DET}\s+(?:{_MODIFIER}\s+){{0,3}}?(?:{_WORD}|{_PICTURE}|logo)|"
    r"(?:at|on)\s+(?:top|bottom)|here|there)"
)
_PLACES = rf"(?:,?\s+{_PLACE}){{0,3}}"
_SURFACE = rf"(?:\s+(?:in|on|of|from)\s+{_DET}\s+(?:{_PICTURE}|{_BOARD})){{0,2}}"

_NOUN = (
    r"(?:text|texts|word|words|wording|number|numbers|title|phrase|letter|letters|label|caption|heading|headline|"
    r"slogan|name|sentence|string|date|price|year|digits?|sign|signboard|line|message|inscription|writing|lettering|"
    r"header|banner|brand|watermark|logo|characters?|subtitle|time|address|poster|billboard|plate)"
)
# Without the old text named, the largest text is meant: only nouns and places for which that is a fair reading.
_MAIN = (
    rf"(?:{_DET}\s+)?(?:main\s+|store\s+|shop\s+|brand\s+)?"
    rf"(?:text|word|words|wording|title|label|heading|headline|slogan|name|sign|signboard|inscription|message){_SURFACE}"
)
_OLD_NOUN = rf"(?:{_DET}\s+)?(?:{_MODIFIER}\s+){{0,3}}?{_NOUN}"
_SAYING = r"(?:\s*:|\s+(?:from|that\s+(?:says|reads)|which\s+(?:says|reads)|saying|reading))?"
_NEW_LEAD = (
    r"(?:(?:now\s+)?(?:say|read|show|display)\s+)?(?:the\s+|a\s+)?(?:new\s+)?"
    r"(?:(?:text|word|words|wording|number|name|title|phrase|letters?|line|price|date|year)\s*:?\s+)?"
)

_CHANGE = r"(?:change|modify|edit|update|alter|rewrite|rename|correct|fix|revise|turn|convert|transform|switch)"
_TO = r"(?:to|into|->|=>|→)"
_CHANGE_TO = rf"(?:{_CHANGE}|translate)"
_REPLACE = r"(?:replace|substitute)"
_DONE = r"(?:changed|modified|edited|updated|altered|corrected|replaced|rewritten|revised|renamed|turned|swapped)"
_SHOULD = r"(?:should|must|shall|needs\s+to|has\s+to|ought\s+to)"
_MAKE = r"(?:make|have|let)"
_WRITE = r"(?:write|put|place|print|add|insert|use|show|display|paint)"
_ADD = r"(?:add|insert|write|put|place|append|include|print|paint|overlay|engrave|inscribe|draw)"
_ANCHORED_ADD = r"(?:add|insert|write|append|include|print|paint)"
_ADD_NOUN = (
    r"(?:(?:the|a|an)\s+)?(?:new\s+|additional\s+|extra\s+)?(?:text|word|words|wording|title|caption|label|slogan|"
    r"phrase|number|name|message|line|letters?|heading|headline|subtitle|inscription|sentence|date|year|price)"
    r"(?:\s*:|\s+(?:that\s+(?:says|reads)|which\s+(?:says|reads)|saying|reading))?"
)
_SIDE = r"(?:(?:to\s+the\s+)?(?:left|right)\s+of)"
_ADD_PLACE = rf"(?:{_PLACE}|(?:to|{_SIDE})\s+{_DET}\s+(?:{_MODIFIER}\s+){{0,3}}?(?:{_WORD}|{_PICTURE}|logo))"
_ADD_PLACES = rf"(?:,?\s+(?:{_ADD_PLACE}|below|above|underneath)){{0,3}}"
_BY = rf"(?:after|before|below|above|under|underneath|beneath|beside|near|next\s+to|{_SIDE})"
_DELETE = r"(?:remove|delete|erase|eliminate|get\s+rid\s+of|take\s+(?:out|away|off)|wipe\s+out|wipe|clear|drop|omit)"
_AND_WRITE = r"(?:\s+and|,|,\s+and|\s+and\s+then|,\s+then)\s+(?:then\s+)?"
_INSTEAD = r"(?:\s+(?:instead|in\s+its\s+place))?"


def _old(text: str = QUOTE) -> str:
    return rf"(?:{_OLD_NOUN}{_PLACES}{_SAYING}\s+|(?:the|from)\s+)?(?P<old>{text})(?:\s+{_NOUN})?{_PLACES}"


def _named_old(text: str) -> str:
    return rf"{_OLD_NOUN}{_SAYING}\s+(?P<old>{text}){_PLACES}"


def _new(text: str = QUOTE) -> str:
    return rf"{_NEW_LEAD}(?P<new>{text})(?:\s+(?:text|instead))?{_PLACES}"


def _changing(old: str, new: str) -> tuple[str, ...]:
    return (
        rf"{_CHANGE_TO}\s+{old}\s*{_TO}\s*{new}",
        rf"{_REPLACE}\s+{old}\s+(?:with|by|to)\s+{new}",
    )


_SIGN = rf"the\s+(?P<old>{_CAPITALS})\s+(?:sign|text|word|label)"
_NAMED = rf"(?:{_DET}\s+)?(?:text|words?|title|phrase|number|name|label|caption)"
_ALL_TEXT = r"(?:(?:all|any|every|each|of|the|this)\s+)*(?:text|texts|words|writing|lettering)"
_ANCHOR = rf"(?:{_OLD_NOUN}\s+)?{QUOTE}(?:\s+{_NOUN})?"
_PART = rf"(?:the\s+)?(?:{_NOUN}\s+)?(?P<part>{QUOTE})\s+(?:in|of)\s+(?:{_OLD_NOUN}\s+)?(?P<old>{QUOTE})"
_ANY_NEW = rf"(?:{QUOTE}|{_BARE})"
RULES: tuple[Rule, ...] = (
    *(Rule("replace", pattern) for pattern in _changing(_old(), _new())),
    Rule("replace", rf"(?:swap|swap\s+out|switch|switch\s+out|exchange)\s+{_old()}\s+for\s+{_new()}"),
    Rule("replace", rf"(?:swap\s+out|switch\s+out)\s+{_old()}\s+with\s+{_new()}"),
    Rule("replace", rf"substitute\s+{_new()}\s+for\s+{_old()}"),
    Rule("replace", rf"{_CHANGE}\s+(?:{_OLD_NOUN}\s+)?to\s+{_new()}\s+from\s+(?P<old>{QUOTE}){_PLACES}"),
    Rule("replace", rf"{_old()}\s+{_SHOULD}\s+(?:be\s+{_DONE}\s+(?:to|with|into|by|for)|become|be|now)?\s*{_new()}"),
    Rule("replace", rf"{_old()}\s+(?:becomes|{_TO})\s+{_new()}"),
    Rule("replace", rf"{_MAKE}\s+{_old()}\s+(?=say|read|show|display){_new()}"),
    Rule("replace", rf"{_MAKE}\s+{_MAIN}\s+(?:say|read)\s+{_new()}\s+(?:instead\s+of|rather\s+than)\s+{_old()}"),
    Rule("replace", rf"{_WRITE}\s+{_new()},?\s+(?:instead\s+of|in\s+place\s+of|rather\s+than)\s+{_old()}"),
    Rule("replace", rf"(?:instead\s+of|in\s+place\s+of)\s+{_old()},?\s+{_WRITE}\s+{_new()}"),
    Rule("replace", rf"{_DELETE}\s+{_old()}{_AND_WRITE}{_WRITE}\s+{_NEW_LEAD}(?P<new>{QUOTE}){_INSTEAD}"),
    Rule("replace", rf"{_DELETE}\s+{_old()}{_AND_WRITE}replace\s+it\s+with\s+{_new()}"),
    # a part of a longer text: the 'O' in 'OPEN'
    Rule("replace", rf"{_CHANGE}\s+{_PART}\s+{_TO}\s+{_new()}"),
    Rule("replace", rf"replace\s+{_PART}\s+(?:with|by)\s+{_new()}"),
    # only the new text is named
    Rule("replace", rf"{_CHANGE}\s+{_MAIN}\s+{_TO}\s+{_new()}"),
    Rule("replace", rf"replace\s+{_MAIN}\s+(?:with|by)\s+{_new()}"),
    Rule("replace", rf"{_MAKE}\s+{_MAIN}\s+(?=say|read|show|display){_new()}"),
    Rule("replace", rf"{_MAIN}\s+{_SHOULD}\s+(?:be\s+{_DONE}\s+(?:to|with|into)\s+|(?=say|read|show|display)){_new()}"),
    # one or both texts without quotes
    *(Rule("replace", pattern) for pattern in _changing(_old(), _new(_BARE))),
    *(Rule("replace", pattern) for pattern in _changing(_named_old(_ANY_NEW), _new(_ANY_NEW))),
    *(Rule("replace", pattern) for pattern in _changing(rf"(?P<old>{_BARE})", _new())),
    *(Rule("replace", pattern) for pattern in _changing(_SIGN, _new())),
    *(Rule("replace", pattern) for pattern in _changing(rf"(?P<old>{_CAPITALS})", _new(_CAPITALS))),
    Rule("replace", rf"replace\s+(?:the\s+)?word\s+(?P<old>{_WORD})\s+with\s+(?:the\s+)?word\s+(?P<new>{_WORD})"),
    Rule("replace", rf"(?:change|modify|edit|update)\s+{_MAIN}\s+to\s+{_new(_BARE)}"),
    # adding
    Rule("add", rf"{_ADD}\s+(?:{_ADD_NOUN}\s+)?(?P<new>{QUOTE})(?:\s+(?:text|as\s+(?:a|the)\s+title))?{_ADD_PLACES}"),
    Rule("add", rf"{_ANCHORED_ADD}\s+(?:{_ADD_NOUN}\s+)?(?P<new>{QUOTE})\s+{_BY}\s+{_ANCHOR}{_PLACES}"),
    Rule("add", rf"(?:add|insert|write|print|include)\s+{_ADD_NOUN}\s+(?P<new>{_BARE}){_ADD_PLACES}"),
    # deleting
    Rule("delete", rf"{_DELETE}\s+{_old()}"),
    Rule("delete", rf"{_DELETE}\s+{_OLD_NOUN}\s+(?P<old>{QUOTE})\s+from\s+{_OLD_NOUN}\s+{QUOTE}"),
    Rule("delete", rf"{_DELETE}\s+{_NAMED}\s*:?\s+(?P<old>{_BARE}){_PLACES}"),
    Rule("delete", rf"{_DELETE}\s+{_ALL_TEXT}{_SURFACE}"),
)  # fmt: skip

_KEPT = (
    r"(?:(?:the|same|original|existing|current|font|typeface|style|size|colou?rs?|layout|background|everything|else|"
    r"rest|remaining|other|others|all|text|texts|image|picture|photo|of|and|its|position|design|unchanged|as|is|it|was|"
    r"intact|untouched|elements|parts|exactly|consistent|original's|in|anything)[\s,]*)+"
)
_FRAME = (
    re.compile(
        r"^(?:please|kindly|(?:can|could|would|will)\s+you|help\s+me(?:\s+to)?|i\s+(?:want|need)(?:\s+you)?\s+to|"
        r"i(?:'d|\s+would)\s+like(?:\s+you)?\s+to)\b,?\s*",
        re.I,
    ),
    re.compile(rf"^{_PLACE}\s*,\s*|^(?:in|on)\s+{_DET}\s+{_PICTURE}\s+", re.I),
    re.compile(r"[\s.!?,;]+$"),
    re.compile(r"[\s,]+(?:please|thanks|thank\s+you|for\s+me)$", re.I),
    re.compile(
        r"[\s,;.]+(?:(?:and|but|while)\s+)?(?:(?:keep|preserve|maintain|leave|retain)(?:ing)?|"
        rf"(?:in|with|using)\s+(?=the\s+(?:same|original|existing)\s+(?:font|typeface|style|size|colou?r)))\s*{_KEPT}$",
        re.I,
    ),
    re.compile(
        r"[\s,;.]+(?:and\s+|but\s+)?(?:without\s+(?:changing|altering|modifying|affecting)|"
        r"(?:do\s+not|don't)\s+(?:change|alter|modify))\s+"
        r"(?:anything\s+else|the\s+rest|the\s+other\s+texts?|other\s+texts?|the\s+background|"
        r"the\s+(?:font|style|layout|colou?r))(?:\s+of\s+the\s+(?:image|picture|photo))?$",
        re.I,
    ),
)


def tidied(skeleton: str) -> str:
    """The instruction without courtesies, the place it opens with, and wishes to keep all else, which are honoured."""
    text = re.sub(r"\s+", " ", skeleton.replace("’", "'")).strip()
    return without(_FRAME, text)
