"""Chinese rules of ``edit_change``: the first that matches a part says its captions."""

from __future__ import annotations

import re
from collections.abc import Callable

from selector.prompts.edits._rules_chinese import COLOURS

Captions = tuple[str, str]

JOINER = ","
PHOTO = "一张照片"
_WHOLE = (
    r"(?:它|(?:这|整|该)?(?:张|幅|个)?(?:图片|照片|图像|相片|画面|场景|图|画)(?:整体)?(?:的?(?:风格|天气|季节|时间|氛围|光线))?"
    r"|天气|季节|时间|风格|氛围)"
)
_IN_WHOLE = re.compile(rf"^{_WHOLE}(?:中|里|上|内|里面|当中)?的?(?=.)")
_COLOUR = rf"(?:深|浅|亮|暗|鲜|淡|天|金|银)?(?:{'|'.join(COLOURS)}|银|彩)色?的?"
_PLACE = (
    r"(?:[左右][上下]角|角落里?|上面|下面|里面|旁边|前面|后面|左边|右边|左侧|右侧|中间|中央|周围|上方|下方|前方|后方|远处|上|下|里|中|旁|前|后|左|右|"
    r"边)"
)
_INTO = (
    r"(?:替换成|替换为|更换成|更换为|转换成|转换为|转化为|修改成|修改为|改造成|换成|换为|换作|改成|改为|变成|变为|"
    r"变作|转成|转为|做成|画成|染成|涂成|刷成|漆成|调成|设为|设置为|换上|P成|p成|变)"
)
_REMOVE = (
    r"(?:去掉|去除|移除|删除|删掉|删去|移走|移掉|拿掉|拿走|擦除|擦掉|消除|清除|抹去|抹掉|除去|除掉|消掉|取下|摘掉|摘下|"
    r"脱掉|P掉|p掉)"
)
_ADD = r"(?:添加上|添加|添上|加上|加入|增加|增添|新增|放上|放置|摆放|放入|放|画上|画|插入|加|出现|生成|种上|挂上)"
_WEAR = r"(?:戴上|穿上|披上|换上|装上|配上|涂上|围上|系上|背上|拿着|戴|穿)"
_DO = (  # verbs that begin what a thing should do: 让男人戴上帽子
    r"(?:戴|穿|拿|坐|站|微笑|大笑|笑|哭|跑|走|跳|躺|睡|举|抱|骑|看|张[开嘴]|闭[上着眼嘴]|睁|飞|游|长出|露出|拥有|有|下[着起了]?[大小]?[雨雪]|发光|燃烧|盛开|抬|"
    r"披|背|面向|朝|靠|趴|在|充满|布满|覆盖|显得|看起来|更)"
)
_VERBS = rf"(?:把|将|让|使|给|为|用|在|{_REMOVE}|{_ADD}|替换|更换|保持|不要|别)"
_SEPARATOR = re.compile(
    rf"[。;;!！?？\n]+|[,，、]\s*(?:并且|并|然后|接着|同时|再|最后)?|(?:并且|然后|接着|同时|最后|并|再)(?={_VERBS})"
)
_COURTESY = re.compile(
    r"^(?:请你?|麻烦你?|帮我|帮忙|给我|我想要?|我希望|我要|希望|能不能|能否|可以|你能)+|(?:吧|好吗|谢谢|可以吗|吗|呢|哦)+$"
)
_DENIES = r"(?:不(?!锈|同|规则|倒翁)|没|别(?!墅|针)|勿(?!忘)|停止|停下)"
_HALF_A_THING = re.compile(  # what is left when an instruction was cut at the wrong word, compares or denies
    rf"{_DENIES}.*|.*{_DENIES}[再要会能有]?|.*比(?!萨|基尼|赛|熊).*|除了.*|.*(?:以外|之外).*"
    r"|.*(?:[脱摘放取拿打的]|(?<!开)关)|.*[在从向朝往][左右上下前后]?"
)
_HALF_A_QUALITY = re.compile(rf"(?:看起来|显得|更|得)*{_DENIES}.*|.*(?:没有|不再|不见|消失).*|除了.*|[没无掉了着]+")
_GONE = r"(?:消失|不见|变没|变没有|离开画面)(?:掉|了)?"
_KEEP = re.compile(r"(?:保持|保留|维持)|不变$|不动$|^(?:不要|别|不|勿|无需|禁止|避免)|其他|其它|其余")


def split(text: str) -> list[str]:
    """The parts of an instruction, without courtesies and without what should stay as it is."""
    parts = (_COURTESY.sub("", part.strip(" 。,.")) for part in _SEPARATOR.split(re.sub("[“”]", "", text)))
    return [part for part in parts if part and not _KEEP.search(part)]


def parse(part: str) -> Captions | None:
    """Captions before and after one part."""
    for pattern, handler in _RULES:
        match = pattern.fullmatch(part)
        found = handler(match) if match and _well_cut(match) else None
        if found is not None:
            return found
    return None


def _well_cut(match: re.Match[str]) -> bool:
    """Whether the sides of a rule are whole and deny nothing: 让狗不笑 has no thing 狗不."""
    words = match.groupdict()
    removes = set(words) == {"a"}
    things = [words.get(name) for name in ("a", "place")]
    qualities = [words.get(name) for name in ("b", "old")]
    if removes:
        return not re.search("除了|以外|之外", words["a"])
    return not (
        any(thing and _HALF_A_THING.fullmatch(thing) for thing in things)
        or any(quality and _HALF_A_QUALITY.fullmatch(quality) for quality in qualities)
    )


def _of(thing: str) -> str:
    return PHOTO if _is_whole(thing) else f"一张{thing}的照片"


def _is_whole(thing: str) -> bool:
    return bool(re.fullmatch(_WHOLE, thing))


def _inside(thing: str) -> str:
    """Without "in the picture"."""
    return thing if _is_whole(thing) else _IN_WHOLE.sub("", thing)


def _scene(what: str) -> str:
    """A caption of the whole picture in another state or style."""
    is_work = re.search(r"(?:画|照片?|图|素描|海报)$", what)
    return f"一张{what}" if is_work else f"一张{what.rstrip('的')}的照片"


def _become(thing: str, what: str) -> Captions:
    thing = re.sub(r"的?颜色$", "", _inside(thing))
    what = re.sub(r"^(?:一种|了)", "", what)
    if _is_whole(thing):
        return PHOTO, _scene(what)
    if re.fullmatch(r"(?:后面的?)?背景", thing):
        return PHOTO, f"一张以{what.rstrip('的')}为背景的照片"
    if re.fullmatch(_COLOUR, what):
        return _of(thing), _of(f"{what.removesuffix('的').removesuffix('色')}色的{_uncoloured(thing)}")
    return _of(thing), _of(what)


def _uncoloured(thing: str) -> str:
    return re.sub(rf"^{_COLOUR}(?=.)", "", thing) if re.match(rf"{_COLOUR}", thing) and "色" in thing else thing


def _from_to(match: re.Match[str]) -> Captions:
    return _become(match["a"], match["old"])[1], _become(match["a"], match["b"])[1]


def _whole(match: re.Match[str]) -> Captions:
    return PHOTO, _scene(match["b"])


def _replace(match: re.Match[str]) -> Captions:
    return _become(match["a"], match["b"])


def _remove(match: re.Match[str]) -> Captions:
    thing = _inside(match["a"])
    if thing == "背景":
        return PHOTO, "一张纯白背景的照片"
    return f"一张有{thing}的照片", PHOTO


def _add(match: re.Match[str]) -> Captions:
    words = match.groupdict()
    thing, place, where = words["b"], words.get("place"), words.get("where") or "上"
    place = None if place is None else _inside(place)
    if not place or _is_whole(place):
        return PHOTO, f"一张有{thing}的照片"
    return _of(place), f"一张{place}{where}有{thing}的照片"


def _wear(match: re.Match[str]) -> Captions:
    thing = _inside(match["a"])
    return _of(thing), f"一张{thing}{match['verb']}{match['b']}的照片"


def _take_off(match: re.Match[str]) -> Captions:
    thing = _inside(match["a"])
    return f"一张{thing}有{match['b']}的照片", _of(thing)


def _let(match: re.Match[str]) -> Captions:
    thing, what = _inside(match["a"]), match["b"]
    if _is_whole(thing):
        return PHOTO, _scene(re.sub(r"^(?:看起来|显得)?(?:像是|像|更加?)?", "", what))
    return _of(thing), f"一张{thing}{what}的照片"


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Captions | None]], ...] = tuple(
    (re.compile(pattern), handler)
    for pattern, handler in (
        (rf"(?:把|将)(?P<a>.+?){_REMOVE}", _remove),
        (rf"(?:把|将|让|使|令)(?P<a>.+?){_GONE}", _remove),
        (r"(?:让|使|令|给)(?P<a>.+?)(?:脱下|脱掉|摘下|摘掉|取下)(?P<b>.+)", _take_off),
        (rf"(?:从.+?(?:中|里|上))?{_REMOVE}(?:掉|了)?(?P<a>.+)", _remove),
        (r"用(?P<b>.+?)(?:来)?(?:替换掉?|代替|取代|换掉)(?P<a>.+)", _replace),
        (r"(?:替换|更换|修改)(?P<a>.+?)(?:为|成)(?P<b>.+)", _replace),
        (rf"(?:把|将)?(?P<a>.+?)从(?P<old>.+?){_INTO}(?P<b>.+)", _from_to),
        (rf"{_INTO}(?P<b>.+)", _whole),
        (rf"(?:把|将|让|使|令|给)?(?P<a>.+?){_INTO}(?:得)?(?P<b>.+)", _replace),
        (rf"(?:给|为|让|使|在)?(?P<a>.+?)(?P<verb>{_WEAR})(?P<b>.+)", _wear),
        (rf"在?(?P<where>{_PLACE}){_ADD}(?P<b>.+)", _add),
        (rf"在(?P<place>.+?)的?(?P<where>{_PLACE}){_ADD}(?P<b>.+)", _add),
        (rf"(?:给|为)(?P<place>.+?){_ADD}(?P<b>.+)", _add),
        (rf"{_ADD}(?P<b>.+)", _add),
        (rf"(?:让|使|令)(?P<a>.+?)(?P<b>{_DO}.*)", _let),
    )
)
