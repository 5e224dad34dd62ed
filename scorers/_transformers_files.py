"""Loading folders in the format of transformers: the same pixels on every machine, and no noise on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def pillow_processor() -> dict[str, Any]:
    """Arguments with which an image processor gives the same pixels with and without torchvision."""
    import transformers

    old = int(transformers.__version__.split(".")[0]) < 5
    return {"use_fast": False} if old else {"backend": "pil"}


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no report while loading: what is missing becomes an error."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
