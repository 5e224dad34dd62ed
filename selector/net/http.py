"""The one HTTP client: requests of JSON or forms, bounded in every way, with answers that are clean of the key.

No redirect is ever followed: a server that sends requests elsewhere is a wrong ``base_url``, and neither a key nor a
picture goes there. Proxies and certificates come from the environment, as users of ``requests`` expect, but no key does
(``.netrc`` is not read).
"""

from __future__ import annotations

import json as json_format
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from selector.domain import BestshotError, MissingPart, shortage
from selector.net import troubles
from selector.net._addresses import ANY, CONNECT_SECONDS, Forbidden, Unseen
from selector.net._reading import Damaged, TooLarge, json_value, read_body
from selector.net._watch import Stopped, TooSlow, Watch
from selector.net.pace import Interrupted, all_sent
from selector.net.redact import clean, cleaned
from selector.net.troubles import Trouble

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

_log = logging.getLogger("bestshot.net")
MAX_REPLY_BYTES = 4 << 20  # of JSON that holds no pictures
TEXT_CHARACTERS = 2000  # kept of a reply that is no JSON
BEARER = ("Authorization", "Bearer ")  # the header of a key, and what stands before it there
NO_ADDRESS = "base_url is no address: it must be like https://example.com"
NO_JSON = "the reply is no JSON"
TOO_LARGE = "the reply is too large"
FORBIDDEN = "the address lies in a private network, where no service may send us"
UNSEEN = "the address is not known on this machine, and a proxy is not asked for what may lie in a private network"
STOPPED = "the run was ended before the server answered"


@dataclass(frozen=True)
class Answer:
    """What a server said. Every text of it, names too, is clean of the key and of controls (``redact.cleaned``).

    Attributes:
        status: 200 to 299, or 400 and more.
        headers: by names in lower case.
        body: the JSON value; NaN, infinite and absurdly long numbers are None. None where the body is no JSON.
        text: the beginning of a body that is no JSON.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""


class Outgoing:
    """Bytes that an HTTP library reads piece by piece, each when the one before is sent; at their end ``all_sent``.

    Attributes:
        begun: whether any were read: until then no server can have got the request.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._size = BytesIO(data), len(data)
        self.begun = False

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes."""
        self.begun = True
        part = self._data.read(size)
        if not part:
            all_sent()
        return part


def request(
    method: str,
    url: str,
    *,
    json: Any = None,
    form: Mapping[str, Any] | None = None,
    files: Mapping[str, tuple[str, bytes, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    key: str = "",
    key_header: str = BEARER[0],
    key_prefix: str = BEARER[1],
    timeout_seconds: float = 60.0,
    deadline_seconds: float = 0.0,
    stop: threading.Event | None = None,
    patient: bool = False,
    most_bytes: int = MAX_REPLY_BYTES,
) -> Answer | Trouble:
    """One request, sent once; safe for threads, which share connections.

    Args:
        json: a value to send.
        form, files: fields of ``multipart/form-data`` instead: by name a value; (file name, bytes, MIME type).
        key: sent in ``key_header`` behind ``key_prefix``, where it is not empty; as ``Authorization: Bearer``, usually.
        timeout_seconds: without any byte. deadline_seconds: of the whole exchange; 0: as ``timeout_seconds``.
        stop: the run's end. What is under way is cut off a moment later, and comes back as a ``Trouble``.
        patient: what is asked for is paid, so that the run's end waits until the reply begins, or until the deadline.
        most_bytes: of the reply, before and after it is unpacked.

    Returns:
        A ``Trouble`` for a redirect, for a good status without JSON, and where no whole answer came.

    Raises:
        Interrupted: the run had ended before.
    """
    if stop is not None and stop.is_set():
        raise Interrupted("stopped")
    data, kind = _encoded(json, form, files)
    outgoing = None if data is None else Outgoing(data)
    sent = {"Accept": "application/json", "Accept-Encoding": "gzip", **kind, **(headers or {})}
    seconds = deadline_seconds or timeout_seconds
    status = 0
    try:
        signed = (key, key_header, key_prefix)
        with exchange(method, url, sent, signed, timeout_seconds, seconds, stop, outgoing, None, patient) as response:
            status = response.status_code
            if 300 <= status < 400:
                return _moved(response, key)
            body = read_body(response, most_bytes)
            head = {name.lower(): value for name, value in response.headers.items()}
        return _answer(status, cleaned(head, key), body, key)
    except Exception as error:
        trouble = trouble_of(error)
        if outgoing is not None and not outgoing.begun:
            return replace(trouble, fate=troubles.UNREACHED)
        # A refusal whose words broke off is one all the same: nothing was created.
        return replace(trouble, fate=troubles.ANSWERED) if status >= 400 else trouble


@contextmanager
def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    key: str | tuple[str, str, str],
    timeout_seconds: float,
    deadline_seconds: float,
    stop: threading.Event | None = None,
    body: Outgoing | None = None,
    reach: int | None = None,
    patient: bool = False,
) -> Iterator[Response]:
    """The reply to one request, its body to be read within the block, which ends in time; no redirect is followed.

    ``key``: alone it is sent as ``Authorization: Bearer``; or with the header and what stands before it there.
    ``reach``: how far an address may lie that a service named (see ``addresses``); None: it is configured. Raises what
    ``requests`` and ``urllib3`` raise, and ``TooSlow``, ``Stopped``, ``Forbidden``, ``Unseen``, ``TooLarge``.
    """
    try:
        from selector.net import _connections as connections
    except ImportError as error:
        raise MissingPart("the package 'requests' is not installed: pip install requests") from error
    key, *way = (key, *BEARER) if isinstance(key, str) else key
    connect_seconds = min(CONNECT_SECONDS, timeout_seconds, deadline_seconds)
    shown, begun = _shown(url, key, reach is None), time.monotonic()
    _log.debug("%s %s", method, shown)
    with (
        Watch(deadline_seconds, stop, patient),
        connections.session_for(url, ANY if reach is None else reach).request(
            method,
            url,
            data=body,
            headers=dict(headers),
            auth=_signing(key, *way),
            timeout=(connect_seconds, min(timeout_seconds, deadline_seconds)),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        _log.debug("%s %s: HTTP %d after %.1f s", method, shown, response.status_code, time.monotonic() - begun)
        yield response


def _shown(url: str, key: str, whole: bool) -> str:
    """An address for a log: no user, no query; of one that a service named the host alone: its path may be a key."""
    parts = urlsplit(url)
    return clean(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path if whole else '/…'}", key)


def as_json(value: Any) -> bytes:
    """Compact JSON in ASCII, so that any text can be sent, half of a surrogate pair too."""
    return json_format.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def origin(url: str) -> tuple[str, str, int | None]:
    """(scheme, host, port) of an address; what gets the same key."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port or {"http": 80, "https": 443}.get(parts.scheme)


def trouble_of(error: Exception) -> Trouble:
    """What an exception of a request means, also one that nobody has foreseen; our own errors are raised again.

    Its ``fate`` is that the server may have got the request, unless no connection to it was made.
    """
    import requests
    import urllib3

    lacking = shortage(error)
    if lacking is not None:
        return Trouble(troubles.SHORT, str(lacking), fate=troubles.UNANSWERED)
    gone_wrong = requests.exceptions
    if isinstance(error, gone_wrong.SSLError):
        return _insecure(error)
    no_address = (gone_wrong.InvalidURL, gone_wrong.InvalidSchema, gone_wrong.MissingSchema)
    if isinstance(error, (*no_address, urllib3.exceptions.LocationParseError)):
        return Trouble(troubles.FATAL, NO_ADDRESS)
    if isinstance(error, Forbidden):
        return Trouble(troubles.REJECTED, FORBIDDEN, fate=troubles.UNREACHED)
    if isinstance(error, Unseen):
        return _busy(UNSEEN, troubles.UNREACHED)
    if isinstance(error, gone_wrong.ProxyError):
        return _busy("the proxy failed", troubles.UNREACHED)
    if isinstance(error, gone_wrong.ConnectTimeout) or _not_reached(error):
        return _busy("the server cannot be reached", troubles.UNREACHED)
    kinds: tuple[tuple[Any, str], ...] = (
        ((gone_wrong.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TooSlow), _LATE),
        (Stopped, STOPPED),
        (TooLarge, TOO_LARGE),
        (Damaged, "the reply was damaged"),
        ((gone_wrong.RequestException, urllib3.exceptions.HTTPError, OSError), "the connection failed"),
    )
    for kind, reason in kinds:
        if isinstance(error, kind):
            return _busy(reason, troubles.UNANSWERED)
    if isinstance(error, BestshotError):
        raise error
    _log.debug("a reply led to %s", type(error).__name__)
    return _busy(f"the reply cannot be read ({type(error).__name__})", troubles.UNANSWERED)


_LATE = "the server did not answer in time"


def _busy(reason: str, fate: str) -> Trouble:
    return Trouble(troubles.BUSY, reason, fate=fate)


def _insecure(error: Exception) -> Trouble:
    if _is_of_certificate(error):
        cure = "check the clock, the proxy and REQUESTS_CA_BUNDLE"
        return Trouble(troubles.FATAL, f"the server's certificate is not accepted: {cure}")
    return _busy("the secure connection (TLS) failed", troubles.UNANSWERED)


def _encoded(
    json: Any, form: Mapping[str, Any] | None, files: Mapping[str, tuple[str, bytes, str]] | None
) -> tuple[bytes | None, dict[str, str]]:
    """The body of a request and the header that says what it is."""
    if form is None and files is None:
        return (None, {}) if json is None else (as_json(json), {"Content-Type": "application/json"})
    from urllib3.filepost import encode_multipart_formdata

    fields = [pair for name, value in (form or {}).items() for pair in _fields(name, value)]
    data, kind = encode_multipart_formdata([*fields, *(files or {}).items()])
    return data, {"Content-Type": kind}


def _fields(name: str, value: Any) -> list[tuple[str, str]]:
    """A value as fields of a form; a list and a mapping are several, with brackets after the name."""
    if isinstance(value, Mapping):
        return [pair for inner, one in value.items() for pair in _fields(f"{name}[{inner}]", one)]
    if isinstance(value, (list, tuple)):
        return [pair for one in value for pair in _fields(f"{name}[]", one)]
    if value is None or isinstance(value, bool):
        return [(name, {None: "", True: "true", False: "false"}[value])]
    return [(name, str(value))]


def _answer(status: int, headers: Mapping[str, str], data: bytearray, key: str) -> Answer | Trouble:
    page = data[:512].lstrip()[:1] == b"<"
    try:
        return Answer(status, headers, cleaned(json_value(data), key))
    except ValueError:
        if status < 400:
            # A page is of some other server (a wrong address, a hotel's network); the rest of a reply is the service's.
            return _busy(NO_JSON, troubles.ANSWERED if page else troubles.UNANSWERED)
    text = bytes(data[: 4 * TEXT_CHARACTERS]).decode("utf-8", "replace")
    return Answer(status, headers, None, clean(text, key, TEXT_CHARACTERS))


def _moved(response: Response, key: str) -> Trouble:
    try:
        to = urlsplit(response.headers.get("location", "")[:2000]).netloc.rpartition("@")[2]
    except ValueError:  # of brackets that are no address
        to = ""
    where = f"to {clean(to, key, 80)}" if to else "elsewhere"
    return Trouble(
        troubles.FATAL, f"it redirects {where} (HTTP {response.status_code}), where no key is sent: correct base_url"
    )


def _signing(key: str, header: str, prefix: str) -> Callable[[PreparedRequest], PreparedRequest]:
    """Sets the header itself, so that ``requests`` does not look for a password in ``.netrc`` and send that instead."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        if key:
            request.headers[header] = f"{prefix}{key}"
        return request

    return sign


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
