"""Passes of a pipeline over several seeds: one noise a candidate, halved when memory runs out.

Behind them a gate: black, empty and broken pictures are failures with a reason, not candidates.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from generators._pipelines.loading import Loaded, empty_caches
from generators._pipelines.presets import RESERVED
from selector.domain import BestshotError, GenerationFailed, InputError, is_out_of_memory, out_of_memory

Array = np.ndarray[Any, np.dtype[Any]]
OnStep = Callable[[int, int], None]

FLAT_LEVELS = 2  # of 255: a picture without more contrast than this shows nothing
BLACK_LEVEL = 8


@dataclass(frozen=True)
class Drawn:
    """One picture as a pipeline gave it: (H, W, 3) floats, 0 to 1 or NaN, and whether its safety checker blacked it."""

    image: Array
    refused: bool
    together: int  # pictures in the same pass


def draw(
    loaded: Loaded, arguments: Mapping[str, Any], seeds: Sequence[int], kind: str, on_step: OnStep | None = None
) -> list[Drawn]:
    """One picture a seed, in their order; as many at once as memory allows, which is remembered by ``kind``.

    Raises:
        InputError: an argument that this pipeline does not take. GenerationFailed: it failed. OutOfResources: a single
            picture does not fit into memory. Interrupted, or what else of our own errors ``on_step`` raises, which ends
            the pass.
    """
    known = set(inspect.signature(type(loaded.pipe).__call__).parameters) - {"self", "kwargs"}
    unknown = sorted(set(arguments) - known)
    if unknown:
        raise InputError(
            f"diffusers: {type(loaded.pipe).__name__} does not take {', '.join(unknown)}; "
            f"it takes {', '.join(sorted(known - RESERVED))}"
        )
    drawn: list[Drawn] = []
    at_once = min(len(seeds), loaded.largest_pass.get(kind, len(seeds)))
    while len(drawn) < len(seeds):
        some = seeds[len(drawn) : len(drawn) + at_once]
        made = _try(loaded, arguments, some, on_step)
        if made is not None:
            drawn += made
            continue
        empty_caches()
        if len(some) > 1:
            at_once = loaded.largest_pass[kind] = len(some) // 2
        elif not loaded.use_tiles():
            offload = "sequential" if loaded.placement.offload != "none" else "model"
            raise out_of_memory(
                "diffusers: memory ran out with a single picture; set a smaller size, "
                f'offload = "{offload}", or a smaller model'
            )
    return drawn


def _try(
    loaded: Loaded, arguments: Mapping[str, Any], seeds: Sequence[int], on_step: OnStep | None
) -> list[Drawn] | None:
    """None when memory ran out; by then nothing holds on to what the pass had made."""
    try:
        return _pass(loaded.pipe, arguments, seeds, on_step)
    except BestshotError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            return None
        said = " ".join(str(error).split())[:300]
        who = type(loaded.pipe).__name__
        raise GenerationFailed(f"diffusers: {who} failed ({type(error).__name__}: {said})") from error


def _pass(pipe: Any, arguments: Mapping[str, Any], seeds: Sequence[int], on_step: OnStep | None) -> list[Drawn]:
    import torch

    count = len(seeds)
    known = inspect.signature(type(pipe).__call__).parameters
    more: dict[str, Any] = {"num_images_per_prompt": count, "output_type": "np"}
    if "mask_image" in known and arguments.get("mask_image") is not None:
        # Repeated here, each with its own noise; the pipeline would draw that of the masked source from the first seed.
        more.update({name: [arguments[name]] * count for name in ("image", "mask_image")})
    if on_step is not None and "callback_on_step_end" in known:

        def after_step(pipe: Any, step: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(step + 1, int(getattr(pipe, "num_timesteps", step + 1)))
            return tensors

        more["callback_on_step_end"] = after_step
    # On the CPU, and one for each picture: the same noise on every machine, alone or among others.
    noise = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    answer = pipe(**{**arguments, **more}, generator=noise)
    refused = list(getattr(answer, "nsfw_content_detected", None) or [False] * count)
    images = [np.asarray(image, dtype=np.float32) for image in answer.images]
    if len(images) != count:
        raise GenerationFailed(f"diffusers: {type(pipe).__name__} gave {len(images)} pictures for {count} seeds")
    return [Drawn(image, bool(flag), count) for image, flag in zip(images, refused, strict=True)]


def usable(image: Array, dtype: str) -> Array:
    """(H, W, 3) uint8 from floats of 0 to 1.

    Raises:
        GenerationFailed: NaN or infinite numbers, all black, or one colour only.
    """
    hint = '; fp16 overflows in some models: set dtype = "bf16" or "fp32"' if dtype == "fp16" else ""
    if image.ndim != 3 or image.shape[2] != 3:
        raise GenerationFailed(f"diffusers: expected a picture (H, W, 3), the pipeline gave {image.shape}")
    broken = float(1 - np.isfinite(image).mean())
    if broken:
        other = "; the weights may be damaged" if dtype == "fp32" else '; set dtype = "fp32"'
        raise GenerationFailed(f"diffusers: {broken:.0%} of the picture's numbers are NaN{hint or other}")
    levels: Array = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if int(levels.max()) < BLACK_LEVEL:
        raise GenerationFailed(f"diffusers: the picture is black{hint}")
    if all(int(np.ptp(levels[..., channel])) <= FLAT_LEVELS for channel in range(3)):
        raise GenerationFailed(f"diffusers: the picture is of one colour{hint}")
    return levels
