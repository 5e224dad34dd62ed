"""Likeness of texts, by hand."""

import numpy as np
import pytest

from selector.sight.ocr import TextLine
from selector.sight.text_match import CASE_COST, best_window, find_spans, plain, similarity


def lines(*texts):
    box = np.array([[0, 0], [100, 0], [100, 20], [0, 20]], dtype=float)
    return tuple(TextLine(text, 1.0, box + np.array([0, 30 * row])) for row, text in enumerate(texts))


def test_width_quotes_and_spaces_do_not_count():
    assert plain("Ｏｐｅｎ ‘２４’　：１") == "Open'24':1"


@pytest.mark.parametrize(
    ("wanted", "read", "expected"),
    [
        ("OPEN", "we are OPEN now", 1.0),
        ("OPEN", "OVEN", 0.75),
        ("Open", "OPEN", 1 - 3 * CASE_COST / 4),
        ("营业中", "今日营业中", 1.0),
        ("营业中", "休息中", 1 / 3),
        ("abc", "", 0.0),
        ("", "abc", 0.0),
    ],
)
def test_best_window_is_one_less_the_share_of_edits(wanted, read, expected):
    assert best_window(wanted, read)[0] == pytest.approx(expected)


def test_best_window_tells_where_in_the_text_as_read():
    value, start, end = best_window("24hours", "open 24 hours!")
    assert (value, "open 24 hours!"[start:end]) == (1.0, "24 hours")


def test_similarity_of_whole_texts_is_symmetric():
    assert similarity("kitten", "sitting") == similarity("sitting", "kitten") == pytest.approx(1 - 3 / 7)


def test_text_over_two_lines_is_found():
    spans = find_spans(lines("Hello", "HAPPY NEW", "YEAR 2025"), "HAPPY NEW YEAR 2025")
    assert [(span.line, span.start, span.end) for span in spans] == [(1, 0, 9), (2, 0, 9)]


def test_whole_word_is_preferred_to_a_part_of_another():
    assert find_spans(lines("party", "art"), "art")[0].line == 1


def test_text_that_is_not_there_is_not_found():
    assert find_spans(lines("Hello", "World"), "Zebra crossing") == ()
