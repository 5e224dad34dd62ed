"""Chinese rules of text edits. A rule must match a whole instruction; what no rule matches is not understood."""

from __future__ import annotations

import re

from selector.prompts.text_edits._places_chinese import ANCHOR, BESIDE, NOUN, PICTURE, PLACE, WHERE
from selector.prompts.text_edits._rules import QUOTE, Instruction, Rule, without
from selector.prompts.text_edits._words_english import NOT_BARE

_TRADITIONAL = str.maketrans(
    "將為換刪變詞圖標題寫請裡數價從應該這張給個內單電麼標", "将为换删变词图标题写请里数价从应该这张给个内单电么标"
)

_BOARD = (
    r"(?:这|该)?(?:个|块|张)?(?:招牌|牌子|标牌|指示牌|路牌|广告牌|门牌|海报|横幅|标签|屏幕|封面|书|页面|黑板|白板|"
    r"墙|门|瓶子|衣服|盒子|包装|卡片|店铺|店面|菜单|标志)"
)
_IN = r"(?:中间?|里面?|内|上面?|上方|下方|下面|顶部|底部|左边|右边|左侧|右侧|左上角|右上角|左下角|右下角|中央)"
_PLACE = rf"(?:在|位于)?(?:(?:{PICTURE}|{_BOARD}){_IN}?|{_IN})(?:的)?"
_SURFACE = rf"(?:(?:{PICTURE}|{_BOARD})(?:中|里面?|内|上面?)?的?){{0,2}}"
_MAIN_NOUN = r"(?:文字|文本|文案|字样|标题|内容|标语|口号|名字|名称|店名|字)(?:内容)?"
_BEFORE = rf"(?:{_PLACE}){{0,2}}(?:{NOUN}){{0,2}}(?:从|由)?[:,]?"
# Before a quoted text stands what it is and where: words that end in a noun of text, in a place, or in 的.
_BEFORE_QUOTE = (
    rf"(?:{ANCHOR}{BESIDE}的)?"
    r"(?:(?:(?!颜色|字体|字号|大小|背景色|所有|全部|其他|除了)[^,.;!?改换变替删去和与或不别每都把将\ue000-\uf8ff]){0,18}"
    rf"(?:{WHERE}|{NOUN}|的|写着|是))?(?:从|由)?[:,]?"
)
_TO = (
    r"(?:应该?|需要?)?(?:(?:替换|更改|修改|更换|改写|翻译|变更|变换|改|换|变)(?:成|为|作)|应(?:该|当)?(?:是|为))(?:了)?"
)
_NEW_LEAD = r"(?:文字|字样|单词|数字)?:?"
_TAKE = r"(?:把|将)"
_CHANGE = r"(?:替换|更改|修改|更换|改写|变更)"
_SUBSTITUTE = r"(?:来)?(?:替换|代替|取代|替代|替掉|换掉)(?:掉)?"
_ADD = r"(?:添加|加上|增加|加入|写上|写入|写下|插入|添上|放上|放置|印上|题上|新增|加|写)上?(?:一[行个句段]|几个)?"
_DELETE = r"(?:删除|删掉|删去|去掉|去除|移除|擦除|擦掉|抹去|抹掉|消除|清除|拿掉|移走|除掉)(?:掉)?"

# Words that say how a text looks, in which language it is, or that it is no text at all; never a bare text themselves.
_LOOKS = (
    r"[红橙黄绿青蓝紫粉黑白灰金银棕彩]色|颜色|字体|字号|大小|[手书]写|[粗斜草楷宋黑隶行]体|大写|小写|加粗|放大|缩小|风格|样式|"
    r"[英中法德日韩俄][文语]|汉语|拼音|繁体|简体|竖排|横排|图案|图片|图标|图像|照片|表情|符号|位置|[一两几][只张个朵颗幅种]|"
    r"都|全部|所有|每|不|别|勿|互换|对调|分别|和|与"
)
_CHANGING = r"改换变替删去把将成为"
# Where no noun stands by, only Latin letters and digits are a bare text; 把背景换成海滩 is about the scene.
_LATIN_WORD = rf"(?!{NOT_BARE})[A-Za-z0-9$€£¥#%.:&'-]+"
_LATIN = rf"{_LATIN_WORD}(?: {_LATIN_WORD}){{0,3}}(?:元|折|月|日|年|点)?"
_HAN = rf"(?:(?!{_LOOKS}|的)[^\s,.;:!?{_CHANGING}\ue000-\uf8ff]){{1,12}}"
_NOT_PLACE = r"(?!.{0,6}(?:图|文字|文本|标题|内容|招牌|牌子|上面|字样|背景|价格|日期|名))"
_AND_WRITE = r"(?:并|然后|再)?(?:在原处)?(?:写上|换上|改成|换成|改为|替换为)"
_NAMED = rf"(?:{_PLACE}){{0,2}}(?:文字|文本|标题|单词|字样|数字)(?:从|由)?:?"
_ALL_TEXT = rf"{_SURFACE}(?:所有|全部|一切)?的?{_SURFACE}(?:文字|文本|字样|字)"


def _old(text: str = QUOTE) -> str:
    before = _BEFORE_QUOTE if text == QUOTE else _BEFORE
    return rf"{before}(?P<old>{text})(?:的(?:文字|文本|字样)|这?{NOUN})?"


def _new(text: str = QUOTE) -> str:
    return rf"{_NEW_LEAD}(?P<new>{text}){NOUN}?"


_PART = rf"{_BEFORE}(?P<old>{QUOTE}){NOUN}?(?:中|里|里面|当中)的{NOUN}?(?P<part>{QUOTE}){NOUN}?"
_INTO = rf"(?P<place>(?=[在到于]){PLACE})"
_ADD_PLACE = rf"(?:(?P<lead>{PLACE}),?)?(?:再|另外)?"
RULES: tuple[Rule, ...] = (
    Rule("replace", rf"(?:在{PLACE},?)?{_TAKE}?{_old()}{_TO}{_new()}"),
    Rule("replace", rf"{_TAKE}?{_PART}{_TO}{_new()}"),
    Rule("replace", rf"{_CHANGE}{_BEFORE},(?P<old>{QUOTE}){NOUN}?{_TO}{_new()}"),
    Rule("replace", rf"{_CHANGE}{_old()}(?:为|成){_new()}"),
    Rule("replace", rf"{_TAKE}{_old()}用{_new()}{_SUBSTITUTE}"),
    Rule("replace", rf"(?:用|使用|以){_new()}{_SUBSTITUTE}{_old()}"),
    Rule("replace", rf"{_BEFORE}(?:写|显示)(?:上|成|为)?{_new()},?而不是{_old()}"),
    Rule("replace", rf"(?:{_DELETE}|{_TAKE}){_old()}(?:{_DELETE})?,?{_AND_WRITE}{_new()}"),
    Rule("replace", rf"{_old()}(?:→|->|=>){_new()}"),
    # only the new text is named
    Rule("replace", rf"{_TAKE}?{_SURFACE}{_MAIN_NOUN}{_TO}{_new()}", alone=True),
    Rule("replace", rf"{_TAKE}?{PICTURE}(?:中|里|上)的{_BOARD}{_TO}{_new()}", alone=True),
    Rule("replace", rf"(?:让|使){_SURFACE}(?:{_MAIN_NOUN})?(?:显示|写着|变成|变为){_new()}", alone=True),
    # one or both texts without quotes
    Rule("replace", rf"{_TAKE}?{_old()}{_TO}{_new(_LATIN)}"),
    Rule("replace", rf"{_TAKE}?{_old()}{_TO}(?P<new>{_HAN})", alike=True),
    Rule("replace", rf"{_TAKE}(?P<old>{_LATIN}){_TO}{_new()}"),
    Rule("replace", rf"{_TAKE}{_NOT_PLACE}(?P<old>{_HAN}){_TO}{_new()}", alike=True),
    Rule("replace", rf"{_TAKE}{_NAMED}(?P<old>{_LATIN}|{_HAN}){_TO}{_new()}"),
    Rule("replace", rf"{_TAKE}{_BEFORE}(?P<old>{_LATIN}){_TO}{_new(_LATIN)}"),
    Rule("replace", rf"{_TAKE}?{_NAMED}(?P<old>{_HAN}){_TO}(?:文字)?(?P<new>{_HAN})", alike=True),
    Rule("replace", rf"{_TAKE}?{_SURFACE}{_MAIN_NOUN}{_TO}{_new(_LATIN)}", alone=True),
    # adding
    Rule("add", rf"{_ADD_PLACE}{_ADD}{NOUN}{{0,2}}:?(?P<new>{QUOTE})(?:这?{NOUN})?{_INTO}?"),
    Rule("add", rf"{_TAKE}{NOUN}?(?P<new>{QUOTE})(?:这?{NOUN})?(?:写|添?加|增加|放|印)入?{_INTO}"),
    Rule("add", rf"{_ADD_PLACE}{_ADD}(?:文字|文本|字样|标题):?(?P<new>{_LATIN})"),
    # deleting
    Rule("delete", rf"{_DELETE}{_old()}"),
    Rule("delete", rf"{_TAKE}{_old()}(?:给)?{_DELETE}"),
    Rule("delete", rf"{_DELETE}(?:{_SURFACE})(?:文字|文本|字样):?(?P<old>{_LATIN})"),
    Rule("delete", rf"{_DELETE}{_ALL_TEXT}", alone=True),
    Rule("delete", rf"{_TAKE}{_ALL_TEXT}(?:都|全部|全)?{_DELETE}", alone=True),
)  # fmt: skip

_FRAME = (
    re.compile(r"^(?:请(?:你|您)?|麻烦(?:你|您)?|帮(?:我|忙)|能否|能不能|可以|可否)[,]?"),
    re.compile(rf"^(?:在)?(?:{PICTURE}|{_BOARD})(?:中|里面?|内|上面?)[,]|^(?:在){PICTURE}(?:中|里面?|内|上)(?={_TAKE})"),
    re.compile(r"[\s.!?,;]+$"),
    re.compile(r",?(?:谢谢(?:你|您)?|即可|就行|好吗|可以吗|吗|一下|吧)$"),
    re.compile(
        r"[,;.](?:并且?|同时|但)?(?:请)?(?:(?:其他|其它|其余|别的)(?:的)?(?:部分|内容|文字|地方|元素)?(?:都|均)?|"
        r"(?:字体|颜色|大小|样式|风格|背景|排版|布局|位置|字号|文字|的|[、和与及])+(?:都|均)?)?(?:保持|维持)?(?:原样|不变|一致|不动)$"
    ),
    re.compile(
        r"[,;.](?:并且?|同时|但)?(?:请)?(?:保持|维持|保留)(?:原有|原来|原)?的?"
        r"(?:字体|颜色|大小|样式|风格|背景|排版|布局|位置|字号|其他|其它|其余|内容|部分|文字|[、和与及的])+(?:都)?(?:不变|一致)?$"
    ),
    re.compile(r"[,;.](?:不要|请勿|别)(?:改变|改动|修改)(?:其他|其它|其余|别的)(?:的)?(?:部分|内容|文字|地方|元素)?$"),
)  # fmt: skip

_BREAK = r"(?:[,;.]|(?=并|但|且|同时))(?:并且?|同时|但|且|而|请|务必|要|需要?|注意|让|严格|完全|尽量)*"
_KEPT = r"(?:(?![改换替删写])[^;.!?\ue000-\uf8ff])"
_KEEPING = (
    re.compile(rf"{_BREAK}{_KEPT}{{0,30}}(?:不变|一致|相同|原样|不动|一样|统一|原貌|原状|(?:不要|别|不|勿)[动改变])$"),
    re.compile(rf"{_BREAK}(?:保持|维持|保留|沿用|延续|使用原|采用原){_KEPT}{{0,24}}$"),
    re.compile(rf"{_BREAK}(?:不要|请勿|别|不|勿|不得|无需)(?:改变|改动|修改|影响|破坏|动){_KEPT}{{0,24}}$"),
)


def tidied(skeleton: str) -> Instruction:
    """The instruction without courtesies, the picture it opens with, and wishes to keep what is there."""
    text = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", skeleton.replace("。", ".")).strip()
    plain = without(_FRAME, text)
    shorter = without((*_FRAME, *_KEEPING), plain)
    return Instruction(shorter, keeps=shorter != plain)


def simplified(text: str) -> str:
    """The same length, with simplified forms of the characters that the rules know."""
    return text.translate(_TRADITIONAL)
