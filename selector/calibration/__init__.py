"""From raw scores, totals and judgements to estimates of SC, PQ and overall."""

from selector.calibration.belief import JUDGE, JUDGE_PART, KNOWN_DIRECTION, RATING, UNKNOWN, Belief
from selector.calibration.estimate import EstimateTable, estimate, prior_points
from selector.calibration.prior import PRIOR, PRIOR_NAME, WITHOUT_POINTS, AxisPrior, Weight

__all__ = [
    "JUDGE",
    "JUDGE_PART",
    "KNOWN_DIRECTION",
    "PRIOR",
    "PRIOR_NAME",
    "RATING",
    "UNKNOWN",
    "WITHOUT_POINTS",
    "AxisPrior",
    "Belief",
    "EstimateTable",
    "Weight",
    "estimate",
    "prior_points",
]
