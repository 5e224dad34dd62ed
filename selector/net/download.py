"""Fetches a finished picture from where a service put it: bounded, looked at, decoded whole, and tried again.

The place is usually another company's storage, so the account's key does not go with it; where a service wants it
there, ``carry_key`` sends it to the service's own origin, and to no address that this one redirects to.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from selector.domain import GenerationFailed, InputError, OutOfResources, Picture
from selector.net import troubles
from selector.net.account import Account
from selector.net.http import NO_ADDRESS, TOO_LARGE, open_url, origin, read_body, trouble_of
from selector.net.pace import Interrupted
from selector.net.troubles import LONGEST_RETRY_AFTER_SECONDS, Trouble, retry_after

if TYPE_CHECKING:
    from requests import Response

MAX_PICTURE_BYTES = 64_000_000
DOWNLOAD_SECONDS = 300.0  # of one picture, however slowly it comes
MOST_REDIRECTS = 5
_GONE = (401, 403, 404, 410)  # a signed address that has run out is forbidden, or not found
_WAIT_SECONDS = 0.2


def download(account: Account, url: str, carry_key: bool = False, most_bytes: int = MAX_PICTURE_BYTES) -> Picture:
    """The picture at ``url``, decoded (its ``rgb`` is there).

    Raises:
        GenerationFailed: it cannot be had; the message names no address, because an address is a key to the picture.
        Interrupted, OutOfResources: the run ends.
    """
    failures = 0
    while True:
        came = _try(account, url, carry_key, most_bytes)
        if isinstance(came, Picture):
            return came
        failures += 1
        if came.kind == troubles.SHORT:
            raise OutOfResources(came.reason)
        if came.kind != troubles.BUSY:
            raise GenerationFailed(came.reason)
        if failures > account.service.max_retries:
            raise GenerationFailed(f"{came.reason} ({failures} times)")
        account.note(came.reason)
        wait = came.retry_after_seconds
        account.rest.sleep(account.rest.backoff(failures) if wait is None else min(wait, LONGEST_RETRY_AFTER_SECONDS))


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


def _try(account: Account, url: str, carry_key: bool, most_bytes: int) -> Picture | Trouble:
    for _ in range(MOST_REDIRECTS + 1):
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            return Trouble(troubles.REJECTED, "the service gave no address of a picture")
        if carry_key and origin(url) != origin(account.service.base_url):
            host = urlsplit(url).hostname
            return Trouble(troubles.REJECTED, f"the key is not sent to {host}, which is not the service's own host")
        came = _transfer(account, url, carry_key, most_bytes)
        if isinstance(came, Trouble):
            return came
        if isinstance(came, bytes):
            return decoded(came)
        url = urljoin(url, came)
    return Trouble(troubles.REJECTED, "the picture's address redirects too often")


def _transfer(account: Account, url: str, carry_key: bool, most_bytes: int) -> bytes | str | Trouble:
    """The bytes, or where they are instead, or the trouble."""
    slots = account.downloads_from(urlsplit(url).netloc)
    while not slots.acquire(timeout=_WAIT_SECONDS):
        if account.stop.is_set():
            raise Interrupted("stopped")
    ends = time.monotonic() + DOWNLOAD_SECONDS
    key = account.key if carry_key else ""
    try:
        with open_url("GET", url, account.service.timeout_seconds, key) as response:
            refused = _refused(response, most_bytes)
            if refused is not None:
                return refused
            if response.status_code != 200:
                return str(response.headers["location"])
            return read_body(response, most_bytes, ends)
    except Exception as error:
        return _of_a_picture(trouble_of(error))
    finally:
        slots.release()


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
    if length.isdigit() and int(length) > most_bytes:
        return Trouble(troubles.REJECTED, f"the picture is over {most_bytes // 1_000_000} MB")
    return None


def _of_a_picture(trouble: Trouble) -> Trouble:
    """The same trouble, said of a download: it stops nothing but this picture."""
    if trouble.kind == troubles.SHORT:
        return trouble
    if trouble.reason == NO_ADDRESS:
        return Trouble(troubles.REJECTED, "the service gave no address of a picture")
    if trouble.reason == TOO_LARGE:
        return Trouble(troubles.REJECTED, "the picture is too large")
    return Trouble(troubles.BUSY, f"downloading: {trouble.reason}")
