"""command: any program that makes a picture, such as a script that drives ComfyUI or FaceFusion."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from generators._command_settings import checked_command, fields_of, filled, picture_format
from generators._program import read_picture, temporary_folder
from selector.domain import (
    Declined,
    GenerationFailed,
    Generator,
    Made,
    MissingPart,
    Recipe,
    TaskInputs,
    TaskType,
    out_of_memory,
)
from selector.net import Interrupted
from selector.programs import settings
from selector.programs.pictures import write, write_picture
from selector.programs.process import KILLED, Ended, program_at, run
from selector.programs.said import environment_for, how_it_ended, last_line, last_words, secrets_of

SEEDS = 2**31
_WAIT_SECONDS = 0.2


class Command(Generator):
    """command: any program that makes a picture, such as a script that drives ComfyUI or FaceFusion.

    Makes: what the program writes to ``{output}``. Input: whatever of the task the command names:
        {prompt} {prompt_file}    the text, or a UTF-8 file that holds it
        {source}                  the picture to be edited; for a face swap the scene
        {reference} = {target}    the picture that gives the identity of a face swap, ``target`` in the contest's words
        {seed} {task_id}          a whole number below 2^31; the task's id
        {width} {height}          of the source; for tasks without one those of the settings
        {output}                  the file to write, a PNG or JPEG
    A task that lacks a picture which the command names is declined. Without ``{seed}`` every run would be the same, so
    there is one recipe. Files lie in a temporary folder, which is removed. No shell is involved.
    Exit status: 0 made, ``declined_status`` (77) the program declines the task for good, any other failed, and the last
        line of stderr is the reason; one that SIGKILL ended, as the system does when memory runs out, ends the run. The
        time limit, Ctrl-C and the program's own end kill all processes that it started.
    Model, licence, cost: the program's.
    Fails as the program does, when it is too slow, and when what it wrote is missing, empty, larger than 64 MB or no
        picture. See ``docs/command.md``.
    Safe for threads; ``cancel`` ends what is under way.

    Args:
        command: program and arguments, each a string of its own, with placeholders.
        task_types: those that it serves, by the names t2i, tie, vttie, deepfake; (): all.
        version: raise it when the program changed, so that its pictures are made again.
        timeout_seconds: of one run; then all its processes are killed.
        parallel: runs at once.
        env: names of variables with secrets (``COMFY_API_KEY``) that the program may have. Others stay here.
        cwd_folder: where the program runs; "": where bestshot runs.
        output_format: "png" or "jpg", the ending of ``{output}``; what is in the file decides.
        declined_status: exit status by which the program declines a task.
        width, height: px, for tasks without a source.

    Raises:
        InputError: a setting that cannot be.

    Example:
        In ``campaign.toml``:

        [generators.command]
        command = ["python", "swap.py", "--scene={source}", "--face={target}", "--seed={seed}", "--out={output}"]
        task_types = ["deepfake"]
    """

    name = "command"
    free_settings = ("timeout_seconds", "parallel")  # they change no picture
    version = "1"
    task_types = frozenset(TaskType)

    def __init__(
        self,
        command: Sequence[str] = (),
        task_types: Sequence[str] = (),
        version: str = "1",
        timeout_seconds: float = 600.0,
        parallel: int = 1,
        env: Sequence[str] = (),
        cwd_folder: str = "",
        output_format: str = "png",
        declined_status: int = 77,
        width: int = 1024,
        height: int = 1024,
    ) -> None:
        self.command = checked_command(command)
        self.fields = fields_of(self.command)
        self.task_types = settings.types(task_types)
        self.version = settings.text("version", version)
        self.timeout_seconds = settings.number("timeout_seconds", timeout_seconds, 0.1, 86_400)
        self.declined_status = int(settings.number("declined_status", declined_status, 1, 255))
        self.size = (int(settings.number("width", width, 1, 16_384)), int(settings.number("height", height, 1, 16_384)))
        self.env = settings.variables(env)
        self.cwd = settings.folder(cwd_folder)
        self.output_format = picture_format(output_format)
        self._turns = threading.BoundedSemaphore(int(settings.number("parallel", parallel, 1, 256)))
        self._stop = threading.Event()

    def check(self) -> None:
        """Raises ``MissingPart`` when the command, its program, its folder or a variable is not here."""
        self._program()
        settings.need_variables(self.env)

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """Consecutive seeds; one recipe if the command has no ``{seed}``. Raises ``Declined`` for other tasks."""
        self._need(inputs)
        count = n if "seed" in self.fields else min(n, 1)
        return [Recipe("", (seed + i) % SEEDS) for i in range(max(count, 0))]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """One run. Raises ``Interrupted`` once ``cancel`` was called."""
        self._need(inputs)
        program = self._program()
        with self._turn(), temporary_folder() as folder:
            output = folder / f"output.{self.output_format}"
            arguments = filled(self.command, self._values(inputs, recipe, folder, output))
            ended = self._run([program, *arguments[1:]])
            secrets = secrets_of(self.env, os.environ)
            said, why = last_words(ended.stderr, secrets), last_line(ended.stderr, secrets)
            self._raise_unless_made(ended, why)
            data = read_picture(output, why)
        return Made(data, {"stderr": said} if said else {})

    def cancel(self) -> None:
        """Kill what is under way in all threads and start nothing any more."""
        self._stop.set()

    def _need(self, inputs: TaskInputs) -> None:
        task = inputs.task
        if task.type not in self.task_types:
            served = ", ".join(sorted(kind.value for kind in self.task_types))
            raise Declined(f"command serves {served} tasks, this is a {task.type.value} task")
        pictures = {"source": inputs.source, "target": inputs.reference, "reference": inputs.reference}
        for field, picture in pictures.items():
            if field in self.fields and picture is None:
                raise Declined(f"the command needs a {{{field}}}, and the task has none")
        lone_surrogate = any("\ud800" <= character <= "\udfff" for character in task.prompt)
        if "\0" in task.prompt or lone_surrogate:
            raise Declined("the prompt holds a character that no program can be given")

    def _program(self) -> str:
        """The program's place. Raises ``MissingPart``."""
        if not self.command:
            raise MissingPart('command: no command is set: [generators.command] command = ["program", "{output}"]')
        return program_at(self.command[0], self.cwd)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        while not self._turns.acquire(timeout=_WAIT_SECONDS):
            if self._stop.is_set():
                raise Interrupted("stopped")
        try:
            yield
        finally:
            self._turns.release()

    def _values(self, inputs: TaskInputs, recipe: Recipe, folder: Path, output: Path) -> dict[str, str]:
        """A value for every placeholder; of the files only those are written that the command names."""
        task, size = inputs.task, self.size
        if inputs.source is not None and self.fields & {"width", "height"}:
            size = inputs.source.size
        values = {"prompt": task.prompt, "seed": str(recipe.seed), "task_id": task.id, "output": str(output)}
        values |= {"width": str(size[0]), "height": str(size[1])}
        try:
            return values | self._files(inputs, folder)
        except OSError as error:
            raise GenerationFailed(f"command: its files cannot be written ({error.strerror or error})") from error

    def _files(self, inputs: TaskInputs, folder: Path) -> dict[str, str]:
        values = {}
        if "prompt_file" in self.fields:
            values["prompt_file"] = write(folder / "prompt.txt", inputs.task.prompt.encode())
        if "source" in self.fields and inputs.source is not None:
            values["source"] = write_picture(folder, "source", inputs.source)
        if self.fields & {"reference", "target"} and inputs.reference is not None:
            values["reference"] = values["target"] = write_picture(folder, "reference", inputs.reference)
        return values

    def _run(self, arguments: Sequence[str]) -> Ended:
        try:
            environment = environment_for(self.env, os.environ)
            return run(arguments, self.cwd, environment, self.timeout_seconds, self._stop)
        except OSError as error:
            what = f"command: {self.command[0]} cannot be started ({error.strerror or error})"
            if error.errno == errno.E2BIG:
                what = "command: the prompt is too long for an argument: use {prompt_file}"
            raise GenerationFailed(what) from error

    def _raise_unless_made(self, ended: Ended, said: str) -> None:
        program, also = Path(self.command[0]).name, f": {said}" if said else ""
        if ended.status is None:
            raise GenerationFailed(f"command: {program} did not end within {self.timeout_seconds:g} s{also}")
        if ended.status == self.declined_status:
            raise Declined(f"command: {program} declined the task{also}")
        if ended.status in KILLED:
            raise out_of_memory(f"command: {program} was killed by SIGKILL, as happens when memory runs out{also}")
        if ended.status != 0:
            raise GenerationFailed(f"command: {program} {how_it_ended(ended.status)}{also}")
