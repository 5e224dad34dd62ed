"""Other wordings of a task's prompt, as variants of a generator: what a style is, what a form is, and what is asked.

Pure: no files, no clock, no network. A language model is asked by ``selector.runs.prompting``.
"""

from generators.prompts.forms import CAPTION, FORMS, INSTRUCTION, KONTEXT, TAGS, form_for, in_english
from generators.prompts.length import cut
from generators.prompts.orders import order_for
from generators.prompts.styles import AS_IS, PROMPT_STYLES, REWRITTEN, SUFFIX, TRANSLATED, needs_writer
from generators.prompts.suffix import with_suffix

__all__ = [
    "AS_IS",
    "CAPTION",
    "FORMS",
    "INSTRUCTION",
    "KONTEXT",
    "PROMPT_STYLES",
    "REWRITTEN",
    "SUFFIX",
    "TAGS",
    "TRANSLATED",
    "cut",
    "form_for",
    "in_english",
    "needs_writer",
    "order_for",
    "with_suffix",
]
