"""What the servers that are processes of their own have in common: a free port, and waiting until one answers."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = 60.0) -> bool:
    """Whether the process listens at the port within so many seconds; False as soon as it has ended."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False
