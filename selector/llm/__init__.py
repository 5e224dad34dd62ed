"""Everything that asks a language model: a judge, a translator, a writer of prompts, a reader of tasks.

One loop serves all of them (``asking``): what is wanted becomes questions, each is asked over a chat API (``client``),
its answer is read strictly, and stored when it comes. A verb is a definition of what is wanted, how it is asked, how
it is read and where it is stored: ``judging``, ``translating``, ``prompting``, ``task_reading``. None of them is a
plug-in: they cost money, keep to one budget and one rate, and one process at a time asks a model (``session``).

The judge is a vision-language model that gives SC and PQ as the contest's own judge does, each the minimum of the
sub-scores that the contest's profile names, 0 to 10, higher is better. Input: for SC the task's prompt, its input
pictures and the candidate; for PQ the candidate alone, without the prompt; always the exact final bytes. Model and
licence: whatever the configured server runs; see ``docs/judge.md``. Source: the arithmetic of VIEScore (Ku et al., ACL
2024); all wording is ours. Cost: money or GPU time, some 1,500 tokens a request and two requests a candidate; 1 to 10 s
each. Fails: a judge refuses realistic pictures, answers in the wrong form, or not at all: then the candidate is
unscored, with the reason. It favours what it was trained on, and the same pictures judged twice differ: the
calibration learns how far to trust it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selector.domain.lazy import lazy_names

if TYPE_CHECKING:
    from selector.llm._asking import Summary
    from selector.llm._endpoint import read_key
    from selector.llm._judging import AskSummary, ask_judge
    from selector.llm._reading_cells import cells_of
    from selector.llm._stopping import cure_for
    from selector.llm._task_reading import ReadSummary, ReadWish, read_tasks
    from selector.llm._translating import TranslateSummary, translate
    from selector.llm._troubles import JudgeStopped
    from selector.llm.prompting import PromptWish, prepare_prompts

__getattr__ = lazy_names(
    __name__,
    {
        "_asking": ("Summary",),
        "_endpoint": ("read_key",),
        "_judging": ("AskSummary", "ask_judge"),
        "_reading_cells": ("cells_of",),
        "_stopping": ("cure_for",),
        "_task_reading": ("ReadSummary", "ReadWish", "read_tasks"),
        "_translating": ("TranslateSummary", "translate"),
        "_troubles": ("JudgeStopped",),
        "prompting": ("PromptWish", "prepare_prompts"),
    },
)
__all__ = [
    "AskSummary",
    "JudgeStopped",
    "PromptWish",
    "ReadSummary",
    "ReadWish",
    "Summary",
    "TranslateSummary",
    "ask_judge",
    "cells_of",
    "cure_for",
    "prepare_prompts",
    "read_key",
    "read_tasks",
    "translate",
]
