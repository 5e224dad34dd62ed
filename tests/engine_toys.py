"""Generators that workers of an engine can import: they tint the source, and note in a file who made what.

Installed by entry points, for a worker knows nothing of what a test has patched in its own process.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from installed_plug_ins import add_entry_points

from selector.domain import BatchGenerator, BestshotError, Generator, Made, Recipe, TaskInputs, TaskType

ENTRY_POINTS = {"bestshot.generators": {"noting": "engine_toys:Noting", "noting_passes": "engine_toys:NotingPasses"}}


class Noting(Generator):
    """Recipes are tints by number. The one in ``hungry`` has no memory.

    Those in ``deadly`` end the process: always, or when they are begun the first ``deaths`` times.
    """

    name, version, task_types = "noting", "1", frozenset({TaskType.TIE})
    free_settings = ("log_path", "seconds", "deadly", "deaths", "hungry")

    def __init__(
        self,
        log_path: str = "",
        seconds: float = 0.0,
        deadly: Sequence[int] = (),
        deaths: int = 1000,
        hungry: int = -1,
    ) -> None:
        self._log, self._seconds, self._deadly, self._hungry = Path(log_path), seconds, deadly, hungry
        self._deaths = deaths

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:  # noqa: ARG002
        return [Recipe(f"tint{i}", seed, {"number": i}) for i in range(n)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        assert inputs.source is not None
        number = recipe.params["number"]
        with self._log.open("a") as log:
            log.write(f"{os.getpid()} {inputs.task.id} {number}\n")
        time.sleep(self._seconds)
        begun = sum((task, of) == (inputs.task.id, number) for _, task, of in noted(self._log))
        if number in self._deadly and begun <= self._deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == self._hungry:
            raise MemoryError
        tinted = np.clip(inputs.source.rgb.astype(int) + 10 * number + 5, 0, 255).astype(np.uint8)
        return Made(tinted, {"number": number})


class NotingPasses(Noting, BatchGenerator):
    """The same, four in a pass."""

    name, lane = "noting_passes", "model"

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        return [recipes[at : at + 4] for at in range(0, len(recipes), 4)]

    def generate_batch(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Sequence[Made | BestshotError]:
        return [self.generate(inputs, recipe) for recipe in recipes]


def install(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """For this process and those that it starts."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    add_entry_points(monkeypatch, place / "plug-ins", "engine-toys", ENTRY_POINTS)
    path = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent), str(place / "plug-ins")])
    monkeypatch.setenv("PYTHONPATH", path)


def noted(log: Path) -> list[tuple[int, str, int]]:
    """(process, task, number) of every picture that was begun."""
    lines = log.read_text().splitlines() if log.is_file() else []
    return [(int(pid), task, int(number)) for pid, task, number in map(str.split, lines)]
