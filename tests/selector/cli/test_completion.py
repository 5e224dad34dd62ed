"""Completion in real shells: what the documentation tells to put into a shell's start-up file works there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "completion.md"
TRIED = {  # shell to the lines that complete "bestshot sta" and "bestshot scores --l"
    "bash": """
        COMP_WORDS=(bestshot sta); COMP_CWORD=1; _bestshot_completion bestshot sta bestshot; echo "${COMPREPLY[@]}"
        COMP_WORDS=(bestshot scores --l); COMP_CWORD=2; _bestshot_completion bestshot --l scores; echo "${COMPREPLY[@]}"
        complete -p bestshot
    """,
    "zsh": """
        whence -w _bestshot_completion
        COMP_WORDS="bestshot sta" COMP_CWORD=1 _BESTSHOT_COMPLETE=zsh_complete bestshot
        COMP_WORDS="bestshot scores --l" COMP_CWORD=2 _BESTSHOT_COMPLETE=zsh_complete bestshot
    """,
    "fish": """
        complete --do-complete "bestshot sta"
        complete --do-complete "bestshot scores --l"
    """,
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a program ``bestshot``, which is this checkout's."""
    program = tmp_path / "bestshot"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m selector.cli "$@"\n')
    program.chmod(0o755)
    return tmp_path


def documented(shell: str) -> str:
    """The line that the page tells to put into the shell's start-up file."""
    found = re.search(rf"```{shell}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{PAGE.name} has no block for {shell}"
    return found[1]


@pytest.mark.parametrize("shell", TRIED)
def test_the_documented_line_completes_verbs_and_options(shell: str, place: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed here")
    set_up = "autoload -Uz compinit; compinit -D\n" if shell == "zsh" else ""
    script = f"{set_up}{documented(shell)}\n{TRIED[shell]}"
    env = {**os.environ, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [program, "-c", script], env=env, cwd=place, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "status" in done.stdout
    assert "--long" in done.stdout
