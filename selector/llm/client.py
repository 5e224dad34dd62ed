"""Asks a vision-language model over the OpenAI-compatible chat API; every end of a request is an outcome with a reason.

The official ``openai`` package speaks to the server; retries are ours, because one worker that is throttled must hold
all of them back, and because a failed call must be told apart from an answer that cannot be read.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selector.domain import Picture, raise_shortage
from selector.llm import troubles
from selector.llm.answers import Answer, answer_of
from selector.llm.dialect import Dialect
from selector.llm.endpoint import Endpoint
from selector.llm.payload import messages
from selector.llm.pricing import Purse, Usage
from selector.llm.replies import REFUSED, read_reply
from selector.llm.rubrics import Question
from selector.llm.troubles import JudgeStopped, Trouble, trouble_of
from selector.net.openai_package import need_openai, only_for_openai
from selector.net.pace import Pace
from selector.net.troubles import LONGEST_RETRY_AFTER_SECONDS

REJECTED, UNANSWERED = "rejected", "unanswered"
THROTTLED_TRIES = 50  # of one request; the pause between them is the server's
FAILURES_IN_A_ROW = 20  # of all workers together, without any answer between them
KEPT_CHARACTERS = 2000  # of an answer, for whoever wants to know why it could not be read
_CONNECT_SECONDS = 10.0
_NOT_REACHED = "the server cannot be reached"
_NO_KEY = "none"  # a server on one's own machine asks for none, but the package insists on something


@dataclass(frozen=True)
class Reply:
    """How one request ended: scored, refused, unreadable, rejected (by the server) or unanswered.

    ``scores``: by sub-score, 0 to 10, only where scored; ``text``: what came, shortened; ``tries``: HTTP requests.
    """

    outcome: str
    scores: Mapping[str, float]
    reason: str | None
    text: str
    usage: Usage
    cost: float | None
    tries: int
    seconds: float


def outcome_of(trouble: Trouble) -> str:
    """How a request ended that this trouble was the end of: refused, rejected or unanswered."""
    return {troubles.REFUSED: REFUSED, troubles.REJECTED: REJECTED}.get(trouble.kind, UNANSWERED)


class ChatJudge:
    """One judge for all workers of a run; safe for threads.

    Args:
        endpoint: model and server.
        dialect: optional fields of a request.
        pace: when a request may go out.
        purse: what a request may cost.
        paid: whether there is a budget, which needs the server to count tokens.
    """

    def __init__(self, endpoint: Endpoint, dialect: Dialect, pace: Pace, purse: Purse, paid: bool = False) -> None:
        self._openai = need_openai("a judge")
        self._endpoint, self._dialect, self._pace, self._purse, self._paid = endpoint, dialect, pace, purse, paid
        self._client = self._openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key or _NO_KEY,
            timeout=self._openai.Timeout(
                endpoint.timeout_seconds, connect=min(_CONNECT_SECONDS, endpoint.timeout_seconds)
            ),
            max_retries=0,
        )
        only_for_openai(self._client, endpoint.provider)
        self._lock = threading.Lock()
        self._failures_in_a_row = 0
        self._reached = False
        self.troubles: Counter[str] = Counter()  # why requests were sent again, with how often

    def ask(self, question: Question, pictures: Sequence[Picture], repeat: int = 0, ask: int = 0) -> Reply:
        """Ask once, and again as long as the server fails; ``ask``: how often its answer could not be read before.

        Raises:
            InputError: a picture cannot be sent.
            Interrupted: the run is being stopped.
            JudgeStopped: no further request makes sense.
            OutOfMoney: the budget does not allow it.
        """
        chat = messages(question, pictures, ask)
        started = time.perf_counter()
        came, tries = self._converse(f"{question.axis.value} of {len(pictures)}", chat, question, repeat)
        if isinstance(came, Answer):
            return self._reply(came, question, tries, started)
        return self._end(outcome_of(came), came.reason, tries, started)

    def say(self, order: str, text: str) -> Answer | Trouble:
        """Send plain words under an order, at the same pace and from the same purse; raises what ``ask`` raises.

        A trouble that comes back is the end of this request; ``outcome_of`` names it.
        """
        chat = [{"role": "system", "content": order}, {"role": "user", "content": text}]
        return self._converse("text", chat, None, 0)[0]

    def _converse(
        self, kind: str, chat: list[dict[str, Any]], question: Question | None, repeat: int
    ) -> tuple[Answer | Trouble, int]:
        """Send a chat until it is answered or given up; returns what came, and how many HTTP requests it took."""
        failures, throttled, tries = 0, 0, 0
        while True:
            fields = self._dialect.fields(question, repeat)
            self._pace.wait_for_turn()
            tries += 1
            came = self._send(kind, chat, fields)
            if isinstance(came, Answer) or came.kind == troubles.REFUSED:
                self._note_answer()
                return came, tries
            if came.kind == troubles.REJECTED:
                self._note_failure(came)
                return came, tries
            if came.kind == troubles.PARAMETER:
                if not self._dialect.leave_out(came.parameter, fields):
                    raise self._stopped(f"{came.reason}: change {came.parameter} in campaign.toml")
                continue
            failures, throttled = self._wait_out(came, failures, throttled)
            if self._gives_up(failures, throttled):
                self._note_failure(came)
                return came, tries

    def _send(self, kind: str, chat: list[dict[str, Any]], fields: dict[str, Any]) -> Answer | Trouble:
        """One HTTP request, paid for from the purse."""
        openai = self._openai
        held = self._purse.reserve(kind)
        cost = None
        try:
            completion = self._client.chat.completions.create(model=self._endpoint.model, messages=chat, **fields)
            answer = answer_of(completion)
            cost = self._endpoint.price.of(answer.usage)
            if cost is None and self._paid:
                raise self._stopped("the server does not say how many tokens it used, so no budget can be kept")
            return answer
        except openai.APIStatusError as error:
            self._reached = True
            trouble = trouble_of(error.status_code, str(error.message), error.body, error.response.headers)
            if trouble.kind == troubles.FATAL:
                raise self._stopped(f"{trouble.reason} (HTTP {error.status_code})") from error
            return trouble
        except openai.APIConnectionError as error:
            raise_shortage(error)  # of this machine: asking again would only wait, and the judge is not to blame
            if type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout"):  # of httpx, under whatever name
                return Trouble(troubles.BUSY, _NOT_REACHED)
            late = isinstance(error, openai.APITimeoutError)
            return Trouble(troubles.BUSY, "the server did not answer in time" if late else "the connection failed")
        except (openai.APIError, ValueError):  # a reply that is broken off, or no JSON
            return Trouble(troubles.BUSY, "the server's reply was damaged")
        finally:
            self._purse.settle(kind, held, cost)

    def _wait_out(self, trouble: Trouble, failures: int, throttled: int) -> tuple[int, int]:
        """Wait as the trouble asks; returns how often the request has failed, and was throttled, by now."""
        wait = trouble.retry_after_seconds
        if wait is not None and wait > LONGEST_RETRY_AFTER_SECONDS:
            raise self._stopped(f"the server asks to wait for {round(wait / 60)} minutes: run the command again then")
        if trouble.kind == troubles.THROTTLED:
            throttled += 1
        else:
            failures += 1
            self._check_reached(trouble, failures)
        if not self._gives_up(failures, throttled):
            self.troubles[trouble.reason] += 1
        if wait:
            self._pace.pause(wait)  # whoever asks for it is overloaded: no worker goes on
        elif trouble.kind == troubles.THROTTLED:
            self._pace.pause(self._pace.backoff(throttled))
        elif failures <= self._endpoint.max_retries:
            self._pace.sleep(self._pace.backoff(failures))
        return failures, throttled

    def _gives_up(self, failures: int, throttled: int) -> bool:
        """Whether a request that failed and was throttled so often is not sent again."""
        return failures > self._endpoint.max_retries or throttled > THROTTLED_TRIES

    def _check_reached(self, trouble: Trouble, failures: int) -> None:
        """Stop early where nothing has ever come from the server: the address is wrong, or it is not running."""
        if trouble.reason == _NOT_REACHED and not self._reached and failures >= 2:
            raise self._stopped("the server cannot be reached: check base_url, and that the server is running")

    def _reply(self, answer: Answer, question: Question, tries: int, started: float) -> Reply:
        reading = read_reply(answer.text, question.parts, answer.finish_reason, answer.refusal)
        text = (answer.refusal or answer.text or "")[:KEPT_CHARACTERS]
        cost = self._endpoint.price.of(answer.usage)
        seconds = time.perf_counter() - started
        return Reply(reading.outcome, reading.scores, reading.reason, text, answer.usage, cost, tries, seconds)

    def _end(self, outcome: str, reason: str, tries: int, started: float) -> Reply:
        return Reply(outcome, {}, reason, "", Usage(), None, tries, time.perf_counter() - started)

    def _note_answer(self) -> None:
        with self._lock:
            self._reached, self._failures_in_a_row = True, 0

    def _note_failure(self, trouble: Trouble) -> None:
        with self._lock:
            self._failures_in_a_row += 1
            if self._failures_in_a_row < FAILURES_IN_A_ROW:
                return
        raise self._stopped(
            f"{FAILURES_IN_A_ROW} questions in a row failed for good ({trouble.reason}): see docs/judge.md"
        )

    def _stopped(self, cure: str) -> JudgeStopped:
        return JudgeStopped(f"judge {self._endpoint.model} at {self._endpoint.provider}: {cure}")
