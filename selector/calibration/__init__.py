"""From raw scores to estimates of SC, PQ and overall."""

from selector.calibration.estimate import EstimateTable, estimate, prior_points
from selector.calibration.prior import PRIOR, PRIOR_NAME, AxisPrior, Weight

__all__ = ["PRIOR", "PRIOR_NAME", "AxisPrior", "EstimateTable", "Weight", "estimate", "prior_points"]
