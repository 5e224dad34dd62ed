"""What a snapshot follows from, so that an old one is known as such."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from selector import __version__
from selector.domain.campaign_folder import CONFIG_NAME
from selector.store import schema
from selector.store.news import WATCHED, newest_rows
from selector.workspace.workspace import Workspace

SHOWN_AT_ONCE = frozenset({schema.decision.name})  # by the server itself: the estimates may follow later
_TABLES = tuple(t for t in WATCHED if t not in (schema.comparison, schema.look))
_FILES = (CONFIG_NAME, "prior.json", "translations.csv")
_MOVING = schema.attempt, schema.candidate, schema.judgement, schema.observation, schema.score, schema.task_reading
ESTIMATED_FROM = {"version", *_FILES, *(table.name for table in _MOVING)}  # what moves an estimate of a candidate

Key = Mapping[str, int | str]


def snapshot_key(ws: Workspace) -> dict[str, int | str]:
    """Numbers of the newest rows, and digests of the settings; equal keys are equal snapshots."""
    with ws.db.read() as connection:
        rows: dict[str, int | str] = dict(newest_rows(connection, _TABLES))
    return {**rows, "version": __version__, **{name: _digest(ws.folder / name) for name in _FILES}}


def differing(old: Key, new: Key) -> set[str]:
    """What is not as it was."""
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
