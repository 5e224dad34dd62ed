"""Undoing goes back, one decision of a person after the other."""

from __future__ import annotations

from conftest import Run
from decided_campaigns import of_task

from selector import Campaign
from selector.decide._undoing import undoing
from selector.domain.decisions import Decision, DecisionKind, Decisions, Target

EXCLUDE, INCLUDE, PIN, RELEASE = (
    DecisionKind.EXCLUDE,
    DecisionKind.INCLUDE,
    DecisionKind.PIN,
    DecisionKind.RELEASE,
)
A, B = Target("3", "a" * 64), Target("3", "b" * 64)


def after(*told: tuple[DecisionKind, Target], undo: int, by: str = "ann") -> tuple[Decisions, int]:
    """What holds after undoing as often as asked, and how often there was something to undo."""
    history = [Decision(i, kind, target, f"why {i}", "ann", "") for i, (kind, target) in enumerate(told, 1)]
    done = 0
    for _ in range(undo):
        found = undoing(history, by)
        if found is not None:
            done += 1
            history.append(Decision(len(history) + 1, found.kind, found.target, found.reason, by, "", found.undoes))
    return Decisions.of(history), done


def test_pins_are_undone_one_after_the_other() -> None:
    pins = (PIN, A), (PIN, B)
    assert after(*pins, undo=1)[0].pinned("3") == A.candidate_id
    assert after(*pins, undo=2)[0].pinned("3") is None
    assert after(*pins, undo=5)[1] == 2


def test_an_inclusion_is_undone_before_the_exclusions_that_came_earlier() -> None:
    told = (EXCLUDE, A), (EXCLUDE, B), (INCLUDE, B)
    assert set(after(*told, undo=1)[0].excluded) == {A, B}
    assert after(*told, undo=1)[0].excluded[B].reason == "why 2"
    assert set(after(*told, undo=2)[0].excluded) == {A}
    assert set(after(*told, undo=3)[0].excluded) == set()


def test_a_release_is_undone_to_the_pin() -> None:
    assert after((PIN, A), (RELEASE, Target("3")), undo=1)[0].pinned("3") == A.candidate_id


def test_what_others_decided_is_left() -> None:
    assert after((EXCLUDE, A), undo=1, by="bob")[1] == 0


def test_what_a_merge_stated_again_is_one_act() -> None:
    def told(number: int, kind: DecisionKind, by: str, at: str, undoes: int | None = None) -> Decision:
        return Decision(number, kind, A, f"{by}'s reason", by, at, undoes)

    history = [told(1, EXCLUDE, "ann", "09:02"), told(2, EXCLUDE, "bob", "09:00")]
    history += [told(3, INCLUDE, "bob", "09:01", 2), told(4, EXCLUDE, "ann", "09:02")]
    found = undoing(history, "ann")
    assert found is not None
    assert (found.kind, found.undoes) == (INCLUDE, 4)
    history.append(told(5, found.kind, "ann", "09:03", found.undoes))
    assert undoing(history, "ann") is None


def test_what_was_undone_is_kept_with_what_it_undid(campaign: Campaign, run: Run) -> None:
    campaign.generate()
    campaign.score()
    first, second, _ = of_task(campaign)
    for one in (first, second):
        campaign.decisions.exclude("broken", one, by="ann")
    undone = [campaign.decisions.undo("ann") for _ in range(3)]
    assert [one and one.undoes for one in undone] == [2, 1, None]
    assert campaign.decisions.present.excluded == {}
    assert [d.undoes for d in campaign.decisions.history] == [None, None, 2, 1]
    code, _, err = run("explain", "10000", "-C", campaign.folder)
    assert (code, "there is no task or candidate '10000'" in err) == (2, True)
