"""What may be done to a prompt before a generator is shown it."""

from __future__ import annotations

AS_IS, SUFFIX, TRANSLATED, REWRITTEN = "as_is", "suffix", "translated", "rewritten"
PROMPT_STYLES: tuple[str, ...] = (AS_IS, SUFFIX, TRANSLATED, REWRITTEN)


def needs_writer(style: str) -> bool:
    """Whether a language model is needed for the style."""
    return style in (TRANSLATED, REWRITTEN)
