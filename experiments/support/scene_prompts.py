"""Prompts with the scene that a reader takes from them, to measure the parser of ``selector.prompts.scene``.

``TUNED`` were written along with the rules, and all of them must come out right. ``HELD_OUT`` were written before the
first rule and have never been used to change one: their accuracy is what to expect of prompts of this kind.

Things are written ``count*attribute+attribute|noun``, relations ``subject kind object`` with indexes of things.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selector.prompts.scene import Scene, parse_scene


@dataclass(frozen=True)
class Case:
    """A prompt, its things in order, and its relations."""

    prompt: str
    things: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()


Key = tuple[str, tuple[str, ...], str]  # count, attributes, noun


@dataclass(frozen=True)
class Reading:
    """How well a set of prompts was read. Precision and recall are over all things and relations, exact matches."""

    prompts: int
    exact: int
    things_precision: float
    things_recall: float
    relations_precision: float
    relations_recall: float


def reading(cases: Sequence[Case]) -> Reading:
    """Read all cases and compare."""
    pairs = [(expected(case), understood(parse_scene(case.prompt))) for case in cases]
    things = _shares([(want[0], got[0]) for want, got in pairs])
    relations = _shares([(want[1], got[1]) for want, got in pairs])
    return Reading(len(pairs), sum(want == got for want, got in pairs), *things, *relations)


def expected(case: Case) -> tuple[Counter[Key], Counter[tuple[Key, str, Key]]]:
    """Things and relations of a case, whatever the order in which they are named."""
    things = [_key(text) for text in case.things]
    relations = [text.split() for text in case.relations]
    return Counter(things), Counter((things[int(a)], kind, things[int(b)]) for a, kind, b in relations)


def understood(scene: Scene) -> tuple[Counter[Key], Counter[tuple[Key, str, Key]]]:
    """The same of what the parser made of a prompt."""
    things: list[Key] = [
        (str(thing.count or ""), tuple(sorted(a.word for a in thing.attributes)), thing.noun) for thing in scene.objects
    ]
    return Counter(things), Counter((things[r.subject], r.kind, things[r.object]) for r in scene.relations)


def _key(text: str) -> Key:
    count, _, rest = text.rpartition("*")
    words, noun = rest.split("|")
    return count, tuple(sorted(word for word in words.split("+") if word)), noun


def _shares(pairs: Sequence[tuple[Counter[Any], Counter[Any]]]) -> tuple[float, float]:
    """Precision and recall over all pairs."""
    hit = sum((want & got).total() for want, got in pairs)
    return hit / max(1, sum(got.total() for _, got in pairs)), hit / max(1, sum(want.total() for want, _ in pairs))


HELD_OUT: tuple[Case, ...] = (
    Case(
        "A fluffy white cat sleeping on a purple velvet cushion, beside it a small brass bell, soft morning light",
        ("fluffy+white|cat", "purple+velvet|cushion", "small+brass|bell"),
        ("0 on 1", "2 beside 0"),
    ),
    Case(
        "three yellow taxis in front of a red brick building",
        ("3*yellow|taxi", "red+brick|building"),
        ("0 in_front 1",),
    ),
    Case("a horse to the right of a wooden fence", ("|horse", "wooden|fence"), ("0 right 1",)),
    Case(
        "On the left is a tall black lamp and on the right is a green armchair",
        ("tall+black|lamp", "green|armchair"),
        ("0 left 1",),
    ),
    Case(
        "A photograph of an old fisherman wearing a yellow raincoat, holding a silver fish, overcast sky, 8k,"
        " highly detailed",
        ("old|fisherman", "yellow|raincoat", "silver|fish", "|sky"),
    ),
    Case("A pink bicycle leaning against a blue wall", ("pink|bicycle", "blue|wall")),
    Case(
        "The umbrella is striped and the suitcase below it is brown",
        ("striped|umbrella", "brown|suitcase"),
        ("1 below 0",),
    ),
    Case(
        "a cup of coffee and two croissants on a marble table",
        ("|cup of coffee", "2*|croissant", "marble|table"),
        ("0 on 2", "1 on 2"),
    ),
    Case("an owl above a wooden signpost that reads 'TWO RED DOORS'", ("|owl", "wooden|signpost"), ("0 above 1",)),
    Case("Five paper lanterns, four are orange; cinematic lighting, trending on artstation", ("5*paper|lantern",)),
    Case("一只橘色的猫坐在灰色的沙发上", ("橘色|猫", "灰色|沙发"), ("0 on 1",)),
    Case(
        "木桌的左边放着一个绿色的花瓶，右边放着一本黄色的书",
        ("木|桌", "绿色|花瓶", "黄色|书"),
        ("1 left 0", "2 right 0"),
    ),
    Case("三只白色的鸽子飞过一座古老的石桥，超清，4K，电影级构图", ("3*白色|鸽子", "古老+石|桥")),
    Case("一个穿着红色连衣裙的小女孩牵着一只棕色的小狗", ("小|女孩", "红色|连衣裙", "小+棕色|狗")),
    Case("蓝色的圆形在黄色的正方形上方", ("蓝色|圆形", "黄色|正方形"), ("0 above 1",)),
    Case("两把椅子和一张圆形的玻璃桌子", ("2*|椅子", "圆形+玻璃|桌子")),
    Case(
        "画面左侧是一棵开满粉色花朵的樱花树，右侧是一座白色的小房子",
        ("|樱花树", "粉色|花朵", "白色+小|房子"),
        ("0 left 2",),
    ),
    Case("书架下面有一个黑色的箱子", ("|书架", "黑色|箱子"), ("1 below 0",)),
    Case("一辆红色的跑车停在白色的卡车旁边，背景是城市夜景", ("红色|跑车", "白色|卡车"), ("0 beside 1",)),
    Case("写着“欢迎光临”的木牌挂在一扇蓝色的门上", ("木|牌", "蓝色|门"), ("0 on 1",)),
)

TUNED: tuple[Case, ...] = (
    Case("a red cube to the left of a blue sphere", ("red|cube", "blue|sphere"), ("0 left 1",)),
    Case("A red cube on top of a blue sphere", ("red|cube", "blue|sphere"), ("0 on 1",)),
    Case("a green triangle to the right side of a yellow circle", ("green|triangle", "yellow|circle"), ("0 right 1",)),
    Case("two cats and three dogs", ("2*|cat", "3*|dog")),
    Case("a photo of a red apple and a green pear", ("red|apple", "green|pear")),
    Case("A photo of a cat below a dog", ("|cat", "|dog"), ("0 below 1",)),
    Case(
        "a small wooden chair next to a large glass table, 4k, cinematic, ultra hd",
        ("small+wooden|chair", "large+glass|table"),
        ("0 beside 1",),
    ),
    Case("there are 3 yellow birds above a brown house", ("3*yellow|bird", "brown|house"), ("0 above 1",)),
    Case("a red and a blue ball", ("red|ball", "blue|ball")),
    Case(
        "The cat is black and the dog is white. The cat is on the left of the dog.",
        ("black|cat", "white|dog"),
        ("0 left 1",),
    ),
    Case("On the table there is a cup and a plate", ("|table", "|cup", "|plate"), ("1 on 0", "2 on 0")),
    Case("in front of a house stands a tree", ("|house", "|tree"), ("1 in_front 0",)),
    Case("a cat on the left and a dog on the right", ("|cat", "|dog"), ("0 left 1",)),
    Case("a box with a ball on it", ("|box", "|ball"), ("1 on 0",)),
    Case("a woman with a cat on the sofa", ("|woman", "|cat", "|sofa")),
    Case("a table with a vase to its left", ("|table", "|vase"), ("1 left 0",)),
    Case(
        "A man wearing a red hat and a blue jacket riding a brown horse on the beach",
        ("|man", "red|hat", "blue|jacket", "brown|horse", "|beach"),
    ),
    Case("a dog chases a cat", ("|dog", "|cat")),
    Case(
        "a black and white cat sleeping on a light blue pillow",
        ("black and white|cat", "light blue|pillow"),
        ("0 on 1",),
    ),
    Case(
        "a portrait of a young woman with red hair, holding a white flower, in the style of Van Gogh",
        ("young|woman", "red|hair", "white|flower"),
    ),
    Case("a cup made of glass next to a plate made of metal", ("glass|cup", "metal|plate"), ("0 beside 1",)),
    Case('a sign that says "two red cats"', ("|sign",)),
    Case("a street without cars", ("|street",)),
    Case("a cloud shaped like a rabbit above a green hill", ("|cloud", "green|hill")),
    Case("a basket of red apples under a tree", ("|basket", "red|apple", "|tree")),
    Case("A pair of brown shoes beside a black umbrella", ("2*brown|shoe", "black|umbrella"), ("0 beside 1",)),
    Case("close-up shot of three green bottles, studio lighting", ("3*green|bottle",)),
    Case(
        "a white teapot, a blue cup and a yellow spoon on a wooden tray",
        ("white|teapot", "blue|cup", "yellow|spoon", "wooden|tray"),
        ("0 on 3", "1 on 3", "2 on 3"),
    ),
    Case(
        "a sphere which is red to the right of a cube which is blue",
        ("red|sphere", "blue|cube"),
        ("0 right 1",),
    ),
    Case("an orange and a lemon", ("|orange", "|lemon")),
    Case(
        "Masterpiece, best quality, a majestic lion standing on a rock, golden hour, trending on artstation",
        ("|lion", "|rock"),
        ("0 on 1",),
    ),
    Case("there is a red car. Next to it is a green truck.", ("red|car", "green|truck"), ("1 beside 0",)),
    Case(
        "a small, round, white stone under a wooden bridge",
        ("small+round+white|stone", "wooden|bridge"),
        ("0 under 1",),
    ),
    Case("red cube left of blue sphere", ("red|cube", "blue|sphere"), ("0 left 1",)),
    Case("cat and dog", ("|cat", "|dog")),
    Case("a (red cube:1.3) above a [blue pyramid], masterpiece", ("red|cube", "blue|pyramid"), ("0 above 1",)),
    Case(
        "An elderly man in a grey coat feeding four white pigeons in a park, a wooden bench behind him, 35mm film",
        ("elderly|man", "grey|coat", "4*white|pigeon", "|park", "wooden|bench"),
        ("4 behind 0",),
    ),
    Case(
        "A cozy living room with a green velvet sofa, a round wooden coffee table in front of the sofa, and two plants"
        " near the window, warm lighting, interior photography, highly detailed",
        ("|living room", "green+velvet|sofa", "round+wooden|coffee table", "2*|plant", "|window"),
        ("2 in_front 1", "3 beside 4"),
    ),
    Case("no people, an empty street", ("empty|street",)),
    Case(
        "A dog sitting under a red umbrella, next to a blue bicycle",
        ("|dog", "red|umbrella", "blue|bicycle"),
        ("0 under 1", "0 beside 2"),
    ),
    Case("The top of the tower is covered with snow", ("|tower", "|snow")),
    Case(
        "a blue book on a shelf and a red book on a chair",
        ("blue|book", "|shelf", "red|book", "|chair"),
        ("0 on 1", "2 on 3"),
    ),
    Case("A teddy bear wearing a yellow raincoat", ("|teddy bear", "yellow|raincoat")),
    Case("seven red roses in a clear glass vase", ("7*red|rose", "glass|vase"), ("0 in 1",)),
    Case(
        "A cinematic wide shot of a lonely astronaut standing on the moon, a blue earth above him, 8k",
        ("|astronaut", "|moon", "blue|earth"),
        ("2 above 0",),
    ),
    Case(
        "a bird on a branch; below the branch, a black cat", ("|bird", "|branch", "black|cat"), ("0 on 1", "2 below 1")
    ),
    Case("abstract swirling colors, dreamy, soft focus", ()),
    Case("红色的立方体在蓝色的球的左边", ("红色|立方体", "蓝色|球"), ("0 left 1",)),
    Case("一个红色的苹果和一个绿色的梨", ("红色|苹果", "绿色|梨")),
    Case("桌子上有一只猫和一只狗", ("|桌子", "|猫", "|狗"), ("1 on 0", "2 on 0")),
    Case("桌子上的苹果", ("|桌子", "|苹果"), ("1 on 0",)),
    Case("一只猫在桌子下面", ("|猫", "|桌子"), ("0 below 1",)),
    Case("左边是一个红色的杯子，右边是一个蓝色的盘子", ("红色|杯子", "蓝色|盘子"), ("0 left 1",)),
    Case("三辆黄色的出租车停在一栋白色的楼前面", ("3*黄色|出租车", "白色|楼"), ("0 in_front 1",)),
    Case("两只坐在树上的小鸟", ("|树", "2*小|鸟"), ("1 on 0",)),
    Case("一个戴着红帽子的男人骑着一匹白马", ("红色|帽子", "|男人", "白色|马")),
    Case("黑色的狗在白色的猫右边，超清，4K", ("黑色|狗", "白色|猫"), ("0 right 1",)),
    Case("一朵红花、两朵黄花和三朵白花", ("红色|花", "2*黄色|花", "3*白色|花")),
    Case("猫是黑色的，狗是白色的", ("黑色|猫", "白色|狗")),
    Case(
        "一位年轻的女孩抱着一只毛茸茸的白猫坐在木椅上，电影级构图",
        ("年轻|女孩", "毛茸茸+白色|猫", "木|椅"),
        ("0 on 2",),
    ),
    Case("草地上有一只棕色的马", ("|草地", "棕色|马")),
    Case("一个玻璃杯旁边放着一本蓝色的书", ("|玻璃杯", "蓝色|书"), ("1 beside 0",)),
    Case("没有人的街道", ()),
    Case("狗和猫", ("|狗", "|猫")),
    Case("一架飞机飞过一座大桥上方", ("|飞机", "大|桥"), ("0 above 1",)),
    Case("一只白色的兔子在红色蘑菇的旁边，阳光明媚，细节丰富", ("白色|兔子", "红色|蘑菇"), ("0 beside 1",)),
    Case("红色圆形位于绿色三角形的上方", ("红色|圆形", "绿色|三角形"), ("0 above 1",)),
    Case("沙发左侧有一盏落地灯，沙发右侧有一张小圆桌", ("|沙发", "|落地灯", "小+圆|桌"), ("1 left 0", "2 right 0")),
    Case("四个橙色的气球漂浮在一座石桥上方", ("4*橙色|气球", "石|桥"), ("0 above 1",)),
    Case("一只狗趴在红色的地毯上，旁边有一个黄色的球", ("|狗", "红色|地毯", "黄色|球"), ("0 on 1", "2 beside 0")),
    Case("海报上写着“两只红色的猫”", ("|海报",)),
    Case("一双黑色的皮鞋和一顶灰色的帽子", ("2*黑色|皮鞋", "灰色|帽子")),
    Case("画面左边是一位老人，右边是一个小孩", ("|老人", "|小孩"), ("0 left 1",)),
    Case(
        "照片，一只可爱的橘猫躺在蓝色的毯子上，窗户旁边有一盆绿色的植物，高清，景深",
        ("橘色|猫", "蓝色|毯子", "|窗户", "绿色|植物"),
        ("0 on 1", "3 beside 2"),
    ),
    Case("五颜六色的花园里，一只白色的蝴蝶停在一朵紫色的花上", ("五颜六色|花园", "白色|蝴蝶", "紫色|花"), ("1 on 2",)),
    Case("穿着蓝色衬衫的男孩站在白色汽车的前面", ("蓝色|衬衫", "|男孩", "白色|汽车"), ("1 in_front 2",)),
    Case("十二个红灯笼挂在屋檐下", ("12*红色|灯笼", "|屋檐"), ("0 under 1",)),
    Case("像龙一样的云", ()),
    Case("一个木箱子里有三个绿色的苹果", ("木|箱子", "3*绿色|苹果"), ("1 in 0",)),
    Case("水彩风格，宁静的氛围", ()),
    Case(
        "A fox wearing boots, a scarf, and a red vest. She stands next to a tall pile of logs in a library.",
        ("|fox", "|boot", "|scarf", "red|vest", "tall|pile of logs", "|library"),
        ("0 beside 4",),
    ),
    Case(
        "an old wagon with two doors, seen from above, a bench without any cats on it",
        ("old|wagon", "2*|door", "|bench"),
    ),
    Case(
        "There are parrots sitting on the seats. A blue 1965 convertible is parked near a lake.",
        ("|parrot", "|seat", "blue|convertible", "|lake"),
        ("0 on 1",),
    ),
    Case(
        "沙发上有两个蓝色的靠垫，沙发前面有一张木质茶几，茶几上放着一个白色的茶壶和四个茶杯",
        ("|沙发", "2*蓝色|靠垫", "木质|茶几", "白色|茶壶", "4*|茶杯"),
        ("1 on 0", "2 in_front 0", "3 on 2", "4 on 2"),
    ),
    Case(
        "一只棕色的熊和一只白色的兔子在森林里野餐，熊在左边，兔子在右边",
        ("棕色|熊", "白色|兔子", "|森林"),
        ("0 left 1",),
    ),
    Case(
        "图书馆里，一位戴眼镜的老教授正在阅读一本厚厚的书，桌上有一盏绿色的台灯",
        ("|图书馆", "|眼镜", "老|教授", "|书", "|桌", "绿色|台灯"),
        ("2 in 0", "5 on 4"),
    ),
    Case(
        "穿红色旗袍的女子撑着一把油纸伞站在石桥上，桥下是一艘乌篷船",
        ("红色|旗袍", "|女子", "|油纸伞", "石|桥", "|乌篷船"),
        ("1 on 3", "4 under 3"),
    ),
    Case("雪山脚下有一座红色屋顶的小木屋，屋前有一条清澈的小溪", ("小+木|屋", "|小溪"), ("1 in_front 0",)),
)
