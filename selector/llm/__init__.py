"""Everything that asks a language model: a judge about candidates, a translator, a writer of prompts.

One loop serves all of them (``asking``): what is wanted becomes questions, each is asked over a chat API (``client``),
its answer is read strictly, and stored when it comes. A verb is a definition of what is wanted, how it is asked, how
it is read and where it is stored: ``judging``, ``translating``, ``prompting``. None of them is a plug-in: they cost
money, keep to one budget and one rate, and one process at a time asks a model (``session``).

The judge is a vision-language model that gives SC and PQ as the contest's own judge does, each the minimum of the
sub-scores that the contest's profile names, 0 to 10, higher is better. Input: for SC the task's prompt, its input
pictures and the candidate; for PQ the candidate alone, without the prompt; always the exact final bytes. Model and
licence: whatever the configured server runs; see ``docs/judge.md``. Source: the arithmetic of VIEScore (Ku et al., ACL
2024); all wording is ours. Cost: money or GPU time, some 1,500 tokens a request and two requests a candidate; 1 to 10 s
each. Fails: a judge refuses realistic pictures, answers in the wrong form, or not at all: then the candidate is
unscored, with the reason. It favours what it was trained on, and the same pictures judged twice differ: the
calibration learns how far to trust it.
"""

from selector.llm._asking import Summary
from selector.llm._endpoint import read_key
from selector.llm._judging import AskSummary, ask_judge
from selector.llm._stopping import cure_for
from selector.llm._translating import TranslateSummary, translate
from selector.llm._troubles import JudgeStopped
from selector.llm.prompting import PromptWish, prepare_prompts

__all__ = [
    "AskSummary",
    "JudgeStopped",
    "PromptWish",
    "Summary",
    "TranslateSummary",
    "ask_judge",
    "cure_for",
    "prepare_prompts",
    "read_key",
    "translate",
]
