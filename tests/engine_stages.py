"""A stage that workers of an engine can import, and that does what its batches say."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from selector.domain import InputError
from selector.engine import Stage


class Obeying(Stage[str, Any]):
    """Batches: "die", "where" (its node and GPUs), "cores", or "wait FILE": until that exists, its own name noted.

    The first ``unfit`` processes that are prepared find no weights; they note themselves in ``folder``.
    """

    def __init__(self, folder: Path, unfit: int = 0, wants_gpu: bool = False) -> None:
        self._folder, self._unfit, self._wants_gpu = folder, unfit, wants_gpu
        self._cores = 0

    @property
    def on_gpu(self) -> bool:
        return self._wants_gpu

    def prepare(self, cores: int) -> None:
        self._cores = cores
        for number in range(self._unfit):
            try:
                (self._folder / f"unfit{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            raise InputError("the weights are not here")

    def __call__(self, batch: str) -> Any:
        import ray

        if batch == "die":
            os._exit(7)
        if batch == "cores":
            return self._cores
        node = ray.get_runtime_context().get_node_id()
        if batch.startswith("wait "):
            (self._folder / f"at-{node}").touch()
            while not Path(batch.removeprefix("wait ")).exists():
                time.sleep(0.02)
        return node, os.environ.get("CUDA_VISIBLE_DEVICES", "")


class Absent(Obeying):
    """Of a package that workers do not have."""

    def __reduce__(self) -> Any:
        return __import__, ("no_such_package",)
