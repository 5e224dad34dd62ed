"""The columns of the linear model and their priors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toy_contests import BELIEFS, make_contest, subset, with_columns

from selector.learn.belief import Belief
from selector.learn.calibrator import Calibrator
from selector.learn.design import Scales, build_design
from selector.learn.totals import Total

CONTEST = make_contest(0, tasks=20)
TYPED = make_contest(1, tasks=20, types=("draw", "edit"))
SCALES = Scales()


def design_of(pool, beliefs=BELIEFS, **options):
    built = build_design(pool, beliefs, **options)
    return built, {e.key: (e, built.basis[:, j]) for j, e in enumerate(built.effects)}


def covariance(built):
    root = built.basis * built.sds
    return root @ root.T + np.diag(built.residual_sd**2)


def test_every_type_has_a_level_scores_and_generators_of_its_own():
    _, effects = design_of(TYPED.pool)
    for name in ("draw", "edit"):
        own = np.array([t == name for t in TYPED.pool.task_types])
        for key in ("level/all", "score/judge", "score/noise", "between/task means", "generator/g0"):
            assert not effects[f"{name}/{key}"][1][~own].any(), key
    np.testing.assert_array_equal(effects["draw/level/all"][1], [float(t == "draw") for t in TYPED.pool.task_types])


def test_levels_are_differences_from_the_average():
    _, effects = design_of(CONTEST.pool)
    for key, (effect, column) in effects.items():
        if effect.kind in ("generator", "variant"):
            assert column.sum() == pytest.approx(0.0, abs=1e-9), key


def test_a_score_moves_the_picks_of_a_task_and_not_its_level():
    _, effects = design_of(CONTEST.pool)
    column = effects["all/score/judge"][1].reshape(20, 4)
    np.testing.assert_allclose(column.sum(axis=1), 0.0, atol=1e-9)
    assert column.std() == pytest.approx(SCALES.within_sd)


def test_between_part_is_the_same_for_all_candidates_of_a_task():
    _, effects = design_of(CONTEST.pool)
    column = effects["all/between/task means"][1].reshape(20, 4)
    np.testing.assert_allclose(column, column[:, :1].repeat(4, axis=1), atol=1e-9)
    assert column.std() > 0


def test_a_believed_correlation_is_the_prior_correlation_within_tasks():
    """One column alone: weight x spread over the spread of the overall within a task."""
    pool = replace(CONTEST.pool, columns=("judge",), values=CONTEST.pool.values[:, :1])
    _, effects = design_of(pool, {"judge": Belief(0.4, 0.1, "")})
    effect, column = effects["all/score/judge"]
    assert effect.mean * column.std() / SCALES.within_sd == pytest.approx(0.4 / 1.03)
    assert effect.sd == 0.1


def test_a_copy_of_a_judge_of_which_nothing_is_believed_leaves_the_judge_its_weight():
    one, two = (
        design_of(pool)[1]
        for pool in (CONTEST.pool, with_columns(CONTEST.pool, ["copy"], CONTEST.pool.values[:, :1] + 0.01))
    )
    assert two["all/score/judge"][0] == one["all/score/judge"][0]
    assert two["all/score/copy"][0].mean == 0.0


def test_a_generator_may_fare_better_where_tasks_are_easy():
    """Ease: the tasks' mean scores, weighted by belief, with mean 0 and spread 1 over the rows."""
    _, effects = design_of(CONTEST.pool)
    z = (CONTEST.pool.values - CONTEST.pool.values.mean(axis=0)) / CONTEST.pool.values.std(axis=0)
    ease = (z @ [BELIEFS["judge"].correlation, BELIEFS["weak"].correlation, 0.0]).reshape(20, 4).mean(axis=1)
    ease = np.repeat((ease - ease.mean()) / ease.std(), 4)
    for g in range(4):
        effect, column = effects[f"all/ease/g{g}"]
        made = np.array([name == f"g{g}" for name in CONTEST.pool.generators])
        np.testing.assert_allclose(column, (made - 0.25) * ease, atol=1e-9)
        assert (effect.mean, effect.sd) == (0.0, SCALES.ease_sd)


def test_where_no_score_is_believed_in_nothing_is_said_of_ease():
    assert not any(key.startswith("all/ease/") for key in design_of(CONTEST.pool, {})[1])


def test_generators_of_several_types_share_a_part_of_their_variance():
    pool = replace(TYPED.pool, columns=(), values=np.zeros((80, 0)))
    built, _ = design_of(pool, scales=replace(SCALES, base_sd=0.0))
    full = covariance(built)
    name, kind = np.array(pool.generators), np.array(pool.task_types)

    def contrast(of):
        """g0 against g1 on one type."""
        line = np.zeros(80)
        for generator, sign in (("g0", 1), ("g1", -1)):
            rows = (name == generator) & (kind == of)
            line[rows] = sign / rows.sum()
        return line

    luck = 2 * SCALES.residual_sd**2 / 10
    draw, edit = contrast("draw"), contrast("edit")
    assert draw @ full @ draw == pytest.approx(2 * SCALES.generator_sd**2 + luck)
    assert draw @ full @ edit == pytest.approx(2 * SCALES.pooled * SCALES.generator_sd**2)


def test_one_type_has_the_whole_generator_variance_and_no_shared_effect():
    _, effects = design_of(CONTEST.pool)
    assert effects["all/generator/g0"][0].sd == SCALES.generator_sd
    assert not any(key.startswith("*/") for key in effects)


def test_a_score_of_one_type_alone_keeps_its_whole_variance():
    """A part of it is shared over the types only where there are several to share it."""
    values, edit = TYPED.pool.values.copy(), np.array([t == "edit" for t in TYPED.pool.task_types])
    values[edit, 0] = np.nan
    _, effects = design_of(replace(TYPED.pool, values=values))
    assert effects["draw/score/judge"][0].sd == BELIEFS["judge"].sd
    assert "*/score/judge" not in effects
    shared, own = effects["*/score/noise"][0].sd, effects["draw/score/noise"][0].sd
    assert np.hypot(shared, own) == pytest.approx(0.05)


def test_a_single_generator_is_no_effect_and_a_single_variant_neither():
    pool = replace(CONTEST.pool, generators=("g",) * 80, variants=("v",) * 80)
    _, effects = design_of(pool)
    assert not any(e.kind in ("generator", "variant") for e, _ in effects.values())


def test_only_generators_with_several_variants_have_variants():
    variants = tuple(f"v{i // 4 % 2}" if g == "g2" else "" for i, g in enumerate(CONTEST.pool.generators))
    _, effects = design_of(replace(CONTEST.pool, variants=variants))
    assert {e.name for e, _ in effects.values() if e.kind == "variant"} == {"g2 v0", "g2 v1"}


def test_an_unscored_value_adds_what_the_score_could_have_said():
    values = CONTEST.pool.values.copy()
    values[7, 0] = np.nan
    built, effects = design_of(replace(CONTEST.pool, values=values))
    weight = effects["all/score/judge"][0].mean
    extra = SCALES.within_sd**2 * (weight**2 + BELIEFS["judge"].sd ** 2)
    np.testing.assert_allclose(np.delete(built.residual_sd, 7), SCALES.residual_sd)
    assert built.residual_sd[7] ** 2 == pytest.approx(SCALES.residual_sd**2 + extra)


# What scores say of generators, and agree on


def of_kind(pool, kind, beliefs=BELIEFS, **options):
    return [e for e in design_of(pool, beliefs, **options)[0].effects if e.kind == kind]


def agreeing(contest, loads, seed=0):
    """Columns without belief that see the truth by so many points of its own, beside noise of spread 1."""
    noise = np.random.default_rng(seed).normal(size=(len(contest.truth), len(loads)))
    return with_columns(contest.pool, [f"new{j}" for j in range(len(loads))], contest.truth[:, None] * loads + noise)


def test_a_generator_with_better_scores_is_preferred_by_more_than_its_pictures_scores():
    contest = make_contest(3, tasks=60, skills=(0, 0, 0, 1.0))
    best = np.array([g == "g3" for g in contest.pool.generators])

    def ahead(**options):
        built, _ = design_of(contest.pool, scales=replace(SCALES, **options))
        mean = built.base + built.basis @ built.means
        return mean[best].mean() - mean[~best].mean()

    pictures = ahead(mean_slope=0.0, mean_slope_sd=1e-12)
    assert ahead() > 1.5 * pictures > 0.0


def test_generators_that_score_alike_have_no_means():
    contest = make_contest(3, tasks=60, skills=(0, 0, 0, 0))
    scores = np.random.default_rng(1).normal(size=(60, 4, 3))
    scores -= scores.mean(axis=0)  # not even by chance
    pool = replace(contest.pool, values=scores.reshape(240, 3))
    assert not of_kind(pool, "generator mean")
    assert of_kind(contest.pool, "generator mean", {}) == [], "of the one kind of column that nobody vouches for"


def test_columns_that_nobody_vouches_for_are_believed_a_little_if_they_agree():
    contest = make_contest(3, tasks=60)
    (found,) = of_kind(agreeing(contest, [1.0, 1.0]), "consensus", {})
    assert found.mean > 0.1 and found.sd > 0.1
    pool = with_columns(contest.pool, ["new"], contest.truth[:, None])
    assert not of_kind(pool, "consensus"), "the other one is noise"
    assert not of_kind(replace(contest.pool, columns=("x",), values=contest.truth[:, None]), "consensus", {})


@pytest.mark.parametrize("of", ["judge", "noise"])
def test_a_copy_agrees_with_its_original_and_proves_nothing(of):
    contest = make_contest(5)
    copy = -2.0 * contest.pool.values[:, [contest.pool.columns.index(of)]] + 3.0
    pool = with_columns(contest.pool, ["copy", "again"], np.hstack([copy, copy]))
    assert not of_kind(pool, "consensus")


def test_what_unvouched_columns_agree_on_and_a_judge_does_not_see_is_hardly_believed():
    """On average: by chance a judge that sees nothing correlates with it by 0.05, of the 0.2 expected."""
    contest = make_contest(5, tasks=100)
    seen = of_kind(agreeing(contest, [1.5, 1.5, 1.5]), "consensus")
    unseen = []
    for seed in range(9, 19):
        blind = replace(contest.pool, values=np.random.default_rng(seed).normal(size=(400, 3)))
        unseen += of_kind(agreeing(replace(contest, pool=blind), [1.5, 1.5, 1.5]), "consensus")
    assert seen[0].mean > 0.3 > 0.12 > np.mean([one.mean for one in unseen])


def test_weights_of_a_score_are_shared_by_the_types_and_keep_their_variance():
    _, effects = design_of(TYPED.pool)
    own, shared = effects["draw/score/judge"][0], effects["*/score/judge"]
    assert own.sd**2 + shared[0].sd ** 2 == pytest.approx(BELIEFS["judge"].sd ** 2)
    np.testing.assert_allclose(shared[1], effects["draw/score/judge"][1] + effects["edit/score/judge"][1])
    assert shared[0].mean == 0.0


def test_totals_of_one_type_teach_what_a_judge_is_worth_on_another():
    """The picks that the judge likes best on "draw" win by far: it is worth more, on "edit", too."""
    pool = TYPED.pool
    judge = pool.column("judge").reshape(20, 4)
    tasks = [t for t in range(20) if pool.task_types[4 * t] == "draw"]
    rows = [np.array([4 * t + place(judge[t]) for t in tasks]) for place in (np.argmax, np.argmin)]
    totals = [Total(r, len(r), value) for r, value in zip(rows, (8.5, 1.5), strict=True)]
    edit = np.array([t == "edit" for t in pool.task_types])
    liked = judge.argmax(axis=1)[pool.task_of] == np.tile(np.arange(4), 20)

    def ahead(pooled):
        """Points by which what the judge likes best on "edit" has risen above the rest."""
        calibrator = Calibrator(BELIEFS, replace(SCALES, score_pooled=pooled))
        rise = calibrator.fit(pool, totals).posterior.mean - calibrator.fit(pool).posterior.mean
        return rise[edit & liked].mean() - rise[edit & ~liked].mean()

    assert ahead(0.5) > ahead(0.0) + 0.15


# Several passes of a judge


def with_gain(gains):
    one = np.ones(80)
    for row, gain in gains.items():
        one[row] = gain
    return replace(CONTEST.pool, gain={"judge": one})


def test_a_mean_of_several_passes_moves_its_candidate_more_and_leaves_it_less_uncertain():
    plain, effects = design_of(CONTEST.pool)
    built, with_passes = design_of(with_gain({7: 1.6}))
    column, before = with_passes["all/score/judge"][1], effects["all/score/judge"][1]
    others = np.delete(np.arange(80), 7)
    steeper = column / before
    np.testing.assert_allclose(steeper[others], steeper[0])
    assert steeper[7] == pytest.approx(1.6 * steeper[0])
    weight = with_passes["all/score/judge"][0].mean
    explained = SCALES.within_sd**2 * weight**2 * 0.6
    np.testing.assert_allclose(built.residual_sd[others], plain.residual_sd[others])
    assert built.residual_sd[7] ** 2 == pytest.approx(SCALES.residual_sd**2 - explained)


def test_no_number_of_passes_leaves_less_than_a_quarter_of_the_variance():
    pool = replace(with_gain({7: 5.0}), columns=("judge",), values=CONTEST.pool.values[:, :1])
    built, _ = design_of(pool, {"judge": Belief(0.9, 0.1, "")})
    assert built.residual_sd[7] == pytest.approx(0.5 * SCALES.residual_sd)
    assert built.residual_sd[8] == pytest.approx(SCALES.residual_sd)


def test_learned_weights_replace_the_written_ones():
    _, effects = design_of(CONTEST.pool, learned={"all/score/judge": (0.33, 0.01), "all/score/gone": (1.0, 1.0)})
    assert (effects["all/score/judge"][0].mean, effects["all/score/judge"][0].sd) == (0.33, 0.01)
    assert effects["all/score/weak"][0].sd == BELIEFS["weak"].sd


def test_a_written_prior_sets_the_base_of_a_task_and_a_slope_on_the_rest():
    prior = np.random.default_rng(0).uniform(2, 8, 80)
    built, effects = design_of(replace(CONTEST.pool, prior_overall=prior))
    effect, column = effects["all/prior/written prior"]
    np.testing.assert_allclose(built.base + column, prior)
    assert effect.mean == 1.0


def test_without_scores_and_with_one_candidate_there_is_still_a_level():
    pool = subset(replace(CONTEST.pool, columns=(), values=np.zeros((80, 0))), np.array([5]))
    built, effects = design_of(pool)
    assert list(effects) == ["all/level/all"]
    assert built.basis.shape == (1, 1)
