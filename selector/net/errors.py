"""What the error of a service means: one table of data (``errors.toml``) for judges, writers and generators.

The first rule that fits decides; of what none fits, the status: 500 and above failed, all else was rejected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from selector.net._server_error import ServerError, error_in, server_error
from selector.net.troubles import BUSY, SERVER_FAILED, THROTTLED, Trouble, retry_after

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

__all__ = ["CHAT", "JOB", "PARAMETER", "ServerError", "cure_of", "error_in", "meaning", "provider_at", "server_error"]

CHAT, JOB = "chat", "job"  # who asks: a rule may be for one of them alone
PARAMETER = "parameter"  # beside the kinds of ``troubles``: the server does not take an optional field of the request
_NAMES = {"key": "the environment variable that key_env names", "model": "", "api": "such service"}


@dataclass(frozen=True)
class Rule:
    """One row of the table; see its head."""

    cause: str
    source: str
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    says: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    provider: str = ""
    use: str = ""
    waits: bool = False

    def fits(self, error: ServerError, provider: str, use: str) -> bool:
        return (
            (not self.statuses or error.status in self.statuses)
            and (not self.provider or self.provider == provider)
            and (not self.use or self.use == use)
            and (not self.codes or any(_is_code(error.code.casefold(), code) for code in self.codes))
            and (self.says is None or self.says.search(error.words) is not None)
            and (not self.waits or error.wait_seconds is not None)
            and (self.unless is None or self.unless.search(error.words) is None)
        )


@dataclass(frozen=True)
class Cause:
    """What a rule names: a kind of ``troubles``, words for people, and what would cure it."""

    kind: str
    reason: str
    cure: str


@dataclass(frozen=True)
class Table:
    causes: Mapping[str, Cause]
    rules: Sequence[Rule]
    providers: Mapping[str, Sequence[str]]


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, read once; raises what is wrong with it."""
    told = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    causes = {name: Cause(**fields) for name, fields in told["causes"].items()}
    return Table(causes, tuple(_rule(fields, causes) for fields in told["rule"]), told["providers"])


def provider_at(host: str) -> str:
    """The provider that a host name belongs to; "" for all whose errors need no table of their own.

    Example:
        >>> provider_at("dashscope-intl.aliyuncs.com"), provider_at("localhost:8000")
        ('dashscope', '')
    """
    host = host.casefold()
    return next((name for name, parts in table().providers.items() if any(part in host for part in parts)), "")


def meaning(
    error: ServerError,
    headers: Mapping[str, str],
    *,
    provider: str = "",
    use: str = "",
    names: Mapping[str, str] | None = None,
) -> Trouble:
    """What an error means.

    Args:
        headers: of the reply, for the wait that a server asks for; one that its words name counts, too.
        provider: as ``provider_at`` tells it.
        use: ``CHAT``, ``JOB`` or "" for neither.
        names: "key" (where it stands), "model" and "api" (what is asked for), for reasons and cures.
    """
    name = next((rule.cause for rule in table().rules if rule.fits(error, provider, use)), _by_status(error.status))
    cause = table().causes[name]
    known = {**_NAMES, **(names or {}), "status": str(error.status)}
    waits = [error.wait_seconds, retry_after(headers)] if cause.kind in (THROTTLED, BUSY) else []
    return Trouble(
        cause.kind,
        _filled(cause.reason, known),
        max((wait for wait in waits if wait is not None), default=None),
        cause=name,
        cure=_filled(cause.cure, known),
        said=_with_code(error),
    )


def cure_of(reason: str) -> str:
    """The cure that belongs to a reason of the table, as it is stored with a reply; "" for all others."""
    for cause in table().causes.values():
        pattern = re.sub(r"\\\{\w+\\\}", ".*", re.escape(cause.reason))
        if re.fullmatch(pattern, reason):
            return _filled(cause.cure, {**_NAMES, "status": ""})
    return ""


def _by_status(status: int) -> str:
    return "busy" if status in SERVER_FAILED else "rejected"


def _with_code(error: ServerError) -> str:
    """The server's sentence behind its code, where that is a word that the sentence does not hold."""
    if not error.code or error.code.isdigit() and len(error.code) == 3 or error.code.casefold() in error.said.casefold():
        return error.said
    return f"{error.code}: {error.said}" if error.said else error.code


def _filled(text: str, names: Mapping[str, Any]) -> str:
    return " ".join(text.format(**names).split())


def _is_code(code: str, wanted: str) -> bool:
    return code == wanted or (not wanted.isdigit() and code.startswith(wanted))


def _rule(fields: Mapping[str, Any], causes: Mapping[str, Cause]) -> Rule:
    if fields["cause"] not in causes:
        raise ValueError(f"errors.toml: no cause {fields['cause']!r}")
    patterns = {name: re.compile(fields[name]) for name in ("says", "unless") if name in fields}
    lists = {name: tuple(fields[name]) for name in ("statuses", "codes") if name in fields}
    return Rule(**{**fields, **patterns, **lists})
