"""Imports run one way: the table of docs/architecture.md, checked against the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each room may import itself and the rooms before it in this order, unless FORBIDDEN says otherwise.
ORDER = [
    "selector.domain",
    "selector.conformance",
    "selector.prompts",
    "selector.net",
    "selector.weights",
    "selector.sight",
    "selector.finishing",
    "generators",
    "scorers",
    "selector.registry",
    "selector.contest",
    "selector.learn",
    "selector.config",
    "selector.store",
    "selector.workspace",
    "selector.llm",
    "selector.generate",
    "selector.measure",
    "selector.decide",
    "selector.submit",
    "selector.create",
    "selector.status",
    "selector.doctor",
    "selector.report",
    "selector.campaign",
    "selector.demo",
    "selector.cli",
]
PLUG_IN_MAY = tuple(f"selector.{room}" for room in ("domain", "prompts", "net", "weights", "sight", "finishing"))


def modules() -> list[Path]:
    return sorted(p for room in ("selector", "generators", "scorers") for p in (ROOT / room).rglob("*.py"))


def room_of(name: str) -> str | None:
    return max((room for room in ORDER if name == room or name.startswith(room + ".")), key=len, default=None)


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("selector", "generators", "scorers", "experiments")}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    here = room_of(name)
    for imported in imports_of(path):
        assert not imported.startswith("experiments"), f"{name} imports {imported}"
        there = room_of(imported)
        if here is None or there is None or here == there or name == "selector":
            continue
        if here in ("generators", "scorers"):
            assert there in PLUG_IN_MAY, f"{name} imports {imported}"
        assert ORDER.index(there) < ORDER.index(here), f"{name} imports {imported}, which lies after it"


@pytest.mark.parametrize("package", ["selector", "scorers", "generators", "selector.domain", "selector.cli.main"])
def test_importing_a_package_pulls_in_nothing_heavy(package: str) -> None:
    heavy = {
        "cv2",
        "dlib",
        "skimage",
        "sklearn",
        "scipy",
        "pandas",
        "torch",
        "PIL",
        "rapidocr",
        "sqlalchemy",
        "huggingface_hub",
    }
    code = f"import sys, {package}; assert not {heavy!r} & set(sys.modules), {heavy!r} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_scorers_takes_under_a_fifth_of_a_second() -> None:
    code = "import time; start = time.process_time(); import scorers; print(time.process_time() - start)"
    seconds = min(float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(3))
    assert seconds < 0.2
