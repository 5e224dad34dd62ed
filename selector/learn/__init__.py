"""Learning from totals and judgements, and planning what to submit next: arithmetic on a table of candidates.

``Study`` is the way in for a table of scores of one's own; ``Belief`` says what is believed of a score, ``JUDGE`` that
it is a strong judge's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selector.learn.belief import JUDGE, Belief
    from selector.learn.calibrator import Calibrator, Fitted
    from selector.learn.study import Proposal, Study, Told

_PLACES = {
    "Belief": "belief",
    "JUDGE": "belief",
    "Calibrator": "calibrator",
    "Fitted": "calibrator",
    "Proposal": "study",
    "Study": "study",
    "Told": "study",
}
__all__ = ["JUDGE", "Belief", "Calibrator", "Fitted", "Proposal", "Study", "Told"]


def __getattr__(name: str) -> Any:
    # Lazy: `status` and `quota` import modules of this room and must not pay for scipy.
    if name in _PLACES:
        return getattr(import_module(f"selector.learn.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'selector.learn' has no attribute {name!r}")
