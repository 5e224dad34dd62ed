"""The program's own choice without a campaign: candidates of one task in memory, scored, estimated and picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from selector.contest.profile import load_profile
from selector.decide.candidates import gate_columns, refusals
from selector.demo.run import WITHOUT_WEIGHTS
from selector.domain import BestshotError, Generator, Item, Picture, Score, Scorer, Task, TaskInputs, TaskType
from selector.generate.finalize import finalize
from selector.learn.estimates import pick_best, prior_estimates
from selector.learn.pool import Pool
from selector.learn.prior import RECIPE_ORDER
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
    by_id = {c.picture.id: i for i, c in reversed(list(enumerate(candidates)))}
    ids = sorted(by_id)
    items = [Item(inputs, candidates[by_id[one]].picture) for one in ids]
    columns = {RECIPE_ORDER: [float(candidates[by_id[one]].ordinal) for one in ids]}
    for name, scorer in scorers.items():
        results = scorer.score(items)
        for column in scorer.columns:
            columns[f"{name}.{column.name}"] = [_number(result[column.name]) for result in results]
    gates = gate_columns(scorers)
    values, n = np.array(list(columns.values())).T, len(ids)
    looked_at = np.ones((n, len(gates)), dtype=bool)
    gate_values = values[:, [list(columns).index(gate) for gate in gates]]
    pool = Pool(
        task_ids=(inputs.task.id,) * n,
        candidate_ids=tuple(ids),
        task_types=(inputs.task.type.value,) * n,
        generators=("",) * n,
        columns=tuple(columns),
        values=values,
        excluded=tuple(refusals(gates, np.zeros(n, dtype=np.intp), gate_values, looked_at)),
    )
    chosen = pick_best(pool, prior_estimates(pool))[0].candidate_id
    return None if chosen is None else by_id[chosen]


def _number(score: Score) -> float:
    return np.nan if score.value is None else score.value
