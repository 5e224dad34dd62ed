from __future__ import annotations

import pytest

from selector.domain import Declined
from selector.domain.reading import Operation
from selector.prompts.edits.instruction import ABILITIES, parse_edit_instruction


def summary(prompt: str) -> list[tuple[str, str, float]]:
    return [(operation.name, operation.scope, operation.amount) for operation in parse_edit_instruction(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Make the image brighter.", [("brightness", "whole", 1.0)]),
        ("brighten the photo slightly", [("brightness", "whole", 0.5)]),
        ("please make this picture much darker", [("brightness", "whole", -1.6)]),
        ("make it less bright", [("brightness", "whole", -1.0)]),
        ("increase saturation by 50%", [("saturation", "whole", 2.0)]),
        ("reduce the contrast a little", [("contrast", "whole", -0.5)]),
        ("could you make this picture a bit cooler?", [("warmth", "whole", -0.5)]),
        ("Convert to black & white", [("black_white", "whole", 1.0)]),
        ("change this photo to be in black and white", [("black_white", "whole", 1.0)]),
        ("Turn the photo into a pencil sketch", [("pencil_sketch", "whole", 1.0)]),
        ("apply a sepia tone to the image", [("sepia", "whole", 1.0)]),
        ("add a subtle vignette", [("vignette", "whole", 0.5)]),
        ("make the image less blurry", [("sharpen", "whole", 1.0)]),
        ("blur everything except the subject", [("blur", "background", 1.0)]),
        ("blur the background, keep the subject sharp", [("blur", "background", 1.0)]),
        ("without changing anything else, blur the background", [("blur", "background", 1.0)]),
        ("make the background black and white", [("black_white", "background", 1.0)]),
        ("crop the image to 16:9", [("crop", "geometry", 1.0)]),
        ("让图片更亮一些", [("brightness", "whole", 0.5)]),
        ("变成黑白照片", [("black_white", "whole", 1.0)]),
        ("模糊背景", [("blur", "background", 1.0)]),
        ("虚化背景，保持主体清晰", [("blur", "background", 1.0)]),
        ("增加饱和度50%", [("saturation", "whole", 2.0)]),
        ("让照片变得非常暖", [("warmth", "whole", 1.6)]),
        ("铅笔素描", [("pencil_sketch", "whole", 1.0)]),
        ("请给图片添加暗角效果", [("vignette", "whole", 1.0)]),
        ("裁剪成正方形", [("crop", "geometry", 1.0)]),
        ("给图片加上柔和的冷色调", [("warmth", "whole", -0.5)]),
        ("让背景虚化得更柔和一些", [("blur", "background", 0.5)]),
        ("Blur the backdrop so that it looks like bokeh, with the girl sharp.", [("blur", "background", 1.0)]),
    ],
)
def test_instruction_is_understood(prompt: str, expected: list[tuple[str, str, float]]) -> None:
    assert summary(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("brighten and add a vignette", [("brightness", "whole", 1.0), ("vignette", "whole", 1.0)]),
        ("blur and darken the background", [("blur", "background", 1.0), ("brightness", "background", -1.0)]),
        (
            "increase the brightness and contrast of the background",
            [("brightness", "background", 1.0), ("contrast", "background", 1.0)],
        ),
        (
            "make the background darker and the subject brighter",
            [("brightness", "background", -1.0), ("brightness", "subject", 1.0)],
        ),
        (
            "make the image brighter, warmer and more saturated",
            [("brightness", "whole", 1.0), ("warmth", "whole", 1.0), ("saturation", "whole", 1.0)],
        ),
        ("darken the background and blur it", [("brightness", "background", -1.0), ("blur", "background", 1.0)]),
        ("black and white with a vignette", [("black_white", "whole", 1.0), ("vignette", "whole", 1.0)]),
        ("提高亮度和对比度", [("brightness", "whole", 1.0), ("contrast", "whole", 1.0)]),
        ("让背景更暗并且模糊", [("brightness", "background", -1.0), ("blur", "background", 1.0)]),
    ],
)
def test_compound_is_understood_part_by_part(prompt: str, expected: list[tuple[str, str, float]]) -> None:
    assert summary(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "axis"),
    [("flip the image horizontally", "horizontal"), ("mirror it", "horizontal"), ("上下翻转图片", "vertical")],
)
def test_flip_has_an_axis(prompt: str, axis: str) -> None:
    assert parse_edit_instruction(prompt) == (Operation("flip", "geometry", 1.0, {"axis": axis}),)


@pytest.mark.parametrize(
    ("prompt", "degrees", "certain"),
    [
        ("rotate the image 90 degrees clockwise", 90, True),
        ("rotate it by 30° to the left", -30, True),
        ("rotate 90 degrees", 90, False),
        ("turn the picture upside down", 180, True),
        ("逆时针旋转90度", -90, True),
        ("旋转90度", 90, False),
        ("将图片向右旋转九十度", 90, True),
    ],
)
def test_rotation_is_clockwise_degrees(prompt: str, degrees: float, certain: bool) -> None:
    (operation,) = parse_edit_instruction(prompt)
    assert (operation.params["degrees"], operation.params["certain"]) == (degrees, certain)


@pytest.mark.parametrize(
    ("prompt", "old", "new", "plural"),
    [
        ("make the red car blue", "red", "blue", False),
        ("Change the color of the red car to green", "red", "green", False),
        ("change the red car to a blue car", "red", "blue", False),
        ("make the yellow bus red", "yellow", "red", False),
        ("turn the yellow flowers pink", "yellow", "pink", True),
        ("把红色的花变成蓝色", "red", "blue", True),
        ("将红色的汽车的颜色换成绿色", "red", "green", False),
    ],
)
def test_recolouring_names_both_colours(prompt: str, old: str, new: str, plural: bool) -> None:
    (operation,) = parse_edit_instruction(prompt)
    assert (operation.name, operation.scope) == ("recolour", "region")
    assert (operation.params["from"], operation.params["to"], operation.params["plural"]) == (old, new, plural)


@pytest.mark.parametrize(
    "prompt",
    [
        "add a dog", "make it look like winter", "remove the person", "make the cat smile", "turn off the lights",
        "change the background to a beach", "make the background blue", "add a bright lamp", "make the lamp brighter",
        "a black and white cat on the sofa should be removed", "make the brown dog black and white", "blur",
        "blur the license plate", "add motion blur", "remove the blur", "flip the pancake", "sharpen the pencil",
        "rotate the chair 90 degrees", "rotate the image", "crop out the person", "make the car blue",
        "make the red car on the left blue", "change the red car to a blue truck", "make the red light green",
        "make the image cool", "draw a pencil sketch of a dog", "black and white photo of a cat", "add a red vignette",
        "make everything black and white except the red car", "turn it into a black and white cat", "make it", ".", "",
        "添加一只狗", "让猫微笑", "把背景换成海滩", "变成冬天", "把车变成蓝色", "把左边的红色汽车变成蓝色", "模糊",
        "把红灯变成绿灯", "画一只猫的铅笔素描", "旋转椅子90度", "让灯更亮",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_declined(prompt: str) -> None:
    with pytest.raises(Declined):
        parse_edit_instruction(prompt)


@pytest.mark.parametrize(
    "prompt", ["do not change brightness", "don't brighten the image", "不要改变亮度", "别把图片调亮"]
)
def test_negation_is_declined_as_such(prompt: str) -> None:
    with pytest.raises(Declined, match="negation"):
        parse_edit_instruction(prompt)


@pytest.mark.parametrize(
    ("prompt", "part"),
    [
        ("brighten the image and add a dog", "add a dog"),
        ("make the red car and bus blue", "make the red car"),
        ("blur the background and the cat", "the cat"),
        ("让图片更亮，添加一只狗", "添加一只狗"),
    ],
)
def test_half_understood_compound_is_declined_with_the_part(prompt: str, part: str) -> None:
    with pytest.raises(Declined, match=f"the part '{part}'"):
        parse_edit_instruction(prompt)


@pytest.mark.parametrize(
    "prompt",
    ["make it brighter and darker", "sharpen the subject, keep the subject unchanged", "keep the subject sharp"],
)
def test_contradictions_are_declined(prompt: str) -> None:
    with pytest.raises(Declined):
        parse_edit_instruction(prompt)


def test_reason_tells_what_can_be_done() -> None:
    with pytest.raises(Declined) as caught:
        parse_edit_instruction("add a dog")
    assert ABILITIES in str(caught.value)
    assert "\n" not in str(caught.value)


def test_vignette_of_the_background_is_declined() -> None:
    with pytest.raises(Declined, match="only to the whole picture"):
        parse_edit_instruction("add a vignette to the background")


def test_long_texts_are_declined_quickly() -> None:
    with pytest.raises(Declined, match="too long"):
        parse_edit_instruction("make the image brighter and " * 1000)
