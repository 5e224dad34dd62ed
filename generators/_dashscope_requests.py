"""Requests to DashScope: bodies by protocol, and the parameters that a model or a function takes.

What checks a setting raises ``InputError``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generators._dashscope_models import BOTH, Model, checked_size
from selector.domain import InputError, JSONValue
from selector.prompts.wording import CAPTION, INSTRUCTION, cut

FUNCTIONS = (  # of wanx2.1-imageedit
    "description_edit",
    "description_edit_with_mask",
    "stylization_all",
    "stylization_local",
    "remove_watermark",
    "expand",
    "super_resolution",
    "colorization",
    "doodle",
    "control_cartoon_feature",
)
WITH_STRENGTH = ("stylization_all", "description_edit")
NEGATIVE_CHARACTERS = 500
DESCRIBED = ("expand", "colorization", "doodle", "control_cartoon_feature")  # by a description, not by what to change
_OWN = ("n", "seed", "size", "prompt_extend", "negative_prompt", "watermark")


@dataclass(frozen=True)
class Wishes:
    """What a campaign asks of every image of a generator; ``parameters`` go out as they are, beside seed and n."""

    function: str = ""
    negative_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def body_of(
    model: Model, wishes: Wishes, prompt: str, seed: int, n: int, source: str = "", mask: str = ""
) -> dict[str, Any]:
    """The request for ``n`` images from ``seed`` on; ``source`` and ``mask`` are ``data:`` addresses.

    ``n`` is said wherever the model takes it: left out, it can be 4, and each is charged. The size is that of pictures
    from words alone: an edit has its source's proportions.
    """
    count = {"n": n} if model.counts else {}
    parameters = {k: v for k, v in wishes.parameters.items() if k != "size" or not source} | {"seed": seed, **count}
    negative = {"negative_prompt": wishes.negative_prompt} if wishes.negative_prompt else {}
    if model.way.messages:
        pictures = [{"image": source}] if source else []
        message = {"role": "user", "content": [*pictures, {"text": prompt}]}
        return {"model": model.name, "input": {"messages": [message]}, "parameters": {**parameters, **negative}}
    given: dict[str, Any] = {"prompt": prompt, **negative}
    if model.protocol == "imageedit":
        given |= {"function": wishes.function, "base_image_url": source}
    elif model.protocol == "image2image":
        given["images"] = [source]
    if mask:
        given["mask_image_url"] = mask
    return {"model": model.name, "input": given, "parameters": parameters}


def function_of(model: Model, function: str) -> str:
    """The function by name; "" for a model that has none."""
    if function and model.protocol != "imageedit":
        raise InputError(f"dashscope: {model.name} has no functions: take model = wanx2.1-imageedit, or leave it out")
    if function and function not in FUNCTIONS:
        raise InputError(f"dashscope: function must be one of {', '.join(FUNCTIONS)}, got '{function}'")
    return function or (FUNCTIONS[0] if model.protocol == "imageedit" else "")


def prompt_form_of(model: Model, function: str) -> str:
    """How the model likes its prompts: some functions are told what the whole picture is to show.

    "" for a model of both kinds: the usual of the task.
    """
    if model.makes == BOTH:
        return ""
    return INSTRUCTION if model.edits and function not in DESCRIBED else CAPTION


def general(
    model: Model, size: str, prompt_extend: bool, watermark: bool, extra: Mapping[str, JSONValue]
) -> dict[str, Any]:
    """Size, rewriting and mark, where the model has them, and whatever else a campaign wants said."""
    own = next((name for name in extra if name in _OWN), "")
    if own:
        raise InputError(f"dashscope: extra must not hold '{own}', which is a setting or set by the program")
    if prompt_extend and not model.extends:
        raise InputError(f"dashscope: {model.name} takes no prompt_extend: leave it out")
    if watermark and not model.marks:
        raise InputError(f"dashscope: {model.name} takes no watermark: leave it out")
    checked = checked_size(model, size)
    rewriting = {"prompt_extend": prompt_extend} if model.extends else {}
    mark = {"watermark": watermark} if model.marks else {}
    return {**({"size": checked} if checked else {}), **mark, **rewriting, **extra}


def negative(model: Model, negative_prompt: str) -> str:
    """The negative prompt, cut where the service cuts it."""
    if negative_prompt and not model.negates:
        raise InputError(f"dashscope: {model.name} takes no negative_prompt: leave it out")
    return cut(negative_prompt, NEGATIVE_CHARACTERS)


def of_the_function(
    function: str, strength: float | None, expand: Sequence[float], upscale_factor: int, is_sketch: bool
) -> dict[str, Any]:
    """The parameters that only one function has."""
    if strength is not None and (function not in WITH_STRENGTH or not 0 <= strength <= 1):
        raise InputError(f"dashscope: strength is 0 to 1, for {' and '.join(WITH_STRENGTH)} only, got {strength}")
    if len(expand) != 4 or not all(1 <= scale <= 2 for scale in expand):
        raise InputError(f"dashscope: expand is 1 to 2 for left, right, top and bottom, got {list(expand)}")
    if upscale_factor not in (1, 2, 3, 4):
        raise InputError(f"dashscope: upscale_factor is 1, 2, 3 or 4, got {upscale_factor}")
    if function == "expand":
        return {f"{side}_scale": scale for side, scale in zip(("left", "right", "top", "bottom"), expand, strict=True)}
    own: dict[str, Any] = {} if strength is None else {"strength": strength}
    own |= {"upscale_factor": upscale_factor} if function == "super_resolution" else {}
    return own | ({"is_sketch": is_sketch} if function == "doodle" else {})
