"""The one place that cleans text on its way to people: a terminal, a page, a table.

Names, labels, prompts and a server's words are other people's: a terminal would obey their escape sequences, a page
turn the writing round, and half of a surrogate pair (as Python shows a file's name that is no UTF-8) has no bytes.
"""

from __future__ import annotations

import json
import re

# Controls but tabs and line ends, ends of line that few programs know, marks that turn the writing round, halves.
_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_IN_JSON = re.compile(r"(\\\\)|(\\r\\n)|\\u00[01][0-9a-f]|\\[bfr]")  # as ``json.dumps`` has them, and a backslash


def visible(text: str) -> str:
    r"""The text as people may see it: each character that steers is a question mark; tabs and line ends stay.

    Example:
        >>> visible("a\x1b[2J\r\nb\u202egnp")
        'a?[2J\nb?gnp'
    """
    return _UNSEEN.sub("?", text.replace("\r\n", "\n"))


def visible_json(document: str) -> str:
    """A JSON document of ``json.dumps`` whose texts are as people may see them."""
    return _UNSEEN.sub("?", _IN_JSON.sub(lambda found: found[1] or (r"\n" if found[2] else "?"), document))


def escaped_json(document: str) -> str:
    """The same JSON document, with escapes for what ``visible`` takes away: a program reads the very same texts."""
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], document)
