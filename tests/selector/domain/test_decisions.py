"""What holds of decisions: the newest about a target counts, whoever took it."""

from __future__ import annotations

import pytest

from selector.domain.decisions import Decision, DecisionKind, Decisions, Target

A, B = Target("17", "aa"), Target("17", "bb")
WANX = Target(generator="wanx")


def of(*told: tuple[DecisionKind, Target]) -> Decisions:
    return Decisions.of(Decision(i, kind, target, "why", "ann", "now") for i, (kind, target) in enumerate(told, 1))


def test_an_exclusion_holds_until_it_is_taken_back() -> None:
    assert of((DecisionKind.EXCLUDE, A)).against("17", "aa", ()) is not None
    back = of((DecisionKind.EXCLUDE, A), (DecisionKind.INCLUDE, A))
    assert back.against("17", "aa", ()) is None and back.newest == 2


def test_a_picture_goes_with_its_generators_only_if_all_are_excluded() -> None:
    holds = of((DecisionKind.EXCLUDE, WANX), (DecisionKind.EXCLUDE, Target("17", generator="flux")))
    assert holds.against("17", "aa", ["wanx", "flux"]) is not None
    assert holds.against("18", "aa", ["wanx", "flux"]) is None
    assert holds.against("17", "aa", []) is None
    assert list(holds.excluded_generators) == ["wanx"]


def test_a_newer_pin_replaces_the_older_one() -> None:
    assert of((DecisionKind.PIN, A), (DecisionKind.PIN, B)).pinned("17") == "bb"
    assert of((DecisionKind.PIN, A), (DecisionKind.RELEASE, Target("17"))).pinned("17") is None


def test_a_decision_about_a_generator_is_about_the_tasks_that_it_made_something_of() -> None:
    (wide,) = of((DecisionKind.EXCLUDE, WANX)).excluded.values()
    assert wide.is_about("17", {"wanx"}) and not wide.is_about("17", {"flux"})
    (own,) = of((DecisionKind.EXCLUDE, A)).excluded.values()
    assert own.is_about("17", ()) and not own.is_about("18", {"wanx"})


@pytest.mark.parametrize("parts", [{}, {"candidate_id": "aa"}, {"task_id": "1", "candidate_id": "a", "generator": "g"}])
def test_a_target_is_one_of_four_things(parts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a decision is about"):
        Target(**parts)
