"""What a text encoder does not read of a prompt: CLIP stops after 77 tokens, and knows little but English."""

from __future__ import annotations

from typing import Any

from selector.domain import JSONValue


def unread(pipe: Any, prompt: str, reads_all: bool = False) -> dict[str, JSONValue]:
    """Notes on what the pipeline will not read; {} where it reads all, or another encoder than CLIP does.

    ``prompt_cut``: the words beyond the limit; ``prompt_tokens``: how many there are; ``prompt_not_english``, unless
    the model ``reads_all``.
    """
    parts = (getattr(pipe, name, None) for name in ("tokenizer", "tokenizer_2", "tokenizer_3"))
    tokenizers = [part for part in parts if part is not None]
    if not tokenizers or not all(type(one).__name__.startswith("CLIPTokenizer") for one in tokenizers):
        return {}
    notes: dict[str, JSONValue] = {}
    ids, limit = list(tokenizers[0](prompt).input_ids), int(tokenizers[0].model_max_length)
    if len(ids) > limit:
        notes = {"prompt_tokens": len(ids), "prompt_cut": tokenizers[0].decode(ids[limit - 1 : -1])}
    if not reads_all and sum(character > "\u2e7f" and character.isalpha() for character in prompt) > len(prompt) / 4:
        notes["prompt_not_english"] = True
    return notes
