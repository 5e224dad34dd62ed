"""The table of the conformance suite: for every registered scorer its settings, its items, a series of each column.

A scorer of several forms has a case of each: "spatial" and "spatial/owlv2".
"""

from __future__ import annotations

from scorer_cases import artefacts, edits, models, pixels, programs, spatial, text
from scorer_cases.cases import Case, NoSeries, Series

_ROOMS = (artefacts, pixels, programs, edits, text, models, spatial)
CASES: dict[str, Case] = {name: case for room in _ROOMS for name, case in room.CASES.items()}

__all__ = ["CASES", "Case", "NoSeries", "Series"]
