"""The calibration in figures: weights with intervals, what the newest total changed, how predictions fared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from selector.decide._beliefs import load_prior, save_prior
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.learn.calibrator import Fitted, WeightEstimate
from selector.learn.totals import Z80


@dataclass(frozen=True)
class WeightLine:
    """An effect in points of overall: prior, present, and what the newest submission's totals moved it by.

    A score's weight is points for each spread of the score within a task (its correlation times
    ``Scales.within_sd``), a generator's or variant's its distance from the average. Those of the written prior and of
    task means are factors, near 1. Intervals hold 80%.
    """

    task_type: str
    kind: str
    name: str
    prior: float
    prior_sd: float
    mean: float
    sd: float
    moved: float

    @property
    def interval(self) -> tuple[float, float]:
        return self.mean - Z80 * self.sd, self.mean + Z80 * self.sd


@dataclass(frozen=True)
class ToldLine:
    """A total, what was expected before it came (mean and 80% interval), and whether it counts as an outlier."""

    submission_id: str
    scope: str | None
    total: float
    expected: float
    low: float
    high: float
    outlier: bool

    @property
    def inside(self) -> bool:
        return self.low <= self.total <= self.high


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration in figures. ``factors``: on the prior's spreads, by part, as the totals
    ask for them."""

    basis: str
    candidates: int
    tasks: int
    weights: tuple[WeightLine, ...]
    told: tuple[ToldLine, ...]
    factors: Mapping[str, float]
    picks_moved: int  # tasks that the newest submission's totals made pick otherwise
    prior_from: str | None
    learns_from_totals: bool = True  # whether the contest allows it

    @property
    def inside(self) -> int:
        return sum(line.inside for line in self.told)


def describe(known: Knowledge, folder: Path) -> Calibration:
    """The calibration with what the newest submission's totals changed: everything is fitted again without them."""
    fitted = known.fitted
    before = _without_the_newest(known)
    earlier = {w.effect.key: w.mean for w in before.weights}
    best_before, best = (known.choices.best(of.posterior.mean) for of in (before, fitted))
    borrowed = load_prior(folder)
    return Calibration(
        basis=known.basis,
        candidates=len(known.pool.task_ids),
        tasks=len(known.pool.tasks),
        weights=tuple(
            _weight(w, earlier.get(w.effect.key, w.mean), fitted.calibrator.scales.points(w.effect))
            for w in fitted.weights
        ),
        told=told_lines(known),
        factors=fitted.evidence.factors,
        picks_moved=int((best_before != best).sum()),
        prior_from=borrowed.source if borrowed else None,
        learns_from_totals=known.learns,
    )


def borrow_prior(folder: Path, earlier: Context) -> None:
    """Keep the weights that another campaign learned as the prior of the campaign in ``folder``."""
    save_prior(folder, earlier.need().fitted.as_prior(), earlier.ws.folder.resolve().name)


def _weight(found: WeightEstimate, earlier: float, points: float) -> WeightLine:
    """In points of overall; ``points`` are those of one unit of the model's weight."""
    effect = found.effect
    return WeightLine(
        effect.task_type,
        effect.kind,
        effect.name,
        points * effect.mean,
        points * effect.sd,
        points * found.mean,
        points * found.sd,
        points * (found.mean - earlier),
    )


def _without_the_newest(known: Knowledge) -> Fitted:
    """Fitted without the totals of the submission that was told of last, whatever they are means of."""
    if not known.told:
        return known.fitted
    newest = known.told[-1].submission_id
    rest = [t for row, t in zip(known.told, known.totals, strict=True) if row.submission_id != newest]
    return known.fitted.calibrator.fit(known.pool, rest)


def told_lines(known: Knowledge) -> tuple[ToldLine, ...]:
    """Every total beside what those before it let expect."""
    evidence = known.fitted.evidence
    return tuple(
        ToldLine(
            row.submission_id,
            row.scope.value if row.scope else None,
            row.value,
            ahead.mean,
            max(ahead.mean - Z80 * ahead.sd, 0.0),
            min(ahead.mean + Z80 * ahead.sd, 10.0),
            bool(odd),
        )
        for row, ahead, odd in zip(known.told, known.fitted.predictions, evidence.outliers, strict=True)
    )
