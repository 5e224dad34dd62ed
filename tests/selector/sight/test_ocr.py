"""The reader on a real page scan and on drawn signs."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from skimage import data

from experiments.support.signs import make_sign
from selector.domain import InputError, Picture, encode_final
from selector.sight.ocr import TextLine, read_text, span_box


@pytest.fixture(scope="module")
def page():
    return Picture(encode_final(np.stack([data.page()] * 3, axis=-1), "png"))


def test_page_scan_is_read_from_top_to_bottom(page):
    texts = [line.text for line in read_text(page)]
    assert texts[0] == "Region-based segmentation"
    assert texts[1].startswith("Let us first determine markers")


def test_words_and_characters_lie_in_their_line(page):
    line = read_text(page)[1]
    assert [word.text for word in line.words] == line.text.split()
    assert "".join(char.text for char in line.words[4].words) == "markers"
    lefts = [word.box[0, 0] for word in line.words]
    assert lefts == sorted(lefts)


def test_span_of_a_word_is_where_the_word_stands(page):
    line = read_text(page)[1]
    start = line.text.index("markers")
    box = span_box(line, start, start + len("markers"))
    assert box[:, 0].min() == pytest.approx(167, abs=8) and box[:, 0].max() == pytest.approx(223, abs=8)


def test_span_without_character_boxes_goes_by_share():
    line = TextLine("abcd", 1.0, np.array([[0, 0], [40, 0], [40, 10], [0, 10]], dtype=float))
    assert span_box(line, 1, 3).tolist() == [[10, 0], [30, 0], [30, 10], [10, 10]]


def test_chinese_sign_is_read():
    sign = make_sign(1)
    assert sign.old in [line.text for line in read_text(Picture(sign.png))]


def test_picture_without_text_gives_nothing():
    assert read_text(Picture(encode_final(np.full((120, 160, 3), 90, dtype=np.uint8)))) == ()


def test_damaged_picture_is_an_input_error():
    with pytest.raises(InputError):
        read_text(Picture(b"no picture"))


def test_threads_share_one_reader_and_agree(page):
    pictures = [Picture(page.data + bytes(extra)) for extra in range(3)]  # other ids, the same pixels
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(read_text, pictures))
    assert [[line.text for line in lines] for lines in results] == [[line.text for line in results[0]]] * 3


@pytest.mark.parametrize("size", [(3000, 1), (1, 1500), (1, 1)])
def test_strips_of_any_proportions_are_read(size):
    flat = np.full((size[1], size[0], 3), 200, np.uint8)
    assert read_text(Picture(encode_final(flat))) == ()


def test_text_at_the_top_of_a_tall_strip_is_read_where_it_stands(page):
    top = page.rgb[:60]
    strip = np.full((top.shape[1] * 9, top.shape[1], 3), 255, np.uint8)
    strip[:60] = top
    lines = read_text(Picture(encode_final(strip)))
    assert lines
    assert all(
        line.box.min() > -3 and line.box[:, 1].max() < 63 and line.box[:, 0].max() < top.shape[1] + 3 for line in lines
    )
