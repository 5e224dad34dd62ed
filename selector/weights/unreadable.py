"""What a library says of weights that it cannot read: the one place that sorts its exceptions.

torch, safetensors, pickle, zipfile, onnx, onnxruntime, open_clip, transformers and diffusers have no exception in
common: damaged files of weights have raised some two hundred kinds.
"""

from __future__ import annotations

import re
from pathlib import Path

from selector.domain import is_out_of_memory, out_of_memory, shortage
from selector.domain.errors import BestshotError

_LONGEST = 200  # characters
_ASKED = re.compile(r"allocate (\d+)")
_MOST_TIMES = 16  # the file's size: float64 of half a byte a number


def why_unreadable(error: Exception, weights: Path) -> str:
    """An exception of whatever kind in one line, for the sentence that names the file and says what to do.

    Args:
        weights: the file, or the folder of a model.

    Raises:
        BestshotError: ``error`` itself where it is one. OutOfResources: the machine ran out of something; not of memory
            where a file asks for far more than it can hold.
    """
    if isinstance(error, BestshotError):
        raise error
    found, words = shortage(error), " ".join(str(error).split())
    if found is not None and not _asks_for_too_much(words, weights):
        raise (out_of_memory(f"{weights.name} does not fit into memory") if is_out_of_memory(error) else found)
    return f"{type(error).__name__}: {words}"[:_LONGEST] if words else type(error).__name__


def _asks_for_too_much(words: str, weights: Path) -> bool:
    """Whether a damaged file, or a lying one, wants memory for numbers that it does not hold."""
    asked = _ASKED.search(words)
    return asked is not None and weights.is_file() and int(asked[1]) > _MOST_TIMES * weights.stat().st_size
