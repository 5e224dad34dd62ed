"""Marks that models leave in their answers: of thinking, around the answer, at its end; in all spellings we know.

Nothing between marks of thinking is ever read: a draft is no answer.
"""

from __future__ import annotations

import re

_WORD = r"(?:\w+:)?(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad)"
_THINKING_BEGINS = re.compile(
    rf"<\s*{_WORD}\s*>|◁\s*{_WORD}\s*▷|\[\s*{_WORD}\s*\]|<\|\s*{_WORD}\s*\|>|<\|(?:begin_of|start)_{_WORD}\|>"
    r"|<\|channel\|>\s*(?:analysis|commentary)\b|<unused94>",
    re.IGNORECASE,
)
_THINKING_ENDS = re.compile(
    rf"<\s*/\s*{_WORD}\s*>|◁\s*/\s*{_WORD}\s*▷|\[\s*/\s*{_WORD}\s*\]|<\|\s*/\s*{_WORD}\s*\|>|<\|end_(?:of_)?{_WORD}\|>"
    r"|<\|channel\|>\s*final\s*(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>|<unused95>",
    re.IGNORECASE,
)
_ANSWER = r"(?:(?:final_)?(?:answer|response|output|result|solution)|final)"
_TOKEN_BEGINS = re.compile(rf"<\|(?:begin_of|start)_(?:box|{_ANSWER})\|>", re.IGNORECASE)
_ANSWER_BEGINS = re.compile(rf"<\s*{_ANSWER}\s*>|{_TOKEN_BEGINS.pattern}", re.IGNORECASE)
_ANSWER_ENDS = re.compile(rf"<\s*/\s*{_ANSWER}\s*>|<\|end_(?:of_)?(?:box|{_ANSWER})\|>", re.IGNORECASE)
_MEANT = rf"begin_of_(?!text)|end_of_box|(?:start|end)_(?:of_)?(?:th|reason|{_ANSWER})|/?think|/?reason|channel"
_MARK = (  # special tokens of chat templates; those above stand for something
    rf"(?:<\|(?!(?i:{_MEANT}))[\w▁/ ]{{1,30}}\|>|<｜[\w▁ ]{{1,30}}｜>|</?s>"
    r"|<eos>|<bos>|<(?:end|start)_of_turn>|\[/?INST\]|<EOT>)"
)
_FIRST_MARK = re.compile(rf"(?:<\|(?:im_start|start_header_id|start)\|>|<start_of_turn>)\s*(?:assistant|model)|{_MARK}")
_LAST_MARK = re.compile(rf"{_MARK}$")
_NEXT_TURN = re.compile(  # a model that went on, and wrote the part of who asks
    r"(?:<\|(?:im_end|eot_id|end|endoftext|end_of_turn)\|>|<end_of_turn>|</s>|<eos>)\s*"
    r"(?:\[INST\]|(?:<\|(?:im_start|start_header_id|start)\|>|<start_of_turn>|<\|)\s*(?:user|human|system)\b)"
)
_LONGEST_MARK = 40
_MOST_MARKS = 8  # at each end
_SPACE = "\ufeff\u200b\u200c\u200d\u2060\u00a0\u3000 \t\r\n"


def after_thinking(text: str) -> str:
    """What follows the last thinking; nothing when the thinking never ended.

    Example:
        >>> after_thinking("◁think▷hm◁/think▷ a cat<|im_end|>")
        'a cat'
    """
    text = _first_turn(text)
    ends = [found.end() for found in _THINKING_ENDS.finditer(text)]
    said = without_marks(text[ends[-1] :] if ends else text)
    return "" if _THINKING_BEGINS.match(said) else said


def before_thinking(text: str) -> str:
    """What was said before the first thinking that ended; nothing where none was begun."""
    text = _first_turn(text)
    begins = _THINKING_BEGINS.search(text)
    return text[: begins.start()] if begins and _THINKING_ENDS.search(text, begins.end()) else ""


def _first_turn(text: str) -> str:
    next_turn = _NEXT_TURN.search(text)
    return text[: next_turn.start()] if next_turn else text


def without_marks(text: str) -> str:
    """Without special tokens and space at both ends."""
    text = text.strip(_SPACE)
    for _ in range(_MOST_MARKS):
        first = _FIRST_MARK.match(text)
        text = text[first.end() :].lstrip(_SPACE) if first else text
        last = _LAST_MARK.search(text[-_LONGEST_MARK:])
        text = text[: len(text) - len(last[0])].rstrip(_SPACE) if last else text
        if not (first or last):
            break
    return text


def between_marks(said: str) -> str:
    """What stands between marks of the answer, of one pair with no object before and nothing after it; else all.

    A token that begins the answer needs no end: servers leave out the last.
    """
    begins, ends = list(_ANSWER_BEGINS.finditer(said)), list(_ANSWER_ENDS.finditer(said))
    if len(begins) == 1 and not ends and (token := _TOKEN_BEGINS.match(said)):
        return without_marks(said[token.end() :])
    if begins and "{" in said[: begins[0].start()]:
        return said
    if len(begins) == len(ends) == 1 and begins[0].end() <= ends[0].start() and ends[0].end() == len(said):
        return without_marks(said[begins[0].end() : ends[0].start()])
    return said
