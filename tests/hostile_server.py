"""A server on loopback whose every mode is something that a client has to survive: see ``MODES`` and ``PICTURES``.

The mode is the first part of a request's path, so a client's ``base_url`` is ``server.url(mode)``. It speaks through
bare sockets, because no HTTP library would send most of this. What it is told as the key, it says again.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

HUGE_ENTITY = "&#" + "9" * 5000 + ";"  # more digits than ``int`` takes
ENDS_SECONDS = 20.0  # of one connection: nothing here goes on for ever
BLOCK = bytes(1 << 16)
GOOD = {"output": {"task_id": "job-1", "task_status": "SUCCEEDED", "results": []}}


class Talk:
    """One request, and the connection on which it came."""

    def __init__(self, connection: socket.socket, server: HostileServer) -> None:
        self.connection, self.server = connection, server
        connection.settimeout(5.0)
        head = b""
        while b"\r\n\r\n" not in head and (more := connection.recv(1 << 16)):
            head += more
        top, _, body = head.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        self.path = [*lines[0].split(" "), "/"][1]
        self.headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines[1:]}
        self.key = self.headers.get("authorization", "").removeprefix("Bearer ") or server.last_key
        server.last_key = self.key
        left = int(self.headers.get("content-length", 0)) - len(body)
        while left > 0 and (more := connection.recv(1 << 16)):
            left -= len(more)
        self._ends = time.monotonic() + ENDS_SECONDS

    def send(self, data: bytes) -> None:
        if time.monotonic() > self._ends:
            raise TimeoutError
        self.connection.sendall(data)

    def drip(self, data: bytes) -> None:
        """One byte each 50 ms: no read time-out ever runs out."""
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(0.05)

    def head(self, status: str = "200 OK", *lines: str, kind: str = "application/json") -> None:
        self.send("\r\n".join((f"HTTP/1.1 {status}", f"content-type: {kind}", *lines, "", "")).encode("latin-1"))

    def whole(self, body: bytes | str, status: str = "200 OK", *lines: str, kind: str = "application/json") -> None:
        data = body.encode() if isinstance(body, str) else body
        self.head(status, f"content-length: {len(data)}", "connection: close", *lines, kind=kind)
        self.send(data)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Mode = Callable[[Talk], Any]


class HostileServer:
    """Serves from entering to leaving; ``seen`` are the paths that were asked for."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen: list[str] = []
        self.last_key = ""

    def __enter__(self) -> HostileServer:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def url(self, mode: str) -> str:
        return f"http://127.0.0.1:{self.port}/{mode}"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            talk = Talk(connection, self)
            self.seen.append(talk.path)
            mode = talk.path.split("/")[1].partition("?")[0]
            {**MODES, **PICTURES}.get(mode, MODES["empty"])(talk)
            with suppress(OSError):  # what the client has still to say must not become a reset
                connection.shutdown(socket.SHUT_WR)


def for_ever(begin: Callable[[Talk], None], more: bytes) -> Mode:
    def mode(talk: Talk) -> None:
        begin(talk)
        while True:
            talk.send(more)

    return mode


def bare(data: bytes) -> Mode:
    return lambda talk: talk.send(data)


def json_text(text: str | bytes, status: str = "200 OK", *lines: str) -> Mode:
    return lambda talk: talk.whole(text, status, *lines)


def packed(coding: str, data: bytes) -> Mode:
    return lambda talk: talk.whole(data, "200 OK", f"content-encoding: {coding}")


def bomb(levels: int = 1, megabytes: int = 1024) -> bytes:
    """Gzip of that many megabytes of a JSON string; 1 MB as it is sent."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = pack.compress(b'{"a": "') + pack.flush(zlib.Z_FULL_FLUSH)
    block = pack.compress(b"a" * (1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)  # stands for itself, so it can be repeated
    data = head + block * megabytes
    for _ in range(levels - 1):
        data = gzip.compress(data)
    return data


_bombs: dict[int, bytes] = {}


def bombed(levels: int, coding: str, kind: str = "application/json") -> Mode:
    def mode(talk: Talk) -> None:
        data = _bombs.setdefault(levels, bomb(levels))
        talk.whole(data, "200 OK", f"content-encoding: {coding}", kind=kind)

    return mode


def moved(to: Callable[[Talk], str], status: str = "302 Found") -> Mode:
    return lambda talk: talk.whole(b"", status, f"location: {to(talk)}")


def spellings(key: str) -> list[str]:
    """The key as it is and as a server may have garbled it."""
    bare_key = "".join(c for c in key if c.isalnum())
    return [
        key,
        " ".join(key),
        bare_key,
        key.upper(),
        "".join(f"%{ord(c):02x}" for c in key),
        quote(quote(f"<{key}>", safe=""), safe=""),
        "".join(f"&#{ord(c)};" for c in key),
        base64.b64encode(f"Bearer {key}".encode()).decode(),
        key.encode().hex(),
        key[:10] + "…",
        "\u200b".join(key),
        f"\x1b[1m{key[:9]}\x1b[0m{key[9:]}",
        "".join(chr(ord(c) + 0xFEE0) for c in key),
        " ".join(f"{ord(c):02x}" for c in key),
        ":".join(f"{ord(c):02X}" for c in key),
        ", ".join(f"0x{ord(c):02x}" for c in key),
        "".join(f"\\x{ord(c):02x}" for c in key),
        "".join(f"\\u{ord(c):04x}" for c in key),
        ", ".join(str(ord(c)) for c in key),
        base64.b32encode(key.encode()).decode(),
        base64.b64encode(base64.b64encode(f"Bearer {key}".encode())).decode(),
        " ".join(key[::-1]),
        "".join(f"%2525252525{ord(c):02x}" for c in key),
        "".join(f"&amp;amp;#{ord(c)};" for c in key),
    ]


def echo(status: str, *places: str) -> Mode:
    """Says the key in those fields: in every spelling where words are looked for."""

    def mode(talk: Talk) -> None:
        said = " | ".join(spellings(talk.key))
        every = {"message": f"wrong key {said}", "code": f"Bad.{talk.key}", "type": talk.key, "param": talk.key}
        told: Any = {place: every.get(place, said) for place in places}
        told = {**told, talk.key: talk.key, "error": dict(told), "request_id": talk.key}
        lines = (f"x-request-id: {talk.key}", f"x-{talk.key}: {talk.key}", f"retry-after: 0 {talk.key}")
        talk.whole(json.dumps(told), status, *lines)

    return mode


def echo_good(talk: Talk) -> None:
    """A good reply to every client, with the key in all of its fields."""
    said = f"{talk.key} {' '.join(talk.key)}"
    url = f"{talk.server.url('picture_gone')}/{talk.key}?a={talk.key}"
    output = {"task_id": talk.key, "task_status": "SUCCEEDED", "results": [{"url": url, "actual_prompt": said}]}
    image = {"url": url, "revised_prompt": said}
    chat = {"message": {"role": "assistant", "content": said, "refusal": None}, "finish_reason": talk.key}
    told = {"output": output, "data": [image], "choices": [chat], "size": talk.key, "model": talk.key, "id": talk.key}
    talk.whole(json.dumps(told), "200 OK", f"x-request-id: {talk.key}")


ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b1m\u202e\u2066evil\u2069\x00\x08\x7f\x85\ufeff\ud800 end\r\nnext"


def escapes(talk: Talk) -> None:
    told = {"message": ESCAPES, "code": ESCAPES, "type": ESCAPES, ESCAPES: ESCAPES}
    talk.whole(json.dumps({**told, "error": told}), "400 \x1b[31mBad")


def reset_in_body(talk: Talk) -> None:
    talk.head("200 OK", "content-length: 1000")
    talk.send(b'{"a": ')
    time.sleep(0.05)
    talk.reset()


def half_close(talk: Talk) -> None:
    talk.head("200 OK", "content-length: 1000")
    talk.connection.shutdown(socket.SHUT_WR)
    time.sleep(3.0)


MODES: dict[str, Mode] = {
    # without an end
    "endless_body": for_ever(lambda talk: talk.head("200 OK", "connection: close"), BLOCK),
    "endless_spaces": for_ever(lambda talk: talk.head("200 OK", "connection: close"), b" " * (1 << 16)),
    "endless_chunks": for_ever(
        lambda talk: talk.head("200 OK", "transfer-encoding: chunked"), b"10000\r\n" + BLOCK + b"\r\n"
    ),
    "endless_error": for_ever(lambda talk: talk.head("500 Oops", "connection: close"), BLOCK),
    "endless_headers": for_ever(lambda talk: talk.send(b"HTTP/1.1 200 OK\r\n"), b"x-more: " + b"y" * 1000 + b"\r\n"),
    "endless_header": for_ever(lambda talk: talk.send(b"HTTP/1.1 200 OK\r\nx-long: "), b"y" * (1 << 16)),
    "endless_status": for_ever(lambda talk: talk.send(b"HTTP/1.1 200 "), b"OK" * (1 << 15)),
    "endless_continue": for_ever(lambda _: None, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless_hints": for_ever(lambda _: time.sleep(0.01), b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
    "endless_trailers": for_ever(
        lambda talk: (
            talk.head("200 OK", "transfer-encoding: chunked"),
            talk.send(b"2\r\n{}\r\n0\r\n"),
        )[-1],
        b"x-more: y\r\n",
    ),
    "endless_chunk_extension": for_ever(
        lambda talk: (talk.head("200 OK", "transfer-encoding: chunked"), talk.send(b"2;"))[-1], b"x" * (1 << 16)
    ),
    # without haste
    "silent": lambda _: time.sleep(ENDS_SECONDS),
    "dripped_status": lambda talk: talk.drip(b"HTTP/1.1 200 OK" + b"K" * 1000),
    "dripped_headers": lambda talk: talk.drip(b"HTTP/1.1 200 OK\r\n" + b"x-slow: y\r\n" * 100),
    "dripped_body": lambda talk: (talk.head("200 OK", "content-length: 1000"), talk.drip(b" " * 1000)),
    "dripped_chunks": lambda talk: (
        talk.head("200 OK", "transfer-encoding: chunked"),
        talk.drip(b"1\r\n \r\n" * 1000),
    ),
    "dripped_continue": lambda talk: talk.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "dripped_error": lambda talk: (talk.head("400 Bad", "content-length: 1000"), talk.drip(b"{" + b" " * 999)),
    # packed
    "gzip_bomb": bombed(1, "gzip"),
    "gzip_in_gzip": bombed(2, "gzip, gzip"),
    "gzip_in_gzip_said_once": bombed(2, "gzip"),
    "gzip_lie": packed("gzip", b'{"a": 1}'),
    "gzip_cut": packed("gzip", gzip.compress(json.dumps(GOOD).encode())[:-9]),
    "deflate_lie": packed("deflate", b'{"a": 1}'),
    "brotli_lie": packed("br", b'{"a": 1}'),
    "zstd_lie": packed("zstd", b'{"a": 1}'),
    "coding_of_many": packed(", ".join(["gzip"] * 50), b'{"a": 1}'),
    # lengths
    "length_too_long": lambda talk: (talk.head("200 OK", "content-length: 5000"), talk.send(b'{"a": 1}')),
    "length_too_short": lambda talk: (talk.head("200 OK", "content-length: 3"), talk.send(b'{"a": 1}')),
    "length_negative": lambda talk: (talk.head("200 OK", "content-length: -5"), talk.send(b'{"a": 1}')),
    "length_huge": lambda talk: (talk.head("200 OK", "content-length: " + "9" * 30), talk.send(b'{"a": 1}')),
    "length_of_two": lambda talk: (
        talk.head("200 OK", "content-length: 8", "content-length: 900"),
        talk.send(b'{"a": 1}'),
    ),
    "length_and_chunks": lambda talk: (
        talk.head("200 OK", "content-length: 3", "transfer-encoding: chunked"),
        talk.send(b"8\r\n" + b'{"a": 1}' + b"\r\n0\r\n\r\n"),
    ),
    "chunk_garbage": lambda talk: (talk.head("200 OK", "transfer-encoding: chunked"), talk.send(b"zz\r\n{}\r\n")),
    "chunk_huge": lambda talk: (talk.head("200 OK", "transfer-encoding: chunked"), talk.send(b"f" * 16 + b"\r\n{}")),
    "chunk_negative": lambda talk: (talk.head("200 OK", "transfer-encoding: chunked"), talk.send(b"-5\r\n{}\r\n")),
    # JSON
    "deep_lists": json_text("[" * 100_000 + "]" * 100_000),
    "deep_objects": json_text('{"a":' * 50_000 + "1" + "}" * 50_000),
    "deep_enough_to_read": json_text('{"output":' * 300 + "1" + "}" * 300),
    "deep_unclosed": json_text("[" * 3_000_000),
    "wide_lists": json_text("[" + "[]," * 1_300_000 + "[]]"),
    "wide_objects": json_text('{"data": [' + "{}," * 1_300_000 + "{}]}"),
    "huge_integer": json_text('{"output": {"task_id": ' + "9" * 1_000_000 + "}}"),
    "huge_exponent": json_text('{"a": 1e999999999, "data": [1e400], "usage": {"prompt_tokens": 1e999}}'),
    "not_a_number": json_text('{"a": NaN, "data": [Infinity, -Infinity], "choices": [NaN]}'),
    "duplicate_keys": json_text('{"output": 1, "output": {"task_id": 5, "task_id": null}, "data": 1, "data": {}}'),
    "many_words": json_text('{"data": [' + '"a b c d e f",' * 40_000 + "1]}"),
    "many_strings": json_text(json.dumps([f"{i:06x} " * 5 for i in range(95_000)])),
    "many_tokens": json_text(json.dumps([f"{i:06x}" * 6 for i in range(95_000)])),
    "many_of_the_key": lambda talk: talk.whole(json.dumps([f"{talk.key[:9]} {i} & %41" for i in range(95_000)])),
    "much_spread": lambda talk: talk.whole(json.dumps(["-".join(talk.key[:9]) * 200 + " "] * 1000)),
    "huge_string": json_text('{"output": {"task_id": "' + "A" * 3_900_000 + '"}, "data": "' + "A" * 99 + '"}'),
    "huge_name": json_text('{"' + "A " * 1_900_000 + '": 1}'),
    "wrong_types": json_text('{"output": [1], "data": [1, "a", null, [], {"url": 5}], "choices": [{"message": 7}]}'),
    "scalar": json_text("17"),
    "string": json_text('"a string"'),
    "null": json_text("null"),
    "invalid_utf8": json_text(b'{"message": "\xff\xfe\xc3\x28"}'),
    "byte_order_mark": json_text(b'\xef\xbb\xbf{"message": "hello"}'),
    "utf_16": json_text('{"message": "hello"}'.encode("utf-16")),
    "half_pairs": json_text('{"message": "\\ud800 \\udfff", "error": {"message": "\\ud800"}}', "400 Bad"),
    "nul_bytes": json_text(b"\x00" * 1000),
    # no JSON
    "page": lambda talk: talk.whole("<html><b>welcome</b></html>", kind="text/html"),
    "page_as_json": json_text("<!DOCTYPE html><html>"),
    "page_of_error": lambda talk: talk.whole(f"<html>{talk.key}</html>", "502 Bad Gateway", kind="text/html"),
    "empty": json_text(b""),
    "no_content": lambda talk: talk.send(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"),
    "no_content_with_body": lambda talk: talk.send(b'HTTP/1.1 204 No\r\ncontent-length: 8\r\n\r\n{"a": 1}'),
    "switching_protocols": lambda talk: talk.send(b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n" + b"x" * 50),
    "reset_content": json_text(b"", "205 Reset Content"),
    # redirects
    "moved_in_a_loop": moved(lambda talk: talk.path),
    "moved_elsewhere": moved(lambda talk: f"http://localhost:{talk.server.port}/elsewhere", "307 Temporary"),
    "moved_for_ever": moved(lambda talk: f"http://localhost:{talk.server.port}/elsewhere", "308 Permanent"),
    "moved_to_link_local": moved(lambda _: "http://169.254.169.254/latest/meta-data"),
    "moved_to_private": moved(lambda _: "http://10.0.0.1/"),
    "moved_to_file": moved(lambda _: "file:///etc/passwd"),
    "moved_to_ftp": moved(lambda _: "ftp://127.0.0.1/x"),
    "moved_to_brackets": moved(lambda _: "http://[::1"),
    "moved_with_password": moved(lambda talk: f"http://me:{talk.key}@localhost:{talk.server.port}/elsewhere"),
    "moved_to_the_key": moved(lambda talk: f"http://{talk.key}.example.com/{talk.key}"),
    "moved_with_an_endless_body": for_ever(lambda talk: talk.head("302 Found", "location: /x"), BLOCK),
    "moved_with_a_bomb": lambda talk: talk.whole(
        _bombs.setdefault(1, bomb()), "302 Found", "location: /x", "content-encoding: gzip"
    ),
    "moved_nowhere": json_text(b"", "302 Found"),
    "many_choices": json_text(b"{}", "300 Multiple Choices"),
    "not_modified": lambda talk: talk.send(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    # words
    "entity_in_json": json_text(json.dumps({"error": {"message": f"bad {HUGE_ENTITY}"}}), "400 Bad"),
    "entity_in_text": lambda talk: talk.whole(f"bad {HUGE_ENTITY}", "400 Bad", kind="text/plain"),
    "entity_in_header": lambda talk: talk.whole(b"{}", "200 OK", f"x-a: y {HUGE_ENTITY}"),
    "entity_in_a_good_reply": json_text(
        json.dumps({"choices": [{"message": {"role": "assistant", "content": f"hi {HUGE_ENTITY}"}}]})
    ),
    "echo_in_error": echo("400 Bad", "message", "code", "type", "param", "detail"),
    "echo_in_code": echo("400 Bad", "code"),
    "echo_in_message": echo("400 Bad", "message"),
    "echo_when_busy": echo("503 Busy", "message", "code"),
    "echo_when_throttling": echo("429 Slow", "message", "code"),
    "echo_when_forbidden": echo("403 No", "message", "code"),
    "echo_in_status_200": echo("200 OK", "message", "code", "type"),
    "echo_in_reason": lambda talk: talk.whole(b"{}", f"400 {talk.key}"),
    "echo_in_text": lambda talk: talk.whole(" | ".join(spellings(talk.key)), "400 Bad", kind="text/plain"),
    "echo_in_broken_headers": lambda talk: talk.send(
        f"HTTP/1.1 400 Bad\r\n{talk.key} no colon\r\nx: y\r\ncontent-length: 2\r\n\r\n{{}}".encode()
    ),
    "echo_in_a_good_reply": echo_good,
    "escapes": escapes,
    "header_injection": lambda talk: talk.whole(b"{}", "400 Bad", "x-a: b\r\n x-folded: c\rd\x00e"),
    # waiting
    "retry_after_negative": json_text(b"{}", "429 Slow", "retry-after: -5"),
    "retry_after_huge": json_text(b"{}", "429 Slow", "retry-after: 1e308"),
    "retry_after_of_digits": json_text(b"{}", "503 Busy", "retry-after: " + "9" * 5000),
    "retry_after_nan": json_text(b"{}", "429 Slow", "retry-after: nan"),
    "retry_after_past": json_text(b"{}", "429 Slow", "retry-after: Wed, 21 Oct 2015 07:28:00 GMT"),
    "retry_after_year_99999": json_text(b"{}", "429 Slow", "retry-after: Wed, 21 Oct 99999 07:28:00 GMT"),
    # connections
    "reset_at_once": Talk.reset,
    "reset_after_head": lambda talk: (talk.head("200 OK", "content-length: 100"), time.sleep(0.05), talk.reset()),
    "reset_in_body": reset_in_body,
    "closed_at_once": lambda _: None,
    "half_close": half_close,
    "tls_garbage": bare(b"\x15\x03\x01\x00\x02\x02\x28" * 100),
    "http_0_9": bare(b"hello\r\n"),
    "http_9": bare(b"HTTP/9.9 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
    "status_600": json_text(b"{}", "600 What"),
    "status_999": json_text(b"{}", "999 What"),
    "status_0": json_text(b"{}", "000 What"),
    "status_of_words": json_text(b"{}", "two hundred"),
    "status_negative": json_text(b"{}", "-200 OK"),
}


def png(width: int, height: int) -> bytes:
    """A header that promises so many pixels, with some data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20), 9) * 20
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def picture(data: bytes, kind: str = "image/png", *lines: str) -> Mode:
    return lambda talk: talk.whole(data, "200 OK", *lines, kind=kind)


PICTURES: dict[str, Mode] = {
    "picture_bomb": picture(png(60_000, 60_000)),
    "picture_of_a_line": picture(png(2_000_000_000, 1)),
    "picture_cut": picture(png(64, 64)[:60]),
    "picture_gzip_bomb": bombed(1, "gzip", "image/png"),
    "picture_is_a_page": picture(b"<html>", "image/png"),
    "picture_is_a_drawing": picture(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "picture_is_postscript": picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png"),
    "picture_is_an_archive": picture(b"PK\x03\x04" + bytes(1000), "application/zip"),
    "picture_is_text": lambda talk: talk.whole(talk.key, kind="text/plain"),
    "picture_of_no_length": lambda talk: talk.whole(b"", "200 OK", "content-length: \xb2", kind="image/png"),
    "picture_of_odd_length": lambda talk: (
        talk.head("200 OK", "content-length: \xb2", "connection: close", kind="image/png"),
        talk.send(b"\x89PNG"),
    ),
    "picture_gone": lambda talk: talk.whole(talk.key, "404 Not Found"),
}
PICTURES |= {name: MODES[name] for name in MODES if name.startswith(("endless", "dripped", "moved", "length", "reset"))}

INTERNAL = (  # addresses that no service may name, in every writing
    "http://169.254.169.254/latest/meta-data",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/latest/meta-data",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://0/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
)
PRIVATE = ("http://10.0.0.1/", "http://192.168.0.1/", "http://172.16.0.1/", "http://[fd12::1]/", "http://100.64.0.1/")
HERE = ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001", "[::ffff:127.0.0.1]", "127.1")
NO_ADDRESSES = (
    "data:image/png;base64," + "A" * 2_000_000,
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "//127.0.0.1/",
    "http://",
    "http://[::1",
    "http:///x",
    "http://\ud800/",
    "http://example.com/\udfff",
    "javascript:alert(1)",
    "http://a" + "a" * 10_000 + "/",
    "",
)
