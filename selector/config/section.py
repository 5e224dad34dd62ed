"""What all tables of ``campaign.toml`` have in common."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file: unknown keys are errors, and nothing changes it once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def address_fault(base_url: str, variable: str, example: str) -> str | None:
    """What is wrong with the address of a server, or with the variable of its key, without repeating either."""
    try:
        url = urlsplit(base_url)
        usable = url.scheme in ("http", "https") and bool(url.hostname)
    except ValueError:  # its message may repeat the address
        usable = False
    if not usable:
        return f"base_url must be an http(s) address, such as {example}"
    if url.username or url.password or url.query:
        return "base_url must hold no password or key: name an environment variable in key_env"
    if variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        return "key_env must be the name of an environment variable, not the key itself"
    return None
