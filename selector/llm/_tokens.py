"""Marks that models leave in their answers: of thinking, around the answer, at its end; in every spelling that is known.

Nothing between marks of thinking is ever read: a draft is no answer.
"""

from __future__ import annotations

import re

_WORD = r"(?:\w+:)?(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad)"
_THINKING_BEGINS = re.compile(
    rf"<\s*{_WORD}\s*>|◁\s*{_WORD}\s*▷|\[\s*{_WORD}\s*\]|<\|\s*{_WORD}\s*\|>|<\|begin_of_{_WORD}\|>"
    r"|<\|channel\|>\s*(?:analysis|commentary)\b|<unused94>",
    re.IGNORECASE,
)
_THINKING_ENDS = re.compile(
    rf"<\s*/\s*{_WORD}\s*>|◁\s*/\s*{_WORD}\s*▷|\[\s*/\s*{_WORD}\s*\]|<\|\s*/\s*{_WORD}\s*\|>|<\|end_of_{_WORD}\|>"
    r"|<\|channel\|>\s*final\s*(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>|<unused95>",
    re.IGNORECASE,
)
_ANSWER_BEGINS = re.compile(r"<\s*(?:final_)?(?:answer|response|output|result)\s*>|<\|begin_of_box\|>", re.IGNORECASE)
_ANSWER_ENDS = re.compile(r"<\s*/\s*(?:final_)?(?:answer|response|output|result)\s*>|<\|end_of_box\|>", re.IGNORECASE)
_MARK = (  # special tokens of chat templates; those above stand for something
    r"(?:<\|(?!begin_of_|end_of_box|end_of_th|/?think|/?reason|channel)[\w▁/ ]{1,30}\|>|<｜[\w▁ ]{1,30}｜>|</?s>|<eos>|<bos>"
    r"|<(?:end|start)_of_turn>|\[/?INST\]|<EOT>)"
)
_FIRST_MARK = re.compile(rf"(?:<\|(?:im_start|start_header_id|start)\|>|<start_of_turn>)\s*(?:assistant|model)|{_MARK}")
_LAST_MARK = re.compile(rf"{_MARK}$")
_LONGEST_MARK = 40
_MOST_MARKS = 8  # at each end
_SPACE = "\ufeff \t\r\n"


def after_thinking(text: str) -> str:
    """What follows the last thinking; nothing when the thinking never ended.

    Example:
        >>> after_thinking("◁think▷hm◁/think▷ a cat<|im_end|>")
        'a cat'
    """
    ends = [found.end() for found in _THINKING_ENDS.finditer(text)]
    said = without_marks(text[ends[-1] :] if ends else text)
    return "" if _THINKING_BEGINS.match(said) else said


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
    """What stands between marks of the answer, where there is one pair and nothing after it; else all."""
    begins, ends = list(_ANSWER_BEGINS.finditer(said)), list(_ANSWER_ENDS.finditer(said))
    if len(begins) == len(ends) == 1 and begins[0].end() <= ends[0].start() and ends[0].end() == len(said):
        return without_marks(said[begins[0].end() : ends[0].start()])
    return said
