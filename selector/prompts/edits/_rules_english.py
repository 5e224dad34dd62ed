"""English rules of edit instructions. A rule must match a whole part; what no rule matches is not understood."""

from __future__ import annotations

import re

from selector.prompts.edits._rules import (
    PLAIN,
    SLIGHT,
    STRONG,
    Clause,
    Keep,
    Parsed,
    Rules,
    Target,
    first_clause,
    signed,
    take_amount,
)
from selector.prompts.edits._words_english import (
    ADJECTIVES,
    COLOURS,
    EFFECTS,
    LONE_VERBS,
    NOUNS,
    NUMBERS,
    STYLES,
    VERBS,
)


def _any(words: object) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"  # type: ignore[call-overload]


_PICTURE = r"(?:image|picture|photo|photograph|pic|snapshot|shot|scene|frame)"
_DET = r"(?:(?:the|this|my|that|whole|entire|full|overall|original) )*"
_WHOLE = rf"(?:{_DET}{_PICTURE}(?: as a whole| overall)?|everything)"
_SUBJECT_NOUN = r"(?:(?:main |central )?subject|foreground)"
_PERSON = rf"(?:{_SUBJECT_NOUN}|main object|person|man|woman|people)"
_BACKGROUND = (
    rf"(?:(?:the )?(?:entire |whole )?(?:background|backdrop)(?: (?:of|in) {_WHOLE}| behind the {_PERSON})?"
    rf"|everything (?:but|except|except for|behind|around) the {_SUBJECT_NOUN})"
)
_SUBJECT = rf"(?:(?:the )?{_SUBJECT_NOUN}(?: (?:of|in) {_WHOLE})?)"
_T = rf"(?P<target>{_WHOLE}|{_BACKGROUND}|{_SUBJECT}|it|this)"
_COLOURS_OF = rf"(?:the )?(?:overall )?(?:colors?|colours?|tones?)(?: (?:of|in) {_T})?"
_OF_T = rf"(?: (?:of|in|to|on|for) {_T})?"
_TAIL = r"(?: (?:photo|photograph|image|picture|version|style|filter|effect|look|tone|mode))*"
_MAKE = r"(?:make|turn|render|get|have)"
_CONVERT = r"(?:make|turn|convert|change|transform|render|put)"
_MORE = r"(?:(?P<more>more|less) )?"
_UP = r"increase|raise|boost|enhance|improve|intensify|add|turn up"
_DOWN = r"(?:decrease|reduce|lower|turn down|lessen)"
_A = r"(?:an? |some |the )?"
_COLOUR = _any(COLOURS)
_NO_NOUN = frozenset({
    "on", "in", "of", "with", "at", "near", "by", "under", "over", "behind", "beside", "from", "to", "into", "and",
    "or", "who", "that", "which", "one", "ones", "background", "light", "lights",
})  # fmt: skip
_DIRECTION = (
    r"(?P<direction>clockwise|counter-?\s?clockwise|anti-?\s?clockwise|(?:to the )?(?:right|left)"
    r"|rightwards?|leftwards?)"
)
_ANGLE = rf"(?:by )?(?P<angle>\d{{1,3}}(?:\.\d+)?|{_any(NUMBERS)})(?: ?°| ?-?degrees?)"

_Match = re.Match[str]


def _target(match: _Match) -> Target | None:
    text = match.groupdict().get("target")
    if text is None:
        return None
    if text in ("it", "this"):
        return "pronoun"
    for target, pattern in (("background", _BACKGROUND), ("subject", _SUBJECT)):
        if re.fullmatch(pattern, text):
            return target  # type: ignore[return-value]
    return "whole"


def _quality(match: _Match, found: tuple[str, int], amount: float) -> Clause | None:
    """A clause for more or less of a quality."""
    less = match.groupdict().get("more") == "less"
    name_sign = signed(found[0], -found[1] if less else found[1])
    if name_sign is None:
        return None
    return Clause(name_sign[0], amount * name_sign[1], _target(match))


def _adjective(match: _Match, amount: float) -> Clause | None:
    return _quality(match, ADJECTIVES[match["adjective"]], amount)


def _colourful(match: _Match, amount: float) -> Clause | None:
    """Of colours, only warmth and saturation can be said without ambiguity: "brighter colours" may mean either."""
    found = ADJECTIVES[match["adjective"]]
    return _quality(match, found, amount) if found[0] in ("warmth", "saturation") else None


def _boost_colours(match: _Match, amount: float) -> Clause:
    return Clause("saturation", amount, _target(match))


def _style(match: _Match, amount: float) -> Clause:
    return Clause(EFFECTS[match["style"]], amount, _target(match))


def _verb(match: _Match, amount: float) -> Clause:
    name, sign = VERBS[match["verb"]]
    target = _target(match)
    return Clause(name, amount * sign, target, open_object=target is None)


def _noun(match: _Match, amount: float) -> Clause | None:
    found = signed(NOUNS[match["noun"]], 1 if match["up"] else -1)
    return Clause(found[0], amount * found[1], _target(match)) if found else None


def _tone(match: _Match, amount: float) -> Clause:
    return Clause("warmth", amount if match["tone"].startswith("warm") else -amount, _target(match))


def _no_colour(match: _Match, amount: float) -> Clause:
    return Clause("black_white", amount, _target(match))


def _recolour(match: _Match, amount: float) -> Clause | None:
    noun, repeated = match["noun"], match["again"]
    strange = _NO_NOUN.union(COLOURS).intersection(noun.split())
    if strange or repeated not in (None, noun, "one", "ones") or COLOURS[match["old"]] == COLOURS[match["new"]]:
        return None
    plural = noun.endswith("s") and not noun.endswith(("ss", "us"))
    params = {"from": COLOURS[match["old"]], "to": COLOURS[match["new"]], "noun": noun, "plural": plural}
    return Clause("recolour", amount, None, params)


def _flip(match: _Match, _amount: float) -> Clause:
    words = match.groupdict()
    how = words.get("how") or "horizontal"
    vertical = how.startswith("vertical") or how in ("upside down", "top to bottom")
    return Clause("flip", PLAIN, _target(match), {"axis": "vertical" if vertical else "horizontal"})


def _rotate(match: _Match, _amount: float) -> Clause | None:
    words = match.groupdict()
    direction, angle = words.get("direction"), words.get("angle")
    degrees = 90.0 if angle is None else float(NUMBERS.get(angle) or angle)
    if not 0 < degrees < 360:
        return None
    left = bool(direction) and not re.match(r"clockwise|(to the )?right", direction or "")
    certain = bool(direction) or degrees == 180
    return Clause("rotate", PLAIN, _target(match), {"degrees": -degrees if left else degrees, "certain": certain})


def _upside_down(match: _Match, _amount: float) -> Clause:
    return Clause("rotate", PLAIN, _target(match), {"degrees": 180.0, "certain": True})


def _crop(match: _Match, amount: float) -> Clause | None:
    words = match.groupdict()
    if words.get("side"):
        side = {"upper": "top", "lower": "bottom"}.get(match["side"], match["side"])
        return Clause("crop", PLAIN, _target(match), {"kind": "half", "side": side})
    if words.get("ratio"):
        width, height = (1.0, 1.0) if match["ratio"] == "square" else map(float, re.split(r" ?[:x] ?", match["ratio"]))
        if not (width and height and 0.2 <= width / height <= 5):
            return None
        return Clause("crop", PLAIN, _target(match), {"kind": "ratio", "ratio": width / height})
    return Clause("crop", amount, _target(match), {"kind": "margin"})


_ADJECTIVE = rf"(?P<adjective>{_any(ADJECTIVES)})"
_STYLE = rf"(?P<style>{_any(STYLES)}){_TAIL}"
_EFFECT = rf"(?P<style>{_any(EFFECTS)}){_TAIL}"
_QUALITY = rf"(?P<noun>{_any(NOUNS)})"
_MORE_OF = r"(?:(?P<up>more|higher|high|increased|extra|added)|less|lower|low|reduced)"
_TONE = r"(?P<tone>warm|warmer|cool|cooler|cold|colder) (?:colou?r )?(?:tone|filter)s?"
_HOW = r"(?P<how>horizontal(?:ly)?|vertical(?:ly)?|left to right|upside down|top to bottom)"
_RATIO = r"(?P<ratio>square|\d{1,2} ?[:x] ?\d{1,2})(?: (?:format|shape|ratio|aspect ratio))?"
_RECOLOUR = rf"(?P<old>{_COLOUR}) (?P<noun>[a-z]+(?: [a-z]+)??) (?:to |into |to be )?(?:a |an )?(?P<new>{_COLOUR})"

_IMPERATIVE: Rules = (
    (rf"{_MAKE} {_T} (?:to )?(?:look |appear |be )?{_MORE}{_ADJECTIVE}", _adjective),
    (rf"{_MAKE} {_COLOURS_OF} (?:look |appear |be )?{_MORE}{_ADJECTIVE}", _colourful),
    (rf"(?:boost|enhance|intensify) {_COLOURS_OF}", _boost_colours),
    (rf"{_CONVERT} {_T} (?:look |appear )?(?:to )?(?:like |be |to |into |in |as |be in )?{_A}{_STYLE}", _style),
    (rf"(?:convert|change|turn) (?:in)?to {_A}{_STYLE}", _style),
    (rf"(?:add|apply|put|use) {_A}{_EFFECT}{_OF_T}", _style),
    (rf"give {_T} {_A}{_EFFECT}", _style),
    (rf"(?P<verb>{_any(VERBS)}) {_T}", _verb),
    (rf"(?P<verb>{_any(LONE_VERBS)})", _verb),
    (rf"(?:(?P<up>{_UP})|{_DOWN}) (?:the )?{_QUALITY}{_OF_T}", _noun),
    (rf"{_MAKE} the {_QUALITY}{_OF_T} (?:(?P<up>higher|stronger|greater)|lower|weaker)", _noun),
    (rf"(?:give {_T}|add|use) {_MORE_OF} {_QUALITY}", _noun),
    (rf"(?:add|apply|use) {_A}{_TONE}{_OF_T}", _tone),
    (rf"give {_T} {_A}{_TONE}", _tone),
    (rf"(?:remove|strip|drain|take) (?:all )?(?:of )?(?:the )?colou?rs?(?: (?:out )?(?:from|of) {_T})?", _no_colour),
    (rf"{_CONVERT} (?:the colou?r of )?(?:all )?the {_RECOLOUR}(?: colou?r)?(?: (?P<again>[a-z ]+))?", _recolour),
    (rf"(?:paint|colou?r|recolou?r|dye) (?:all )?the {_RECOLOUR}(?P<again>)?", _recolour),
    (rf"(?:flip|mirror)(?: {_T})?(?: {_HOW})?", _flip),
    (rf"{_HOW} (?:flip|mirror)(?: {_T})?", _flip),
    (rf"(?:rotate|turn)(?: {_T})? {_ANGLE}(?: {_DIRECTION})?", _rotate),
    (rf"rotate(?: {_T})? {_DIRECTION}(?: {_ANGLE})?", _rotate),
    (rf"turn {_T} upside down", _upside_down),
    (rf"crop(?: {_T})?(?: (?:in|tighter|a bit))?", _crop),
    (rf"crop (?:off )?(?:the )?(?:edges|borders|margins)(?: (?:of|from) {_T})?", _crop),
    (rf"crop(?: {_T})? (?:in)?to (?:an? )?{_RATIO}", _crop),
    (rf"crop(?: {_T})? to (?:the )?(?P<side>left|right|top|bottom|upper|lower) half", _crop),
)
_BARE: Rules = (
    (rf"{_MORE}{_ADJECTIVE}", _adjective),
    (rf"{_MORE_OF} {_QUALITY}", _noun),
    (rf"{_A}{_STYLE}", _style),
    (rf"{_A}(?P<style>vignette|vignetting){_TAIL}", _style),
)
_AMOUNTS = (
    (
        re.compile(
            r"\b(?:(?:just )?(?:a|an) (?:little bit|little|bit|touch|tad|hint|amount)(?: of)?|slightly|somewhat|subtly"
            r"|gently|mildly|softly|subtle|slight|faint)\b"
        ),
        SLIGHT,
    ),
    (
        re.compile(
            r"\b(?:a lot(?: of)?|lots of|(?:far|way|much)(?= \w+er\b| more\b| less\b)|significantly|considerably"
            r"|greatly|strongly|dramatically|very|really|extremely|heavily|highly|drastically|strong|dramatic|heavy)\b"
        ),
        STRONG,
    ),
    (re.compile(r"\b(?:please|just|now|also|quite|even|overall|completely|fully|entirely)\b"), PLAIN),
)
_COURTESY = re.compile(
    r"^(?:please |kindly |can you |could you |would you |i want you to |i would like you to |i'd like you to |let's )+"
    r"|(?: please| for me| thanks| thank you)+$"
)
_SEPARATOR = re.compile(r"\s*(?:[,;!?]|\.(?!\d)|\b(?:(?<!black )and(?: then)?|then|while|but|plus|with)\b|&|\+)\s*")
_STAY = r"(?:sharp|in focus|clear|crisp|unchanged|as is|as it is|the same|untouched|intact)"
_KEEP = r"(?:keep|keeping|leave|leaving|preserve|preserving|maintain|maintaining)"
_CHANGE = (
    r"(?:without (?:changing|altering|affecting|touching)|do not (?:change|alter|touch)|don't (?:change|alter|touch))"
)
_REST = rf"(?:anything else|everything else|all else|the rest(?: of {_WHOLE})?|other (?:parts|areas))"
_KEEP_SUBJECT = re.compile(rf"{_KEEP} the {_PERSON}(?: {_STAY})?|{_CHANGE} the {_PERSON}")
_KEEP_REST = re.compile(rf"{_KEEP} {_REST}(?: {_STAY})?|{_CHANGE} {_REST}")
_NEGATION = re.compile(r"\b(?:not|no|never|dont|without|avoid|except|instead|unless|stop|undo|cannot)\b|n't\b")


def split(text: str) -> list[str]:
    """The parts of a normalised instruction, without courtesies; "black and white" stays one word."""
    text = re.sub(r"\b(?:black & white|black-and-white|b&w|b/w|black/white)\b", "black and white", text)
    parts = (_COURTESY.sub("", part.strip()) for part in _SEPARATOR.split(_COURTESY.sub("", text.strip(" .!?"))))
    return [part for part in parts if part]


def is_negated(part: str) -> bool:
    """Whether the part speaks of what should not be done."""
    return bool(_NEGATION.search(part))


def parse_imperative(part: str) -> Parsed | None:
    """A part that says what to do ("brighten the picture") or what to keep; None when no rule matches all of it."""
    if _KEEP_SUBJECT.fullmatch(part):
        return Keep("subject")
    if _KEEP_REST.fullmatch(part):
        return Keep("rest")
    return _match(part, _IMPERATIVE)


def parse_bare(part: str) -> Parsed | None:
    """A part without a verb ("warmer", "more contrast", "black and white photo")."""
    return _match(part, _BARE)


def _match(part: str, rules: Rules) -> Clause | None:
    return first_clause(*take_amount(part, _AMOUNTS), rules)
