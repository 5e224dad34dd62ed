"""Bodies of replies: bounded as they come, as they are unpacked, and in what their JSON stands for."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Response

MOST_VALUES = 100_000  # of a reply's JSON: a short text can stand for gigabytes of empty lists
_CHUNK_BYTES = 1 << 16
_NUMBER_CHARACTERS = 40


class TooLarge(Exception):
    """A reply is longer than what it could be."""


class Damaged(Exception):
    """A body cannot be unpacked."""


def read_body(response: Response, most_bytes: int) -> bytearray:
    """The whole body, unpacked. Raises ``TooLarge``, ``Damaged`` and what ``urllib3`` raises.

    A body that is shorter than its Content-Length says is an error of the connection.
    """
    body = bytearray()
    for part in _unpacked(_parts(response, most_bytes), response.headers.get("content-encoding", "")):
        body += part
        if len(body) > most_bytes:
            raise TooLarge
    return body


def json_value(data: bytes | bytearray) -> Any:
    """The value of JSON text. Raises ``ValueError`` where it is none, or more than any reply holds."""
    if data.count(b"{") + data.count(b"[") + data.count(b",") > MOST_VALUES:
        raise ValueError("too many values")
    try:
        return json.loads(data, parse_float=_finite, parse_int=_whole, parse_constant=lambda _: None)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _parts(response: Response, most_bytes: int) -> Iterator[bytes]:
    """What has come, as it was sent; not a full chunk at a time, so that little is waited for."""
    raw, size = response.raw, 0
    some = raw.read1 if hasattr(raw, "read1") else raw.read
    while part := some(_CHUNK_BYTES, decode_content=False):
        size += len(part)
        if size > most_bytes:
            raise TooLarge
        yield part


def _unpacked(parts: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """In pieces of ``_CHUNK_BYTES``: whoever takes them can stop before a bomb has burst."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        yield from parts
        return
    if coding not in ("gzip", "x-gzip", "deflate"):  # nobody asked for it
        raise Damaged
    unpack = zlib.decompressobj(47)  # either kind
    try:
        for part in parts:
            while part:
                if unpack.eof:
                    unpack = zlib.decompressobj(47)
                yield unpack.decompress(part, _CHUNK_BYTES)
                part = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        yield unpack.flush()
    except zlib.error as error:
        raise Damaged from error
    if not unpack.eof:
        raise Damaged


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= _NUMBER_CHARACTERS else None
