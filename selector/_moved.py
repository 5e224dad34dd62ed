"""Old names of modules that documents of earlier versions taught: plug-ins that import them still work, and warn."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PACKAGES = {  # their other modules keep their names, or are GONE
    "selector.calibration": "selector.learn",
    "selector.perception": "selector.sight",
    "selector.perception.embedding": "selector.sight.embedding",
    "selector.perception.model_files": "selector.weights",
    "selector.perception.scene": "selector.prompts.scene",
    "selector.remote": "selector.net",
}
MOVED = {
    "selector.calibration": "selector.learn.belief",
    "selector.domain.protocols": "selector.domain",
    "selector.perception": "selector.sight",
    "selector.perception.model_files": "selector.weights",
    "selector.perception.scene": "selector.prompts.scene",
    "selector.perception.weights": "selector.weights.bundled",
    "selector.remote": "selector.net",
    "selector.remote.rate": "selector.net.pace",
    "selector.remote.spending": "selector.net.service",
    "selector.study": "selector.learn.study",
}
ALSO = {  # where else its names went
    "selector.calibration": ("selector.learn.prior", "selector.learn.estimates"),
    "selector.remote": ("selector.net.pace",),
}
# What was never taught, and was taken apart: where to look.
GONE = {
    "generators.finish": "selector.finishing",
    "generators.finishing": "selector.finishing",
    "generators.prompts": "selector.prompts.wording",
    "scorers.judge": "selector.llm and selector.net",
    "selector.calibration": "selector.learn",
    "selector.features": "selector.learn",
    "selector.perception": "selector.sight, prompts and weights",
    "selector.planning": "selector.learn",
    "selector.ranking": "selector.learn",
    "selector.remote": "selector.net",
    "selector.runs": "selector.generate, measure, decide, llm and workspace",
    "selector.sheet": "selector.report",
    "selector.submission": "selector.submit",
}


def new_name(old: str) -> str | None:
    """Where a module is now; None for one that has not moved, or was nobody's business."""
    package, _, last = old.rpartition(".")
    if old in MOVED or package not in PACKAGES:
        return MOVED.get(old)
    new = f"{PACKAGES[package]}.{last}"
    return new if find_spec(new) else None


def _where(old: str) -> str:
    """Where to look for what has no new name; "" where nothing is known."""
    root = next((root for root in GONE if f"{old}.".startswith(f"{root}.")), None)
    return (
        f"{'its parts' if root == old else f'the parts of {root}'} are in {GONE[root]}; see CHANGELOG" if root else ""
    )


class _Finder:
    """Asked for what nothing else has found. An old name becomes a module that looks its names up in the new one."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if new_name(name) is None:
            if where := _where(name):
                raise ImportError(f"{name} is gone: {where}", name=name)
            return None
        # No base class is asked for, and that of importlib.abc would take longer to import than all else here.
        return ModuleSpec(name, self, is_package=name in PACKAGES)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module will do."""

    def exec_module(self, module: ModuleType) -> None:
        old, new = module.__name__, new_name(module.__name__)
        assert new is not None  # find_spec has asked

        def look_up(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            if inner := new_name(f"{old}.{name}"):
                warnings.warn(f"{old}.{name} is now {inner}", DeprecationWarning, stacklevel=2)
                return import_module(inner)
            for place in (new, *ALSO.get(old, ())):
                here = import_module(place)
                if hasattr(here, name):
                    told = f"{old} is now {place}: import {name} from there"
                    warnings.warn(told, DeprecationWarning, stacklevel=2)
                    return getattr(here, name)
            if old in GONE:
                raise ImportError(f"{old} has no {name} now: {_where(old)}")
            raise ImportError(f"{old} is now {new}, which has no {name}")

        module.__getattr__ = look_up  # type: ignore[method-assign]


def serve_old_names() -> None:
    """Let ``import`` find the old names, from now on in this process."""
    sys.meta_path.append(_Finder())
