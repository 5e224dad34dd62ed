"""What a server says of an error, wherever in its reply it stands: a status, a code, a sentence, seconds to wait.

Servers nest: an error in HTTP 200, in a list, as a text within a text, under the words of the one that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from selector.domain.json_text import parse_json
from selector.net.redact import clean

SENTENCE_CHARACTERS = 200
_MOST_WORDS = 4000  # of an error; the longest are lists of what was wrong with each field
_MOST_LEAF = 1000
_MOST_NAME = 100  # of a code or a parameter, which are names
_MOST_DEPTH = 6
_ECHOES = {"input", "flagged_input", "body", "request", "prompt", "messages", "id", "request_id", "user_id", "url"}
_SENTENCES = ("message", "msg", "status_msg", "error_msg", "detail", "reason", "errors")
_CODES = ("code", "status_code", "error_code", "status", "type")
_NO_ERROR = ("0", "200", "ok", "success")  # codes and words that stand where there is none
_SAYS_NOTHING = re.compile(
    r"provider returned error|unknown error|error|bad request|something went wrong", re.IGNORECASE
)
_IDS = re.compile(  # addresses, and names of requests, jobs and files: equal errors must read alike
    r"https?://\S+|\b[0-9a-f]{8}-[0-9a-f-]{4,}\b|\b(?=\w*\d)[0-9a-fA-F]{12,}\b"
    r"|\b(?:req|chatcmpl|cmpl|msg|trace)[_-][\w-]+|\b(?=\w*\d)(?=\w*[A-Z])(?=\w*[a-z])\w{16,}\b|\b\d{12,}\b"
)
_SECONDS = {
    "毫秒": 1e-3,
    "秒": 1.0,
    "分钟": 60.0,
    "小时": 3600.0,
    "ms": 1e-3,
    "mi": 60.0,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
# Every repetition is bounded, and a number begins where no digit is before: a server may write anything.
_SPAN = (
    r"(?<!\d)(\d{1,9}(?:\.\d{1,9})?)\d*[\s\"']{0,9}"
    r"(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|毫秒|秒|分钟|小时)(?![a-z])"
)
_WAIT = re.compile(
    r"(?:retry|retries|again|wait|waiting|reset\w{0,12}|recover\w{0,12}|available|retry-?_?delay|resetdelay|请|等待)"
    rf"[\W_]{{0,6}}(?:[a-z]{{1,20}}\W{{1,6}}){{0,4}}?((?:{_SPAN}[\s,]{{0,9}}(?:and\s)?){{1,4}})"
    rf"|((?:{_SPAN}\s{{0,9}}){{1,4}})(?:后|之后|以后)",
    re.IGNORECASE,
)
_ONE_SPAN = re.compile(_SPAN, re.IGNORECASE)


@dataclass(frozen=True)
class ServerError:
    """An error as a server tells it.

    Attributes:
        status: of HTTP, or the one that an error within a good reply names; 400 where it names none.
        code: its own word or number, "" for none.
        said: its sentence in one line, cleaned, shortened, without addresses and ids; "" for none.
        words: all that it holds, in lower case, for the rules to look in.
        param: the field of the request that it is about, "" where it names none.
    """

    status: int
    code: str = ""
    said: str = ""
    words: str = ""
    param: str = ""

    @property
    def wait_seconds(self) -> float | None:
        """The longest wait that the words name, in seconds; None where they name none."""
        return max((_seconds(found[0]) for found in _WAIT.finditer(self.words)), default=None)


def server_error(status: int, body: Any, text: str = "", key: str = "") -> ServerError:
    """The error in a reply with an HTTP status of 400 or more, or in one that is called good and holds an error.

    Args:
        body: the JSON value; None where it is none.
        text: the beginning of a body that is no JSON; nothing is taken from a web page.
        key: hidden in the sentence.

    Example:
        >>> found = server_error(429, {"error": {"code": "slow", "message": "Try again in 1m30s"}})
        >>> found.code, found.said, found.wait_seconds
        ('slow', 'Try again in 1m30s', 90.0)
    """
    told = _parsed(body if body is not None else ("" if text.lstrip().startswith("<") else text))
    error = _error(told)
    code = " ".join(_first(error, _CODES).split())[:_MOST_NAME]  # it may hold a line's end
    said = clean(_IDS.sub("…", _sentence(error)), key, SENTENCE_CHARACTERS)
    words = " ".join((f"{code}:", said, *_leaves(told)))[:_MOST_WORDS].casefold()
    param = error.get("param") if isinstance(error, dict) else ""
    return ServerError(_status(status, code), code, said, words, str(param or "")[:_MOST_NAME])


def error_in(body: Any) -> Any:
    """The error that a reply with a good status holds; None where it holds none."""
    if not isinstance(body, dict):
        return None
    if _tells(body.get("error")):
        return body["error"]
    choices = body.get("choices")
    if isinstance(choices, list) and choices:
        first = choices[0]
        return first["error"] if isinstance(first, dict) and _tells(first.get("error")) else None
    told: dict[str, Any] = body["base_resp"] if isinstance(body.get("base_resp"), dict) else body
    return told if any(told.get(name) for name in (*_CODES[:3], "message", "msg", "status_msg", "detail")) else None


def _tells(error: Any) -> bool:
    """Whether there are words or a code: some servers put an empty error beside every good reply."""
    if _is(error):
        return any(_tells(value) for value in error.values())
    return bool(error) and str(error).casefold() not in _NO_ERROR


def _error(told: Any) -> Any:
    """The innermost mapping that tells of the error, or its words alone."""
    for _ in range(_MOST_DEPTH):
        if isinstance(told, list):
            told = told[0] if told else ""
        inner = next((told[name] for name in ("error", "base_resp") if told.get(name)), None) if _is(told) else None
        inner = inner if inner is not None else (_nested(told) if _is(told) else None)
        if inner is None:
            return told
        told = inner if _is(inner) or not _is(told) else {**told, "message": _text(inner), "error": None}
    return told


def _nested(error: Mapping[str, Any]) -> Any:
    """The error of the server behind the one that was asked, or one that is written as text within the message."""
    within = _parsed(error.get("message"))
    if _is(within) or isinstance(within, list):
        return within
    metadata = error.get("metadata")
    raw = _parsed(metadata.get("raw")) if isinstance(metadata, dict) else None
    if raw and _SAYS_NOTHING.fullmatch(str(error.get("message") or "error")):
        inner = _error(raw)
        shown = _sentence(inner)
        return {**error, "message": shown, "metadata": None} if shown else None
    return None


def _sentence(error: Any) -> str:
    if not _is(error):
        return _text(error)
    return next((_text(error[name]) for name in _SENTENCES if error.get(name)), "")


def _text(value: Any) -> str:
    """Words for people: of a list of complaints the first, with the place that it is about."""
    if isinstance(value, list):
        return _text(value[0]) if value else ""
    if _is(value):
        place = value.get("loc")
        where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
        return where + next((_text(value[name]) for name in _SENTENCES if value.get(name)), "")
    return str(value) if isinstance(value, (str, int, float)) else ""


def _first(error: Any, names: tuple[str, ...]) -> str:
    """The first of these fields that holds a word or a number, a word before a mere status of HTTP."""
    found = [str(error[name]) for name in names if isinstance(error.get(name), (str, int))] if _is(error) else []
    found = [code for code in found if code and code != "error" and code != "False"]
    return next((code for code in found if not re.fullmatch(r"[1-5]\d\d", code)), found[0] if found else "")


def _status(status: int, code: str) -> int:
    if status >= 400:
        return status
    return int(code) if re.fullmatch(r"[45]\d\d", code) else 400


def _leaves(value: Any, depth: int = _MOST_DEPTH) -> Iterator[str]:
    """All words and names; not what repeats the request, which may say anything."""
    value = _parsed(value)
    if isinstance(value, list) and depth:
        for one in value:
            yield from _leaves(one, depth - 1)
    elif _is(value) and depth:
        for name, one in value.items():
            if str(name).casefold() not in _ECHOES:
                yield f"{name}:" if isinstance(one, (str, int, float)) else str(name)
                yield from _leaves(one, depth - 1)
    elif isinstance(value, (str, int, float)):
        yield str(value)[:_MOST_LEAF]


def _parsed(value: Any) -> Any:
    """A text that is JSON as what it stands for."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") and len(value) < 1 << 16:
        try:
            return parse_json(value)
        except ValueError:
            return value
    return value


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _seconds(span: str) -> float:
    """Of "1m30s", "2.5 seconds", "3 分钟"."""
    return sum(float(number) * _unit_seconds(unit.casefold()) for number, unit in _ONE_SPAN.findall(span))


def _unit_seconds(unit: str) -> float:
    if unit.startswith("milli"):
        return 1e-3
    return next(_SECONDS[start] for start in (unit, unit[:2], unit[:1]) if start in _SECONDS)
