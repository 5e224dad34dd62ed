"""Loading a folder in the format of transformers: from this disk alone, no code of the folder's, no pickle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selector.weights import why_unreadable


def load_model(
    folder: Path, cls: str, device: str, what: str, untrained: str, tokenizer: bool = False
) -> tuple[Any, Any, Any] | str:
    """A model in float32 on the device, its image processor and its tokenizer, or why they cannot be had.

    Args:
        cls: the class of transformers that loads it.
        what, untrained: for messages: what it is loaded as, and what missing weights would be.
    """
    try:
        import transformers

        local = {"local_files_only": True, "trust_remote_code": False}
        with _quiet():
            processor = transformers.AutoImageProcessor.from_pretrained(folder, **local, **_pillow_processor())
            words = transformers.AutoTokenizer.from_pretrained(folder, **local) if tokenizer else None
            model, info = getattr(transformers, cls).from_pretrained(
                folder, **local, use_safetensors=True, output_loading_info=True
            )
        model = model.float().eval().to(device)
    except Exception as error:
        return (
            f"{folder}: transformers cannot load it as {what} ({why_unreadable(error, folder)}): "
            "copy the whole model again"
        )
    missing = sorted(map(str, [*info["missing_keys"], *info["mismatched_keys"]]))
    if missing:
        return f"{folder}: its files lack {', '.join(missing[:3])}: {untrained} would give random scores"
    return model, processor, words


def _pillow_processor() -> dict[str, Any]:
    """Arguments with which an image processor gives the same pixels with and without torchvision."""
    import transformers

    old = int(transformers.__version__.split(".")[0]) < 5
    return {"use_fast": False} if old else {"backend": "pil"}


@contextmanager
def _quiet() -> Iterator[None]:
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
