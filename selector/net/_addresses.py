"""Where an address lies, because no service may send us into a network that is none of its business.

Names are resolved here, and the connection goes to the address that was looked at: no name can turn into another one in
between.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from selector.net._watch import LOOK_SECONDS, watch_here

PUBLIC, PRIVATE, HERE, ANY = range(4)  # how far an address may lie: in the world, in one's own net, on this machine
CONNECT_SECONDS = 10.0
_NEVER = tuple(ipaddress.ip_address(a) for a in ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """The address lies where no service may send us."""


class Unseen(Exception):
    """A proxy would be asked for a name that is not resolved here, so that nobody sees where it lies."""


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
    return min(HERE, max(reach_of(each[4][0]) for each in resolved(host, 0, CONNECT_SECONDS)))


def resolved(host: str, port: int, seconds: float) -> list[Any]:
    """``getaddrinfo``, which no signal interrupts, in a thread that may be left behind; raises what that raises."""
    literal = literal_address(host)
    if literal:
        # Numbers alone: with a "%" in it, any name of a server's choice would be asked for here, for however long.
        return socket.getaddrinfo(literal, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    future: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            future.set_result(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    ends, watch = time.monotonic() + seconds, watch_here.get()
    while not wait([future], LOOK_SECONDS).done:
        if time.monotonic() > ends or (watch is not None and watch.why is not None):
            raise TimeoutError
    return future.result()


def literal_address(host: str) -> str:
    """The IP address that a host is, also in the old forms (``2130706433``, ``0x7f.1``); "" for a name."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0])) if "%" not in host else host.strip("[]")
    with suppress(OSError, UnicodeError):
        return socket.inet_ntoa(socket.inet_aton(host)) if host and not any(c.isspace() for c in host) else ""
    return ""
