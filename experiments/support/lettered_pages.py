"""Pages with several lines of lettering, and edits of their text: drawn by number, and two pictures of packages.

Page k is the same picture in every process. Twelve layouts take turns, English and Chinese in turn: poster, label,
form, slide, street signs, book cover, ticket, menu, shop front, slanted banner, screen with buttons, noticeboard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from selector.domain import encode_final
from selector.domain.reading import Place, Side, Spot, TextEdit
from selector.sight.fonts import all_fonts

SIDE_PX = 1024
Box = tuple[float, float, float, float]  # left, top, right, bottom in px
Colour = tuple[int, int, int]
_FONTS = {
    "en": {"plain": "DejaVu Sans Book", "bold": "DejaVu Sans Condensed Bold", "serif": "STIXGeneral Bold"},
    "zh": {"plain": "Noto Sans SC Regular", "bold": "Noto Sans SC Regular", "serif": "Noto Serif SC Regular"},
}
_WORDS = {
    "en": {
        "titles": ("Harbour Lights", "Winter Fair", "Annual Report", "The Quiet Hill", "Night Market", "River Run"),
        "notes": ("Saturday 14 March", "Doors open at seven", "Second floor, room 12", "Since 1962", "Free entry"),
        "items": ("Lentil soup", "Grilled trout", "Apple pie", "Mint tea", "Rye bread", "Plum cake"),
        "new": ("Everyone is welcome", "Sold out", "Bring a friend", "New edition", "Half price"),
        "short": ("Open", "Fair", "Noon"),
        "long": ("Lantern Festival by the Old Harbour", "Department of Rivers and Forests", "Closed for repairs today"),
    },
    "zh": {
        "titles": ("海港灯会", "冬季集市", "年度报告", "静静的山", "夜市小吃", "河边长跑"),
        "notes": ("三月十四日星期六", "晚上七点开门", "二楼十二号房间", "创于一九六二年", "免费入场"),
        "items": ("番茄牛腩", "清蒸鲈鱼", "苹果馅饼", "薄荷绿茶", "黑麦面包", "李子蛋糕"),
        "new": ("欢迎光临", "已经售完", "请带朋友来", "全新版本", "半价优惠"),
        "short": ("开放", "集市", "中午"),
        "long": ("老海港元宵灯会暨春季庙会", "河流与森林管理部门办公室", "今天因维修暂停营业"),
    },
}


@dataclass(frozen=True)
class Mark:
    """One drawn line: ``anchor`` as PIL has it, ``effect`` of "", outline, shadow, glow; ``panel``: what bears it."""

    text: str
    at: tuple[float, float]
    size_px: int
    colour: Colour
    font: str = "plain"
    anchor: str = "mm"
    effect: str = ""
    angle: float = 0.0
    panel: Box | None = None


@dataclass(frozen=True)
class Case:
    """One edit of a page. ``kind`` names it; ``anchor``: the mark that it is about; ``panel``: where it must stay."""

    kind: str
    prompt: str
    edit: TextEdit
    anchor: Mark | None = None
    panel: Box | None = None


@dataclass(frozen=True)
class Page:
    """A page: ``marks[0]`` is the line that edits are about."""

    name: str
    language: str
    png: bytes
    marks: tuple[Mark, ...]
    cases: tuple[Case, ...]


@dataclass
class _Sheet:
    """A page while it is drawn."""

    rng: np.random.Generator
    language: str
    image: Image.Image
    marks: list[Mark] = field(default_factory=list)

    def pick(self, kind: str, n: int = 1) -> list[str]:
        words = _WORDS[self.language][kind]
        return [words[i] for i in self.rng.permutation(len(words))[:n]]

    def panel(self, box: Box, colour: Colour, shape: str = "rounded", angle: float = 0.0) -> Box:
        layer = Image.new("RGBA", self.image.size)
        draw = ImageDraw.Draw(layer)
        if shape == "ellipse":
            draw.ellipse(box, fill=(*colour, 255), outline=(60, 50, 40, 255), width=4)
        else:
            draw.rounded_rectangle(box, 14, fill=(*colour, 255), outline=(60, 50, 40, 255), width=4)
        centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        self.image.paste(turned := layer.rotate(angle, Image.Resampling.BICUBIC, center=centre), mask=turned)
        return box

    def write(self, mark: Mark) -> None:
        font = ImageFont.truetype(_path(self.language, mark.font), mark.size_px)
        layer = Image.new("RGBA", self.image.size)
        soft = {"shadow": (0.07, (0, 0, 0, 170), 0), "glow": (0.0, (255, 240, 150, 255), 6)}.get(mark.effect)
        if soft:
            shift, colour, wider = soft
            place = (mark.at[0] + shift * mark.size_px, mark.at[1] + shift * mark.size_px)
            ImageDraw.Draw(layer).text(place, mark.text, colour, font, mark.anchor, stroke_width=wider)
            layer = layer.filter(ImageFilter.GaussianBlur(0.03 * mark.size_px + 1.0))
        stroke = max(2, mark.size_px // 18) if mark.effect == "outline" else 0
        draw = ImageDraw.Draw(layer)
        draw.text(mark.at, mark.text, mark.colour, font, mark.anchor, stroke_width=stroke, stroke_fill=(25, 20, 30))
        centre = mark.at
        if mark.panel is not None:
            centre = ((mark.panel[0] + mark.panel[2]) / 2, (mark.panel[1] + mark.panel[3]) / 2)
        self.image.paste(turned := layer.rotate(mark.angle, Image.Resampling.BICUBIC, center=centre), mask=turned)
        self.marks.append(mark)


def _path(language: str, role: str) -> str:
    return next(font.path for font in all_fonts() if font.name == _FONTS[language][role])


def _ground(rng: np.random.Generator, kind: str) -> Image.Image:
    """ "flat", "gradient", "night", or a photograph that scikit-image or scikit-learn ships."""
    if kind in ("brick", "gravel", "grass"):
        from skimage import data

        grey = np.asarray(Image.fromarray(getattr(data, kind)()).resize((SIDE_PX, SIDE_PX)), dtype=float)
        tint = rng.uniform(0.6, 1.0, 3)
        return Image.fromarray(np.clip(grey[..., None] * tint, 0, 255).astype(np.uint8))
    if kind in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return Image.fromarray(load_sample_image(f"{kind}.jpg")).resize((SIDE_PX, SIDE_PX))
    low, high = (0.08, 0.3) if kind == "night" else (0.72, 0.98)
    one, other = rng.uniform(low, high, 3) * 255, rng.uniform(low, high, 3) * 255
    share = np.linspace(0, 1, SIDE_PX)[:, None, None] if kind != "flat" else np.zeros((SIDE_PX, 1, 1))
    shade = one * (1 - share) + other * share + np.zeros((1, SIDE_PX, 1))
    return Image.fromarray(np.clip(shade + rng.normal(0, 1.5, shade.shape), 0, 255).astype(np.uint8))


def _poster(sheet: _Sheet) -> None:
    effect = str(sheet.rng.choice(["outline", "shadow", "glow"]))
    (title,) = sheet.pick("titles")
    sheet.write(Mark(title, (512, 330), 104, (250, 230, 120), "bold", effect=effect))
    for y, text in zip((560, 640, 900), sheet.pick("notes", 3), strict=True):
        sheet.write(Mark(text, (512, y), 46, (240, 240, 235)))


def _label(sheet: _Sheet) -> None:
    box = sheet.panel((232, 252, 792, 772), (238, 226, 196), "ellipse")
    sheet.write(Mark(sheet.pick("titles")[0], (512, 460), 66, (120, 30, 30), "serif", panel=box))
    for y, text in zip((570, 640), sheet.pick("notes", 2), strict=True):
        sheet.write(Mark(text, (512, y), 32, (60, 50, 40), panel=box))


def _form(sheet: _Sheet) -> None:
    items = sheet.pick("items", 5)
    sheet.write(Mark(sheet.pick("titles")[0], (90, 150), 54, (20, 30, 70), "bold", "lm"))
    for row, text in enumerate(items):
        y = 300 + 120 * row
        box = sheet.panel((430, y - 36, 930, y + 36), (252, 252, 250))
        sheet.write(Mark(text, (90, y), 34, (30, 30, 30), anchor="lm"))
        sheet.write(Mark(str(int(sheet.rng.integers(100, 999))), (455, y), 34, (40, 60, 140), anchor="lm", panel=box))


def _slide(sheet: _Sheet) -> None:
    sheet.panel((0, 0, 1024, 190), (40, 70, 120), "rounded")
    for y, text in zip((330, 440, 550), sheet.pick("notes", 3), strict=True):
        sheet.write(Mark(text, (110, y), 44, (40, 40, 50), anchor="lm"))
    sheet.write(Mark(sheet.pick("titles")[0], (80, 95), 72, (250, 250, 250), "bold", "lm", panel=(0, 0, 1024, 190)))


def _street(sheet: _Sheet) -> None:
    angle = float(sheet.rng.choice([-7.0, 5.0, 9.0]))
    for box, colour, text in zip(
        ((120, 180, 760, 360), (300, 480, 900, 640)),
        ((20, 90, 60), (30, 60, 140)), sheet.pick("titles", 2), strict=True,
    ):  # fmt: skip
        sheet.panel(box, colour, angle=angle)
        centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        sheet.write(Mark(text, centre, 64, (245, 245, 240), "bold", angle=angle, panel=box))
        angle = 0.0


def _cover(sheet: _Sheet) -> None:
    title, author = sheet.pick("titles", 2)
    sheet.write(Mark(title, (512, 420), 96, (255, 250, 240), "serif", effect="shadow"))
    sheet.write(Mark(author, (512, 130), 44, (255, 245, 200), effect="shadow"))
    sheet.write(Mark(sheet.pick("notes")[0], (512, 930), 38, (255, 255, 255), effect="outline"))


def _ticket(sheet: _Sheet) -> None:
    box = sheet.panel((60, 300, 700, 720), (245, 220, 170))
    stub = sheet.panel((720, 300, 964, 720), (235, 200, 150))
    sheet.write(Mark(sheet.pick("titles")[0], (100, 390), 62, (90, 30, 20), "bold", "lm", panel=box))
    for y, text in zip((500, 560, 650), sheet.pick("notes", 3), strict=True):
        sheet.write(Mark(text, (100, y), 34, (60, 40, 30), anchor="lm", panel=box))
    sheet.write(Mark("A 27", (842, 440), 60, (90, 30, 20), "bold", panel=stub))


def _menu(sheet: _Sheet) -> None:
    sheet.write(Mark(sheet.pick("titles")[0], (512, 150), 72, (240, 235, 220), "serif"))
    for row, text in enumerate(sheet.pick("items", 5)):
        y = 330 + 95 * row
        sheet.write(Mark(text, (180, y), 40, (235, 235, 230), anchor="lm"))
        sheet.write(Mark(f"{int(sheet.rng.integers(11, 60))}.00", (850, y), 40, (235, 200, 120), anchor="rm"))


def _shop(sheet: _Sheet) -> None:
    box = sheet.panel((120, 150, 904, 330), (35, 30, 30))
    sheet.write(Mark(sheet.pick("titles")[0], (512, 240), 84, (255, 215, 90), "serif", effect="", panel=box))
    paper = sheet.panel((380, 560, 660, 780), (250, 250, 245))
    words = sheet.pick("short", 2)
    for y, text in zip((630, 710), words, strict=True):
        sheet.write(Mark(text, (520, y), 50, (150, 20, 20), "bold", panel=paper))


def _banner(sheet: _Sheet) -> None:
    angle = float(sheet.rng.choice([-12.0, -8.0, 10.0, 14.0]))
    box = sheet.panel((130, 380, 894, 680), (200, 40, 50), angle=angle)
    sheet.write(Mark(sheet.pick("titles")[0], (512, 480), 84, (255, 245, 230), "bold", angle=angle, panel=box))
    sheet.write(Mark(sheet.pick("notes")[0], (512, 590), 42, (255, 245, 230), angle=angle, panel=box))


def _screen(sheet: _Sheet) -> None:
    sheet.panel((60, 60, 964, 964), (246, 247, 250))
    words = sheet.pick("items", 4)
    for spot, text in zip(((110, 700), (520, 700), (110, 830), (520, 830)), words, strict=True):
        box = sheet.panel((*spot, spot[0] + 380, spot[1] + 100), (50, 110, 200))
        sheet.write(Mark(text, (spot[0] + 190, spot[1] + 50), 40, (255, 255, 255), panel=box))
    sheet.write(Mark(sheet.pick("titles")[0], (110, 150), 52, (30, 30, 40), "bold", "lm"))
    for y, text in zip((300, 360), sheet.pick("notes", 2), strict=True):
        sheet.write(Mark(text, (110, y), 34, (80, 80, 95), anchor="lm"))


def _board(sheet: _Sheet) -> None:
    word = sheet.pick("new")[0]
    for number, spot in enumerate(((90, 120), (560, 150), (300, 580))):
        box = sheet.panel((*spot, spot[0] + 380, spot[1] + 330), _PAPERS[number])
        sheet.write(Mark(word, (spot[0] + 190, spot[1] + 90), 44, (170, 30, 40), "bold", panel=box))
        sheet.write(Mark(sheet.pick("notes")[0], (spot[0] + 190, spot[1] + 210), 30, (50, 50, 60), panel=box))


_LAYOUTS: tuple[tuple[Callable[[_Sheet], None], str], ...] = (
    (_poster, "night"), (_label, "brick"), (_form, "flat"), (_slide, "gradient"), (_street, "china"),
    (_cover, "flower"), (_ticket, "gradient"), (_menu, "night"), (_shop, "brick"), (_banner, "gravel"),
    (_screen, "gradient"), (_board, "grass"),
)  # fmt: skip
_PAPERS: tuple[Colour, ...] = ((255, 250, 205), (220, 240, 255), (255, 228, 225))
_SPOTS: dict[Spot, tuple[str, str]] = {
    "top": ("at the top of the image", "图片顶部"), "bottom": ("at the bottom of the image", "图片底部"),
    "centre": ("in the center of the image", "图片中央"), "top left": ("in the top left corner", "图片左上角"),
    "top right": ("in the top right corner", "图片右上角"), "bottom left": ("in the bottom left corner", "图片左下角"),
    "bottom right": ("in the bottom right corner", "图片右下角"),
}  # fmt: skip
_SIDES: dict[Side, tuple[str, str]] = {"below": ("below", "下方"), "above": ("above", "上方")}
_ADDS: tuple[Side | Spot, ...] = (
    "below", "top", "above", "bottom right", "below", "centre", "above", "bottom", "top left", "below", "top right",
    "centre", "bottom left",
)  # fmt: skip
_CHANGES = ("longer", "delete", "shorter", "same", "delete")


def make_page(number: int) -> Page:
    """Page ``number`` (0, 1, 2, ...) with two edits: one adds a text, the other replaces or deletes one."""
    draw, ground = _LAYOUTS[number % len(_LAYOUTS)]
    language = "zh" if (number + number // len(_LAYOUTS)) % 2 else "en"
    rng = np.random.default_rng([20261129, number])
    sheet = _Sheet(rng, language, _ground(rng, ground))
    draw(sheet)
    marks = sheet.marks if draw is not _slide else [sheet.marks[-1], *sheet.marks[:-1]]
    cases = (_adding(sheet, marks, _ADDS[number % len(_ADDS)]), _changing(sheet, marks, number))
    png = encode_final(np.asarray(sheet.image, dtype=np.uint8), "png")
    return Page(f"{number:02d}{draw.__name__}", language, png, tuple(marks), cases)


def _adding(sheet: _Sheet, marks: list[Mark], where: Side | Spot) -> Case:
    (new,) = [text for text in sheet.pick("new", 2) if text not in {mark.text for mark in marks}][:1]
    chinese, anchor = sheet.language == "zh", marks[0]
    if where in ("above", "below"):
        words, told = _SIDES[where][chinese], anchor.text
        prompt = f"在“{told}”{words}添加文字“{new}”" if chinese else f"Add the text '{new}' {words} '{told}'"
        place = Place(told, True, where, None, words)
        return Case(where, prompt, TextEdit("add", None, new, place), anchor, anchor.panel)
    words = _SPOTS[where][chinese]  # type: ignore[index]
    prompt = f"在{words}添加文字“{new}”" if chinese else f"Add the text '{new}' {words}"
    return Case(where, prompt, TextEdit("add", None, new, Place(spot=where, words=words)))  # type: ignore[arg-type]


def _changing(sheet: _Sheet, marks: list[Mark], number: int) -> Case:
    kind, mark = _CHANGES[number % len(_CHANGES)], marks[number % 2]
    everywhere = sum(one.text == mark.text for one in marks) > 1
    if kind == "delete":
        prompt = f"删除文字“{mark.text}”" if sheet.language == "zh" else f"Remove the text '{mark.text}'"
        return Case("delete all" if everywhere else kind, prompt, TextEdit("delete", mark.text, None), mark)
    words = {"longer": "long", "shorter": "short", "same": "titles"}[kind]
    (new,) = [text for text in sheet.pick(words, 3) if text not in {one.text for one in marks}][:1]
    prompt = f"把“{mark.text}”改成“{new}”" if sheet.language == "zh" else f"Change '{mark.text}' to '{new}'"
    kind = f"{kind} all" if everywhere else kind
    return Case(kind, prompt, TextEdit("replace", mark.text, new), mark, mark.panel)


def shipped_pages() -> list[Page]:
    """Pictures of packages in which the reader finds lettering: a scanned page, a name tag, a logo."""
    import matplotlib
    from skimage import data

    folder = f"{matplotlib.get_data_path()}/sample_data"
    page = np.stack([data.page()] * 3, axis=-1)  # type: ignore[no-untyped-call]
    tag, logo = (
        np.asarray(Image.open(f"{folder}/{file}").convert("RGB")) for file in ("grace_hopper.jpg", "logo2.png")
    )
    title = "Region-based segmentation"
    return [
        _shipped("page", page, "Chapter 4", Place(spot="top", words="at the top of the image"), "markers", "labels"),
        _shipped("page again", page, "A first try", Place(title, True, "below", words=f"below '{title}'"), title, None),
        _shipped("tag", tag, "Navy", Place(spot="top left", words="in the top left corner"), "HOPPER", "HARRIS"),
        _shipped("logo", logo, "plots", Place(spot="bottom right", words="in the bottom right corner"),
                 "matplotlib", "matplotlib for everyone"),
    ]  # fmt: skip


def _shipped(name: str, rgb: NDArray[np.uint8], text: str, place: Place, old: str, new: str | None) -> Page:
    anchor = Mark(place.of, (0, 0), 20, (0, 0, 0)) if place.of else None
    prompt = f"Add the text '{text}' {place.words}"
    adding = Case(place.side or str(place.spot), prompt, TextEdit("add", None, text, place), anchor)
    change = f"Remove the text '{old}'" if new is None else f"Change '{old}' to '{new}'"
    edit = TextEdit("delete" if new is None else "replace", old, new)
    changing = Case("delete" if new is None else "replace", change, edit, Mark(old, (0, 0), 20, (0, 0, 0)))
    return Page(name, "en", encode_final(rgb, "png"), (), (adding, changing))
