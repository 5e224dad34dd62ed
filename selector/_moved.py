"""Old names of modules that documents of earlier versions taught: plug-ins that import them still work, and warn."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PACKAGES = ("selector.perception", "selector.remote")  # other modules in them keep their names in the new room
MOVED = {
    "selector.calibration": "selector.learn.belief",
    "selector.perception": "selector.sight",
    "selector.perception.model_files": "selector.weights",
    "selector.perception.weights": "selector.weights.bundled",
    "selector.remote": "selector.net",
    "selector.remote.rate": "selector.net.pace",
    "selector.remote.spending": "selector.net.service",
    "selector.study": "selector.learn.study",
}


def new_name(old: str) -> str | None:
    """Where a module is now; None for one that has not moved, or was nobody's business."""
    package, _, last = old.rpartition(".")
    if old in MOVED or package not in PACKAGES:
        return MOVED.get(old)
    new = f"{MOVED[package]}.{last}"
    return new if find_spec(new) else None


class _Finder:
    """Asked for what nothing else has found. An old name becomes a module that looks its names up in the new one."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if new_name(name) is None:
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
            warnings.warn(f"{old} is now {new}: import {name} from there", DeprecationWarning, stacklevel=2)
            here = import_module(new)
            if hasattr(here, name):
                return getattr(here, name)
            if inner := new_name(f"{old}.{name}"):
                return import_module(inner)
            raise ImportError(f"{old} is now {new}, which has no {name}")

        module.__getattr__ = look_up  # type: ignore[method-assign]


def serve_old_names() -> None:
    """Let ``import`` find the old names, from now on in this process."""
    sys.meta_path.append(_Finder())
