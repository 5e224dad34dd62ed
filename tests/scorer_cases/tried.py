"""The registered scorers that can be tried here, in all their forms, each made once in a process."""

from __future__ import annotations

import importlib.util
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from scorer_cases import CASES
from scorer_cases.cases import made, scorer_name
from selector.domain import Scorer
from selector.registry import scorer_names

_models = tempfile.TemporaryDirectory(prefix="scorer_cases_")  # goes with the process

NAMES = scorer_names()
TRIED = [case for case in CASES if scorer_name(case) in NAMES]


def is_here(name: str) -> bool:
    """Whether the package that the scorer adapts is installed."""
    package = CASES[name].package
    return not package or importlib.util.find_spec(package) is not None


@lru_cache(maxsize=64)
def arguments_of(name: str) -> dict[str, Any]:
    """What makes the scorer, here and in another process; its small models are written now."""
    return CASES[name].arguments(name, Path(_models.name))


@lru_cache(maxsize=64)
def scorer_of(name: str) -> Scorer:
    """The scorer, or a skipped test where the package that it adapts is not installed."""
    if not is_here(name):
        pytest.skip(f"the package {CASES[name].package} is not installed")
    return made(**arguments_of(name))
