"""Other wordings of a task's prompt, as variants of a generator: what a style is, what a form is, and what is asked.

Pure: no files, no clock, no network. A language model is asked by ``selector.llm.prompting``.
"""

from selector.prompts.wording._forms import (
    AS_IS,
    CAPTION,
    FORMS,
    INSTRUCTION,
    KONTEXT,
    PROMPT_STYLES,
    REWRITTEN,
    SUFFIX,
    TAGS,
    TRANSLATED,
    form_for,
    in_english,
    needs_writer,
)
from selector.prompts.wording._orders import LONGEST_CHARACTERS, TRANSLATION_ORDER, order_for
from selector.prompts.wording._suffix import cut, with_suffix

__all__ = [
    "AS_IS",
    "CAPTION",
    "FORMS",
    "INSTRUCTION",
    "KONTEXT",
    "LONGEST_CHARACTERS",
    "PROMPT_STYLES",
    "REWRITTEN",
    "SUFFIX",
    "TAGS",
    "TRANSLATED",
    "TRANSLATION_ORDER",
    "cut",
    "form_for",
    "in_english",
    "needs_writer",
    "order_for",
    "with_suffix",
]
