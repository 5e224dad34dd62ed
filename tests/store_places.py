"""Both databases that a campaign may lie in, as a plug-in of the suite: what the store promises holds on each."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def store_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """What ``Database`` opens: the path of a SQLite file that is not there yet, or the URL of an empty database."""
    if request.param == "sqlite":
        return tmp_path / "campaign.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url
