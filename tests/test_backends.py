"""The servers that other tests lean on do what they promise; where one cannot be had, its tests skip."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers.postgresql_server import PostgreSQLServer
from tests.servers.s3_server import Fault, S3Server


def test_a_killed_postgresql_has_what_was_committed(postgresql_server: PostgreSQLServer) -> None:
    import psycopg

    with postgresql_server.database("killed") as url:
        place = url.replace("+psycopg", "")
        with psycopg.connect(place) as connection:
            connection.execute("CREATE TABLE t (n int)")
            connection.execute("INSERT INTO t VALUES (1)")
        postgresql_server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(place, connect_timeout=2)
        postgresql_server.start()
        with psycopg.connect(place) as connection:
            assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]


def test_a_database_is_new_for_every_test(postgresql_url: str) -> None:
    from sqlalchemy import create_engine, inspect

    engine = create_engine(postgresql_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_s3_keeps_what_it_was_given_while_it_is_away(s3: S3Server, s3_bucket: str) -> None:
    import s3fs

    files = s3fs.S3FileSystem(skip_instance_cache=True)
    files.pipe(f"{s3_bucket}/folder/a", b"x" * 100_000)
    with s3.away(), pytest.raises(Exception, match="Could not connect"):
        s3fs.S3FileSystem(skip_instance_cache=True, config_kwargs={"retries": {"max_attempts": 1}}).cat(
            f"{s3_bucket}/folder/a"
        )
    assert files.cat(f"{s3_bucket}/folder/a") == b"x" * 100_000
    assert s3.keys(s3_bucket) == ["folder/a"]


@pytest.mark.parametrize("kind", ["drop", "lost", "500", "503", "slow", "cut"])
def test_faults_meet_one_request_each(s3: S3Server, s3_bucket: str, kind: str) -> None:
    import botocore.session

    session = botocore.session.get_session()
    client = session.create_client("s3", config=botocore.config.Config(retries={"total_max_attempts": 1}))
    client.put_object(Bucket=s3_bucket, Key="a", Body=b"y" * 1000)
    s3.faults.append(Fault(kind, 0.3, "GET"))
    if kind == "slow":
        assert client.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"y" * 1000
    else:
        with pytest.raises(Exception, match=r"."):
            client.get_object(Bucket=s3_bucket, Key="a")["Body"].read()
    assert not s3.faults
    assert client.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"y" * 1000


def test_ray_works_with_two_processors(ray_cluster: Any) -> None:
    import ray

    ray.init(address=ray_cluster.address)
    try:
        assert ray.cluster_resources()["CPU"] == 2
        assert ray.get([ray.remote(_double).remote(i) for i in range(4)]) == [0, 2, 4, 6]
    finally:
        ray.shutdown()


def _double(n: int) -> int:
    return 2 * n
