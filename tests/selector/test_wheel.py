"""Whatever the program reads from beside its modules is named in pyproject.toml, so that the wheel has it too."""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
SETUPTOOLS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
GLOBS: dict[str, list[str]] = SETUPTOOLS["package-data"]
PACKAGES = ("selector", "generators", "scorers")


def data_files() -> list[Path]:
    """Files of the packages that are neither Python nor left behind by running it, relative to the root."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    found = [path.relative_to(ROOT) for path in files if path.suffix not in (".py", ".pyc")]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def is_covered(file: Path) -> bool:
    """Whether a glob matches, part by part: a star of setuptools does not cross a slash, one of fnmatch does."""
    inner = file.parts[1:]
    globs = [tuple(glob.split("/")) for glob in GLOBS.get(file.parts[0], [])]
    return any(len(glob) == len(inner) and all(map(fnmatch, inner, glob)) for glob in globs)


def test_the_files_that_must_travel_are_seen() -> None:
    names = {path.as_posix() for path in data_files()}
    assert {"selector/profiles/tianchi-532389.toml", "selector/report/sheet.css", "selector/py.typed"} <= names


@pytest.mark.parametrize("file", data_files(), ids=str)
def test_data_file_is_in_the_wheel(file: Path) -> None:
    assert is_covered(file), f"{file} would be missing from the wheel: add it to [tool.setuptools.package-data]"


@pytest.mark.parametrize(("package", "glob"), [(package, glob) for package, globs in GLOBS.items() for glob in globs])
def test_every_glob_still_matches_a_file(package: str, glob: str) -> None:
    if "embedded" in glob and not list((ROOT / package / glob.partition("*")[0]).glob("*.json")):
        pytest.skip("the folder is not trained yet")
    assert list((ROOT / package).glob(glob)), f"[tool.setuptools.package-data] {package}: {glob!r} matches nothing"


def test_a_file_that_no_glob_names_would_be_noticed() -> None:
    assert not is_covered(Path("selector/report/logo.svg"))
    assert not is_covered(Path("selector/profiles/old/tianchi.toml"))
    assert is_covered(Path("selector/profiles/another.toml"))


def test_every_folder_with_python_is_a_package_that_is_found() -> None:
    wanted = SETUPTOOLS["packages"]["find"]["include"]
    folders = {path.parent.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    for folder in folders:
        assert any(fnmatch(folder.as_posix(), pattern) for pattern in wanted)
        assert (ROOT / folder / "__init__.py").is_file(), f"{folder} has no __init__.py: setuptools would leave it out"
