"""Finishing: small repairs of a picture that a generator has made, each giving one more candidate of the same task.

A finish is a chain of steps, such as ``sharpen`` or ``denoise+sharpen+grain``, carried out from left to right:
    upscale  larger: by Lanczos, or by the user's ONNX super-resolution model in overlapping tiles. An edit gets its
             source's size in the end: there the model's picture is brought back, which leaves its cleaning, and
             Lanczos is declined.
    denoise  non-local means as strong as the measured noise; edges and texture stay
    sharpen  unsharp mask on the lightness of edges; halos are limited
    grain    fine grain of the lightness, drawn from the seed
    colours  an edit's colours back to its source's, fitted to what the edit left alone
The selector decides whether a finish helped: none of them does always. See ``docs/finishing.md``.
Input: the picture's pixels, and the task's source for ``colours``. Output: pixels; proportions never change. Model:
none but the user's own. Licence: the project's. Cost on one core at 1024 px: sharpen 0.4 s, grain 0.02 s, denoise
0.7 s, colours 2 s; a super-resolution model seconds to minutes. Deterministic: only grain draws, from the given seed.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.domain import Declined, GenerationFailed, InputError, Made, MissingPart, TaskInputs, stable_hash
from selector.domain.types import JSONValue
from selector.domain.words import near_or_all

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Stepped = tuple[Pixels, Mapping[str, JSONValue]]

STEPS = ("upscale", "denoise", "sharpen", "grain", "colours")
VERSION = "1"


class Finishing:
    """Carries out finishes. Cheap to make; safe to call from several threads.

    Args:
        upscale_model_path: ONNX super-resolution model (see ``selector.finishing.enlarge``); "": Lanczos.
        upscale_factor: above 1 to 8, of each side.
        upscale_device: auto, cpu, cuda or cuda:N; for the model.
        denoise_strength: above 0 to 1, share of the noise that is taken away.
        sharpen_strength: above 0 to 2; halos reach at most 4 x as many units of L* beyond the local range.
        grain_strength: above 0 to 20, standard deviation in levels in the middle tones.
        colour_strength: above 0 to 1, share of the cast that is taken away.

    Raises:
        InputError: a number out of its range.
    """

    def __init__(
        self,
        upscale_model_path: str = "",
        upscale_factor: float = 2.0,
        upscale_device: str = "auto",
        denoise_strength: float = 0.7,
        sharpen_strength: float = 0.5,
        grain_strength: float = 2.0,
        colour_strength: float = 1.0,
    ) -> None:
        self.upscale_model_path, self.upscale_device = str(upscale_model_path), upscale_device
        self.upscale_factor = _within("upscale_factor", upscale_factor, 1, 8)
        self.denoise_strength = _within("denoise_strength", denoise_strength, 0, 1)
        self.sharpen_strength = _within("sharpen_strength", sharpen_strength, 0, 2)
        self.grain_strength = _within("grain_strength", grain_strength, 0, 20)
        self.colour_strength = _within("colour_strength", colour_strength, 0, 1)

    @cached_property
    def version(self) -> str:
        """Of the steps, their settings and the model's content: another one where the same pixels may change."""
        from selector.weights import content_tag

        numbers = {key: value for key, value in vars(self).items() if key.endswith(("factor", "strength"))}
        path = Path(self.upscale_model_path)
        model = "" if not self.upscale_model_path else content_tag(path) if path.is_file() else "absent"
        return f"{VERSION}-{stable_hash([numbers, model], 8)}"

    def check(self, name: str) -> None:
        """Raise ``InputError`` for a chain with an unknown step, ``MissingPart`` for a missing model or package."""
        steps = steps_of(name)
        for package, pip in (("cv2", "opencv-python-headless"), ("PIL", "pillow")):
            if importlib.util.find_spec(package) is None:
                raise MissingPart(f"finishing needs {package}, which is not installed: pip install {pip}")
        if "upscale" in steps and self.upscale_model_path:
            from selector.sight.onnx_session import check_onnx, model_file

            model_file(self.upscale_model_path, "finish", "a super-resolution model", "upscale_model_path")
            check_onnx(self.upscale_device)

    def apply(self, inputs: TaskInputs, rgb: Pixels, name: str, seed: int) -> Made:
        """Carry out the chain.

        Args:
            inputs: the task of the picture.
            rgb: (H, W, 3) uint8; stays as it is.
            name: the chain.
            seed: 0 or more, of the grain.

        Returns:
            (H', W', 3) uint8; ``finish`` in the notes tells each step with what it measured.

        Raises:
            InputError: unknown step, or a model of another form. MissingPart: as ``check``. Declined: a step makes
            no sense for this task or picture. GenerationFailed: no such array, or too little memory.
        """
        pixels = _checked(rgb)
        done: list[JSONValue] = []
        for step in steps_of(name):
            pixels, notes = self._step(inputs, pixels, step, seed)
            done.append({"step": step, **notes})
        return Made(pixels.copy() if pixels is rgb else pixels, {"finish": done})

    def _step(self, inputs: TaskInputs, rgb: Pixels, step: str, seed: int) -> Stepped:
        from selector.finishing import colours, detail
        from selector.sight.colour_spaces import to_floats, to_pixels

        if step == "upscale":
            return self._upscale(inputs, rgb)
        if step == "denoise":
            return detail.denoise(rgb, self.denoise_strength)
        if step == "sharpen":
            return to_pixels(detail.sharpen(to_floats(rgb), "edges", self.sharpen_strength)), {}
        if step == "grain":
            return detail.grain(rgb, self.grain_strength, seed)
        return colours.match_colours(inputs, rgb, self.colour_strength)

    def _upscale(self, inputs: TaskInputs, rgb: Pixels) -> Stepped:
        from selector.finishing import enlarge

        is_edit, size = inputs.source is not None, (rgb.shape[1], rgb.shape[0])
        if is_edit and not self.upscale_model_path:
            raise Declined("upscale: an edit keeps its source's size, so enlarging it without a model changes nothing")
        target = size if is_edit else enlarge.target_size(size, self.upscale_factor)
        if not self.upscale_model_path:
            return enlarge.resized(rgb, target), {"by": "lanczos", "size_px": list(target)}
        enlarger = enlarge.open_enlarger(self.upscale_model_path, self.upscale_device)
        large, scale = enlarge.enlarged(rgb, enlarger)
        return enlarge.resized(large, target), {"by": enlarger.name, "scale": scale, "size_px": list(target)}


def steps_of(name: str) -> tuple[str, ...]:
    """The steps of a chain in their order; raises ``InputError`` for an unknown one or one that stands twice."""
    steps = tuple(step.strip() for step in name.split("+"))
    for step in steps:
        if step not in STEPS:
            raise InputError(f"finish '{name}' has the unknown step '{step}'{near_or_all(step, STEPS)}")
    if len(set(steps)) < len(steps):
        raise InputError(f"finish '{name}' has a step twice: name each once and set its strength in [finish]")
    return steps


def _within(name: str, value: Any, low: float, high: float) -> float:
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not right or not low < value <= high:
        raise InputError(f"[finish] {name} must be a number above {low} and at most {high}, got {value!r}")
    return float(value)


def _checked(rgb: Any) -> Pixels:
    import numpy as np

    if not (isinstance(rgb, np.ndarray) and rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3):
        got: Sequence[object] = (type(rgb).__name__, getattr(rgb, "shape", ""), getattr(rgb, "dtype", ""))
        raise GenerationFailed(f"a finish needs an RGB array (H, W, 3) of uint8, got {' '.join(map(str, got)).strip()}")
    if min(rgb.shape[:2]) < 1:
        raise GenerationFailed(f"the image to be finished is empty: {rgb.shape[1]} x {rgb.shape[0]} px")
    return rgb
