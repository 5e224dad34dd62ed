"""The tokenizer in Python: ids of CLIP's own for any text, and texts cleaned as open_clip cleans them."""

from __future__ import annotations

import random

import pytest

from selector.sight.embedded import EMBEDDING, TEXT_LENGTH
from selector.sight.embedded.tokenizer import cleaned, embedded_tokenizer

SIGNS = (
    "a", "b", "'s", "'", " ", "1", "2", "红", "色", ".", "!", "é", "\u0301", "\n", "Σ", "ß", "_", "½", "ก", "\u0e47",
    "😀", "</w>", "\x00", "\x1f", "\x85", "ﬁ", "Ǆ", "'LL", "\u3000", "\u200b",
)  # fmt: skip
TEXTS = (
    "", "  ", "a red circle on a white background", "一个橙色的圆形在一个紫色的正方形的左边，灰色背景",
    "It's 12's DON'T  we'll\tx\n y", "Ünïcode é naïve ½ ² Ⅷ ٣٤", "<|startoftext|>a b<|endoftext|>", "İstanbul ΑΣ ς",
)  # fmt: skip


def test_ids_are_those_of_transformers() -> None:
    """1,008 texts, most of them of signs at random."""
    transformers = pytest.importorskip("transformers")
    theirs, ours = transformers.CLIPTokenizer.from_pretrained(EMBEDDING), embedded_tokenizer()
    rng = random.Random(0)
    texts = [*TEXTS, *("".join(rng.choices(SIGNS, k=rng.randrange(1, 20))) for _ in range(1000))]
    wrong = [text for text in texts if theirs(text, verbose=False)["input_ids"][1:-1] != ours.ids(text)]
    assert not wrong, wrong[:5]
    rows = theirs(texts, padding="max_length", max_length=TEXT_LENGTH, truncation=True)["input_ids"]
    assert ours.rows(texts).tolist() == rows


def test_ids_spell_their_text() -> None:
    words = embedded_tokenizer()
    assert words.text(words.ids("two Green squares")) == "two green squares"
    assert words.text(words.ids("红色")) == "红色"


def test_texts_are_cleaned_as_by_open_clip() -> None:
    clean = pytest.importorskip("open_clip.tokenizer")._clean_whitespace
    for text in (
        "“a” ‘b’ x’s，ｆｕｌｌ！　wide",
        "&lt;a&gt; &amp;amp; b",
        "ﬁve ﬂat",
        " a \n\t b ",
        "1，2。；：？（）",
        "…—–",
    ):
        assert cleaned(text) == clean(text)
