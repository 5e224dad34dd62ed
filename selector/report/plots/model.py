"""What the calibration plots are drawn from, as frozen records: numbers and labels, no model and no store.

Totals, estimates and contributions are points of overall, 0 to 10. Every number must be finite: what is unknown is
left out by the caller, never drawn as a made-up value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass

from selector.domain import InputError

Z80 = 1.2815515655446004  # half width of a central 80% interval of a Gaussian, in standard deviations


class Finite:
    """Refuses a record with NaN or infinity anywhere in its own fields."""

    def __post_init__(self) -> None:
        assert is_dataclass(self)
        for item in fields(self):
            if not all(math.isfinite(value) for value in _numbers(getattr(self, item.name))):
                raise InputError(f"plot data {type(self).__name__}.{item.name}: expected finite numbers; leave out NaN")


def _numbers(value: object) -> Iterable[float]:
    values = value if isinstance(value, tuple) else (value,)
    return (number for number in values if isinstance(number, (int, float)))


@dataclass(frozen=True)
class Prediction(Finite):
    """What was expected of a total: its mean and 80% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ToldTotal(Finite):
    """A leaderboard total, what was expected just before it was told (None: nothing), and whether it is an outlier."""

    actual: float
    predicted: Prediction | None = None
    outlier: bool = False


@dataclass(frozen=True)
class Weight(Finite):
    """One weight of one task type, with its Gaussian posterior and prior as mean and standard deviation."""

    task_type: str
    name: str
    mean: float
    sd: float
    prior_mean: float
    prior_sd: float

    @property
    def strength(self) -> float:
        """|mean| in standard deviations; a weight that is known exactly is the strongest, an exact zero the weakest."""
        if self.sd > 0:
            return abs(self.mean) / self.sd
        return math.inf if self.mean else 0.0


@dataclass(frozen=True)
class Contribution(Finite):
    """What one score, generator or offset adds to the estimate of the pick and of the runner-up, points of overall."""

    name: str
    pick: float
    runner_up: float = 0.0


@dataclass(frozen=True)
class Rival(Finite):
    """A candidate in an explanation: what to call it, its estimate (mean, sd) and its chance to be the best."""

    label: str
    mean: float
    sd: float
    p_best: float


@dataclass(frozen=True)
class Explanation(Finite):
    """Why a task's pick leads its runner-up (None: the only candidate). Both estimates begin at ``start`` points."""

    task: str
    pick: Rival
    contributions: tuple[Contribution, ...]
    runner_up: Rival | None = None
    start: float = 0.0


@dataclass(frozen=True)
class Drawing:
    """A finished picture with its words: ``alt`` says what is to be seen, ``caption`` sums it up in one line."""

    png: bytes
    title: str
    alt: str
    caption: str
