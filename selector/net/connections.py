"""Connections under ``requests``: cut off in time, with a bounded head, and to no address that no service may name.

A read time-out alone bounds nothing: each dripped byte starts it anew. So every exchange has a ``Watch``, and one
thread shuts its socket down at the deadline, or soon after the run's stop; whoever reads then wakes at once. Names are
resolved here, and the connection goes to the address that was looked at: no name can turn into another in between.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import logging
import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

PUBLIC, PRIVATE, HERE, ANY = range(4)  # how far an address may lie: in the world, in one's own net, on this machine
CONNECT_SECONDS = 10.0
GRACE_SECONDS = 1.0  # after the run's stop: most replies come by then, and what was asked for is paid for
MAX_HEAD_BYTES = 1 << 18  # all lines before the body, those of "100 Continue" too
_NEVER = tuple(ipaddress.ip_address(a) for a in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_LOOK_SECONDS = 0.05
_POOL = 128  # connections kept for each host; more may be open, they are closed after use
_shutdown = socket.socket.shutdown  # a TLS socket's own would throw away what its reader is using
_UNSENT_BYTES = 1 << 14  # that the system may hold back; what is on the way beyond them is a round trip's worth


class TooLarge(Exception):
    """A reply is longer than what it could be."""


class TooSlow(Exception):
    """An exchange has not ended in time."""


class Stopped(Exception):
    """The run has ended meanwhile."""


class Forbidden(Exception):
    """The address lies where no service may send us."""


class Watch:
    """Bounds the exchange that this thread has within its block, whatever the server sends.

    Args:
        seconds: from now until the socket is shut down.
        stop: as its event is set, the exchange has ``GRACE_SECONDS`` left.
        patient: but only from the reply's first byte on: what is asked for is being made, and paid.
    """

    def __init__(self, seconds: float, stop: threading.Event | None = None, patient: bool = False) -> None:
        self._ends, self._stop, self._patient = time.monotonic() + seconds, stop, patient
        self.begun = False  # the reply
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._copy: socket.socket | None = None
        self._stopped = False
        self.why: type[Exception] | None = None

    def __enter__(self) -> Watch:
        self._token = _watch_here.set(self)
        _watchdog.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        _watchdog.remove(self)
        _watch_here.reset(self._token)
        self.hold(None)
        if self.why is not None and (error is None or isinstance(error, Exception)):
            raise self.why from error

    def hold(self, of: socket.socket | None, copied: bool = False) -> None:
        """The socket to shut down; ``copied``: this object is about to be replaced by one with TLS."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
            self._copy = of.dup() if of is not None and copied else None
            self._socket = self._copy or of
            if self.why is not None:
                self._shut_down()

    def look(self, now: float) -> None:
        """Cut the exchange off if its time is over."""
        waits = self._patient and not self.begun
        if self._stop is not None and self._stop.is_set() and not self._stopped and not waits:
            self._stopped = True
            self._ends = min(self._ends, now + GRACE_SECONDS)
        if now >= self._ends and self.why is None:
            with self._lock:
                self.why = Stopped if self._stopped else TooSlow
                self._shut_down()

    def seconds_left(self) -> float:
        return max(0.0, self._ends - time.monotonic())

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError, TypeError):
                _shutdown(self._socket, socket.SHUT_RDWR)


class _Watchdog:
    """One thread for all watches; it sleeps while there are none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._run, daemon=True, name="http-watchdog")
                self._thread.start()
            self._watches.add(watch)
            self._changed.notify()

    def remove(self, watch: Watch) -> None:
        with self._changed:
            self._watches.discard(watch)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._watches:
                    self._changed.wait()
                watches = list(self._watches)
            now = time.monotonic()
            for watch in watches:
                watch.look(now)
            time.sleep(_LOOK_SECONDS)


_watchdog = _Watchdog()
_watch_here: ContextVar[Watch | None] = ContextVar("watch", default=None)


def reach_of(address: str) -> int:
    """Where an IP address lies: ``PUBLIC``, ``PRIVATE`` or ``HERE``; ``ANY`` where only a configured one may lead.

    An address of version 6 that stands for one of version 4 lies where that does. Link-local ones are among the last,
    with the others at which clouds tell a machine its secrets.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        within = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            within = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = within or ip
    if ip in _NEVER or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return ANY
    if ip.is_loopback:
        return HERE
    if ip.is_reserved or (ip.version == 4 and int(ip) < 1 << 24):
        return ANY
    return PUBLIC if ip.is_global else PRIVATE


def reach_of_service(base_url: str) -> int:
    """The farthest that a service at this address may send us: into its own kind of network."""
    try:
        return _reach_of_host(urlsplit(base_url).hostname or "")
    except (OSError, ValueError):
        return PUBLIC


@lru_cache(maxsize=64)
def _reach_of_host(host: str) -> int:
    return min(HERE, max(reach_of(each[4][0]) for each in _resolved(host, 0, CONNECT_SECONDS)))


def session_for(url: str, reach: int = ANY) -> requests.Session:
    """The session of this process for an address: a proxy is never asked for what runs on this machine.

    Raises:
        Forbidden: a proxy would be asked for an address beyond ``reach``: the socket would only show us the proxy's.
    """
    host = urlsplit(url).hostname or ""
    session = _session(host not in _THIS_MACHINE, reach)
    if reach < ANY and session.trust_env and requests.utils.get_environ_proxies(url):
        literal = _literal(host)
        if literal and reach_of(literal) > reach:
            raise Forbidden
    return session


@lru_cache(maxsize=8)
def _session(trust_env: bool, reach: int) -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    for logger in ("urllib3.connection", "urllib3.connectionpool"):  # the one or the other, by version
        logging.getLogger(logger).addFilter(_not_of_headers)
    session = _Session()
    session.trust_env = trust_env
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # a shared jar would only grow
    session.mount("http://", _Adapter(reach))
    session.mount("https://", _Adapter(reach))
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 (the library's arguments)
        """None: looking for one, the library would read a redirect's whole body, however long it is."""
        return None


def _not_of_headers(record: logging.LogRecord) -> bool:
    """Whether a record is none of the warnings that show a server's broken headers, with whatever it put there."""
    return not str(record.msg).startswith("Failed to parse headers")


class _Adapter(HTTPAdapter):
    def __init__(self, reach: int) -> None:
        self._reach = reach
        super().__init__(pool_connections=32, pool_maxsize=_POOL)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, socket_options=_socket_options(), **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._reach)

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.PoolManager:
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _pools(ANY)  # the proxy's own address is configured
        return manager


@lru_cache(maxsize=8)
def _pools(reach: int) -> dict[str, type[HTTPConnectionPool]]:
    plain = type("_Plain", (_Watched, HTTPConnection), {"reach": reach})
    secure = type("_Secure", (_Watched, HTTPSConnection), {"reach": reach})
    return {
        "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


class _Head:
    """A reply's stream while its head is read."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._left = stream, MAX_HEAD_BYTES

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._stream.readline(limit)
        self._left -= len(line)
        if self._left < 0:
            raise TooLarge
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Noted(io.RawIOBase):
    """A reply's bytes; the watch is told of the first."""

    def __init__(self, stream: Any, watch: Watch) -> None:
        self._stream, self._watch = stream, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        size: int | None = self._stream.readinto(buffer)
        self._watch.begun = True
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Reply(http.client.HTTPResponse):
    fp: Any

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        watch = _watch_here.get()
        if watch is not None:
            self.fp = io.BufferedReader(_Noted(self.fp.detach(), watch))

    def begin(self) -> None:
        if self.headers is None:
            stream, self.fp = self.fp, _Head(self.fp)
            super().begin()
            if self.fp is not None:
                self.fp = stream


class _Watched:
    """Mixed into urllib3's connections: the watch of this thread holds the socket, and its address is looked at."""

    reach = ANY
    response_class = _Reply
    sock: Any
    timeout: Any
    port: Any
    _dns_host: str
    socket_options: Any

    def _new_conn(self) -> socket.socket:
        connection: Any = self
        watch = _watch_here.get()
        seconds = CONNECT_SECONDS if not isinstance(self.timeout, (int, float)) else float(self.timeout)
        try:
            found = _resolved(self._dns_host.strip("[]"), self.port, seconds)
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, "the name was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(connection, f"the name is not resolved: {error}") from error
        allowed = [each for each in found if reach_of(each[4][0]) <= self.reach]
        if not allowed:
            raise Forbidden
        last: OSError | None = None
        for family, kind, protocol, _, address in allowed:
            sock = None
            try:
                sock = socket.socket(family, kind, protocol)
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(seconds)
                if watch is not None:
                    watch.hold(sock, copied=isinstance(self, HTTPSConnection))
                sock.connect(address)
                return sock
            except OSError as error:
                last = error
                if sock is not None:
                    sock.close()
        if isinstance(last, TimeoutError):
            raise ConnectTimeoutError(connection, "no connection in time") from last
        raise NewConnectionError(connection, f"no connection: {last}") from last

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._hold()

    def request(self, *args: Any, **options: Any) -> None:
        self._hold()
        super().request(*args, **options)  # type: ignore[misc]

    def _hold(self) -> None:
        watch = _watch_here.get()
        if watch is not None and self.sock is not None:
            watch.hold(self.sock)


def _resolved(host: str, port: int, seconds: float) -> list[Any]:
    """``getaddrinfo``, which no signal interrupts, in a thread that may be left behind; raises what that raises."""
    literal = _literal(host)
    if literal:
        return socket.getaddrinfo(literal, port, 0, socket.SOCK_STREAM)
    came: list[Any] = []

    def ask() -> None:
        try:
            came.append(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except Exception as error:
            came.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="resolve")
    thread.start()
    ends, watch = time.monotonic() + seconds, _watch_here.get()
    while thread.is_alive():
        thread.join(_LOOK_SECONDS)
        if time.monotonic() > ends or (watch is not None and watch.why is not None):
            raise TimeoutError
    if isinstance(came[0], Exception):
        raise came[0]
    found: list[Any] = came[0]
    return found


def _literal(host: str) -> str:
    """The IP address that a host is, also in the old forms (``2130706433``, ``0x7f.1``); "" for a name."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0])) if "%" not in host else host.strip("[]")
    with suppress(OSError, UnicodeError):
        return socket.inet_ntoa(socket.inet_aton(host)) if host and not any(c.isspace() for c in host) else ""
    return ""


def _socket_options() -> list[tuple[int, int, int]]:
    """So that "sent" means sent: else megabytes wait in the system's buffer while a slow line takes seconds."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    not_sent = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # Linux and macOS
    return options if not_sent is None else [*options, (socket.IPPROTO_TCP, not_sent, _UNSENT_BYTES)]
