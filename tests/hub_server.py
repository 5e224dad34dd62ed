"""A model hub on loopback, for clients that fetch weights: real sockets, two ports, and faults on demand.

The hub's port answers ``HEAD`` and ``GET`` of ``/{owner}/{name}/resolve/{revision}/{path}`` (and ModelScope's
``/models/…``) as ``huggingface_hub`` asks them. A large file is a redirect that states its SHA-256, to the storage's
port, as the public hub does it, without the headers of its newer storage (Xet); a small one comes at once, with its git
hash. Each fault is used up by one request to the storage, or, for ``hub_faults``, to the hub; a ``HEAD`` takes those
with a status, or of its headers, alone.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

COMMIT = "c" * 40
_wait = time.sleep  # a test may replace it for the client's sake


@dataclass(frozen=True)
class Fault:
    """What one request meets.

    Attributes:
        status: answered instead of the file; 0 sends the file.
        headers: of that answer.
        drop_after_bytes: the connection is cut after so many bytes of the body.
        stall_after_bytes: nothing more comes after so many bytes, and the connection stays.
        ignore_range: the whole file is sent although a part was asked for.
        body: bytes sent instead of the file's.
        unsized: the length is not said, and the connection is closed at the end.
        drip: only one byte comes each 20 ms, for ever: of the body, or of the headers where ``drip_headers`` says so.
        endless: the body, or 64 kB where there is none, comes again and again, for ever, whatever the status.
        bare: a ``HEAD`` states nothing, as a server does that is no hub.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    drop_after_bytes: int | None = None
    stall_after_bytes: int | None = None
    ignore_range: bool = False
    body: bytes | None = None
    unsized: bool = False
    drip: bool = False
    drip_headers: bool = False
    endless: bool = False
    bare: bool = False

    @property
    def is_of_head(self) -> bool:
        return bool(self.status or self.drip_headers or self.bare)


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    port: str  # "hub" or "storage"
    path: str
    headers: dict[str, str]
    method: str = "GET"


@dataclass
class Hub:
    """Its state; change it while it runs."""

    endpoint: str = ""
    storage: str = ""
    large: dict[str, bytes] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    hub_faults: list[Fault] = field(default_factory=list)
    token: str = ""  # wanted from every request, if any
    stated_sha256: str = ""  # stated instead of the truth
    moved: bool = False  # a small file is found by a redirect within the hub
    seen: list[Seen] = field(default_factory=list)
    sent_bytes: int = 0  # of bodies, by the storage

    def ranges(self) -> list[str]:
        """The Range headers that the storage saw, "" where there was none."""
        return [seen.headers.get("range", "") for seen in self.seen if seen.port == "storage"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that runs while the block does."""
    hub = Hub()
    servers = [_Server(("127.0.0.1", 0), _handler(hub, name)) for name in ("hub", "storage")]
    hub.endpoint, hub.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _handler(hub: Hub, port: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            hub.seen.append(Seen(port, path, headers, self.command))
            if port == "storage":
                _send(self, hub, hub.large[path.removeprefix("/blob/")], hub.faults.pop(0) if hub.faults else Fault())
            else:
                _answer(self, hub, path)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _answer(request: BaseHTTPRequestHandler, hub: Hub, path: str) -> None:
    """The hub's port: refuse, redirect, or send a small file."""
    fault = Fault()
    if hub.hub_faults and (request.command == "GET" or hub.hub_faults[0].is_of_head):
        fault = hub.hub_faults.pop(0)
    key = path.strip("/")
    if fault.drip_headers:
        _drip(request, b"HTTP/1.1 200 OK\r\nX-Long: ")
    elif fault.bare:
        _plain(request, 200, dict(fault.headers))
    elif fault.status:
        _plain(request, fault.status, dict(fault.headers))
    elif hub.token and request.headers.get("Authorization") != f"Bearer {hub.token}":
        given = "Authorization" in request.headers
        _plain(request, 403 if given else 401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
    elif key in hub.large:
        stated = hub.stated_sha256 or hashlib.sha256(hub.large[key]).hexdigest()
        headers = {"Location": f"{hub.storage}/blob/{key}", "X-Repo-Commit": COMMIT, "ETag": '"of the pointer"'}
        headers |= {"X-Linked-ETag": f'"{stated}"', "X-Linked-Size": str(len(hub.large[key]))}
        _plain(request, 302, headers)
    elif key in hub.small and hub.moved:
        _plain(request, 307, {"Location": f"/api/resolve-cache/{key}"})
    elif key.removeprefix("api/resolve-cache/") in hub.small:
        key = key.removeprefix("api/resolve-cache/")
        data = hub.small[key]
        etag = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        _send(request, hub, data, fault, {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'})
    else:
        _plain(request, 404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})


def _plain(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes = b"") -> None:
    request.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def _send(
    request: BaseHTTPRequestHandler, hub: Hub, data: bytes, fault: Fault, headers: dict[str, str] | None = None
) -> None:
    """A file, or the part of it that was asked for, or the fault."""
    if fault.drip_headers:
        return _drip(request, b"HTTP/1.1 200 OK\r\nX-Long: ")
    if fault.endless:
        return _send_on(request, fault)
    if fault.status:
        return _plain(request, fault.status, dict(fault.headers), fault.body or b"")
    etag = (headers or {}).get("ETag", f'"{hashlib.md5(data).hexdigest()}"')
    start = 0 if fault.ignore_range else _start(request)
    if start and start >= len(data):
        return _plain(request, 416, {"Content-Range": f"bytes */{len(data)}"})
    body = (data if fault.body is None else fault.body)[start:]
    request.send_response(206 if start else 200)
    sent = {"ETag": etag, **(headers or {}), **dict(fault.headers)}
    if start:
        sent["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    sent |= {"Connection": "close"} if fault.unsized else {"Content-Length": str(len(body))}
    for name, value in sent.items():
        request.send_header(name, value)
    request.end_headers()
    if request.command == "HEAD":
        return None
    if fault.drip:
        return _drip(request, b"")
    cut = next((n for n in (fault.drop_after_bytes, fault.stall_after_bytes) if n is not None), len(body))
    hub.sent_bytes += cut
    request.wfile.write(body[:cut])
    if fault.stall_after_bytes is not None:
        request.wfile.flush()
        request.connection.recv(1)  # until the client hangs up
        request.close_connection = True
    if fault.drop_after_bytes is not None or fault.unsized:
        request.wfile.flush()
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)
    return None


def _drip(request: BaseHTTPRequestHandler, first: bytes) -> None:
    """A byte at a time until the client hangs up."""
    request.close_connection = True
    try:
        request.wfile.write(first)
        while True:
            request.wfile.write(b"x")
            request.wfile.flush()
            _wait(0.02)
    except OSError:
        return


def _send_on(request: BaseHTTPRequestHandler, fault: Fault) -> None:
    """A body without end, until the client hangs up."""
    request.close_connection = True
    request.send_response(fault.status or 200)
    for name, value in fault.headers:
        request.send_header(name, value)
    request.end_headers()
    try:
        while True:
            request.wfile.write(fault.body or b"x" * 65_536)
    except OSError:
        return


def _start(request: BaseHTTPRequestHandler) -> int:
    """The first byte that was asked for."""
    return int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
