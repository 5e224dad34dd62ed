"""Text scores on drawn signs whose content is known."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from scorers.ocr_text import OcrText
from selector.domain import Item, Picture, Scorer, Task, TaskInputs, TaskType, encode_final
from selector.domain.reading import Reading, TextEdit
from selector.sight.fonts import fonts_for


def sign(*lines, size=(480, 240)):
    """Dark lines on a light ground, one below the other."""
    image = Image.new("RGB", size, (232, 226, 210))
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(lines):
        font = ImageFont.truetype(fonts_for(text or "A")[0].path, 40)
        draw.text((40, 30 + 90 * row), text, font=font, fill=(30, 30, 60))
    return Picture(encode_final(np.asarray(image), "png"))


def scored(prompt, source, candidate, task_type=TaskType.VTTIE):
    task = Task("1", task_type, prompt, "x.png" if source else None, None, 0)
    return OcrText().score([Item(TaskInputs(task, source=source), candidate)])[0]


def values(scores):
    return tuple(scores[column.name].value for column in OcrText.columns)


def test_scorer_fulfils_the_contract():
    assert isinstance(OcrText(), Scorer)
    OcrText().check()
    assert OcrText().score([]) == []


def test_perfect_edit_scores_full():
    scores = scored("change 'OPEN' to 'CLOSED'", sign("OPEN", "Monday"), sign("CLOSED", "Monday"))
    assert values(scores) == pytest.approx((1.0, 1.0, 1.0), abs=0.01)


def test_unchanged_picture_shows_no_new_text_and_keeps_the_old():
    source = sign("OPEN", "Monday")
    wanted, gone, kept = values(scored("change 'OPEN' to 'Library'", source, source))
    assert wanted < 0.4 and gone < 0.2 and kept == pytest.approx(1.0, abs=0.01)


def test_one_wrong_letter_costs_its_share():
    scores = scored("change 'Coffee' to 'Bakery'", sign("Coffee"), sign("Bakory"))
    assert scores["wanted_present"].value == pytest.approx(5 / 6, abs=0.01)


def test_wrong_case_costs_less_than_wrong_letters():
    scores = scored("change 'Coffee' to 'Bakery'", sign("Coffee"), sign("BAKERY"))
    assert 0.75 < scores["wanted_present"].value < 0.9


def test_lost_other_text_lowers_rest_kept_only():
    wanted, gone, kept = values(scored("change 'OPEN' to 'CLOSED'", sign("OPEN", "Monday"), sign("CLOSED")))
    assert wanted > 0.95 and gone > 0.9 and kept < 0.5


def test_old_text_inside_the_new_one_is_not_held_against_it():
    scores = scored("change 'Open' to 'Open late'", sign("Open"), sign("Open late"))
    assert values(scores)[:2] == pytest.approx((1.0, 1.0), abs=0.01)


def test_old_text_elsewhere_may_stay():
    source, candidate = sign("Coffee", "Coffee 2 EUR"), sign("Bakery", "Coffee 2 EUR")
    assert scored("change 'Coffee' to 'Bakery'", source, candidate)["old_gone"].value > 0.8


def test_of_equal_texts_all_must_go_where_all_are_meant():
    source, half, done = sign("SALE", "SALE today"), sign("SOLD", "SALE today"), sign("SOLD", "SOLD today")
    assert scored("change all 'SALE' to 'SOLD'", source, half)["old_gone"].value < 0.3
    assert values(scored("change all 'SALE' to 'SOLD'", source, done)) == pytest.approx((1.0, 1.0, 1.0), abs=0.01)


def test_which_of_equal_texts_is_gone_is_unscored_where_a_place_tells_it():
    scores = scored("change 'SALE' at the bottom to 'SOLD'", sign("SALE", "SALE"), sign("SALE", "SOLD"))
    assert scores["old_gone"].value is None and "in 2 places" in scores["old_gone"].reason
    assert scored("delete 'SALE' at the top", sign("SALE", "Monday"), sign("", "Monday"))["old_gone"].value == 1.0


def test_chinese_edit_is_read():
    scores = scored("把“营业中”改成“休息中”", sign("营业中", "上午九点"), sign("休息中", "上午九点"))
    assert values(scores) == pytest.approx((1.0, 1.0, 1.0), abs=0.01)


def test_deletion_asks_for_no_new_text():
    scores = scored("remove the text 'Monday'", sign("OPEN", "Monday"), sign("OPEN"))
    assert scores["wanted_present"].value is None
    assert scores["old_gone"].value == 1.0 and scores["rest_kept"].value == pytest.approx(1.0)


def test_candidate_of_another_size_is_compared_in_place():
    source = sign("OPEN", "Monday")
    larger = Picture(encode_final(np.asarray(Image.fromarray(sign("CLOSED", "Monday").rgb).resize((960, 480))), "png"))
    assert values(scored("change 'OPEN' to 'CLOSED'", source, larger)) == pytest.approx((1.0, 1.0, 1.0), abs=0.01)


def test_quoted_text_of_a_prompt_is_looked_for():
    scores = scored('a shop sign that says "Bakery"', None, sign("Bakery"), TaskType.T2I)
    assert scores["wanted_present"].value == 1.0 and scores["rest_kept"].value is None


def test_prompt_without_quotes_is_unscored_with_the_reason():
    scores = scored("a cat's bowl", None, sign("Bakery"), TaskType.T2I)
    assert {score.reason for score in scores.values()} == {"not applicable: the prompt quotes no text"}


def test_instruction_that_is_no_text_edit_is_unscored():
    scores = scored("make it night", sign("OPEN"), sign("OPEN"))
    assert all(score.value is None and "quote the texts" in score.reason for score in scores.values())


def test_damaged_candidate_is_unscored_and_the_others_are_not():
    task = Task("1", TaskType.VTTIE, "change 'OPEN' to 'CLOSED'", "x.png", None, 0)
    inputs = TaskInputs(task, source=sign("OPEN"))
    bad, good = OcrText().score([Item(inputs, Picture(b"broken")), Item(inputs, sign("CLOSED"))])
    assert bad["old_gone"].value is None and good["wanted_present"].value == 1.0


def test_a_reading_says_what_is_to_be_drawn_and_what_is_to_be_replaced():
    board = sign("MILK", "Monday")
    drawn = TaskInputs(Task("1", TaskType.T2I, "a board that sells milk", None, None, 0), None, None)
    with_text = replace(drawn, reading=Reading("m", texts=("MILK",)))
    assert (
        OcrText().score([Item(drawn, board)])[0]["wanted_present"].reason == "not applicable: the prompt quotes no text"
    )
    assert OcrText().score([Item(with_text, board)])[0]["wanted_present"].value == pytest.approx(1.0, abs=0.01)
    task = Task("1", TaskType.VTTIE, "they sell TEA now", "x.png", None, 0)
    edit = Reading("m", text_edit=TextEdit("replace", "MILK", "TEA"))
    inputs = TaskInputs(task, sign("MILK", "Monday"), None, edit)
    assert values(OcrText().score([Item(inputs, sign("TEA", "Monday"))])[0]) == pytest.approx((1.0, 1.0, 1.0), abs=0.01)
    unread = replace(inputs, reading=Reading("m", unread="no place"))
    assert OcrText().score([Item(unread, board)])[0]["old_gone"].reason == "not read: no place"
