"""The training stages, and what each was made from: written beside it, so that none builds on leftovers.

The facts of a stage are the numbers that it depends on and the fingerprints of the stages that it builds on. They say
nothing of the code: who changes that trains in a new folder. The tokenizer depends on the code alone.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from selector.domain import InputError
from selector.domain.files import write_atomically

Facts: TypeAlias = Mapping[str, Any]  # what JSON can say
STAGES = ("tokenizer", "pictures", "autoencoder", "text_encoder", "latents", "denoiser", "dataset", "embedder")
BUILDS_ON: dict[str, tuple[str, ...]] = {
    "pictures": (),
    "autoencoder": ("pictures",),
    "text_encoder": (),
    "latents": ("pictures", "autoencoder"),
    "denoiser": ("latents", "text_encoder"),
    "dataset": (),
    "embedder": ("dataset", "text_encoder"),
}
# A stage has been made, or begun, when this file is there.
FILES = {
    "pictures": "pictures.npy",
    "autoencoder": "autoencoder.pt",
    "text_encoder": "text_encoder.pt",
    "latents": "latents.pt",
    "denoiser": "denoiser.pt",
    "dataset": "dataset/done",
    "embedder": "embedder.pt",
}


# What stages were called when a folder was begun by a version before: it goes on under the names of today.
FORMER = {"reader": "text_encoder", "painter": "denoiser", "lessons": "dataset"}


@dataclass(frozen=True)
class Size:
    """How much is trained: ``steps`` of every model, None for each one's own; ``stop_at``: as if interrupted there."""

    pictures: int = 60_000
    families: int = 9_000
    steps: int | None = None
    stop_at: int | None = None


def needed_for(stage: str) -> tuple[str, ...]:
    """The stage and all that it builds on, in the order of ``STAGES``, without the tokenizer."""
    needed = {stage} & set(BUILDS_ON)
    for other in BUILDS_ON.get(stage, ()):
        needed |= set(needed_for(other))
    return tuple(name for name in STAGES if name in needed)


def rename_former(work: Path) -> None:
    """Give files of stages that had another name the name of today."""
    for path in work.iterdir() if work.is_dir() else ():
        stage, dot, rest = path.name.partition(".")
        target = path.with_name(f"{FORMER.get(stage, stage)}{dot}{rest}")
        if not target.exists():
            path.rename(target)


def fingerprint(facts: Facts) -> str:
    """12 hexadecimal digits of the facts' SHA-256."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def note(made: Path, facts: Facts) -> None:
    """Write the facts beside ``made``; before it, so that it is never there without them."""
    write_atomically(_beside(made), (json.dumps(facts, indent=2) + "\n").encode())


def refuse_others(wanted: Mapping[Path, Facts]) -> None:
    """Go on only where each file is not there yet or was made from its facts.

    Raises:
        InputError: names every file that was not, so that one deletion is enough.
    """
    others = {made: why for made, facts in wanted.items() if (why := _difference(made, facts))}
    if others:
        named = ", ".join(f"{made} ({why})" for made, why in others.items())
        raise InputError(f"expected what these options make, found other stages: {named}; "
                         "delete these files, or choose another --work")  # fmt: skip


@contextmanager
def readable(made: Path) -> Iterator[None]:
    """Reading ``made``. Raises ``InputError`` where it is cut off, or no such file at all."""
    try:
        yield
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [""])[0][:120] or type(error).__name__
        raise InputError(f"{made} cannot be read ({reason}): delete it, then this stage begins anew") from error


def _beside(made: Path) -> Path:
    return made.with_name(f"{made.name}.made_from.json")


def _difference(made: Path, facts: Facts) -> str:
    """What is not as ``facts`` say, in words; "" if nothing, or nothing is there."""
    if not made.exists():
        return ""
    try:
        read = json.loads(_beside(made).read_text(encoding="utf-8"))
        found = {FORMER.get(key, key): value for key, value in read.items()}
        keys = [key for key in {**facts, **found} if facts.get(key) != found.get(key)]
    except (OSError, ValueError, TypeError, AttributeError):
        return f"no {_beside(made).name} says what from"
    return ", ".join(f"{key} {found.get(key)}, now {facts.get(key)}" for key in keys)
