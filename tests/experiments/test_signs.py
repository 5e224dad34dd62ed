"""The drawn signs that text edits are measured on."""

import numpy as np
import pytest

from experiments.support.signs import HEIGHT_PX, HELD_OUT, WIDTH_PX, make_sign, matches_truth, reads_exactly
from selector.domain import Picture
from selector.domain.reading import TextEdit
from selector.prompts.text_edits.instruction import parse_text_instruction
from selector.sight.fonts import fonts_for


@pytest.mark.parametrize("number", range(8))
def test_sign_is_the_same_every_time_and_its_instruction_is_understood(number):
    sign = make_sign(number)
    assert sign == make_sign(number)
    assert Picture(sign.png).size == (WIDTH_PX, HEIGHT_PX)
    assert parse_text_instruction(sign.instruction) == TextEdit("replace", sign.old, sign.new)


def test_both_languages_and_all_grounds_take_turns():
    some = [make_sign(number) for number in range(12)]
    assert {sign.language for sign in some} == {"en", "zh"}
    assert {"flat", "gradient", "brick", "grass", "gravel"} == {sign.background for sign in some}


@pytest.mark.parametrize("number", [0, 1])
def test_editor_does_not_know_the_font_of_a_sign(number):
    sign = make_sign(number)
    assert sign.font not in {font.name for font in fonts_for(sign.old, exclude=HELD_OUT)}


@pytest.mark.parametrize("number", [1, 12])
def test_truth_reads_exactly_and_matches_itself_and_the_source_does_neither(number):
    sign = make_sign(number)
    truth, source = Picture(sign.truth_png), Picture(sign.png)
    assert reads_exactly(truth, sign) and matches_truth(truth, sign) == pytest.approx(1.0)
    assert not reads_exactly(source, sign) and matches_truth(source, sign) < 0.95


def test_source_and_truth_differ_around_the_text_only():
    sign = make_sign(2)
    changed = np.argwhere((Picture(sign.png).rgb != Picture(sign.truth_png).rgb).any(axis=2))
    assert changed[:, 0].min() > 0.2 * HEIGHT_PX and changed[:, 0].max() < 0.6 * HEIGHT_PX
