"""The servers of ``tests/servers``, which lie in a checkout of bestshot and in no wheel."""

from __future__ import annotations

from pathlib import Path

try:
    from tests.servers import judge_server
    from tests.servers.dashscope_pictures import painted
    from tests.servers.dashscope_server import DashScopeServer
    from tests.servers.dashscope_state import Behaviour
    from tests.servers.judge_server import Behaviour as JudgeBehaviour
    from tests.servers.judge_server import JudgeServer, expected, truth
    from tests.servers.postgresql_server import NoServer, PostgreSQLServer
    from tests.servers.s3_server import S3Server
except ModuleNotFoundError as error:
    if not f"{error.name}.".startswith("tests."):
        raise
    raise SystemExit(
        "error: this experiment talks to a server of the tests, and tests/servers is not here: run it in a checkout"
    ) from error

ROOT = Path(__file__).resolve().parents[2]  # of the checkout: what other processes import from

__all__ = [
    "ROOT",
    "Behaviour",
    "DashScopeServer",
    "JudgeBehaviour",
    "JudgeServer",
    "NoServer",
    "PostgreSQLServer",
    "S3Server",
    "expected",
    "judge_server",
    "painted",
    "truth",
]
