"""Connections under ``requests``: watched, with a bounded head, and to addresses that were looked at."""

from __future__ import annotations

import http.client
import io
import logging
import socket
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from selector.net._addresses import ANY, CONNECT_SECONDS, Forbidden, Unseen, reach_of, resolved
from selector.net._reading import TooLarge
from selector.net._watch import Watch, watch_here

MAX_HEAD_BYTES = 1 << 18  # all lines before the body, those of "100 Continue" too
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_POOL = 128  # connections kept for each host; more may be open, they are closed after use
_UNSENT_BYTES = 1 << 14  # that the system may hold back; what is on the way beyond them is a round trip's worth


def session_for(url: str, reach: int = ANY) -> requests.Session:
    """The session of this process for an address: a proxy is never asked for what runs on this machine.

    Where ``reach`` has a limit and a proxy will be asked, the name is looked up here before: the socket would only show
    us the proxy's address. The proxy may see another one, which is out of our sight.

    Raises:
        Forbidden: an address of the name lies beyond ``reach``. Unseen: none is known here.
    """
    host = urlsplit(url).hostname or ""
    session = _session(host not in _THIS_MACHINE, reach)
    if reach < ANY and session.trust_env and requests.utils.get_environ_proxies(url):
        try:
            found = resolved(host, 0, CONNECT_SECONDS)
        except (OSError, UnicodeError) as error:
            raise Unseen from error
        if not found or any(reach_of(each[4][0]) > reach for each in found):
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
        self._watch = watch_here.get()
        if self._watch is not None:
            self.fp = io.BufferedReader(_Noted(self.fp.detach(), self._watch))

    def _close_conn(self) -> None:
        """At the body's end: the connection is free for others from here on, and no more this exchange's to end."""
        if self._watch is not None:
            self._watch.hold(None)
        super()._close_conn()  # type: ignore[misc]

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
        watch = watch_here.get()
        seconds = CONNECT_SECONDS if not isinstance(self.timeout, (int, float)) else float(self.timeout)
        try:
            found = resolved(self._dns_host.strip("[]"), self.port, seconds)
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
        watch = watch_here.get()
        if watch is not None and self.sock is not None:
            watch.hold(self.sock)


def _socket_options() -> list[tuple[int, int, int]]:
    """So that "sent" means sent: else megabytes wait in the system's buffer while a slow line takes seconds."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    not_sent = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # Linux and macOS
    return options if not_sent is None else [*options, (socket.IPPROTO_TCP, not_sent, _UNSENT_BYTES)]
