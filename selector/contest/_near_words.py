"""What a table's author may have meant: the words that other tools and data sets have for task types and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from selector.contest.profile import ContestProfile
from selector.domain import TaskType
from selector.domain.words import did_you_mean, nearest

# Folded as ``_folded`` does: "Text-to-Image" and "text2image" are one word.
_TYPES = {
    TaskType.T2I: "texttoimage txttoimg ttoi texttoimg texttopicture imagegeneration generation generate 文生图",
    TaskType.TIE: "edit imageedit imageediting editing imgtoimg imagetoimage itoi instructionedit textimageedit 图生图 "
    "图像编辑",
    TaskType.VTTIE: "textedit textediting sceneedittext scenetext visualtextedit texteditinginimage 文字编辑",
    TaskType.DEEPFAKE: "faceswap faceswapping swapface 换脸",
}
_IDS = "id idx index no number num key taskid task 编号 序号"
_KINDS = "type kind tasktype category task 类型"
_PROMPTS = "prompt text instruction caption description 提示词"
_SOURCES = "image img source sourceimage input inputimage original originalimage oriimage scene"
_REFERENCES = "target targetimage reference referenceimage ref face identity"


def near_type(word: str, profile: ContestProfile) -> str:
    """`` (did you mean 't2i'?)`` for the contest's word that is probably meant, or an empty string."""
    for task_type, facts in profile.task_types.items():
        if _folded(word) in _TYPES[task_type].split():
            return f" (did you mean {facts.word!r}?)"
    return did_you_mean(word, [facts.word for facts in profile.task_types.values()])


def near_columns(missing: Sequence[str], columns: Sequence[str], profile: ContestProfile) -> dict[str, str]:
    """Missing column to the one of the table that may be it; each of the table's but once, none that is needed."""
    free = [column for column in columns if column and column not in profile.columns]
    synonyms = _synonyms(profile)
    found: dict[str, str] = {}
    for name in missing:  # what means the same goes before what is only like it in letters
        near = next((column for column in free if _folded(column) in synonyms[name].split()), None)
        if near is not None:
            found[name] = near
            free.remove(near)
    for name in missing:
        if name not in found and (near := nearest(name, free)) is not None:
            found[name] = near
            free.remove(near)
    return {name: found[name] for name in missing if name in found}


def _synonyms(profile: ContestProfile) -> Mapping[str, str]:
    table = profile.table
    pictures = [(facts.source, facts.reference) for facts in profile.task_types.values()]
    return {
        **{source: _SOURCES for source, _ in pictures if source},
        **{reference: _REFERENCES for _, reference in pictures if reference},
        table.id_column: _IDS,
        table.type_column: _KINDS,
        table.prompt_column: _PROMPTS,
    }


def _folded(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.casefold()).replace("2", "to")
