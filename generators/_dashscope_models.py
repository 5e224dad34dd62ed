"""The models of DashScope by name, from ``dashscope_models.toml``, and the ways in which the service is asked.

What checks a setting raises ``InputError``. Nothing is concluded from a name: a model that the table lacks needs its
protocol from the configuration.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from selector.domain import InputError
from selector.domain.words import did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT, EDITS, BOTH = "text", "edits", "both"
DEFAULT_MODEL = "wanx2.1-t2i-turbo"
_PLACE = "/api/v1/services/aigc/"
_DATE = re.compile(r"-20\d\d-\d\d-\d\d$")
_SIZE = re.compile(r"([1-9]\d{0,4})[*x]([1-9]\d{0,4})", re.IGNORECASE)


@dataclass(frozen=True)
class Protocol:
    """A way of asking. ``job``: the answer is a job's id, else the pictures. ``messages``: the prompt and the pictures
    are the content of a message, else fields."""

    place: str
    job: bool
    messages: bool
    makes: str
    told: str  # what it is, for whoever has to choose


PROTOCOLS: Mapping[str, Protocol] = {
    "messages": Protocol(f"{_PLACE}multimodal-generation/generation", False, True, BOTH, "answers at once"),
    "messages-job": Protocol(f"{_PLACE}image-generation/generation", True, True, BOTH, "the same as a job"),
    "text2image": Protocol(f"{_PLACE}text2image/image-synthesis", True, False, TEXT, "a job from words"),
    "image2image": Protocol(f"{_PLACE}image2image/image-synthesis", True, False, EDITS, "a job from pictures"),
    "imageedit": Protocol(f"{_PLACE}image2image/image-synthesis", True, False, EDITS, "a job with a `function`"),
}


@dataclass(frozen=True)
class Model:
    """What is known of a model; the fields are explained at the head of the table."""

    name: str
    protocol: str
    makes: str
    source: str = ""
    price: float | None = None
    most: int = 1
    counts: bool = True
    references: int = 1
    prompt_characters: int = 800
    size: str = ""
    sizes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    sides_px: tuple[int, int] | None = None
    pixels: tuple[int, int] | None = None
    proportions: float = 0.0
    upload_px: tuple[int, int] = (512, 4096)
    extends: bool = True
    negates: bool = True
    marks: bool = True

    @property
    def way(self) -> Protocol:
        return PROTOCOLS[self.protocol]

    @property
    def edits(self) -> bool:
        """Whether it works from a picture, alone or besides."""
        return self.makes != TEXT


@lru_cache(maxsize=1)
def known_models() -> Mapping[str, Model]:
    """Every model of the table, by name."""
    table = tomllib.loads(Path(__file__).with_name("dashscope_models.toml").read_text(encoding="utf-8"))
    return {name: Model(name=name, **_facts(table, name)) for name in table}


def model_named(name: str, protocol: str = "") -> Model:
    """The facts of a model; ``protocol``: how it is asked instead.

    Raises:
        InputError: there is no such protocol, or the table lacks the model and no protocol is given.
    """
    if not name.strip():
        raise InputError(f"dashscope: model is empty: name one, such as {DEFAULT_MODEL}")
    if protocol and protocol not in PROTOCOLS:
        raise InputError(f"dashscope: there is no protocol '{protocol}': take one of {_ways()}")
    known = known_models().get(name) or known_models().get(_DATE.sub("", name))
    if known is not None:
        return replace(known, name=name, protocol=protocol or known.protocol)
    if protocol:
        return Model(name, protocol, PROTOCOLS[protocol].makes)
    raise InputError(
        f"dashscope: the model '{name}' is not in the table{did_you_mean(name, tuple(known_models()))}: say how it is "
        f'asked, as in `protocol = "messages"` below [generators.NAME]; there are {_ways()}'
    )


def checked_size(model: Model, size: str) -> str:
    """``size`` as the service writes it ("W*H"; "WxH" is read too), or the model's own where it is empty.

    Raises:
        InputError: it is no size, or none that the model makes.
    """
    if not size:
        return model.size
    if model.makes == EDITS:
        raise InputError(f"dashscope: {model.name} takes no size: the result has the source's")
    if size.upper() in model.words:
        return size.upper()
    sides = _SIZE.fullmatch(size)
    if sides is None:
        by_name = f" or one of {', '.join(model.words)}" if model.words else ""
        raise InputError(f"dashscope: size must be like 1024*1024{by_name}, got '{size}'")
    width, height = int(sides[1]), int(sides[2])
    allowed = _what_it_may_be(model, width, height)
    if allowed:
        raise InputError(f"dashscope: a size of {model.name} must {allowed}, got {width}*{height}")
    return f"{width}*{height}"


def _what_it_may_be(model: Model, width: int, height: int) -> str:
    """The rule that a size breaks; "" for none."""
    if model.sizes and f"{width}*{height}" not in model.sizes:
        return "be one of " + ", ".join(model.sizes)
    if model.sides_px and not all(model.sides_px[0] <= side <= model.sides_px[1] for side in (width, height)):
        return f"have sides of {model.sides_px[0]} to {model.sides_px[1]} px"
    if model.pixels and not (model.pixels[0] <= width * height <= model.pixels[1]):
        return f"have {model.pixels[0]} to {model.pixels[1]} px in all"
    if model.proportions and max(width, height) > model.proportions * min(width, height):
        return f"have proportions of at most {model.proportions:g} to 1"
    return ""


def _ways() -> str:
    return ", ".join(f"{name} ({way.told})" for name, way in PROTOCOLS.items())


def _facts(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A row's facts over those of the row that it is like; lists as tuples."""
    row: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in table[name].items()}
    like = str(row.pop("like", ""))
    return {**(_facts(table, like) if like else {}), **row}
