"""What the reader of scenes claims, and that it claims nothing of words that it does not account for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selector.prompts.scene import read_scene, singular


def things(prompt: str) -> list[tuple[int | None, str, str]]:
    scene = read_scene(prompt)[0]
    return [(thing.count, " ".join(a.word for a in thing.attributes), thing.noun) for thing in scene.objects]


def relations(prompt: str) -> set[tuple[str, str, str]]:
    scene = read_scene(prompt)[0]
    return {(scene.objects[r.subject].noun, r.kind, scene.objects[r.object].noun) for r in scene.relations}


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("a photo of two coffee mugs", [(2, "", "coffee mug")]),
        ("an ice cream and four hot dogs", [(None, "", "ice cream"), (4, "", "hot dog")]),
        ("a red wine glass", [(None, "red", "wine glass")]),
        ("a glass of red wine", [(None, "", "glass of red wine")]),
        ("three sports cars and a stop sign", [(3, "", "sports car"), (None, "", "stop sign")]),
        ("a photo of an orange orange", [(None, "orange", "orange")]),
        ("a pair of scissors", [(None, "", "scissors")]),
        ("a black and white cow", [(None, "black white", "cow")]),
        ("a dark blue vase, 8k, masterpiece", [(None, "dark blue", "vase")]),
        ("a watercolor painting of two knives", [(2, "", "knife")]),
        ("two paintings, three drawings and a sketch", [(2, "", "painting"), (3, "", "drawing"), (None, "", "sketch")]),
        ("The cow is brown. The cow is left of a barn.", [(None, "brown", "cow"), (None, "", "barn")]),
        ("一只黑猫和三只白兔", [(None, "黑", "猫"), (3, "白", "兔")]),
        ("红豆面包和绿茶", [(None, "", "红豆面包"), (None, "", "绿茶")]),
        ("黑板上方有一盏灯", [(None, "", "黑板"), (None, "", "灯")]),
        ("五把浅蓝色的椅子", [(5, "浅蓝色", "椅子")]),
        ("穿黄裙子的女孩和穿白衬衫的男孩",
         [(None, "黄", "裙子"), (None, "", "女孩"), (None, "白", "衬衫"), (None, "", "男孩")]),
        ("一张照片，二十五只小鸟", [(25, "", "小鸟")]),
        ("a kelp forest and a coral reef", [(None, "", "kelp forest"), (None, "", "coral reef")]),
        ("an orange peel and an orange kite", [(None, "", "orange peel"), (None, "orange", "kite")]),
        ("a red and white striped tent", [(None, "red white striped", "tent")]),
        ("a cup and a jug, the cup is blue and the jug is green", [(None, "blue", "cup"), (None, "green", "jug")]),
        ("a lamp above four stools, the stools are red", [(None, "", "lamp"), (4, "red", "stool")]),
        ("a ball of wool and a pair of gloves", [(None, "", "ball of wool"), (None, "", "glove")]),
        ("三个戴黑帽子的女孩", [(None, "黑", "帽子"), (3, "", "女孩")]),
        ("两个小矮人", [(2, "", "小矮人")]),
        ("背景是一片森林", [(None, "", "森林")]),
        ("黄色的鸭子正在游泳", [(None, "黄色", "鸭子")]),
        ("a silver fork on a red rug and a black door", [(None, "silver", "fork"), (None, "red", "rug"),
                                                         (None, "black", "door")]),
        ("a white house and a gold coin", [(None, "white", "house"), (None, "gold", "coin")]),
        ("a dark tunnel and a cold drink", [(None, "dark", "tunnel"), (None, "cold", "drink")]),
        ("a red panda and white rice", [(None, "", "red panda"), (None, "", "white rice")]),
        ("blue glasses and two wine glasses", [(None, "blue", "glasses"), (2, "", "wine glass")]),
        ("three tall glasses", [(3, "tall", "glass")]),
        ("一只鹅，2只鸭", [(None, "", "鹅"), (2, "", "鸭")]),
        ("邮局门口停着三辆绿色的自行车", [(None, "", "邮局"), (3, "绿色", "自行车")]),
    ],
)  # fmt: skip
def test_things_with_counts_and_attributes(prompt: str, wanted: list[tuple[int | None, str, str]]) -> None:
    assert things(prompt) == wanted


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("a kite to the left of a palm tree", {("kite", "left", "palm tree")}),
        ("a clock hanging above a brown couch", {("clock", "above", "couch")}),
        ("A dog and a cat are sleeping under a table.", {("dog", "under", "table"), ("cat", "under", "table")}),
        ("a book on a desk and a bag under a chair", {("book", "on", "desk"), ("bag", "under", "chair")}),
        ("a lamp on the side of a piano", {("lamp", "beside", "piano")}),
        ("In front of the house stands a red tractor", {("tractor", "in_front", "house")}),
        ("a cup on the left and a jug on the right", {("cup", "left", "jug")}),
        ("lamp beside bed", {("lamp", "beside", "bed")}),
        ("a blue star beside a green circle", {("star", "beside", "circle")}),
        ("a fox and a crate, the fox is in the crate", {("fox", "in", "crate")}),
        ("one owl, one lamp, and the owl is above the lamp", {("owl", "above", "lamp")}),
        ("the goat and the pig, the goat is on a bridge", {("goat", "on", "bridge")}),
        ("a goat and a pig, the crow is on the pig", {("crow", "on", "pig")}),
        ("a goat and a pig, the goat and the pig are on a bridge", {("goat", "on", "bridge"), ("pig", "on", "bridge")}),
        (
            "a jar, a pan, a stove, the jar is behind the pan and the pan is on the stove",
            {("jar", "behind", "pan"), ("pan", "on", "stove")},
        ),
        ("书架上放着两个花瓶", {("花瓶", "on", "书架")}),
        ("三只羊站在房子后面", {("羊", "behind", "房子")}),
        ("窗户旁边挂着一幅油画", {("油画", "beside", "窗户")}),
        ("红灯笼在大门的右边", {("灯笼", "right", "大门")}),
        ("桌上有一个碗和一个勺子", {("碗", "on", "桌"), ("勺子", "on", "桌")}),
        ("画面左侧是一只狗，右侧是一只猫", {("狗", "left", "猫")}),
        ("一棵松树，松树下面停着一辆汽车", {("汽车", "below", "松树")}),
        ("A boy wearing a green cap stands beside a horse", {("boy", "beside", "horse")}),
        ("墙上挂着一幅画", {("画", "on", "墙")}),
        ("柜子后面藏着一只老鼠", {("老鼠", "behind", "柜子")}),
        ("两个穿蓝裙子的女孩坐在沙发上", {("女孩", "on", "沙发")}),
        ("一只黑狗在草地上奔跑", {("狗", "on", "草地")}),
        ("公园的长椅上坐着一位老人", {("老人", "on", "长椅")}),
        ("衣柜前面的地毯上有一只猫", {("猫", "on", "地毯"), ("地毯", "in_front", "衣柜")}),
    ],
)
def test_relations_name_both_ends(prompt: str, wanted: set[tuple[str, str, str]]) -> None:
    assert relations(prompt) == wanted


@pytest.mark.parametrize(
    "prompt",
    [
        "a woman with a parrot on the balcony",
        "a fork at the bottom of a bowl",
        "a girl in a red coat",
        "It stands on a wooden box.",
        "a candle reflected in a mirror",
        "a cloud like a horse above a hill",
        "a house on fire",
        "a table without cups on it",
        "老师留下一封信就走了",
        "最下面的一只狗",
        "没有船的湖上有一座桥",
        "他上车了，下面有很多人",
        "地上铁路穿过城市",
        "像鱼一样的云在山上方",
        "A puppy sits between two red chairs",
        "他手里拿着一把雨伞",
    ],
)
def test_no_relation_is_made_of_words_that_say_another_thing(prompt: str) -> None:
    assert relations(prompt) == set()


@pytest.mark.parametrize(
    "prompt",
    [
        'the word "NORTH" written in chalk',
        "a dog chases",
        "three cat",
        "a boy who wants a bicycle",
        "no dogs, two cats",
        "三明治一样的云",
        "a city of 3 million people",
        "a bridge under repair",
        "a nurse in tears",
        "two foxes in a hurry",
        "an office in the dark",
        "the second goat",
        "把灯关掉",
    ],
)
def test_clause_with_a_word_that_is_not_accounted_for_claims_nothing_and_is_told(prompt: str) -> None:
    scene, unread = read_scene(prompt)
    assert scene.objects == ()
    assert unread


def test_clauses_that_are_understood_are_kept_beside_one_that_is_not() -> None:
    scene, unread = read_scene("A cup on a tray. The tray wobbles wildly whenever.")
    assert [thing.noun for thing in scene.objects] == ["cup", "tray"]
    assert unread == "the tray wobbles wildly whenever"


@pytest.mark.parametrize(
    ("plural", "wanted"),
    [("buses", "bus"), ("wolves", "wolf"), ("wine glasses", "wine glass"), ("benchs", "bench"), ("sheep", "sheep"),
     ("jeans", "jeans"), ("people", "person"), ("skis", "ski"), ("scissorses", "scissors")],
)  # fmt: skip
def test_singular(plural: str, wanted: str) -> None:
    assert singular(plural) == wanted


def test_phrases_have_articles_and_english_where_it_is_known() -> None:
    first, second = read_scene("an orange cube and red flowers")[0].objects
    assert (first.phrase, second.phrase, second.english) == ("an orange cube", "red flowers", "red flowers")
    (circle,) = read_scene("两个深蓝色的圆形")[0].objects
    assert (circle.phrase, circle.english) == ("深蓝色的圆形", "dark blue circle")
    assert read_scene("蓝色的砚台")[0].objects[0].english == ""


def test_contradicting_relations_are_not_claimed() -> None:
    assert relations("a cat to the left of a dog. The cat is to the right of the dog") == set()


@pytest.mark.parametrize("end", ["。", "，白色背景", ", white background", "、 a yellow cone", "。一只猫"])
def test_marks_of_chinese_and_what_a_comma_adds_leave_the_clause_before_as_it_is(end: str) -> None:
    prompt = f"a red circle above a blue square{end}"
    assert ("circle", "above", "square") in relations(prompt)
    assert {noun for _, _, noun in things(prompt)} <= {"circle", "square", "cone"}


def test_a_word_of_another_script_is_no_noun_of_english() -> None:
    assert things("a red circle above a blue square 白色背景") == []


def test_reference_to_one_of_two_claims_nothing() -> None:
    assert relations("a red cube and a blue cube. The cube is on a table") == set()


@pytest.mark.parametrize(
    "prompt",
    ["two hundred kites", "a thousand lanterns", "dozens of owls", "1,500 bees", "2.5 melons", "2-4 goats", "一万只鸟",
     "两千只蜜蜂", "3.5个苹果", "1,500只蜜蜂", "2-4只羊", "第三只羊", "一打鸡蛋", "三分之一个苹果",
     "a 3 year old girl", "two 5 year old boys", "two or three cats", "at least three cats", "1000 birds", "一百只鸟",
     "几十只羊", "十几个苹果", "两三个人", "三岁的女孩", "99个气球", "a pair of shoes", "一双皮鞋"],
)  # fmt: skip
def test_ages_and_numbers_that_are_large_or_not_exact_are_no_counts(prompt: str) -> None:
    assert [thing.count for thing in read_scene(prompt)[0].objects if thing.count] == []


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", ",,,;;", "<lora:x:1>", "的的的", "在在左边左边", "a a a the of of", "左边", "'", "“", "a" * 5000,
     "one sign" + "s" * 900, "red cups of " + "leaves" * 150, "一" * 3000,
     "\x00\ud800 a red cube", "🙂 a cat 🙂", "its left", "on the left", "两只", "with with it on it"],
)  # fmt: skip
def test_no_text_breaks_the_reader(prompt: str) -> None:
    scene = read_scene(prompt)[0]
    assert all(max(r.subject, r.object) < len(scene.objects) for r in scene.relations)


@pytest.mark.parametrize("word", ["a red cup on ", "a cup, ", "red and ", "一个", "红色的", "桌子上有", "在"])
def test_long_nonsense_is_read_quickly(word: str) -> None:
    read_scene(word * 120)[0]


@pytest.mark.parametrize("sentence", ["一只红色的羊,", "一" * 7, "an owl and ", "“"])
def test_beyond_a_thousand_characters_whole_sentences_alone_are_read_and_the_rest_is_told(sentence: str) -> None:
    scene, unread = read_scene("a fox on a crate. " + sentence * 1000)
    assert len(scene.objects) in (0, 2)
    assert sentence.strip() in unread


def test_same_prompt_gives_the_same_scene_in_another_process_and_leaves_no_cache(tmp_path: Path) -> None:
    code = "from selector.prompts.scene import read_scene; print(read_scene({!r})[0])"
    for prompt in ("A red cube left of two blue spheres", "两只白猫在桌子上"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(prompt)],
            capture_output=True, text=True, check=True, encoding="utf-8",
            env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert done.stdout.strip() == str(read_scene(prompt)[0])
        assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
