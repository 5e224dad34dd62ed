"""Settings of a campaign, checked against what the model takes. All raise ``InputError``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generators.dashscope_api.models import FUNCTIONS, NEGATIVE_CHARACTERS, WITH_STRENGTH, Model, checked_size
from selector.domain import InputError
from selector.prompts.wording import CAPTION, INSTRUCTION, cut

DESCRIBED = ("expand", "colorization", "doodle", "control_cartoon_feature")  # by a description, not by what to change


def function_of(model: Model, function: str) -> str:
    """The function by name; "" for a model that has none."""
    if model.form != "function":
        if function:
            raise InputError(
                f"dashscope: {model.name} has no functions: take model = wanx2.1-imageedit, or leave it out"
            )
        return ""
    if function and function not in FUNCTIONS:
        raise InputError(f"dashscope: function must be one of {', '.join(FUNCTIONS)}, got '{function}'")
    return function or FUNCTIONS[0]


def prompt_form_of(model: Model, function: str) -> str:
    """How the model likes its prompts: some functions are told what the whole picture is to show."""
    return INSTRUCTION if model.edits and function not in DESCRIBED else CAPTION


def general(model: Model, size: str, prompt_extend: bool) -> dict[str, Any]:
    """Size and rewriting, where the model has them."""
    if prompt_extend and not model.extends:
        raise InputError(f"dashscope: {model.name} takes no prompt_extend: leave it out")
    checked = checked_size(model, size)
    return ({"size": checked} if checked else {}) | ({"prompt_extend": prompt_extend} if model.extends else {})


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
