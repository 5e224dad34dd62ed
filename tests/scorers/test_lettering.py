"""The manner of letters on drawn signs whose faults are known."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from experiments.support.signs import make_sign
from scorers._ink import Ink
from scorers._text_pair import drawn
from scorers.lettering import Lettering
from selector.domain import Item, Picture, Scorer, Task, TaskInputs, TaskType, encode_final
from selector.sight.fonts import all_fonts

INK, GROUND = (30, 30, 70), (226, 220, 205)
PROMPT = "change 'Coffee' to 'Toffee'"


def font_named(name):
    return next(font for font in all_fonts() if font.name == name)


def sign(text, size=48, ink=INK, at=(240, 110), stroke=0, font="DejaVu Serif Book", blur=0.0, ground=GROUND):
    """One line, centred on ``at``, on a ground with some grain."""
    image = Image.new("RGB", (480, 220), ground)
    opened = ImageFont.truetype(font_named(font).path, size)
    draw = ImageDraw.Draw(image)
    draw.text(at, text, font=opened, fill=ink, anchor="mm", stroke_width=stroke, stroke_fill=ink)
    shown = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)) if blur else image, dtype=np.float64)
    grain = np.random.default_rng(5).normal(0, 2, shown.shape)
    return Picture(encode_final(np.clip(shown + grain, 0, 255).astype(np.uint8), "png"))


def scored(candidate, source=None, prompt=PROMPT):
    inputs = TaskInputs(Task("1", TaskType.VTTIE, prompt, "x.png", None, 0), source=source or sign("Coffee"))
    return Lettering().score([Item(inputs, candidate)])[0]


def values(column, candidates):
    return [scored(candidate)[column].value for candidate in candidates]


def falls(numbers):
    return all(one > other + 0.02 for one, other in pairwise(numbers))


def test_scorer_fulfils_the_contract():
    assert isinstance(Lettering(), Scorer)
    Lettering().check()
    assert Lettering().score([]) == []


def test_text_in_the_manner_of_the_old_one_scores_nearly_full():
    scores = scored(sign("Toffee"))
    assert min(score.value for score in scores.values()) > 0.85


@pytest.mark.parametrize("number", [3, 9, 16])
def test_signs_drawn_with_the_new_text_score_nearly_full(number):
    drawn_sign = make_sign(number)
    scores = Lettering().score([Item(drawn_sign.inputs(), Picture(drawn_sign.truth_png))])[0]
    measured = [score.value for score in scores.values() if score.value is not None]
    assert len(measured) >= 8 and min(measured) > 0.75 and np.mean(measured) > 0.93


@pytest.mark.parametrize("sizes", [(48, 56, 66), (48, 42, 36)])
def test_larger_and_smaller_letters_match_less_in_height_and_width(sizes):
    for column in ("height_match", "width_match"):
        assert falls(values(column, [sign("Toffee", size=size) for size in sizes]))


def test_thicker_strokes_match_less():
    assert falls(values("stroke_match", [sign("Toffee", stroke=stroke) for stroke in (0, 1, 2)]))


def test_thinner_strokes_match_less():
    source = sign("Coffee", stroke=2)
    measured = [scored(sign("Toffee", stroke=stroke), source)["stroke_match"].value for stroke in (2, 1, 0)]
    assert falls(measured)


def test_other_colour_of_the_ink_matches_less():
    inks = (INK, (60, 60, 110), (150, 40, 40))
    assert falls(values("colour_match", [sign("Toffee", ink=ink) for ink in inks]))


def test_text_off_its_place_matches_less():
    assert falls(values("place_match", [sign("Toffee", at=(240, 110 + down)) for down in (0, 8, 16)]))
    assert falls(values("place_match", [sign("Toffee", at=(240 + right, 110)) for right in (0, 12, 30)]))


def test_softer_edges_match_less():
    assert falls(values("sharpness_match", [sign("Toffee", blur=blur) for blur in (0.0, 1.0, 2.0)]))


def test_italics_match_less_in_slant_and_form():
    upright, leaning = sign("Toffee"), sign("Toffee", font="DejaVu Serif Italic")
    for column in ("slant_match", "form_match"):
        assert falls(values(column, [upright, leaning]))


def test_other_typeface_matches_less_in_form():
    fonts = ("DejaVu Serif Book", "DejaVu Sans Book", "DejaVu Sans Mono Bold")
    assert falls(values("form_match", [sign("Toffee", font=font) for font in fonts]))


def test_patch_of_another_tone_is_no_kept_ground():
    tones = (GROUND, (220, 212, 196), (205, 196, 178))
    measured = []
    for tone in tones:
        patched = sign("Toffee").rgb.copy()
        patch = patched[70:150, 130:350]
        patched[70:150, 130:350] = np.clip(patch + (np.array(tone) - GROUND), 0, 255)
        measured.append(scored(Picture(encode_final(patched, "png")))["ground_kept"].value)
    assert measured[0] > 0.9 and falls(measured)


def test_lost_texture_is_no_kept_ground():
    stripes = np.where(np.arange(480) % 12 < 6, 14.0, -14.0)[None, :, None]
    source, candidate = (np.clip(sign(text).rgb + stripes, 0, 255).astype(np.uint8) for text in ("Coffee", "Toffee"))
    smooth = candidate.copy()
    smooth[70:150, 130:350] = sign("Toffee").rgb[70:150, 130:350]
    kept, lost = (
        scored(Picture(encode_final(rgb, "png")), Picture(encode_final(source, "png")))["ground_kept"].value
        for rgb in (candidate, smooth)
    )
    assert kept > 0.9 and lost < 0.6


def test_candidate_of_another_size_scores_the_same():
    larger = Picture(encode_final(cv2.resize(sign("Toffee").rgb, (960, 440), interpolation=cv2.INTER_CUBIC), "png"))
    scores = scored(larger)
    assert scores["height_match"].value > 0.9 and scores["place_match"].value > 0.9


def test_word_inside_a_line_is_compared_with_its_own_place():
    source, prompt = sign("Hot Coffee here", size=40), "change 'Coffee' to 'Toffee'"
    scores = scored(sign("Hot Toffee here", size=40), source, prompt)
    assert scores["height_match"].value > 0.85 and scores["place_match"].value > 0.9


def test_different_characters_have_no_common_form_but_all_other_scores():
    scores = scored(sign("Dunkin"), prompt="change 'Coffee' to 'Dunkin'")
    assert "no character" in scores["form_match"].reason
    assert all(score.value is not None for name, score in scores.items() if name != "form_match")


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("remove the text 'Coffee'", "delete"),
        ("add the text 'Toffee' below", "add"),
        ("make it look like winter", "quote the texts"),
        ("convert the text to uppercase", "quote the texts"),
        ("change 'Breakfast' to 'Toffee'", "old text"),
        ("change 'Coffee' to 'Bureaucracy'", "new text"),
    ],
)
def test_texts_that_cannot_be_compared_are_unscored_with_the_reason(prompt, reason):
    scores = scored(sign("Toffee"), prompt=prompt)
    assert all(score.value is None and reason in score.reason for score in scores.values())


def test_damaged_picture_is_unscored():
    damaged = Picture(sign("Toffee").data[:200], "cut.png")
    assert all("cut.png" in score.reason for score in scored(damaged).values())


def test_stroke_of_a_bar_is_its_width():
    alpha = np.zeros((60, 200))
    alpha[20:30, 20:180] = 1.0
    bar = Ink(alpha, 0, alpha > 0, np.zeros(3))
    assert bar.stroke == pytest.approx(10.0, rel=0.08)
    assert (bar.height, bar.width) == pytest.approx((10.0, 160.0), abs=0.05)


def test_slant_and_slope_of_a_leaning_and_a_falling_stroke():
    leaning, falling = np.zeros((60, 60)), np.zeros((60, 200))
    cv2.fillConvexPoly(leaning, np.array([[30, 5], [38, 5], [28, 55], [20, 55]]), 1.0)  # 10 px over 50: 11.3 degrees
    cv2.line(falling, (10, 20), (190, 38), 1.0, 3)  # 18 rows over 180 columns
    assert Ink(leaning, 0, leaning > 0, np.zeros(3)).slant == pytest.approx(11.3, abs=1.5)
    line = Ink(falling, 0, falling > 0, np.zeros(3))
    assert line.slope == pytest.approx(0.1, abs=0.005)
    assert line.levelled(line.slope).height < 6 < 18 < line.height


def test_plain_text_knows_its_baseline_and_letters():
    shown = drawn("Ax y")
    assert [letter[0] for letter in shown.letters] == ["A", "x", "y"]
    assert drawn("A").ink.rows[1] == pytest.approx(drawn("A").baseline, abs=0.6)
    assert drawn("y").ink.rows[1] > drawn("y").baseline + 5
    assert drawn(" ") is None
