"""A process beside the server, whose output is looked at when it has ended."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

_MOST_BYTES = 1 << 20  # of each output that is read


class Beside:
    """Starts a module of ours at once. Its output goes to files: a pipe that nobody reads would fill and stop it."""

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        self._own = ExitStack()
        self._out, self._err = self._file(), self._file()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,  # Ctrl-C ends the server, which then ends this
        )

    def _file(self) -> IO[bytes]:
        return self._own.enter_context(tempfile.TemporaryFile())

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def read(self) -> tuple[str, str]:
        """(stdout, stderr) of one that has ended; they are gone afterwards."""
        said = []
        for stream in (self._out, self._err):
            stream.seek(0)
            said.append(stream.read(_MOST_BYTES).decode(errors="replace").strip())
        self._own.close()
        return said[0], said[1]

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._own.close()
