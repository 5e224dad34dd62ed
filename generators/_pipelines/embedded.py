"""The preset ``embedded`` without diffusers: pictures of the model that travels with the package, on onnxruntime.

Which of the two runs it is decided here, in ``runs_on_onnx``: diffusers is for what is asked beyond a number of steps
and a guidance, such as another sampler or a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generators._pipelines.building import ModelSpec
from generators._pipelines.passes import Drawn
from generators._pipelines.presets import Preset
from selector.domain import JSONValue, Recipe
from selector.sight.embedded import SIDE_PX, TEXT_LENGTH
from selector.sight.embedded.drawing import draw
from selector.sight.embedded.tokenizer import embedded_tokenizer


def runs_on_onnx(preset: Preset, spec: ModelSpec, call: Mapping[str, Any], size_px: tuple[int, int] | None) -> bool:
    """Whether it is the packaged model with nothing asked for that onnxruntime is not to give."""
    packaged = preset.folder is not None and spec.path == str(preset.folder)
    on_cpu = spec.device in ("auto", "cpu") and spec.dtype in ("auto", "fp32")
    plain = not spec.scheduler and not spec.safety_checker and set(call) <= {"guidance_scale"}
    return packaged and on_cpu and plain and size_px == (SIDE_PX, SIDE_PX)


def draw_embedded(prompt: str, recipes: Sequence[Recipe], on_step: Callable[[int, int], None]) -> list[Drawn]:
    """One picture a recipe, which differ by the seed alone."""
    params: Any = recipes[0].params
    steps, done = int(params["steps"]), 0

    def after_step(_: int, __: int) -> None:
        nonlocal done
        done += 1
        on_step(done, steps * len(recipes))

    seeds = [recipe.seed for recipe in recipes]
    guidance = float(params["call"].get("guidance_scale", 1.0))
    return [Drawn(image, False, 1) for image in draw(prompt, seeds, steps, guidance, after_step)]


def facts_of(prompt: str) -> dict[str, JSONValue]:
    """What made the picture, for the notes, and what of the prompt was not read."""
    import onnxruntime

    known: dict[str, JSONValue] = {"scheduler": "DDIM", "dtype": "fp32", "device": "cpu"}
    known["onnxruntime"] = onnxruntime.__version__
    words = embedded_tokenizer()
    ids = words.ids(prompt)
    if len(ids) + 2 > TEXT_LENGTH:
        known |= {"prompt_tokens": len(ids) + 2, "prompt_cut": words.text(ids[TEXT_LENGTH - 2 :])}
    return known
