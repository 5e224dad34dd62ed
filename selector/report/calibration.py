"""The calibration as pictures: from its figures to plots beside the contact sheet."""

from __future__ import annotations

import math
from pathlib import Path

from selector.calibration.totals import Z80
from selector.report.model import PlotCard
from selector.report.plots import (
    Contribution,
    Explanation,
    Prediction,
    Rival,
    ToldTotal,
    Weight,
    contributions,
    predicted_and_actual_totals,
    totals_over_submissions,
    weights,
    write_plot,
)
from selector.runs import explaining
from selector.runs.calibrating import Knowledge
from selector.runs.learning import Calibration

_SHOWN = ("prior", "score", "generator", "variant")  # levels and means between tasks can change no pick


def write_plots(report_folder: Path, calibration: Calibration, known: Knowledge) -> tuple[PlotCard, ...]:
    """Draw the calibration into ``report_folder/plots`` and return the cards for the contact sheet.

    Raises:
        InputError: the pictures cannot be written.
    """
    told = tuple(
        ToldTotal(t.total, Prediction(t.expected, t.low, t.high), t.outlier)
        for t in calibration.told
        if t.scope is None
    )
    lines = tuple(
        Weight("all types" if w.task_type == "*" else w.task_type, w.name, w.mean, w.sd, w.prior, w.prior_sd)
        for w in calibration.weights
        if w.kind in _SHOWN
    )
    folder = report_folder / "plots"
    return (
        write_plot(folder / "totals.png", predicted_and_actual_totals(told)),
        write_plot(folder / "over-submissions.png", totals_over_submissions(told, _expected(known) if told else None)),
        write_plot(folder / "weights.png", weights(lines)),
    )


def write_explanation(path: Path, found: explaining.TaskExplanation) -> PlotCard | None:
    """Draw one task's explanation; None where no candidate may be picked."""
    if found.pick is None:
        return None
    drawing = contributions(
        Explanation(
            found.task_id,
            _rival(found.pick),
            tuple(
                Contribution(p.name, p.pick, p.runner_up)
                for p in found.parts
                if max(abs(p.pick), abs(p.runner_up)) >= 0.005
            ),
            _rival(found.runner_up) if found.runner_up else None,
            found.start,
        )
    )
    return write_plot(path, drawing)


def _rival(rival: explaining.Rival) -> Rival:
    made = f"{rival.generator} {rival.variant}".strip()
    return Rival(f"{made} ({rival.candidate_id[:8]})", rival.overall, rival.overall_sd, rival.p_best)


def _expected(known: Knowledge) -> Prediction:
    """Total that the best picks known would get."""
    choices, belief = known.choices, known.calibrator.posterior_
    picked = choices.weights(choices.best(belief.mean), len(belief.mean))
    mean = float(picked @ belief.mean) + known.elsewhere / known.tasks
    half = Z80 * math.sqrt(max(float(picked @ belief.times(picked)), 0.0))
    return Prediction(mean, mean - half, mean + half)
