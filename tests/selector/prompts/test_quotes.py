"""Quotes of all kinds, told from apostrophes, and how long it takes to find them."""

import pytest
from costs import within

from selector.prompts.quotes import is_whole, take_quotes, with_quotes
from selector.prompts.text_edits.instruction import parse_text_instruction, quoted_texts

TEXTS = {
    "the word 'OPEN' painted on a door beside 'SHUT'": ("OPEN", "SHUT"),
    "from '1.5-2.5'to'3.5-4.5'": ("1.5-2.5", "3.5-4.5"),
    "a poster 'Rock 'n' Roll Night' on a wall": ("Rock 'n' Roll Night",),
    "a sign 'Goin' Home' above a sign 'Stay'": ("Goin' Home", "Stay"),
    "'Open' on the boys' door": ("Open",),
    "the boys' banner 'Go!'": ("Go!",),
    "'It's 5 o'clock' is written there": ("It's 5 o'clock",),
    "'SPRING ' with 'AUTUMN'": ("SPRING", "AUTUMN"),
    "''hi'' and 'ho'": ("hi", "ho"),
    '"She said “go” twice" and "C"': ("She said “go” twice", "C"),
    "“Say 'hi' now” on a mug": ("Say 'hi' now",),
    '"开门”和"关门”': ("开门", "关门"),
    '“开门"和“关门"': ("开门", "关门"),
    "＂开门＂、『关门』": ("开门", "关门"),
    "'开门'和'关门'": ("开门", "关门"),
    "„A“ and „B”": ("A", "B"),
    "a dog's bowl with \"Rex\" and 'Tom's' in 《星空》 style, “你好”": ("Rex", "Tom's", "你好"),
    'a 6" pipe': (),
    "don't, won't, the dogs' home": (),
}


@pytest.mark.parametrize(("prompt", "texts"), TEXTS.items())
def test_quoted_texts_are_found_and_apostrophes_and_titles_of_works_are_not(prompt, texts):
    assert quoted_texts(prompt) == texts


def test_private_characters_of_a_prompt_are_not_taken_for_quotes():
    skeleton, quotes = take_quotes("\ue000 and 'A'")
    assert skeleton == "\ufffd and \ue000"
    assert quotes == [("A", "'")]
    assert with_quotes(skeleton, quotes) == '\ufffd and "A"'


@pytest.mark.parametrize("text", ["A'", "'A", '"A', "A”", "'A'", '6"'])
def test_a_mark_left_over_at_an_end_is_noticed(text):
    assert not is_whole(text)


@pytest.mark.parametrize("text", ["It's", "Rock 'n' Roll", "A", "《A》", "say 'hi'", '"Best" pie'])
def test_marks_that_belong_to_a_text_are_whole(text):
    assert is_whole(text)


@pytest.mark.parametrize("piece", ["'", '"', "“", "'a' ", '"a" ', '“a" ', '" ', "' ", "“字”", "``a ", "a'b ", "word "])
def test_a_long_prompt_costs_no_more_than_its_length(piece):
    prompt = piece * (32_768 // len(piece))
    with within(0.5):  # about 0.03 s; a quadratic search takes minutes
        quoted_texts(prompt)
        assert parse_text_instruction(prompt) is None
