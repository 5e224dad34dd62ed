"""``prior.json``: the weights that an earlier campaign learned, kept as this one's prior."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selector.domain import InputError
from selector.domain.files import write_atomically

PRIOR_FILE = "prior.json"
_LEAST_SD = 1e-6  # written for what is known exactly: a prior needs some width


@dataclass(frozen=True)
class BorrowedPrior:
    """``source`` names the earlier campaign; ``effects`` are effect keys with (mean, sd), finite, sd above 0."""

    source: str
    effects: Mapping[str, tuple[float, float]]


def save_prior(folder: Path, effects: Mapping[str, tuple[float, float]], source: str) -> Path:
    """Keep weights of an earlier campaign as this one's prior."""
    path = folder / PRIOR_FILE
    data = {"from": source, "effects": {k: [m, max(s, _LEAST_SD)] for k, (m, s) in sorted(effects.items())}}
    write_atomically(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())
    return path


def load_prior(folder: Path) -> BorrowedPrior | None:
    """The prior that ``calibrate --prior-from`` brought, None if there is none.

    Raises:
        InputError: the file cannot be read, or says something else than finite means and sds above 0.
    """
    path = folder / PRIOR_FILE
    if not path.exists():
        return None
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(data, dict) or not isinstance(data.get("from"), str):
        raise _unreadable('"from" must name the earlier campaign')
    if not isinstance(data.get("effects"), dict):
        raise _unreadable('"effects" must map weights to [mean, sd]')
    return BorrowedPrior(data["from"], {key: _effect(key, value) for key, value in data["effects"].items()})


def _effect(key: str, value: Any) -> tuple[float, float]:
    try:
        mean, sd = (float(number) for number in value)
    except (ValueError, TypeError, OverflowError):
        mean = sd = math.nan
    if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        raise _unreadable(f"'{key}' must be [mean, sd], both finite and sd above 0, got {value!r}")
    return mean, sd


def _unreadable(what: str) -> InputError:
    return InputError(
        f"{PRIOR_FILE} cannot be read ({what}): delete it; `bestshot calibrate --prior-from` brings it again"
    )
