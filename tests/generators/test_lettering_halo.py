"""Shadows, glows and fills: what goes with deleted letters, and what it costs."""

import time

import numpy as np
import pytest
from costs import within
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from generators._lettering.bearer import find_bearer
from generators._lettering.exemplar import copied_ground
from selector.domain import Picture, encode_final
from selector.domain.reading import TextEdit
from tests.generators.test_lettering_places import edited, font, reads

GROUND = (150, 170, 190)


def lettered(colour, soft, shift=(0, 0), blur_px=3, wider=0):
    image = Image.new("RGB", (640, 300), GROUND)
    layer = Image.new("RGBA", image.size)
    place = (320 + shift[0], 130 + shift[1])
    ImageDraw.Draw(layer).text(place, "Harbour", soft, font(80), "mm", stroke_width=wider)
    layer = layer.filter(ImageFilter.GaussianBlur(blur_px))
    image.paste(layer, mask=layer)
    ImageDraw.Draw(image).text((320, 130), "Harbour", colour, font(80), "mm")
    ImageDraw.Draw(image).text((320, 215), "since 1962", (60, 60, 80), font(30), "mm")
    return Picture(encode_final(np.asarray(image), "png"))


SHADOW = lettered((250, 250, 250), (20, 20, 20, 200), (6, 6))
GLOW = lettered((30, 40, 120), (255, 250, 170, 255), blur_px=5, wider=6)


@pytest.mark.parametrize("picture", [SHADOW, GLOW], ids=["shadow", "glow"])
def test_shadow_and_glow_go_with_the_letters_and_the_next_line_stays(picture):
    made = edited(picture, TextEdit("delete", "Harbour", None))
    left = np.abs(made.image[60:190].astype(int) - GROUND).max(axis=2)
    assert np.quantile(left, 0.995) <= 6 and reads(made) == ["since1962"]


@pytest.mark.parametrize(
    ("picture", "theirs"),
    [(SHADOW, lambda rgb: rgb.max(axis=2) < 160), (GLOW, lambda rgb: rgb[..., 0] > 200)],
    ids=["shadow", "glow"],
)
def test_shadow_and_glow_are_drawn_again_under_new_letters(picture, theirs):
    made = edited(picture, TextEdit("replace", "Harbour", "Seaside"))
    new, old = (theirs(image[60:190]).sum() for image in (made.image, picture.rgb))
    assert reads(made)[0] == "Seaside" and 0.3 < new / old < 1.8  # a shadow comes out softer


def test_large_hole_in_texture_is_filled_in_seconds_with_texture_as_sharp():
    grass = np.stack([data.grass()] * 3, axis=-1).astype(float)
    hole = np.zeros(grass.shape[:2], dtype=bool)
    hole[150:330, 60:450] = True
    with within(6, time.process_time):  # 47 s before the match was made on a small copy
        filled = copied_ground(grass, hole, np.zeros_like(hole))
    assert (filled[~hole] == grass[~hole]).all()
    sharp = [np.abs(np.diff(image[150:330, 60:450, 0], axis=1)).mean() for image in (filled, grass)]
    assert sharp[0] == pytest.approx(sharp[1], rel=0.15)


def test_no_ground_to_copy_from_is_none():
    crop = np.zeros((20, 20, 3))
    assert copied_ground(crop, np.ones((20, 20), bool), np.zeros((20, 20), bool)) is None


def test_bearer_ends_at_its_border_and_holds_its_other_lines():
    image = Image.new("RGB", (600, 400), (200, 190, 170))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 60, 500, 340), fill=(240, 235, 220), outline=(40, 40, 40), width=3)
    boxes = [
        np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)
        for x0, y0, x1, y1 in ((200, 150, 400, 190), (230, 210, 370, 240))
    ]
    for x0, y0, x1, y1 in ((205, 156, 395, 184), (235, 214, 365, 236)):
        draw.rectangle((x0, y0, x1, y1), fill=(120, 20, 20))
    mask = find_bearer(np.asarray(image), boxes, 0)
    assert mask[225, 300] and mask[80, 300] and not mask[30, 30] and not mask[200, 90]
    assert mask.sum() == pytest.approx(np.pi * 200 * 140, rel=0.06)


def test_textured_ground_bears_nothing_that_can_be_seen():
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    assert find_bearer(noise, [np.array([[100, 80], [200, 80], [200, 120], [100, 120]], float)], 0) is None
