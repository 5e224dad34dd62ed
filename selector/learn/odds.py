"""The odds that one more try of a generator gives a picture at all: what never comes is worth nothing.

Tries that came to nothing cluster: a face swap that found no face in a cat finds none at the ninth try, while a service
that drops a request in twenty drops it anywhere. So the odds p of a generator on a task are beta-binomial,

    p ~ Beta(k m, k (1 - m)),   posterior mean (made + k m) / (made + refused + k)

where m is its usual odds on tasks of that type, and k says how alike these tasks are. Neither is known: both are
averaged over a grid, each cell weighed by what the tasks of the type have seen. Where refusals cluster k is small, and
a task's own tries decide; where they are spread k is large. Other task types move m a little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln

from selector.learn.pool import Floats

# The grid: m evenly in its logit, k in powers of two (how many tries on the task itself outweigh the other tasks).
_USUAL = 1.0 / (1.0 + np.exp(-np.linspace(-7.0, 7.0, 57)))[:, None]
_ALIKE = 2.0 ** np.arange(-4, 7)[None, :]
_WIDE = 2.0  # sd of log2 k around 0 before anything is seen: one try, give or take a factor of four
_OTHERS = 2.0  # tries that what is known of other task types is worth


@dataclass(frozen=True)
class Tries:
    """How many tries of a generator gave a picture, and how many none: declined or failed."""

    made: int = 0
    refused: int = 0

    def __add__(self, other: Tries) -> Tries:
        return Tries(self.made + other.made, self.refused + other.refused)


class Odds:
    """What was learned of one generator's tries.

    Args:
        tries: task id to what came of its tries there; tasks without any may be left out.
        types: task id to the task's type, of all tasks that are asked about.

    Example:
        >>> seen = {f"person {i}": Tries(8) for i in range(20)} | {"cat": Tries(0, 8)}
        >>> odds = Odds(seen, {**dict.fromkeys(seen, "deepfake"), "new": "deepfake"})
        >>> odds.of("cat") < 0.05, odds.of("person 1") > 0.98, 0.8 < odds.of("new") < 1
        (True, True, True)
    """

    def __init__(self, tries: Mapping[str, Tries], types: Mapping[str, str]) -> None:
        self._tries, self._types = tries, types
        self._weights: dict[str, Floats] = {}
        for name in sorted(set(types.values())):
            own = Counter(said for task_id, said in tries.items() if types.get(task_id) == name)
            others = sum((said for task_id, said in tries.items() if types.get(task_id) != name), Tries())
            self._weights[name] = _weights(own, (others.made + 1) / (others.made + others.refused + 2))

    def of(self, task_id: str) -> float:
        """Between 0 and 1, for the next try on a task."""
        said = self._tries.get(task_id, Tries())
        mean = (said.made + _ALIKE * _USUAL) / (said.made + said.refused + _ALIKE)
        return float((self._weights[self._types[task_id]] * mean).sum())


def _weights(seen: Mapping[Tries, int], before: float) -> Floats:
    """(m, k) how probable each cell is by the tasks of a type; the cells sum to 1.

    Args:
        seen: what came of the tries on a task, to the number of such tasks.
        before: the odds that other task types suggest.
    """
    a, b = _ALIKE * _USUAL, _ALIKE * (1.0 - _USUAL)
    fit = _OTHERS * (before * np.log(_USUAL) + (1.0 - before) * np.log1p(-_USUAL))  # a Beta, even in the logit
    fit = fit - np.log2(_ALIKE) ** 2 / (2 * _WIDE**2)
    for said, times in seen.items():
        fit = fit + times * (betaln(a + said.made, b + said.refused) - betaln(a, b))
    weights = np.exp(fit - fit.max())
    found: Floats = weights / weights.sum()
    return found
