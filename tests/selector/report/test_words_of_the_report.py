"""The report's texts: both languages have all, and nothing uses one that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import selector.report
from selector.domain import TaskType
from selector.language import words_of

FOLDER = Path(selector.report.__file__).parent
ENGLISH, CHINESE = (words_of(FOLDER / "words.toml", language) for language in ("en", "zh"))


def test_both_languages_have_every_text_and_the_same_places() -> None:
    assert all(ENGLISH.values()) and all(CHINESE.values())
    for key, text in ENGLISH.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", CHINESE[key])), key


def test_templates_and_script_use_only_texts_that_exist_and_all_of_them() -> None:
    templates = "".join(path.read_text(encoding="utf-8") for path in (*FOLDER.glob("*.html"), *FOLDER.glob("_*.py")))
    script = (FOLDER / "sheet.js").read_text(encoding="utf-8")
    used = set(re.findall(r'\b(?:t|words)\("([a-z0-9_]+)"', templates))
    used |= {f"js_{key}" for key in re.findall(r'\bsay\("([a-z_]+)"', script)}
    used.discard("type_")  # of a family, whose members follow
    assert used <= set(ENGLISH), used - set(ENGLISH)
    assert {f"type_{one.value}" for one in TaskType} <= set(ENGLISH)
    unused = [
        key
        for key in ENGLISH
        if not key.startswith(("js_", "type_", "flag_", "sort_", "decision_"))
        and not re.search(rf'"{key.removesuffix("_one")}"', templates)
    ]
    assert not unused
