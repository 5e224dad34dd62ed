"""Which generators work on an engine elsewhere, and that engine, started where there is something to make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from generators.folder import Folder
from selector.config import EngineConfig, kind_of
from selector.domain import RemoteGenerator
from selector.domain.progress import Progress
from selector.engine import check_reach, open_engine
from selector.generate._making import GeneratorSpec, OnEngine
from selector.generate.dry_run import estimate
from selector.generate.orders import Order
from selector.workspace.plug_ins import key_variables, settings_of
from selector.workspace.workspace import Workspace


@contextmanager
def on_engine(
    ws: Workspace, orders: Sequence[Order], settings: EngineConfig, retry_failed: bool, progress: Progress
) -> Iterator[OnEngine]:
    """The engine of the settings; that of this process where it would have nothing to do.

    Services are asked from here, and so are imports and what is no answer: they cost no time worth a way.

    Raises:
        InputError, MissingPart: the engine cannot be had.
    """
    specs = {
        order.name: GeneratorSpec(
            kind_of(ws.config, order.name), settings_of(ws, order.name), ws.folder, order.generator.version
        )
        for order in {order.name: order for order in orders}.values()
        if not isinstance(order.generator, (RemoteGenerator, Folder)) and not order.generator.last_resort
    }
    counts = dict[str, int]()
    if specs and settings.name != "local":
        parts = estimate(ws, orders, retry_failed, {}).generators
        counts = {name: n for name in specs if (n := parts[name].to_make + parts[name].falling)}
    if not counts:
        yield OnEngine()
        return
    with open_engine(settings, progress, key_variables(ws)) as engine:
        check_reach(engine, ws)
        yield OnEngine(engine, {name: specs[name] for name in counts}, sum(counts.values()), settings.batch or 1)
