"""Simulated contests with prompt styles and finishes: which treatment pays is drawn anew for every contest.

A task has, of every generator, one picture of the prompt as it is, one of the prompt with a suffix, and one sharpened
copy of each. Qualities are latent and judged as in ``experiments.support.simulated``: nothing is linear. A copy has the
qualities of its picture, plus what sharpening does, plus a little of its own; judges err on it as on its picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from experiments.support.replayed import NOISE_SD
from experiments.support.score_table import TOP, Floats, Ints, overall
from selector.learn.belief import JUDGE, SMALL_JUDGE_SC, Belief
from selector.learn.pool import Pool
from selector.learn.study import Study

JUDGED, WEAK = "judge", "weak"
BELIEFS: dict[str, Belief] = {JUDGED: JUDGE, WEAK: SMALL_JUDGE_SC}
SUFFIX, SHARPEN = "suffix", "sharpen"


@dataclass(frozen=True)
class Treating:
    """What treatments do in a family of contests.

    effect: points of SC and PQ by which one of the two pays and the other costs; a coin says which.
    by_generator_sd: of what each does besides with each generator, in points.
    copy_sd: of what a copy has of its own beyond its picture, in points of each quality.
    """

    tasks: int = 150
    generators: int = 3
    effect: float = 0.4
    by_generator_sd: float = 0.1
    copy_sd: float = 0.4


SCENARIOS: dict[str, Treating] = {
    "one pays, one costs": Treating(),
    "a single generator": Treating(generators=1),
    "copies of their own": Treating(copy_sd=1.2),
    "by generator only": Treating(effect=0.0, by_generator_sd=0.4),
    "neither does anything": Treating(effect=0.0, by_generator_sd=0.0),
}


@dataclass(frozen=True, eq=False)
class Treated:
    """One contest. ``judged`` (n,) is what a strong judge would say, ``pays`` the treatment that pays, if one does."""

    pool: Pool
    truth: Floats
    judged: Floats
    pays: str

    @property
    def paying(self) -> Floats:
        """(n,) 1 where a row has the paying treatment alone, 0 where it has the costing one alone, else 0.5."""
        suffix, sharp = (np.array([bool(t) for t in of]) for of in (self.pool.styles, self.pool.finishes))
        good, bad = (suffix, sharp) if self.pays == SUFFIX else (sharp, suffix)
        half: Floats = 0.5 + 0.5 * (good.astype(float) - bad)
        return half

    def recovered(self, rows: Ints) -> float:
        """(picked - random) / (oracle - random)."""
        by_task = self.truth.reshape(len(self.pool.tasks), -1)
        random, oracle = float(by_task.mean()), float(by_task.max(axis=1).mean())
        return (float(self.truth[rows].mean()) - random) / (oracle - random)

    def judging(self, share: float, rng: np.random.Generator) -> Treated:
        """The same contest after the judge has seen some candidates, chosen by chance."""
        seen = rng.random(len(self.judged)) < share
        values = self.pool.values.copy()
        values[:, 0] = np.where(seen, self.judged, np.nan)
        return replace(self, pool=replace(self.pool, values=values))


def treated_contest(given: Treating, rng: np.random.Generator) -> Treated:
    """One contest; nothing is judged yet."""
    each = given.generators * 4
    n = given.tasks * each
    task, place = np.repeat(np.arange(given.tasks), each), np.tile(np.arange(each), given.tasks)
    generator, suffix, sharp = place // 4, place // 2 % 2 == 1, place % 2 == 1
    picture = np.arange(n) - sharp  # row that each is or was made from
    sign = rng.choice([-1.0, 1.0])
    does = {
        name: s * given.effect + given.by_generator_sd * rng.standard_normal(given.generators)
        for name, s in ((SUFFIX, sign), (SHARPEN, -sign))
    }
    shift = suffix * does[SUFFIX][generator] + sharp * does[SHARPEN][generator]
    residual_sd, skill_sd = rng.uniform(1.0, 2.0), rng.uniform(0.2, 1.0)
    qualities = []
    for level, difficulty_sd in ((7.0, 1.2), (6.5, 0.6)):
        skill, difficulty = (
            skill_sd * rng.standard_normal(given.generators),
            difficulty_sd * rng.standard_normal(given.tasks),
        )
        own = residual_sd * rng.standard_normal(n)[picture] + given.copy_sd * sharp * rng.standard_normal(n)
        qualities.append(level + difficulty[task] + skill[generator] + own + shift)
    sc, pq = qualities
    truth = overall(_said(sc, 0.5, rng), _said(pq, 0.5, rng))
    error = rng.standard_normal(n)[picture] + 0.5 * rng.standard_normal(n)  # a judge errs alike on near copies
    judged = overall(_said(sc + 1.5 * error, 0.3, rng), _said(pq + 1.5 * error, 0.3, rng))
    weak = sc + 10.0 * (rng.standard_normal(n)[picture] + 0.3 * rng.standard_normal(n))
    pool = Pool(
        tuple(f"t{t:04d}" for t in task),
        tuple(f"c{i:06d}" for i in range(n)),
        ("all",) * n,
        tuple(f"generator {g}" for g in generator),
        (JUDGED, WEAK),
        np.column_stack([np.full(n, np.nan), weak]),
        styles=tuple(SUFFIX if s else "" for s in suffix),
        finishes=tuple(SHARPEN if s else "" for s in sharp),
        origins=tuple(f"c{p:06d}" if s else "" for p, s in zip(picture, sharp, strict=True)),
    )
    return Treated(pool, truth, judged, SUFFIX if sign > 0 else SHARPEN)


def _said(quality: Floats, noise_sd: float, rng: np.random.Generator) -> Floats:
    """What a judge gives: the smaller of two noisy sub-scores, in whole points of 0 to 10."""
    sub_scores = quality + rng.normal(0.3, noise_sd, (2, len(quality)))
    said: Floats = np.clip(np.rint(sub_scores.min(axis=0)), 0, TOP)
    return said


def blind(pool: Pool) -> Pool:
    """The same pool as if every treated variant were a thing of its own: what it is without levels of treatments."""
    parts = zip(pool.variants, pool.styles, pool.finishes, strict=True)
    names = tuple(" + ".join(name for name in of if name) for of in parts)
    return replace(pool, variants=names, styles=(), finishes=(), origins=())


VIEWS: dict[str, Callable[[Pool], Pool]] = {"variants": blind, "treatments": lambda pool: pool}


def played(contest: Treated, view: str, totals: int, seed: int) -> tuple[float, float]:
    """Recovered gap and share of paying treatments among the picks of a study that sees a contest in one of ``VIEWS``.

    Args:
        contest: judged or not.
        view: what the study knows of treatments.
        totals: submissions that it plans and hears the totals of.
        seed: of the leaderboard's noise, alike for all views.
    """
    noise = np.random.default_rng([seed, 9]).normal(0.0, NOISE_SD, totals)
    study = Study(VIEWS[view](contest.pool), BELIEFS, noise_sd=NOISE_SD, seed=seed)
    for turn in range(totals):
        rows = study.ask(totals - turn, hold_below=0.0).plan.picked
        study.tell(rows, float(np.clip(round(float(contest.truth[rows].mean()), 2) + noise[turn], 0.0, TOP)))
    picked = study.best_rows()
    return contest.recovered(picked), float(contest.paying[picked].mean())
