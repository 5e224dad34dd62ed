"""A million candidates by ``experiments.scale``, on SQLite with columns and on PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.support.cluster_machines import ROOT

STORES = ("sqlite-columns", "postgresql")


def measure_million(tasks: Sequence[int], each: int, seed: int) -> dict[str, Any]:
    """What ``experiments.scale`` writes, by store; ``tasks`` are its sizes, ``each`` the candidates of a task."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bestshot-million-") as place:
        for store in STORES:
            out = Path(place) / f"{store}.json"
            sizes = ["--tasks", ",".join(map(str, tasks)), "--candidates", str(each)]
            command = [sys.executable, "-m", "experiments.scale", *sizes, "--store", store, "--seed", str(seed)]
            subprocess.run([*command, "--json", str(out)], check=True, cwd=ROOT)
            found[store] = json.loads(out.read_text(encoding="utf-8"))
    return found
