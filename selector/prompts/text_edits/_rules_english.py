"""English rules of text edits. A rule must match a whole instruction; what no rule matches is not understood."""

from __future__ import annotations

import re

from selector.prompts.text_edits._places_english import SAYING, tagged
from selector.prompts.text_edits._rules import ANCHORED, ANY_PLACE, PLAIN, QUOTE, SURFACE, Instruction, Rule, without
from selector.prompts.text_edits._words_english import ASPECTS, BEARER, GRAMMAR, LANGUAGES, NOT_BARE, PICTURE, TEXT_NOUN

_MODIFIER = rf"(?!(?:{ASPECTS}|{GRAMMAR})(?![\w-]))[a-z0-9][\w'-]*"
_WORD = rf"(?!{NOT_BARE})[a-z][\w'-]*"
_DET = r"(?:the|this|that|its|my|our|their)"
# A bare text is written as a name or a number is: Hello World, OPEN, 20%, Bank of China, 关门.
_TOKEN = rf"(?!{NOT_BARE})(?:(?-i:[A-Z0-9$€£¥#])[^\s,;:?!\"\ue000-\uf8ff]*|[\u4e00-\u9fff]+)"
_BARE = rf"{_TOKEN}(?: (?:(?-i:of|&) )?{_TOKEN}){{0,4}}"
_CAPITAL_WORD = rf"(?!{NOT_BARE})(?-i:[A-Z0-9$€£¥#%.:&'-]+)"
_CAPITALS = rf"{_CAPITAL_WORD}(?: {_CAPITAL_WORD}){{0,3}}"

_WHICH_IS = (
    r"(?:,|,?\s+and|\s+(?:that|which)\s+(?:is|are))?"
    r"(?:\s+(?:located|placed|found|seen|shown|displayed|printed|written|painted))?"
)
_PLACES = rf"(?:{_WHICH_IS}\s+{ANY_PLACE})*"
_SURFACES = rf"(?:\s+[{SURFACE}-{chr(ord(PLAIN) - 1)}])*"
_WITHOUT_ANCHOR = rf"(?:(?:,|,?\s+and)?\s+[{SURFACE}-{chr(ord(ANCHORED) - 1)}])*"
_NOUN = rf"(?:{TEXT_NOUN}|{BEARER})"
_WHAT = rf"(?:(?:{_DET}|a|an)\s+)?(?:{_MODIFIER}\s+){{0,4}}?"
# Without the old text named, the largest text is meant: only nouns and places for which that is a fair reading.
_MAIN = (
    rf"(?:{_DET}\s+)?(?:main\s+|store\s+|shop\s+|brand\s+)?"
    rf"(?:text|word|words|wording|title|label|heading|headline|slogan|name|sign|signboard|inscription|message){_SURFACES}"
)
_NEW_LEAD = (
    r"(?:(?:now\s+)?(?:say|read|show|display|be)\s+)?(?:the\s+|a\s+)?(?:new\s+|correct\s+|updated\s+)?"
    rf"(?:{TEXT_NOUN}\s*:?\s+)?"
)

_CHANGE = (
    r"(?:change|modify|edit|update|alter|rewrite|rename|correct|fix|revise|amend|adjust|turn|convert|transform|switch)"
)
_TO = rf"(?:(?:(?:to|into)\s+(?:{LANGUAGES})\s+)?as|to|into|->|=>|→)"
_CHANGE_TO = rf"(?:{_CHANGE}|translate)"
_REPLACE = r"(?:replace|substitute)"
_DONE = r"(?:changed|modified|edited|updated|altered|corrected|replaced|rewritten|revised|renamed|turned|swapped)"
_SHOULD = r"(?:should|must|shall|is|are|needs\s+to|has\s+to|ought\s+to)"
_MAKE = r"(?:make|have|let)"
_WRITE = r"(?:write|put|place|print|add|insert|use|show|display|paint)"
_ADD = r"(?:add|insert|write|append|include|print|paint|type|put|place|overlay|engrave|inscribe|draw)"
_ANCHORED_ADD = r"(?:add|insert|write|append|include|print|paint|type)"
_ADD_NOUN = rf"(?:(?:the|a|an)\s+)?(?:(?:new|additional|extra|short|following)\s+)?{TEXT_NOUN}{SAYING}?"
_AS = rf"(?:\s+(?:text|as\s+(?:a|an|the)\s+(?:{_MODIFIER}\s+)?{TEXT_NOUN}))?"
_DELETE = r"(?:remove|delete|erase|eliminate|get\s+rid\s+of|take\s+(?:out|away|off)|wipe\s+out|wipe|clear|drop|omit)"
_AND_WRITE = r"(?:\s+and|,|,\s+and|\s+and\s+then|,\s+then)\s+(?:then\s+)?"
_INSTEAD = r"(?:\s+(?:instead|in\s+its\s+place))?"


def _old(text: str = QUOTE, noun: str = _NOUN) -> str:
    """An old text, with what it is and where; a ``noun`` of a text only, where what bears the text is not meant."""
    bearer = "" if noun == TEXT_NOUN else rf"{_DET}\s+(?:{_MODIFIER}\s+){{1,4}}?that\s+(?:says|reads)\s+|"
    before = rf"(?:{bearer}{_WHAT}{noun}{_PLACES}{SAYING}?\s+|(?:the|from)\s+)?"
    return rf"{before}(?P<old>{text})(?:\s+(?:{_MODIFIER}\s+)?{noun})?{_PLACES}"


def _named_old(text: str) -> str:
    return rf"{_WHAT}{_NOUN}{SAYING}?\s+(?P<old>{text}){_PLACES}"


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
_PART = rf"(?:the\s+)?(?:{_NOUN}\s+)?(?P<part>{QUOTE})\s+(?:in|of)\s+(?:{_WHAT}{_NOUN}\s+)?(?P<old>{QUOTE}){_PLACES}"
_ANY_NEW = rf"(?:{QUOTE}|{_BARE})"
_LEAD = rf"(?:(?P<lead>{ANY_PLACE}{_PLACES}),?\s+)?"
RULES: tuple[Rule, ...] = (
    *(Rule("replace", pattern) for pattern in _changing(_old(), _new())),
    Rule("replace", rf"(?:swap|swap\s+out|switch|switch\s+out|exchange)\s+{_old()}\s+for\s+{_new()}"),
    Rule("replace", rf"(?:swap\s+out|switch\s+out)\s+{_old()}\s+with\s+{_new()}"),
    Rule("replace", rf"substitute\s+{_new()}\s+for\s+{_old()}"),
    Rule("replace", rf"{_CHANGE}\s+(?:{_WHAT}{_NOUN}{_PLACES}\s+)?to\s+{_new()}\s+from\s+(?P<old>{QUOTE}){_PLACES}"),
    Rule("replace", rf"{_old()}\s+{_SHOULD}\s+(?:be\s+)?(?:{_DONE}\s+(?:to|with|into|by|for)|become|now)?\s*{_new()}"),
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
    Rule("replace", rf"{_CHANGE}\s+{_MAIN}\s+{_TO}\s+{_new()}", alone=True),
    Rule("replace", rf"replace\s+{_MAIN}\s+(?:with|by)\s+{_new()}", alone=True),
    Rule("replace", rf"{_MAKE}\s+{_MAIN}\s+(?=say|read|show|display){_new()}", alone=True),
    Rule("replace", rf"{_CHANGE}\s+{_MAIN}\s+so\s+(?:that\s+)?it\s+(?:says|reads)\s+{_new()}", alone=True),
    Rule(
        "replace",
        rf"{_MAIN}\s+{_SHOULD}\s+(?:be\s+{_DONE}\s+(?:to|with|into)\s+|(?=say|read|show|display)){_new()}",
        alone=True,
    ),
    # one or both texts without quotes
    *(Rule("replace", pattern) for pattern in _changing(_old(), _new(_BARE))),
    *(Rule("replace", pattern) for pattern in _changing(_named_old(_ANY_NEW), _new(_ANY_NEW))),
    *(Rule("replace", pattern) for pattern in _changing(rf"(?P<old>{_BARE})", _new())),
    *(Rule("replace", pattern) for pattern in _changing(_SIGN, _new())),
    *(Rule("replace", pattern) for pattern in _changing(rf"(?P<old>{_CAPITALS})", _new(_CAPITALS))),
    Rule("replace", rf"replace\s+(?:the\s+)?word\s+(?P<old>{_WORD})\s+with\s+(?:the\s+)?word\s+(?P<new>{_WORD})"),
    Rule("replace", rf"(?:change|modify|edit|update)\s+{_MAIN}\s+to\s+{_new(_BARE)}", alone=True),
    # adding
    Rule("add", rf"{_LEAD}{_ADD}\s+(?:{_ADD_NOUN}\s+|the\s+)?(?P<new>{QUOTE}){_AS}(?P<place>{_WITHOUT_ANCHOR})"),
    Rule("add", rf"{_LEAD}{_ANCHORED_ADD}\s+(?:{_ADD_NOUN}\s+|the\s+)?(?P<new>{QUOTE}){_AS}(?P<place>{_PLACES})"),
    Rule("add", rf"{_ANCHORED_ADD}(?P<lead>{_PLACES})\s+(?:{_ADD_NOUN}\s+)?(?P<new>{QUOTE})"),
    Rule("add", rf"(?:add|insert|write|print|include)\s+{_ADD_NOUN}\s+(?P<new>{_BARE})(?P<place>{_WITHOUT_ANCHOR})"),
    # deleting
    Rule("delete", rf"{_DELETE}\s+{_old(noun=TEXT_NOUN)}"),
    Rule("delete", rf"{_DELETE}\s+{_NAMED}\s*:?\s+(?P<old>{_BARE}){_PLACES}"),
    Rule("delete", rf"{_DELETE}\s+{_ALL_TEXT}{_SURFACES}", alone=True),
)  # fmt: skip

_LOOK = (
    r"fonts?|typefaces?|typography|styles?|sizes?|colou?rs?|weight|thickness|case|spacing|kerning|alignment|position|"
    r"location|layout|design|perspective|angle|orientation|lighting|shadows?|effects?|borders?|outlines?|textures?|"
    r"background|appearance|formatting|format|look|handwriting|lettering\s+style|shape|sign|signboard|wall|board"
)
_KEPT = (
    rf"(?:(?:the|same|original|existing|current|exactly|exact|everything|anything|else|rest|remaining|others?|all|of|and|"
    rf"or|its|it|unchanged|as|is|are|was|they|before|intact|untouched|elements?|parts?|consistent|in|{_LOOK}|{PICTURE}|"
    r"text|texts|surrounding|overall|that)(?![\w-])[\s,]*)+"
)
_VERBS = (
    r"change|make|turn|add|remove|delete|erase|replace|write|put|insert|move|rotate|enlarge|resize|shrink|translate|"
    r"swap|instead|except|but|then|underline|highlight"
)
_FREE_WORD = rf"(?!(?:{_VERBS})(?![\w-]))[^\s,.;/\ue000-\uf0ff]+"
_FREE = rf"{_FREE_WORD}(?:[\s,/]+{_FREE_WORD})*"
_BREAK = r"(?:^|[\s,;.:—–-]+)(?:(?:and|but|while|whilst|also|just|please|then)\s+)*"
_KEEP = r"(?:(?:keep|preserv|maintain|retain|leav|match|ensur)(?:e|ing)?|mak(?:e|ing)\s+sure)"
_UNTOUCHED = (
    r"(?:without\s+(?:changing|altering|modifying|affecting|touching|disturbing|damaging)|"
    r"(?:do\s+not|don't|never)\s+(?:change|alter|modify|touch|affect))"
)
_SAME = (
    r"(?:in|with|using|use)\s+(?:(?:exactly|exact|the|a|an)\s+)*(?:same|original|existing|identical|matching)"
    r"(?!.*\b(?:place|spot|line|row|column|area|corner|side)\b)"
)
_STAYS = (
    r"(?:should\s+|must\s+|has\s+to\s+|have\s+to\s+)?(?:all\s+)?(?:remains?|stays?|be\s+kept|be\s+left|keeps?|kept|is|are)"
    r"\s+(?:the\s+same|unchanged|as\s+(?:is|it\s+is|they\s+are|before)|intact|untouched|consistent|identical)"
)
_ENSURE = r"(?:(?:with|ensur(?:e|ing)|mak(?:e|ing)\s+sure)\s+(?:that\s+)?)?"
_COURTESY = (
    re.compile(
        r"^(?:please|kindly|(?:can|could|would|will)\s+you|help\s+me(?:\s+to)?|i\s+(?:want|need)(?:\s+you)?\s+to|"
        r"i(?:'d|\s+would)\s+like(?:\s+you)?\s+to)\b,?\s*",
        re.I,
    ),
    re.compile(r"[\s.!?,;]+$"),
    re.compile(r"[\s,]+(?:please|thanks|thank\s+you|for\s+me)$", re.I),
    # all else, or how the lettering looks
    re.compile(rf"{_BREAK}{_KEEP}\s+{_KEPT}$", re.I),
    re.compile(rf"{_BREAK}{_SAME}\s+{_KEPT}$", re.I),
    re.compile(rf"{_BREAK}{_UNTOUCHED}\s+{_KEPT}$", re.I),
    re.compile(rf"{_BREAK}{_ENSURE}{_KEPT}{_STAYS}$", re.I),
    re.compile(rf"{_BREAK}with\s+(?=.*\b(?:unchanged|intact|untouched)$){_KEPT}$", re.I),
)
_KEEPING = (
    re.compile(rf"{_BREAK}{_KEEP}\s+{_FREE}$", re.I),
    re.compile(rf"{_BREAK}{_SAME}\s+{_FREE}$", re.I),
    re.compile(rf"{_BREAK}{_UNTOUCHED}\s+{_FREE}$", re.I),
    re.compile(rf"(?:[,;.:]|\s(?=and|while|but))\s*(?:(?:and|while|but)\s+)?{_ENSURE}{_FREE}\s+{_STAYS}$", re.I),
    re.compile(rf"{_BREAK}with\s+{_FREE}\s+(?:unchanged|intact|untouched)$", re.I),
)


def tidied(skeleton: str) -> Instruction:
    """The instruction without courtesies and wishes to keep all else, which are honoured, and with places marked."""
    text = re.sub(rf"(?<=\w)(?={QUOTE})|(?<={QUOTE})(?=\w)", " ", skeleton.replace("’", "'"))  # from 'A'to'B'
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s*([,;.:!?])[\s,;.:!?]+", r"\1 ", text)
    plain = without(_COURTESY, text)
    shorter = without((*_COURTESY, *_KEEPING), plain)
    return tagged(shorter, keeps=shorter != plain)
