"""Finds in an edit instruction what text is to be replaced, added or deleted; English and Chinese.

Quoted texts are first taken out and stand as one private character each, so that words inside the quotes cannot be
mistaken for verbs. Then the verbs decide; only when there are no quotes do patterns for bare texts apply. What is not
understood (a change of colour or font, say) is None, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from selector.perception.text_quotes import take_quotes

_TITLE_MARKS = "《"
_SLOT = "[\ue000-\uf8ff]"  # private use: one character a quoted text
_TRADITIONAL = str.maketrans("將為換刪變詞圖標題寫", "将为换删变词图标题写")


@dataclass(frozen=True)
class TextEdit:
    """What is to happen to the text in a picture.

    ``old`` is None for "add", for "replace" when the instruction names only the new text, and for "delete" when all
    text is to go. ``new`` is None for "delete" only.
    """

    action: Literal["replace", "add", "delete"]
    old: str | None
    new: str | None


def quoted_texts(prompt: str) -> tuple[str, ...]:
    """Texts in quotes, in order. 《 》 are left out: in a prompt they name a work and not a text to be shown."""
    return tuple(text for text, mark in take_quotes(prompt)[1] if mark not in _TITLE_MARKS)


def parse_text_instruction(prompt: str) -> TextEdit | None:
    """The edit that ``prompt`` asks for, or None when it is not understood."""
    skeleton, quotes = take_quotes(prompt.strip())
    texts = [text for text, _ in quotes]
    plain = skeleton.translate(_TRADITIONAL)
    if not texts:
        return _parse_bare(plain, skeleton)
    if re.search(_LOOKS, plain, re.I):
        return None
    return _parse_mixed(plain, skeleton, texts) or _parse_quoted(plain, texts)


# --- vocabulary ---------------------------------------------------------------------------------------------------

_CHANGE_EN = (
    r"change|changing|replace|replacing|modify|edit|update|turn|swap|switch|substitute|rewrite|alter|convert|rename|"
    r"correct|fix|revise|transform|translate|changed|replaced|modified|swapped|becomes|should be|should read|should say"
)
_CHANGE_ZH = r"改成|改为|换成|换为|替换|更改|修改|变成|变为|改写|更换|改作|改|换|变|代替|取代|替代|翻译"
_CHANGE = rf"\b(?:{_CHANGE_EN})\b|{_CHANGE_ZH}"
_ADD = (
    r"\b(?:add|insert|write|put|place|append|include|print|paint|overlay|engrave|inscribe|draw)\b|"
    r"添加|加上|增加|加入|写上|写入|插入|添上|放上|印上|题上|写着|新增|加一|加个|写"
)
_DELETE_EN = r"remove|delete|erase|eliminate|get rid of|take out|take away|take off|wipe out|wipe|clear|drop|omit"
_DELETE_ZH = r"删除|删掉|删去|去掉|去除|移除|擦除|擦掉|抹去|抹掉|消除|清除|拿掉|移走"
_DELETE = rf"\b(?:{_DELETE_EN})\b|{_DELETE_ZH}"
_SAYS = r"\b(?:say|says|read|reads|display|displays|show|shows)\b|显示|写着"
_INSTEAD = r"\b(?:instead of|in place of|rather than)\b|而不是|代替|取代|替代"
# "change the colour of 'SALE' to red": about the look of a text, not about what it says
_LOOKS = (
    rf"\b(?:colou?r|font|size|style|typeface|position|weight)\s+of\b[^\ue000-\uf8ff]*{_SLOT}|"
    rf"{_SLOT}\s*(?:文字|文本|字样|字)?的(?:颜色|字体|大小|字号|样式|位置)"
)


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.I) is not None


def _parse_quoted(plain: str, texts: list[str]) -> TextEdit | None:
    """Decide by the verbs around the quoted texts."""
    pieces = re.split(_SLOT, plain)
    before, between = pieces[0], pieces[1] if len(pieces) > 2 else ""
    adds, changes, deletes = (_first(p, before + between) for p in (_ADD, _CHANGE, _DELETE))
    if len(texts) >= 2:
        if _is_swapped(before, between):
            return TextEdit("replace", texts[1], texts[0])
        starts_with_delete = deletes is not None and deletes < len(before)
        if starts_with_delete and adds is None and changes is None:
            return TextEdit("delete", texts[0], None)
        if starts_with_delete or (changes is not None and (adds is None or adds > changes or _has(_TO, between))):
            return TextEdit("replace", texts[0], texts[1])
        if adds is None and _has(rf"^\s*(?:{_TO}|->|=>|→)\s*$", between):
            return TextEdit("replace", texts[0], texts[1])
    return _parse_single(plain, texts[0])


_TO = r"\bto\b|\binto\b|\bwith\b|\bby\b|改成|改为|换成|换为|替换为|替换成|更改为|更改成|修改为|修改成|变成|变为|为|成"


def _is_swapped(before: str, between: str) -> bool:
    """The new text comes first: "write B instead of A", "substitute B for A", "to B from A", 用B替换A."""
    if _has(_INSTEAD, between) or (_has(r"\bsubstitute\b", before) and _has(r"^\s*for\b", between)):
        return True
    if _has(r"\bto\b[^\ue000-\uf8ff]*$", before) and _has(r"^\s*from\b", between):
        return True
    return _has(r"(?:用|使用|以)[^把将]*$", before) and _has(r"替换|代替|取代|替代|替掉|换掉", between)


def _parse_single(plain: str, text: str) -> TextEdit | None:
    """One text: the verb that comes first names the action."""
    found = {
        "delete": _first(_DELETE, plain),
        "add": _first(_ADD, plain),
        "replace": _first(rf"{_CHANGE}|{_SAYS}", plain),
    }
    ranked = sorted((place, action) for action, place in found.items() if place is not None)
    if not ranked:
        return None
    action = ranked[0][1]
    if action == "delete":
        return TextEdit("delete", text, None)
    return TextEdit("add", None, text) if action == "add" else TextEdit("replace", None, text)


def _first(pattern: str, text: str) -> int | None:
    match = re.search(pattern, text, re.I)
    return match.start() if match else None


# --- bare texts ---------------------------------------------------------------------------------------------------

_NOUN_EN = (
    r"(?:(?:the|this|that|all|its|an?)\s+)?(?:[a-z]+\s+){0,2}?(?:text|texts|word|words|wording|number|title|phrase|"
    r"letters?|label|caption|heading|headline|slogan|name|sentence|string|date|price|year|digits?)"
)
_NOUN_ZH = r"(?:[^改换变替删去“”]{0,12}?(?:文字|文本|字样|单词|词语|标题|内容|数字|标语|名字|名称|字母|日期|价格|字))"
_STOP_EN = (
    r"(?=\s+(?:in|on|at|of|inside|from)\s+(?:the|this|that)\b|\s+(?:while|keeping|without|but|and keep)\b|"
    r"[,;.!]?\s*$|[,;]\s|\.\s)"
)
_TO_ZH = r"(?:替换|更改|修改|更换|改写|翻译|改|换|变)(?:成|为|作)"
_ZH_END = r"(?=[，。；！,;]|$)"
_BARE_REPLACE = (
    rf"\b(?:{_CHANGE_EN})\s+{_NOUN_EN}(?:\s+from)?\s*:?\s+(?P<old>\S.*?)\s+(?:to|with|into|by|->|→)\s+(?:{_NOUN_EN}\s+)?(?P<new>\S.*?){_STOP_EN}",
    rf"(?:把|将){_NOUN_ZH}(?:从|由)?[:：]?(?P<old>[^，。改换变替]+?){_TO_ZH}(?:文字)?(?P<new>.+?){_ZH_END}",
    rf"(?:文字|文本|标题|单词)(?:从|由)?(?P<old>[^，。的改换变替]+?){_TO_ZH}(?P<new>.+?){_ZH_END}",
)
_BARE_NEW = (
    rf"\b(?:{_CHANGE_EN})\s+{_NOUN_EN}\s+(?:(?:in|on)\s+.*?\s+)?(?:to|into|with)\s+(?:say\s+|read\s+)?(?P<new>\S.*?){_STOP_EN}",
)
_ADD_EN = r"add|insert|write|put|place|print|include"
_BARE_ADD = (
    rf"\b(?:{_ADD_EN})\s+{_NOUN_EN}\s*:?\s+(?P<new>\S.*?){_STOP_EN}",
    rf"(?:添加|加上|增加|写上|加入|插入){_NOUN_ZH}[:：]?(?P<new>.+?){_ZH_END}",
)
_BARE_DELETE = (
    rf"\b(?:{_DELETE_EN})\s+{_NOUN_EN}\s*:?\s+(?P<old>\S.*?){_STOP_EN}",
    rf"(?:{_DELETE_ZH}){_NOUN_ZH}[:：]?(?P<old>[^，。]+?){_ZH_END}",
)
_ALL_TEXT = (
    rf"\b(?:{_DELETE_EN})\s+(?:(?:all|the|any|every|of|this)\s+)*(?:[a-z]+\s+)?(?:text|texts|words|writing|lettering)\b",
    rf"(?:{_DELETE_ZH})[^“”]*?(?:文字|文本|字样|字)[^\w]*$|(?:把|将)[^“”]*?(?:文字|文本|字样|字)(?:都|全部|全)?(?:{_DELETE_ZH})",
)
_NOT_A_TEXT = r"^(?:colou?r|font|size|in|on|at|of|from|to|with|the|is|bold|bigger|larger|smaller|的)\b"


def _parse_bare(plain: str, original: str) -> TextEdit | None:
    """Texts without quotes, where a noun such as "text" or 文字 shows that a text is meant."""
    if _has(r"\b(?:colou?r|font|size|typeface)\s+of\b|(?:文字|文本|字)的?(?:颜色|字体|大小)", plain):
        return None
    for patterns, action in ((_BARE_REPLACE, "replace"), (_BARE_ADD, "add"), (_BARE_DELETE, "delete")):
        for pattern in patterns:
            found = _bare(pattern, plain, original)
            if found is not None:
                return TextEdit(action, found.get("old"), found.get("new"))  # type: ignore[arg-type]
    for pattern in _BARE_NEW:
        found = _bare(pattern, plain, original)
        if found is not None:
            return TextEdit("replace", None, found["new"])
    return TextEdit("delete", None, None) if any(_has(pattern, plain) for pattern in _ALL_TEXT) else None


def _bare(pattern: str, plain: str, original: str) -> dict[str, str] | None:
    """Named groups of the pattern, cut from the original (the plain form has the same length)."""
    match = re.search(pattern, plain, re.I)
    if match is None:
        return None
    groups = {name: original[slice(*match.span(name))].strip(" .:：。") for name in match.groupdict()}
    if any(not text or _has(_NOT_A_TEXT, text) for text in groups.values()):
        return None
    return groups


def _parse_mixed(plain: str, skeleton: str, texts: list[str]) -> TextEdit | None:
    """One text in quotes and the other bare: "change 'Monday' to Tuesday", 把周一改成“周二”."""
    if len(texts) != 1:
        return None
    patterns = (
        rf"\b(?:{_CHANGE_EN})\s+(?:{_NOUN_EN}\s+)?(?:from\s+)?(?P<old>{_SLOT})\s+(?:to|with|into|by)\s+(?:{_NOUN_EN}\s+)?(?P<new>\S.*?){_STOP_EN}",
        rf"\b(?:{_CHANGE_EN})\s+{_NOUN_EN}\s+(?:from\s+)?(?P<old>\S.*?)\s+(?:to|with|into|by)\s+(?P<new>{_SLOT})",
        rf"(?P<old>{_SLOT})(?:文字|字样|字)?{_TO_ZH}(?P<new>[^\s，。]+?){_ZH_END}",
        rf"(?:把|将)(?:{_NOUN_ZH})?(?P<old>[^，。改换变替的]+?){_TO_ZH}(?P<new>{_SLOT})",
    )
    for pattern in patterns:
        found = _bare(pattern, plain, skeleton)
        if found is not None and not re.search(_PLACE, found["old"], re.I):
            old, new = (re.sub(_SLOT, texts[0], found[name]) for name in ("old", "new"))
            return TextEdit("replace", old, new)
    return None


_PLACE = r"^(?:in|on|at|of|from|to)\b|图|文字|文本|标题|内容|招牌|牌子|上面|字样"
