"""Prompt styles and finishes: levels that generators share, and picks that learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest, make_treated, subset

from selector.learn.calibrator import Calibrator
from selector.learn.design import Scales, build_design
from selector.learn.study import Study

SCALES = Scales()
CONTEST = make_treated(0, tasks=10)
ONE = subset(CONTEST.pool, np.flatnonzero([g == "g0" for g in CONTEST.pool.generators]))


def levels(pool, *kinds):
    return {e.name: e for e in build_design(pool, BELIEFS).effects if e.kind in kinds}


def prior_of_levels(pool):
    """(n, n) covariance by treatments and variants alone."""
    built = build_design(pool, BELIEFS)
    chosen = [j for j, e in enumerate(built.effects) if e.kind in ("treatment", "treated", "variant")]
    root = built.basis[:, chosen] * built.sds[chosen]
    return root @ root.T


def difference(pool, **made):
    """Sharpened against unfinished candidates of some rows, as weights (n,)."""
    rows = np.array([all(getattr(pool, k)[i] == v for k, v in made.items()) for i in range(len(pool.task_ids))])
    sharp = np.array([f == "sharpen" for f in pool.finishes])
    return (rows & sharp) / (rows & sharp).sum() - (rows & ~sharp) / (rows & ~sharp).sum()


# The model


def test_generators_share_what_a_treatment_does_and_each_has_a_part_of_its_own():
    full = prior_of_levels(CONTEST.pool)
    one, other = (difference(CONTEST.pool, generators=g, styles="") for g in ("g0", "g1"))
    assert one @ full @ one == pytest.approx(SCALES.treatment_sd**2 + SCALES.treated_sd**2)
    assert one @ full @ other == pytest.approx(SCALES.treatment_sd**2)
    assert levels(CONTEST.pool, "treatment").keys() == {"prompt style suffix", "finish sharpen"}


def test_a_treatment_and_its_part_with_one_generator_differ_about_as_much_as_two_variants():
    assert SCALES.treatment_sd**2 + SCALES.treated_sd**2 == pytest.approx(2 * SCALES.variant_sd**2, rel=0.05)


def test_a_treatment_of_one_variant_alone_is_counted_once():
    plain = subset(ONE, np.flatnonzero([not s for s in ONE.styles]))
    found = levels(plain, "treatment", "treated", "variant")
    assert list(found) == ["g0, finish sharpen"]
    both = difference(plain)
    assert both @ prior_of_levels(plain) @ both == pytest.approx(SCALES.treatment_sd**2 + SCALES.treated_sd**2)


def test_a_single_generator_shares_a_finish_between_its_prompt_styles():
    assert levels(ONE, "treatment").keys() == {"prompt style suffix", "finish sharpen"}
    as_is, suffixed = (difference(ONE, styles=style) for style in ("", "suffix"))
    assert as_is @ prior_of_levels(ONE) @ as_is == pytest.approx(SCALES.treatment_sd**2 + SCALES.treated_sd**2)
    assert as_is @ prior_of_levels(ONE) @ suffixed == pytest.approx(SCALES.treatment_sd**2)


def test_variants_of_a_generator_s_own_keep_their_spread_beside_treatments():
    own = replace(CONTEST.pool, variants=tuple(f"v{i // 12 % 2}" for i in range(120)))
    variants = levels(own, "variant")
    assert variants.keys() == {f"g{g} v{v}" for g in range(3) for v in range(2)}
    assert all(e.sd == SCALES.variant_sd for e in variants.values())
    assert "g0 v1, prompt style suffix, finish sharpen" in levels(own, "treated")


def test_a_treatment_that_hardly_recurs_is_no_level():
    rare = tuple("grain" if i in (0, 8, 31, 70) else "" for i in range(120))
    pool = replace(CONTEST.pool, styles=(), finishes=rare, origins=())
    assert not levels(pool, "treatment", "treated", "variant")
    one_more = replace(pool, finishes=("", "grain", *rare[2:-1], "grain"))
    assert levels(one_more, "treatment").keys() == {"finish grain"}


def test_a_treatment_that_everything_has_is_no_level():
    assert not levels(replace(CONTEST.pool, styles=("suffix",) * 120, finishes=(), origins=()), "treatment")


def test_each_task_type_has_treatments_of_its_own():
    pool = replace(CONTEST.pool, task_types=("draw",) * 60 + ("edit",) * 60)
    keys = {e.key for e in build_design(pool, BELIEFS).effects if e.kind == "treatment"}
    assert {"draw/treatment/finish sharpen", "edit/treatment/finish sharpen"} <= keys


# Without any


def test_a_pool_of_untreated_candidates_is_estimated_as_one_that_knows_no_treatments():
    """Scores with holes, variants of one generator, two types, totals: no level, no fill and no draw is another."""
    contest = make_contest(5, tasks=20, types=("draw", "edit"))
    values = contest.pool.values.copy()
    values[::3, 0] = np.nan
    variants = tuple(f"v{i // 4 % 2}" if g == "g2" else "" for i, g in enumerate(contest.pool.generators))
    plain = replace(contest.pool, values=values, variants=variants)
    untreated = replace(plain, styles=("",) * 80, finishes=("",) * 80, origins=("",) * 80)
    totals = contest.random_totals(6, seed=2)
    one, other = (Calibrator(BELIEFS).fit(pool, totals) for pool in (plain, untreated))
    np.testing.assert_allclose(one.posterior.mean, other.posterior.mean, rtol=1e-9)
    np.testing.assert_allclose(one.posterior.variance, other.posterior.variance, rtol=1e-9)
    assert [w.effect for w in one.weights] == [w.effect for w in other.weights]
    assert not {w.effect.kind for w in one.weights} & {"treatment", "treated"}


# Learning


def preference(contest, rows):
    """Share of the picks with a suffix less the share of sharpened ones."""
    suffixed, sharp = ([bool(of[i]) for i in rows] for of in (contest.pool.styles, contest.pool.finishes))
    return float(np.mean(suffixed) - np.mean(sharp))


def unaware(pool):
    """The same candidates, every treated variant of every generator a thing of its own."""
    return replace(pool, variants=pool.made_with, styles=(), finishes=(), origins=())


def after_totals(contest, pool, seed):
    study = Study(pool, BELIEFS, noise_sd=0.03, seed=seed)
    for left in range(7, 0, -1):  # five to learn from, the fourth and the last to win
        proposal = study.ask(left, hold_below=0.0)
        study.tell(proposal.picks, contest.total(proposal.plan.picked).value)
    return preference(contest, study.best_rows())


def after_judgements(contest, pool, seed):
    return preference(contest, Study(pool, BELIEFS, seed=seed).best_rows())


@pytest.mark.parametrize("effect", [0.4, -0.4], ids=["the suffix pays", "sharpening pays"])
@pytest.mark.parametrize(
    ("learned", "contests", "options"),
    [(after_totals, 4, {"tasks": 100}), (after_judgements, 12, {"tasks": 150, "judged": 1 / 15})],
    ids=["seven totals", "a fifteenth judged"],
)
def test_little_teaches_which_treatment_pays(learned, contests, options, effect):
    """One pays 0.4 points and the other costs 0.4. As mere variants of generators they would not be told apart."""
    told, unaware_of = [], []
    for seed in range(contests):
        contest = make_treated(seed, style=effect, finish=-effect, **options)
        told.append(learned(contest, contest.pool, seed))
        unaware_of.append(learned(contest, unaware(contest.pool), seed))
    preferred = np.sign(effect) * np.mean(told)
    assert preferred > (0.6 if learned is after_totals else 0.3)
    assert preferred > np.sign(effect) * np.mean(unaware_of) + 0.15
