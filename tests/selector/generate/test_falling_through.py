"""Plans: what one generator was refused or failed goes to the next, in the right number, also in later runs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from toy_services import (
    Make,
    ToyJob,
    all_is_answered,
    attempts,
    outcomes,
    raises,
    reopened,
    toy_service,
)

from selector.config import Step
from selector.domain import Declined, GenerationFailed, ServiceStopped, Task, TaskType
from selector.generate.orders import Chain, Order, WorkItem

SECOND = {
    "generators": {"second": {"kind": "toy_remote", "service": "elsewhere"}},
    "services": {"elsewhere": {"running": 4}},
}


def refuse_first(n: int, error: Exception | None = None) -> Any:
    """A hook that refuses the first ``n`` seeds that it meets of every task."""
    seen: dict[str, list[int]] = {}

    def hook(job: ToyJob, seed: int) -> Any:
        of_task = seen.setdefault(job.task_id, [])
        if seed not in of_task:
            of_task.append(seed)
        return (error or Declined("refused")) if of_task.index(seed) < n else None

    return hook


def chain(*numbers: int) -> Chain:
    task = Task("1", TaskType.TIE, "", None, None, 0)
    return Chain([Order(task, Step(f"g{i}", n, reserve=not n), None, "1") for i, n in enumerate(numbers)])  # type: ignore[arg-type]


def spans(items: list[WorkItem]) -> list[tuple[int, int, int]]:
    """(place, first, n) of items."""
    return [(unit.place, unit.first, unit.n) for unit in items]


def test_a_chain_starts_all_but_its_reserves() -> None:
    assert spans(chain(4, 0, 2).start()) == [(0, 0, 4), (2, 0, 2)]


def test_a_chain_without_refusals_ends() -> None:
    plan = chain(4, 0, 2)
    first, last = plan.start()
    assert plan.done(first, 0) == plan.done(last, 0) == []


def test_refusals_are_asked_of_the_next_on_top_of_its_own_number() -> None:
    plan = chain(4, 2, 1)
    first, second, third = plan.start()
    assert plan.done(second, 0) == []
    (more,) = plan.done(first, 3)
    assert spans([more]) == [(1, 2, 5)]
    assert spans(plan.done(more, 2)) == []  # the third one is still at work
    assert spans(plan.done(third, 1)) == [(2, 1, 3)]


def test_refusals_that_come_while_the_next_is_at_work_are_its_next_unit() -> None:
    plan = chain(4, 2)
    first, second = plan.start()
    assert plan.done(first, 4) == []
    (more,) = plan.done(second, 1)
    assert (spans([more]), more.count) == ([(1, 2, 6)], 4)
    assert plan.done(more, 4) == []  # there is no other


def test_refusals_pass_through_a_reserve() -> None:
    plan = chain(3, 0, 1)
    first, last = plan.start()
    (reserve,) = plan.done(first, 3)
    assert spans([reserve]) == [(1, 0, 3)]
    assert plan.done(last, 0) == []
    assert spans(plan.done(reserve, 2)) == [(2, 1, 3)]


def test_what_the_last_one_was_refused_goes_nowhere() -> None:
    plan = chain(2)
    (unit,) = plan.start()
    assert plan.done(unit, 2) == []


def test_what_a_generator_cannot_do_falls_to_the_first_reserve_alone() -> None:
    plan = chain(4, 2, 0, 0)
    first, second = plan.start()
    assert spans(plan.done(first, 0, unable=4)) == [(2, 0, 4)]
    assert plan.done(second, 0) == []


def test_without_a_reserve_it_falls_nowhere() -> None:
    plan = chain(4, 2)
    first, _ = plan.start()
    assert plan.done(first, 0, unable=4) == []


def test_a_task_that_a_generator_declines_at_once_is_made_by_its_reserve(make: Make) -> None:
    campaign = make({"toy": 3, "toy_remote": {"reserve": True}}, ["decline this", "b"])
    campaign.generate()
    assert outcomes(campaign)["toy_remote", "made"] == 3
    assert outcomes(campaign)["toy", "made"] == 3
    assert reopened(campaign).generate().made == 0


@pytest.mark.parametrize("error", [Declined("refused"), GenerationFailed("broke")])
def test_refused_and_failed_images_are_made_by_the_next(make: Make, error: Exception) -> None:
    toy_service().error_of = refuse_first(2, error)
    campaign = make({"toy_remote": 3, "toy": 1}, ["a", "b"])
    summary = campaign.generate()
    assert outcomes(campaign)["toy", "made"] == 2 * (1 + 2)
    assert (summary.made, summary.already, summary.declined + summary.failed) == (2 * 4, 0, 4)
    assert summary.without_candidates == []
    assert all_is_answered(campaign)


def test_a_second_run_asks_for_nothing_that_fell_through(make: Make) -> None:
    toy_service().error_of = refuse_first(2)
    campaign = make({"toy_remote": 3, "toy": 1})
    campaign.generate()
    before = attempts(campaign), len(toy_service().submits)
    again = reopened(campaign)
    summary = again.generate()
    assert (summary.made, summary.already) == (0, 6)
    assert (attempts(again), len(toy_service().submits)) == before


def test_a_run_that_died_in_the_midst_falls_through_by_the_same_numbers(make: Make) -> None:
    toy_service().error_of = refuse_first(2)
    campaign = make({"toy_remote": 3, "toy": 1})
    assert campaign.generate(generators=["toy_remote"]).declined == 2
    assert reopened(campaign).generate().made == 3


def test_a_reserve_is_asked_only_for_what_was_refused(make: Make) -> None:
    campaign = make({"toy_remote": 2, "second": {"reserve": True}}, ["a", "b"], **SECOND)
    toy_service().error_of = lambda job, _seed: Declined("no") if job.task_id == "3" else None
    summary = campaign.generate()
    assert summary.made == 4
    assert sum(toy_service("elsewhere").images().values()) == 2
    assert {task for task, *_ in toy_service("elsewhere").images()} == {"3"}


def test_several_steps_hand_on_what_each_was_refused(make: Make) -> None:
    campaign = make({"toy_remote": 4, "second": {"reserve": True}, "toy": 1}, **SECOND)
    toy_service().on_submit = raises(Declined("never"))
    toy_service("elsewhere").error_of = refuse_first(3)
    summary = campaign.generate()
    assert outcomes(campaign) == {
        ("toy_remote", "declined"): 4,
        ("second", "made"): 1,
        ("second", "declined"): 3,
        ("toy", "made"): 4,
    }
    assert (summary.made, summary.declined, summary.already) == (5, 7, 0)


def test_a_task_that_is_not_a_generators_kind_does_not_fall_through(make: Make) -> None:
    campaign = make({"toy_remote": 3, "toy": 1}, ["not mine"])
    summary = campaign.generate()
    assert (summary.made, summary.declined) == (1, 1)
    assert toy_service().submits == []


def test_what_fell_to_a_generator_that_declines_the_task_goes_on_to_the_next(make: Make) -> None:
    campaign = make({"toy": 2, "toy_remote": 3, "second": 1}, ["crash, not mine"], **SECOND)
    # "toy" breaks at both, "toy_remote" and "second" decline such a task: nothing is left to make it.
    assert campaign.generate().made == 0
    other = make({"toy": 2, "toy_remote": 3, "second": 1}, ["crash"], "other", **SECOND)
    toy_service().on_submit = raises(Declined("never"))
    assert other.generate().made == 1 + 5
    assert outcomes(other)["second", "made"] == 1 + 5


def test_what_a_generator_has_no_more_ideas_for_goes_on_to_the_next(make: Make) -> None:
    campaign = make({"toy": 3, "toy_remote": {"seeds": [5]}, "second": 1}, ["crash"], **SECOND)
    assert campaign.generate().made == 1 + (1 + 3)
    assert outcomes(campaign)["second", "made"] == 4
    assert reopened(campaign).generate().made == 0


def test_what_failed_and_then_succeeds_is_not_missed_by_the_next(make: Make) -> None:
    toy_service().error_of = refuse_first(2, GenerationFailed("broke"))
    campaign = make({"toy_remote": 2, "toy": 1})
    campaign.generate()
    assert outcomes(campaign)["toy", "made"] == 3
    toy_service().error_of = lambda *_: None
    again = reopened(campaign)
    summary = again.generate(retry_failed=True)
    assert (summary.made, summary.failed) == (2, 0)
    assert outcomes(again)["toy", "made"] == 3


def test_a_retry_tries_each_recipe_once_though_more_falls_to_it(make: Make) -> None:
    campaign = make({"toy_remote": 2, "second": 2}, **SECOND)
    toy_service().error_of = refuse_first(9, GenerationFailed("broke"))
    toy_service("elsewhere").error_of = refuse_first(9, GenerationFailed("broke too"))
    campaign.generate()
    before = len(toy_service().submits), len(toy_service("elsewhere").submits)
    assert before == (2, 4)
    summary = reopened(campaign).generate(retry_failed=True)
    assert (len(toy_service().submits), len(toy_service("elsewhere").submits)) == (4, 8)
    assert (summary.failed, summary.already) == (6, 0)


def test_what_waits_for_another_run_does_not_fall_through(make: Make) -> None:
    toy_service().on_submit = raises(ServiceStopped("closed"))
    campaign = make({"toy_remote": 4, "toy": 1})
    assert campaign.generate().made == 1


def test_the_next_takes_over_by_name_only_where_it_is_in_the_run(make: Make) -> None:
    toy_service().on_submit = raises(Declined("never"))
    campaign = make({"toy_remote": 2, "toy": 1})
    assert campaign.generate(generators=["toy"]).made == 1
    assert campaign.generate().made == 2  # what toy_remote was refused


def test_nothing_is_filled_in_where_all_refuse(make: Make) -> None:
    toy_service().on_submit = raises(Declined("never"))
    campaign = make({"toy_remote": 2}, ["a", "b"])
    summary = campaign.generate()
    assert (summary.made, summary.without_candidates) == (0, ["3", "10"])
    assert not any((campaign.folder / "images").rglob("*.jpg"))


def test_progress_is_told_of_each_generator_and_ends_at_its_total(make: Make) -> None:
    toy_service().error_of = refuse_first(2)
    campaign = make({"toy_remote": {"n": 3, "finishes": ["sharpen"]}, "toy": 1}, ["a", "b", "not mine"])
    told: dict[str, list[tuple[int, int]]] = {}
    campaign.generate(progress=lambda stage, done, total, note="": told.setdefault(stage, []).append((done, total)))  # noqa: ARG005
    assert set(told) == {"toy_remote", "toy"}
    for states in told.values():
        assert states[0][0] == 0
        assert all(before[0] <= after[0] <= after[1] for before, after in pairwise(states))
        assert states[-1][0] == states[-1][1]
        full = [state for state in states if state[0] == state[1]]
        assert len(full) == len(set(full))  # no bar is drawn again once it is full
    assert told["toy_remote"][-1] == (18, 18)
    assert told["toy"][-1] == (7, 7)
