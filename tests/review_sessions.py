"""What tests of the page share for a whole session, as a plug-in of the suite: made once in each of its workers.

Fixtures that tests import are made once in each module; a ``conftest.py`` below would shadow the one of all tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from experiments.support.synthetic_campaign import make_campaign, write_contest

REQUIRED = os.environ.get("BESTSHOT_TEST_BROWSER") == "required"
ARGUMENTS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync"""


def missing(reason: str) -> NoReturn:
    """Skip; where the browser is required (CI), fail."""
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of the system, driven by Playwright's Python package. Without it its tests skip and say why."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: pip install playwright")
    program = os.environ.get("BESTSHOT_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("no Chromium on this machine: apt-get install chromium, or BESTSHOT_TEST_CHROMIUM=its path")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=ARGUMENTS.split())
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that checks contrast, labels and the rest of accessibility."""
    try:
        import axe_playwright_python
    except ImportError:
        missing("axe is not installed: pip install axe-playwright-python")
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def few_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of 12 tasks with 4 candidates each, six totals, and its estimates; copy it before it is changed."""
    return _estimated(tmp_path_factory.mktemp("few"), tasks=12, each=4)


@pytest.fixture(scope="session")
def many_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 tasks of four types with eight candidates each, scores, judgements and six totals; to be copied."""
    return _estimated(tmp_path_factory.mktemp("many"), tasks=32, each=8)


def _estimated(place: Path, tasks: int, each: int) -> Path:
    """A campaign whose page need not wait for the estimates."""
    write_contest(place / "contest", tasks, 1)
    make_campaign(place / "campaign", place / "contest", 1, each)
    target = place / "campaign" / "cache" / "review" / "estimates.db"
    command = [sys.executable, "-m", "selector.review._estimating", str(place / "campaign"), str(target)]
    subprocess.run(command, check=True)
    return place / "campaign"
