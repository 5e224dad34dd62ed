"""Reads a manifest back, strictly: it comes from a file, so nothing in it is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from selector.contest.toml_model import validate
from selector.domain import InputError
from selector.domain.json_text import parse_json
from selector.submit._manifest import FORMAT_VERSION

MOST_BYTES = 1 << 28  # a hundred times what 50,000 tasks take
_DIGEST = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class NamedZip(_Part):
    name: str
    sha256: str = Field(pattern=_DIGEST)


class ProfileFacts(_Part):
    name: str
    hash: str


class ContestFacts(_Part):
    table: str | None
    inputs: str


class MadeBy(_Part):
    """The attempt that made a candidate."""

    generator: str
    build: str
    variant: str
    seed: int
    params: dict[str, Any]


class PickedTask(_Part):
    task: str
    candidate: str = Field(pattern=_DIGEST)
    fallback: bool
    reason: str
    made_by: MadeBy | None = None


class ManifestFile(_Part):
    """What it takes to make a submission again."""

    format: int
    submission: str
    zip: NamedZip
    profile: ProfileFacts
    contest: ContestFacts
    basis: dict[str, Any]
    picks: list[PickedTask]


def read_manifest(path: Path) -> tuple[ManifestFile, bytes]:
    """The manifest, and its bytes as they are.

    Raises:
        InputError: it cannot be read, is none, or a later bestshot wrote it.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} is too large for a manifest: give the manifest.json that lies beside the ZIP")
        data = path.read_bytes()
        values = parse_json(data.decode())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path} is no manifest: give the manifest.json that lies beside the ZIP") from error
    if not isinstance(values, dict) or "picks" not in values:
        raise InputError(f"{path} is no manifest: give the manifest.json that lies beside the ZIP")
    if isinstance(values.get("format"), int) and values["format"] > FORMAT_VERSION:
        raise InputError(
            f"{path} has format {values['format']}, this bestshot reads {FORMAT_VERSION}: upgrade bestshot"
        )
    return validate(values, ManifestFile, str(path)), data
