"""The bodies of requests, by the three ways of asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generators.dashscope_api.models import Model

_PLACE = "/api/v1/services/aigc/"
PLACES = {
    "text": f"{_PLACE}text2image/image-synthesis",
    "function": f"{_PLACE}image2image/image-synthesis",
    "messages": f"{_PLACE}multimodal-generation/generation",
}


@dataclass(frozen=True)
class Wishes:
    """What a campaign asks of every image of a generator; ``parameters`` go out as they are, beside seed and n."""

    function: str = ""
    negative_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Upload:
    """Pictures of a request, as ``data:`` addresses."""

    source: str = ""
    mask: str = ""


def body_of(model: Model, wishes: Wishes, prompt: str, seed: int, n: int, upload: Upload) -> dict[str, Any]:
    """The request for ``n`` images from ``seed`` on. ``n`` is always said: left out, it is 4, and each is charged."""
    parameters = {**wishes.parameters, "seed": seed, "n": n}
    negative = {"negative_prompt": wishes.negative_prompt} if wishes.negative_prompt else {}
    if model.form == "messages":
        pictures = [{"image": upload.source}] if upload.source else []
        message = {"role": "user", "content": [*pictures, {"text": prompt}]}
        return {"model": model.name, "input": {"messages": [message]}, "parameters": {**parameters, **negative}}
    given: dict[str, Any] = {"prompt": prompt, **negative}
    if model.form == "function":
        given |= {"function": wishes.function, "base_image_url": upload.source}
    if upload.mask:
        given["mask_image_url"] = upload.mask
    return {"model": model.name, "input": given, "parameters": parameters}
