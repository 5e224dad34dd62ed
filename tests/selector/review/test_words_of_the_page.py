"""The page's texts: both languages have all, and the script uses none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import selector.review
from selector.domain import TaskType
from selector.domain.decisions import DecisionKind
from selector.review.page import LANGUAGES, language_of, shell, words

FOLDER = Path(selector.review.__file__).parent
SCRIPT = (FOLDER / "review.js").read_text(encoding="utf-8")
FAMILIES = {
    "type": [kind.value for kind in TaskType],
    "kind": [kind.value for kind in DecisionKind],
    "mode": ["single", "side", "blink", "difference", "slider"],
    "tab": ["queue", "task", "pair", "day"],
    "ended": ["done", "failed", "stopped"],
}


def _lists(name: str) -> list[str]:
    """The texts of an array of the script."""
    found = re.search(rf"const {name} = \[(.*?)\];", SCRIPT, re.DOTALL)
    assert found, name
    return re.findall(r'"([a-z_]+)"', found[1])


def test_both_languages_have_every_text_and_the_same_places() -> None:
    english, chinese = (words(language) for language in LANGUAGES)
    assert set(english) == set(chinese) and all(english.values()) and all(chinese.values())
    for key, text in english.items():
        places = set(re.findall(r"\{\w+\}", text))
        assert set(re.findall(r"\{\w+\}", chinese[key])) - {"{n}"} == places - {"{n}"}, key


def test_chinese_texts_are_chinese() -> None:
    latin = [key for key, text in words("zh").items() if not re.search(r"[一-鿿、（）]", text)]
    assert set(latin) <= {"position"}


def test_the_script_uses_only_texts_that_exist() -> None:
    used = set(re.findall(r'\bt\("([a-z0-9_]+)"', SCRIPT))
    used |= {key for pair in re.findall(r'\bt\([^()]*\? "([a-z_]+)" : "([a-z_]+)"', SCRIPT) for key in pair}
    used |= set(re.findall(r'"(key_[a-z]+)"', SCRIPT)) | {f"reason_{one}" for one in _lists("REASONS")}
    used |= {f"sort_{one}" for one in _lists("SORTS")} | {f"decision_{one}" for one in _lists("DECISIONS")}
    used |= {f"run_{one}" for one in _lists("RUNS")} | {f"verb_{one}" for one in _lists("RUNS")}
    used |= {f"{family}_{one}" for family, members in FAMILIES.items() for one in members}
    assert len(used) > 150 and not used - set(words("en"))


def test_no_text_is_left_that_nothing_uses() -> None:
    source = SCRIPT + (FOLDER / "review.html").read_text(encoding="utf-8")
    by_family = re.compile(r"(flag|news|reading|type|sort|decision|kind|verb|job|key|reason|run|mode|tab|ended|col)_")
    unused = [
        key
        for key in words("en")
        if not by_family.match(key) and not re.search(rf'["\.]{key.removesuffix("_one")}\b', source)
    ]
    assert not unused


@pytest.mark.parametrize(
    ("wanted", "header", "language"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en;q=0.5, zh;q=0.9", "zh"),
        (None, "fr", "en"),
        (None, "zh;q=none", "en"),
        (None, "zh;q=0", "en"),
        ("zh", "en", "zh"),
        ("xx", "zh-TW", "zh"),
    ],
)
def test_the_language_is_the_addresses_else_the_browsers(wanted: str | None, header: str, language: str) -> None:
    assert language_of(wanted, header) == language


def test_the_shell_holds_the_words_as_data_and_no_script_of_its_own() -> None:
    page = shell("zh", read_only=True)
    assert 'lang="zh-CN"' in page and "data-read-only" in page
    assert re.findall(r"<script(?![^>]*(src=|application/json))", page) == []
    assert "style=" not in page and "//" not in page.split("</head>")[0].replace("\\u002f", "")
