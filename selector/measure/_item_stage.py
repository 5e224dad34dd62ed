"""Scoring of whole candidates as a stage: a few of one task are read and decoded once, for all scorers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selector.domain import InputError, Item, Score, Scorer, TaskInputs
from selector.engine import Stage
from selector.measure._scorer_set import ScorerSet
from selector.measure.scored import Failure, Scored, checked, rows_of
from selector.store import Images

_REMEMBERED = 4  # tasks whose decoded inputs a worker keeps for their next candidates


@dataclass(frozen=True)
class Chunk:
    """Candidates of a task: id to the scorers that have not measured it."""

    inputs: TaskInputs
    lacking: Mapping[str, Sequence[str]]


class ItemStage(Stage[Chunk, Scored]):
    """Reads, decodes and scores."""

    def __init__(self, scorers: ScorerSet, images: Images) -> None:
        self._scorers, self._images = scorers, images
        self._remembered: OrderedDict[tuple[object, ...], TaskInputs] = OrderedDict()
        self._is_over = False

    @property
    def on_gpu(self) -> bool:
        return self._scorers.on_gpu

    def prepare(self, cores: int) -> None:  # noqa: ARG002 - one thread
        self._scorers.check()

    def __call__(self, batch: Chunk) -> Scored:
        inputs = self._decoded_once(batch.inputs)
        items, failures = self._read(inputs, batch.lacking)
        rows: list[dict[str, Any]] = []
        for name, scorer in self._scorers.ready().items():
            if self._is_over:  # the next run measures the rest
                break
            mine = {candidate_id: item for candidate_id, item in items.items() if name in batch.lacking[candidate_id]}
            for candidate_id, result in _run_scorer(name, scorer, mine, failures).items():
                rows += rows_of(inputs.task.id, candidate_id, name, self._scorers.versions.of(name, inputs), result)
        asked = dict.fromkeys(name for names in batch.lacking.values() for name in names)
        return Scored(rows, len(items), failures + self._scorers.failures(asked))

    def close(self) -> None:
        self._is_over = True
        self._scorers.close()

    def _decoded_once(self, inputs: TaskInputs) -> TaskInputs:
        """The same inputs as those of the chunk before: pictures that come by pickle have lost their pixels."""
        if not self._scorers.is_elsewhere:
            return inputs
        ids = (picture and picture.id for picture in (inputs.source, inputs.reference))
        key = (inputs.task.id, *ids, inputs.reading)
        found = self._remembered.setdefault(key, inputs)
        self._remembered.move_to_end(key)
        while len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    def _read(self, inputs: TaskInputs, ids: Mapping[str, Any]) -> tuple[dict[str, Item], list[Failure]]:
        items: dict[str, Item] = {}
        failures: list[Failure] = []
        for candidate_id in ids:
            try:
                items[candidate_id] = Item(inputs, self._images.picture(candidate_id))
            except InputError as error:
                failures.append(Failure.of_picture(candidate_id, error))
        return items, failures


def _run_scorer(
    name: str, scorer: Scorer, items: Mapping[str, Item], failures: list[Failure]
) -> dict[str, Mapping[str, Score]]:
    """Results by candidate id. What makes the scorer raise is tried alone, then noted in ``failures`` and left out.

    Raises:
        OutOfResources: the machine lacks something for one candidate alone.
    """
    if not items:
        return {}
    try:
        results = list(scorer.score(list(items.values())))
        if len(results) != len(items):
            raise ValueError(f"{len(results)} results for {len(items)} items")
        return dict(zip(items, [checked(scorer.columns, result) for result in results], strict=True))
    except Exception as error:
        if len(items) == 1:
            failures.append(Failure.of([name], error))
            return {}
    # Not in the block above: what fails alone would bear the fault of all as its context.
    alone = [_run_scorer(name, scorer, {key: item}, failures) for key, item in items.items()]
    return {key: result for part in alone for key, result in part.items()}
