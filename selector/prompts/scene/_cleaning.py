"""Takes out of a prompt what describes no object: quoted text, weights, brackets; tells the language."""

from __future__ import annotations

import re
import unicodedata

from selector.prompts.quotes import take_quotes
from selector.prompts.scene._types import Language

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_WEIGHT = re.compile(
    r"<[^<>]*>|:\s*-?\d+(?:\.\d+)?(?=\s*[)\]])|--\w+(?:\s+[\w:.]+)?"
)  # <lora:x:1>, (cube:1.2), --ar 16:9
_QUOTED = re.compile("[\ue000-\uf8ff]")


def cleaned(prompt: str) -> str:
    """The prompt in lower case and plain punctuation, without quoted text, weights and brackets."""
    skeleton, _quotes = take_quotes(_WEIGHT.sub("", prompt))
    text = unicodedata.normalize("NFKC", _QUOTED.sub(" ", skeleton)).lower()
    return re.sub(r"[()\[\]{}]", " , ", text.replace("’", "'"))


def language_of(prompt: str) -> Language:
    """ "zh" where Chinese characters outnumber the Latin words."""
    return "zh" if len(_HAN.findall(prompt)) > len(_LATIN_WORD.findall(prompt)) else "en"
