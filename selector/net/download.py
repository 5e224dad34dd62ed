"""Fetches a finished picture from where a service put it: bounded, looked at, decoded whole, and tried again.

The place is usually another company's storage, so the account's key does not go with it; where a service wants it
there, ``carry_key`` sends it to the service's own origin, and to no address that this one redirects to. A service may
send us into the world, and where it lies itself in a private network, or on this machine, also there; never elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from selector.domain import GenerationFailed, InputError, OutOfResources, Picture
from selector.net import troubles
from selector.net._account import Account
from selector.net._addresses import ANY, reach_of_service
from selector.net._reading import read_body
from selector.net.http import FORBIDDEN, NO_ADDRESS, TOO_LARGE, exchange, origin, trouble_of
from selector.net.pace import Interrupted
from selector.net.redact import cleaned
from selector.net.troubles import LONGEST_RETRY_AFTER_SECONDS, Tries, Trouble, persist, retry_after

if TYPE_CHECKING:
    from requests import Response

MAX_PICTURE_BYTES = 64_000_000
MAX_ADDRESS_CHARACTERS = 8192
DOWNLOAD_SECONDS = 300.0  # of one picture, however slowly it comes
MOST_REDIRECTS = 5
_GONE = (401, 403, 404, 410)  # a signed address that has run out is forbidden, or not found
_NO_ADDRESS = "the service gave no address of a picture"
_OF_A_PICTURE = {  # reasons of requests, said of a download
    NO_ADDRESS: _NO_ADDRESS,
    TOO_LARGE: "the picture is too large",
    FORBIDDEN: "the picture's address lies in a private network, where no service may send us",
}
_WAIT_SECONDS = 0.2


def download(account: Account, url: str, carry_key: bool = False, most_bytes: int = MAX_PICTURE_BYTES) -> Picture:
    """The picture at ``url``, decoded (its ``rgb`` is there).

    Raises:
        GenerationFailed: it cannot be had; the message names no address, because an address is a key to the picture.
        Interrupted, OutOfResources: the run ends.
    """

    def gives_up(came: Trouble, tries: Tries) -> bool:
        if came.kind == troubles.SHORT:
            raise OutOfResources(came.reason)
        if account.stop.is_set():
            raise Interrupted("stopped")
        if came.kind != troubles.BUSY:
            raise GenerationFailed(came.reason)
        if tries.failures > account.service.max_retries:
            raise GenerationFailed(f"{came.reason} ({tries.failures} times)")
        return False

    def wait_out(came: Trouble, tries: Tries) -> None:
        account.note(came.reason)
        wait, rest = came.retry_after_seconds, account.rest
        rest.sleep(rest.backoff(tries.failures) if wait is None else min(wait, LONGEST_RETRY_AFTER_SECONDS))

    def once() -> Picture | Trouble:
        try:
            return _try(account, url, carry_key, most_bytes)
        except Exception as error:
            return _of_a_picture(trouble_of(error))

    came = persist(once, gives_up, wait_out)
    assert isinstance(came, Picture)  # ``gives_up`` raises
    return came


def decoded(data: bytes) -> Picture | Trouble:
    """The picture in these bytes, with its pixels; or what is wrong with them."""
    if data[:512].lstrip()[:1] in (b"<", b"{"):
        return Trouble(troubles.BUSY, "a page of text came instead of a picture")
    picture = Picture(data, "the result")
    try:
        _ = picture.rgb
    except InputError:
        return Trouble(troubles.BUSY, "the picture came damaged")
    return picture


def picture_in(data: bytes) -> Picture:
    """What a service sent in its answer, decoded; raises ``GenerationFailed`` where it is no picture."""
    came = decoded(data)
    if isinstance(came, Trouble):
        raise GenerationFailed(came.reason)
    return came


def _try(account: Account, url: str, carry_key: bool, most_bytes: int) -> Picture | Trouble:
    for _ in range(MOST_REDIRECTS + 1):
        if not _is_of_the_web(url):
            return Trouble(troubles.REJECTED, _NO_ADDRESS)
        if carry_key and origin(url) != origin(account.service.base_url):
            host = account.clean(urlsplit(url).hostname or "", 80)
            return Trouble(troubles.REJECTED, f"the key is not sent to {host}, which is not the service's own host")
        came = _transfer(account, url, carry_key, most_bytes)
        if isinstance(came, Trouble):
            return came
        if isinstance(came, bytes):
            return decoded(came)
        url = _joined(url, came)
    return Trouble(troubles.REJECTED, "the picture's address redirects too often")


def _transfer(account: Account, url: str, carry_key: bool, most_bytes: int) -> bytes | str | Trouble:
    """The bytes, or where they are instead, or the trouble."""
    slots = account.downloads_from(urlsplit(url).netloc)
    while not slots.acquire(timeout=_WAIT_SECONDS):
        if account.stop.is_set():
            raise Interrupted("stopped")
    key, seconds = account.key if carry_key else "", account.service.timeout_seconds
    headers = {"Accept-Encoding": "identity"}
    try:
        reach = _reach(account, url)
        with exchange("GET", url, headers, key, seconds, DOWNLOAD_SECONDS, account.stop, reach=reach) as response:
            refused = _refused(response, most_bytes)
            if refused is not None:
                return refused
            if response.status_code != 200:
                return str(cleaned(response.headers["location"], account.key))
            return bytes(read_body(response, most_bytes))
    finally:
        slots.release()


def _reach(account: Account, url: str) -> int:
    """How far this address may lie, because of the one that is configured."""
    base_url = account.service.base_url
    return ANY if urlsplit(url).hostname == urlsplit(base_url).hostname else reach_of_service(base_url)


def _is_of_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url) if len(url) <= MAX_ADDRESS_CHARACTERS else urlsplit("")
        url.encode()  # not so with half of a surrogate pair
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _joined(url: str, to: str) -> str:
    try:
        return urljoin(url, to)
    except ValueError:
        return ""


def _refused(response: Response, most_bytes: int) -> Trouble | None:
    """What the head of the reply says against its body."""
    status = response.status_code
    if status in _GONE:
        return Trouble(troubles.REJECTED, f"the picture is not there any more, its address has expired (HTTP {status})")
    if status in (408, 429) or status >= 500:
        return Trouble(troubles.BUSY, f"the picture's server failed (HTTP {status})", retry_after(response.headers))
    if 300 <= status < 400:
        return (
            None if "location" in response.headers else Trouble(troubles.BUSY, "the picture's server redirects nowhere")
        )
    if status != 200:
        return Trouble(troubles.REJECTED, f"the picture's server refused (HTTP {status})")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in ("application/json", "application/xml", "application/xhtml+xml"):
        return Trouble(troubles.BUSY, "a page of text came instead of a picture")
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > most_bytes:
        return Trouble(troubles.REJECTED, f"the picture is over {most_bytes // 1_000_000} MB")
    return None


def _of_a_picture(trouble: Trouble) -> Trouble:
    """The same trouble, said of a download: it stops nothing but this picture."""
    if trouble.kind == troubles.SHORT:
        return trouble
    if trouble.reason in _OF_A_PICTURE:
        return Trouble(troubles.REJECTED, _OF_A_PICTURE[trouble.reason])
    return Trouble(troubles.BUSY, f"downloading: {trouble.reason}")
