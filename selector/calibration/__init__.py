"""From raw scores to estimates of SC, PQ and overall."""

from selector.calibration.estimate import EstimateTable, estimate
from selector.calibration.prior import PRIOR, PRIOR_NAME, AxisPrior, Weight

__all__ = ["PRIOR", "PRIOR_NAME", "AxisPrior", "EstimateTable", "Weight", "estimate"]
