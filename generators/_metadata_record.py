"""What is known of how a picture was made, and the names that tools give to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from selector.domain import JSONValue

MAX_PROMPT_CHARACTERS = 8_000
MAX_WORD_CHARACTERS = 300  # of a model's or sampler's name
_NAMES = {
    "prompt": ("positive_prompt", "prompt"),
    "negative_prompt": ("negative_prompt", "negativeprompt", "negative", "uc"),
    "model": ("model_weights", "base_model", "base_model_name", "use_stable_diffusion_model", "stable_diffusion_model",
              "model"),
    "sampler": ("sampler", "sampler_name", "scheduler"),
    "steps": ("steps", "num_inference_steps"),
}  # fmt: skip


@dataclass(frozen=True)
class ImageMetadata:
    """What a tool recorded; None where it recorded nothing. ``remark`` says what could not be read."""

    tool: str | None = None
    seed: int | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    model: str | None = None
    sampler: str | None = None
    steps: int | None = None
    remark: str | None = None

    def as_notes(self) -> dict[str, JSONValue]:
        """The fields that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def by_names(tool: str | None, found: Mapping[str, Any]) -> ImageMetadata:
    """What a record of named values holds, by the names that the tools give to them."""
    values = {field: next((found[name] for name in names if found.get(name)), None) for field, names in _NAMES.items()}
    prompt, model = values["prompt"], values["model"]
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name")
    if isinstance(prompt, list):
        prompt = prompt[0]["prompt"]
    return ImageMetadata(
        tool=tool,
        seed=_whole(found.get("seed")),
        prompt=_text(prompt, MAX_PROMPT_CHARACTERS),
        negative_prompt=_text(values["negative_prompt"], MAX_PROMPT_CHARACTERS),
        model=_text(model, MAX_WORD_CHARACTERS),
        sampler=_text(values["sampler"], MAX_WORD_CHARACTERS),
        steps=_whole(values["steps"]),
    )


def _whole(value: Any) -> int | None:
    """A whole number of reasonable size, or None. -1 asks for a seed by chance and is none."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 2**80 else ""
    return int(text) if re.fullmatch(r"\d{1,20}", text.strip()) else None


def _text(value: Any, most: int) -> str | None:
    return value.strip()[:most] or None if isinstance(value, str) else None
