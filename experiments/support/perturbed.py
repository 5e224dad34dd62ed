"""Tables made worse on purpose, to measure what a useless scorer, a reversed one or missing scores cost."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from experiments.support.hindsight import best_proxy
from experiments.support.replayed import Outliers
from experiments.support.score_table import PQ, SC, TOP, ScoreTable
from selector.domain import InputError

EXTRA = ("useless", "reversed", "reversed_judge")
RANDOM = "random"
CONTRARY = "contrary_0shot"


@dataclass(frozen=True)
class Perturbation:
    """What is done to every contest; nothing by default.

    extra: scorers added to the proxies, of ``EXTRA``. ``useless`` is noise; ``reversed`` is minus the overall of the
        best judge among the proxies, as an ``auto_`` column; ``reversed_judge`` is a judge whose SC and PQ are 10 minus
        those of that judge.
    drop_third: generator, or ``random``, of which a random third of the candidates loses all scores; "" is none.
    outliers: which totals are wrong.
    """

    extra: tuple[str, ...] = ()
    drop_third: str = ""
    outliers: Outliers = field(default_factory=Outliers)

    def apply(self, table: ScoreTable, rng: np.random.Generator) -> ScoreTable:
        """The table as the selectors of one contest get it; the true scores stay."""
        for name in self.extra:
            table = _with_extra(table, name, rng)
        return _with_holes(table, self.drop_third, rng) if self.drop_third else table

    def described(self) -> dict[str, Any] | None:
        """For the JSON; None when nothing is perturbed."""
        return None if self == Perturbation() else asdict(self)

    def __str__(self) -> str:
        parts = [f"an extra scorer: {name}" for name in self.extra]
        if self.drop_third:
            parts.append(f"a third of the candidates of {self.drop_third} (generator) unscored")
        if self.outliers.one:
            parts.append(f"one of the totals off by {self.outliers.size:g}")
        if self.outliers.every:
            parts.append(f"one of every {self.outliers.every} totals off by {self.outliers.size:g}")
        return "; ".join(parts) or "none"


def add_perturbations(options: argparse.ArgumentParser) -> None:
    """The options of the command line."""
    group = options.add_argument_group("perturbations, usable together")
    group.add_argument("--outlier", action="store_true", help="one of a contest's totals, at random, is 1.5 off")
    group.add_argument(
        "--extra-scorer",
        action="append",
        default=[],
        choices=EXTRA,
        help="add a useless column, or the best judge's overall reversed, or a judge that says the contrary of it; "
        "can be given again",
    )
    group.add_argument(
        "--drop-third",
        default="",
        metavar="GENERATOR",
        help=f"a third of this generator's candidates loses all scores; {RANDOM} takes another one every seed",
    )


def chosen_perturbation(chosen: argparse.Namespace) -> Perturbation:
    """The perturbation that the command line asked for."""
    extra = tuple(dict.fromkeys(chosen.extra_scorer))
    return Perturbation(extra, chosen.drop_third, Outliers(one=chosen.outlier))


def check_perturbation(perturbation: Perturbation, table: ScoreTable) -> None:
    """Whether the table can be perturbed like that.

    Raises:
        InputError: when the generator is unknown, or when there is no judge to reverse.
    """
    generators = table.shown.generators
    if perturbation.drop_third not in ("", RANDOM, *generators):
        raise InputError(
            f"--drop-third: expected {RANDOM} or one of {', '.join(generators)}, got {perturbation.drop_third!r}"
        )
    if {"reversed", "reversed_judge"} & set(perturbation.extra):
        _best_judge(table)


def _with_extra(table: ScoreTable, name: str, rng: np.random.Generator) -> ScoreTable:
    shown = table.shown
    if name == "useless":
        noise = rng.standard_normal((len(table.truth), 1))
        return replace(table, shown=shown.with_columns(("auto_useless",), noise))
    judge = _best_judge(table)
    if name == "reversed":
        return replace(table, shown=shown.with_columns(("auto_reversed",), -shown.proxy(judge)[:, None]))
    contrary = TOP - np.column_stack([shown.column(judge + axis) for axis in (SC, PQ)])
    return replace(table, shown=shown.with_columns((CONTRARY + SC, CONTRARY + PQ), contrary))


def _best_judge(table: ScoreTable) -> str:
    name = best_proxy(table, judges_only=True)[1]
    if not name:
        raise InputError("--extra-scorer reversed: there is no judge among the proxies to reverse; use useless")
    return name


def _with_holes(table: ScoreTable, generator: str, rng: np.random.Generator) -> ScoreTable:
    shown = table.shown
    number = int(rng.integers(len(shown.generators)))
    if generator != RANDOM:
        number = shown.generators.index(generator)
    made = np.flatnonzero(shown.generator == number)
    scores = shown.scores.copy()
    scores[rng.choice(made, len(made) // 3, replace=False)] = np.nan
    return replace(table, shown=replace(shown, scores=scores))
