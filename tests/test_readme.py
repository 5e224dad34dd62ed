"""The READMEs: short, with the same commands in both languages, and with links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")


def fenced(name: str) -> list[list[str]]:
    """The lines of every fenced block without their comments, which are in the README's own language."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [[re.sub(r"\s+#.*", "", line).rstrip() for line in block.splitlines()] for block in blocks]


def test_both_languages_have_the_same_commands() -> None:
    assert fenced("README.md") == fenced("README.zh-CN.md")


@pytest.mark.parametrize("name", READMES)
def test_a_readme_is_read_in_three_minutes(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("name", READMES)
def test_figures_are_the_same_in_both_languages(name: str) -> None:
    figures = re.findall(r"-?\d\.\d\d", (ROOT / name).read_text(encoding="utf-8"))
    assert figures == re.findall(r"-?\d\.\d\d", (ROOT / READMES[0]).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [*map(Path, READMES), *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    page = ROOT / path
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(#[^)\s]*)?\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        found = page.parent / target if target else page
        assert found.exists(), f"{path.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor[1:] in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}, anchor


def test_every_page_is_in_the_index() -> None:
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages == set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
