"""A real S3 server on loopback (moto's, a process of its own, objects in its memory) and the network before it.

Clients speak to ``S3Server.root``, a relay in threads of this process that can do what networks and servers do: hang up
before or after the request was done, answer 500 or 503, be slow, cut a body short, and be away altogether. As what was
stored is kept behind it, ``away`` is a server with a disk that was killed and started again.
"""

from __future__ import annotations

import http.client
import importlib.util
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.servers.loopback import Loopback, LoopbackHandler
from tests.servers.postgresql_server import NoServer
from tests.servers.processes import free_port, wait_for_port

HOST = "127.0.0.1"
REGION = "us-east-1"
_HOP = frozenset({"connection", "transfer-encoding", "content-length", "date", "server", "keep-alive"})


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    Args:
        kind: "drop" hangs up before anything was done, "lost" after it was done; "500" and "503" answer so and do
            nothing; "slow" waits first; "cut" sends half of the body and hangs up.
        seconds: how long "slow" waits.
        method: of the requests that it meets, "" for any.
    """

    kind: str
    seconds: float = 1.0
    method: str = ""


class S3Server:
    """Runs inside a ``with`` block. ``faults`` meet the next requests, each one; ``requests`` says which came.

    Raises:
        NoServer: moto is not installed or does not start.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("moto") is None or importlib.util.find_spec("s3fs") is None:
            raise NoServer("no S3 server or client: pip install 'moto[server]' s3fs")
        self.port, self.behind = free_port(), free_port()
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self._turn = threading.Lock()
        self.speaks = threading.Event()
        self.speaks.set()
        self._relay: _Relay | None = None
        self._place = Path(tempfile.mkdtemp(prefix="bestshot-s3-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> S3Server:
        self.start()
        return self

    def start(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.behind)]
        with (self._place / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._place)
        if not wait_for_port(self.behind, self._process):
            said = (self._place / "log").read_text(errors="replace")[-500:]
            self.close()
            raise NoServer(f"moto's server does not start: {said}")
        self.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.end()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._place, ignore_errors=True)

    @property
    def root(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client finds the server by; the keys open nothing."""
        return {
            "AWS_ENDPOINT_URL": self.root,
            "AWS_ENDPOINT_URL_S3": self.root,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
        }

    def make_bucket(self, name: str) -> None:
        """Past the faults, as ``keys`` is."""
        self._ask("PUT", f"/{name}")

    def empty_bucket(self, name: str) -> None:
        """Delete the bucket and what is in it; also what a client that was ended had asked for and is done late."""
        for left in range(5, -1, -1):
            for key in self.keys(name):
                self._ask("DELETE", f"/{name}/{key}")
            try:
                self._ask("DELETE", f"/{name}")
                return
            except AssertionError:  # a key has come meanwhile
                if not left:
                    raise

    def keys(self, bucket: str) -> list[str]:
        """All keys of the bucket, in order."""
        import urllib.parse
        import xml.etree.ElementTree as ElementTree

        found: list[str] = []
        more = ""
        while True:
            after = f"&continuation-token={urllib.parse.quote(more, safe='')}" if more else ""
            page = ElementTree.fromstring(self._ask("GET", f"/{bucket}?list-type=2{after}"))
            space = page.tag.partition("}")[0] + "}"
            found += [key.text or "" for key in page.iter(f"{space}Key")]
            more = page.findtext(f"{space}NextContinuationToken") or ""
            if not more:
                return found

    def object(self, bucket: str, key: str) -> bytes:
        """What is stored, past the faults; raises ``KeyError`` where there is nothing."""
        return self._ask("GET", f"/{bucket}/{key}")

    def begin(self) -> None:
        """Be there (again)."""
        with self._turn:
            if self._relay is None:
                self._relay = _Relay(self)
                self._relay.__enter__()

    def end(self) -> None:
        """Be away: open connections are cut, new ones refused."""
        with self._turn:  # a test's threads may all end it
            relay, self._relay = self._relay, None
            if relay is not None:
                relay.__exit__(None, None, None)
                relay.cut_all()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody reaches it within the block."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    @contextmanager
    def mute(self) -> Iterator[None]:
        """It takes requests and answers none within the block."""
        self.speaks.clear()
        try:
            yield
        finally:
            self.speaks.set()

    def next_fault(self, method: str, path: str) -> Fault | None:
        """Of a request that came; the first fault that meets it is used up."""
        with self.lock:
            self.requests.append((method, path))
            if self.faults and self.faults[0].method in ("", method):
                return self.faults.popleft()
        return None

    def _ask(self, method: str, path: str) -> bytes:
        behind = http.client.HTTPConnection(HOST, self.behind, timeout=30)
        try:
            who = f"Credential=testing/20250101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
            behind.request(method, path, headers={"authorization": f"AWS4-HMAC-SHA256 {who}"})
            answer = behind.getresponse()
            body = answer.read()
        finally:
            behind.close()
        if answer.status == 404:
            raise KeyError(path)
        assert answer.status < 300, (method, path, answer.status, body[:500])
        return body


class _Relay(Loopback):
    def __init__(self, server: S3Server) -> None:
        super().__init__(_RelayHandler, server.port)
        self.server = server
        self.open: set[socket.socket] = set()

    def cut_all(self) -> None:
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _RelayHandler(LoopbackHandler):
    def setup(self) -> None:
        super().setup()
        self.server.owner.open.add(self.connection)

    def finish(self) -> None:
        self.server.owner.open.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def handle_expect_100(self) -> bool:
        met = super().handle_expect_100()
        self.wfile.flush()  # or the client waits for ever before it sends the body
        return met

    def relay(self) -> None:
        server: S3Server = self.server.owner.server
        sent = self._body()
        fault = server.next_fault(self.command, self.path)
        server.speaks.wait()
        kind = fault.kind if fault else ""
        if fault and kind == "slow":
            time.sleep(fault.seconds)
        if kind == "drop":
            self.hang_up()
            return
        if kind in ("500", "503"):
            code = {"500": "InternalError", "503": "SlowDown"}[kind]
            self.send_data(int(kind), "application/xml", f"<Error><Code>{code}</Code></Error>".encode())
            return
        behind = http.client.HTTPConnection(HOST, server.behind, timeout=60)
        try:
            passed = {name: value for name, value in self.headers.items() if name.lower() not in ("expect", *_HOP)}
            behind.request(self.command, self.path, sent, passed)
            answer = behind.getresponse()
            body = answer.read()
        finally:
            behind.close()
        if kind == "lost":
            self.hang_up()
            return
        length = answer.getheader("content-length", "0") if self.command == "HEAD" else str(len(body))
        self._head(answer.status, answer.getheaders(), length)
        if kind == "cut":
            self.wfile.write(body[: len(body) // 2])
            self.hang_up()
            return
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = relay

    def _head(self, status: int, headers: Sequence[tuple[str, str]], length: str) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("content-length", length)
        self.end_headers()

    def _body(self) -> bytes:
        """As it came on the wire, without the chunks of HTTP."""
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)
