"""The program's own choice without a campaign: candidates of one task in memory, scored, estimated and picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selector.contest.profile import load_profile
from selector.demo.run import WITHOUT_WEIGHTS
from selector.domain import BestshotError, Generator, Item, Picture, Scorer, Task, TaskInputs, TaskType
from selector.generate.finalize import finalize
from selector.learn.estimate import estimate
from selector.learn.matrix import RECIPE_ORDER, feature_tables
from selector.learn.pick import pick_best
from selector.measure.gates import Gates
from selector.registry import create_scorer

PROFILE = "tianchi-532389"


@dataclass(frozen=True)
class Candidate:
    """A candidate's final bytes, the recipe's variant, and its place among the generator's guesses."""

    picture: Picture
    variant: str
    ordinal: int


def inputs_of(task_type: TaskType, prompt: str, source: Picture, reference: Picture | None = None) -> TaskInputs:
    """A task for these pictures; its id is free of meaning."""
    task = Task("0", task_type, prompt, source.name, reference.name if reference else None, 0)
    return TaskInputs(task, source, reference)


def make_candidates(generator: Generator, inputs: TaskInputs, n: int, seed: int) -> list[Candidate]:
    """Final bytes of up to ``n`` recipes; what fails is left out, as it is in a campaign."""
    profile = load_profile(PROFILE)
    made = []
    for place, recipe in enumerate(generator.recipes(inputs, n, seed)):
        try:
            image = generator.generate(inputs, recipe).image
        except BestshotError:
            continue
        final = finalize(image, inputs, profile)
        made.append(Candidate(Picture(final.data, f"{recipe.variant} {recipe.key[:6]}"), recipe.variant, place))
    return made


def scorers_for(task_type: TaskType) -> dict[str, Scorer]:
    """The scorers that a new campaign runs without fetched weights, those of this task type: the same everywhere."""
    made = {name: create_scorer(name) for name in WITHOUT_WEIGHTS}
    return {name: scorer for name, scorer in made.items() if task_type in scorer.task_types}


def picked(inputs: TaskInputs, candidates: Sequence[Candidate], scorers: Mapping[str, Scorer]) -> int | None:
    """Index of the candidate that the program picks, or None when it finds none eligible."""
    task, by_id = inputs.task, {c.picture.id: i for i, c in reversed(list(enumerate(candidates)))}
    items = [Item(inputs, candidates[i].picture) for i in by_id.values()]
    rows = [
        (task.id, item.picture.id, f"{name}.{column}", score.value)
        for name, scorer in scorers.items()
        for item, result in zip(items, scorer.score(items), strict=True)
        for column, score in result.items()
    ]
    rows += [(task.id, c, RECIPE_ORDER, float(candidates[i].ordinal)) for c, i in by_id.items()]
    columns = {task.type: [RECIPE_ORDER, *(f"{name}.{c.name}" for name, s in scorers.items() for c in s.columns)]}
    table = feature_tables([(task.id, i, task.type) for i in sorted(by_id)], columns, rows)[task.type]
    gates = Gates(scorers)
    for row in rows:
        gates.note(*row)
    excluded = gates.excluded((task.id, i) for i in by_id)
    chosen = pick_best(estimate(table), excluded)[0].candidate_id
    return None if chosen is None else by_id[chosen]
