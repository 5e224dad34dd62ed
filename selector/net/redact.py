"""Keeps keys out of everything that is printed or stored, also where a server repeats them in an error."""

from __future__ import annotations

LEAST_CHARACTERS = 6  # a part of a key that is shorter tells nothing, and could be any word
HIDDEN = "***"


def redacted(text: str, key: str) -> str:
    """``text`` without the key and without any part of it that is ``LEAST_CHARACTERS`` long or longer.

    Example:
        >>> redacted("wrong key sk-12345678 (sk-1…5678)", "sk-12345678")
        'wrong key *** (sk-1…5678)'
    """
    if len(key) < LEAST_CHARACTERS:
        return text.replace(key, HIDDEN) if key else text
    kept, at = [], 0
    while at < len(text):
        end = at + LEAST_CHARACTERS
        if text[at:end] in key and end <= len(text):
            while end < len(text) and text[at : end + 1] in key:
                end += 1
            kept.append(HIDDEN)
            at = end
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)
