"""The page calls things in Chinese as the shell and README.zh-CN.md do: by the glossary of docs/language.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from selector.review.page import words

ROOT = Path(__file__).parents[3]
NOT_TERMS = {"points", "finish", "measure", "interval", "weights", "prior", "recipe", "overall"}  # words of every day
FORBIDDEN = {"评审": "评委", "固定": "指定", "计划": "规划", "取消排除": "恢复", "评分器": "打分器", "文字编辑": "改字"}


def _glossary() -> dict[str, list[str]]:
    """English term to the Chinese that its line allows."""
    text = (ROOT / "docs" / "language.md").read_text(encoding="utf-8").split("## Glossary")[1]
    found = {}
    for english, chinese in re.findall(r"^\| ([^|]+) \| ([^|]+) \|[^|]*\|$", text, re.MULTILINE):
        allowed = [re.sub(r"（.*?）", "", word).strip() for word in chinese.split("、")]
        found |= {re.sub(r"\(.*?\)|^to ", "", term).strip(): allowed for term in english.split(", ")}
    del found["English"]
    return found


def _says(english: str, term: str) -> bool:
    return bool(re.search(rf"\b{re.escape(term)}(s|d|ed)?\b", re.sub(r"`.*?`|--\S+", "", english), re.IGNORECASE))


TERMS = _glossary()


def test_the_glossary_was_read() -> None:
    assert len(TERMS) > 30 and TERMS["judge"] == ["评委", "评分"] and "打分器" in TERMS["scorer"]


@pytest.mark.parametrize("term", sorted(set(TERMS) - NOT_TERMS))
def test_the_page_uses_the_term_of_the_glossary(term: str) -> None:
    english, chinese = words("en"), words("zh")
    wrong = {
        key: chinese[key]
        for key, text in english.items()
        if _says(text, term) and not any(word in chinese[key] for word in TERMS[term])
    }
    assert not wrong


@pytest.mark.parametrize("word", FORBIDDEN)
def test_the_page_uses_no_other_word_for_it(word: str) -> None:
    assert not {key: text for key, text in words("zh").items() if word in text}, FORBIDDEN[word]
