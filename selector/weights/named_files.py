"""Names in the index files of a model's folder: they are read as files of that folder, so they must lie in it."""

from __future__ import annotations

import json
from pathlib import Path

from selector.domain import InputError
from selector.domain.names import check_name

_INDICES = "*.index*.json"  # with a variant: "model.safetensors.index.fp16.json"


def check_named_files(folder: Path) -> None:
    """Check the files that weights in parts (shards) are read from; reads the indices alone.

    Raises:
        InputError: an index names a file outside of the folder, or cannot be read.
    """
    for index in sorted(folder.glob(_INDICES)):
        for name in sorted(_parts(index)):
            check_name(name, f"{index.name} names the weights", "take another copy of the model", folders=True)


def _parts(index: Path) -> set[str]:
    try:
        return {str(name) for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index} is no index of weights ({type(error).__name__}): copy the model again") from error
