"""Opens the engine that ``[engine]`` of ``campaign.toml`` names."""

from __future__ import annotations

from selector.config import EngineConfig
from selector.domain.progress import Progress, silent
from selector.engine.pool import Engine, LocalEngine


def open_engine(settings: EngineConfig, progress: Progress = silent) -> Engine:
    """The engine, started.

    Raises:
        MissingPart: its package is not installed.
        InputError: no cluster answers at its address, or it does not fit this machine's versions.
    """
    if settings.name == "local":
        return LocalEngine()
    from selector.engine.on_ray import RayEngine

    return RayEngine(settings, progress)
