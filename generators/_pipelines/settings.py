"""What the user has set, checked while it is cheap: each message names the setting, what came and what would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generators._pipelines import model_folder, presets
from generators._pipelines.passes import RESERVED
from generators._pipelines.presets import Preset
from selector.domain import BestshotError, InputError, JSONValue, raise_shortage


def preset_of(preset: str, model: str, model_path: str) -> Preset:
    if preset:
        return presets.preset_named(preset)
    pipeline = ""
    if model_path:
        try:
            pipeline = model_folder.read_folder(Path(model_path).expanduser()).pipeline
        except BestshotError as error:
            raise_shortage(error)
            pipeline = ""  # check() tells of it
    return presets.preset_for(model, pipeline)


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
