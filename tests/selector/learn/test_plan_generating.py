"""Where more candidates pay: against closed forms of expected improvement, simulation and brute force."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from toy_contests import BELIEFS, make_contest, reordered, subset

from selector.learn.belief import JUDGE
from selector.learn.calibrator import Calibrator
from selector.learn.plan_generating import Demand, Offer, demands, plan_generating
from selector.learn.pool import Pool
from selector.learn.totals import Total

CONTEST = make_contest(0, tasks=10)


def fit(pool=CONTEST.pool, totals=()):
    return Calibrator(BELIEFS).fit(pool, totals)


def table(values):
    """A pool of one generator with one score, (tasks, candidates), whose tasks have no level of their own."""
    tasks, each = values.shape
    names = [f"t{t:03d}" for t in range(tasks) for _ in range(each)]
    ids = tuple(f"c{i}" for i in range(tasks * each))
    centred = values - values.mean(axis=1, keepdims=True)
    return Pool(tuple(names), ids, ("all",) * len(ids), ("g",) * len(ids), ("judge",), centred.reshape(-1, 1))


def skilled(points=2.0):
    """Generator g2 is known to be better by some points, from totals."""
    rows = [np.arange(k, 40, 4) for k in range(4)]
    return fit(totals=[Total(r, 10, 5.0 + points * (k == 2)) for k, r in enumerate(rows)])


def claims(count, *offers, best=6.0):
    """Points that each of so many further candidates was allotted at."""
    demand, found = Demand("t", best, offers), []
    for _ in range(count):
        found.append(demand.next_worth())
        demand.take()
    assert sum(w.worth for w in demand.wishes()) == pytest.approx(sum(found))
    assert sum(w.count for w in demand.wishes()) == count
    return found


def rivals():
    """Three candidates of each of two generators a task, of which one may be picked: g0 is better, g1 varies more.

    Where the present pick is poor, g0 is asked first; what is above its candidates can only be won by g1.
    """
    contest = make_contest(4, tasks=12, generators=6, skills=[0.0] * 6)
    first, pool = np.arange(72) % 6 < 3, contest.pool
    values = pool.values.copy()
    values[:, 0] = np.where(first, 6.5, 5.0) + (values[:, 0] - 5.0) * np.where(first, 0.3, 1.5)
    generators = tuple("g0" if own else "g1" for own in first)
    return fit(replace(pool, values=values, generators=generators, eligible=np.arange(72) % 6 == 5))


def laws(fitted, names, width):
    """Task id to (present best, generator to (mean, sd)), for tasks of ``width`` candidates, rows in order."""
    pool = fitted.pool
    mean = fitted.posterior.mean.reshape(-1, width)
    deviation = mean - mean.mean(axis=1, keepdims=True)
    made_by = np.array(pool.generators).reshape(-1, width)
    shifts = {name: deviation[made_by == name] for name in names}
    wider = ((1 + 1 / width) / (1 - 1 / width)) ** 0.5  # around a level that the new one has no part in
    return {
        task_id: (line[may].max(), {g: (line.mean() + s.mean(), wider * s.std()) for g, s in shifts.items()})
        for task_id, line, may in zip(pool.tasks, mean, pool.eligible.reshape(-1, width), strict=True)
    }


def simulated_worth(wishes, of_task, draws=40_000):
    """Points won by all wishes together, where only the best candidate of a task counts."""
    rng = np.random.default_rng(1)
    total = 0.0
    for task_id, (best, generators) in of_task.items():
        top = np.full(draws, best)
        for w in (w for w in wishes if w.task_id == task_id):
            mean, sd = generators[w.generator]
            top = np.maximum(top, (mean + sd * rng.standard_normal((w.count, draws))).max(axis=0))
        total += top.mean() - best
    return total


@pytest.mark.parametrize("ahead", [-2.0, -0.5, 0.0, 0.7, 5.0])
@pytest.mark.parametrize("sd", [0.2, 1.0])
def test_one_more_candidate_is_worth_its_expected_improvement(ahead, sd):
    u = ahead / sd
    expected = sd * (norm.pdf(u) + u * norm.cdf(u))
    assert claims(1, Offer("g", 6.0 + ahead, sd)) == pytest.approx([expected], abs=1e-4 * sd)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_several_are_worth_the_improvement_of_the_best_of_them(count):
    new = 5.5 + 0.8 * np.random.default_rng(0).standard_normal((50_000, count))
    expected = np.maximum(new.max(axis=1) - 6.0, 0.0).mean()
    assert sum(claims(count, Offer("g", 5.5, 0.8))) == pytest.approx(expected, abs=0.01)


def test_narrow_offers_far_above_the_best_are_resolved():
    """The integral runs over eleven points, beside a spread of 0.2."""
    new = norm.ppf((np.arange(100_000) + 0.5) / 100_000) * 0.2 + 5.0
    top = np.maximum(new, np.random.default_rng(0).permutation(new))
    found = claims(2, Offer("g", 5.0, 0.2), Offer("wide", 2.0, 1.5), best=0.0)
    assert found[0] == pytest.approx(5.0, abs=2e-3)
    assert found[1] >= top.mean() - new.mean() - 2e-3


def test_each_further_candidate_adds_less():
    steps = claims(12, Offer("a", 6.0, 1.0), Offer("b", 5.8, 1.1))
    assert min(steps) > 0.0
    assert (np.diff(steps) < 0.0).all()


def test_what_one_generator_won_is_not_won_again_by_another():
    """Two that are alike are worth as much as one that is asked twice."""
    alike = [Offer("a", 6.5, 0.5), Offer("b", 6.5, 0.5)]
    first, second = claims(2, *alike)
    assert [first, second] == pytest.approx(claims(2, alike[0]))
    assert second < 0.5 * first


def test_candidates_that_stand_no_chance_are_worth_nothing():
    assert claims(3, Offer("g", 2.0, 0.5)) == [0.0, 0.0, 0.0]


def test_budget_is_spent_and_the_most_valuable_comes_first():
    wishes = plan_generating(skilled(), 25)
    assert sum(w.count for w in wishes) == 25
    worths = [w.worth for w in wishes]
    assert worths == sorted(worths, reverse=True)
    assert len({(w.task_id, w.generator) for w in wishes}) == len(wishes)
    assert plan_generating(skilled(), 0) == []


def test_a_budget_beyond_all_use_is_not_spent():
    few = fit(subset(CONTEST.pool, np.arange(8)))
    wishes = plan_generating(few, 20_000)
    assert 0 < sum(w.count for w in wishes) < 20_000
    assert plan_generating(few, 40_000) == wishes


@pytest.mark.parametrize("budget", [20, 60, 150])
def test_all_wishes_together_claim_what_simulation_says_they_win(budget):
    """A win of two generators on one task that was counted for each would be claimed nearly twice."""
    fitted = rivals()
    wishes = plan_generating(fitted, budget)
    asked = [w.task_id for w in wishes]
    assert sum(asked.count(task_id) == 2 for task_id in set(asked)) >= 3
    truth = simulated_worth(wishes, laws(fitted, ["g0", "g1"], 6))
    assert sum(w.worth for w in wishes) == pytest.approx(truth, rel=0.02)


def test_tasks_without_a_candidate_claim_what_simulation_says_they_win():
    fitted = rivals()
    wishes = plan_generating(fitted, 30, empty=[("e1", "all"), ("e2", "all")])
    of_task = laws(fitted, ["g0", "g1"], 6)
    known = [known for _, known in of_task.values()]
    usual = {g: (np.mean([law[g][0] for law in known]), known[0][g][1] / (1 + 1 / 6) ** 0.5) for g in ("g0", "g1")}
    of_task |= {"e1": (0.0, usual), "e2": (0.0, usual)}
    assert {"e1", "e2"} <= {w.task_id for w in wishes}
    assert sum(w.worth for w in wishes) == pytest.approx(simulated_worth(wishes, of_task), rel=0.02)


def test_a_next_candidate_wins_what_it_does_in_simulation():
    """Five normal values of each of many tasks: the worth of a sixth, known only by the spread of the five."""
    rng = np.random.default_rng(2)
    values = rng.standard_normal((400, 6))
    fitted = Calibrator({"judge": JUDGE}).fit(table(values[:, :5]))
    weight = np.ptp(fitted.posterior.mean) / np.ptp(values[:, :5] - values[:, :5].mean(axis=1, keepdims=True))
    truth = weight * (values.max(axis=1) - values[:, :5].max(axis=1)).mean()
    wished = np.mean([d.next_worth() for d in demands(fitted)])
    assert wished == pytest.approx(truth, rel=0.12)


def test_more_budget_never_claims_less():
    fitted = rivals()
    claimed = [sum(w.worth for w in plan_generating(fitted, budget)) for budget in range(0, 60, 3)]
    assert (np.diff(claimed) > 0.0).all()


def test_spreading_is_the_best_of_all_spreadings():
    """One generator, three tasks, budget four: every allotment is tried."""
    fitted = fit(subset(CONTEST.pool, np.arange(12)))
    wishes = plan_generating(fitted, 4, ["g1"])
    worth = {}
    for task_id, (best, known) in laws(fitted, ["g1"], 4).items():
        worth[task_id] = [0.0, *np.cumsum(claims(4, Offer("g1", *known["g1"]), best=best))]
    totals = {
        counts: sum(worth[t][n] for t, n in zip(worth, counts, strict=True))
        for counts in itertools.product(range(5), repeat=3)
        if sum(counts) == 4
    }
    got = {w.task_id: w.count for w in wishes}
    assert totals[tuple(got.get(t, 0) for t in worth)] == pytest.approx(max(totals.values()), abs=1e-9)
    assert sum(w.worth for w in wishes) == pytest.approx(max(totals.values()))


def test_the_better_generator_is_asked():
    assert {w.generator for w in plan_generating(skilled(), 20)} == {"g2"}


def test_only_the_generators_that_are_named_are_asked():
    assert {w.generator for w in plan_generating(skilled(), 20, ["g0", "g3"])} <= {"g0", "g3"}
    assert plan_generating(skilled(), 20, ["nobody"]) == []


def test_a_generator_is_not_asked_for_a_task_that_it_declined():
    fitted = skilled()
    first = plan_generating(fitted, 1)[0]
    refused = [(first.task_id, first.generator)]
    wishes = plan_generating(fitted, 60, declined=refused)
    assert wishes and (first.task_id, first.generator) not in {(w.task_id, w.generator) for w in wishes}
    assert plan_generating(fitted, 1, [first.generator], declined=refused)[0].task_id != first.task_id


def test_tasks_without_a_candidate_come_first():
    wishes = plan_generating(skilled(), 3, empty=[("e1", "all"), ("e2", "all"), ("e3", "all")])
    assert {w.task_id for w in wishes} == {"e1", "e2", "e3"}
    assert all(w.worth > 3 for w in wishes)


def test_an_empty_task_of_a_type_that_nobody_has_served_gets_no_wish():
    assert all(w.task_id != "e" for w in plan_generating(skilled(), 50, empty=[("e", "other")]))


def test_a_task_whose_candidates_may_not_be_picked_counts_as_a_failed_image():
    fitted = fit(replace(CONTEST.pool, eligible=np.arange(40) >= 4))
    first = plan_generating(fitted, 1)[0]
    assert first.task_id == "t000"
    assert first.worth > 3


def test_generators_are_asked_only_for_types_that_they_have_served():
    pool = replace(CONTEST.pool, task_types=tuple("draw" if i < 20 else "edit" for i in range(40)))
    keep = np.array([i for i in range(40) if not (i < 20 and pool.generators[i] == "g3")])
    wishes = plan_generating(fit(subset(pool, keep)), 200)
    assert {w.generator for w in wishes if int(w.task_id[1:]) >= 5} >= {"g3"}
    assert all(w.generator != "g3" for w in wishes if int(w.task_id[1:]) < 5)


def test_the_same_input_gives_the_same_wishes():
    assert plan_generating(skilled(), 30) == plan_generating(skilled(), 30)


@pytest.mark.parametrize("empty", [[], [("e2", "draw"), ("e1", "edit"), ("e3", "draw")]])
def test_the_order_of_the_input_does_not_matter(empty):
    pool = replace(CONTEST.pool, task_types=tuple("draw" if i % 8 < 4 else "edit" for i in range(40)))
    rng = np.random.default_rng(3)
    order = np.concatenate([4 * task + rng.permutation(4) for task in rng.permutation(10)])
    one = plan_generating(fit(pool), 33, empty=empty)
    other = plan_generating(fit(reordered(pool, order)), 33, empty=empty[::-1])
    assert [(w.task_id, w.generator, w.count) for w in one] == [(w.task_id, w.generator, w.count) for w in other]
    assert [w.worth for w in one] == pytest.approx([w.worth for w in other], abs=1e-6)


def test_poor_finishes_do_not_make_their_generator_look_poor():
    """Each picture of g0 has a copy that is 2 points worse; a new one would have such a copy too, and win by itself."""
    contest = make_contest(3, tasks=12)
    pool, rows = contest.pool, np.arange(48)
    first = rows % 4 == 0
    order = np.argsort(np.concatenate([rows, rows[first] + 0.5]), kind="stable")
    source = np.concatenate([rows, rows[first]])[order]
    copied = np.concatenate([np.zeros(48, dtype=bool), np.ones(12, dtype=bool)])[order]
    values = pool.values[source] - 2.0 * copied[:, None] * [1.0, 0.0, 0.0]
    with_copies = replace(
        pool,
        task_ids=tuple(pool.task_ids[i] for i in source),
        candidate_ids=tuple(pool.candidate_ids[i] + "-sharp" * int(c) for i, c in zip(source, copied, strict=True)),
        task_types=("all",) * 60,
        generators=tuple(pool.generators[i] for i in source),
        variants=(),
        styles=(),
        finishes=tuple("sharpen" if c else "" for c in copied),
        origins=tuple(pool.candidate_ids[i] if c else "" for i, c in zip(source, copied, strict=True)),
        excluded=(),
        pinned=(),
        refused=(),
        values=values,
        eligible=np.ones(60, dtype=bool),
    )
    plain, told, unrelated = (
        sum(w.worth for w in plan_generating(fit(p), 12, ["g0"]))
        for p in (pool, with_copies, replace(with_copies, origins=()))
    )
    assert told == pytest.approx(plain, rel=0.2)
    assert unrelated < 0.7 * plain
