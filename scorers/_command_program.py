"""The program of the scorer ``command``, kept alive from batch to batch, and started anew where it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from scorers._command_lines import Answer, ends_batch, lines, read_answer
from selector.domain import BestshotError, out_of_memory
from selector.net import Interrupted
from selector.programs.process import GRACE_SECONDS, KILLED
from selector.programs.said import environment_for, how_it_ended, last_line, secrets_of
from selector.programs.talking import Talker, TooMuch, TooSlow

_PATIENCE = 7  # ends without any answer in a row; a picture that ends the program takes two by itself, and two of all
_A_STALL = 3  # is as bad as so many ends, because it takes the whole time limit


class Program:
    """One program; one thread at a time asks it, and ``close`` may come from another.

    Args:
        arguments: the program and what it is told.
        cwd: where it runs. env: variables with secrets that it may have.
        timeout_seconds: for one batch, from its first line to its last answer.
    """

    def __init__(self, arguments: Sequence[str], cwd: str | None, env: Sequence[str], timeout_seconds: float) -> None:
        self._arguments, self._cwd, self._env, self._timeout = tuple(arguments), cwd, tuple(env), timeout_seconds
        self._talker: Talker | None = None
        self._silent = 0  # ends since its last answer, and what a stall counts
        self._closed = threading.Event()
        self._asked = 0

    def ask(self, questions: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """An answer to each. It is started anew once where it ends too early.

        Raises:
            BestshotError: it ended again, left something unanswered, was too slow or said too much.
            Interrupted: ``close`` was called.
            MissingPart, OSError: it cannot be started. OutOfResources: the system ended it for want of memory.
        """
        open_ = {f"{self._asked + number}": told for number, told in enumerate(questions, 1)}
        self._asked += len(questions)
        ids, answers = list(open_), dict[str, Answer]()
        for is_last_try in (False, True):
            if self._complete(open_, answers):
                break
            self._note_end(1, "before it had answered", raises=is_last_try)
        return [answers[key] for key in ids]

    @property
    def secrets(self) -> list[str]:
        """What it knows and may repeat."""
        return secrets_of(self._env, os.environ)

    def close(self) -> None:
        """End it for good."""
        self._closed.set()
        if self._talker is not None:
            self._talker.end(GRACE_SECONDS)

    def _complete(self, open_: dict[str, Mapping[str, Any]], answers: dict[str, Answer]) -> bool:
        """Ask what is open; whether all of it is answered. What is answered is taken out of ``open_``."""
        talker, last = self._running(), next(reversed(open_))
        talker.tell(lines(open_))
        deadline = time.monotonic() + self._timeout
        try:
            while open_:
                line = talker.line(deadline)
                if line is None:
                    return False
                if found := read_answer(line, open_):
                    answers[found[0]] = found[1]
                    del open_[found[0]]
                    self._silent = 0
                elif ends_batch(line, last):
                    self._note_unanswered(len(open_))
        except TooSlow:
            self._note_end(_A_STALL, f"did not answer all of a batch within {self._timeout:g} s", raises=True)
        except TooMuch as error:
            self._note_end(_A_STALL, str(error), raises=True)
        return True

    def _note_unanswered(self, n: int) -> NoReturn:
        """It lives, and has ended the batch without all answers: what it did not say is not known of a candidate."""
        self._silent += 1
        raise BestshotError(f"command: {self._name} ended a batch with {n} unanswered: give each scores or a reason")

    def _running(self) -> Talker:
        if self._closed.is_set():
            raise Interrupted("stopped: the program was ended")
        if self._silent >= _PATIENCE:
            raise BestshotError(f"command: {self._name} has answered nothing in a row of tries: mend it, and run again")
        if self._talker is None:
            self._talker = Talker(self._arguments, self._cwd, environment_for(self._env, os.environ))
            if self._closed.is_set():  # meanwhile
                self._talker.end()
        return self._talker

    def _note_end(self, weight: int, how: str, raises: bool) -> None:
        """End what is left of it, and raise why, unless it is to be tried again."""
        if self._closed.is_set():
            raise Interrupted("stopped: the program was ended")
        talker, self._talker = self._talker, None
        assert talker is not None
        stalled = weight == _A_STALL
        status, stderr = talker.end(0.0 if stalled else GRACE_SECONDS)
        said = last_line(stderr, self.secrets)
        also = f": {said}" if said else ""
        if status in KILLED:
            raise out_of_memory(f"command: {self._name} was killed by SIGKILL, as happens when memory runs out{also}")
        self._silent += weight
        if raises:
            ended = "closed its stdout" if status is None else how_it_ended(status)
            raise BestshotError(f"command: {self._name} {how if stalled else f'{ended} {how}'}{also}")

    @property
    def _name(self) -> str:
        return Path(self._arguments[0]).name
