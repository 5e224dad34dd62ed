"""One model in memory at a time, whatever the number of generators: loaded on first use, dropped for the next one.

The lock is held while a pass runs: a pipeline keeps its state in itself and cannot serve two threads.
Without a machine with an accelerator at hand, offload has been tested only as a decision, not in its effect.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generators.pipelines.hub import HubModel, fetch
from generators.pipelines.model_folder import ModelFolder, check_class, read_folder, variant_of, weigh
from generators.pipelines.placement import (
    BYTES,
    TORCH_NAMES,
    Placement,
    choose_device,
    choose_dtype,
    free_bytes,
    place,
    put,
    tighter_than,
    tile,
)
from generators.pipelines.presets import Mode
from selector.domain import GenerationFailed, InputError, MissingPart, stable_hash


@dataclass(frozen=True)
class ModelSpec:
    """All that decides what is in memory. ``path`` or ``hub`` says where the model is.

    Attributes:
        pipeline: the class that the folder must name; "" is any.
        safety_checker: None keeps what the folder has; True demands one; False leaves it away.
    """

    path: str = ""
    hub: HubModel | None = None
    variant: str = ""
    pipeline: str = ""
    dtype: str = "auto"
    device: str = "auto"
    offload: str = "auto"
    scheduler: str = ""
    safety_checker: bool | None = None
    allow_pickle: bool = False

    def folder(self) -> ModelFolder:
        """The folder, downloaded if need be. Raises ``MissingPart`` or ``InputError``."""
        folder = read_folder(fetch(self.hub) if self.hub else Path(self.path).expanduser())
        if self.pipeline and folder.pipeline != self.pipeline:
            raise InputError(
                f"diffusers: the preset is for a {self.pipeline}, and {folder.path.name} is a {folder.pipeline}; "
                "set the preset that fits, or none"
            )
        check_class(folder.pipeline)
        return folder


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
        self.pipe = _as(self.pipe, mode)
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
                    raise GenerationFailed(
                        "diffusers: the model does not fit into memory; take a smaller one"
                    ) from error
                self.placement = tighter
            empty_caches()

    def use_tiles(self) -> bool:
        """The last resort when memory runs out. False when it is in use already, or there is none."""
        if self.placement.tiling or not tile(self.pipe):
            return False
        self.placement = Placement(self.placement.device, self.placement.dtype, self.placement.offload, tiling=True)
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
        MissingPart, InputError: it cannot be loaded here. GenerationFailed: it does not fit into memory.
    """
    with _lock:
        if not _here or _here[0].spec != spec:
            drop()
            with _quiet():
                _here.append(_load(spec))
        with _quiet():
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


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out: torch has several classes for it, and words."""
    kinds = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, MemoryError) or "OutOfMemoryError" in kinds:
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _load(spec: ModelSpec) -> Loaded:
    folder = spec.folder()
    device = choose_device(spec.device)
    dtype = choose_dtype(spec.dtype, device)
    variant = variant_of(folder, spec.variant, spec.allow_pickle)
    weights = weigh(folder, variant, spec.allow_pickle, BYTES[dtype])
    placement = place(weights, device, dtype, spec.offload, free_bytes(device))
    try:
        pipe = _from_pretrained(spec, folder, variant, dtype)
        _set_scheduler(pipe, spec.scheduler)
        return Loaded(spec, pipe, placement, folder.path.name if spec.hub else "")
    except (MissingPart, InputError):
        raise
    except Exception as error:  # diffusers and transformers say with all kinds of errors that a file is wrong
        if is_out_of_memory(error):
            raise GenerationFailed(
                f"diffusers: {folder.path.name} does not fit into memory in {dtype}; take a smaller model"
            ) from error
        said = " ".join(str(error).split())[:300]
        raise MissingPart(
            f"diffusers: {folder.path.name} cannot be loaded ({type(error).__name__}: {said}); "
            "check that the copy is complete, or set `variant`"
        ) from error


def _from_pretrained(spec: ModelSpec, folder: ModelFolder, variant: str, dtype: str) -> Any:
    import torch
    from diffusers import DiffusionPipeline

    return DiffusionPipeline.from_pretrained(
        str(folder.path),
        variant=variant or None,
        use_safetensors=None if spec.allow_pickle else True,
        local_files_only=True,
        **{_dtype_word(): getattr(torch, TORCH_NAMES[dtype])},
        **_class_options(spec, folder),
    )


def _dtype_word() -> str:
    """The argument's name: it changed with diffusers 0.42."""
    import diffusers

    major, minor = (int(part) for part in diffusers.__version__.split(".")[:2])
    return "dtype" if (major, minor) >= (0, 42) else "torch_dtype"


def _class_options(spec: ModelSpec, folder: ModelFolder) -> dict[str, Any]:
    import inspect

    import diffusers

    known = inspect.signature(getattr(diffusers, folder.pipeline).__init__).parameters
    options: dict[str, Any] = {}
    if "add_watermarker" in known:
        options["add_watermarker"] = False  # by default it depends on which packages a machine has
    if spec.safety_checker is True and "safety_checker" not in folder.components:
        raise InputError(f"diffusers: {folder.path.name} has no safety checker; leave safety_checker unset")
    if spec.safety_checker is False and "safety_checker" in known:
        options.update(safety_checker=None, requires_safety_checker=False)
    return options


def _set_scheduler(pipe: Any, name: str) -> None:
    if not name:
        return
    import diffusers

    cls = getattr(diffusers, name, None) if name.endswith("Scheduler") else None
    compatible = {one.__name__ for one in getattr(pipe.scheduler, "compatibles", ())}
    if cls is None or name not in compatible | {type(pipe.scheduler).__name__}:
        raise InputError(
            f"diffusers: scheduler {name!r} does not fit this model; {', '.join(sorted(compatible)) or 'none'} would"
        )
    pipe.scheduler = cls.from_config(pipe.scheduler.config)


def _as(pipe: Any, mode: Mode) -> Any:
    """The pipeline of this mode, of the same parts."""
    import diffusers

    makers = {"image": "AutoPipelineForImage2Image", "inpaint": "AutoPipelineForInpainting"}
    makers["text"] = "AutoPipelineForText2Image"
    if mode in makers and not _does(pipe, mode):
        if hasattr(pipe, "remove_all_hooks"):
            pipe.remove_all_hooks()
        try:
            pipe = getattr(diffusers, makers[mode]).from_pipe(pipe)
        except ValueError as error:
            raise InputError(
                f"diffusers: {type(pipe).__name__} has no form for mode {mode!r}; take another model or mode"
            ) from error
    return pipe


def _does(pipe: Any, mode: Mode) -> bool:
    """Whether the pipeline is of this mode already, by what its call takes."""
    import inspect

    taken = inspect.signature(type(pipe).__call__).parameters
    has_image, has_mask = "image" in taken, "mask_image" in taken
    return {"text": not has_image, "image": has_image and not has_mask, "inpaint": has_mask}.get(mode, True)


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no remarks: what goes wrong becomes an error, what is worth knowing a note."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    both = (of_diffusers, of_transformers)
    levels = [one.get_verbosity() for one in both]
    bars = of_transformers.is_progress_bar_enabled()
    for one in both:
        one.set_verbosity(logging.ERROR)
        one.disable_progress_bar()
    try:
        yield
    finally:
        for one, level in zip(both, levels, strict=True):
            one.set_verbosity(level)
        if bars:
            of_transformers.enable_progress_bar()
        of_diffusers.enable_progress_bar()
