"""Peak memory of this process alone."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """Peak resident memory in MB.

    From /proc where there is one: ``ru_maxrss`` of a child begins at the size that its parent had when it started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resident_mb(resource.getrusage(resource.RUSAGE_SELF))


def resident_mb(used: resource.struct_rusage) -> float:
    """Peak resident memory in MB as the system counted it: in bytes on macOS, else in KB."""
    return used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
