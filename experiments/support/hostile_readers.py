"""Every reader of the program, by its name."""

from __future__ import annotations

from experiments.support import (
    hostile_archives,
    hostile_pictures,
    hostile_replies,
    hostile_settings,
    hostile_tables,
    hostile_weights,
    hostile_words,
)
from experiments.support.hostile_trial import Reader

_ROOMS = (
    hostile_tables,
    hostile_settings,
    hostile_pictures,
    hostile_archives,
    hostile_weights,
    hostile_words,
    hostile_replies,
)
READERS: dict[str, Reader] = {reader.name: reader for room in _ROOMS for reader in room.READERS}
