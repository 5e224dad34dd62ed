"""The calibration as pictures: from its figures to plots beside the contact sheet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from selector.decide import explaining
from selector.decide.calibration import Calibration, ToldLine, WeightLine
from selector.decide.knowledge import Knowledge
from selector.learn.totals import Z80
from selector.report._model import PlotCard
from selector.report.plots._contributions import contributions
from selector.report.plots._totals import predicted_and_actual_totals, totals_over_submissions
from selector.report.plots._weights import weights
from selector.report.plots.canvas import write_plot
from selector.report.plots.model import Contribution, Explanation, Prediction, Rival, ToldTotal, Weight

# Levels and means between tasks can change no pick.
_SHOWN = (
    "prior",
    "score",
    "consensus",
    "generator mean",
    "generator",
    "variant",
    "treatment",
    "treated",
    "ease",
)


_SUFFIXES = {"ease": ", on easier tasks", "generator mean": ", of a generator", "consensus": ", together"}


def write_plots(report_folder: Path, calibration: Calibration, known: Knowledge) -> tuple[PlotCard, ...]:
    """Draw the calibration into ``report_folder/plots`` and return the cards for the contact sheet.

    Raises:
        InputError: the pictures cannot be written.
    """
    told = calibration.told
    course = _course(calibration, known)
    lines = tuple(
        Weight("all types" if w.task_type == "*" else w.task_type, name, w.mean, w.sd, w.prior, w.prior_sd)
        for name, w in shown_weights(calibration)
    )
    predicted = predicted_and_actual_totals(
        tuple(ToldTotal(t.total, Prediction(t.expected, t.low, t.high), t.outlier) for t in told)
    )
    expected = _expected(known) if course else None
    folder = report_folder / "plots"
    return (
        write_plot(folder / "totals.png", replace(predicted, caption=predicted.caption + _scopes(told))),
        write_plot(folder / "over-submissions.png", totals_over_submissions(course, expected)),
        write_plot(folder / "weights.png", weights(lines)),
    )


def shown_weights(calibration: Calibration) -> list[tuple[str, WeightLine]]:
    """Those that can change a pick, with their names in words."""
    return [(_label(w), w) for w in calibration.weights if w.kind in _SHOWN]


def _scopes(told: Sequence[ToldLine]) -> str:
    types = [t.scope for t in told if t.scope is not None]
    if not types:
        return ""
    numbers = ", ".join(f"{n} of {scope}" for scope, n in sorted(Counter(types).items()))
    return f" {len(types)} of the {len(told)} points are totals of one task type: {numbers}."


def _course(calibration: Calibration, known: Knowledge) -> tuple[ToldTotal, ...]:
    """Totals of all tasks, submission by submission; totals of all types make one, with every type by its tasks."""
    lines: dict[str, list[tuple[ToldLine, int]]] = {}
    for line, total in zip(calibration.told, known.totals, strict=True):
        lines.setdefault(line.submission_id, []).append((line, total.tasks))
    found = []
    for own in lines.values():
        used = [(line, n) for line, n in own if line.scope is None] or own
        if sum(n for _, n in used) == known.tasks:
            mean = sum(line.total * n for line, n in used) / known.tasks
            found.append(ToldTotal(mean, outlier=any(line.outlier for line, _ in used)))
    return tuple(found)


def _label(weight: WeightLine) -> str:
    return weight.name + _SUFFIXES.get(weight.kind, "")


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
    return Rival(f"{rival.made_with} ({rival.candidate_id[:8]})", rival.overall, rival.overall_sd, rival.p_best)


def _expected(known: Knowledge) -> Prediction:
    """Total that the best picks known would get."""
    choices, belief = known.choices, known.fitted.posterior
    picked = choices.weights(choices.best(belief.mean), len(belief.mean))
    mean = float(picked @ belief.mean) + known.elsewhere / known.tasks
    half = Z80 * math.sqrt(max(float(picked @ belief.times(picked)), 0.0))
    return Prediction(mean, mean - half, mean + half)
