"""Chinese rules of edit instructions. A rule must match a whole part; what no rule matches is not understood."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selector.prompts.edits._rules import (
    PLAIN,
    SLIGHT,
    STRONG,
    Clause,
    Keep,
    Parsed,
    Rules,
    Target,
    first_clause,
    signed,
    take_amount,
)

COLOURS = {
    "红": "red", "橙": "orange", "橘": "orange", "黄": "yellow", "金": "yellow", "绿": "green", "青": "cyan",
    "蓝": "blue", "紫": "purple", "粉": "pink", "粉红": "pink", "棕": "brown", "褐": "brown", "黑": "black",
    "白": "white", "灰": "grey",
}  # fmt: skip
ADJECTIVES: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("亮", "明亮", "亮堂"), ("brightness", 1)),
    **dict.fromkeys(("暗", "昏暗", "黑暗"), ("brightness", -1)),
    **dict.fromkeys(("暖", "温暖", "暖色调", "偏暖"), ("warmth", 1)),
    **dict.fromkeys(("冷", "冷色调", "偏冷"), ("warmth", -1)),
    **dict.fromkeys(("鲜艳", "艳丽", "饱和", "鲜明"), ("saturation", 1)),
    **dict.fromkeys(("清晰", "锐利"), ("sharpen", 1)),
    **dict.fromkeys(("模糊", "虚化"), ("blur", 1)),
}
NOUNS = {
    "亮度": "brightness", "明度": "brightness", "曝光": "brightness", "曝光度": "brightness", "对比度": "contrast",
    "对比": "contrast", "反差": "contrast", "饱和度": "saturation", "色彩饱和度": "saturation", "鲜艳度": "saturation",
    "色温": "warmth", "暖色调": "warmth", "清晰度": "sharpen", "锐度": "sharpen", "模糊度": "blur",
}  # fmt: skip
STYLES = {
    **dict.fromkeys(("黑白", "黑白色", "灰度", "单色", "黑白色调"), "black_white"),
    **dict.fromkeys(("棕褐色", "棕褐色调", "褐色调", "深褐色", "深褐色调"), "sepia"),
    **dict.fromkeys(("铅笔素描", "素描", "铅笔画", "素描画", "铅笔素描画"), "pencil_sketch"),
}
EFFECTS = {**STYLES, "暗角": "vignette", "晕影": "vignette", "四周暗角": "vignette"}
VERBS: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("调亮", "提亮", "变亮", "增亮", "加亮"), ("brightness", 1)),
    **dict.fromkeys(("调暗", "压暗", "变暗"), ("brightness", -1)),
    **dict.fromkeys(("调暖", "变暖"), ("warmth", 1)),
    **dict.fromkeys(("调冷", "变冷"), ("warmth", -1)),
    "锐化": ("sharpen", 1),
    **dict.fromkeys(("模糊", "虚化", "模糊化"), ("blur", 1)),
    **dict.fromkeys(("去色", "黑白化"), ("black_white", 1)),
}
NUMBERS = {"四十五": 45, "九十": 90, "一百八十": 180, "二百七十": 270}


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_WHOLE = r"(?:(?:这|整|该)?(?:张|幅|个)?(?:图片|照片|图像|相片|画面|图|画)(?:整体)?|整体)"
_IN = rf"(?:{_WHOLE}(?:中|里|上)?的?)?"
_SUBJECT_NOUN = r"(?:主体|前景)(?:部分)?"
_BACKGROUND = rf"(?:{_IN}(?:后面的)?背景(?:部分)?|除了?{_SUBJECT_NOUN}(?:以外|之外|外)的?(?:部分|地方|所有部分))"
_SUBJECT = rf"(?:{_IN}{_SUBJECT_NOUN})"
_T = rf"(?P<target>{_BACKGROUND}|{_SUBJECT}|{_WHOLE}|它)"
_OF_T = rf"(?:{_T}的?)?"
_LET = r"(?:让|把|将|使|给|对)"
_BECOME = r"(?:变得|变成|变为|变|调得|调成|调整得|调|弄得|弄成|弄|处理得|处理成|看起来|显得|进行)?"
_TURN_TO = (
    r"(?:变成|变为|变|转换成|转换为|转为|转成|转化为|改成|改为|换成|处理成|处理为|调成|做成|设为|设置为|生成|弄成)"
)
_TAIL = r"(?:风格|效果|滤镜|照片|图片|图像|画|图|色调|模式|版本|的)*"
_UP = r"提高|增加|增强|提升|加强|调高|加大|增大|拉高|提|加"
_DOWN = r"(?:降低|减少|减弱|减小|调低|削弱|降)"
_COLOUR = rf"{_any(COLOURS)}"
_ANGLE = rf"(?P<angle>\d{{1,3}}(?:\.\d+)?|{_any(NUMBERS)})(?:度|°)"
_DIRECTION = r"(?P<direction>顺时针|逆时针|(?:向|往)[左右])(?:方向)?"
_HOW = r"(?P<how>水平|左右|上下|垂直|竖直|镜像)"
_NO_NOUN = re.compile(rf"[和与及或上下里中旁边左右前后的在变]|背景|灯|光|{_COLOUR}色")

_Match = re.Match[str]


def _target(match: _Match) -> Target | None:
    text = match.groupdict().get("target")
    if text is None:
        return None
    if text == "它":
        return "pronoun"
    if re.fullmatch(_BACKGROUND, text):
        return "background"
    return "subject" if re.fullmatch(_SUBJECT, text) else "whole"


def _adjective(match: _Match, amount: float) -> Clause:
    name, sign = ADJECTIVES[match["adjective"]]
    return Clause(name, amount * sign, _target(match))


def _style(match: _Match, amount: float) -> Clause:
    return Clause(EFFECTS[match["style"]], amount, _target(match))


def _verb(match: _Match, amount: float) -> Clause:
    name, sign = VERBS[match["verb"]]
    target = _target(match)
    return Clause(name, amount * sign, target, open_object=target is None)


def _noun(match: _Match, amount: float) -> Clause | None:
    found = signed(NOUNS[match["noun"]], 1 if match["up"] else -1)
    return Clause(found[0], amount * found[1], _target(match)) if found else None


def _no_colour(match: _Match, amount: float) -> Clause:
    return Clause("black_white", amount, _target(match))


def _recolour(match: _Match, amount: float) -> Clause | None:
    noun, old, new = match["noun"], COLOURS[match["old"]], COLOURS[match["new"]]
    if old == new or _NO_NOUN.search(noun) or match["again"] not in (None, "", noun):
        return None
    # Chinese nouns carry no plural: flowers, leaves and "all" are taken as many.
    plural = match["all"] is not None or noun[-1] in "花叶树草"
    return Clause("recolour", amount, None, {"from": old, "to": new, "noun": noun, "plural": plural})


def _flip(match: _Match, _amount: float) -> Clause:
    vertical = match["how"] in ("上下", "垂直", "竖直")
    return Clause("flip", PLAIN, _target(match), {"axis": "vertical" if vertical else "horizontal"})


def _rotate(match: _Match, _amount: float) -> Clause | None:
    direction, angle = match["direction"], match["angle"]
    degrees = float(NUMBERS.get(angle) or angle)
    if not 0 < degrees < 360:
        return None
    left = direction == "逆时针" or (direction or "").endswith("左")
    return Clause(
        "rotate",
        PLAIN,
        _target(match),
        {"degrees": -degrees if left else degrees, "certain": bool(direction) or degrees == 180},
    )


def _crop_ratio(match: _Match, _amount: float) -> Clause | None:
    width, height = (1.0, 1.0) if match["ratio"].startswith("正方") else map(float, match["ratio"].split(":"))
    if not (width and height and 0.2 <= width / height <= 5):
        return None
    return Clause("crop", PLAIN, _target(match), {"kind": "ratio", "ratio": width / height})


def _crop_margin(match: _Match, amount: float) -> Clause:
    return Clause("crop", amount, _target(match), {"kind": "margin"})


_ADJECTIVE = rf"(?P<adjective>{_any(ADJECTIVES)})"
_STYLE = rf"(?P<style>{_any(STYLES)}){_TAIL}"
_QUALITY = rf"(?P<noun>{_any(NOUNS)})"
_VERB = rf"(?P<verb>{_any(VERBS)})"
_RATIO = r"(?P<ratio>正方形|正方|\d{1,2}:\d{1,2})(?:的?比例)?"
_RECOLOUR = (
    rf"(?P<all>所有)?的?(?P<old>{_COLOUR})色?的?(?P<noun>[\u4e00-\u9fff]{{1,5}}?)(?:的?颜色)?"
    rf"(?:变成|变为|变|改成|改为|换成|换为|染成|涂成|调成)(?P<new>{_COLOUR})色?的?(?P<again>[\u4e00-\u9fff]{{1,5}})?"
)

_IMPERATIVE: Rules = (
    (rf"{_LET}?{_T}{_BECOME}{_ADJECTIVE}", _adjective),
    (rf"{_LET}?{_T}(?:的)?(?:色彩|颜色|色调){_BECOME}(?P<adjective>鲜艳|艳丽|饱和|暖|温暖|冷)", _adjective),
    (rf"{_LET}?{_OF_T}{_TURN_TO}{_STYLE}", _style),
    (rf"{_LET}?{_OF_T}(?:添加|加上|加入|增加|加|应用|使用)(?:一个|一层|个)?(?P<style>{_any(EFFECTS)}){_TAIL}", _style),
    (rf"(?:在)?{_T}(?:中|上|四周|周围)(?:添加|加上|加入|增加|加)(?:一个|一层|个)?(?P<style>暗角|晕影){_TAIL}", _style),
    (rf"{_LET}?{_T}(?:进行)?{_VERB}(?:处理)?", _verb),
    (rf"{_VERB}{_T}", _verb),
    (rf"(?:{_LET}?{_T}的?)?(?:(?P<up>{_UP})|{_DOWN}){_QUALITY}", _noun),
    (rf"(?:(?P<up>{_UP})|{_DOWN}){_OF_T}{_QUALITY}", _noun),
    (rf"{_LET}?{_OF_T}{_QUALITY}(?:(?P<up>{_UP}|调高|变高|高)|{_DOWN}|变低|低)", _noun),
    (rf"(?:去掉|去除|移除|除去){_OF_T}(?:所有)?(?:颜色|色彩)", _no_colour),
    (rf"{_LET}?{_IN}{_RECOLOUR}", _recolour),
    (rf"{_LET}?(?:{_T})?(?:进行)?{_HOW}(?:翻转|镜像)?(?:处理)?", _flip),
    (rf"{_HOW}(?:翻转|镜像){_T}", _flip),
    (rf"{_LET}?(?:{_T})?(?:{_DIRECTION})?(?:旋转|转){_ANGLE}", _rotate),
    (rf"(?:{_DIRECTION})?旋转{_T}{_ANGLE}", _rotate),
    (rf"{_LET}?(?:{_T})?(?:裁剪|裁切|裁)(?:成|为|到){_RATIO}", _crop_ratio),
    (rf"(?:裁剪|裁切){_T}(?:成|为|到){_RATIO}", _crop_ratio),
    (rf"{_LET}?{_T}(?:裁剪|裁切)|(?:裁剪|裁切)(?:掉)?(?:{_WHOLE}的?)?(?:边缘|四周)?", _crop_margin),
)
_BARE: Rules = (
    (_VERB, _verb),
    (rf"{_BECOME}{_ADJECTIVE}", _adjective),
    (rf"{_STYLE}", _style),
)
_AMOUNTS = (
    (re.compile(r"稍微|稍稍|略微|轻微|微微|适当|适度|一点儿?|有点|一些|些|轻度|少许"), SLIGHT),
    (re.compile(r"非常|大幅度?|明显|显著|极其|极|特别|大大|强烈|很|十分|许多|得多|很多"), STRONG),
    (re.compile(r"一下|更加|更为|更|再|得更|整体上"), PLAIN),
)
_COURTESY = re.compile(
    r"^(?:请|麻烦|帮我|帮忙|给我|我想要?|我要|希望|你能|能否|可以|能不能)+|(?:吧|好吗|谢谢|可以吗|哦|啊)+$"
)
_SEPARATOR = re.compile(
    r"\s*(?:[,;!?、。~\s]|并且|而且|然后|接着|同时|以及|随后|最后|并|且|(?<!饱)和|后(?=[再把将让]))\s*"
)
_KEEP_SUBJECT = re.compile(rf"(?:保持|保留|保证)(?:{_SUBJECT_NOUN}|人物|人像)(?:清晰|不变|不动|原样|锐利)?")
_KEEP_REST = re.compile(
    r"(?:保持)?(?:其他|其它|其余|别的)(?:的)?(?:部分|地方|内容|区域)?(?:都)?(?:保持)?(?:不变|不动|原样)"
    r"|(?:不要|不)(?:改变|改动)(?:其他|其它|其余)(?:的)?(?:部分|地方|内容|区域)?"
)
_NEGATION = re.compile(r"不|别|勿|没|除了|避免|禁止|无需")


def split(text: str) -> list[str]:
    """The parts of a normalised instruction, without courtesies."""
    parts = (_COURTESY.sub("", part.strip(" .")) for part in _SEPARATOR.split(_COURTESY.sub("", text.strip(" .!?。"))))
    return [part for part in parts if part]


def is_negated(part: str) -> bool:
    """Whether the part speaks of what should not be done."""
    return bool(_NEGATION.search(part))


def parse_imperative(part: str) -> Parsed | None:
    """A part that says what to do (模糊背景) or what to keep; None when no rule matches all of it."""
    if _KEEP_SUBJECT.fullmatch(part):
        return Keep("subject")
    if _KEEP_REST.fullmatch(part):
        return Keep("rest")
    return _match(part, _IMPERATIVE)


def parse_bare(part: str) -> Parsed | None:
    """A part without an object (变亮, 黑白照片)."""
    return _match(part, _BARE)


def _match(part: str, rules: Rules) -> Clause | None:
    text, amount = take_amount(part, _AMOUNTS)
    return first_clause(text.replace(" ", ""), amount, rules)
