"""Asks a language model over the OpenAI-compatible chat API; every end of a request is an answer or has a reason.

The chat API is one POST. Retries are told apart from answers that cannot be read, and one worker that is throttled
holds all of them back.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from selector.domain import OutOfResources
from selector.llm._answers import Answer, answer_in
from selector.llm._endpoint import Budget, Endpoint
from selector.llm._request import MOST_TOKENS, Chat, Dialect
from selector.llm._troubles import JudgeStopped, Unsupported, trouble_of
from selector.net import http, troubles
from selector.net.errors import error_in, provider_at, server_error
from selector.net.pace import Pace
from selector.net.troubles import Patience, Tries, Trouble, persist

MAX_REPLY_BYTES = 16 << 20  # words; the longest thinking is far shorter
DAMAGED = "the server's reply was damaged"
NO_CHOICE = "no choice"  # a whole reply without an answer, which may be paid for: sent again once
_OPENAI = "api.openai.com"
_OPENAI_HEADERS = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}


class ChatClient:
    """One client for all workers of a run; safe for threads.

    Args:
        endpoint: model and server.
        dialect: optional fields of a request.
        pace: when a request may go out.
        budget: what requests may cost; with a limit the server has to count tokens.
    """

    def __init__(self, endpoint: Endpoint, dialect: Dialect, pace: Pace, budget: Budget) -> None:
        self._endpoint, self._dialect, self._pace, self._budget = endpoint, dialect, pace, budget
        self._hung_up = threading.Event()
        self._reached = False
        self._provider = provider_at(endpoint.provider)
        self._patience = Patience()
        self.troubles: Counter[str] = Counter()  # why requests were sent again, with how often

    def ask(
        self,
        chat: Chat,
        kind: str = "text",
        schema: Mapping[str, Any] | None = None,
        repeat: int = 0,
        longer: bool = False,
    ) -> Answer | Trouble:
        """Send until it is answered or given up; a trouble that comes back is the end of this request.

        Args:
            chat: the messages.
            kind: requests of one kind cost about the same.
            schema: JSON schema of the answer; None for plain words.
            repeat: how often the same has been asked before, by intention.
            longer: let the answer have more tokens, because one was cut off.

        Raises:
            Interrupted: the run is being stopped.
            JudgeStopped: no further request makes sense.
            OutOfMoney: the budget does not allow it.
            OutOfResources: this machine lacks something; the server is not to blame.
        """
        causes: list[str] = []

        def gives_up(trouble: Trouble, tries: Tries) -> bool:
            causes.append(trouble.cause)
            return self._gives_up(trouble, tries) or causes.count(NO_CHOICE) > 1

        came = persist(lambda: self._send(chat, kind, schema, repeat, longer), gives_up, self._wait_out)
        if isinstance(came, Answer):
            self._patience.came_through()
        return came

    def hang_up(self) -> None:
        """Cut off what is still under way: nobody waits for it any more."""
        self._hung_up.set()

    def _send(
        self, chat: Chat, kind: str, schema: Mapping[str, Any] | None, repeat: int, longer: bool
    ) -> Answer | Trouble:
        """Ask once, with the optional fields that the server takes."""
        while True:
            fields = self._dialect.fields(schema, repeat, longer)
            self._pace.wait_for_turn()
            came = self._pay(kind, {"model": self._endpoint.model, "messages": chat, **fields})
            if not isinstance(came, Unsupported):
                return came
            if longer and came.parameter in MOST_TOKENS:
                longer = False  # more than this model can write: the others go on as before
            elif not self._dialect.leave_out(came.parameter, fields):
                raise self._stopped(f"{came.whole}: change {came.parameter} in campaign.toml")

    def _pay(self, kind: str, body: Mapping[str, Any]) -> Answer | Trouble:
        """One HTTP request, paid for from the budget."""
        held = self._budget.reserve(kind)
        cost = None
        try:
            came = self._post(body)
            if isinstance(came, Trouble):
                return came
            answer = answer_in(came.body)
            if answer is None:
                return Trouble(troubles.BUSY, DAMAGED, cause=NO_CHOICE)
            cost = self._endpoint.price.of(answer.usage)
            if cost is None and self._budget.limited:
                raise self._stopped("the server does not say how many tokens it used, so no budget can be kept")
            return answer
        finally:
            self._budget.settle(kind, held, cost)

    def _post(self, body: Mapping[str, Any]) -> http.Answer | Trouble:
        """The only place that knows of HTTP. Raises what ends the run; whatever else is wrong comes back."""
        endpoint, pays = self._endpoint, {}
        if endpoint.provider == _OPENAI:  # no other server is told of a user's organizations and projects there
            pays = {header: os.environ[name] for name, header in _OPENAI_HEADERS.items() if os.environ.get(name)}
        came = http.request(
            "POST",
            endpoint.base_url.rstrip("/") + "/chat/completions",
            json=body,
            headers=pays,
            key=endpoint.key,
            timeout_seconds=endpoint.timeout_seconds,
            stop=self._hung_up,
            most_bytes=MAX_REPLY_BYTES,
        )
        if isinstance(came, Trouble):
            if came.kind == troubles.SHORT:
                raise OutOfResources(came.reason)
            if came.kind == troubles.FATAL:
                raise self._stopped(came.reason)
            return replace(came, reason=DAMAGED) if came.reason == http.NO_JSON else came
        self._reached = True
        error = came.body if came.status >= 400 else error_in(came.body)
        return came if error is None and came.status < 400 else self._trouble(came, error)

    def _trouble(self, came: http.Answer, error: Any) -> Trouble:
        """What the error of a reply means; raises ``JudgeStopped`` where it concerns all requests."""
        told = server_error(came.status, error, came.text, self._endpoint.key)
        trouble = trouble_of(told, came.headers, self._provider, self._endpoint.model)
        if trouble.kind == troubles.FATAL:
            status = "" if "HTTP" in trouble.reason else f" (HTTP {told.status})"
            raise self._stopped(replace(trouble, reason=trouble.reason + status).whole)
        return trouble

    def _gives_up(self, trouble: Trouble, tries: Tries) -> bool:
        """Whether a request that has gone so is not sent again; raises ``JudgeStopped`` where no other should be."""
        if trouble.kind in (troubles.REFUSED, troubles.REJECTED):
            self._patience.came_through()
            return True
        if end := self._patience.ended_by(trouble):
            raise self._stopped(end.whole)
        if trouble.fate == troubles.UNREACHED and not self._reached and tries.failures >= 2:
            # Nothing has ever come from the server: the address is wrong, or it is not running.
            raise self._stopped(f"{trouble.reason}: check base_url, and that the server is running")
        if wait := trouble.retry_after_seconds:
            self._pace.pause(wait)  # whoever asks for it is overloaded: no worker goes on
        elif trouble.kind == troubles.THROTTLED:
            self._pace.pause(self._pace.backoff(tries.throttled))
        return tries.failures > self._endpoint.max_retries or tries.throttled > troubles.THROTTLED_TRIES

    def _wait_out(self, trouble: Trouble, tries: Tries) -> None:
        self.troubles[trouble.reason] += 1
        if not trouble.retry_after_seconds and trouble.kind != troubles.THROTTLED:
            self._pace.sleep(self._pace.backoff(tries.failures))

    def _stopped(self, cure: str) -> JudgeStopped:
        return JudgeStopped(f"judge {self._endpoint.model} at {self._endpoint.provider}: {cure}")
