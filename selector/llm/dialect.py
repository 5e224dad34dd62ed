"""Which of the optional fields of a chat request this server takes, learned from its complaints for the whole run."""

from __future__ import annotations

import threading
from typing import Any

from selector.llm.payload import JSON_OBJECT, JSON_SCHEMA, TEXT, response_format
from selector.llm.rubrics import Question

AUTO = "auto"
_LADDER = (JSON_SCHEMA, JSON_OBJECT, TEXT)


class Dialect:
    """Begins with everything that is wished for and leaves out what the server names as wrong. Safe for threads.

    Args:
        wished: response format, one of ``_LADDER``, or "auto" for the first of them that the server takes.
        temperature, seed: left out where None.
        max_tokens: of the answer.
    """

    def __init__(self, wished: str, temperature: float | None, seed: int | None, max_tokens: int) -> None:
        self._ladder = list(_LADDER) if wished == AUTO else [wished]
        self._optional = {"temperature": temperature, "seed": seed, "max_tokens": max_tokens}
        self._lock = threading.Lock()

    @property
    def response_format(self) -> str:
        """The kind of answer that is asked for now."""
        return self._ladder[0]

    def fields(self, question: Question | None, repeat: int) -> dict[str, Any]:
        """The request's optional fields. Every repeat has a seed of its own, or it would be no repeat.

        ``question``: None where plain words are wanted, and nothing is to vary.
        """
        with self._lock:
            found = {name: value for name, value in self._optional.items() if value is not None}
            wanted = None if question is None else response_format(self._ladder[0], question)
        if question is None and "temperature" in found:
            found["temperature"] = 0.0
        if "seed" in found:
            found["seed"] = int(found["seed"]) + repeat
        return found if wanted is None else {**found, "response_format": wanted}

    def leave_out(self, parameter: str, sent: dict[str, Any]) -> bool:
        """Take a complaint about a request with these fields; returns whether asking again makes sense."""
        with self._lock:
            if parameter == "response_format":
                return self._step_down(sent.get("response_format", {}).get("type", TEXT))
            if parameter not in sent:
                return False
            value = self._optional.pop(parameter, None)
            if parameter == "max_tokens" and value is not None:
                self._optional["max_completion_tokens"] = value  # what newer models of OpenAI call it
            return True

    def _step_down(self, refused: str) -> bool:
        if refused == self._ladder[0]:
            if len(self._ladder) == 1:
                return False
            self._ladder.pop(0)
        return refused != TEXT  # another thread may have stepped down before
