"""Text edits on a real page scan and on drawn signs, judged by re-reading and by pixels."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from experiments.support.signs import HELD_OUT, make_sign
from generators._lettering.fill import fill, is_textured
from generators._lettering.layout import split_text
from generators._lettering.render import EM_PX, apply, render
from generators.textedit import TextEditor
from selector.domain import (
    Declined,
    Generator,
    InputError,
    MissingPart,
    Picture,
    Recipe,
    Task,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.domain.reading import Reading, TextEdit
from selector.sight.fonts import all_fonts, fonts_for
from selector.sight.ocr import read_text
from selector.sight.text_match import plain


def inputs_of(picture, prompt):
    return TaskInputs(Task("1", TaskType.VTTIE, prompt, "x.png", None, 0), source=picture)


@pytest.fixture(scope="module")
def page():
    return Picture(encode_final(np.stack([data.page()] * 3, axis=-1), "png"))


def made(picture, prompt, place=0, **settings):
    editor, inputs = TextEditor(**settings), inputs_of(picture, prompt)
    return editor.generate(inputs, editor.recipes(inputs, 12, seed=3)[place])


def texts(image):
    return [line.text for line in read_text(Picture(encode_final(image)), 0.3)]


def test_editor_fulfils_the_contract():
    assert isinstance(TextEditor(), Generator)
    TextEditor().check()


def test_other_fonts_are_another_version_because_recipes_name_fonts_by_rank(tmp_path):
    assert TextEditor().version == TextEditor().version
    assert TextEditor(exclude_fonts=["serif"]).version != TextEditor().version
    assert TextEditor(str(tmp_path / "none")).version == "3-no-fonts"  # `check` tells what is wrong


def test_word_in_a_line_of_the_page_is_replaced_and_its_neighbours_stay(page):
    shown = texts(made(page, "Change 'markers' to 'regions'").image)
    assert "Let us first determine regions of the coins and the" in shown
    assert "background. These markers are pixels that we can label" in shown


def test_pixels_away_from_the_text_are_the_source_bit_by_bit(page):
    image = made(page, "Change 'markers' to 'regions'").image
    changed = np.argwhere((image != page.rgb).any(axis=2))
    assert image.shape == page.rgb.shape and image.dtype == np.uint8
    assert changed[:, 0].min() > 40 and changed[:, 0].max() < 75  # rows of the second line
    assert changed[:, 1].min() > 155 and changed[:, 1].max() < 240


def test_deleted_line_is_gone_and_the_next_ones_stay(page):
    shown = texts(made(page, "remove the text 'background'").image)
    assert not any(text.startswith("background") for text in shown)
    assert shown[0] == "Region-based segmentation"


def test_added_text_is_readable(page):
    assert "Figure 7" in texts(made(page, "add the text 'Figure 7'").image)


@pytest.mark.parametrize("number", [1, 5, 16])
def test_sign_in_an_unknown_font_reads_as_wanted(number):
    sign = make_sign(number)
    image = made(Picture(sign.png), sign.instruction, exclude_fonts=HELD_OUT).image
    assert plain(sign.new) in plain("".join(texts(image)))


def test_every_recipe_differs_and_a_longer_list_starts_with_the_shorter():
    for prompt in ("change 'A' to 'B'", "delete 'A'", "add 'A'"):
        editor, inputs = TextEditor(), inputs_of(Picture(b""), prompt)
        twelve = editor.recipes(inputs, 12, seed=1)
        assert len(twelve) >= 8 and len({recipe.key for recipe in twelve}) == len(twelve)
        assert list(editor.recipes(inputs, 4, seed=1)) == list(twelve[:4])


def test_recipes_make_different_pictures():
    sign = make_sign(8)
    first = [made(Picture(sign.png), sign.instruction, place).image.tobytes() for place in range(6)]
    assert len(set(first)) == 6


def test_same_recipe_gives_the_same_pixels_in_another_process():
    code = (
        "import sys, hashlib; sys.path[:0] = ['tests/generators', 'tests']; import test_textedit as t;"
        "print(t.digest_of_a_sign())"
    )
    root = Path(__file__).resolve().parents[2]
    said = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).strip()
    assert said == digest_of_a_sign()


def digest_of_a_sign():
    sign = make_sign(4)
    return hashlib.sha256(made(Picture(sign.png), sign.instruction).image.tobytes()).hexdigest()


def test_instruction_that_is_not_understood_is_declined():
    with pytest.raises(Declined, match=r"make it a painting.*quote the texts"):
        TextEditor().recipes(inputs_of(Picture(b""), "make it a painting"), 3, 0)


def test_task_without_a_picture_is_declined():
    with pytest.raises(Declined, match="no source picture"):
        TextEditor().recipes(inputs_of(None, "change 'A' to 'B'"), 3, 0)


def test_old_text_that_is_not_there_is_declined_with_what_was_read(page):
    with pytest.raises(Declined, match=r"'Zebra crossing' was not found.*Region-based segmentation"):
        made(page, "change 'Zebra crossing' to 'Footpath'")


def test_picture_without_text_is_declined_with_a_reason():
    blank = Picture(encode_final(np.full((100, 200, 3), 90, dtype=np.uint8)))
    with pytest.raises(Declined, match="nothing"):
        made(blank, "change 'A' to 'B'")


def test_variants_name_action_and_method(page):
    variants = [recipe.variant for recipe in TextEditor().recipes(inputs_of(page, "change 'a' to 'b'"), 6, 0)]
    assert variants[0] == "replace:kmeans-auto" and variants[3] == "replace:kmeans-telea-box"
    assert len(set(variants)) == 6


def test_characters_that_no_font_has_are_a_missing_part(page):
    with pytest.raises(MissingPart, match="fonts folder"):
        made(page, "Change 'markers' to '\uefff'")


def test_unknown_recipe_parameter_is_an_input_error(page):
    with pytest.raises(InputError, match="unknown recipe parameter 'colour'"):
        TextEditor().generate(inputs_of(page, "change 'a' to 'b'"), Recipe("replace", 0, {"colour": 1}))


def test_capitals_of_the_picture_are_kept_when_the_instruction_ignores_case():
    sign = make_sign(4)
    assert sign.old == "EXIT"
    assert made(Picture(sign.png), "change 'exit' to 'entry'").notes["drawn"] == ["ENTRY"]


def test_text_is_split_over_lines_in_proportion():
    assert split_text("GOOD NEW YEAR", [4, 8]) == ["GOOD", "NEW YEAR"]
    assert split_text("新年快乐", [2, 2]) == ["新年", "快乐"]
    assert split_text("one", [5, 5]) in (["one", ""], ["", "one"])


def test_rendered_area_follows_the_scale_and_the_blur_keeps_it():
    font = fonts_for("A")[0]
    small = render(font, "A", np.array([[0.25, 0, 20], [0, 0.25, 60], [0, 0, 1.0]]), (100, 100))
    large = render(font, "A", np.array([[0.5, 0, 10], [0, 0.5, 80], [0, 0, 1.0]]), (100, 100))
    assert large.sum() / small.sum() == pytest.approx(4.0, rel=0.03)
    soft = render(font, "A", np.array([[0.25, 0, 20], [0, 0.25, 60], [0, 0, 1.0]]), (100, 100), blur_px=1.5)
    assert soft.sum() == pytest.approx(small.sum(), rel=0.01)
    assert np.ptp(np.flatnonzero(small.any(axis=1))) < EM_PX * 0.25


def test_homography_of_points_by_hand():
    turn = np.array([[0.0, -1.0, 5.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    assert apply(turn, np.array([[3.0, 1.0]])).tolist() == [[2.0, 1.5]]


def poster(text, **style):
    """One line of 44 px on a plain ground."""
    image = Image.new("RGB", (480, 140), (70, 120, 160))
    face = ImageFont.truetype(next(f for f in all_fonts() if f.name == "DejaVu Sans Bold").path, 44)
    ImageDraw.Draw(image).text((240, 70), text, font=face, fill=(250, 250, 240), anchor="mm", **style)
    return Picture(encode_final(np.asarray(image), "png"))


def test_outline_of_letters_is_erased_and_drawn_again():
    source = poster("OPEN", stroke_width=3, stroke_fill=(20, 10, 10))
    image = made(source, "change 'OPEN' to 'SHUT'").image
    dark = [(picture.max(axis=2) < 60).sum() for picture in (image, source.rgb)]
    assert texts(image) == ["SHUT"] and 0.7 < dark[0] / dark[1] < 1.3
    assert made(source, "delete 'OPEN'").image.min() > 55


def test_letters_without_outline_get_none():
    image = made(poster("OPEN"), "change 'OPEN' to 'SHUT'").image
    assert image.min() > 55


@pytest.mark.parametrize("method", ["auto", "exemplar", "surface", "telea", "ns"])
def test_fill_restores_a_gradient_and_touches_nothing_else(method):
    y, x = np.mgrid[0:60, 0:80]
    truth = np.stack([100 + x, 120 + y, 90 + 0.5 * x + 0.5 * y], axis=-1).astype(float)
    hole = np.zeros((60, 80), dtype=bool)
    hole[25:32, 20:60] = True
    damaged = np.where(hole[..., None], 0.0, truth)
    filled = fill(damaged, hole, np.zeros_like(hole), method, np.random.default_rng(0))
    assert (filled[~hole] == truth[~hole]).all()
    assert np.abs(filled - truth)[hole].mean() < 6.0


def test_grass_is_texture_and_a_noisy_wall_is_none():
    hole = np.zeros((120, 160), dtype=bool)
    hole[50:60, 40:120] = True
    none = np.zeros_like(hole)
    grass = np.stack([data.grass()[:120, :160]] * 3, axis=-1).astype(float)
    wall = 120.0 + np.random.default_rng(0).normal(0, 3, (120, 160, 3))
    assert is_textured(grass, hole, none) and not is_textured(wall, hole, none)


def test_a_reading_takes_the_place_of_rules(page):
    inputs = replace(
        inputs_of(page, "whatever it says"), reading=Reading("m", text_edit=TextEdit("delete", None, None))
    )
    assert TextEditor().recipes(inputs, 1, 0)[0].variant.startswith("delete")
    with pytest.raises(Declined, match="not read: no one text"):
        TextEditor().recipes(replace(inputs, reading=Reading("m", unread="no one text")), 1, 0)
