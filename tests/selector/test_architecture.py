"""Imports run one way: the table of docs/architecture.md, checked against the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each room may import itself and the rooms before it in this order, unless FORBIDDEN says otherwise.
ORDER = [
    "selector.domain",
    "selector.language",
    "selector.conformance",
    "selector.prompts",
    "selector.net",
    "selector.programs",
    "selector.weights",
    "selector.sight",
    "selector.finishing",
    "generators",
    "scorers",
    "selector.registry",
    "selector.contest",
    "selector.learn",
    "selector.tables",
    "selector.config",
    "selector.store",
    "selector.workspace",
    "selector.engine",
    "selector.llm",
    "selector.generate",
    "selector.measure",
    "selector.decide",
    "selector.submit",
    "selector.create",
    "selector.team",
    "selector.status",
    "selector.doctor",
    "selector.readiness",
    "selector.live",
    "selector.prune",
    "selector.report",
    "selector.advice",
    "selector.review",
    "selector.campaign",
    "selector.demo",
    "selector.cli",
]
PLUG_IN_MAY = {*ORDER[: ORDER.index("generators")]} - {"selector.conformance"}


def modules() -> list[Path]:
    return sorted(p for room in ("selector", "generators", "scorers") for p in (ROOT / room).rglob("*.py"))


def room_of(name: str) -> str | None:
    return max((room for room in ORDER if name == room or name.startswith(room + ".")), key=len, default=None)


def statements(path: Path) -> Iterator[ast.AST]:
    """All nodes but expressions, which are most of them and import nothing."""
    ahead: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while ahead:
        yield (node := ahead.pop())
        ahead += (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in statements(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("selector", "generators", "scorers", "experiments")}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    name = name_of(path)
    here = room_of(name)
    for imported in imports_of(path):
        assert not imported.startswith("experiments"), f"{name} imports {imported}"
        there = room_of(imported)
        if here is None or there is None or here == there or name == "selector":
            continue
        if here in ("generators", "scorers"):
            assert there in PLUG_IN_MAY, f"{name} imports {imported}"
        assert ORDER.index(there) < ORDER.index(here), f"{name} imports {imported}, which lies after it"


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def runs_at_some_time(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements in it, functions included, but not what only a type checker reads."""
    ahead = [tree]
    while ahead:
        yield (node := ahead.pop())
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            ahead += node.orelse
        else:
            ahead += (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))


def modules_imported(tree: ast.AST, known: Container[str]) -> set[str]:
    found: set[str] = set()
    for node in runs_at_some_time(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name in known}


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of modules that reach each other (strongly connected components of two or more)."""
    reached: dict[str, set[str]] = {}
    for start in imports:
        seen, ahead = set[str](), [*imports[start]]
        while ahead:
            if (name := ahead.pop()) not in seen:
                seen.add(name)
                ahead += imports[name]
        reached[start] = seen
    rings = {frozenset(b for b in reached[a] if a in reached[b]) for a in imports if a in reached[a]}
    return sorted(map(sorted, rings))


def test_no_modules_import_each_other_not_even_within_functions() -> None:
    paths = {name_of(path): path for path in modules()}
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    assert circles({name: modules_imported(tree, paths) for name, tree in trees.items()}) == []


def test_a_circle_is_found_and_types_alone_make_none() -> None:
    late, typed = "def f():\n    from b import x", "if TYPE_CHECKING:\n    from a import X\nelse:\n    import c"
    known = {"a", "b", "c"}
    imports = {
        "a": modules_imported(ast.parse(late), known),
        "b": modules_imported(ast.parse(typed), known),
        "c": set(),
    }
    assert imports == {"a": {"b"}, "b": {"c"}, "c": set()} and circles(imports) == []
    assert circles({**imports, "c": {"a"}}) == [["a", "b", "c"]]


# What these offer is for others, too: plug-ins, `help()`, the entry point.
PUBLIC = (
    "selector",
    "selector.cli",
    "selector.conformance",
    "selector.domain",
    "selector.learn",
    "selector.prompts.scene",
)


def test_a_room_offers_only_what_is_taken_from_it() -> None:
    offered = {
        (name_of(path), ast.literal_eval(element))
        for path in (ROOT / "selector").rglob("__init__.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for element in getattr(node.value, "elts", ())
    }
    taken = {
        (node.module, alias.name)
        for room in ("selector", "generators", "scorers", "experiments", "tests", "examples")
        for path in (ROOT / room).rglob("*.py")
        for node in statements(path)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(offer for offer in offered - taken if offer[0] not in PUBLIC) == []


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
