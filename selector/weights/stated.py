"""What a server states about a file in the headers of its answers: hash, size, identity.

A hub states the SHA-256 of a large file as ``X-Linked-ETag`` on the redirect to its storage, and the git blob's SHA-1
of a small one as ``ETag`` (the ``huggingface_hub`` client's own documentation of ``hf_hub_download``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
_SHA1 = re.compile(r"\A[0-9a-f]{40}\Z")
_RANGE = re.compile(r"\Abytes (\d+)-(\d+)/(\d+|\*)\Z")

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Stated:
    """What the answers to one request state.

    Attributes:
        sha256: of the whole file, or None.
        git_sha1: of the whole file as a git blob, or None.
        size_bytes: of the whole file, or None.
        etag: a strong identity of what the last server sends, fit for ``If-Range``; "" where there is none.
    """

    sha256: str | None = None
    git_sha1: str | None = None
    size_bytes: int | None = None
    etag: str = ""


def read_stated(answers: Sequence[Headers]) -> Stated:
    """Reads the headers of an answer and of the redirects before it, in the order in which they came."""
    linked = next((_bare(h["X-Linked-ETag"]) for h in answers if "X-Linked-ETag" in h), "")
    from_hub = any("X-Repo-Commit" in headers for headers in answers)
    strong = answers[-1].get("ETag", "")
    digest = linked or (_bare(strong) if from_hub else "")
    return Stated(
        sha256=digest if _SHA256.match(digest) else None,
        git_sha1=digest if _SHA1.match(digest) else None,
        size_bytes=_size(answers),
        etag=strong if strong.startswith('"') else "",
    )


def sent_from(headers: Headers) -> int | None:
    """The byte at which a partial answer (206) begins; None where it does not say."""
    found = _RANGE.match(headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def _size(answers: Sequence[Headers]) -> int | None:
    linked = next((h["X-Linked-Size"] for h in answers if "X-Linked-Size" in h), "")
    if linked.isdigit():
        return int(linked)
    last = answers[-1]
    found = _RANGE.match(last.get("Content-Range", ""))
    if found:
        return int(found.group(3)) if found.group(3) != "*" else None
    length = last.get("Content-Length", "")
    plain = last.get("Content-Encoding", "identity") == "identity"
    return int(length) if length.isdigit() and plain else None


def _bare(etag: str) -> str:
    return etag.strip().removeprefix("W/").strip('"').lower()
