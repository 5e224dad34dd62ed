"""One file over HTTP: resumed where it stopped, checked while it is written, and patient with a tired server."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.domain import BestshotError, InputError, MissingPart
from selector.weights.answers import Again, gave_up, host_of, reason, refuse, refuse_other
from selector.weights.part import Part, open_part
from selector.weights.sources import Address, shown
from selector.weights.stated import Stated, read_stated, sent_from

if TYPE_CHECKING:
    import requests

Progress = Callable[[str, int, int | None], None]  # (file, bytes so far, bytes in all or None)

_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True)
class Patience:
    """How long to bear with a server.

    Attributes:
        tries: attempts in a row without a single new byte, before giving up.
        unreached: the same while no answer came at all, so that a machine without a network fails soon.
        first_wait_seconds: before the second attempt; doubled each time.
        longest_wait_seconds: between two attempts; also bounds a ``Retry-After``.
        connect_seconds, read_seconds: without a connection, without a byte.
    """

    tries: int = 6
    unreached: int = 3
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0

    def wait_seconds(self, failures: int, asked_seconds: float | None) -> float:
        """Before the next attempt, after so many failures in a row."""
        grown = self.first_wait_seconds * 2.0 ** (failures - 1)
        return min(grown if asked_seconds is None else max(grown, asked_seconds), self.longest_wait_seconds)


def download(address: Address, target: Path, progress: Progress, patience: Patience) -> str:
    """Fetch one file to ``target``; returns its SHA-256.

    Interrupted, it leaves ``TARGET.part``, which the next call goes on with. The file appears under its name only when
    it is whole and its hash is the wanted or the stated one.

    Raises:
        NotThere: the server has no such file.
        MissingPart: the server wants a login, or cannot be reached or is broken after every attempt.
        InputError: the bytes are not the wanted ones (what came is removed), the disk is full, or the folder cannot be
            written.
    """
    import requests

    with requests.Session() as session, open_part(target) as part:
        try:
            _until_done(session, address, part, progress, patience)
        except BestshotError:
            if not part.size_bytes:
                part.discard()
            raise
        return part.sha256


def _until_done(
    session: requests.Session, address: Address, part: Part, progress: Progress, patience: Patience
) -> None:
    failures, answered, most_bytes = 0, False, part.size_bytes
    while True:
        try:
            return _attempt(session, address, part, progress, patience)
        except Again as again:
            failures = 1 if part.size_bytes > most_bytes else failures + 1
            most_bytes = max(most_bytes, part.size_bytes)  # to come as far again after a new start is no progress
            answered = answered or again.answered
            if failures >= (patience.tries if answered else min(patience.unreached, patience.tries)):
                raise MissingPart(gave_up(address, again, failures, part)) from again
            time.sleep(patience.wait_seconds(failures, again.after_seconds))


def _attempt(session: requests.Session, address: Address, part: Part, progress: Progress, patience: Patience) -> None:
    import requests

    try:
        answer = _ask(session, address, part, patience)
    except requests.exceptions.InvalidURL as error:
        raise InputError(f"{shown(address.url)} is no URL that can be fetched: check host and port") from error
    except requests.RequestException as error:
        raise Again(reason(error), answered=False) from error
    with answer:
        stated = read_stated([*(past.headers for past in answer.history), answer.headers])
        if answer.status_code == 416:  # nothing after what is there: whole, or of another file
            _settle_unsatisfied(address, part, stated)
            return
        refuse(answer, address)
        refuse_other(address, stated)
        _place_answer(answer, part, stated, address)
        total = address.size_bytes or stated.size_bytes
        part.need_room(total)
        _receive(answer, part, progress, total)
    _finish(address, part, stated, total)


def _ask(session: requests.Session, address: Address, part: Part, patience: Patience) -> requests.Response:
    headers = {"Accept-Encoding": "identity", "User-Agent": "bestshot"}
    if part.size_bytes:
        if part.identity:
            headers["Range"] = f"bytes={part.size_bytes}-"
            if part.identity.startswith('"'):
                headers["If-Range"] = part.identity
        else:
            part.begin("")  # nobody knows of what these bytes are
    return session.get(
        address.url,
        headers=headers,
        auth=_Bearer(address.token),
        stream=True,
        timeout=(patience.connect_seconds, patience.read_seconds),
    )


class _Bearer:
    """Sets the token on the first request; ``requests`` drops it when a redirect leads to another host or port.

    As an ``auth`` object, and not a header, it also keeps a ``.netrc`` entry from replacing it.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _place_answer(answer: requests.Response, part: Part, stated: Stated, address: Address) -> None:
    """Begin anew unless this answer goes on exactly where the part ends."""
    identity = address.sha256 or stated.sha256 or stated.etag  # by a hash, one mirror goes on where another stopped
    if answer.status_code == 206:
        if part.size_bytes and sent_from(answer.headers) == part.size_bytes and part.identity == identity:
            return
        part.begin("")
        raise Again(f"{host_of(address)} sent a piece of another file than the one that was begun")
    part.begin(identity)


def _receive(answer: requests.Response, part: Part, progress: Progress, total: int | None) -> None:
    import requests
    import urllib3

    name = part.target.name
    progress(name, part.size_bytes, total)
    try:
        for block in answer.iter_content(_BLOCK_BYTES):
            part.append(block)
            progress(name, part.size_bytes, total)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
        raise Again(reason(error)) from error


def _finish(address: Address, part: Part, stated: Stated, total: int | None) -> None:
    if total is not None and part.size_bytes < total:
        raise Again(f"the connection ended after {part.size_bytes} of {total} bytes")
    wanted = address.sha256 or stated.sha256
    wrong = ""
    if wanted and part.sha256 != wanted:
        wrong = f"SHA-256 {part.sha256[:12]}…, expected {wanted[:12]}…"
    elif total is not None and part.size_bytes != total:
        wrong = f"{part.size_bytes} bytes, expected {total}"
    elif not wanted and stated.git_sha1 and part.git_sha1() != stated.git_sha1:
        wrong = f"another git hash than the stated {stated.git_sha1[:12]}…"
    if wrong:
        part.discard()
        raise InputError(f"what came for {address.place} is not that file ({wrong}) and was removed: fetch it again")
    part.finish()


def _settle_unsatisfied(address: Address, part: Part, stated: Stated) -> None:
    wanted = address.sha256 or stated.sha256
    if wanted and part.sha256 == wanted:
        part.finish()
        return
    part.begin("")
    raise Again(f"{host_of(address)} has another file than the one that was begun")
