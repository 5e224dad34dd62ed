"""bestshot: picks the best of N generated images for every task of a contest that is judged by VIEScore.

``Campaign`` plays a contest, from the task table to the submission and its total; ``Study`` does the learning and
picking alone, on any table of scores. The other names are what they take, return and raise.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from selector._moved import serve_old_names

__version__ = "1.0.0rc1"
serve_old_names()
logging.getLogger("bestshot").addHandler(logging.NullHandler())  # silent, unless the program or its caller listens

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.decide.calibration import Calibration
    from selector.decide.explaining import TaskExplanation
    from selector.decide.judges import Judge, Judges
    from selector.decide.judging import JudgeSummary
    from selector.decide.planning import GenerationPlan, SubmissionPlan, ToJudge
    from selector.doctor import Check
    from selector.domain import (
        BestshotError,
        Estimate,
        InputError,
        MissingPart,
        OutOfResources,
        Pick,
        QuotaExceeded,
        SubmissionError,
        Task,
        TaskType,
    )
    from selector.generate.dry_run import GenerateEstimate
    from selector.generate.summary import GenerateSummary
    from selector.generate.verb import ImportSummary
    from selector.learn.belief import JUDGE, Belief
    from selector.learn.calibrator import Calibrator
    from selector.learn.plan_generating import Wish
    from selector.learn.plan_submission import Plan
    from selector.learn.study import Proposal, Study
    from selector.llm import AskSummary, TranslateSummary
    from selector.measure.realism import Realism
    from selector.measure.scoring import ScoreSummary
    from selector.status import Status
    from selector.submit.export import Export
    from selector.submit.ledger import Quota, SubmissionRecord
    from selector.submit.submissions import Submissions
    from selector.submit.verify import Verdict

_PLACES = {
    "campaign": ("Campaign",),
    "decide.calibration": ("Calibration",),
    "decide.explaining": ("TaskExplanation",),
    "decide.judges": ("Judge", "Judges"),
    "decide.judging": ("JudgeSummary",),
    "decide.planning": ("GenerationPlan", "SubmissionPlan", "ToJudge"),
    "doctor": ("Check",),
    "domain": (
        "BestshotError",
        "Estimate",
        "InputError",
        "MissingPart",
        "OutOfResources",
        "Pick",
        "QuotaExceeded",
        "SubmissionError",
        "Task",
        "TaskType",
    ),
    "generate.dry_run": ("GenerateEstimate",),
    "generate.verb": ("ImportSummary",),
    "generate.summary": ("GenerateSummary",),
    "learn.belief": ("JUDGE", "Belief"),
    "learn.calibrator": ("Calibrator",),
    "learn.plan_generating": ("Wish",),
    "learn.plan_submission": ("Plan",),
    "learn.study": ("Proposal", "Study"),
    "llm": ("AskSummary", "TranslateSummary"),
    "measure.realism": ("Realism",),
    "measure.scoring": ("ScoreSummary",),
    "status": ("Status",),
    "submit.export": ("Export",),
    "submit.ledger": ("Quota", "SubmissionRecord"),
    "submit.submissions": ("Submissions",),
    "submit.verify": ("Verdict",),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}
__all__ = [
    "JUDGE",
    "AskSummary",
    "Belief",
    "BestshotError",
    "Calibration",
    "Calibrator",
    "Campaign",
    "Check",
    "Estimate",
    "Export",
    "GenerateEstimate",
    "GenerateSummary",
    "GenerationPlan",
    "ImportSummary",
    "InputError",
    "Judge",
    "JudgeSummary",
    "Judges",
    "MissingPart",
    "OutOfResources",
    "Pick",
    "Plan",
    "Proposal",
    "Quota",
    "QuotaExceeded",
    "Realism",
    "ScoreSummary",
    "Status",
    "Study",
    "SubmissionError",
    "SubmissionPlan",
    "SubmissionRecord",
    "Submissions",
    "Task",
    "TaskExplanation",
    "TaskType",
    "ToJudge",
    "TranslateSummary",
    "Verdict",
    "Wish",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # Lazy, because `bestshot --help` and `import scorers` must not pay for SQLAlchemy and pydantic.
    if name in _MODULE_OF:
        return getattr(import_module(f"selector.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'selector' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
