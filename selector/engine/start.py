"""Opens the engine that ``[engine]`` of ``campaign.toml`` names."""

from __future__ import annotations

from collections.abc import Collection

from selector.config import EngineConfig
from selector.domain import InputError
from selector.domain.progress import Progress, silent
from selector.engine.pool import Engine, LocalEngine
from selector.workspace.workspace import Workspace


def open_engine(settings: EngineConfig, progress: Progress = silent, secrets: Collection[str] = ()) -> Engine:
    """The engine, started; processes that it starts get no environment variables of the names ``secrets``.

    Raises:
        MissingPart: its package is not installed.
        InputError: no cluster answers at its address, or it does not fit this machine's versions.
    """
    if settings.name == "local":
        return LocalEngine()
    from selector.engine.ray_cluster import RayEngine

    return RayEngine(settings, progress, secrets)


def describe_engine(settings: EngineConfig, secrets: Collection[str] = ()) -> str:
    """Where work would be done. Raises as ``open_engine`` does, as far as a look can tell.

    Where workers are to have GPUs, the engine is opened, and closed again, to see whether there are any.
    """
    if settings.name == "local":
        return "threads of this process"
    from selector.engine.ray_cluster import RayEngine, check_ray

    check_ray(settings)
    if settings.gpus:
        engine = RayEngine(settings, secrets=secrets)
        with engine:
            engine.check_gpus()
    return f"the Ray cluster at {settings.address}" if settings.address else "Ray, started on this machine by each run"


def check_reach(engine: Engine, ws: Workspace) -> None:
    """Raise ``InputError`` where workers on other machines could not see the campaign's images."""
    if not ws.config.store.images and not engine.is_this_machine:
        raise InputError(
            "the Ray cluster has other machines, which cannot see this campaign's folder images/: set [store] images "
            "to a folder or an address that all of them reach (docs/scaling.md)"
        )
