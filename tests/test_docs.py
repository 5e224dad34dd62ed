"""The pages name files and modules that are there, by the names that they have now."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TOP = ("selector", "scorers", "generators", "experiments", "tests", "examples", "docs")
ROOMS = {path.name for path in (ROOT / "selector").iterdir() if path.is_dir()} | {"calibration", "planning"}  # also old
PATH = re.compile(r"(?<![\w/.:~-])(?:\w+/)+[\w-]+(?:\.\w+)?")
TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
DOTTED = re.compile(r"(?<![\w./-])(?:selector|experiments)(?:\.\w+)+")


def paths_in(text: str) -> list[str]:
    """Paths of ours, also those that leave ``selector/`` and ``.py`` out, as in ``decide/picking``."""
    return [p for p in PATH.findall(text) if p.endswith(".py") or p.split("/")[0] in (*TOP, *ROOMS)]


def is_file(path: str) -> bool:
    path = path.replace("_N.", "_*.")  # campaign_of_format_N.sql
    return any([*room.glob(name)] for room in (ROOT, ROOT / "selector") for name in (path, f"{path}.py"))


def is_name(dotted: str) -> bool:
    """A module that is a file, or what one has: old names that are only served do not count."""
    parts = dotted.split(".")
    n = max(n for n in range(1, len(parts) + 1) if is_file("/".join(parts[:n])))
    if n == len(parts):
        return True
    found: object = importlib.import_module(".".join(parts[:n]))
    for part in parts[n:]:
        found = getattr(found, part, None)
    return found is not None and not isinstance(found, ModuleType)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lost = [p for p in paths_in(text) if not is_file(p)] + [d for d in DOTTED.findall(text) if not is_name(d)]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_are_there(page: Path) -> None:
    named = TEST.findall(page.read_text(encoding="utf-8"))
    assert [f"{path}::{name}" for path, name in named if not has_test(path, name)] == []
    assert named or page.name != "promises.md"


def has_test(path: str, name: str) -> bool:
    file = ROOT / path
    return file.is_file() and f"\ndef {name}(" in file.read_text(encoding="utf-8")


def test_names_that_went_are_seen() -> None:
    text = "`submit/archive` -> `calibration/prior.py`, not 1/T, models/sdxl.safetensors, ../x/y or http://host/v1/x.py"
    assert paths_in(text) == ["submit/archive", "calibration/prior.py"] and not any(map(is_file, paths_in(text)))
    assert paths_in("`learn/prior.py` and decide/picking, selector/sight") and is_file("decide/picking")
    names = [
        "selector.study",
        "selector.runs.workspace",
        "selector.perception",
        "experiments.gone",
        "selector.net.nothing",
    ]
    assert not any(map(is_name, names))
    assert all(
        map(is_name, ["selector.Study", "selector.domain.embedding.Head", "experiments.replay", "selector.submit"])
    )
