"""Requests over HTTP for every client of a service: bounded in size and time, and the key goes to one origin only.

No redirect is ever followed with a key: a server that sends requests elsewhere is a wrong ``base_url``. Proxies and
certificates come from the environment, as users of ``requests`` expect, but no key does (``.netrc`` is not read).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from selector.domain import MissingPart, shortage
from selector.net import troubles
from selector.net.account import Account
from selector.net.outgoing import Outgoing, socket_options
from selector.net.troubles import Trouble

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

CONNECT_SECONDS = 10.0
MAX_REPLY_BYTES = 128 << 20  # a reply may hold pictures as text
NO_ADDRESS = "base_url is no address: it must be like https://example.com"
TOO_LARGE = "the reply is too large"
_POOL = 128  # connections kept for each host; more may be open, they are closed after use
_CHUNK_BYTES = 1 << 16
_HERE = ("127.0.0.1", "localhost", "::1")


class TooLarge(Exception):
    """A body is longer than what it could be."""


class TooSlow(Exception):
    """A body did not come in time."""


@dataclass(frozen=True)
class Reply:
    """What a server answered: its status, its headers, and the JSON value of its body (None where it is no JSON)."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Api:
    """JSON requests with an account's key; safe for threads, which share connections.

    Args:
        account: whose service, key and time limits.
        timeout_seconds: of one request; 0: the service's.
    """

    def __init__(self, account: Account, timeout_seconds: float = 0.0) -> None:
        self._account = account
        self._seconds = timeout_seconds or account.service.timeout_seconds

    def get(self, path: str) -> Reply | Trouble:
        """One GET of ``path`` under the service's address."""
        return self._send("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Reply | Trouble:
        """One POST of JSON bytes (see ``as_json``)."""
        return self._send("POST", path, body, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply | Trouble:
        url = self._account.service.base_url.rstrip("/") + path
        ends = time.monotonic() + self._seconds
        outgoing = None if body is None else Outgoing(body)
        status = 0
        try:
            with open_url(method, url, self._seconds, self._account.key, outgoing, headers) as response:
                status = response.status_code
                if 300 <= response.status_code < 400:
                    return _moved(response)
                return _read(response, read_body(response, MAX_REPLY_BYTES, ends))
        except Exception as error:
            trouble = trouble_of(error)
            if outgoing is not None and not outgoing.begun:
                return replace(trouble, fate=troubles.UNREACHED)
            # A refusal whose words broke off is one all the same: nothing was created.
            return replace(trouble, fate=troubles.ANSWERED) if status >= 400 else trouble


def as_json(value: Any) -> bytes:
    """Compact JSON in ASCII, so that any text can be sent, half of a surrogate pair too."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def origin(url: str) -> tuple[str, str, int | None]:
    """(scheme, host, port) of an address; what gets the same key."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port or {"http": 80, "https": 443}.get(parts.scheme)


def open_url(
    method: str,
    url: str,
    seconds: float,
    key: str = "",
    body: Outgoing | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The reply to one request, its body not read yet; redirects are not followed. Raises what ``requests`` raises."""
    return session_for(url).request(
        method,
        url,
        data=body,
        headers=dict(headers or {}),
        auth=_bearer(key),
        timeout=(min(CONNECT_SECONDS, seconds), seconds),
        allow_redirects=False,
        stream=True,
    )


def read_body(response: Response, most_bytes: int, ends: float) -> bytes:
    """The whole body. Raises ``TooLarge``, ``TooSlow`` after the monotonic time ``ends``, and what ``urllib3`` raises.

    A body that is shorter than its Content-Length says is an error of the connection.
    """
    raw, parts, size = response.raw, [], 0
    # What has come, not a full chunk: else a server that sends a byte a second is never looked at.
    some = raw.read1 if hasattr(raw, "read1") else raw.read
    while part := some(_CHUNK_BYTES, decode_content=True):
        size += len(part)
        if size > most_bytes:
            raise TooLarge
        if time.monotonic() > ends:
            raise TooSlow
        parts.append(part)
    return b"".join(parts)


def trouble_of(error: Exception) -> Trouble:
    """What an exception of a request means; what is none of a request is raised again.

    Its ``fate`` is that the server may have got the request, unless no connection to it was made.
    """
    import requests
    import urllib3

    gone_wrong = requests.exceptions
    lacking = shortage(error)
    if lacking is not None:
        return Trouble(troubles.SHORT, str(lacking), fate=troubles.UNANSWERED)
    if isinstance(error, gone_wrong.SSLError) and _is_of_certificate(error):
        cure = "check the clock, the proxy and REQUESTS_CA_BUNDLE"
        return Trouble(troubles.FATAL, f"the server's certificate is not accepted: {cure}")
    no_address = (gone_wrong.InvalidURL, gone_wrong.InvalidSchema, gone_wrong.MissingSchema)
    if isinstance(error, (*no_address, urllib3.exceptions.LocationParseError)):
        return Trouble(troubles.FATAL, NO_ADDRESS)
    if isinstance(error, gone_wrong.SSLError):
        return Trouble(troubles.BUSY, "the secure connection (TLS) failed", fate=troubles.UNANSWERED)
    if isinstance(error, gone_wrong.ProxyError):
        return Trouble(troubles.BUSY, "the proxy failed", fate=troubles.UNREACHED)
    if isinstance(error, (gone_wrong.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TooSlow)):
        return Trouble(troubles.BUSY, "the server did not answer in time", fate=troubles.UNANSWERED)
    if isinstance(error, gone_wrong.ConnectTimeout) or _not_reached(error):
        return Trouble(troubles.BUSY, "the server cannot be reached", fate=troubles.UNREACHED)
    if isinstance(error, TooLarge):
        return Trouble(troubles.BUSY, TOO_LARGE, fate=troubles.UNANSWERED)
    if isinstance(error, (gone_wrong.RequestException, urllib3.exceptions.HTTPError, OSError)):
        return Trouble(troubles.BUSY, "the connection failed", fate=troubles.UNANSWERED)
    raise error


@lru_cache(maxsize=2)
def _session(trust_env: bool) -> Session:
    try:
        import requests
    except ImportError as error:
        raise MissingPart("the package 'requests' is not installed: pip install requests") from error
    from http.cookiejar import DefaultCookiePolicy

    session = requests.Session()
    session.trust_env = trust_env
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # a shared jar would only grow
    for scheme in ("http://", "https://"):
        adapter = requests.adapters.HTTPAdapter(pool_connections=32, pool_maxsize=_POOL)
        adapter.poolmanager.connection_pool_kw["socket_options"] = socket_options()
        session.mount(scheme, adapter)
    return session


def session_for(url: str) -> Session:
    """The session of this process for an address: a proxy is never asked for what runs on this machine."""
    return _session(urlsplit(url).hostname not in _HERE)


def _bearer(key: str) -> Callable[[PreparedRequest], PreparedRequest]:
    """Sets the header itself, so that ``requests`` does not look for a password in ``.netrc`` and send that instead."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    return sign


def _moved(response: Response) -> Trouble:
    to = urlsplit(response.headers.get("location", "")).netloc.rpartition("@")[2]
    where = f"to {to[:80]}" if to else "elsewhere"
    return Trouble(
        troubles.FATAL, f"it redirects {where} (HTTP {response.status_code}), where no key is sent: correct base_url"
    )


def _read(response: Response, raw: bytes) -> Reply | Trouble:
    try:
        body = json.loads(raw)
    except ValueError:
        if response.status_code < 400:
            # A page is of some other server (a wrong address, a hotel's network); the rest of a reply is the service's.
            page = raw.lstrip()[:1] == b"<"
            return Trouble(
                troubles.BUSY, "the reply is no JSON", fate=troubles.ANSWERED if page else troubles.UNANSWERED
            )
        body = None
    return Reply(response.status_code, response.headers, body)


def _is_of_certificate(error: BaseException) -> bool:
    """Whether a certificate is to blame: a handshake that is cut is the same kind of error at the top, but passes."""
    within = [*error.args, getattr(error, "reason", None), error.__cause__]
    return isinstance(error, SSLCertVerificationError) or any(
        _is_of_certificate(each) for each in within if isinstance(each, BaseException)
    )


def _not_reached(error: Exception) -> bool:
    """Whether no connection was made at all."""
    import urllib3

    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
