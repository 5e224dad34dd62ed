"""Counts for the top of the sheet, gathered while the tasks stream by: they cannot differ from what is shown below.

Memory does not grow with the number of tasks, but for the list of tasks to look at, which is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from selector.domain import TaskType
from selector.report._model import CandidateCard, TaskRow

BINS = 20  # of half a point, on 0 to 10
MAX_LISTED = 300
WIDTH, HEIGHT = 240, 76  # user units of the drawing; x runs from 0 to 10 points over the width


@dataclass
class Distribution:
    """Estimated overall scores (0 to 10), as a histogram of ``BINS`` bins and a sum."""

    counts: list[int] = field(default_factory=lambda: [0] * BINS)
    total: float = 0.0

    def add(self, overall: float) -> None:
        self.counts[min(max(int(overall / 10 * BINS), 0), BINS - 1)] += 1
        self.total += overall

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None


@dataclass
class TypeSummary:
    """One task type: how many tasks, and the estimates of all its candidates and of its picks."""

    tasks: int = 0
    candidates: Distribution = field(default_factory=Distribution)
    picks: Distribution = field(default_factory=Distribution)


@dataclass
class GeneratorSummary:
    """One generator: candidates made and picked, tasks declined, attempts failed."""

    candidates: int = 0
    picked: int = 0
    declined: int = 0
    failed: int = 0
    estimates: Distribution = field(default_factory=Distribution)


@dataclass(frozen=True)
class ToLookAt:
    """A task that a person should see, and the page it is on (from 1)."""

    id: str
    page: int
    why: str


@dataclass
class Summary:
    """Everything that the top of the sheet states."""

    tasks: int = 0
    candidates: int = 0
    fallbacks: int = 0  # pictures that only a last resort made: no candidates
    picks: int = 0
    fallback_picks: int = 0
    scores: int = 0
    unscored: int = 0
    not_applicable: int = 0
    flagged: int = 0
    types: dict[TaskType, TypeSummary] = field(default_factory=dict)
    generators: dict[str, GeneratorSummary] = field(default_factory=dict)
    to_look_at: list[ToLookAt] = field(default_factory=list)

    def add(self, task: TaskRow, page: int) -> None:
        """Count one task, which is shown on ``page``."""
        self.tasks += 1
        self.types.setdefault(task.type, TypeSummary()).tasks += 1
        for card in task.candidates:
            self._add_candidate(task.type, card)
        for failure in task.failures:
            generator = self._generator(failure.generator)
            generator.declined += failure.declined
            generator.failed += not failure.declined
        concerns = concerns_of(task)
        if concerns:
            self.flagged += 1
            if len(self.to_look_at) < MAX_LISTED:
                self.to_look_at.append(ToLookAt(task.id, page, concerns[0]))

    def _add_candidate(self, kind: TaskType, card: CandidateCard) -> None:
        self.candidates += not card.fallback
        self.fallbacks += card.fallback
        self.picks += card.picked
        self.fallback_picks += card.picked and card.fallback
        self.scores += len(card.scores)
        self.unscored += sum(score.is_missing for score in card.scores.values())
        self.not_applicable += sum(score.value is None and not score.is_missing for score in card.scores.values())
        generator = self._generator(card.generator)
        generator.candidates += 1
        generator.picked += card.picked
        if card.estimate is not None:
            generator.estimates.add(card.estimate.overall)
            self.types[kind].candidates.add(card.estimate.overall)
            if card.picked:
                self.types[kind].picks.add(card.estimate.overall)

    def _generator(self, name: str) -> GeneratorSummary:
        return self.generators.setdefault(name, GeneratorSummary())


def concerns_of(task: TaskRow) -> tuple[str, ...]:
    """Why a person should look at this task: its flags, and what its candidates say by themselves."""
    own = []
    if not any(card.picked for card in task.candidates):
        own.append("no pick" if task.candidates else "no candidate")
    if any(card.picked and card.fallback for card in task.candidates):
        own.append("fallback")
    return tuple(dict.fromkeys((*task.flags, *own)))


@dataclass(frozen=True)
class Bar:
    """A bar that stands on the axis: left edge, top edge, height."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """One task type's panel. Means are x positions, None when there is nothing to average."""

    candidates: tuple[Bar, ...]
    picks: tuple[Bar, ...]
    candidates_mean_x: float | None
    picks_mean_x: float | None


def histogram(summary: TypeSummary) -> Histogram:
    """Bars of both distributions on one scale: the tallest of the two fills the height."""
    peak = max(_shares(summary.candidates) + _shares(summary.picks), default=0.0) or 1.0
    return Histogram(
        _bars(summary.candidates, peak), _bars(summary.picks, peak), _mean_x(summary.candidates), _mean_x(summary.picks)
    )


def _shares(distribution: Distribution) -> list[float]:
    return [count / max(distribution.n, 1) for count in distribution.counts]


def _bars(distribution: Distribution, peak: float) -> tuple[Bar, ...]:
    heights = [round(share / peak * HEIGHT, 1) for share in _shares(distribution)]
    step = WIDTH / BINS
    return tuple(Bar(i * step, round(HEIGHT - high, 1), high) for i, high in enumerate(heights) if high)


def _mean_x(distribution: Distribution) -> float | None:
    return None if distribution.mean is None else round(distribution.mean / 10 * WIDTH, 1)
