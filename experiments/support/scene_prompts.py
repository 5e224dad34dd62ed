"""Prompts with the scene that a reader takes from them, to measure the parser of ``selector.perception.scene``.

``TUNED`` were written along with the rules, and all of them must come out right. ``HELD_OUT`` were written before the
first rule and have never been used to change one: their accuracy is what to expect of prompts of this kind.

Things are written ``count*attribute+attribute|noun``, relations ``subject kind object`` with indexes of things.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A prompt, its things in order, and its relations."""

    prompt: str
    things: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()


HELD_OUT: tuple[Case, ...] = (
    Case(
        "A fluffy white cat sleeping on a purple velvet cushion, beside it a small brass bell, soft morning light",
        ("fluffy+white|cat", "purple+velvet|cushion", "small+brass|bell"),
        ("0 on 1", "2 beside 0"),
    ),
    Case("three yellow taxis in front of a red brick building", ("3*yellow|taxi", "red+brick|building"), ("0 in_front 1",)),
    Case("a horse to the right of a wooden fence", ("|horse", "wooden|fence"), ("0 right 1",)),
    Case(
        "On the left is a tall black lamp and on the right is a green armchair",
        ("tall+black|lamp", "green|armchair"),
        ("0 left 1",),
    ),
    Case(
        "A photograph of an old fisherman wearing a yellow raincoat, holding a silver fish, overcast sky, 8k, highly detailed",
        ("old|fisherman", "yellow|raincoat", "silver|fish", "|sky"),
    ),
    Case("A pink bicycle leaning against a blue wall", ("pink|bicycle", "blue|wall")),
    Case(
        "The umbrella is striped and the suitcase below it is brown",
        ("striped|umbrella", "brown|suitcase"),
        ("1 below 0",),
    ),
    Case("a cup of coffee and two croissants on a marble table", ("|cup of coffee", "2*|croissant", "marble|table"), ("0 on 2", "1 on 2")),
    Case("an owl above a wooden signpost that reads 'TWO RED DOORS'", ("|owl", "wooden|signpost"), ("0 above 1",)),
    Case("Five paper lanterns, four are orange; cinematic lighting, trending on artstation", ("5*paper|lantern",)),
    Case("一只橘色的猫坐在灰色的沙发上", ("橘色|猫", "灰色|沙发"), ("0 on 1",)),
    Case("木桌的左边放着一个绿色的花瓶，右边放着一本黄色的书", ("木|桌", "绿色|花瓶", "黄色|书"), ("1 left 0", "2 right 0")),
    Case("三只白色的鸽子飞过一座古老的石桥，超清，4K，电影级构图", ("3*白色|鸽子", "古老+石|桥")),
    Case("一个穿着红色连衣裙的小女孩牵着一只棕色的小狗", ("小|女孩", "红色|连衣裙", "小+棕色|狗")),
    Case("蓝色的圆形在黄色的正方形上方", ("蓝色|圆形", "黄色|正方形"), ("0 above 1",)),
    Case("两把椅子和一张圆形的玻璃桌子", ("2*|椅子", "圆形+玻璃|桌子")),
    Case("画面左侧是一棵开满粉色花朵的樱花树，右侧是一座白色的小房子", ("|樱花树", "粉色|花朵", "白色+小|房子"), ("0 left 2",)),
    Case("书架下面有一个黑色的箱子", ("|书架", "黑色|箱子"), ("1 below 0",)),
    Case("一辆红色的跑车停在白色的卡车旁边，背景是城市夜景", ("红色|跑车", "白色|卡车"), ("0 beside 1",)),
    Case("写着“欢迎光临”的木牌挂在一扇蓝色的门上", ("木|牌", "蓝色|门"), ("0 on 1",)),
)
