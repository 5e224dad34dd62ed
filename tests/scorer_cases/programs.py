"""The case of the scorer ``command``: a program that measures as bestshot's own scorers do, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scorer_cases.cases import Case, Series
from scorer_cases.pixels import blurred, under

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "scorers"
PROGRAM = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(EXAMPLES)!r})
import numpy as np
from bestshot_lines import serve
from selector.domain import InputError, Picture

def steps(item):
    try:
        levels = Picture(Path(item["picture"]).read_bytes()).rgb.astype(float)
    except InputError:
        return "the picture cannot be read"
    if min(levels.shape[:2]) < 2:
        return "the picture is too small"
    return {{"steps": float(np.abs(np.diff(levels, axis=0)).mean() + np.abs(np.diff(levels, axis=1)).mean())}}

serve(lambda items: [steps(item) for item in items])
"""


def _settings(folder: Path) -> Mapping[str, Any]:
    program = folder / "steps.py"
    program.write_text(PROGRAM, encoding="utf-8")
    column = {"name": "steps", "low": 0.0, "high": 510.0, "better": "up", "axis": "pq"}
    return {"command": [sys.executable, str(program)], "columns": [column], "timeout_seconds": 120.0}


CASES = {"command": Case({"steps": Series(under(blurred, 0.0, 1.0, 2.0, 4.0), least=0.001)}, settings=_settings)}
