"""Drawn signs with a known instruction, for measuring text edits: fonts that the editor is told to leave out.

Deterministic by number: sign k is the same picture in every process. Backgrounds are flat, a gradient, or photographs
of brick, grass and gravel that scikit-image ships; some signs are turned, seen at an angle, small, noisy or a little
blurred. Noto Serif SC, STIX and Computer Modern are drawn here and named in ``HELD_OUT``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selector.domain import Picture, Task, TaskInputs, TaskType, encode_final
from selector.sight.fonts import Font, all_fonts
from selector.sight.ocr import read_text
from selector.sight.text_match import plain

HELD_OUT = ("STIX", "cmr10", "cmb10", "cmss10", "cmtt10", "cmti10", "Noto Serif SC", "Liberation", "TeX Gyre")
BACKGROUNDS = ("flat", "brick", "gradient", "grass", "flat", "gravel")
WIDTH_PX, HEIGHT_PX = 640, 400
_SUPERSAMPLING = 3
_LATIN_FONTS = ("STIXGeneral Regular", "cmb10 Regular", "STIXGeneral Bold", "cmss10 Regular", "cmr10 Regular")
_CHINESE_FONTS = ("Noto Serif SC Regular",)
_ENGLISH = (
    ("OPEN", "CLOSED", "Mon - Fri 9:00"), ("Fresh Coffee", "Green Tea", "Ground floor"), ("EXIT", "ENTRY", ""),
    ("Summer Sale", "Winter Sale", "this week only"), ("Bakery", "Library", "since 1987"),
    ("Platform 9", "Platform 4", "to London"), ("Tom's Diner", "Anna's Diner", ""), ("Parking", "Camping", "Lot 12"),
    ("Welcome", "Goodbye", "Hotel Astoria"), ("MUSEUM", "THEATRE", "Level 2"), ("Slow", "Fast", "lane 3"),
    ("Keep Left", "Turn Right", "500 m"), ("Garden Cafe", "Garden House", ""),
)  # fmt: skip
_CHINESE = (
    ("营业中", "休息中", "上午九点"), ("欢迎光临", "谢谢惠顾", ""), ("免费停车", "收费停车", "二楼"),
    ("咖啡馆", "图书馆", "电话5580"), ("禁止吸烟", "禁止拍照", ""), ("安全出口", "员工入口", "三号门"),
    ("夏日特惠", "冬季新品", "全场八折"), ("小心地滑", "小心台阶", ""), ("南京路", "北京路", "12号"),
    ("今日休息", "正常营业", "2024"), ("中山公园", "人民公园", ""), ("面包房", "水果店", "一楼"),
)  # fmt: skip
_PHRASES_EN = ("Change '{0}' to '{1}'", 'Replace the text "{0}" with "{1}"', "Change the text from “{0}” to “{1}”")
_PHRASES_ZH = ("把“{0}”改成“{1}”", '将"{0}"替换为"{1}"', "请把图中的「{0}」换成「{1}」")


@dataclass(frozen=True)
class Sign:
    """A drawn sign and what is to be done to it.

    ``rest`` is text that must stay, "" when there is none; ``truth_png`` is the sign as drawn with the new text.
    """

    number: int
    png: bytes
    truth_png: bytes
    instruction: str
    old: str
    new: str
    rest: str
    language: str  # "en" or "zh"
    background: str
    font: str

    def inputs(self) -> TaskInputs:
        """The sign as a contest task."""
        name = f"sign{self.number:03d}.png"
        task = Task(f"sign{self.number:03d}", TaskType.VTTIE, self.instruction, name, None, self.number)
        return TaskInputs(task, source=Picture(self.png, name))


def make_sign(number: int) -> Sign:
    """Sign ``number`` (0, 1, 2, ...): even numbers are English, odd ones Chinese; backgrounds take turns."""
    chinese, place = number % 2 == 1, number // 2
    old, new, rest = (_CHINESE if chinese else _ENGLISH)[place % len(_CHINESE if chinese else _ENGLISH)]
    phrases = _PHRASES_ZH if chinese else _PHRASES_EN
    names = _CHINESE_FONTS if chinese else _LATIN_FONTS
    kind, font = BACKGROUNDS[place % len(BACKGROUNDS)], _font(names[place % len(names)])
    png, truth_png = (_drawn(number, kind, font, text, rest) for text in (old, new))
    return Sign(
        number, png, truth_png, phrases[place % len(phrases)].format(old, new), old, new, rest,
        "zh" if chinese else "en", kind, font.name,
    )  # fmt: skip


def signs(n: int, first: int = 0) -> list[Sign]:
    """``n`` signs from number ``first`` on."""
    return [make_sign(number) for number in range(first, first + n)]


def reads_exactly(picture: Picture, sign: Sign) -> bool:
    """Whether a line of the picture reads as the new text, letter by letter, and none as the old one; spaces aside."""
    read = {plain(line.text) for line in read_text(picture, 0.3)}
    return plain(sign.new) in read and plain(sign.old) not in read


def matches_truth(picture: Picture, sign: Sign) -> float:
    """SSIM, -1 to 1, with the sign drawn with the new text, in grey, around where old and new drawing differ."""
    import cv2
    from skimage.metrics import structural_similarity

    truth, source = Picture(sign.truth_png).rgb, Picture(sign.png).rgb
    rows, columns = np.nonzero(np.abs(truth.astype(int) - source).max(axis=2) > 12)
    window = (slice(max(rows.min() - 8, 0), rows.max() + 9), slice(max(columns.min() - 8, 0), columns.max() + 9))
    shown = cv2.resize(picture.rgb, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    one, other = (cv2.cvtColor(np.ascontiguousarray(rgb[window]), cv2.COLOR_RGB2GRAY) for rgb in (shown, truth))
    return float(structural_similarity(one, other))  # type: ignore[no-untyped-call]


def _drawn(number: int, kind: str, font: Font, text: str, rest: str) -> bytes:
    """PNG of a sign. Every random choice follows from the number, none from the text."""
    rng = np.random.default_rng([20261122, number])
    background = _background(kind, rng)
    alpha = _lettering(text, rest, font, rng)
    return encode_final(_compose(background, alpha, rng), "png")


def _font(name: str) -> Font:
    return next(font for font in all_fonts() if font.name == name)


def _background(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """(H, W, 3) float, 0 to 255."""
    tint = rng.uniform(0.55, 1.0, 3) if rng.random() < 0.6 else rng.uniform(0.15, 0.45, 3)
    if kind == "flat":
        return np.full((HEIGHT_PX, WIDTH_PX, 3), tint * 255.0)
    if kind == "gradient":
        x, y = np.linspace(0, 1, WIDTH_PX)[None, :], np.linspace(0, 1, HEIGHT_PX)[:, None]
        shade = 0.75 + 0.25 * (rng.uniform(-1, 1) * x + rng.uniform(-1, 1) * y)
        return np.asarray(shade[..., None] * tint * 255.0)
    import cv2
    from skimage import data

    photo = getattr(data, kind)().astype(np.float64)[:HEIGHT_PX]
    photo = cv2.resize(photo, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    contrast = (photo - photo.mean()) / photo.std() * 22.0  # letters must stay readable on it
    return np.asarray(np.clip(tint * 255.0 * 0.9 + contrast[..., None] * (0.4 + 0.6 * tint), 0, 255))


def _lettering(old: str, rest: str, font: Font, rng: np.random.Generator) -> NDArray[np.float64]:
    """Coverage (H, W), 0 to 1, of the sign's one or two lines, turned or seen at an angle for some signs."""
    import cv2
    from PIL import Image, ImageDraw, ImageFont

    scale = _SUPERSAMPLING
    image = Image.new("L", (WIDTH_PX * scale, HEIGHT_PX * scale))
    draw = ImageDraw.Draw(image)
    size = int(rng.choice([24, 34, 52, 76])) * scale
    for text, share, y in ((old, 1.0, 0.42), (rest, 0.62, 0.66)):
        opened = ImageFont.truetype(font.path, int(size * share), layout_engine=ImageFont.Layout.BASIC)
        draw.text((image.width / 2, image.height * y), text, font=opened, fill=255, anchor="mm")
    return np.asarray(
        cv2.resize(
            cv2.warpPerspective(np.asarray(image), _view(rng, scale), image.size, flags=cv2.INTER_LINEAR),
            (WIDTH_PX, HEIGHT_PX),
            interpolation=cv2.INTER_AREA,
        )
        / 255.0
    )


def _view(rng: np.random.Generator, scale: int) -> NDArray[np.float32]:
    """Homography (3, 3): none, a turn of up to 9 degrees, or a view at an angle."""
    import cv2

    width, height = WIDTH_PX * scale, HEIGHT_PX * scale
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    kind, moved = rng.integers(0, 3), corners.copy()
    if kind == 1:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-9, 9)), 1.0)
        moved = (corners @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
    elif kind == 2:
        depth = float(rng.uniform(0.05, 0.12)) * height * (1 if rng.random() < 0.5 else -1)
        moved[[1, 2], 1] += np.array([depth, -depth], dtype=np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, moved), dtype=np.float32)


def _compose(
    background: NDArray[np.float64], alpha: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Paint the lettering in a colour that stands out, then blur a little and add grain for some signs."""
    import cv2

    dark = background.mean() > 127
    colour = rng.uniform(5, 95, 3) if dark else rng.uniform(170, 255, 3)
    picture = background * (1 - alpha[..., None]) + colour * alpha[..., None]
    blur_px, grain = float(rng.choice([0.0, 0.6, 0.9])), float(rng.choice([0.0, 2.0, 4.0]))
    if blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), blur_px)
    picture = picture + rng.normal(0, 1, picture.shape) * grain
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)
