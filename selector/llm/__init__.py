"""The judge: a vision-language model that gives SC and PQ as the contest's own judge does, over a chat API.

Estimates: the sub-scores of SC and PQ that the contest's profile names, 0 to 10, higher is better; each axis is their
minimum. Input: for SC the task's prompt, its input pictures and the candidate; for PQ the candidate alone, without the
prompt; always the exact final bytes. Model and licence: whatever the configured server runs; see ``docs/judge.md``.
Source: the arithmetic of VIEScore (Ku et al., ACL 2024); all wording is ours.
Cost: money or GPU time, some 1,500 tokens a request and two requests a candidate; 1 to 10 s each.
Fails: a judge refuses realistic pictures, answers in the wrong form, or not at all: then the candidate is unscored,
with the reason. It favours what it was trained on, and the same pictures judged twice differ: the calibration learns
how far to trust it.

It is no plug-in: it costs money, is asked in the order of a plan, and answers become judgements, not scores
(``selector.llm.asking``).
"""

from selector.llm.answers import Answer
from selector.llm.client import ChatJudge, Reply, outcome_of
from selector.llm.dialect import Dialect
from selector.llm.endpoint import Endpoint, read_key
from selector.llm.pricing import OutOfMoney, Price, Purse, Usage
from selector.llm.replies import REFUSED, SCORED, UNREADABLE, Reading, read_reply
from selector.llm.rubrics import Question, ask_pq, ask_sc
from selector.llm.troubles import JudgeStopped
from selector.net.pace import Interrupted, Pace

__all__ = [
    "REFUSED",
    "SCORED",
    "UNREADABLE",
    "Answer",
    "ChatJudge",
    "Dialect",
    "Endpoint",
    "Interrupted",
    "JudgeStopped",
    "OutOfMoney",
    "Pace",
    "Price",
    "Purse",
    "Question",
    "Reading",
    "Reply",
    "Usage",
    "ask_pq",
    "ask_sc",
    "outcome_of",
    "read_key",
    "read_reply",
]
