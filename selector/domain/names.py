"""The one check of names that come from outside and become paths.

Profiles, task tables, ZIPs, models' folders and folders to import are data that strangers hand around. A name in them
is checked here when it is read, before it is joined to a folder. Whether a link leads out of the folder takes a look at
the disk; for input pictures that is ``selector.contest.input_images.resolve_image``.
"""

from __future__ import annotations

import re
import unicodedata

from selector.domain.errors import InputError

MOST_PART_BYTES = 255  # in UTF-8, of one name: the limit of file systems
MOST_PATH_BYTES = 1024  # of all parts together: the least limit of the systems that we know
_MOST_SHOWN = 60  # characters of a bad name in a message

# What most ids and pictures are called, with 8 characters or more, which no device has: tables have 50,000 of them.
_SURELY_GOOD = re.compile(r"[0-9]{1,99}|[A-Za-z0-9_-]{8,99}(\.[a-z]{2,5})?")
_OF_ALL = (
    (re.compile(r"\A\s*\Z"), "is empty"),
    (re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"), "holds a control character"),
    (re.compile(r"[\ud800-\udfff]"), "is not UTF-8"),  # how Python shows other bytes of a file's name
    (re.compile(r"\\"), "holds a backslash"),
    (re.compile(r"\A(/|[A-Za-z]:)"), "is an absolute path"),
    (re.compile(r"\A~"), "begins with '~', which stands for a home folder"),
)
_OF_PARTS = (
    (re.compile(r"\.\.\Z"), "climbs out with '..'"),
    (re.compile(r"\.?\Z"), "has a part that is empty or '.'"),
)
_OF_WRITTEN_PARTS = (
    (re.compile(r"\."), "begins with a dot, which hides it"),
    (re.compile(r" |.*[. ]\Z"), "has a space at an end, or a dot at the end"),
    (re.compile(r".*[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"), "holds an invisible character"),
    (re.compile(r'.*[<>:"|?*]'), 'holds one of < > : " | ? *, which Windows does not take'),
    (
        re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?\Z", re.IGNORECASE),
        "is the name of a device on Windows",
    ),
)


def name_fault(name: str, *, folders: bool = False, written: bool = False) -> str | None:
    """What is wrong with the name of a file inside a folder, in words that follow the name; None if nothing is.

    Args:
        folders: the name may begin with sub-folders, separated by forward slashes.
        written: we write a file of this name, maybe into a ZIP: then it must do on Windows too, and must not begin with
            a dot, as our temporary files do.
    """
    if _SURELY_GOOD.fullmatch(name):
        return None
    parts = name.split("/")
    faults = [fault for pattern, fault in _OF_ALL if pattern.search(name)]
    for pattern, fault in (*_OF_PARTS, *(_OF_WRITTEN_PARTS if written else ())):
        faults += [fault for part in parts if pattern.match(part)]
    if len(parts) > 1 and not folders:
        faults.append("holds a slash")
    if not faults and (len(name.encode()) > MOST_PATH_BYTES or max(map(_bytes, parts)) > MOST_PART_BYTES):
        faults.append(f"is longer than {MOST_PART_BYTES} bytes in UTF-8 ({MOST_PATH_BYTES} with its folders)")
    return faults[0] if faults else None


def _bytes(part: str) -> int:
    return len(part.encode())


def check_name(name: str, what: str, cure: str, *, folders: bool = False, written: bool = False) -> str:
    """The name itself; raises ``InputError`` with one line: ``what``, the name, its fault and the cure."""
    fault = name_fault(name, folders=folders, written=written)
    if fault:
        raise InputError(f"{what} {name[:_MOST_SHOWN]!r} {fault}; {cure}")
    return name


def same_file_key(name: str) -> str:
    """Equal for names that some file system takes for one: case and composed accents do not tell files apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def printable_name(name: str) -> str:
    """A file's name for a terminal: what would steer it, or is not UTF-8, is written as an escape."""
    return "".join(c if c.isprintable() or c == "\u3000" else c.encode("unicode_escape").decode() for c in name)
