"""What an edit instruction wants to change, as two captions: of the picture before and of the picture after.

For measures that compare a change of pictures with a change of texts. The rules are lenient where those of
``edit_instruction`` are strict: there a wrong reading makes a wrong picture, here it makes a weaker measure. So the
nouns are free text, what should stay is skipped, and of several parts those count that are understood. What no rule
knows (rotations, sizes, "open the door") gives None and never a guess: as a caption, "remove the dog" has the wrong
sign.

English and Chinese; the captions are in the language of the instruction. Cost: well under a millisecond.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from selector.domain.reading import Change

MAX_CHARACTERS = 600
_HAN = re.compile(r"[\u4e00-\u9fff]")


@lru_cache(maxsize=1024)
def change_of(instruction: str) -> Change | None:
    """The change that ``instruction`` asks for, or None when no part of it is understood."""
    from selector.prompts.edits import _change_chinese as edit_change_chinese
    from selector.prompts.edits import _change_english as edit_change_english

    text = " ".join(unicodedata.normalize("NFKC", instruction).replace("’", "'").split())
    if not text or len(text) > MAX_CHARACTERS:
        return None
    rules = edit_change_chinese if _HAN.search(text) else edit_change_english
    parts = [change for part in rules.split(text) if (change := rules.parse(part)) is not None]
    return joined([Change(*part) for part in parts if part[0] != part[1]], rules.JOINER)


def joined(parts: Sequence[Change], joiner: str) -> Change | None:
    """Several changes as one; repeated captions ("a photo") are said once."""
    if not parts:
        return None
    before = joiner.join(dict.fromkeys(part.before for part in parts))
    after = joiner.join(dict.fromkeys(part.after for part in parts))
    return None if before == after else Change(before, after)
