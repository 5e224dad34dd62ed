"""The quality suffix: a few words in the prompt's own language, without a model.

Text to image: what image models were shown beside good pictures. Words of photography would work against a prompt that
asks for a drawing, so those get others. Edits: never new content or another composition, only that the rest stays; half
of an edit's SC is that nothing else changed. Prompts are cut here as services cut them, but between words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from selector.domain import TaskType
from selector.prompts.quotes import without_quotes

_BREAK = re.compile(r"[\s,.;:!?，。；：！？、]+")
_LEAST_KEPT = 0.8  # of what fits: further back there is no word boundary worth going to
_HAN = re.compile(r"[\u3400-\u9fff]")
_DRAWN = re.compile(
    r"\b(?:drawing|drawn|sketch|cartoon|anime|manga|comic|illustrat\w+|water-?colou?r|painting|painted|pixel art|"
    r"vector|logo|icon|poster|origami|low[- ]poly|mosaic|engraving|woodcut|crayon|doodle|diagram|flat design|"
    r"line art)\b"
    r"|素描|手绘|卡通|动漫|漫画|插画|插图|水彩|油画|国画|水墨|像素|矢量|标志|图标|海报|剪纸|版画|蜡笔|简笔画|示意图",
    re.IGNORECASE,
)
_ALREADY = {
    TaskType.T2I: re.compile(
        r"\b(?:4k|8k|hd|uhd|high[- ](?:quality|resolution)|highly detailed|masterpiece)\b"
        r"|超清|高清|高质量|高画质|细节丰富",
        re.IGNORECASE,
    ),
    TaskType.TIE: re.compile(
        r"\b(?:keep|leave|leaving|keeping|preserv\w+|unchanged|untouched)\b|不变|保留|保持|不要改", re.IGNORECASE
    ),
}
_PHOTO, _ART, _EDIT, _TEXT_EDIT = "photo", "art", "edit", "text edit"
_ENGLISH: Mapping[str, str] = {
    _PHOTO: "Ultra HD, 4K, cinematic composition.",
    _ART: "High quality, fine detail, balanced composition.",
    _EDIT: "Keep everything else exactly as it is.",
    _TEXT_EDIT: "Keep the typeface, size, colour and position, and everything else exactly as it is.",
}
_CHINESE: Mapping[str, str] = {
    _PHOTO: "超清，4K，电影级构图。",
    _ART: "高质量，细节丰富，构图协调。",
    _EDIT: "其他部分保持不变。",
    _TEXT_EDIT: "字体、大小、颜色和位置以及其他部分保持不变。",
}
_RESTYLED = re.compile(
    r"\b(?:font|typeface|bold|italic|bigger|larger|smaller|size|colou?r|move|position|red|blue|green|yellow|white|black)\b"
    r"|字体|粗体|斜体|放大|缩小|大小|颜色|移动|位置|变大|变小|红色|蓝色|绿色|黄色|白色|黑色",
    re.IGNORECASE,
)


def with_suffix(prompt: str, task_type: TaskType, most_characters: int = 0) -> str:
    """The prompt with the suffix of its language, or as it is where it says so already, or is empty.

    Where both are longer than ``most_characters`` (0: no limit), the prompt is cut between words, so that the suffix
    stays; where that leaves less than half of what fits, the prompt stays as it is.

    Example:
        >>> with_suffix("a cat on a wall", TaskType.T2I)
        'a cat on a wall. Ultra HD, 4K, cinematic composition.'
        >>> with_suffix("把天空变成粉色", TaskType.TIE)
        '把天空变成粉色。其他部分保持不变。'
        >>> with_suffix("add a hat " * 20, TaskType.TIE, 90)
        'add a hat add a hat add a hat add a hat add a hat. Keep everything else exactly as it is.'
    """
    text = prompt.strip()
    said = without_quotes(text)
    already = _ALREADY[TaskType.T2I if task_type is TaskType.T2I else TaskType.TIE]
    if not text or task_type is TaskType.DEEPFAKE or already.search(said):
        return prompt
    chinese = _HAN.search(said) is not None
    suffix = ("" if chinese else " ") + (_CHINESE if chinese else _ENGLISH)[_kind(said, task_type)]
    whole = _ended(text, chinese) + suffix
    if not 0 < most_characters < len(whole):
        return whole
    room = most_characters - len(suffix) - 1  # for the full stop
    return _ended(cut(text, room).rstrip(), chinese) + suffix if 2 * room >= most_characters else prompt


def _kind(said: str, task_type: TaskType) -> str:
    if task_type is TaskType.T2I:
        return _ART if _DRAWN.search(said) else _PHOTO
    # Where the look of the text is what changes, keeping it would contradict the instruction.
    return _TEXT_EDIT if task_type is TaskType.VTTIE and not _RESTYLED.search(said) else _EDIT


def _ended(text: str, chinese: bool) -> str:
    """With a full stop, unless it ends with one or with another mark of an end."""
    if text[-1] in ".!?。！？…;；":
        return text
    return text.rstrip(",，、:：") + ("。" if chinese else ".")


def cut(text: str, most_characters: int) -> str:
    """``text``, or the beginning that a service with this limit would read, without half a word at its end.

    Example:
        >>> cut("a cat on the garden wall", 20)
        'a cat on the garden'
    """
    if len(text) <= most_characters:
        return text
    kept = text[:most_characters]
    if _BREAK.match(text, most_characters):
        return kept.rstrip()
    breaks = [found.start() for found in _BREAK.finditer(kept) if found.start() >= _LEAST_KEPT * most_characters]
    return kept[: breaks[-1]] if breaks else kept
