"""Puts plug-in packages on the path as an installation would: a module and a dist-info folder with its entry points."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "brightness"
EntryPoints = Mapping[str, Mapping[str, str]]


def add_entry_points(monkeypatch: pytest.MonkeyPatch, place: Path, name: str, groups: EntryPoints) -> None:
    """Make a distribution ``name`` in ``place`` that declares entry points, until the test ends."""
    info = place / f"{name.replace('-', '_')}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(place))


def install_example(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """The example package, with the entry points of its own pyproject.toml."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    monkeypatch.syspath_prepend(str(EXAMPLE))
    add_entry_points(monkeypatch, place, project["name"], project["entry-points"])
