"""The calibration in figures: weights with intervals, what the newest total changed, how predictions fared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selector.calibration.calibrator import Calibrator
from selector.features.pool import Floats, Ints
from selector.runs.calibrating import PRIOR_FILE, Knowledge
from selector.store.files import write_atomically

Z80 = 1.2815515655446004  # half width of a central 80% interval of a Gaussian, in standard deviations


@dataclass(frozen=True)
class WeightLine:
    """An effect in points of overall: prior, present, and what the newest total moved it by. 80% intervals."""

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
    picks_moved: int  # tasks that the newest total made pick otherwise
    prior_from: str | None

    @property
    def inside(self) -> int:
        return sum(line.inside for line in self.told)


def describe(known: Knowledge, folder: Path) -> Calibration:
    """The calibration with what the newest total changed: everything is fitted again without it."""
    calibrator = known.calibrator
    before = _without_the_newest(known)
    earlier = {w.effect.key: w.mean for w in before.weights_}
    weights = tuple(
        WeightLine(
            w.effect.task_type,
            w.effect.kind,
            w.effect.name,
            w.effect.mean,
            w.effect.sd,
            w.mean,
            w.sd,
            w.mean - earlier.get(w.effect.key, w.mean),
        )
        for w in calibrator.weights_
    )
    return Calibration(
        basis=known.basis,
        candidates=len(known.pool.task_ids),
        tasks=len(known.pool.tasks),
        weights=weights,
        told=_told(known),
        factors=calibrator.evidence_.factors,
        picks_moved=_moved(before, calibrator),
        prior_from=_prior_from(folder),
    )


def save_prior(folder: Path, effects: Mapping[str, tuple[float, float]], source: str) -> Path:
    """Keep weights of an earlier campaign as this one's prior."""
    path = folder / PRIOR_FILE
    data = {"from": source, "effects": {k: [m, s] for k, (m, s) in sorted(effects.items())}}
    write_atomically(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
    return path


def _without_the_newest(known: Knowledge) -> Calibrator:
    calibrator, totals = known.calibrator, known.totals
    if not totals:
        return calibrator
    fresh = Calibrator(calibrator.beliefs, calibrator.scales, calibrator.noise_sd, calibrator.learned)
    return fresh.fit(known.pool, totals[:-1])


def _moved(before: Calibrator, after: Calibrator) -> int:
    rows = after.pool_.choices[after.pool_.choices[:, 0] >= 0]
    best = [_best(rows, c.posterior_.mean) for c in (before, after)]
    return int((best[0] != best[1]).sum())


def _best(rows: Ints, mean: Floats) -> Ints:
    places: Ints = np.where(rows >= 0, mean[rows], -np.inf).argmax(axis=1)
    return places


def _told(known: Knowledge) -> tuple[ToldLine, ...]:
    evidence = known.calibrator.evidence_
    return tuple(
        ToldLine(
            row.submission_id,
            row.scope.value if row.scope else None,
            row.value,
            ahead.mean,
            ahead.mean - Z80 * ahead.sd,
            ahead.mean + Z80 * ahead.sd,
            bool(odd),
        )
        for row, ahead, odd in zip(known.told, known.calibrator.predictions_, evidence.outliers, strict=True)
    )


def _prior_from(folder: Path) -> str | None:
    path = folder / PRIOR_FILE
    return str(json.loads(path.read_text(encoding="utf-8")).get("from")) if path.is_file() else None
