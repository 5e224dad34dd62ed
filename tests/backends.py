"""Servers that a campaign may lean on, as a plug-in of the suite: PostgreSQL, S3 and Ray, each on loopback.

Started once in each of the suite's workers, when the first test there asks for it. Where one cannot be had its tests
skip and say why; where ``BESTSHOT_TEST_SERVICES=required`` (CI), they fail.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.servers.postgresql_server import NoServer, PostgreSQLServer, fresh_database
from tests.servers.s3_server import S3Server

ROOT = Path(__file__).resolve().parents[1]
REQUIRED = os.environ.get("BESTSHOT_TEST_SERVICES") == "required"
RAY_MEMORY_BYTES = 200 * 2**20  # of its object store


def missing(reason: str) -> NoReturn:
    """Skip; where the servers are required (CI), fail."""
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQLServer]:
    """A server of our own, which a test may kill if it starts it again."""
    try:
        server = PostgreSQLServer()
        server.start()
    except NoServer as error:
        missing(str(error))
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> str:
    """The URL of a database for tests alone: BESTSHOT_TEST_POSTGRESQL, or of a server of our own."""
    named = os.environ.get("BESTSHOT_TEST_POSTGRESQL")
    if named:
        return named
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    return server.url()


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """The URL of a new, empty database, which is dropped after the test."""
    with fresh_database(postgresql, f"test_{uuid.uuid4().hex[:12]}") as url:
        yield url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """moto's server, and the network before it with its faults."""
    try:
        server = S3Server()
        server.start()
    except NoServer as error:
        missing(str(error))
    yield server
    server.close()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server as clients of this process and of those that it starts find it; faults end with the test."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    s3_server.requests.clear()
    yield s3_server
    s3_server.faults.clear()
    s3_server.begin()


@pytest.fixture
def s3_bucket(s3: S3Server) -> Iterator[str]:
    """The name of a new, empty bucket, which is removed after the test."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3.make_bucket(name)
    yield name
    s3.empty_bucket(name)


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A ``ray.cluster_utils.Cluster`` of one node with two CPUs: its ``address`` is what drivers connect to.

    Nobody is connected. Tests that add nodes take them away again.
    """
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ImportError:
        missing("Ray is not installed: pip install ray")
    head = {"num_cpus": 2, "object_store_memory": RAY_MEMORY_BYTES, "include_dashboard": False}
    here = [place for place in sys.path if place.startswith(str(ROOT))]
    with pytest.MonkeyPatch.context() as patch:  # what nodes and their workers inherit, and no later test does
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *here]))  # they find the toys of tests as well
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        patch.setenv("RAY_worker_niceness", "0")
        cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    if ray.is_initialized():
        ray.shutdown()
    cluster.shutdown()
