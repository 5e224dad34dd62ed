"""Makes candidates on an engine: a stage that any process can hold, with no database inside.

It gets a task's inputs and recipes, and gives back what became of each; an image's bytes are stored by the process that
made it, before anybody hears of it. The local engine calls the stage in its threads with the run's own generators; a
process elsewhere makes its own generators of their settings.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from inspect import signature
from pathlib import Path
from typing import Any

from selector.contest.profile import ContestProfile
from selector.domain import (
    BatchGenerator,
    GenerationFailed,
    Generator,
    Made,
    MissingPart,
    OutOfResources,
    Recipe,
    TaskInputs,
    reason_of,
)
from selector.domain.types import JSONValue
from selector.engine import Engine, Pool, Stage, WorkerLost, in_parts
from selector.engine.pool import LocalEngine
from selector.generate.finalize import finalize
from selector.generate.recipes import as_shown, check_json, outcome_of
from selector.net import Interrupted
from selector.registry import create_generator
from selector.store import Images
from selector.store.candidates import Candidate


@dataclass(frozen=True)
class Result:
    """What became of a recipe: an image that is stored (``candidate``), or a reason. ``seconds``: since its begin.

    ``written``: whether the image's bytes were not there before.
    """

    outcome: str
    reason: str | None = None
    candidate: Candidate | None = None
    notes: Mapping[str, JSONValue] = field(default_factory=dict)
    seconds: float = 0.0
    written: bool = False


def concluded(
    profile: ContestProfile,
    images: Images,
    inputs: TaskInputs,
    made: Made | Exception,
    started: float,
    notes: Mapping[str, JSONValue] | None = None,
) -> Result:
    """Normalise, encode and write an image, or note why there is none. ``started``: ``time.perf_counter()``.

    Raises:
        OutOfResources: the machine ran out of memory, file handles or disk. InputError: the images cannot be written.
        That ends the run; all else is an outcome.
    """
    kept = dict(notes or {})
    try:
        if isinstance(made, Exception):
            raise made
        kept |= dict(made.notes)
        check_json(kept, "notes")
        final = finalize(made.image, inputs, profile)
    except Exception as error:
        outcome, reason = outcome_of(error)
        return Result(outcome, reason, seconds=_since(started))
    size = len(final.data)
    written = not images.is_whole(hashlib.sha256(final.data).hexdigest(), size)
    image_id = images.put(final.data)  # bytes first, then the rows that name them
    candidate = Candidate(inputs.task.id, image_id, *final.size_px, size)
    return Result("made", None, candidate, kept, _since(started), written)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


@dataclass(frozen=True)
class GeneratorSpec:
    """What a process needs to make a generator of its own; places in ``settings`` are seen from ``base``.

    ``version``: what the generator must be for its pictures to be those that the run is asked for.
    """

    kind: str
    settings: Mapping[str, Any]
    base: Path
    version: str

    def build(self) -> Generator:
        """Raises ``InputError`` or ``MissingPart``, also where the code or a model here is another."""
        generator = create_generator(self.kind, self.settings, self.base)
        generator.check()
        if generator.version != self.version:
            raise MissingPart(
                f"{self.kind}: a worker of the engine has version {generator.version} and this machine {self.version}: "
                "install the same programs and models on both"
            )
        return generator


@dataclass(frozen=True)
class MakingBatch:
    """Recipes of one task for a generator by name; those of a ``BatchGenerator`` have one wording, for one pass."""

    generator: str
    inputs: TaskInputs
    recipes: Sequence[Recipe]


class Making(Stage[MakingBatch, list[Result]]):
    """The stage. Generators of one lane take turns in a process; what they made is encoded and stored meanwhile.

    Args:
        specs: by name, of the generators that other processes may make; what is not among them stays in this one.
        profile, images: what an image becomes, and where it goes.
        here: generators by name that serve this process.
    """

    def __init__(
        self,
        specs: Mapping[str, GeneratorSpec],
        profile: ContestProfile,
        images: Images,
        here: Mapping[str, Generator] | None = None,
    ) -> None:
        self._specs, self._profile, self._images = specs, profile, images
        self._here = here or {}
        self._generators = dict(self._here)
        self._lock = threading.Lock()
        self._lanes: dict[str, threading.Lock] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Without what lives in a process alone: generators, with the models they have loaded, and locks."""
        return type(self), (self._specs, self._profile, self._images)

    @property
    def on_gpu(self) -> bool:
        """Whether a generator for others has a model, and is not told to stay on the cores."""
        return any(
            (generator.lane or "device" in signature(type(generator)).parameters)
            and self._specs[name].settings.get("device") != "cpu"
            for name, generator in self._here.items()
            if name in self._specs
        )

    def prepare(self, cores: int) -> None:  # noqa: ARG002 - models have their own threads
        for name in self._specs:
            self._generator(name)

    def __call__(self, batch: MakingBatch) -> list[Result]:
        """What became of each recipe, in their order; a generator's errors are outcomes. Raises as ``concluded``."""
        try:
            generator = self._generator(batch.generator)
        except Exception as error:
            return [self._concluded(batch, error, time.perf_counter()) for _ in batch.recipes]
        if isinstance(generator, BatchGenerator):
            return self._one_pass(generator, batch)
        return [self._one(generator, batch, recipe) for recipe in batch.recipes]

    def close(self) -> None:
        """Ends what the generators that were made here are waiting for, such as programs."""
        with self._lock:
            own = [generator for name, generator in self._generators.items() if name not in self._here]
        for generator in own:
            generator.cancel()

    def _one_pass(self, generator: BatchGenerator, batch: MakingBatch) -> list[Result]:
        made: Sequence[Made | Exception]
        with self._turn(generator):
            started = time.perf_counter()
            try:
                shown = [as_shown(batch.inputs, recipe) for recipe in batch.recipes]
                made = generator.generate_batch(shown[0][0], [recipe for _, recipe in shown])
                if len(made) != len(shown):
                    raise GenerationFailed(f"a batch of {len(shown)} gave {len(made)} results")
            except Interrupted:  # the run ends, and this is no failure
                raise
            except Exception as error:
                made = [error] * len(batch.recipes)
        return [self._concluded(batch, one, started) for one in made]

    def _one(self, generator: Generator, batch: MakingBatch, recipe: Recipe) -> Result:
        made: Made | Exception
        with self._turn(generator):
            started = time.perf_counter()
            try:
                made = generator.generate(*as_shown(batch.inputs, recipe))
            except Interrupted:
                raise
            except Exception as error:
                made = error
        return self._concluded(batch, made, started)

    def _concluded(self, batch: MakingBatch, made: Made | Exception, started: float) -> Result:
        return concluded(self._profile, self._images, batch.inputs, made, started)

    def _generator(self, name: str) -> Generator:
        with self._lock:
            if name not in self._generators:
                self._generators[name] = self._specs[name].build()
            return self._generators[name]

    def _turn(self, generator: Generator) -> AbstractContextManager[Any]:
        if not generator.lane:
            return nullcontext()
        with self._lock:
            return self._lanes.setdefault(generator.lane, threading.Lock())


@dataclass(frozen=True)
class OnEngine:
    """Generators that an engine has elsewhere, by name; at most ``most`` recipes for them, in batches of ``size``."""

    engine: Engine = field(default_factory=LocalEngine)
    specs: Mapping[str, GeneratorSpec] = field(default_factory=dict)
    most: int = 0
    size: int = 1


class Makers:
    """The workers of a run: the engine's for the generators that it has, and ``threads`` of this process for others.

    ``making``: the stage, for both. ``away``: the names of the former; ``size``: recipes in a batch of those of them
    that make one at a time.
    """

    def __init__(self, making: Making, on_engine: OnEngine, threads: int) -> None:
        self.away, self.size = on_engine.specs.keys(), on_engine.size
        self._here: Pool[MakingBatch, list[Result]] = LocalEngine().pool(making, threads, threads)
        self._there = on_engine.engine.pool(making, threads, on_engine.most) if self.away else self._here
        self._answered: dict[str, bool] = {}  # of generators there that were asked

    @property
    def threads(self) -> int:
        """How many batches may be asked of the engine at once."""
        return self._there.threads

    def has_answered(self, name: str) -> bool | None:
        """False while the engine's workers load a generator's models for its first batch, None before its turn."""
        return self._answered.get(name) if name in self.away else True

    def make(self, batch: MakingBatch) -> list[Result]:
        """What became of each recipe; raises as ``Making``, and ``OutOfResources`` where workers run out of memory.

        One that ends its workers has failed when two in a row died of it with nothing else to do, one more than it
        takes for a batch: a process may also be ended by somebody, or by what else happens on its machine.
        """
        is_away = batch.generator in self.away
        if is_away:
            self._answered.setdefault(batch.generator, False)
        pool, found = self._there if is_away else self._here, list[Result]()

        def pack(recipes: Sequence[Recipe]) -> MakingBatch:
            return replace(batch, recipes=recipes)

        for recipes, result in in_parts(pool, batch.recipes, pack):
            if isinstance(result, WorkerLost) and not result.of_memory:
                found += [one for again in in_parts(pool, recipes, pack, alone=True) for one in _results(*again)]
            else:
                found += _results(recipes, result)
        if is_away:
            self._answered[batch.generator] = True
        return found

    def close(self) -> None:
        """End the workers; calls that wait for the engine's raise ``Interrupted``."""
        self._there.close()
        self._here.close()


def _results(recipes: Sequence[Recipe], result: list[Result] | WorkerLost) -> list[Result]:
    if not isinstance(result, WorkerLost):
        return result
    if result.of_memory:  # the next recipe would fare no better
        raise OutOfResources(str(result))
    return [Result("failed", reason_of(result))] * len(recipes)
