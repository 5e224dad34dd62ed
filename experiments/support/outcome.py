"""What every experiment shares: options, a printed table with n and interval, and ``--json OUT``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selector.demo.play.figures import as_document
from selector.domain.files import write_atomically


def parser(module: str, text: str) -> argparse.ArgumentParser:
    """An argument parser with ``--json OUT`` and ``--seed``."""
    made = argparse.ArgumentParser(
        prog=f"python -m experiments.{module}", description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", type=Path, metavar="OUT", help='write {"results": …} to this file')
    made.add_argument("--seed", type=int, default=0, help="seed of every random choice (default 0)")
    return made


def finish(results: Any, lines: Sequence[str], out: Path | None, more: Mapping[str, Any] | None = None) -> None:
    """Print the lines and, if asked for, write the results as JSON, ``more`` (how they came about) beside them.

    What is NaN or infinite becomes null: JSON has no word for it.
    """
    print("\n".join(lines))
    if out is not None:
        write_atomically(out, as_document({"results": results, **(more or {})}))
