"""Places in Chinese instructions that add a text: 在“A”下方, 海报右下角, 图片正中间."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selector.domain.reading import Place, Side
from selector.domain.reading import Spot as SpotName
from selector.prompts.text_edits._rules import QUOTE

PICTURE = r"(?:这|该|整)?(?:张|幅|个)?(?:图片|图像|照片|相片|画面|图画|图|画)"
_SHEET = r"(?:海报|封面|页面|屏幕|卡片|横幅|菜单|黑板|白板|广告牌|请柬|贺卡|名片|文档|幻灯片|截图|传单|包装|标签|书|纸)"
SIDES: dict[str, tuple[Side | None, SpotName | None]] = {
    "左上": (None, "top left"), "右上": (None, "top right"),
    "左下": (None, "bottom left"), "右下": (None, "bottom right"),
    "顶": (None, "top"), "底": (None, "bottom"), "中央": (None, "centre"), "正中": (None, "centre"),
    "中间": (None, "centre"), "中心": (None, "centre"), "居中": (None, "centre"), "上方": ("above", "top"),
    "下方": ("below", "bottom"), "上面": ("above", "top"), "下面": ("below", "bottom"), "上边": ("above", "top"),
    "下边": ("below", "bottom"), "上部": (None, "top"), "下部": (None, "bottom"), "左": ("left", "left"),
    "右": ("right", "right"), "之前": ("left", None), "前面": ("left", None),
    "后面": ("right", None), "之后": ("right", None),
    "底下": ("below", "bottom"), "旁": (None, None), "附近": (None, None), "上": ("on", None), "里": ("in", None),
    "中": ("in", None), "内": ("in", None), "处": ("on", None),
}  # fmt: skip
_END = r"(?:部|端|方|面|边|侧|角|中间|中央|居中|正中|间|的?空白|的?区域)*(?:的?位置|处)?"


def _where(names: Iterable[str]) -> str:
    return rf"(?:最|正|靠|偏)?(?:{'|'.join(sorted(names, key=len, reverse=True))}){_END}"


WHERE = _where(SIDES)
BESIDE = _where(name for name, (side, spot) in SIDES.items() if side not in ("on", "in") and spot != "centre")
_FREE = r"[^,.;:!?的在改换变替删把将成为\ue000-\uf8ff]"
THING = rf"(?:{PICTURE}|{_FREE}{{1,8}}?)"
NOUN = (
    r"(?:文字|文本|文案|字样|单词|词语|副标题|主标题|大标题|标题|内容|数字|标语|口号|名字|名称|店名|人名|地名|书名|字母|日期|"
    r"价格|单价|售价|总价|时间|年份|月份|汉字|英文|中文|门牌号码?|车牌号?码?|电话号码?|手机号码?|号码|编号|电话|地址|落款|署名|"
    r"水印|品牌名?|商标|标签|招牌|字符|词组|短语|句子|[这那]?[一二两三四五六七八几]?个?(?:大|小)?字|[这那一]?个?词|[这那一]?句话|"
    r"[这那一]?行字?|型号|折扣|分数|年龄|温度|姓名|职位|公司名称?|网址|邮箱|公式|诗句|对联|横批)"
)
ANCHOR = rf"{NOUN}{{0,2}}{QUOTE}(?:这?[一二两三四五六七八几]?个?{NOUN})?的?"
PLACE = rf"(?:在|于|到)?(?:{ANCHOR}{BESIDE}|(?:{THING}(?:上|里|中|内)?的?){{0,2}}{WHERE})"
_PHRASE = re.compile(
    rf"(?:在|于|到)?(?:{ANCHOR.replace(QUOTE, f'(?P<anchor>{QUOTE})')}|(?:{PICTURE}|(?P<thing>(?:{_FREE}|的)*?))"
    rf"(?:上|里|中|内)?的?)(?P<where>{WHERE})(?:的|,)*$"
)


def place_of(words: str) -> Place | None:
    """The place that a phrase names, or its words alone; None where it names no more than the picture.

    Example:
        >>> place_of("在海报右下角").spot
        'bottom right'
    """
    match = _PHRASE.fullmatch(words.strip(",的"))
    if match is None:
        return Place(words=words)
    side, spot = SIDES[_key(match["where"])]
    if match["anchor"]:
        return Place(match["anchor"], True, side, words=words) if side or not spot else Place(words=words)
    thing = re.sub(rf"^{PICTURE}(?:上|里|中|内)?的?", "", (match["thing"] or "").removesuffix("的"))
    if spot and (not side or not thing or re.search(rf"{_SHEET}$", thing)):
        return Place(thing, spot=spot, words=words)
    if not thing:
        return None
    return Place(thing, side=None if re.match("之?[前后]", match["where"]) else side, words=words)


def _key(where: str) -> str:
    plain = where.lstrip("最靠偏")
    return next(
        key for key in sorted(SIDES, key=len, reverse=True) if plain.startswith(key) or plain[1:].startswith(key)
    )
