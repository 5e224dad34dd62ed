"""Other wordings of a task's prompt, as variants of a generator: what a style is, what a form is, and what is asked.

Pure: no files, no clock, no network. A language model is asked by ``selector.llm.prompting``.
"""

from selector.prompts.wording.forms import CAPTION, FORMS, INSTRUCTION, KONTEXT, TAGS, form_for, in_english
from selector.prompts.wording.length import cut
from selector.prompts.wording.orders import order_for
from selector.prompts.wording.styles import AS_IS, PROMPT_STYLES, REWRITTEN, SUFFIX, TRANSLATED, needs_writer
from selector.prompts.wording.suffix import with_suffix

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
