"""Ways to pick one of several pictures, compared over the same prompts, where the truth of each picture is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from selector.demo.closed_world.checker import Truth
from selector.demo.play.figures import Figure, Floats, figure, figure_of

MEASURES = ("right", "sc", "pq", "overall")
GAPS_OF = ("right", "overall")  # measures in which recovered gaps are told

Truths: TypeAlias = Mapping[str, Mapping[str, Truth]]  # task to candidate to what the checker says
# Task to candidate. None: nothing, or a last resort, is shown, which is worth 0. A task that is not there: the strategy
# cannot tell its pictures apart, so any of them.
Picks: TypeAlias = Mapping[str, str | None]
Values: TypeAlias = Mapping[str, Sequence[float]]  # strategy to a value a prompt, prompts in the same order


def highest(values: Mapping[str, Mapping[str, float]]) -> Picks:
    """The candidate with the highest value of each task; of equal ones the first by id."""
    return {task: max(sorted(own), key=own.__getitem__) for task, own in values.items() if own}


def compared(truths: Truths, picks: Mapping[str, Picks], ending: str = "") -> dict[str, Any]:
    """Every strategy by every measure, and the gaps recovered, as figures with intervals over prompts.

    Keys are "single", "best_of_8_<strategy>" and so on, of other measures than ``right`` with their name behind, and
    with ``ending``. A recovered gap is a ratio of means, 0 as good as a random picture, 1 as the best; NaN where
    pictures do not differ.
    """
    found: dict[str, Any] = {f"n{ending}": len(truths)}
    for measure in MEASURES:
        values = values_of(truths, picks, measure)
        assert {len(own) for own in values.values()} == {len(truths)}
        made = {way: figure(own) for way, own in values.items()}
        if measure in GAPS_OF:
            made |= _gaps(values, list(picks))
        found |= {key_of(way, measure, ending): asdict(one) for way, one in made.items()}
    return found


def key_of(way: str, measure: str, ending: str = "") -> str:
    """Under which a figure is written."""
    return f"{way}{'' if measure == 'right' else f'_{measure}'}{ending}"


def values_of(truths: Truths, picks: Mapping[str, Picks], measure: str) -> Values:
    """What each strategy's picture of every prompt is worth: for "single" the mean, for the oracle the best."""
    found: dict[str, list[float]] = {"single": [_mean(own, measure) for own in truths.values()]}
    for name, chosen in picks.items():
        found[f"best_of_8_{name}"] = [_worth(own, measure, chosen, task) for task, own in truths.items()]
    found["best_of_8_oracle"] = [max(_values(own, measure)) for own in truths.values()]
    return found


def mean_right(own: Mapping[str, Truth], candidates: Sequence[str]) -> float:
    """The share of these pictures of a prompt that are fully right."""
    return _mean({candidate: own[candidate] for candidate in candidates}, "right")


def _gaps(values: Values, names: Sequence[str]) -> dict[str, Any]:
    """Gaps of each strategy and, of two campaigns and the similarity, the paired differences."""
    single = np.array(values["single"])
    whole = np.array(values["best_of_8_oracle"]) - single
    picked = {name: np.array(values[f"best_of_8_{name}"]) for name in names}
    found = {f"recovered_gap_{name}": ratio(own - single, whole) for name, own in picked.items()}
    for name in names:
        if name != "similarity" and "similarity" in picked:
            ahead = picked[name] - picked["similarity"]
            found[f"{name}_minus_similarity"] = figure(list(ahead))
            found[f"recovered_gap_{name}_minus_similarity"] = ratio(ahead, whole)
    return found


def _worth(own: Mapping[str, Truth], measure: str, chosen: Picks, task: str) -> float:
    if task not in chosen:
        return _mean(own, measure)
    candidate = chosen[task]
    return 0.0 if candidate is None else float(getattr(own[candidate], measure))


def _mean(own: Mapping[str, Truth], measure: str) -> float:
    return float(np.mean(_values(own, measure)))


def _values(own: Mapping[str, Truth], measure: str) -> list[float]:
    """Of a prompt's pictures; a prompt without any has nothing to show."""
    return [float(getattr(truth, measure)) for truth in own.values()] or [0.0]


def ratio(above: ArrayLike, below: ArrayLike, seed: int = 0) -> Figure:
    """Mean of ``above`` by mean of ``below``, (n,) each, cases drawn with both; NaN unless the latter is above 0."""

    def of(means: Floats) -> Floats:
        there = means[..., 1] > 0
        return np.where(there, means[..., 0] / np.where(there, means[..., 1], 1.0), np.nan)

    return figure_of(np.column_stack([above, below]), of, seed)
