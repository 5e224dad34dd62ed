"""The table of the conformance suite: for every registered scorer its settings, its items, a series of each column."""

from __future__ import annotations

from scorer_cases import artefacts, edits, models, pixels, spatial, text
from scorer_cases.cases import Case, NoSeries, Series

CASES: dict[str, Case] = {
    **artefacts.CASES,
    **pixels.CASES,
    **edits.CASES,
    **text.CASES,
    **models.CASES,
    **spatial.CASES,
}

__all__ = ["CASES", "Case", "NoSeries", "Series"]
