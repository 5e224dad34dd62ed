"""What is believed of a score before any total has been seen: its correlation with the leaderboard within a task.

A belief speaks of one column by itself; how columns overlap is measured on the candidates and taken out
(:func:`joint_weights`). Correlations are those of deviations within a task, because only these can change a pick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from selector.domain import InputError
from selector.learn.pool import Bools, Floats

_USUAL_ROWS = 30.0  # that a correlation of two columns counts as beforehand: witnesses whose errors are their own
_RIDGE = 0.03  # on the correlation matrix: two copies of a scorer share their weight instead of fighting over it


@dataclass(frozen=True, slots=True)
class Belief:
    """Correlation with the overall score, its standard deviation, and the reason.

    ``beyond``: the column stays out of the sharing between overlapping columns, because its news is already in another
    one (the parts of a judge's overall), or nothing is known of it: a copy of a judge must not take the judge's weight.
    """

    correlation: float
    sd: float
    reason: str = ""
    beyond: bool = False


# Ku et al. (VIEScore, ACL 2024) report for strong judges 0.3 to 0.5 with people and for small open ones 0 to 0.2, SC
# above PQ: small models hardly see artefacts. Two strong judges agree more with each other than with people.
JUDGE = Belief(0.45, 0.20, "a strong vision-language judge that answers the leaderboard's own question")
JUDGE_PART = Belief(0.0, 0.03, "SC or PQ of a judge, beyond its overall", beyond=True)
SMALL_JUDGE_SC = Belief(0.10, 0.05, "small vision-language models agree weakly with strong ones on SC")
SMALL_JUDGE_PQ = Belief(0.03, 0.03, "small vision-language models hardly see artefacts")
# A judge that says only one of the two, as most judges of prompts do.
JUDGE_SC = Belief(0.35, 0.20, "a strong judge of SC alone")
JUDGE_PQ = Belief(0.25, 0.20, "a strong judge of PQ alone")
RATING = Belief(0.55, 0.20, "people and a strong judge agree, but each sees what the other misses")
KNOWN_DIRECTION = Belief(0.05, 0.05, "a local score whose author states which end is better")
MEASURED = Belief(0.0, 0.10, "its user has measured it on other pictures of the kind")
UNKNOWN = Belief(0.0, 0.05, "nothing is known, not even the direction: it must earn its weight", beyond=True)

# Words for a belief: which end of a score is better, or that a strong judge gave it.
WORDS = {
    "up": KNOWN_DIRECTION,
    "down": replace(KNOWN_DIRECTION, correlation=-KNOWN_DIRECTION.correlation),
    "judge": JUDGE,
}


def checked_beliefs(given: Mapping[str, Belief | float | str]) -> dict[str, Belief]:
    """Beliefs by column; a number is a correlation that its user has measured, a word one of ``WORDS``.

    Raises:
        InputError: what is neither, a correlation beyond -1..1, or an sd that is not above 0 and at most 1.
    """
    beliefs = {name: _belief(told) for name, told in given.items()}
    for name, belief in beliefs.items():
        if not isinstance(belief, Belief):
            raise InputError(
                f"the belief in '{name}' must be {', '.join(map(repr, WORDS))}, a correlation or a "
                f"Belief(correlation, sd), got {belief!r}"
            )
        if not (-1.0 <= belief.correlation <= 1.0 and 0.0 < belief.sd <= 1.0):
            raise InputError(
                f"the belief in '{name}' needs a correlation in -1..1 and an sd in 0..1, got "
                f"{belief.correlation:g} +- {belief.sd:g}"
            )
    return beliefs


def _belief(told: Belief | float | str) -> Belief:
    if isinstance(told, str):
        return WORDS.get(told, told)  # type: ignore[arg-type]
    is_number = isinstance(told, Real) and not isinstance(told, bool)
    return replace(MEASURED, correlation=float(told)) if is_number else told  # type: ignore[arg-type,return-value]


def joint_weights(beliefs: tuple[Belief, ...], within: Floats, measured: Bools | None = None) -> Floats:
    """Standardised regression weights (columns,) that the believed correlations imply for columns ``within`` (n, k).

    ``measured`` (n, k): what was scored; the rest is only expected, and tells nothing of how columns overlap.

    For standardised columns with correlation matrix C, a target that correlates with each by r has weights C^-1 r: a
    small judge that agrees with the strong one adds little to it, and by itself a lot. The r are guesses, so C^-1 r may
    ask for a weight against a belief's own direction; such a weight is 0 instead (least squares with signs).
    """
    weights = np.array([b.correlation for b in beliefs])
    shared = np.flatnonzero([not b.beyond and b.correlation != 0.0 for b in beliefs])
    if len(shared):
        signs = np.sign(weights[shared])
        # Two witnesses of one truth agree at least as far as each is believed to see it. Where few candidates were seen
        # by both, or none, the measured correlation is noise, and what contradicts would be counted as twice the news.
        least = np.outer(weights[shared], weights[shared])
        found = _correlations(within[:, shared], None if measured is None else measured[:, shared], least)
        agreed = np.where(found * np.sign(least) < np.abs(least), least, found)
        np.fill_diagonal(agreed, 1.0)
        sizes, directions = np.linalg.eigh(agreed)
        agreed = (directions * np.maximum(sizes, 0.0)) @ directions.T
        factor = np.linalg.cholesky(agreed + _RIDGE * np.eye(len(shared)))
        target = solve_triangular(factor, weights[shared], lower=True)
        weights[shared] = signs * nnls(factor.T * signs, target)[0]
    return weights


def _correlations(columns: Floats, measured: Bools | None, usual: Floats) -> Floats:
    """(k, k) correlations over the rows where both of two columns were measured; ``usual`` counts as some rows more."""
    seen = np.ones(columns.shape) if measured is None else measured.astype(np.float64)
    values = columns * seen
    rows, squares = seen.T @ seen, (values**2).T @ seen
    found = values.T @ values / np.sqrt(np.maximum(squares * squares.T, 1e-300))
    mixed: Floats = (rows * found + _USUAL_ROWS * usual) / (rows + _USUAL_ROWS)
    return mixed
