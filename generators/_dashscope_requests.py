"""The models of DashScope by name, as documented in 2025, and how each is asked.

Three ways of asking: ``text`` and ``function`` create a job that is polled; ``messages`` answers at once. A name that
is not in the table is tried as the family it looks like. Prices are CNY an image in the Beijing region; a campaign can
state others (``[services.dashscope] prices``). What checks a setting raises ``InputError``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from selector.domain import InputError
from selector.prompts.wording import CAPTION, INSTRUCTION, cut

Form = Literal["text", "function", "messages"]

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
_QWEN_SIZES = ("1328*1328", "1664*928", "1472*1104", "1104*1472", "928*1664")
DESCRIBED = ("expand", "colorization", "doodle", "control_cartoon_feature")  # by a description, not by what to change
_PLACE = "/api/v1/services/aigc/"
PLACES = {
    "text": f"{_PLACE}text2image/image-synthesis",
    "function": f"{_PLACE}image2image/image-synthesis",
    "messages": f"{_PLACE}multimodal-generation/generation",
}


@dataclass(frozen=True)
class Model:
    """Attributes:
    edits: makes an image from an image, not from text alone.
    price: CNY an image; None where it is not known.
    prompt_characters: the service cuts what is longer, and says nothing.
    size: "W*H" that is asked for unless a campaign says otherwise; "" where the model decides.
    sizes, sides_px, pixels: what a size may be: one of a list, its sides, its product (with sides of at most 1:4).
    upload_px: least and most px of a side of a picture that is sent.
    extends, negates: whether it takes prompt_extend, negative_prompt.
    most: images in one job.
    """

    name: str
    form: Form
    edits: bool = False
    price: float | None = None
    prompt_characters: int = 800
    size: str = ""
    sizes: tuple[str, ...] = ()
    sides_px: tuple[int, int] | None = None
    pixels: tuple[int, int] | None = None
    upload_px: tuple[int, int] = (512, 4096)
    extends: bool = True
    negates: bool = True
    most: int = 1
    known: bool = True


_WANX = Model("", "text", size="1024*1024", sides_px=(512, 1440), most=4)
_WAN_22 = replace(_WANX, prompt_characters=500)
_WAN_25 = replace(
    _WANX, prompt_characters=2000, size="1280*1280", sides_px=None, pixels=(768 * 768, 1440 * 1440), price=0.20
)
_WAN_26 = replace(_WAN_25, form="messages", prompt_characters=2100, most=1)
_QWEN = Model("", "messages", size="1328*1328", sizes=_QWEN_SIZES)
_QWEN_EDIT = Model("", "messages", edits=True, upload_px=(384, 3072))

MODELS = {
    "wanx2.0-t2i-turbo": replace(_WANX, price=0.04),
    "wanx2.1-t2i-turbo": replace(_WANX, price=0.14),
    "wanx2.1-t2i-plus": replace(_WANX, price=0.20),
    "wan2.2-t2i-flash": replace(_WAN_22, price=0.14),
    "wan2.2-t2i-plus": replace(_WAN_22, price=0.20),
    "wan2.5-t2i-preview": _WAN_25,
    "wan2.6-t2i": _WAN_26,
    "wanx2.1-imageedit": Model("", "function", edits=True, price=0.14, extends=False, negates=False, most=4),
    "qwen-image": replace(_QWEN, price=0.25),
    "qwen-image-plus": replace(_QWEN, price=0.20),
    "qwen-image-max": replace(_QWEN, price=0.50),
    "qwen-image-edit": replace(_QWEN_EDIT, price=0.30, extends=False),
    "qwen-image-edit-plus": replace(_QWEN_EDIT, price=0.20),
    "qwen-image-edit-max": replace(_QWEN_EDIT, price=0.50),
}
# Of a model that is not in the table only what its family surely has: no bounds of its size, no price.
_FAMILIES = (
    ("qwen-image-edit", _QWEN_EDIT),
    ("qwen-image", replace(_QWEN, sizes=(), size="")),
    ("wan2.6", replace(_WAN_26, pixels=None, price=None, size="")),
    ("", replace(_WANX, sides_px=None, size="")),
)


def model_named(name: str) -> Model:
    """The facts of a model; of an unknown one (``known`` is False) those of its family."""
    if not name.strip():
        raise InputError("dashscope: model is empty: name one, such as wanx2.1-t2i-turbo")
    if name in MODELS:
        return replace(MODELS[name], name=name)
    family = next(facts for start, facts in _FAMILIES if name.startswith(start))
    return replace(family, name=name, known=False)


def checked_size(model: Model, size: str) -> str:
    """``size`` as the service writes it ("W*H"; "WxH" is read too), or the model's own where it is empty.

    Raises:
        InputError: it is no size, or none that the model makes.
    """
    if not size:
        return model.size
    if model.edits:
        raise InputError(f"dashscope: {model.name} takes no size: the result has the source's")
    try:
        width, height = (int(side) for side in size.lower().replace("x", "*").split("*"))
    except ValueError:
        raise InputError(f"dashscope: size must be like 1024*1024, got '{size}'") from None
    allowed = _what_it_may_be(model, width, height)
    if allowed:
        raise InputError(f"dashscope: a size of {model.name} must {allowed}, got {width}*{height}")
    return f"{width}*{height}"


def _what_it_may_be(model: Model, width: int, height: int) -> str:
    """The rule that a size breaks; "" for none."""
    if width < 1 or height < 1:
        return "have two sides"
    if model.sizes and f"{width}*{height}" not in model.sizes:
        return "be one of " + ", ".join(model.sizes)
    if model.sides_px and not all(model.sides_px[0] <= side <= model.sides_px[1] for side in (width, height)):
        return f"have sides of {model.sides_px[0]} to {model.sides_px[1]} px"
    if model.pixels and not (model.pixels[0] <= width * height <= model.pixels[1]):
        return f"have {model.pixels[0]} to {model.pixels[1]} px in all"
    if model.pixels and max(width, height) > 4 * min(width, height):
        return "have proportions of at most 4 to 1"
    return ""


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

    ``n`` is always said: left out, it is 4, and each is charged.
    """
    parameters = {**wishes.parameters, "seed": seed, "n": n}
    negative = {"negative_prompt": wishes.negative_prompt} if wishes.negative_prompt else {}
    if model.form == "messages":
        pictures = [{"image": source}] if source else []
        message = {"role": "user", "content": [*pictures, {"text": prompt}]}
        return {"model": model.name, "input": {"messages": [message]}, "parameters": {**parameters, **negative}}
    given: dict[str, Any] = {"prompt": prompt, **negative}
    if model.form == "function":
        given |= {"function": wishes.function, "base_image_url": source}
    if mask:
        given["mask_image_url"] = mask
    return {"model": model.name, "input": given, "parameters": parameters}


def function_of(model: Model, function: str) -> str:
    """The function by name; "" for a model that has none."""
    if function and model.form != "function":
        raise InputError(f"dashscope: {model.name} has no functions: take model = wanx2.1-imageedit, or leave it out")
    if function and function not in FUNCTIONS:
        raise InputError(f"dashscope: function must be one of {', '.join(FUNCTIONS)}, got '{function}'")
    return function or (FUNCTIONS[0] if model.form == "function" else "")


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
