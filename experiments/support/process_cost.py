"""Peak memory of this process, and what a program costs when it runs as its user would start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def peak_mb() -> float:
    """Peak resident memory in MB.

    From /proc where there is one: ``ru_maxrss`` of a child begins at the size that its parent had when it started it.
    """
    import resource  # Windows has none

    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resident_mb(resource.getrusage(resource.RUSAGE_SELF))


def resident_mb(used: Any) -> float:
    """Peak resident memory in MB of ``resource.struct_rusage``: counted in bytes on macOS, else in KB."""
    return float(used.ru_maxrss) / (1024 * 1024 if sys.platform == "darwin" else 1024)


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system), peak resident memory in MB, and seconds that passed.

    Of the program and the processes that it started and waited for: their seconds are summed, the peak is that of the
    largest.
    """

    cpu_s: float
    rss_mb: float
    wall_s: float


def cost_of(command: Sequence[str]) -> tuple[Cost, str]:
    """The cost of a program, and what it printed on standard output.

    A small process of its own starts it, because the peak of a child begins at the size of its parent.

    Raises:
        RuntimeError: it failed; the message ends with its errors.
    """
    starter = [sys.executable, "-m", __name__, *command]
    done = subprocess.run(starter, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
    output, _, figures = done.stdout.rstrip().rpartition("\n")
    return Cost(**json.loads(figures)), output


def _start(command: Sequence[str]) -> int:
    """Run the program and print its cost as one more line."""
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    cost = {"cpu_s": used.ru_utime + used.ru_stime, "rss_mb": resident_mb(used), "wall_s": wall_s}
    print(json.dumps({name: round(value, 3) for name, value in cost.items()}))
    return process.returncode


if __name__ == "__main__":
    raise SystemExit(_start(sys.argv[1:]))
