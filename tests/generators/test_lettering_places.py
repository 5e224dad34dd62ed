"""Where ``textedit`` puts text: on drawn pages with signs, panels and several lines, judged by re-reading."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from generators.textedit import TextEditor, without_stray_quotes
from selector.domain import Declined, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.reading import Place, Reading, TextEdit
from selector.sight.fonts import all_fonts
from selector.sight.ocr import read_text
from selector.sight.text_match import plain

SIGN = (120, 90, 520, 250)
LINES = (("BAKERY", (320, 150), 56, (250, 245, 230)), ("Hill Street", (320, 215), 30, (250, 245, 230)))
UNDER = (("Closed on Mondays", (320, 420), 34, (40, 40, 60)),)


def font(size_px, name="DejaVu Sans Bold"):
    return ImageFont.truetype(next(one.path for one in all_fonts() if one.name == name), size_px)


def page(lines=(*LINES, *UNDER), sign=SIGN, angle=0.0):
    """A blue sign on a light ground; lines whose middle lies on the sign are turned with it."""
    image = Image.new("RGB", (640, 560), (222, 226, 214))
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    draw.rectangle(sign, fill=(30, 60, 130, 255))
    for text, at, size_px, colour in lines:
        draw.text(at, text, colour, font(size_px), "mm")
    centre = ((sign[0] + sign[2]) / 2, (sign[1] + sign[3]) / 2)
    image.paste(turned := layer.rotate(angle, Image.Resampling.BICUBIC, center=centre), mask=turned)
    return Picture(encode_final(np.asarray(image), "png"))


def edited(picture, edit, rank=0):
    task = Task("1", TaskType.VTTIE, "as the reading says", "x.png", None, 0)
    inputs = TaskInputs(task, picture, reading=Reading(text_edit=edit))
    editor = TextEditor()
    return editor.generate(inputs, editor.recipes(inputs, 12, seed=1)[rank])


def added(picture, text, place, rank=0):
    return edited(picture, TextEdit("add", None, text, place), rank)


def box_of(made, text):
    """(left, top, right, bottom) px of the line that reads as the text, and its slant in degrees."""
    lines = read_text(Picture(encode_final(made.image, "png")), 0.3)
    line = next((line for line in lines if plain(text) in plain(line.text)), None)
    assert line is not None, [line.text for line in lines]
    along = line.box[1] + line.box[2] - line.box[0] - line.box[3]
    return (*line.box.min(axis=0), *line.box.max(axis=0)), float(np.degrees(np.arctan2(along[1], along[0])))


def reads(made):
    return [plain(line.text) for line in read_text(Picture(encode_final(made.image, "png")), 0.3)]


def test_text_below_a_named_line_stands_between_it_and_the_next_one():
    (left, top, right, bottom), slant = box_of(
        added(page(), "Open daily", Place("Closed on Mondays", True, "below")), "Open daily"
    )
    assert top > 430 and bottom < 540 and abs((left + right) / 2 - 320) < 8 and abs(slant) < 1.5


def test_text_above_a_line_of_a_sign_stays_on_the_sign():
    (left, top, right, bottom), _ = box_of(added(page(), "Since 1962", Place("BAKERY", True, "above")), "Since 1962")
    assert top > SIGN[1] - 2 and bottom < 140 and left > SIGN[0] and right < SIGN[2]


@pytest.mark.parametrize(("side", "row"), [("left", "nowClosedonMondays"), ("right", "ClosedonMondaysnow")])
def test_text_beside_a_line_stands_on_its_baseline(side, row):
    made = added(page(), "now", Place("Closed on Mondays", True, side))
    changed = np.argwhere((made.image != page().rgb).any(axis=2))
    assert row in reads(made) and changed[:, 0].max() == pytest.approx(432, abs=3)  # of letters without descenders


def test_text_on_a_slanted_sign_is_parallel_to_its_line():
    picture = page(LINES, sign=(120, 90, 520, 300), angle=8.0)
    _, slant = box_of(added(picture, "Fresh bread", Place("Hill Street", True, "below"), 1), "Fresh bread")
    assert slant == pytest.approx(-8.0, abs=2.0)


def test_text_at_a_spot_of_the_picture_is_level_although_its_model_is_slanted():
    (_, top, _, _), slant = box_of(added(page(LINES, angle=8.0), "Sold out", Place(spot="bottom")), "Sold out")
    assert top > 450 and abs(slant) < 1.0


@pytest.mark.parametrize(
    ("spot", "across", "down"),
    [("top", 0.5, 0.0), ("bottom right", 1.0, 1.0), ("top left", 0.0, 0.0), ("centre", 0.5, 0.5)],
)
def test_text_stands_at_the_asked_spot(spot, across, down):
    made = added(page(), "Sold out", Place(spot=spot))
    (left, top, right, bottom), _ = box_of(made, "Sold out")
    wide, high = 640, 560
    gaps = {
        0.0: (left, top),
        0.5: (abs(left + right - wide) / 2, abs(top + bottom - high) / 2),
        1.0: (wide - right, high - bottom),
    }
    assert gaps[across][0] < 0.08 * wide and gaps[down][1] < 0.1 * high
    assert made.notes["place"] == spot and {"BAKERY", "HillStreet", "ClosedonMondays"} <= set(reads(made))


def test_spot_that_is_taken_is_noted():
    lines = (("The grand opening of the bridge", (320, 280), 30, (40, 40, 60)),)
    made = added(page(lines, sign=(0, 0, 1, 1)), "Sold out", Place(spot="centre"))
    (_, top, _, bottom), _ = box_of(made, "Sold out")
    assert (bottom < 285 or top > 275) and "moved" in made.notes["place"]


def test_spot_inside_an_object_is_known_by_its_text():
    (_, top, right, bottom), _ = box_of(added(page(), "No 7", Place("BAKERY", True, "in", "bottom right")), "No 7")
    assert right > 440 and right < SIGN[2] + 2 and bottom < SIGN[3] + 2 and top > 180


def test_thing_is_taken_for_the_only_object_with_text_and_that_is_noted():
    made = added(page(), "No 7", Place("shop sign", False, "on", "top left"))
    (left, top, _, _), _ = box_of(made, "No 7")
    assert left < 220 and top < 150 and "taken for what bears 'BAKERY'" in made.notes["place"]


def test_side_of_a_thing_that_bears_no_text_is_declined():
    with pytest.raises(Declined, match=r"where 'door' is .* is not known.*0 bear some"):
        added(page(UNDER, sign=(0, 0, 1, 1)), "Push", Place("door", False, "above"))


def test_anchor_that_is_not_there_is_declined_with_what_was_read():
    with pytest.raises(Declined, match=r"'Museum', by which the place is told.*BAKERY"):
        added(page(), "Free", Place("Museum", True, "below"))


def test_place_without_room_is_declined():
    lines = (("BAKERY", (320, 34), 60, (250, 245, 230)),)
    with pytest.raises(Declined, match=r"no room for 'Fresh bread every morning' above 'BAKERY'"):
        added(page(lines, sign=(0, 0, 640, 560)), "Fresh bread every morning", Place("BAKERY", True, "above"))


def test_longer_replacement_stays_on_its_sign_and_the_other_lines_stay():
    made = edited(page(), TextEdit("replace", "BAKERY", "MUSEUM OF BREAD AND CAKE"))
    changed = np.argwhere((made.image != page().rgb).any(axis=2))
    assert changed[:, 1].min() > SIGN[0] and changed[:, 1].max() < SIGN[2]
    assert changed[:, 0].min() > SIGN[1] and changed[:, 0].max() < SIGN[3]
    assert "HillStreet" in reads(made) and plain("MUSEUM OF BREAD AND CAKE") in "".join(reads(made))


def test_word_is_changed_wherever_it_is_a_line_of_its_own():
    lines = tuple(("DRAFT", (320, y), 44, (160, 30, 30)) for y in (330, 420, 500))
    made = edited(page(lines), TextEdit("replace", "DRAFT", "FINAL"))
    assert made.notes["places"] == 3 and reads(made).count("FINAL") == 3 and "DRAFT" not in reads(made)


def test_of_equal_texts_the_one_at_the_told_place_is_meant():
    lines = tuple(("DRAFT", (320, y), 44, (160, 30, 30)) for y in (330, 420, 500))
    made = edited(page(lines), TextEdit("delete", "DRAFT", None, Place(spot="bottom")))
    changed = np.argwhere((made.image != page(lines).rgb).any(axis=2))
    assert changed[:, 0].min() > 460 and reads(made).count("DRAFT") == 2


PAIR = (("SALE", (150, 330), 44, (160, 30, 30)), ("SALE", (490, 335), 44, (160, 30, 30)),
        ("SALE", (150, 480), 44, (160, 30, 30)))  # fmt: skip


def changed_at(edit, lines=PAIR):
    """Which of the lines was changed, by the pixels around each, and the note on the place."""
    made = edited(page(lines), edit)
    off = (made.image != page(lines).rgb).any(axis=2)
    found = [bool(off[y - 20 : y + 20, x - 60 : x + 60].any()) for _, (x, y), *_ in lines]
    return [index for index, hit in enumerate(found) if hit], made.notes.get("place", "")


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        (Place(spot="right", words="on the right"), [1]), (Place(spot="bottom", words="下面"), [2]),
        (Place(words="last line"), [2]), (Place(words="倒数第一行"), [2]), (Place(spot="top right"), [1]),
    ],
)  # fmt: skip
def test_of_equal_texts_a_side_or_a_row_chooses_one(place, wanted):
    assert changed_at(TextEdit("replace", "SALE", "SOLD", place)) == (wanted, "")


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        (Place(spot="left", words="on the left"), [0, 2]), (Place(words="second page"), [0, 1, 2]),
        (Place(words="ninth line"), [0, 1, 2]), (Place("window", side="left", words="left of the window"), [0, 1, 2]),
        (Place("Museum", True, "below", words="below 'Museum'"), [0, 1, 2]),
    ],
)  # fmt: skip
def test_a_place_that_does_not_choose_one_is_noted(place, wanted):
    changed, note = changed_at(TextEdit("delete", "SALE", None, place))
    assert changed == wanted and place.words in note and "were changed" in note


def test_all_equal_texts_are_changed_in_running_text_too_where_it_is_said():
    lines = (("Big SALE now", (320, 330), 40, (160, 30, 30)), ("One SALE more", (320, 480), 40, (160, 30, 30)))
    assert changed_at(TextEdit("replace", "SALE", "DEAL", which="all"), lines)[0] == [0, 1]
    assert len(changed_at(TextEdit("replace", "SALE", "DEAL"), lines)[0]) == 1


def test_replacement_is_aligned_with_the_lines_around_it():
    lines = tuple((text, (60 + font(30).getlength(text) / 2, y), 30, (40, 40, 60)) for text, y in
                  (("Lentil soup", 330), ("Grilled trout", 400), ("Apple pie with cream", 470)))  # fmt: skip
    (left, *_), _ = box_of(edited(page(lines), TextEdit("replace", "Grilled trout", "Rice")), "Rice")
    assert abs(left - 60) < 8


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Fresh Bread'", "Fresh Bread"), ("“Sale", "Sale"), ("'Open", "Open"), ("the teachers'", "the teachers'"),
        ("'90s night", "'90s night"), ("'quoted'", "'quoted'"), ("Tom's", "Tom's"), ("休息」", "休息"),
    ],
)  # fmt: skip
def test_no_stray_quotation_mark_is_drawn(given, kept):
    assert without_stray_quotes(given) == kept
