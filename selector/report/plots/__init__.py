"""Plots of the calibration as PNG bytes with their words: pure drawing functions, nothing heavy at import."""

from selector.report.plots.contributions import contributions
from selector.report.plots.files import write_plot
from selector.report.plots.gap import recovered_gap_over_submissions
from selector.report.plots.model import (
    Contribution,
    Drawing,
    Explanation,
    GapCurve,
    PickChance,
    Prediction,
    Rival,
    ToldTotal,
    Weight,
)
from selector.report.plots.reliability import reliability
from selector.report.plots.totals import predicted_and_actual_totals, totals_over_submissions
from selector.report.plots.weights import weights

__all__ = [
    "Contribution",
    "Drawing",
    "Explanation",
    "GapCurve",
    "PickChance",
    "Prediction",
    "Rival",
    "ToldTotal",
    "Weight",
    "contributions",
    "predicted_and_actual_totals",
    "recovered_gap_over_submissions",
    "reliability",
    "totals_over_submissions",
    "weights",
    "write_plot",
]
