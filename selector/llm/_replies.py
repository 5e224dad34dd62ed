"""A judge's answer, read strictly: exactly the numbers that were asked for, or the reason why not. Nothing is guessed.

Accepted is one JSON object with exactly the wanted keys and finite numbers from 0 to 10, alone, inside one code fence,
or after a block of thinking. The published parser of VIEScore turns what it cannot read into a random number; here
*unreadable* and *refused* are outcomes of their own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from selector.llm._rubrics import HIGHEST, LOWEST

if TYPE_CHECKING:
    from selector.llm._client import Answer

SCORED, WRITTEN, REFUSED, UNREADABLE = "scored", "written", "refused", "unreadable"

EMPTY = "the reply is empty"
TRUNCATED = "the reply was cut off (raise max_tokens)"
NO_OBJECT = "the reply is no JSON object"
BESIDE = "there is text beside the JSON object"
TWICE = "a sub-score stands twice in the reply"
WRONG_PARTS = "the reply has other sub-scores than those asked for"
NO_NUMBER = "a sub-score is no number"
NOT_FINITE = "a sub-score is not finite"
OUT_OF_RANGE = "a sub-score is outside 0 to 10"

_FENCE = re.compile(r"```[A-Za-z]*[ \t]*\n?(.*?)\n?[ \t]*```", re.DOTALL)
# "I cannot find faults" speaks of the picture: declining takes a first person and a verb of what was asked for.
_SOFTLY = r"(?:really |currently |actually |simply |be able to |in good conscience |fairly |reliably )*"
_DECLINED = (
    r"(?:assist|help(?! but\b)|comply|rate|judge|evaluate|assess|grade|score|review|analy[sz]e|compare|process|provide|"
    r"answer|respond|discuss|participate|engage|continue|proceed|fulfil|complete|perform|translate|do (?:this|that)|"
    r"(?:identify|recogni[sz]e) (?:\w+ )?(?:people|persons?|individuals?|faces?|anyone|someone|who))"
)
_REFUSAL = re.compile(
    r"\bI(?:'|’)?m (?:really |very |so )?sorry\b|\bI am (?:really |very |so )?sorry\b"
    rf"|\b(?:I|we) (?:can(?:'|’)?t|cannot|can not|won(?:'|’)?t|will not|must not) {_SOFTLY}{_DECLINED}"
    r"|\b(?:I|we) (?:must |have to |need to |will |respectfully )*(?:decline|refuse)\b"
    rf"|\b(?:unable|not able|not allowed|not permitted) to {_SOFTLY}{_DECLINED}"
    r"|\bI(?:'|’| a)?m not comfortable\b"
    r"|\bagainst (?:my|our) (?:policy|policies|guidelines)\b"
    r"|抱歉|对不起|(?:无法|不能|不便|难以)(?:为您|为你|对此|对这|进行|提供|评价|评估|评分|评判|打分|协助|帮助|回答|满足|处理|判断)"
    r"|拒绝(?:回答|评价|评分)|不(?:适合|宜)(?:评价|评估|评分|讨论|回答)|换个话题",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"""["'\w]\s*:\s*["']?-?\d""")  # a key and its number


@dataclass(frozen=True)
class Reading:
    """What a reply says. ``outcome``: scored (then ``scores`` by name, 0 to 10) or written (then ``text``).

    Else ``reason``: an answer is refused or unreadable; where none came, the request is rejected or unanswered.
    """

    outcome: str
    scores: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    reason: str | None = None


class _Twice(ValueError):
    """A key stands twice in an object."""


def read_reply(
    text: str | None, parts: Sequence[str], finish_reason: str | None = None, refusal: str | None = None
) -> Reading:
    """What a judge's answer says.

    Args:
        text: the message's content.
        parts: names of the sub-scores that were asked for.
        finish_reason: why the server ended the answer; "content_filter" is a refusal, "length" a truncation.
        refusal: the message's field of that name.

    Example:
        >>> read_reply('<think>hm</think>{"quality": 7.5}', ["quality"]).scores
        {'quality': 7.5}
        >>> read_reply("7/10", ["quality"]).reason
        'the reply is no JSON object'
    """
    if refusal or finish_reason == "content_filter":
        return Reading(REFUSED, reason=REFUSED)
    said = after_thinking(text or "")
    reading = _read_object(said, parts)
    if isinstance(reading, dict):
        return Reading(SCORED, reading)
    if is_refusal(said) and not _judges(said):
        return Reading(REFUSED, reason=REFUSED)
    return Reading(UNREADABLE, reason=TRUNCATED if finish_reason == "length" else reading)


def read_object(answer: Answer) -> dict[str, Any] | Reading:
    """The one JSON object that an answer is, whatever its keys; else why it is none: refused or unreadable."""
    if answer.refusal or answer.finish_reason == "content_filter":
        return Reading(REFUSED, reason=REFUSED)
    said = after_thinking(answer.text or "")
    found = _object_of(said)
    if not isinstance(found, str):
        return found
    if is_refusal(said):
        return Reading(REFUSED, reason=REFUSED)
    return Reading(UNREADABLE, reason=TRUNCATED if answer.finish_reason == "length" else found)


def after_thinking(text: str) -> str:
    """What follows the last thinking; nothing when the thinking never ended."""
    said = text.rpartition("</think>")[2].strip("\ufeff \t\r\n")
    return "" if said.startswith("<think>") else said


def is_refusal(said: str) -> bool:
    """Whether a model declines to do what it was asked, by the usual phrases in English and Chinese."""
    return _REFUSAL.search(said) is not None


def _judges(said: str) -> bool:
    """Whether there is an object with a number: whoever gives one judged, whatever the words beside it say."""
    start = said.find("{")
    return start >= 0 and _NUMBERED.search(said, start) is not None


def _read_object(said: str, parts: Sequence[str]) -> dict[str, float] | str:
    """The scores, or the reason why there are none."""
    found = _object_of(said)
    return found if isinstance(found, str) else _checked(found, parts)


def _object_of(said: str) -> dict[str, Any] | str:
    fenced = _FENCE.findall(said)
    if len(fenced) == 1 and said.startswith("```") and said.endswith("```"):
        said = fenced[0].strip()
    if not said:
        return EMPTY
    if not said.startswith("{"):
        return BESIDE if "{" in said else NO_OBJECT
    try:
        value, end = json.JSONDecoder(object_pairs_hook=_once).raw_decode(said)
    except _Twice:
        return TWICE
    except (ValueError, RecursionError):
        return NO_OBJECT if "}" in said else TRUNCATED
    if said[end:].strip():
        return BESIDE
    return value if isinstance(value, dict) else NO_OBJECT


def _checked(value: Mapping[str, Any], parts: Sequence[str]) -> dict[str, float] | str:
    if set(value) != set(parts):
        return WRONG_PARTS
    found = {}
    for part in parts:
        number = value[part]
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return NO_NUMBER
        if isinstance(number, float) and not math.isfinite(number):
            return NOT_FINITE
        if not LOWEST <= number <= HIGHEST:
            return OUT_OF_RANGE
        found[part] = float(number) + 0.0  # -0 is 0
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two equal ones the last would win, and which was meant is not known."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found
