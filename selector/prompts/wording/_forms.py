"""Styles, which are what may be done to a prompt before a generator is shown it, and forms, which models like.

A generator states its form as ``prompt_form``, or none for the usual of the task.

caption      describes the wanted picture in sentences; the usual of text to image. For an edit: how it looks after it.
tags         the same in short phrases for a text encoder of 77 tokens (Stable Diffusion 1.5, SDXL); English.
instruction  tells what to change, in the imperative; the usual of edits (Qwen-Image-Edit, wanx description_edit, GPT).
kontext      an instruction that names things instead of "it" and ends with what stays as it is; English, because
             FLUX.1 Kontext reads little else. Source: the model's own guide to prompting, in our words.
"""

from __future__ import annotations

from selector.domain import InputError, TaskType
from selector.domain.words import near_or_all

AS_IS, SUFFIX, TRANSLATED, REWRITTEN = "as_is", "suffix", "translated", "rewritten"
PROMPT_STYLES: tuple[str, ...] = (AS_IS, SUFFIX, TRANSLATED, REWRITTEN)
CAPTION, TAGS, INSTRUCTION, KONTEXT = "caption", "tags", "instruction", "kontext"
FORMS: tuple[str, ...] = (CAPTION, TAGS, INSTRUCTION, KONTEXT)
_OF_EDITS = (INSTRUCTION, KONTEXT)


def needs_writer(style: str) -> bool:
    """Whether a language model is needed for the style."""
    return style in (TRANSLATED, REWRITTEN)


def form_for(stated: str, task_type: TaskType) -> str:
    """The form for a task of this type; ``stated``: what the generator states, "" for nothing.

    Text to image has nothing to change: a generator that does both and states a form of edits gets captions there.

    Raises:
        InputError: no such form.
    """
    if stated and stated not in FORMS:
        raise InputError(f"there is no prompt form '{stated}'{near_or_all(stated, FORMS)}")
    if task_type is TaskType.T2I:
        return stated if stated and stated not in _OF_EDITS else CAPTION
    return stated or INSTRUCTION


def in_english(form: str) -> bool:
    """Whether the models of this form read English alone, whatever the prompt's language."""
    return form in (TAGS, KONTEXT)
