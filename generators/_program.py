"""The files of one run of a program that makes a picture: those it is handed, and the one that it writes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selector.domain import GenerationFailed, InputError, Picture, raise_shortage
from selector.domain.files import scratch_folder

MOST_OUTPUT_BYTES = 64_000_000


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, with all that a program left in it."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder())
        except OSError as error:
            raise_shortage(error)
            raise GenerationFailed(f"command: no temporary folder can be made ({error.strerror or error})") from error
        yield folder


def read_picture(output: Path, said: str) -> bytes:
    """The program's picture. Raises ``GenerationFailed``."""
    also = f" (it said: {said})" if said else ""
    try:
        facts = output.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise GenerationFailed(f"command: {{output}} is no file{also}")
        if facts.st_size > MOST_OUTPUT_BYTES:
            raise GenerationFailed(f"command: the program wrote over {MOST_OUTPUT_BYTES // 1_000_000} MB")
        data = output.read_bytes()
    except FileNotFoundError as error:
        raise GenerationFailed(f"command: the program wrote no picture to {{output}}{also}") from error
    except OSError as error:
        raise GenerationFailed(f"command: {{output}} cannot be read ({error.strerror or error}){also}") from error
    if not data:
        raise GenerationFailed(f"command: the program wrote an empty file to {{output}}{also}")
    try:
        Picture(data, "command: {output}").check()
    except InputError as error:
        raise GenerationFailed(f"{error}{also}") from error
    return data
