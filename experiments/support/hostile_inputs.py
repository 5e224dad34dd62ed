"""Inputs that nobody means well with: valid ones, damaged in bytes or in what they say. Each follows from three words:
reader, seed and number.

Bytes are damaged by mutations of valid inputs, after which the checksums of PNG chunks and of entries of a ZIP are
mended, so that a reader gets further than these. What is said is drawn by hypothesis, whose choices follow from random
bytes (``fuzz_one_input``): tables, and JSON or TOML of the right form with wrong parts.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

_MOST_DRAWN = 16 << 20  # bytes; a server on loopback holds them beside what reads them
MOST_BYTES = 1 << 18  # of an input, or twice the largest valid one: what is long is met by repeating
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
_TOKENS = (
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", "\u202e".encode(), b"\xed\xa0\x80", b"\r", b"\r\n", b"\n", b'"',
    b'""', b"'", b",", b";", b"\t", b"[" * 3000, b'{"a":' * 3000, b"9" * 5000, b"1e999", b"-1e999", b"NaN",
    b"-Infinity", b"nan", b"inf", b"1_000", b"0x10", b"-0", b"null", b"true", b"[]", b"{}", b"\\ud800", b"\\u0000",
    b"\\", b"{}", b"../../x", b"/etc/passwd", b"=1+1", b"sep=;", "٣".encode(), "²".encode(), "ǅ".encode(),
    "字".encode() * 40, b"a" * 2000, b"<", b"&#0;", b"#", b"{id}", b"C:\\", b"con", b".", b"..", b" ",
    b"data:image/png;base64,AA", b"http://[", b"sk-test-0123456789",
)  # fmt: skip
_PNG, _LOCAL, _CENTRAL = b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"PK\x01\x02"
Strategy = st.SearchStrategy[bytes]


def input_of(name: str, seed: int, number: int, seeds: Sequence[bytes], strategies: Sequence[Strategy]) -> bytes:
    """The input of a reader; the first ones are the valid ``seeds`` themselves."""
    if number < len(seeds):
        return seeds[number]
    rng = Random(f"{name} {seed} {number}")
    if strategies and rng.random() < 0.5:
        found = _drawn(rng.choice(strategies), rng)
        if found is not None and len(found) <= _MOST_DRAWN:
            return found
    return mended(mutated(seeds, rng))


def mutated(seeds: Sequence[bytes], rng: Random) -> bytes:
    """A valid input with one to six mutations, mostly few."""
    data, most = bytearray(rng.choice(seeds)), max(MOST_BYTES, *(2 * len(one) for one in seeds))
    for _ in range(min(6, 1 + int(rng.expovariate(0.7)))):
        rng.choice(_MUTATIONS)(data, rng, seeds)
        del data[most:]
    return bytes(data)


def _flip(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    for _again in range(rng.choice((1, 1, 2, 8)) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    """A number of one to eight bytes, such as a length, becomes an extreme one."""
    size, value = rng.choice((1, 2, 4, 8)), rng.choice(_EXTREMES)
    at = rng.randrange(len(data) + 1)
    data[at : at + size] = (value & (256**size - 1)).to_bytes(size, rng.choice(("big", "little")))


def _cut(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _drop(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.choice((1, 4, 16, 256))]


def _repeat(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64, 512))
    data[at:at] = data[at : at + size] * rng.choice((1, 2, 10, 300))


def _splice(data: bytearray, rng: Random, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    data[rng.randrange(len(data) + 1) :] = other[rng.randrange(len(other) + 1) :]


def _insert(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((0, 0, 1, 4))] = rng.choice(_TOKENS)


def _swap_words(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    """Two parts between separators of texts change places, or one takes the other's."""
    mark = rng.choice((b",", b"\n", b'"', b":", b" "))
    parts = bytes(data).split(mark)
    one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one] if rng.random() < 0.5 else parts[other]
    data[:] = mark.join(parts)


def _encode(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    """The text in another encoding."""
    code = rng.choice(("utf-16", "utf-16-be", "utf-32", "gb18030", "utf-7", "latin-1", "utf-8-sig"))
    data[:] = bytes(data).decode("utf-8", "replace").encode(code, "replace")


_MUTATIONS: tuple[Callable[[bytearray, Random, Sequence[bytes]], None], ...] = (
    _flip,
    _flip,
    _overwrite,
    _overwrite,
    _cut,
    _drop,
    _repeat,
    _splice,
    _insert,
    _insert,
    _swap_words,
    _encode,
)


def mended(data: bytes) -> bytes:
    """With right checksums, as far as the form of a PNG or a ZIP is still there."""
    if data.startswith(_PNG):
        return _mended_png(data)
    return _mended_zip(data) if data.startswith(_LOCAL) else data


def _mended_png(data: bytes) -> bytes:
    made, at = bytearray(data), len(_PNG)
    while at + 12 <= len(made):
        end = at + 8 + int.from_bytes(made[at : at + 4], "big")
        if end + 4 > len(made):
            break
        made[end : end + 4] = zlib.crc32(made[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(made)


def _mended_zip(data: bytes) -> bytes:
    made, at = bytearray(data), data.find(_CENTRAL)
    while at >= 0 and at + 46 <= len(made):
        method, packed, local = (
            int.from_bytes(made[at + o : at + o + n], "little") for o, n in ((10, 2), (20, 4), (42, 4))
        )
        if made[local : local + 4] == _LOCAL and local + 30 <= len(made):
            start = local + 30 + sum(struct.unpack_from("<HH", made, local + 26))
            content = _unpacked(bytes(made[start : start + packed]), method)
            made[at + 16 : at + 20] = made[local + 14 : local + 18] = zlib.crc32(content).to_bytes(4, "little")
        at = data.find(_CENTRAL, at + 4)
    return bytes(made)


def _unpacked(data: bytes, method: int) -> bytes:
    if method != 8:
        return data
    try:
        return zlib.decompressobj(-15).decompress(data, 1 << 24)
    except zlib.error:
        return data


def _drawn(strategy: Strategy, rng: Random) -> bytes | None:
    """What the strategy makes of random bytes, more of them as long as it runs out of them; None for nothing."""
    fuzz, found = _fuzzed(strategy)
    found.clear()
    for size in (1 << 9, 1 << 12, 1 << 14):
        fuzz(rng.randbytes(size))
        if found:
            return found[0]
    return None


@lru_cache(maxsize=256)
def _fuzzed(strategy: Strategy) -> tuple[Callable[[bytes], object], list[bytes]]:
    """What draws from the strategy by the bytes that it is given, and where it puts what it drew."""
    found: list[bytes] = []

    @settings(database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(strategy)
    def keep(made: bytes) -> None:
        found.append(made)

    return keep.hypothesis.fuzz_one_input, found  # type: ignore[attr-defined]


_NASTY = [
    "", " ", "\0", "\x1b[31m", "\u202e", "\ufeff", "\ud800", "\r", "\n", '"', '""', "'", ",", ";", "\t", "=1+1", "-",
    "nan", "NaN", "inf", "-inf", "1e999", "1e-999", "-0", "+1", "007", "0x10", "1_0", "½", "٣", "²", "九", "9" * 400,
    "1" * 5000, "a" * 3000, "字" * 300, "../x", "/x", "C:\\x", "~", ".", "..", "con", "a/b", "a\\b", "{id}", "{team}",
    "{}", "%s", "null", "true", "[]", "[" * 1500, "sep=;", "<b>", "&#0;", "\\ud800", "data:,", "http://[",
    "http://127.0.0.1:1/x", "file:///etc/passwd", "é", "e\u0301", "ß", "İ",
]  # fmt: skip


def texts(plain: Sequence[str] = ()) -> st.SearchStrategy[str]:
    """Words that a reader knows, words that readers stumble over, and any others."""
    usual = st.sampled_from([*plain, "a"])
    return st.one_of(usual, usual, st.sampled_from(_NASTY), st.text(max_size=12))


def _bytes_of(text: str, code: str) -> bytes:
    return text.encode(code, "surrogatepass" if code.startswith("utf") and code != "utf-7" else "replace")


_CODES = st.sampled_from(("utf-8",) * 8 + ("utf-8-sig", "utf-16", "gb18030", "latin-1"))


@st.composite
def tables(draw: Callable[[Any], Any], columns: Sequence[str], cells: Sequence[str]) -> bytes:
    """A table as CSV or TSV: columns that are known, missing, doubled and others; rows of any length."""
    kept = st.lists(st.sampled_from(columns), max_size=2 * len(columns))
    header = draw(st.one_of(st.just(list(columns)), st.permutations(columns), kept))
    header = [*header, *draw(st.lists(texts(columns), max_size=2))]
    cell = texts(cells)
    full = st.lists(cell, min_size=len(header), max_size=len(header))
    rows = draw(st.lists(st.one_of(full, full, full, st.lists(cell, max_size=len(header) + 2)), max_size=6))
    text = io.StringIO(newline="")
    mark, end = draw(st.sampled_from(",,,;\t")), draw(st.sampled_from(("\n", "\r\n", "\r")))
    if draw(st.booleans()):
        try:
            csv.writer(text, delimiter=mark, lineterminator=end).writerows([header, *rows])
        except csv.Error:  # a lone empty field, in some versions
            text.write(mark)
    else:  # nothing is quoted
        text.write(end.join(mark.join(row) for row in [header, *rows]))
    first = draw(st.sampled_from(("",) * 6 + ("sep=;\n", '"sep=,",,\n', "\n")))
    return _bytes_of(first + text.getvalue(), draw(_CODES))


_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from((2**31, 2**63, -(2**70), 10**400)),
    st.floats(),
    st.sampled_from(_NASTY),
    st.text(max_size=8),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed_values(draw: Callable[[Any], Any], seeds: Sequence[Any], words: Sequence[str] = ()) -> Any:
    """A JSON value of the right form, of which one to four parts are others, missing, doubled, or of another kind."""
    value = json.loads(json.dumps(draw(st.sampled_from(seeds))))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(value))
        if not places:
            return draw(_VALUES)
        holder, key = draw(st.sampled_from(places))
        act = draw(st.integers(0, 6))
        if act == 0:
            del holder[key]
        elif act == 1 and isinstance(holder, list):
            holder[:] = holder * draw(st.sampled_from((0, 2, 50)))
        elif act == 2 and isinstance(holder, dict):
            holder[draw(texts(words))] = draw(_VALUES)
        elif act == 3:
            holder[key] = [holder[key]]
        elif act == 4:
            holder[key] = draw(texts(words))
        else:
            holder[key] = draw(_VALUES)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every part of a value by its holder and its key there."""
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in list(held):
        yield value, key
        yield from _places(one)


@st.composite
def json_texts(
    draw: Callable[[Any], Any], seeds: Sequence[Any], words: Sequence[str] = (), lines: bool = False
) -> bytes:
    """Changed values as JSON, some with keys that stand twice, some nested deeply; ``lines``: one value a line."""
    values = [draw(changed_values(seeds, words)) for _ in range(draw(st.integers(1, 3)) if lines else 1)]
    ascii_only = draw(st.booleans())
    text = "\n".join(json.dumps(value, ensure_ascii=ascii_only) for value in values)
    act = draw(st.integers(0, 11))
    if act == 0 and text.startswith("{") and len(text) > 2:
        text = f"{text[:-1]}, {text[1:]}"
    if act == 1:
        depth = draw(st.sampled_from((40, 300, 900, 3000)))
        text = '{"a":' * depth + text + "}" * depth
    return _bytes_of(text, draw(_CODES))


@st.composite
def toml_texts(draw: Callable[[Any], Any], seeds: Sequence[Any], words: Sequence[str] = ()) -> bytes:
    """Changed values as TOML, every table within one line."""
    value = draw(changed_values(seeds, words))
    held = value if isinstance(value, dict) else {"a": value}
    text = "\n".join(f"{json.dumps(str(key), ensure_ascii=False)} = {_toml(one)}" for key, one in held.items())
    return _bytes_of(text, draw(_CODES))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{json.dumps(str(key), ensure_ascii=False)} = {_toml(one)}" for key, one in value.items())
            + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return '""' if value is None else json.dumps(value, ensure_ascii=False)
