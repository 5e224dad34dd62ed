"""What instructions of scene edits want to change, read off by hand."""

import pytest

from selector.prompts.edits.change import edit_of

ENGLISH = {
    "Replace the dog with a cat": ("a photo of the dog", "a photo of a cat"),
    "replace the red car by a bicycle.": ("a photo of the red car", "a photo of a bicycle"),
    "Swap the apple for an orange": ("a photo of the apple", "a photo of an orange"),
    "Turn the man into a robot": ("a photo of the man", "a photo of a robot"),
    "Change the color of the car to blue": ("a photo of the car", "a photo of the blue car"),
    "Change the color of the orange flower to purple.": (
        "a photo of the orange flower",
        "a photo of the purple flower",
    ),
    "Make the sky purple": ("a photo of the sky", "a photo of the purple sky"),
    "Make the house bright red": ("a photo of the house", "a photo of the bright red house"),
    "Make the man old and bald": ("a photo of the man", "a photo of the old and bald man"),
    "Paint the wall green": ("a photo of the wall", "a photo of the green wall"),
    "Give the man a beard": ("a photo of the man", "a photo of the man with a beard"),
    "Add a hat to the man": ("a photo of the man", "a photo of the man with a hat"),
    "add a rainbow": ("a photo", "a photo with a rainbow"),
    "Remove the dog": ("a photo with the dog", "a photo"),
    "Get rid of the wires": ("a photo with the wires", "a photo"),
    "Remove the man in the red shirt from the picture": ("a photo with the man in the red shirt", "a photo"),
    "Replace the background with a beach": ("a photo", "a photo with a beach in the background"),
    "Change the background to pure white": ("a photo", "a photo with a pure white background"),
    "Blur the background": ("a photo", "a photo with a blurred background"),
    "Transform the image into a watercolor painting": ("a photo", "a watercolor painting"),
    "Convert the photo to black and white": ("a photo", "a black and white photo"),
    "Could you please change the white horse into a zebra without changing the background?": (
        "a photo of the white horse",
        "a photo of a zebra",
    ),
    "make the man in a red shirt taller": (
        "a photo of the man in a red shirt",
        "a photo of the taller man in a red shirt",
    ),
    "make the red drink blue": ("a photo of the red drink", "a photo of the blue drink"),
    "remove the stop sign": ("a photo with the stop sign", "a photo"),
    "Replace the tree with a stop sign": ("a photo of the tree", "a photo of a stop sign"),
    "make the shirt blue and add a tie": (
        "a photo of the shirt; a photo",
        "a photo of the blue shirt; a photo with a tie",
    ),
    "Paint the old barn light green.": ("a photo of the old barn", "a photo of the light green old barn"),
    "Change the colour of the red kite to blue": ("a photo of the red kite", "a photo of the blue kite"),
    "Let the bench be covered with snow.": ("a photo of the bench", "a photo of the bench covered with snow"),
    "Turn the photo into an oil painting": ("a photo", "an oil painting"),
    "Change the material of the bowl from glass to wood": ("a photo of the glass bowl", "a photo of the wood bowl"),
    "Swap the red umbrella for a yellow one": ("a photo of the red umbrella", "a photo of a yellow umbrella"),
    "Replace the old curtains with new ones": ("a photo of the old curtains", "a photo of new curtains"),
    "Change the leather sofa to velvet": ("a photo of the leather sofa", "a photo of the velvet sofa"),
    "Make the small round box square": ("a photo of the small round box", "a photo of the square small box"),
    "Paint the black and white fence blue": ("a photo of the black and white fence", "a photo of the blue fence"),
    "Make the tired red bird blue": ("a photo of the tired red bird", "a photo of the blue tired bird"),
    "Don't change the background, make the coat green": ("a photo of the coat", "a photo of the green coat"),
    "Change the curtain colour to a dark red": ("a photo of the curtain", "a photo of the dark red curtain"),
}
CHINESE = {
    "把狗换成猫": ("一张狗的照片", "一张猫的照片"),
    "把狗换成猫，其他部分保持不变": ("一张狗的照片", "一张猫的照片"),
    "帮我把这张照片里的猫换成一只老虎吧": ("一张猫的照片", "一张一只老虎的照片"),
    "用一只猫替换狗": ("一张狗的照片", "一张一只猫的照片"),
    "请把红色的汽车改成蓝色": ("一张红色的汽车的照片", "一张蓝色的汽车的照片"),
    "将天空变成紫色": ("一张天空的照片", "一张紫色的天空的照片"),
    "让天空变成日落": ("一张天空的照片", "一张日落的照片"),
    "天空换成星空": ("一张天空的照片", "一张星空的照片"),
    "让男人戴上帽子": ("一张男人的照片", "一张男人戴上帽子的照片"),
    "给女人戴上一副墨镜": ("一张女人的照片", "一张女人戴上一副墨镜的照片"),
    "添加一只小狗": ("一张照片", "一张有一只小狗的照片"),
    "在桌子上添加一个苹果": ("一张桌子的照片", "一张桌子上有一个苹果的照片"),
    "移除图片中的电线": ("一张有电线的照片", "一张照片"),
    "把图片中的文字去掉": ("一张有文字的照片", "一张照片"),
    "把背景换成海滩": ("一张照片", "一张以海滩为背景的照片"),
    "将图片变成水彩画": ("一张照片", "一张水彩画"),
    "让画面变得更亮": ("一张照片", "一张更亮的照片"),
    "将车的颜色从红色改为蓝色": ("一张红色的车的照片", "一张蓝色的车的照片"),
    "把杯子换成不锈钢杯子": ("一张杯子的照片", "一张不锈钢杯子的照片"),
    "让别墅变成城堡": ("一张别墅的照片", "一张城堡的照片"),
    "把桌子的材质换成大理石": ("一张桌子的照片", "一张大理石的桌子的照片"),
    "将沙发颜色改为绿色": ("一张沙发的照片", "一张绿色的沙发的照片"),
    "给男孩换上红色的毛衣": ("一张男孩的照片", "一张男孩换上红色的毛衣的照片"),
    "把这张图改成油画风格": ("一张照片", "一张油画"),
    "将绿色的窗帘变成白色，背景保持不变": ("一张绿色的窗帘的照片", "一张白色的窗帘的照片"),
    "不要改变人物，把帽子改成红色": ("一张帽子的照片", "一张红色的帽子的照片"),
    "在不影响背景的前提下把帽子改成红色": ("一张帽子的照片", "一张红色的帽子的照片"),
    "把帽子改成红色，其他不要动": ("一张帽子的照片", "一张红色的帽子的照片"),
    "把右侧的花瓶去掉": ("一张有右侧的花瓶的照片", "一张照片"),
    "把木椅子换成金属材质": ("一张木椅子的照片", "一张金属的椅子的照片"),
    "将黑色的猫改成白色": ("一张黑色的猫的照片", "一张白色的猫的照片"),
}
CUT_AT_NO_WORD = (  # a rule's pattern fits, but what it takes for a thing or a quality is half of one, or is denied
    "turn off the lights",
    "Turn on the lamp",
    "turn the light off in the room",
    "turn around the man",
    "turn the page",
    "make the man taller than the woman",
    "make the dog as big as the car",
    "make the dog not smile",
    "make the walls not so dark",
    "make the dog stop barking",
    "make the man no longer wear a hat",
    "make the man without a hat",
    "make the sky less cloudy",
    "make it look like the dog is gone",
    "make sure the face is the same",
    "make a chocolate cake",
    "make the man repair a car",
    "have the man put on a hat",
    "have her take off her coat",
    "what if the cat was not there",
    "what if the man had no hat",
    "what if the lights were off",
    "it should not be raining",
    "remove everything except the dog",
    "add to the table a cup",
    "add no dogs",
    "put on a hat",
    "put the lights out",
    "set the table for dinner",
    "change the dog to not a cat",
    "关灯",
    "把灯关掉",
    "打开灯",
    "让狗不笑",
    "让男人不再微笑",
    "让男人停止微笑",
    "让他别笑",
    "让男人不看镜头",
    "让男人比女人更高",
    "让房子比树大",
    "把狗变得不开心",
    "让狗看起来没有那么胖",
    "让图片没有文字",
    "让门关闭",
    "让人物向左看",
    "删除除了狗以外的所有东西",
    "把除了狗之外的都去掉",
)
NOT_UNDERSTOOD = (
    "",
    "   ",
    "Rotate the image by 90 degrees",
    "Open the door",
    "turn the lights on",
    "Change the number of apples to 5",
    "Move the cup to the left",
    "Don't change anything",
    "Do not remove the dog",
    "Keep everything as it is",
    "nice picture",
    "顺时针旋转90度",
    "不要改变背景",
    "不要删除狗",
    "保持原样",
    "Replace the dog with the dog",
    "Replace the cup with new ones",
    "Replace the cup and the jug with a blue one",
    "Don't change the background",
    "背景保持不变",
    "add " + "a very long text " * 60,
)


@pytest.mark.parametrize(("instruction", "captions"), [*ENGLISH.items(), *CHINESE.items()])
def test_instruction_becomes_captions_of_before_and_after(instruction, captions):
    change = edit_of(instruction).change
    assert change is not None
    assert (change.before, change.after) == captions


@pytest.mark.parametrize("instruction", [*NOT_UNDERSTOOD, *CUT_AT_NO_WORD])
def test_what_names_no_change_is_not_guessed(instruction):
    assert edit_of(instruction).change is None


def test_an_instruction_one_of_whose_parts_is_not_understood_has_no_change():
    assert edit_of("Turn the cup blue and open the door.").change is None


@pytest.mark.parametrize(
    ("instruction", "region", "keeps"),
    [
        ("Make the garden gate dark red.", "garden gate", ()),
        ("Remove the bicycle behind the bench.", "bicycle", ("bench",)),
        ("Blur the background so that it looks like bokeh, with the cat sharp.", "background", ("cat",)),
        ("把帽子的材质换成草编", "帽子", ()),
        ("去掉屋顶上的鸽子", "鸽子", ("屋顶",)),
        ("让背景虚化得更柔和一些", "背景", ()),
        ("人物不变，把帽子改成红色", "帽子", ("人物",)),
        ("把帽子改成红色，不要改变人物", "帽子", ("人物",)),
    ],
)
def test_region_and_what_stays_are_named(instruction, region, keeps):
    edit = edit_of(instruction)
    assert (edit.region, edit.keeps) == (region, keeps)


def test_wide_characters_quotes_and_line_breaks_read_as_plain_ones():
    assert edit_of("Ｒeplace the dog\n with a cat。").change == edit_of("Replace the dog with a cat").change
    assert edit_of("change the car’s color to red").change == edit_of("change the car's color to red").change


@pytest.mark.parametrize("word", ["replace ", "add a ", "make the ", "把", "添加", "and then ", "变成"])
def test_long_nonsense_is_read_quickly(word):
    edit_of(word * 80)  # a pattern that backtracks without end would hang here
