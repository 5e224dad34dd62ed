"""The loop that sends again: what it counts, and what ends it."""

from __future__ import annotations

import pytest

from selector.domain import GenerationFailed
from selector.net import Trouble
from selector.net.troubles import (
    BUSY,
    THROTTLED,
    UNANSWERED,
    Tries,
    persist,
    waiting_time,
)


def test_it_sends_until_something_comes_and_counts_what_came_before() -> None:
    came = iter([Trouble(THROTTLED, "a"), Trouble(BUSY, "b", fate=UNANSWERED), 5])
    waited: list[tuple[str, int, int, int, int]] = []

    def wait(trouble: Trouble, tries: Tries) -> None:
        waited.append((trouble.reason, tries.sent, tries.throttled, tries.failures, tries.unanswered))

    assert persist(lambda: next(came), lambda *_: False, wait) == 5
    assert waited == [("a", 1, 1, 0, 0), ("b", 2, 1, 1, 1)]


def test_the_last_trouble_comes_back_where_it_gives_up() -> None:
    sent: list[int] = []

    def send() -> Trouble:
        sent.append(1)
        return Trouble(BUSY, str(len(sent)))

    assert persist(send, lambda _, tries: tries.failures == 3, lambda *_: None) == Trouble(BUSY, "3")


@pytest.mark.parametrize("where", ["send", "gives_up", "wait_out"])
def test_whatever_is_raised_ends_it(where: str) -> None:
    def fails(*_: object) -> int:
        raise GenerationFailed("no")

    steps = {"send": lambda: Trouble(BUSY, "x"), "gives_up": lambda *_: False, "wait_out": lambda *_: None}
    with pytest.raises(GenerationFailed, match=r"^no$"):
        persist(**{**steps, where: fails})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"), [(660.0, "11 minutes"), (1e308, "more than a week"), (float("inf"), "more than a week")]
)
def test_a_wait_in_words(seconds: float, words: str) -> None:
    assert waiting_time(seconds) == words
