"""A judge's answer, read strictly: exactly the numbers that were asked for, or the reason why not. Nothing is guessed.

Accepted is one JSON object with exactly the wanted keys and finite numbers from 0 to 10: alone, inside one code fence
or marks of an answer, or after thinking; two objects are none, alike or not. Where a server left the content empty, the
object that ends the thinking counts, if it follows a whole sentence and nothing before it looks like a draft. The
published parser of VIEScore turns what it cannot read into a random number; here *unreadable* and *refused* are
outcomes of their own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selector.llm._answers import Answer
from selector.llm._rubrics import HIGHEST, LOWEST
from selector.llm._tokens import after_thinking, before_thinking, between_marks

SCORED, WRITTEN, REFUSED, UNREADABLE = "scored", "written", "refused", "unreadable"

EMPTY = "the reply is empty"
TRUNCATED = "the reply was cut off (raise max_tokens)"
CUT_AGAIN = "the reply was cut off, also with more tokens (raise max_tokens)"
NO_OBJECT = "the reply is no JSON object"
BESIDE = "there is text beside the JSON object"
TWICE = "a sub-score stands twice in the reply"
WRONG_PARTS = "the reply has other sub-scores than those asked for"
WRONG_FORM = "the reply has another form than the one asked for"
TOO_MANY = "the reply claims more than a prompt can say"
NOTHING_LEFT = "nothing that the reply claims stands in the prompt"
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
    # Who grades did not decline: "I won't judge harshly: 9", "we cannot rate it higher".
    r"(?![^.\n{]{0,40}(?:\b(?:higher|lower|better|worse|perfect|(?:harsh|strict|severe|generous)(?:er|ly)|more \w+ly)\b"
    r"|[:=]\s*\d|\b(?:above|below|over|under|than|at|an?|as) \d|\d\s*(?:/|out of|points?|$)))"
)
_REFUSAL = re.compile(
    r"\bI(?:'|’)?m (?:really |very |so )?sorry\b|\bI am (?:really |very |so )?sorry\b"
    rf"|\b(?:I|we) (?:can(?:'|’)?t|cannot|can not|won(?:'|’)?t|will not|must not) {_SOFTLY}{_DECLINED}"
    r"|\b(?:I|we) (?:must |have to |need to |will |respectfully )*(?:decline|refuse)\b"
    rf"|\bI (?:do not|don(?:'|’)?t|will not be able to) {_SOFTLY}{_DECLINED}"
    r"|\bI (?:won(?:'|’)?t|will not|cannot|can(?:'|’)?t) be (?:rating|judging|scoring|evaluating|assessing|providing)\b"
    r"|\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b[^.{]{0,60}?\b(?:I |I(?:'|’)m |am )"
    r"(?:do not|don(?:'|’)?t|cannot|can(?:'|’)?t|won(?:'|’)?t|will not|not able|unable|lack|have no)\b"
    rf"|\b(?:unable|not able|not allowed|not permitted) to {_SOFTLY}{_DECLINED}"
    r"|\bI(?:'|’| a)?m not comfortable\b"
    r"|\bagainst (?:my|our) (?:policy|policies|guidelines)\b"
    r"|抱歉|对不起|(?:无法|不能|不便|难以)(?:为您|为你|对此|对这|进行|提供|评价|评估|评分|评判|打分|协助|帮助|回答|满足|处理|判断)"
    r"|作为(?:一个|一名|一款)?(?:AI|人工智能|语言模型|大模型|智能助手)[^。{]{0,30}(?:不能|无法|不会|不提供|不便|没有)"
    r"|我不(?:会|能|可以|提供)(?:对|为|给)?[^。{]{0,12}(?:评价|评估|评分|打分|评判|判断)"
    r"|拒绝(?:回答|评价|评分)|不(?:适合|宜)(?:评价|评估|评分|讨论|回答)|换个话题",
    re.IGNORECASE,
)
_NEAR = 120  # characters before an object that may say what it is
_FENCE_BEGINS = re.compile(r"```\w*\s*$")
_ENDS = re.compile(
    r"""[.!?。！？…]["'”’)）*]*$|\b(?:final|my) (?:answer|scores?|ratings?|output|result)\W{0,4}$"""
    r"|(?:最终|最后)\w{0,4}[:：]$",
    re.IGNORECASE,
)
_GRADES = re.compile(  # a number that was thought of before
    r"""["'\w]\s*[:=：]\s*["']?-?\d|\d\s*(?:/|out of|分)|\b(?:score|rate|give|rating|say)\w* [^.\n]{0,30}\d""",
    re.IGNORECASE,
)
_TENTATIVE = re.compile(
    r"\be\.?g\b|\bi\.e\b|\b(?:examples?|instance|such as|like|formats?|forms?|schema|template|structure|would|could|"
    r"should|may|might|maybe|perhaps|possibly|probably|first|initial\w*|drafts?|guess|thought|wants?|asked|asks|"
    r"expects?|expected|needs?|must|if|suppose|imagine|try|tentative\w*|wait|hmm|instead|unless|user|prompt|"
    r"instructions?|typical\w*|samples?|placeholder|something|options?|not sure|unsure|alternatively|either|hypothe\w+|"
    r"dummy|roughly|estimates?|second)\b"
    r"|例如|比如|譬如|示例|样例|格式|形式|可能|也许|或许|大概|应该|首先|先|初步|假设|如果|草稿|样本|假如|比方|不确定|模板|暂|要求|用户|想要",
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
    return read_answer(Answer(text, finish_reason, refusal), parts)


def read_answer(answer: Answer, parts: Sequence[str]) -> Reading:
    """As ``read_reply``, of all that a server sent."""
    found = read_object(answer)
    if isinstance(found, Reading):
        return found
    scores = _scores(found, parts)
    return _unread(answer, scores) if isinstance(scores, str) else Reading(SCORED, scores)


def read_object(answer: Answer) -> dict[str, Any] | Reading:
    """The one JSON object that an answer is, whatever its keys; else why it is none: refused or unreadable."""
    if answer.refusal or answer.was_filtered:
        return Reading(REFUSED, reason=REFUSED)
    found = BESIDE if _says_two_things(answer) else _object_of(between_marks(after_thinking(answer.said or "")))
    if found == EMPTY and answer.reasoning and not answer.was_cut:
        found = _object_at_the_end(after_thinking(answer.reasoning))
    return _unread(answer, found) if isinstance(found, str) else found


def _unread(answer: Answer, reason: str) -> Reading:
    said = after_thinking(answer.said or "")
    if is_refusal(said) and not _judges(said):
        return Reading(REFUSED, reason=REFUSED)
    return Reading(UNREADABLE, reason=TRUNCATED if answer.was_cut else reason)


def is_refusal(said: str) -> bool:
    """Whether a model declines to do what it was asked, by the usual phrases in English and Chinese."""
    return _REFUSAL.search(said) is not None


def _judges(said: str) -> bool:
    """Whether there is an object with a number: whoever gives one judged, whatever the words beside it say."""
    start = said.find("{")
    return start >= 0 and _NUMBERED.search(said, start) is not None


def _object_of(said: str) -> dict[str, Any] | str:
    """The object, or the reason why there is none."""
    fenced = _FENCE.findall(said)
    if len(fenced) == 1 and said.startswith("```") and said.endswith("```"):
        said = fenced[0].strip()
    if not said:
        return EMPTY
    if not said.startswith("{"):
        return BESIDE if "{" in said else NO_OBJECT
    return _only(said)


def _says_two_things(answer: Answer) -> bool:
    """Whether an object stands before the thinking, or words and arguments hold objects that differ."""
    text = answer.text or ""
    if "{" in before_thinking(text):
        return True
    said = between_marks(after_thinking(text))
    return bool(answer.arguments) and "{" in said and _object_of(said) != _object_of(answer.arguments or "")


def _object_at_the_end(thought: str) -> dict[str, Any] | str:
    """Of thinking whose server left the answer in it: what comes before the object must not make a draft of it."""
    start = thought.find("{")
    if start < 0:
        return EMPTY
    found = _only(thought[start:].removesuffix("```").rstrip())
    return BESIDE if isinstance(found, dict) and _is_draft(thought[:start]) else found


def _is_draft(before: str) -> bool:
    """Whether an object after these words may be an example, a first thought or part of a sentence."""
    words = _FENCE_BEGINS.sub("", before).rstrip()
    has_line = "\n" in before[len(words) :] and words[-1:] not in tuple(":：,，、;；")
    ends = not words or has_line or _ENDS.search(words)
    return not ends or bool(_GRADES.search(words) or _TENTATIVE.search(words[-_NEAR:]))


def _only(said: str) -> dict[str, Any] | str:
    """The object that stands here alone. Twice the same is not read either: nobody knows what the second corrects."""
    try:
        value, end = json.JSONDecoder(object_pairs_hook=_once).raw_decode(said)
    except _Twice:
        return TWICE
    except (ValueError, RecursionError):
        return NO_OBJECT if "}" in said else TRUNCATED
    if said[end:].strip():
        return BESIDE
    return value if isinstance(value, dict) else NO_OBJECT


def _scores(value: Mapping[str, Any], parts: Sequence[str]) -> dict[str, float] | str:
    """The sub-scores, or what is wrong with the first that is none."""
    if set(value) != set(parts):
        return WRONG_PARTS
    faults = [fault for part in parts if (fault := _fault(value[part]))]
    return faults[0] if faults else {part: float(value[part]) + 0.0 for part in parts}  # -0 is 0


def _fault(number: Any) -> str | None:
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return NO_NUMBER
    if isinstance(number, float) and not math.isfinite(number):
        return NOT_FINITE
    return None if LOWEST <= number <= HIGHEST else OUT_OF_RANGE


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two equal ones the last would win, and which was meant is not known."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found
