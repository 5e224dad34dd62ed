"""Where stages work: in threads of this process, or as warm actors of a Ray program (``docs/scaling.md``).

A *stage* is a picklable class: models and settings from its constructor, ``__call__`` on a batch of plain data, no
database inside. The driver makes batches, gives them to a pool in threads of ``selector.workspace.executor``, and alone
writes what comes back. One path: the local engine calls the very same stage in the thread that asks.
"""

from __future__ import annotations

from selector.engine.pool import Engine, Pool, Stage, WorkerLost, in_parts
from selector.engine.start import check_reach, describe_engine, open_engine

__all__ = ["Engine", "Pool", "Stage", "WorkerLost", "check_reach", "describe_engine", "in_parts", "open_engine"]
