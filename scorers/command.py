"""command: any program in any environment that scores pictures, such as a judge whose packages fit nowhere else."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scorers._command_lines import question, scores_of
from scorers._command_program import Program
from selector.domain import Column, InputError, Item, MissingPart, Score, Scorer, TaskType, stable_hash
from selector.domain.columns import declared_columns
from selector.domain.files import scratch_folder
from selector.net import Interrupted
from selector.programs import settings
from selector.programs.process import program_at
from selector.weights import content_tag

_EXAMPLE = '["/opt/hpsv3/bin/python", "hpsv3.py"]'
_WAIT_SECONDS = 0.2


class Command(Scorer):
    """command: any program in any environment that scores pictures, such as a judge whose packages fit nowhere else.

    Estimates: whatever the program does. It is started once and kept alive: a batch of candidates comes as lines of
        JSON on its stdin, and its scores are expected as lines of JSON on its stdout.
    Range and direction: as ``columns`` declares them. Axis: as declared.
    Input: {"id", "task", "type", "prompt", "picture", "source", "reference", "reading", "left"}: pictures are paths of
        files or null; ``reading`` is what was understood of the words; ``left`` says how many of the batch follow.
    Output: {"id", "scores": {column: number}} or {"id", "reason": text}, one line each, in any order, flushed. Other
        lines are passed over, empty ones too. A column that is missing, no finite number or out of range is unscored,
        with the reason. {"end": id of the batch's last item} gives up what is still unanswered.
    Version: the setting ``version``, and the arguments, ranges and content of the files that the command names.
    Model and licence: the program's.
    Source: https://jsonlines.org, and ``docs/scorer-command.md``.
    Cost: the program's, and a file for each picture.
    Fails as the program does: where it ends before it has answered, it is started anew once; where it ends again, gives
        a candidate up, is slower than the time limit or floods its stdout, nothing is stored and the next run tries
        again.
    Safe for threads; ``close`` ends the programs.

    Args:
        command: program and arguments, each a string of its own.
        columns: tables of name, low, high, better ("up", "down"), axis ("sc", "pq", "gate") and, if wanted, what.
        task_types: those that it scores, by the names t2i, tie, vttie, deepfake; (): all.
        version: raise it when the program changed in what its files do not tell, such as its packages.
        timeout_seconds: of one batch, the start of the program included.
        parallel: programs at once, each with a model of its own.
        env: names of variables with secrets that the program may have. Others stay here.
        cwd_folder: where the program runs; "": where bestshot runs.
        reading: whether it is told what was understood of the words.

    Raises:
        InputError: a setting that cannot be.

    Example:
        In ``campaign.toml``, with "sharp" among the scorers of [score]:

        [scorers.sharp]
        kind = "command"
        command = ["python", "sharpness.py"]
        columns = [{ name = "sharpness", low = 0.0, high = 1.0, better = "up", axis = "pq" }]

        [scorers.command] is the same under the name of the kind.
    """

    name = "command"
    settings_in_version = True  # by what they do: a program that moved gives the same scores
    task_types = frozenset(TaskType)
    columns: tuple[Column, ...] = ()

    def __init__(
        self,
        command: Sequence[str] = (),
        columns: Sequence[Mapping[str, Any]] = (),
        task_types: Sequence[str] = (),
        version: str = "1",
        timeout_seconds: float = 600.0,
        parallel: int = 1,
        env: Sequence[str] = (),
        cwd_folder: str = "",
        reading: bool = True,
    ) -> None:
        self.command = settings.arguments(command, _EXAMPLE)
        self.columns = declared_columns(columns)
        if self.command and not self.columns:
            raise InputError("command: columns is empty: declare what the program measures, see docs/scorer-command.md")
        self.task_types = settings.types(task_types)
        self.timeout_seconds = settings.number("timeout_seconds", timeout_seconds, 0.1, 86_400)
        self.env = settings.variables(env)
        self.cwd = settings.folder(cwd_folder)
        self.reading = self.reads_words = reading
        self._version = settings.text("version", version)
        self._programs: list[Program] = []
        self._free: queue.LifoQueue[Program | None] = queue.LifoQueue()  # None: one that is not made yet
        for _ in range(int(settings.number("parallel", parallel, 1, 256))):
            self._free.put(None)
        self._is_closed = False

    @property
    def version(self) -> str:
        ranges = [[column.name, column.low, column.high] for column in self.columns]
        arguments = [self._tag(argument) or argument for argument in self.command[1:]]
        facts = {"columns": ranges, "arguments": arguments, "reading": self.reading}
        return f"{self._version}-{stable_hash({**facts, 'script': self._script_tag()}, 8)}"

    def check(self) -> None:
        """Raises ``MissingPart`` when the command, its program, its folder or a variable is not here."""
        self._program()
        settings.need_variables(self.env)

    def where(self) -> str:
        """The program's place."""
        return self._program()

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """One batch. Raises ``BestshotError`` when the program failed, ``Interrupted`` once ``close`` was called."""
        if not items:
            return []
        with self._turn() as program, scratch_folder() as folder:
            questions = [question(item, folder, self.reading) for item in items]
            answers = program.ask(questions)
        secrets = program.secrets
        return [scores_of(answer, self.columns, told, secrets) for answer, told in zip(answers, questions, strict=True)]

    def close(self) -> None:
        """End the programs; nothing is scored any more."""
        self._is_closed = True
        for program in list(self._programs):
            program.close()

    @contextmanager
    def _turn(self) -> Iterator[Program]:
        program = self._take()
        try:
            if program is None:
                arguments = (self._program(), *self.command[1:])
                program = Program(arguments, self.cwd, self.env, self.timeout_seconds)
                self._programs.append(program)
                if self._is_closed:  # meanwhile
                    program.close()
            yield program
        finally:
            self._free.put(program)

    def _take(self) -> Program | None:
        while not self._is_closed:
            try:
                return self._free.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                continue
        raise Interrupted("stopped: the program was ended")

    def _program(self) -> str:
        """The program's place. Raises ``MissingPart``."""
        if not self.command:
            raise MissingPart(f'command: no command is set: in [scorers.NAME], kind = "command", command = {_EXAMPLE}')
        return program_at(self.command[0], self.cwd)

    def _tag(self, argument: str) -> str:
        """What stands for an argument that names a file: its content; "" for others."""
        path = Path(self.cwd or ".", argument)
        try:
            return content_tag(path) if path.is_file() else ""
        except (OSError, ValueError):  # longer than any path, say
            return ""

    def _script_tag(self) -> str:
        """The content of a program that is a script; of others the name says as much as their files do."""
        try:
            place = Path(self._program())
            with place.open("rb") as stream:
                return content_tag(place) if stream.read(2) == b"#!" else ""
        except (MissingPart, OSError):
            return ""
