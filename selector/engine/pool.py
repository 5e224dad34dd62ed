"""The contracts: a stage, the pool of workers that have it, the engine that opens pools; what a lost batch costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from selector.domain import BestshotError
from selector.net import Interrupted

Batch = TypeVar("Batch")
Result = TypeVar("Result")
T = TypeVar("T")


class WorkerLost(BestshotError):
    """A worker died with this batch, and another one again with this batch alone.

    ``of_memory``: as its machine ran out of it, which says more of the machine than of the batch.
    """

    def __init__(self, told: str, of_memory: bool = False) -> None:
        super().__init__(told)
        self.of_memory = of_memory


class Stage(ABC, Generic[Batch, Result]):
    """What a worker does with a batch. Picklable before its first call, and cheap to construct: models load then.

    Called from several threads at once where the engine is local, or where a worker has a GPU.

    ``on_gpu``: whether it computes on a GPU, as far as this process can tell.
    """

    @property
    def on_gpu(self) -> bool:
        return False

    @abstractmethod
    def __call__(self, batch: Batch) -> Result:
        """The result, of plain picklable data as the batch is. What goes wrong with one item is a part of the result;
        what is raised ends the run."""

    def prepare(self, cores: int) -> None:
        """Once in a process of its own, which may use so many cores, before all batches. Nothing, by default.

        Raises:
            BestshotError: it cannot work here, for want of a file or a package, or with another version of them.
        """

    def tell(self, news: Any) -> None:
        """Take what all later batches rest on and no constructor could know; nothing, by default."""

    def close(self) -> None:
        """End what runs beside it: the run is over, or was interrupted. Nothing, by default."""


class Pool(ABC, Generic[Batch, Result]):
    """Warm workers with one stage; a context manager.

    Args:
        workers: how many batches are computed at the same time.
        threads: how many threads shall ``call`` at once, so that the next batch is there when a worker is free.
    """

    def __init__(self, workers: int, threads: int) -> None:
        self.workers, self.threads = workers, threads

    @abstractmethod
    def call(self, batch: Batch, alone: bool = False) -> Result:
        """The stage's result; waits for a free worker, and for it. ``alone``: nothing else is with that worker.

        Raises:
            WorkerLost: see there. A stage that ends the process of a local engine ends the run.
            Interrupted: the pool was closed meanwhile.
        """

    @abstractmethod
    def tell(self, news: Any) -> None:
        """``Stage.tell`` at every worker, later ones too."""

    @abstractmethod
    def close(self) -> None:
        """End the workers, and calls that wait for them. A second time does nothing."""

    def __enter__(self) -> Pool[Batch, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Engine(ABC):
    """Opens pools; a context manager, which at its end ends what it started, and no cluster of others.

    ``is_local``: stages are called in this process, with its own objects. ``is_this_machine``: no worker is elsewhere.
    ``left_out``: workers that could not work where they were, and why; ``deaths``: what workers died of, and how many.
    Others have done what was theirs.
    """

    is_local = False
    is_this_machine = True

    def __init__(self) -> None:
        self.left_out: dict[str, str] = {}
        self.deaths: Counter[str] = Counter()

    @abstractmethod
    def pool(self, stage: Stage[Batch, Result], threads: int, batches: int) -> Pool[Batch, Result]:
        """Workers for a stage: locally ``threads`` of them, and nowhere more than there will be ``batches``."""

    def close(self) -> None:  # noqa: B027 - a default, as those of plug-ins
        """End what was started; nothing, by default."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def in_parts(
    pool: Pool[Batch, Result], items: Sequence[T], pack: Callable[[Sequence[T]], Batch], alone: bool = False
) -> Iterator[tuple[Sequence[T], Result | WorkerLost]]:
    """The results of all items, mostly in one part.

    A part that kills its workers is halved, down to the items at fault: each costs itself, with a ``WorkerLost``.
    """
    result: Result | WorkerLost
    try:
        result = pool.call(pack(items), alone)
    except WorkerLost as error:
        if len(items) > 1:
            middle = len(items) // 2
            for part in (items[:middle], items[middle:]):
                yield from in_parts(pool, part, pack, alone=True)
            return
        result = error
    yield items, result


class LocalEngine(Engine):
    """Threads of this process: a pool calls its stage in the thread that asks."""

    is_local = True

    def pool(self, stage: Stage[Batch, Result], threads: int, batches: int) -> Pool[Batch, Result]:
        return _LocalPool(stage, max(1, min(threads, batches)))


class _LocalPool(Pool[Batch, Result]):
    def __init__(self, stage: Stage[Batch, Result], threads: int) -> None:
        super().__init__(threads, threads)
        self._stage = stage
        self._is_closed = False

    def call(self, batch: Batch, alone: bool = False) -> Result:  # noqa: ARG002 - threads share their process
        if self._is_closed:
            raise Interrupted("the run ends")
        return self._stage(batch)

    def tell(self, news: Any) -> None:
        self._stage.tell(news)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._stage.close()
