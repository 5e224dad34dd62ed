"""The demo contest: its tasks as data, written to a folder in the shape in which the Tianchi contest comes.

Text-to-image tasks are about coloured shapes, because the model that travels with the package knows nothing else. One
scene edit asks for what no classical editor can do, so that the demo shows an honest, flagged fallback.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selector.demo._signs import Ground, Line, Sign, draw_sign
from selector.demo.shipped import cut, darkened, jpeg_damaged, mirrored, photograph, resized, side_by_side
from selector.domain import InputError, TaskType, encode_final, raise_shortage
from selector.domain.files import write_atomically

if TYPE_CHECKING:
    from selector.domain.picture import Pixels

COLUMNS = ("index", "task_type", "prompt", "ori_image", "target_image")
JPEG_QUALITY = 92


@dataclass(frozen=True)
class Scene:
    """One task: pictures are named as in ``PICTURES``; ``reference`` (face swaps only) gives the identity.

    Text to image has no ``source``.
    """

    type: TaskType
    prompt: str
    source: str | None
    reference: str | None = None


BRICK = Ground((92, 44, 34), (186, 112, 88), "brick")
CONCRETE = Ground((108, 110, 112), (164, 163, 158))
CREAM = Ground((196, 180, 150), (232, 220, 196))
GRASS = Ground((26, 44, 18), (128, 154, 78), "grass")
GRAVEL = Ground((62, 58, 54), (188, 182, 172), "gravel")
TEAL = Ground((46, 92, 95), (68, 116, 116))
WHITEWASHED = Ground((150, 146, 138), (236, 232, 222), "brick")

SIGNS: Mapping[str, Sign] = {
    "shop": Sign(
        (Line("COFFEE HOUSE", "serif bold", 44), Line("OPEN DAILY", "sans", 36)),
        (240, 228, 196),
        CREAM,
        (28, 62, 48),
        1,
    ),
    "street": Sign((Line("MAPLE STREET", "sans bold", 50),), (246, 246, 242), BRICK, (24, 62, 128), 2, 1.5),
    "bakery": Sign((Line("BAKERY", "serif bold", 96),), (74, 34, 30), WHITEWASHED, None, 3),
    "lawn": Sign(
        (Line("PLEASE KEEP", "sans bold", 42), Line("OFF THE GRASS", "sans bold", 42)),
        (34, 40, 30),
        GRASS,
        (232, 226, 206),
        4,
        -2.0,
    ),
    "parking": Sign(
        (Line("PARKING", "sans bold", 66), Line("2 HOURS", "sans", 46)), (32, 44, 82), GRAVEL, (236, 236, 230), 5
    ),
    "sale": Sign(
        (Line("SUMMER SALE", "sans bold", 54), Line("50% OFF", "sans bold", 66)),
        (250, 244, 230),
        TEAL,
        (176, 38, 42),
        6,
    ),
    "museum": Sign(
        (Line("City Museum", "roman bold", 76), Line("Tickets 12.50", "serif", 38)),
        (48, 38, 32),
        CONCRETE,
        (214, 196, 158),
        7,
    ),
    "welcome": Sign((Line("欢迎光临", "hei", 104),), (250, 226, 150), CREAM, (156, 28, 30), 8),
    "library": Sign(
        (Line("图书馆", "song", 96), Line("LIBRARY", "serif", 40)), (40, 36, 34), BRICK, (226, 212, 180), 9
    ),
    "gate": Sign((Line("东门出口", "hei", 92),), (244, 246, 246), CONCRETE, (18, 96, 74), 10, 1.0),
    "notice": Sign(
        (Line("禁止停车", "hei", 88), Line("违者拖走", "hei", 52)), (176, 30, 34), GRAVEL, (240, 238, 230), 11
    ),
}

PICTURES: Mapping[str, Callable[[], Pixels]] = {
    "woman": lambda: photograph("astronaut"),
    "woman, mirrored": lambda: mirrored(photograph("astronaut")),
    "woman, dark": lambda: darkened(photograph("astronaut"), 0.30),
    "woman, damaged": lambda: jpeg_damaged(photograph("astronaut"), 14),
    "woman, large": lambda: resized(photograph("astronaut"), 700),
    "woman, 250 px": lambda: resized(cut(photograph("astronaut"), 112, 10, 216), 250),
    "officer": lambda: photograph("hopper"),
    "officer, mirrored": lambda: mirrored(photograph("hopper")),
    "officer, dark": lambda: darkened(photograph("hopper"), 0.25),
    "officer, damaged": lambda: jpeg_damaged(photograph("hopper"), 12),
    "officer, small": lambda: resized(photograph("hopper"), 320),
    "officer, 250 px": lambda: resized(cut(photograph("hopper"), 96, 20, 340), 250),
    "both": lambda: side_by_side(
        resized(cut(photograph("astronaut"), 108, 0, 224), 400), resized(photograph("hopper"), 341)[:400]
    ),
    "page": lambda: resized(photograph("page"), 691),
    "cat": lambda: resized(photograph("chelsea"), 600),
    "coffee": lambda: photograph("coffee"),
    "coffee, dark": lambda: darkened(photograph("coffee"), 0.30),
    "rocket": lambda: photograph("rocket"),
    "galaxies": lambda: resized(photograph("hubble"), 640),
    "motorcycle": lambda: resized(photograph("motorcycle"), 640),
    "pagoda": lambda: photograph("china"),
    "pagoda, dark": lambda: darkened(photograph("china"), 0.35),
    "dahlia": lambda: photograph("flower"),
    **{name: (lambda sign=sign: draw_sign(sign)) for name, sign in SIGNS.items()},  # type: ignore[misc]
}

FACE_SWAPS = tuple(
    Scene(TaskType.DEEPFAKE, "", scene, identity)
    for scene, identity in (
        ("woman", "officer"),
        ("officer", "woman"),
        ("woman, mirrored", "officer"),
        ("officer, mirrored", "woman, large"),
        ("woman, dark", "officer, damaged"),
        ("officer, dark", "woman"),
        ("woman, damaged", "officer, small"),
        ("officer, small", "woman, damaged"),
        ("woman, 250 px", "officer, 250 px"),
        ("both", "officer, mirrored"),
    )
)

TEXT_EDITS = tuple(
    Scene(TaskType.VTTIE, prompt, sign)
    for prompt, sign in (
        ("Change 'OPEN' to 'FRESH'", "shop"),
        ('Replace the text "MAPLE STREET" with "RIVER STREET"', "street"),
        ("Change the text BAKERY to FLORIST.", "bakery"),
        ("Replace 'GRASS' with 'PLANTS' on the sign.", "lawn"),
        ('Please change the word "PARKING" on the sign to "LOADING"', "parking"),
        ("Remove the text 'SUMMER SALE' from the poster.", "sale"),
        ("Change the price from '12.50' to '14.90'", "museum"),
        ("Replace 'segmentation' with 'measurement'.", "page"),
        ("把“欢迎光临”改成“谢谢惠顾”", "welcome"),
        ('将"图书馆"替换为"咖啡馆"', "library"),
        ("请把图片中的文字“东门”改为“西门”", "gate"),
        ("删除图中的文字“违者拖走”", "notice"),
    )
)

SCENE_EDITS = tuple(
    Scene(TaskType.TIE, prompt, photo)
    for prompt, photo in (
        ("Make the image black and white.", "cat"),
        ("Make the photo brighter.", "pagoda, dark"),
        ("Blur the background.", "pagoda"),
        ("Change the color of the orange flower to purple.", "dahlia"),
        ("Flip the image horizontally and make it brighter.", "cat"),
        ("Give the photo a warmer tone.", "rocket"),
        ("Turn this photo into a pencil sketch.", "motorcycle"),
        ("给照片加上棕褐色调", "woman"),
        ("添加暗角效果", "coffee"),
        ("提高图片的饱和度", "galaxies"),
        ("把红色的杯子改成蓝色", "coffee"),
        ("Add a small dog on the left.", "pagoda"),  # to be declined: there is no classical way to draw a dog
    )
)

SCENES = (*SCENE_EDITS, *TEXT_EDITS, *FACE_SWAPS)

TEXT_TO_IMAGE = tuple(
    Scene(TaskType.T2I, prompt, None)
    for prompt in (
        "a red circle on a white background",
        "two green squares",
        "a large blue triangle on a grey background",
        "a yellow cross above a purple circle",
        "a picture of an orange square to the left of a blue circle on a black background",
        "three red triangles below a green cross",
        "一个蓝色的正方形，黑色背景",
        "图中有两个黄色的圆形",
        "一个紫色的小十字形，白色背景",
        "一个红色的三角形在一个绿色的正方形的上方",
        "图中一个橙色的圆形在一个紫色的正方形的左边，灰色背景",
        "两个绿色的三角形在一个红色的圆形的右侧",
    )
)
# Generators of these tasks: one model, four ways to draw with it, of different skill; none needs more than onnxruntime.
SAMPLERS: Mapping[str, Mapping[str, int | float]] = {
    "shapes": {},  # as the preset has it
    "shapes-unguided": {"guidance_scale": 1.5},
    "shapes-hasty": {"steps": 6},
    "shapes-forced": {"guidance_scale": 9.0},
}
SAMPLES = 2  # candidates a task of each of them

# What `bestshot demo` runs on: a few tasks of every kind, chosen for what they show (edits of colour, light and style,
# text in both scripts, text taken away, faces in good and bad light, two faces, order and number of shapes), and one
# that nothing here can do. The whole contest is for tests and studies, which have scikit-learn's photographs, too.
SHOWN = (
    SCENE_EDITS[0],
    Scene(TaskType.TIE, "Make the photo brighter.", "coffee, dark"),
    SCENE_EDITS[6],
    SCENE_EDITS[7],
    SCENE_EDITS[10],
    Scene(TaskType.TIE, "Add a small dog on the left.", "rocket"),
    *(TEXT_EDITS[place] for place in (0, 2, 6, 8, 9, 11)),
    *(FACE_SWAPS[place] for place in (0, 1, 4, 9)),
    *(TEXT_TO_IMAGE[place] for place in (2, 3, 4, 5, 7, 8, 10, 11)),
)


@dataclass(frozen=True)
class DemoContest:
    """Where the contest lies: its table, the folder of its input pictures, and how many tasks it has."""

    table: Path
    images: Path
    tasks: int


def make_demo_contest(folder: Path, scenes: Sequence[Scene] = SCENES) -> DemoContest:
    """Write the contest into ``folder``, which is made when needed; the same bytes each time on one machine.

    Args:
        scenes: its tasks, in their order.

    Raises:
        MissingPart: when a package that ships a photograph or a font is not installed.
        InputError: when the folder cannot be written.
    """
    images, table = folder / "imgs", folder / "task.csv"
    try:
        images.mkdir(parents=True, exist_ok=True)
        used = dict.fromkeys(name for scene in scenes for name in (scene.source, scene.reference) if name is not None)
        names = {name: _write_picture(images, name) for name in used}
        rows = _table(scenes, names)
        write_atomically(table, rows.encode("utf-8-sig"))  # the real table opens with a byte order mark
    except OSError as error:
        raise_shortage(error)
        raise InputError(f"the demo contest cannot be written to {folder}: {error.strerror or error}") from error
    return DemoContest(table, images, len(scenes))


def task_id(position: int) -> int:
    """Ids rise but skip some numbers, as those of the real table do, so that nobody takes an id for a position."""
    return 3 + 4 * position + position % 3


def _write_picture(images: Path, name: str) -> str:
    data = encode_final(PICTURES[name](), quality=JPEG_QUALITY)
    file_name = hashlib.md5(data, usedforsecurity=False).hexdigest() + ".jpg"
    write_atomically(images / file_name, data, durable=False)
    return file_name


def _table(scenes: Sequence[Scene], names: dict[str, str]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for position, scene in enumerate(scenes):
        source, reference = (names[name] if name else "" for name in (scene.source, scene.reference))
        rows.writerow((task_id(position), scene.type.value, scene.prompt, source, reference))
    return text.getvalue()
