"""``bestshot demo --play``: one game of the closed world, played by the experiment in a process of its own.

Nothing of the program may import ``experiments``, which may import everything; so it is run as a user would run it,
``python -m experiments.play``, by the same interpreter and from the place where the package lies.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selector.demo.drawing import check_drawing
from selector.domain import BestshotError, MissingPart

MODULE = "experiments.play"
GRACE_SECONDS = 20.0  # that an interrupted game has to end: it stores what it has
STDERR = 2
INTERRUPTED = 130  # exit status


def play_demo(folder: Path, result: Path | None = None, more: Sequence[str] = ()) -> dict[str, Any] | None:
    """Play in ``folder`` with progress and tables as the experiment prints them; an interrupted game goes on.

    Args:
        result: a file for the figures, which are then returned, and what is printed goes to standard error.
        more: further options of the experiment.

    Raises:
        MissingPart: the models, or a package that they need, are not here. BestshotError: the game failed and said why.
    """
    _check()
    asked = ["--demo", "--folder", str(folder.resolve()), *more]
    if result is not None:
        asked += ["--json", str(result.resolve())]
    code = _run([sys.executable, "-m", MODULE, *asked], quiet=result is not None)
    if code:
        raise BestshotError(f"the play ended with status {code}; what went wrong is told above")
    return None if result is None else json.loads(result.read_text(encoding="utf-8"))


def _check() -> None:
    try:
        check_drawing()
    except MissingPart as error:
        raise MissingPart(f"demo --play draws with a model. {error}") from error


def _run(command: Sequence[str], quiet: bool) -> int:
    """The exit status. Ctrl-C reaches both processes: this one waits until the other has ended."""
    sys.stdout.flush()
    process = subprocess.Popen(command, cwd=_place(), stdout=STDERR if quiet else None)
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        raise SystemExit(INTERRUPTED) from None  # the game has said that it was interrupted, and what is kept


def _place() -> Path:
    """The folder that holds the package ``experiments``: ``python -m`` looks there first."""
    found = importlib.util.find_spec(MODULE.partition(".")[0])
    if found is None or found.origin is None:
        raise MissingPart("demo --play needs the package `experiments`, which comes with bestshot: install it anew")
    return Path(found.origin).parents[1]
