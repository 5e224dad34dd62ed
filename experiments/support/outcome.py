"""What every experiment shares: options, a printed table with ``--json OUT``, and how it ends."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selector.demo.play.figures import as_document
from selector.domain import BestshotError, InputError
from selector.domain.files import describe_write_error, write_atomically

WRONG, INTERRUPTED = 2, 130


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


def ended(work: Callable[[], int], folder: Path | None = None, kept: str = "") -> int:
    """The exit status of ``work``; 2 with one line on standard error for what is wrong with input, parts or files.

    Args:
        folder: where it writes, for errors that name no file.
        kept: what an interruption leaves, in words.
    """
    try:
        return work()
    except BestshotError as error:
        return _told(str(error))
    except OSError as error:
        return _told(describe_write_error(Path(error.filename or folder or "."), error))
    except KeyboardInterrupt:
        print(f"interrupted{kept and f'; {kept}'}", file=sys.stderr)
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # native threads of the models may still run, and would abort a normal exit


def within(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise ``InputError`` unless the option's value is a number from ``least`` to ``most``, infinity excluded."""
    if not (least <= value <= most and math.isfinite(value)):
        wanted = f"at least {least:g}" if math.isinf(most) else f"{least:g} to {most:,g}"
        raise InputError(f"{name}: expected {wanted}, got {value}")


def _told(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return WRONG


@contextmanager
def work_place(keep: Path | None, prefix: str) -> Iterator[Path]:
    """The new folder ``keep``, which stays; without it a temporary one, whose name begins with ``prefix``."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix=prefix) as place:
        yield Path(place)
