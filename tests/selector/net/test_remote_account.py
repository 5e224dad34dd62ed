"""Retries, waits and the end of hope, without a network: ``send`` is a list of what comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from selector.domain import Declined, GenerationFailed, InputError, MissingPart, OutOfResources
from selector.domain.remote import ServiceStopped, TicketLost
from selector.net import Account, Interrupted, OutOfBudget, Service, Trouble, Unanswered, troubles
from selector.net import _breaker as breaker
from selector.net._account import UNANSWERED_REPEATS, UNREACHED_TRIES
from selector.net._breaker import FAILURES_IN_A_ROW, SILENT_LEAST, TRIPS, Breaker
from selector.net.redact import redacted
from selector.net.service import Spending
from selector.net.troubles import THROTTLED_TRIES

BUSY = Trouble(troubles.BUSY, "the server failed")
THROTTLED = Trouble(troubles.THROTTLED, "throttling")
BROKE_OFF = Trouble(troubles.BUSY, "the connection failed", fate=troubles.UNANSWERED)
UNREACHED = Trouble(troubles.BUSY, "the server cannot be reached", fate=troubles.UNREACHED)


def account(**facts: object) -> Account:
    return Account(Service("s", "https://user:pw@Example.com/v1", **{"backoff_seconds": 0.001, **facts}))  # type: ignore[arg-type]


def sending(*comes: object) -> Callable[[], object]:
    waiting = iter(comes)
    return lambda: next(waiting)


def test_a_request_is_sent_again_until_it_is_answered_and_the_reasons_are_counted() -> None:
    ours = account()
    assert ours.call(sending(BUSY, THROTTLED, BUSY, "yes")) == "yes"
    assert ours.troubles == {"the server failed": 2, "throttling": 1}


def test_none_is_an_answer() -> None:
    assert account().call(sending(None)) is None


def test_a_request_that_fails_too_often_is_given_up_with_its_reason() -> None:
    with pytest.raises(GenerationFailed, match=r"the server failed \(4 times\)"):
        account(max_retries=3).call(sending(*[BUSY] * 4))


def test_throttling_is_waited_out_much_longer() -> None:
    assert account(max_retries=0).call(sending(*[Trouble(troubles.THROTTLED, "t", 0.0)] * THROTTLED_TRIES, 1)) == 1
    with pytest.raises(GenerationFailed):
        account().call(sending(*[Trouble(troubles.THROTTLED, "t", 0.0)] * (THROTTLED_TRIES + 1)))


LASTING = Trouble(troubles.THROTTLED, "too many tokens", 0.01, said="Allocated quota exceeded")


def test_a_service_that_throttles_for_long_and_lets_nothing_through_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(troubles, "PATIENCE_SECONDS", 0.1)
    ours = account()
    with pytest.raises(ServiceStopped, match=r"let nothing through .*\(the server says: Allocated quota"):
        ours.call(sending(*[LASTING] * THROTTLED_TRIES), ours.submits)
    assert ours.call(sending("running"), ours.polls) == "running", "jobs that were taken are still asked for"
    with pytest.raises(ServiceStopped, match="let nothing through"):
        ours.call(sending("more"), ours.submits)


def test_throttling_is_no_end_while_others_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "PATIENCE_SECONDS", 0.1)
    ours = account()

    def send_while_others_come_through() -> Trouble:
        ours.call(sending("yes"))
        return LASTING

    with pytest.raises(GenerationFailed, match=f"too many tokens .*{THROTTLED_TRIES + 1} times"):
        ours.call(send_while_others_come_through)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (troubles.REFUSED, Declined),
        (troubles.REJECTED, GenerationFailed),
        (troubles.LOST, TicketLost),
        (troubles.FATAL, ServiceStopped),
    ],
)
def test_what_is_final_is_not_sent_again(kind: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="the reason"):
        account().call(sending(Trouble(kind, "the reason")))


def test_a_fatal_trouble_stops_every_later_request_and_names_the_service_without_a_password() -> None:
    ours = account()
    for _ in range(2):
        with pytest.raises(ServiceStopped, match=r"^service s at example\.com: no money$"):
            ours.call(sending(Trouble(troubles.FATAL, "no money")))


@pytest.mark.parametrize(
    ("answered", "cure"), [(True, "run the command again later"), (False, "check base_url, the network and that")]
)
def test_the_breaker_gives_up_after_many_failures_without_any_answer(answered: bool, cure: str) -> None:
    ours = Breaker("it")
    for failure in range(FAILURES_IN_A_ROW * (TRIPS + 1)):
        ours.check()
        assert ours.failed("down", answered) is ((failure + 1) % FAILURES_IN_A_ROW == 0)
    with pytest.raises(ServiceStopped, match=f"down, 48 times in a row: {cure}"):
        ours.check()


def test_one_answer_starts_the_count_anew() -> None:
    ours = Breaker("it")
    for _ in range(20):
        for _ in range(FAILURES_IN_A_ROW - 1):
            ours.failed("down")
        ours.succeeded()
    ours.check()


def test_a_server_that_asks_for_more_than_ten_minutes_ends_the_run() -> None:
    with pytest.raises(ServiceStopped, match="wait for 20 minutes"):
        account().call(sending(Trouble(troubles.THROTTLED, "t", 1200.0)))


def test_retry_after_holds_the_others_back_too() -> None:
    ours = account()
    pause = Trouble(troubles.THROTTLED, "t", 0.3)
    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ours.call, sending(pause, 1), ours.submits)
        time.sleep(0.05)
        second = pool.submit(ours.call, sending(2), ours.submits)
        polled = pool.submit(ours.call, sending(3), ours.polls)
        assert polled.result() == 3
        assert (first.result(), second.result()) == (1, 2)
    assert time.monotonic() - started >= 0.29


def test_a_chance_throttle_holds_nobody_else_back() -> None:
    ours = account(backoff_seconds=20.0)  # with jitter 10 s at least
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ours.call, sending(THROTTLED, 1), ours.submits)
        while not ours.troubles:
            time.sleep(0.01)
        time.sleep(0.1)
        started = time.monotonic()
        assert ours.call(sending(2), ours.submits) == 2
        assert time.monotonic() - started < 5 and not first.done()
        ours.stop.set()
        with pytest.raises(Interrupted):
            first.result()


def test_no_second_sees_more_requests_than_allowed_also_after_pauses() -> None:
    ours = account(submits_per_second=20.0)
    sent: list[float] = []
    turn = iter(range(1000))

    def send() -> object:
        sent.append(time.monotonic())
        return Trouble(troubles.THROTTLED, "t", 0.25) if next(turn) in (5, 12) else 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: ours.call(send, ours.submits), range(40)))
    times = sorted(sent)
    assert len(times) == 42
    assert all(later - earlier > 0.99 for earlier, later in zip(times, times[20:], strict=False))
    assert times[-1] - times[0] < 2 * (42 / 20 + 2 * 0.25)  # and not every other turn is wasted


def test_slots_bound_what_runs_and_end_when_the_run_is_stopped() -> None:
    ours = account(running=2)
    with ours.slot(), ours.slot():
        threading.Timer(0.05, ours.stop.set).start()
        with pytest.raises(Interrupted):
            ours.take_slot()


def test_a_slot_is_not_waited_for_at_a_dead_service() -> None:
    ours = account(running=1)
    ours.breaker.stop("dead")
    with ours.slot(), pytest.raises(ServiceStopped):
        ours.take_slot()


def test_money_is_held_before_it_is_spent() -> None:
    purse = Spending(1.0, spent=0.4)
    purse.hold(0.3)
    purse.hold(0.3)
    with pytest.raises(OutOfBudget, match=r"0\.1, and 0 is left of the budget of 1"):
        purse.hold(0.1)
    purse.settle(0.3, 0.1)
    purse.hold(0.2)
    assert purse.spent == pytest.approx(0.5)
    Spending(None).hold(1e9)


def test_what_costs_nothing_is_never_beyond_a_budget() -> None:
    Spending(1.0, spent=2.0).hold(0.0)


def test_a_dime_ten_times_is_a_whole_budget() -> None:
    purse = Spending(1.0)
    for _ in range(10):
        purse.hold(0.1)
        purse.settle(0.1, 0.1)
    with pytest.raises(OutOfBudget):
        purse.hold(0.01)


def test_a_key_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "  sk-1234567 \n")
    assert Service("s", "https://a.b", key_env="SOME_KEY").key() == "sk-1234567"
    place = tmp_path / "我的 key.txt"
    place.write_text("\ufeffsk-from-file\n", encoding="utf-8")
    assert Service("s", "https://a.b", key_env="SOME_KEY", key_path=str(place)).key() == "sk-from-file"
    assert Service("s", "https://a.b").key() == ""


def test_a_missing_or_impossible_key_is_told_without_showing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(MissingPart, match="export SOME_KEY"):
        Service("s", "https://a.b", key_env="SOME_KEY").key()
    with pytest.raises(MissingPart, match="write the key into it"):
        Service("s", "https://a.b", key_path=str(tmp_path / "none")).key()
    for odd in ("sk-12 34567", "sk-钥匙123456", "sk-1\x00234567"):
        if "\x00" not in odd:
            monkeypatch.setenv("SOME_KEY", odd)
            with pytest.raises(InputError, match="no key has") as caught:
                Service("s", "https://a.b", key_env="SOME_KEY").key()
            assert odd not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Incorrect key sk-abcdefgh12345.", "Incorrect key ***."),
        ("sk-abcd and fgh12345", "*** and ***"),
        ("sk-ab…2345", "sk-ab…2345"),
        ("nothing here", "nothing here"),
        ("sk-abcdefgh12345sk-abcdefgh12345", "******"),
        ("", ""),
    ],
)
def test_no_part_of_a_key_of_six_characters_survives(text: str, clean: str) -> None:
    assert redacted(text, "sk-abcdefgh12345") == clean


def test_without_a_key_nothing_is_hidden() -> None:
    assert redacted("text", "") == "text"
    assert redacted("abc abcd", "abc") == "*** ***d"


def test_a_text_is_cleaned_shortened_and_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-1234567890")
    ours = account(key_env="SOME_KEY")
    assert ours.clean("a\n b\tsk-1234567890") == "a b ***"
    assert len(ours.clean("x" * 1000)) == 500
    assert ours.clean("abcdef", 3) == "abc"


def test_a_rate_below_one_is_a_request_every_few_seconds() -> None:
    ours = account(submits_per_second=2.0 / 3.0)
    started = time.monotonic()
    for _ in range(2):
        ours.call(sending(1), ours.submits)
    assert 1.5 <= time.monotonic() - started < 2.8  # a second interval on top would be 3 s


def test_waiting_for_a_turn_ends_when_the_run_is_stopped() -> None:
    ours = account(submits_per_second=0.1)
    ours.call(sending(1), ours.submits)
    threading.Timer(0.1, ours.stop.set).start()
    with ThreadPoolExecutor(3) as pool:
        for waiting in [pool.submit(ours.call, sending(1), ours.submits) for _ in range(3)]:
            with pytest.raises(Interrupted):
                waiting.result(timeout=2)


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (0.28, "a job would cost 0.28 CNY, and 0 CNY is left of the budget of 0.05 CNY"),  # the budget was made smaller
        (0.0, "a job would cost 0.28 CNY, and 0.05 CNY is left of the budget of 0.05 CNY"),
    ],
)
def test_what_is_left_is_told_with_the_currency_and_never_negative(spent: float, said: str) -> None:
    with pytest.raises(OutOfBudget, match=f"^{said}$"):
        Account(Service("s", "https://a.b", budget=0.05, currency="CNY"), spent=spent).spending.hold(0.28)


def test_how_many_images_are_affordable() -> None:
    purse = Spending(0.3)
    assert [purse.affords(0.1, 2), purse.affords(0.1, 4), purse.affords(0.4, 4)] == [2, 3, 0]
    purse.hold(0.1)
    assert purse.affords(0.1, 4) == 2
    assert Spending(None).affords(0.1, 4) == Spending(0.3).affords(0.0, 4) == 4
    assert Spending(0.1, spent=0.5).affords(0.1, 4) == 0


def test_a_job_that_may_have_been_created_is_noted_and_counted_before_it_is_sent_again() -> None:
    ours = account(budget=10.0)
    noted: list[tuple[str, float]] = []
    with ours.paying(2.0, lambda why: noted.append((why, ours.spending.spent))):
        assert ours.call(sending(BUSY, BROKE_OFF, UNREACHED, BROKE_OFF, "yes"), ours.submits) == "yes"
    assert noted == [("the connection failed", 2.0), ("the connection failed", 4.0)]
    assert ours.spending.spent == 6.0
    assert ours.spending.affords(1.0, 9) == 4


def test_a_job_that_may_have_been_created_is_repeated_twice_at_most() -> None:
    ours = account(max_retries=20)
    noted: list[str] = []
    with pytest.raises(Unanswered, match="3 times: the job may have been made and paid"), ours.paying(1, noted.append):
        ours.call(sending(*[BROKE_OFF] * 20), ours.submits)
    assert len(noted) == ours.spending.spent == 1 + UNANSWERED_REPEATS


def test_it_is_not_repeated_beyond_the_budget_and_takes_no_money_of_others() -> None:
    ours = account(budget=5.0)
    ours.spending.hold(2.0)  # another's job
    noted: list[str] = []
    with pytest.raises(OutOfBudget), ours.paying(2.0, noted.append):
        ours.call(sending(*[BROKE_OFF] * 20), ours.submits)
    assert (noted, ours.spending.spent) == (["the connection failed"], 2.0)
    assert ours.spending.affords(1.0, 9) == 1


def test_only_what_hands_in_a_job_is_counted() -> None:
    ours = account(max_retries=6)
    noted: list[str] = []
    with ours.paying(1.0, noted.append):
        ours.call(sending(*[BROKE_OFF] * 5, 1), ours.polls)
        ours.call(sending(*[UNREACHED] * 2, BUSY, 1), ours.submits)
    ours.call(sending(*[BROKE_OFF] * 5, 1), ours.submits)  # another thread's, or a job that no store knows of
    assert (noted, ours.spending.spent) == ([], 1.0)


def test_a_job_that_was_not_taken_gives_its_money_back() -> None:
    ours = account(budget=1.0)
    with pytest.raises(Declined), ours.paying(1.0, lambda _: None):
        ours.call(sending(Trouble(troubles.REFUSED, "no")), ours.submits)
    assert (ours.spending.spent, ours.spending.affords(1.0, 1)) == (0.0, 1)


def test_an_address_that_never_answered_is_given_up_after_a_few_failures_with_the_cure() -> None:
    ours = account()
    sent: list[int] = []

    def send() -> Trouble:
        sent.append(1)
        return UNREACHED

    with pytest.raises(ServiceStopped) as caught:
        ours.call(send)
    cure = "check base_url, the network and that the server is running"
    assert str(caught.value) == f"service s at example.com: cannot be reached: {cure}"
    assert len(sent) == UNREACHED_TRIES


@pytest.mark.parametrize("answer", ["yes", BUSY, THROTTLED])
def test_once_it_has_answered_failures_of_the_connection_are_nobodys_end_but_the_requests(answer: object) -> None:
    ours = account(max_retries=4)
    with pytest.raises(Unanswered, match=r"cannot be reached \(5 times\)"):
        ours.call(sending(*[UNREACHED] * 5) if ours.call(sending(answer, 1)) else sending())
    ours.breaker.check()


def test_a_service_that_is_silent_for_a_minute_is_given_up_however_few_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    ours = Breaker("it")
    for _ in range(SILENT_LEAST):
        ours.failed("the server cannot be reached", answered=False)
        ours.check()
        now[0] += 11.0
    ours.failed("the server cannot be reached", answered=False)
    with pytest.raises(ServiceStopped, match=r"nothing has answered for 66 s .*: check base_url, the network and that"):
        ours.check()


def test_an_error_of_the_server_is_no_silence_and_neither_is_one_slow_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    ours = Breaker("it")
    for turn in range(FAILURES_IN_A_ROW * 2):
        ours.failed("down", answered=turn % 4 == 0)
        now[0] += 100.0
    ours.check()


def test_a_machine_that_runs_out_of_something_sends_nothing_again_and_blames_no_service() -> None:
    ours = account()
    with pytest.raises(OutOfResources, match="no more files"):
        ours.call(sending(Trouble(troubles.SHORT, "no more files", fate=troubles.UNREACHED)))
    assert not ours.troubles


@pytest.mark.parametrize(("fate", "spent"), [(troubles.UNREACHED, 0.0), (troubles.UNANSWERED, 2.0)])
def test_a_job_that_was_sent_before_the_machine_ran_out_may_be_paid(fate: str, spent: float) -> None:
    ours, noted = account(), list[str]()
    with pytest.raises(OutOfResources), ours.paying(2.0, noted.append):
        ours.call(sending(Trouble(troubles.SHORT, "no memory", fate=fate)), ours.submits)
    assert (ours.spending.spent, len(noted)) == (spent, bool(spent))
