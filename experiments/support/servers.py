"""The fake services of ``tests/servers``, and old campaigns: they lie in a checkout of bestshot and in no wheel."""

from __future__ import annotations

try:
    from tests.selector.store.old_campaigns import old_campaign
    from tests.servers import judge_server
    from tests.servers.dashscope_pictures import painted
    from tests.servers.dashscope_server import DashScopeServer
    from tests.servers.dashscope_state import Behaviour
    from tests.servers.judge_server import Behaviour as JudgeBehaviour
    from tests.servers.judge_server import JudgeServer, expected, truth
    from tests.servers.postgresql_server import PostgreSQLServer
except ModuleNotFoundError as error:
    if not f"{error.name}.".startswith("tests."):
        raise
    raise SystemExit(
        "error: this experiment talks to a fake service, and tests/servers is not here: run it in a checkout"
    ) from error

__all__ = [
    "Behaviour",
    "DashScopeServer",
    "JudgeBehaviour",
    "JudgeServer",
    "PostgreSQLServer",
    "expected",
    "judge_server",
    "old_campaign",
    "painted",
    "truth",
]
