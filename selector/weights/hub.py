"""The way to a model hub, and to any other server of files, over ``huggingface_hub``: nothing else here asks a network.

The library resolves a file (its hash, size and storage), carries the token, follows redirects and goes on after a drop.
What it lacks is here: a part that outlives the process (its own is removed by Ctrl-C), a limit of time and size for
whatever a server sends, tries after a failure that it says itself will pass, and refusals as one line with the cure.

A fetch has an HTTP client of its own, made by the library and closed with the fetch: it reads no body but that of a
file, which a ``Part`` bounds, and takes none that is compressed, because what that becomes has no bound.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from selector.domain import BestshotError, InputError, MissingPart
from selector.weights._part import Part, Progress, TooMuch, open_part
from selector.weights._refusals import Again, Compressed, gave_up, reason, status_of, understood
from selector.weights.address import Address, endpoint
from selector.weights.catalogue import ModelFile

_log = logging.getLogger("bestshot.weights")
STALLED_SECONDS = 120.0  # without a block of new bytes, however many dripped, or were sent again
_ASK_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 60.0  # between two tries; also bounds a Retry-After
_BLOCK_BYTES = 1 << 18  # what a drop or Ctrl-C may lose; the library's own 10 MB never arrive whole on a poor line
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "br", "zstd"})
_own = threading.local()  # .send: of the client of the fetch that runs in this thread
_factory = threading.Lock()  # over that of the library, which makes clients


@dataclass(frozen=True)
class Stated:
    """Where the bytes of a file are, and what is known of them: by the catalogue, else by the hub's answer.

    ``git_sha1`` is what a hub states of a small file instead of a SHA-256: its hash as a git blob.
    """

    url: str
    sha256: str | None
    size_bytes: int | None
    git_sha1: str | None = None


def is_offline() -> bool:
    """Whether the user said that no hub is to be asked."""
    named = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").strip().upper() in ("1", "ON", "YES", "TRUE") for name in named)


def unreachable(seconds: float = 5.0) -> str:
    """Why the hub, or its mirror, does not answer, in a few words; "" if it does.

    One short question, for callers of the library itself, which would repeat its own for most of a minute.
    """
    from huggingface_hub.utils import get_session

    try:
        get_session().head(endpoint(), timeout=seconds)
    except Exception as error:  # of httpx or requests, as the library has it
        return reason(error)
    return ""


def download(address: Address, file: ModelFile, target: Path, progress: Progress) -> None:
    """Fetch one file to ``target``, with its SHA-256 noted beside it.

    Interrupted, it leaves ``TARGET.part``, which the next call goes on with. The file appears under its name only when
    it is whole and its hash is the wanted or the stated one.

    Raises:
        NotThere: the server has no such file.
        MissingPart: the server wants a login, cannot be reached, is broken after every try, or sends a web page.
        InputError: the bytes are not the wanted ones (what came is removed), or the folder cannot be written.
        OutOfResources: the disk is full; what came is kept.
    """
    if is_offline():
        raise MissingPart(f"HF_HUB_OFFLINE is set, so {address.host} is not asked: unset it, or fetch --from a folder")
    with open_part(target, progress) as part:
        try:
            stated = _watched(address, file, part)
            _finish(address, part, stated)
        except (BestshotError, OSError):
            if not part.closed and not part.tell():
                part.discard()
            raise


def state(address: Address, file: ModelFile) -> Stated:
    """What a hub states of a file before it is sent. Raises what the library raises, and ``InputError``."""
    from huggingface_hub import get_hf_file_metadata

    found = get_hf_file_metadata(address.url, token=address.token or False, timeout=_ASK_SECONDS)
    etag = (found.etag or "").lower() if found.commit_hash else ""  # a plain server's is any text
    sha256 = etag if re.fullmatch("[0-9a-f]{64}", etag) else None
    if file.sha256 and sha256 and file.sha256 != sha256:
        raise InputError(
            f"{address.host} states another SHA-256 for {address.place} ({sha256[:12]}…, expected "
            f"{file.sha256[:12]}…): it holds another version; take another source"
        )
    return Stated(
        url=urljoin(address.url, found.location or ""),
        sha256=file.sha256 or sha256,
        size_bytes=file.size_bytes or (found.size if etag else None) or None,
        git_sha1=etag if re.fullmatch("[0-9a-f]{40}", etag) else None,
    )


class _Library:
    """``huggingface_hub`` without words, bars and questions of its own, in blocks that are worth keeping.

    All of it is set for the whole process, so the first of several fetches sets it, and the last one sets it back.
    """

    def __init__(self) -> None:
        self._lock, self._fetches, self._undo = threading.Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._fetches += 1
            if self._fetches == 1:
                self._set()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._fetches -= 1
            if not self._fetches:
                self._undo.close()

    def _set(self) -> None:
        from huggingface_hub import constants
        from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

        log = logging.getLogger("huggingface_hub")
        self._undo.callback(log.setLevel, log.level)
        log.setLevel(logging.CRITICAL)
        for name, value in (("DOWNLOAD_CHUNK_SIZE", _BLOCK_BYTES), ("HF_HUB_DISABLE_TELEMETRY", True)):
            self._undo.callback(setattr, constants, name, getattr(constants, name))
            setattr(constants, name, value)
        if not are_progress_bars_disabled():
            self._undo.callback(enable_progress_bars)
            disable_progress_bars()


_library = _Library()


class _Clients:
    """A factory for the library, which has one client for all: in the thread of a fetch, that fetch's own sends."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __call__(self) -> Any:
        client = self.make()
        send = client.send
        client.send = lambda *args, **named: getattr(_own, "send", send)(*args, **named)
        return client


def _client() -> Any:
    """A client for one fetch (of httpx or its successor, as the library has it), with the user's settings if any."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    with _factory:
        clients = _http._GLOBAL_CLIENT_FACTORY  # the library tells it nowhere else
        if not isinstance(clients, _Clients):
            clients = _Clients(clients)
            set_client_factory(clients)
    client = clients.make()
    client.event_hooks["response"].append(_refuse_other_bodies)
    return client


def _refuse_other_bodies(response: Any) -> None:
    """See to it that no body is read but a file's: that of an error or of a redirect may have no end.

    Raises:
        HTTPStatusError: of the client; before the library waits as long as the server says, or reads what it says.
        Compressed: although it was asked for as it is.
    """
    if response.has_redirect_location:
        if response.request.method != "HEAD":
            response.close()
            response.read = bytes
    elif not response.is_success:
        response.raise_for_status()
    elif response.request.method != "HEAD":
        encodings = response.headers.get("Content-Encoding", "").lower()
        if _COMPRESSED & set(re.split(r"[\s,]+", encodings)):
            raise Compressed


def _watched(address: Address, file: ModelFile, part: Part) -> Stated:
    """``_until_done``, in a thread that is left behind when the part does not grow any more.

    A read time-out does not end what drips: bytes, headers, or answers that promise another one. The thread that is
    left ends with its client: at the next byte, or at the read time-out.
    """
    future: Future[Stated] = Future()
    client = _client()

    def run() -> None:
        _own.send = client.send
        try:
            with _library:  # here, so that it stays quiet as long as the thread lasts
                stated = _until_done(address, file, part)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(stated)

    threading.Thread(target=run, name="fetch", daemon=True).start()
    try:
        while not wait([future], timeout=0.2).done:  # short, so that Ctrl-C is heard on Windows too
            if time.monotonic() - part.fresh_at > STALLED_SECONDS:
                raise MissingPart(gave_up(address, f"nothing new came for {STALLED_SECONDS:.0f} s", part))
        return future.result()
    finally:
        client.close()


def _until_done(address: Address, file: ModelFile, part: Part) -> Stated:
    failures, most_bytes = 0, part.tell()
    while True:
        part.fresh_at = time.monotonic()
        try:
            return _attempt(address, file, part)
        except Again as again:
            failures = 1 if part.tell() > most_bytes else failures + 1
            most_bytes = max(most_bytes, part.tell())
            if failures >= again.tries:
                raise MissingPart(gave_up(address, f"{again} ({failures} times in a row)", part)) from again
            _log.info("%s: trying again, %s", address.host, again)
            part.fresh_at = time.monotonic() + _LONGEST_WAIT_SECONDS  # a wait is no stall
            time.sleep(min(max(2.0 ** (failures - 1), again.after_seconds or 0.0), _LONGEST_WAIT_SECONDS))


def _attempt(address: Address, file: ModelFile, part: Part) -> Stated:
    from huggingface_hub.file_download import http_get

    stated = Stated(address.url, file.sha256, file.size_bytes)
    if address.on_hub:
        try:
            stated = state(address, file)
        except Exception as error:
            raise understood(error, address, Again(reason(error), tries=3)) from error
    part.resume(stated.sha256 or stated.git_sha1 or "", stated.size_bytes)
    begun_bytes = part.tell()
    headers = {"Accept-Encoding": "identity", "User-Agent": "bestshot"}
    if address.token and urlsplit(stated.url)[:2] == urlsplit(address.url)[:2]:
        headers["Authorization"] = f"Bearer {address.token}"
    try:
        if not stated.size_bytes or begun_bytes < stated.size_bytes:
            http_get(
                stated.url,
                part,
                resume_size=begun_bytes,
                headers=headers,
                expected_size=stated.size_bytes,
                displayed_filename=part.target.name,
            )
    except Exception as error:
        if isinstance(error, TooMuch) or status_of(error) == 416:
            part.begin()
            if begun_bytes:  # a server that does not mind ranges, or has another file now
                raise Again("it has another file than the one that was begun") from error
        raise understood(error, address, Again(reason(error), tries=3)) from error  # the library has tried itself
    return stated


def _finish(address: Address, part: Part, stated: Stated) -> None:
    found, size = part.sha256(), part.tell()
    wrong = ""
    if stated.sha256 and found != stated.sha256:
        wrong = f"SHA-256 {found[:12]}…, expected {stated.sha256[:12]}…"
    elif stated.size_bytes is not None and size != stated.size_bytes:
        wrong = f"{size} bytes, expected {stated.size_bytes}"
    elif not stated.sha256 and stated.git_sha1:
        blob = sha1(b"blob %d\0" % size + part.path.read_bytes(), usedforsecurity=False).hexdigest()
        if blob != stated.git_sha1:
            wrong = f"another git hash than the stated {stated.git_sha1[:12]}…"
    if wrong:
        part.discard()
        raise InputError(f"what came for {address.place} is not that file ({wrong}) and was removed: fetch it again")
    part.finish(found)
