"""Whose picture a file is, by its name: a task's id, as people, browsers, file managers and tools write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

_PICTURE = r"\.(?:jpe?g|png|webp|avif|gif|bmp|tiff?)"
_COPY_WORD = r"(?:copy|duplicate|副本|拷贝|复制|複製|拷貝|复件)"
_ORDINAL = r"(?:another|\d+(?:st|nd|rd|th)|另一个|另一個|第\s*\d+\s*个|第\s*\d+\s*個)"
# What comes after a name when a file of that name is there already: "(1)" of browsers and Windows, " copy 2" of macOS,
# " - Copy (2)" of Windows, " (3rd copy)" of GNOME, the same in Chinese; "1.png.jpg" of converters.
_COPIES = (
    re.compile(rf"\s*\(\s*(?:\d{{1,3}}|{_ORDINAL}?\s*{_COPY_WORD}(?:\s*\d+)?)\s*\)\Z", re.IGNORECASE),
    re.compile(rf"(?:\s*-\s*|\s+|(?<=\d)|\s*的\s*){_COPY_WORD}(?:\s*\d{{1,3}})?\Z", re.IGNORECASE),
    re.compile(rf"{_PICTURE}\Z", re.IGNORECASE),
)
_COPY_OF = re.compile(rf"\A(?:(?:copy|\(\d+\)\s*copy) of|{_COPY_WORD}(?:\s*\(\d+\))?\s*-?)\s+(?=\S)", re.IGNORECASE)
# "7-1" of Safari and "7 2" of the Finder. Not after zeros: "00003-42" is a counter and a seed of A1111.
_COUNTED = re.compile(r"([1-9]\d*|\D.*)[- ][1-9]\d?\Z")
_COMFYUI_COUNTER = re.compile(r"_\d{5}_\Z")  # of all files with this prefix, no task
_LABELLED = re.compile(
    r"(?:(?:task|index|idx|id|任务|任務|题目|題目|题|題|编号)[\s_\-:#]*(\d+)|第\s*(\d+)\s*[题題])(?=[\s_\-(]|\Z)",
    re.IGNORECASE,
)
_MOST_MARKS = 6  # " - Copy (2) (1)" has three


@dataclass(frozen=True)
class TaskIds:
    """The ids that files may have; ``by_key`` are those that a loose look takes for the same."""

    ids: frozenset[str]
    by_key: Mapping[str, tuple[str, ...]] = field(repr=False)

    @classmethod
    def of(cls, task_ids: Collection[str]) -> TaskIds:
        ids = frozenset(map(composed, task_ids))
        by_key: dict[str, tuple[str, ...]] = {}
        for one in sorted(ids):
            by_key[loose(one)] = (*by_key.get(loose(one), ()), one)
        return cls(ids, by_key)

    def meant_by(self, name: str, *, folder: bool = False) -> tuple[str, ...]:
        """The ids that a file's name without suffix, or a folder's, may mean: one, none, or several that fit alike.

        An id as it is written goes before one in other case or with other zeros; of two that the name begins with, the
        longer one.
        """
        for reading in readings(name, folder=folder):
            if reading in self.ids:
                return (reading,)
            if found := self.by_key.get(loose(reading)):
                return found
        return ()


def composed(name: str) -> str:
    """Composed form: some file systems hand out names decomposed."""
    return unicodedata.normalize("NFC", name)


def loose(name: str) -> str:
    """Equal for names that differ by case, by full-width letters, or by zeros before a number."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return (folded.lstrip("0") or "0") if folded.isdecimal() else folded


def readings(name: str, *, folder: bool = False) -> Iterator[str]:
    """The ids that a name could be written for, the most literal first.

    A file's name may go on behind an underscore ("7_flux"); a folder's not: "20_steps" has files of all tasks.
    """
    name = composed(name).strip()
    yield name
    wide = unicodedata.normalize("NFKC", name)  # brackets and digits of Chinese keyboards
    rest = _COMFYUI_COUNTER.sub("", wide)
    for end in [len(rest), *(() if folder else _underscores(rest))]:
        yield from _without_marks(rest[:end], counted=not folder)
    for bare in _without_marks(rest, counted=False):
        label = _LABELLED.match(bare)
        if label and not (folder and label.end() < len(bare)):
            yield label[1] or label[2]


def with_underscore(name: str, ids: TaskIds) -> str | None:
    """The name with an underscore behind a task's id, where it has another mark there: "2-sdxl" as "2_sdxl".

    None where it may as well be a tool's own: "00017-42" is a counter and a seed of A1111, "17-2025" half a date.
    """
    name = composed(name).strip()
    for mark in reversed(list(re.finditer(r"[-. +~]+", name))):
        task_id, rest = name[: mark.start()], name[mark.end() :]
        if task_id in ids.ids and not task_id.startswith("0") and re.search(r"[^\W\d_]", rest):
            return f"{task_id}_{rest}"
    return None


def says_a_number(name: str) -> bool:
    """Whether the name is a number in one of its readings, so that it seems to mean a task."""
    return any(reading.isdecimal() for reading in readings(name))


def _underscores(name: str) -> Iterator[int]:
    return (at for at in range(len(name) - 1, 0, -1) if name[at] == "_")


def _without_marks(name: str, *, counted: bool) -> Iterator[str]:
    """The name, and again without each mark of a copy; at last without one counter."""
    yield name
    for _ in range(_MOST_MARKS):
        bare = _COPY_OF.sub("", name) if _COPY_OF.match(name) else _without_copy(name)
        if bare == name or not bare:
            break
        name = bare
        yield name
    if counted and (found := _COUNTED.fullmatch(name)):
        yield found[1]


def _without_copy(name: str) -> str:
    return next((name[: found.start()] for mark in _COPIES if (found := mark.search(name))), name)
