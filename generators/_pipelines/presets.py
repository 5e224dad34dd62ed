"""What each known model wants (facts of the models' own pages), and the settings that are checked against it.

Tests check every preset against the installed diffusers: the class, the names of the parameters, defaults relied on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from generators._pipelines.model_folder import read_folder
from selector.domain import BestshotError, InputError, JSONValue, TaskType, raise_shortage
from selector.domain.files import expanded
from selector.prompts.wording import CAPTION, INSTRUCTION, KONTEXT, TAGS
from selector.sight import embedded

# text: from the prompt alone; edit: by an instruction, the source beside it; image: the source noised by `strength`
# and made anew; inpaint: only a masked part of it; auto: text, and inpaint or image for edits.
Mode = Literal["auto", "text", "edit", "image", "inpaint"]
MODES: tuple[Mode, ...] = ("auto", "text", "edit", "image", "inpaint")
# What passes set themselves; `call` must not.
RESERVED = frozenset(
    {"prompt", "image", "mask_image", "generator", "num_images_per_prompt", "num_inference_steps", "output_type"}
    | {"callback_on_step_end", "callback_on_step_end_tensor_inputs", "callback", "callback_steps", "return_dict"}
    | {"latents", "width", "height", "strength"}
)
EDITS = frozenset({TaskType.TIE, TaskType.VTTIE})
MEGAPIXEL = 1024 * 1024
_QWEN_ASPECTS = {
    "1:1": (1328, 1328),
    "16:9": (1664, 928),
    "9:16": (928, 1664),
    "4:3": (1472, 1140),
    "3:4": (1140, 1472),
    "3:2": (1584, 1056),
    "2:3": (1056, 1584),
}
_QWEN_CALL = {"true_cfg_scale": 4.0, "negative_prompt": " "}  # without a negative prompt the scale has no effect
_TEXT_AND_EDITS = ("StableDiffusionPipeline", "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline")
_STABLE_DIFFUSION = ("StableDiffusionPipeline", "StableDiffusionImg2Img", "StableDiffusionInpaint")  # 77 tokens
_READ_LONG_TEXTS = ("StableDiffusion3", "Flux", "CogView", "QwenImage")
_EDITOR_WORDS = ("Edit", "Kontext", "InstructPix2Pix")


@dataclass(frozen=True)
class Preset:
    """Facts of a model.

    Attributes:
        model: its repository on the hub.
        pipeline: diffusers' class that its folder names.
        call: parameters of the pipeline's call.
        relies_on: defaults of the call that must be as said here, because nothing is passed for them.
        size_px: (width, height) of a picture from text; None is the pipeline's own.
        aspects: sizes by aspect ratio, where the model was trained on a table of them.
        area_px: what an edit is made at, in the source's proportions; 0 is the area of the pipeline's own size.
        canvases: "module:name" of diffusers' own list of (width, height) that an edit must choose from.
        multiple: of what a side must be.
        trained_in: the dtype that it is known to work with; "" is not known.
        batch: seeds in one pass, unless the memory says otherwise.
        prompt_form: how it likes its prompts, a name of ``selector.prompts.wording``; "" is the usual of the task.
        folder: of a model that travels with this package, instead of ``model``.
        dtype_on_cpu: instead of the device's best; "" leaves the choice to the device.
        reads_all: whether it reads other scripts than the Latin one, though its text encoder is CLIP's.
    """

    name: str
    model: str = ""
    pipeline: str = ""
    mode: Mode = "auto"
    steps: int | None = None
    call: Mapping[str, JSONValue] = field(default_factory=dict)
    relies_on: Mapping[str, JSONValue] = field(default_factory=dict)
    size_px: tuple[int, int] | None = None
    aspects: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    area_px: int = 0
    canvases: str = ""
    multiple: int = 8
    strength: float = 0.6
    trained_in: str = ""
    batch: int = 4
    licence: str = ""
    prompt_form: str = ""
    folder: Path | None = None
    dtype_on_cpu: str = ""
    reads_all: bool = False


_COGVIEW = Preset("cogview4", "zai-org/CogView4-6B", "CogView4Pipeline", "text", 50, {"guidance_scale": 3.5},
                  size_px=(1024, 1024), multiple=16, trained_in="bf16", batch=2, licence="Apache-2.0",
                  prompt_form=CAPTION)  # fmt: skip

_ALL = (
    _COGVIEW,
    replace(_COGVIEW, name="cogview4-baseline", size_px=(512, 512), batch=4),  # the contest's baseline
    Preset("qwen-image", "Qwen/Qwen-Image", "QwenImagePipeline", "text", 50, _QWEN_CALL, {"guidance_scale": None},
           (1328, 1328), _QWEN_ASPECTS, MEGAPIXEL, multiple=16, trained_in="bf16", batch=1, licence="Apache-2.0",
           prompt_form=CAPTION),
    Preset("qwen-image-edit", "Qwen/Qwen-Image-Edit", "QwenImageEditPipeline", "edit", 50, _QWEN_CALL,
           {"guidance_scale": None}, area_px=MEGAPIXEL, multiple=32, trained_in="bf16", batch=1, licence="Apache-2.0",
           prompt_form=INSTRUCTION),
    Preset("qwen-image-edit-plus", "Qwen/Qwen-Image-Edit-2509", "QwenImageEditPlusPipeline", "edit", 40, _QWEN_CALL,
           {"guidance_scale": None}, area_px=MEGAPIXEL, multiple=32, trained_in="bf16", batch=1, licence="Apache-2.0",
           prompt_form=INSTRUCTION),
    Preset("flux-kontext", "black-forest-labs/FLUX.1-Kontext-dev", "FluxKontextPipeline", "edit", 28,
           {"guidance_scale": 2.5}, {"true_cfg_scale": 1.0, "_auto_resize": True}, area_px=MEGAPIXEL,
           canvases="diffusers.pipelines.flux.pipeline_flux_kontext:PREFERRED_KONTEXT_RESOLUTIONS", multiple=16,
           trained_in="bf16", batch=1, licence="FLUX.1 [dev] non-commercial", prompt_form=KONTEXT),
    Preset("sdxl", "stabilityai/stable-diffusion-xl-base-1.0", "StableDiffusionXLPipeline", "auto", 50,
           {"guidance_scale": 5.0}, size_px=(1024, 1024), area_px=MEGAPIXEL, batch=2,
           licence="CreativeML Open RAIL++-M", prompt_form=TAGS),
    Preset("sd15", "stable-diffusion-v1-5/stable-diffusion-v1-5", "StableDiffusionPipeline", "auto", 50,
           {"guidance_scale": 7.5}, size_px=(512, 512), area_px=512 * 512, licence="CreativeML Open RAIL-M",
           prompt_form=TAGS),
    Preset(embedded.NAME, "", "StableDiffusionPipeline", "text", 20, {"guidance_scale": 4.0}, size_px=(64, 64), batch=8,
           licence="Apache-2.0", prompt_form=CAPTION, folder=embedded.TEXT_TO_IMAGE, dtype_on_cpu="fp32",
           reads_all=True),  # coloured shapes and nothing else
)  # fmt: skip
PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})

# A folder of one of these classes is that model, whatever it is called; Stable Diffusion has many descendants.
_BY_CLASS = {
    PRESETS[name].pipeline: name for name in ("cogview4", "qwen-image", "qwen-image-edit", "qwen-image-edit-plus",
                                              "flux-kontext")
}  # fmt: skip


def preset_named(name: str) -> Preset:
    """The preset of this name. Raises ``InputError`` when there is none."""
    if name not in PRESETS:
        raise InputError(f"diffusers: there is no preset '{name}'; known are {', '.join(PRESETS)}")
    return PRESETS[name]


def preset_for(model: str, pipeline: str) -> Preset:
    """The preset of a hub id or of a folder of this pipeline class; else one that leaves all to the pipeline."""
    for preset in _ALL:
        if model and preset.model == model:
            return preset
    if pipeline in _BY_CLASS:
        return PRESETS[_BY_CLASS[pipeline]]
    return Preset("", pipeline=pipeline, mode=_mode_of(pipeline), multiple=8, prompt_form=_form_of(pipeline))


def _mode_of(pipeline: str) -> Mode:
    """What a pipeline can do, by the name of its class; "" (not known yet) is taken for one from text."""
    if "Inpaint" in pipeline:
        return "inpaint"
    if "Img2Img" in pipeline:
        return "image"
    if any(word in pipeline for word in _EDITOR_WORDS):
        return "edit"
    return "auto" if pipeline in _TEXT_AND_EDITS else "text"


def _form_of(pipeline: str) -> str:
    """What a pipeline's text encoder and training like, by the name of its class; "" where that is not known."""
    if "Kontext" in pipeline:
        return KONTEXT
    if any(word in pipeline for word in _EDITOR_WORDS):
        return INSTRUCTION
    if pipeline.startswith(_READ_LONG_TEXTS):
        return CAPTION
    return TAGS if pipeline.startswith(("StableDiffusionXL", *_STABLE_DIFFUSION)) else ""


def task_types_of(mode: Mode) -> frozenset[TaskType]:
    """The tasks that a mode does."""
    text = frozenset({TaskType.T2I})
    return text if mode == "text" else text | EDITS if mode == "auto" else EDITS


def preset_of(preset: str, model: str, model_path: str) -> Preset:
    if preset:
        return preset_named(preset)
    pipeline = ""
    if model_path:
        try:
            pipeline = read_folder(expanded(model_path)).pipeline
        except BestshotError as error:
            raise_shortage(error)  # check() tells of the others
    return preset_for(model, pipeline)


def folder_of(preset: Preset, model: str, model_path: str) -> str:
    """The folder that was given, else the one that travels with the package, else "".

    Raises:
        InputError: a hub's model for a preset that has its own.
    """
    if preset.folder is None or model_path:
        return model_path
    if model:
        raise InputError(f"diffusers: preset {preset.name!r} brings its model; leave model ({model!r}) or preset away")
    return str(preset.folder)


def among(setting: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"diffusers: {setting} must be one of {', '.join(known)}, got {value!r}")


def positive(setting: str, value: int | None) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise InputError(f"diffusers: {setting} must be a whole number from 1 on, got {value!r}")
    return value


def share(setting: str, value: float) -> float:
    if not 0 < value <= 1:
        raise InputError(f"diffusers: {setting} must be above 0 and at most 1, got {value!r}")
    return float(value)


def call_of(call: Mapping[str, JSONValue] | None) -> Mapping[str, JSONValue]:
    taken = sorted(RESERVED & set(call or {}))
    if taken:
        raise InputError(f"diffusers: call must not set {', '.join(taken)}; it has a setting, or is set by the program")
    return call or {}


def size_of(
    size: str | Sequence[int], width: int | None, height: int | None, aspect: str, preset: Preset
) -> tuple[int, int] | None:
    """(width, height) by the first of the settings that is given, else the preset's; None is the pipeline's own."""
    if aspect:
        if aspect not in preset.aspects:
            known = ", ".join(preset.aspects) or "none: set size"
            raise InputError(f"diffusers: this model's aspects are {known}; got {aspect!r}")
        return preset.aspects[aspect]
    sides: list[Any] = size.lower().replace("*", "x").split("x") if isinstance(size, str) and size else list(size)
    if width or height:
        sides = [width or 0, height or 0]
    if not sides:
        return preset.size_px
    try:
        wide, high = (int(side) for side in sides)
    except (TypeError, ValueError) as error:
        raise InputError(f'diffusers: size must be "WIDTHxHEIGHT" or [width, height], got {size!r}') from error
    for side in (wide, high):
        if side < 8 or side % preset.multiple:
            near = max(preset.multiple, round(side / preset.multiple) * preset.multiple)
            raise InputError(f"diffusers: sides must be multiples of {preset.multiple} px, got {side}; {near} is near")
    return wide, high
