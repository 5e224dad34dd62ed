"""From a task's record to what its block on the page says: order, labels, numbers as text. No files, no HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from unicodedata import east_asian_width
from urllib.parse import quote

from selector.domain import Column, Score
from selector.report._model import CandidateCard, Failure, TaskRow
from selector.report._summary import concerns_of
from selector.report._words import Words

_LONG, _MANY_LINES = 450, 5  # Latin letters and lines: from then on a prompt is folded to four lines


@dataclass(frozen=True)
class Cell:
    """A score as text; ``mark`` points to a footnote with the reason when there is no value."""

    text: str
    best: bool = False
    mark: str | None = None


@dataclass(frozen=True)
class ScoreRow:
    """One score column over all candidates; ``reason`` when all are unscored for the same one."""

    scorer: str
    column: str
    facts: Column | None
    cells: tuple[Cell, ...]
    reason: str | None = None

    @property
    def arrow(self) -> str:
        return "" if self.facts is None else ("↑" if self.facts.higher_is_better else "↓")

    @property
    def axis(self) -> str:
        return "" if self.facts is None else self.facts.axis.value.upper()

    def tooltip(self, words: Words) -> str:
        facts = self.facts
        if facts is None:
            return words("no_facts")
        better = "higher" if facts.higher_is_better else "lower"
        return words(better, what=words.said(facts.what), low=f"{facts.low:g}", high=f"{facts.high:g}", axis=self.axis)


@dataclass(frozen=True)
class ScoreTable:
    """Rows are score columns, cells are candidates in the order of the cards; notes are (mark, reason)."""

    rows: tuple[ScoreRow, ...]
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TaskView:
    """A task as the template shows it: cards with the pick first, then by estimated overall.

    ``is_long``: of the prompt. ``failures``: each reason of a generator once, with how often it came.
    """

    task: TaskRow
    anchor: str
    cards: tuple[CandidateCard, ...]
    concerns: tuple[str, ...]
    scores: ScoreTable | None
    is_long: bool
    failures: tuple[tuple[Failure, int], ...]

    @property
    def ranked(self) -> int:
        """How many cards have a place."""
        return sum(card.rank is not None for card in self.cards)


def task_view(task: TaskRow, columns: Mapping[str, Column]) -> TaskView:
    """Arrange one task for its block on the page."""
    cards = tuple(sorted(task.candidates, key=_reading_order))
    return TaskView(
        task,
        anchor(task.id),
        cards,
        concerns_of(task),
        _score_table(cards, columns),
        _is_long(task.prompt),
        _counted(task.failures),
    )


def anchor(task_id: str) -> str:
    """The block's id in the page, for links to it: any task id becomes a legal one."""
    return "task-" + quote(task_id, safe="")


def _is_long(prompt: str) -> bool:
    wide = sum(east_asian_width(character) in "WF" for character in prompt)
    return len(prompt) + wide > _LONG or prompt.count("\n") >= _MANY_LINES


def _counted(failures: Iterable[Failure]) -> tuple[tuple[Failure, int], ...]:
    """Equal reasons of a generator as one; the variant is named where all of them have it."""
    alike: dict[tuple[str, bool, str], list[Failure]] = {}
    for failure in failures:
        alike.setdefault((failure.generator, failure.declined, failure.reason), []).append(failure)
    return tuple(
        (same[0] if len({one.variant for one in same}) == 1 else replace(same[0], variant=None), len(same))
        for same in alike.values()
    )


def _reading_order(card: CandidateCard) -> tuple[bool, bool, float, float, str]:
    overall = card.estimate.overall if card.estimate else float("-inf")
    rank = float("inf") if card.rank is None else card.rank
    return (not card.picked, card.excluded is not None, rank, -overall, card.id)


def _score_table(cards: tuple[CandidateCard, ...], columns: Mapping[str, Column]) -> ScoreTable | None:
    present = {name for card in cards for name in card.scores}
    if not present:
        return None
    names = [name for name in columns if name in present] + sorted(present - set(columns))
    marks: dict[str, str] = {}
    rows = tuple(
        _score_row(name, [card.scores.get(name) for card in cards], columns.get(name), marks) for name in names
    )
    return ScoreTable(rows, tuple((mark, reason) for reason, mark in marks.items()))


def _score_row(name: str, scores: list[Score | None], facts: Column | None, marks: dict[str, str]) -> ScoreRow:
    scorer, _, column = name.partition(".")
    reasons = {score.reason if score else "not scored yet" for score in scores}
    if len(reasons) == 1 and None not in reasons:
        return ScoreRow(scorer, column or scorer, facts, (), reasons.pop())
    best = _best(scores, facts)
    return ScoreRow(scorer, column or scorer, facts, tuple(_cell(score, facts, best, marks) for score in scores))


def _cell(score: Score | None, facts: Column | None, best: float | None, marks: dict[str, str]) -> Cell:
    if score is None or score.value is None:
        reason = (score.reason if score else None) or "not scored yet"
        return Cell("–", mark=marks.setdefault(reason, _letter(len(marks))))
    return Cell(_number(score.value, facts), best=score.value == best)


def _best(scores: Iterable[Score | None], facts: Column | None) -> float | None:
    """The best value of a row, where the direction is known and the candidates differ at all."""
    values = {score.value for score in scores if score is not None and score.value is not None}
    if facts is None or len(values) < 2:
        return None
    return max(values) if facts.higher_is_better else min(values)


def _number(value: float, facts: Column | None) -> str:
    """Three decimals for narrow ranges, fewer for wide ones; a true minus sign."""
    span = 1.0 if facts is None else facts.high - facts.low
    text = f"{value:.3f}" if span <= 2 else f"{value:.2f}" if span <= 20 else f"{value:.1f}"
    return text.replace("-", "−")


def _letter(n: int) -> str:
    """a, b, … z, then aa, ab, …: the mark of footnote ``n``."""
    return _letter(n // 26 - 1) + chr(97 + n % 26) if n >= 26 else chr(97 + n)
