"""One model in memory at a time, whatever the number of generators: loaded on first use, dropped for the next one.

The lock is held while a pass runs: a pipeline keeps its state in itself and cannot serve two threads.
Without a machine with an accelerator at hand, offload has been tested only as a decision, not in its effect.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from generators._pipelines.building import ModelSpec, as_mode, build, quiet, set_scheduler
from generators._pipelines.model_folder import variant_of, weigh
from generators._pipelines.placement import (
    BYTES,
    Placement,
    choose_device,
    choose_dtype,
    free_bytes,
    place,
    put,
    tighter_than,
    tile,
)
from generators._pipelines.presets import Mode
from selector.domain import InputError, MissingPart, OutOfResources, is_out_of_memory, out_of_memory, stable_hash
from selector.weights import why_unreadable


@dataclass
class Loaded:
    """A model in memory. ``pipe`` changes with the mode; the weights stay. ``revision``: the hub's commit, or ""."""

    spec: ModelSpec
    pipe: Any
    placement: Placement
    revision: str = ""
    mode: Mode | None = None
    largest_pass: dict[str, int] = field(default_factory=dict)  # by kind of pass: how many pictures fitted

    def become(self, mode: Mode) -> None:
        """Build the pipeline of this mode from the same parts. Raises ``InputError`` when the model has none."""
        if mode == self.mode:
            return
        self.mode = None
        self.pipe = as_mode(self.pipe, mode)
        self.pipe.set_progress_bar_config(disable=True)
        self._put()
        self.mode = mode

    def _put(self) -> None:
        """Place it; where the estimate of its memory was too low, more sparingly."""
        while True:
            try:
                return put(self.pipe, self.placement)
            except Exception as error:
                tighter = tighter_than(self.placement)
                if not is_out_of_memory(error):
                    raise
                if tighter is None:
                    raise out_of_memory("diffusers: the model does not fit into memory; take a smaller one") from error
                self.placement = tighter
            empty_caches()

    def use_tiles(self) -> bool:
        """The last resort when memory runs out. False when it is in use already, or there is none."""
        if self.placement.tiling or not tile(self.pipe):
            return False
        self.placement = replace(self.placement, tiling=True)
        return True

    def facts(self) -> dict[str, Any]:
        """What made the picture, for the notes: classes, numbers, device; JSON values."""
        import diffusers

        scheduler = getattr(self.pipe, "scheduler", None)
        config = {key: repr(value) for key, value in dict(getattr(scheduler, "config", {})).items() if key[0] != "_"}
        return {
            "pipeline": type(self.pipe).__name__,
            "scheduler": type(scheduler).__name__,
            "scheduler_config": stable_hash(config, 8),
            "dtype": self.placement.dtype,
            "device": self.placement.device,
            "offload": self.placement.offload,
            "tiling": self.placement.tiling,
            "diffusers": diffusers.__version__,
        }


_lock = threading.RLock()
_here: list[Loaded] = []  # none or one


@contextmanager
def in_memory(spec: ModelSpec, mode: Mode) -> Iterator[Loaded]:
    """The model, for this thread alone. Another one that was in memory is dropped first.

    Raises:
        MissingPart, InputError: it cannot be loaded here. OutOfResources: it does not fit into memory.
    """
    with _lock:
        if not _here or _here[0].spec != spec:
            drop()
            with quiet():
                _here.append(_load(spec))
        with quiet():
            _here[0].become(mode)
            yield _here[0]


def drop() -> None:
    """Forget the model that is in memory, if there is one, and give its memory back."""
    with _lock:
        while _here:
            pipe = _here.pop().pipe
            if hasattr(pipe, "remove_all_hooks"):
                pipe.remove_all_hooks()
            del pipe
        empty_caches()


def empty_caches() -> None:
    """Give back what torch keeps for later."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
    elif hasattr(torch, "xpu") and torch.xpu.is_available():
        torch.xpu.empty_cache()


def _load(spec: ModelSpec) -> Loaded:
    folder = spec.folder()
    device = choose_device(spec.device)
    dtype = choose_dtype(spec.dtype, device, spec.trained_in, spec.dtype_on_cpu)
    variant = variant_of(folder, spec.variant, spec.allow_pickle)
    weights = weigh(folder, variant, spec.allow_pickle, BYTES[dtype])
    placement = place(weights, device, dtype, spec.offload, free_bytes(device))
    try:
        pipe = build(spec, folder, variant, dtype)
        set_scheduler(pipe, spec.scheduler)
        return Loaded(spec, pipe, placement, folder.path.name if spec.hub else "")
    except (MissingPart, InputError, OutOfResources):
        raise
    except Exception as error:  # diffusers and transformers say with all kinds of errors that a file is wrong
        if is_out_of_memory(error):
            raise out_of_memory(
                f"diffusers: {folder.path.name} does not fit into memory in {dtype}; take a smaller model"
            ) from error
        raise MissingPart(
            f"diffusers: {folder.path.name} cannot be loaded ({why_unreadable(error, folder.path)}); "
            "check that the copy is complete, or set `variant`"
        ) from error
