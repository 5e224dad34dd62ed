"""Builds pipelines by diffusers' own means, quietly: from a folder, and for another mode from the same parts."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from generators._pipelines.hub import HubModel, fetch
from generators._pipelines.model_folder import ModelFolder, check_class, read_folder
from generators._pipelines.placement import TORCH_NAMES
from generators._pipelines.presets import Mode
from selector.domain import InputError
from selector.domain.files import expanded


@dataclass(frozen=True)
class ModelSpec:
    """All that decides what is in memory. ``path`` or ``hub`` says where the model is.

    Attributes:
        pipeline: the class that the folder must name; "" is any.
        trained_in: the dtype that the model is known to work with; "" is not known.
        dtype_on_cpu: what "auto" is on a CPU; "" is the CPU's best.
        safety_checker: None keeps what the folder has; True demands one; False leaves it away.
    """

    path: str = ""
    hub: HubModel | None = None
    variant: str = ""
    pipeline: str = ""
    dtype: str = "auto"
    trained_in: str = ""
    dtype_on_cpu: str = ""
    device: str = "auto"
    offload: str = "auto"
    scheduler: str = ""
    safety_checker: bool | None = None
    allow_pickle: bool = False

    def folder(self) -> ModelFolder:
        """The folder, downloaded if need be. Raises ``MissingPart`` or ``InputError``."""
        folder = read_folder(fetch(self.hub) if self.hub else expanded(self.path))
        if self.pipeline and folder.pipeline != self.pipeline:
            raise InputError(
                f"diffusers: the preset is for a {self.pipeline}, and {folder.path.name} is a {folder.pipeline}; "
                "set the preset that fits, or none"
            )
        check_class(folder.pipeline)
        return folder


def build(spec: ModelSpec, folder: ModelFolder, variant: str, dtype: str) -> Any:
    """The pipeline of a folder. Raises ``InputError`` where the safety checker that is wished for is not there."""
    import diffusers
    import torch

    known = inspect.signature(getattr(diffusers, folder.pipeline).__init__).parameters
    version = tuple(int(part) for part in diffusers.__version__.split(".")[:2])
    dtype_word = "dtype" if version >= (0, 42) else "torch_dtype"
    options: dict[str, Any] = {dtype_word: getattr(torch, TORCH_NAMES[dtype])}
    if "add_watermarker" in known:
        options["add_watermarker"] = False  # by default it depends on which packages a machine has
    if spec.safety_checker is True and "safety_checker" not in folder.components:
        raise InputError(f"diffusers: {folder.path.name} has no safety checker; leave safety_checker unset")
    if spec.safety_checker is False and "safety_checker" in known:
        options.update(safety_checker=None, requires_safety_checker=False)
    return diffusers.DiffusionPipeline.from_pretrained(
        str(folder.path),
        variant=variant or None,
        use_safetensors=None if spec.allow_pickle else True,
        local_files_only=True,
        **options,
    )


def set_scheduler(pipe: Any, name: str) -> None:
    if not name:
        return
    old = pipe.scheduler
    fitting = {one.__name__: one for one in (type(old), *getattr(old, "compatibles", ())) if _keeps_schedule(one, old)}
    if name not in fitting:
        raise InputError(f"diffusers: scheduler {name!r} does not fit this model; {', '.join(sorted(fitting))} would")
    pipe.scheduler = fitting[name].from_config(old.config)


def _keeps_schedule(cls: Any, old: Any) -> bool:
    """Whether a scheduler takes over what the model was trained with.

    diffusers drops what a class does not know: one without the rescaled noise of Lin et al. 2023 would begin such a
    model's pictures on another noise than it knows, and a class that guesses noise alone would misread a velocity.
    """
    known = inspect.signature(cls.__init__).parameters
    plain = {"rescale_betas_zero_snr": False, "prediction_type": "epsilon"}
    return all(name in known or old.config.get(name, value) == value for name, value in plain.items())


def as_mode(pipe: Any, mode: Mode) -> Any:
    """The pipeline of this mode, of the same parts."""
    import diffusers

    taken = inspect.signature(type(pipe).__call__).parameters
    has_image, has_mask = "image" in taken, "mask_image" in taken
    makers = {  # and whether the pipeline is of this mode already, by what its call takes
        "text": ("AutoPipelineForText2Image", not has_image),
        "image": ("AutoPipelineForImage2Image", has_image and not has_mask),
        "inpaint": ("AutoPipelineForInpainting", has_mask),
    }
    maker, is_already = makers.get(mode, ("", True))
    if not is_already:
        if hasattr(pipe, "remove_all_hooks"):
            pipe.remove_all_hooks()
        try:
            pipe = getattr(diffusers, maker).from_pipe(pipe)
        except ValueError as error:
            raise InputError(
                f"diffusers: {type(pipe).__name__} has no form for mode {mode!r}; take another model or mode"
            ) from error
    return pipe


@contextmanager
def quiet() -> Iterator[None]:
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
