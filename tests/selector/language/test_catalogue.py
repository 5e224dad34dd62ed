"""The Chinese catalogue is whole: every text that a user may see has its meaning, in the words of the glossary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spoken_texts import COUNTED, HELD, UNSEEN, all_texts, help_texts, missing, neutral

from selector.language._catalogue import FOLDER, catalogue, meanings
from selector.language._template import ANY, KEPT, forms, template

ROOT = Path(__file__).resolve().parents[3]
ENTRIES = meanings("zh")
LEAST, LEAST_OF_NUMBERS, LEAST_BETWEEN = (
    4,
    2,
    8,
)  # letters of a template: with holes for text, for numbers, at both ends
SHORT = {  # which are a line or a quantity of their own
    "{#} x {}", "{}  [{w}]", "{#} s",
    "{w}: {#} of {#}, {=}", "{#} {w}: pin {}", "{#} {w}: pin {}: {=}", "{w} is 0 ({})", "{=}: row {#} (line {#}): {}",
}  # fmt: skip
# English words and names that Chinese texts keep: commands, formats, products, and what is written so in files.
COMMAND_WORDS = re.compile(r"[A-Za-z]{3,}")


def test_no_text_that_a_user_may_see_is_missing() -> None:
    lacking = missing("zh")
    assert not lacking, (
        f"{len(lacking)} texts have no Chinese, as {list(lacking.items())[:3]}: "
        "`python -m tests.selector.language.spoken_texts` prints them ready to be filled in"
    )


def test_the_extraction_finds_help_errors_and_sentences() -> None:
    texts = all_texts()
    assert len(list(help_texts())) > 150 and len(texts) > 1000
    assert "Show how the campaign stands." in texts
    assert "there is no submission '{}'{}" in texts
    assert "{#} {row names|rows name} no candidate:" in texts
    assert "{#} {candidate|candidates}" in texts


def test_no_text_is_written_twice() -> None:
    lines = [line for path in FOLDER.glob("zh/*.toml") for line in path.read_text(encoding="utf-8").splitlines()]
    keys = [line.partition('" = "')[0] for line in lines if line.startswith('"')]
    assert len(keys) == len(set(keys)) == len(ENTRIES)


def test_every_template_can_be_read_and_says_something() -> None:
    for english, meaning in ENTRIES.items():
        assert meaning.strip(), english
        for form in forms(english):
            one = template(form, meaning)
            assert len(one.holes) < 10, form


def test_no_hole_is_forgotten() -> None:
    """What a text says of a name or a number is said in Chinese, too."""
    for english, meaning in ENTRIES.items():
        holes = len(template(forms(english)[0], meaning).holes)
        said = {int(place) for place in re.findall(r"\{(\d)\}", meaning)}
        assert said == set(range(holes)), english


def test_no_template_takes_nearly_any_text() -> None:
    """What is short is said of much: a piece such as " for " or ", " means nothing without what stands around it."""
    for english in ENTRIES:
        for form in forms(english):
            one = template(form, "")
            letters = len(re.findall("[A-Za-z]", HELD.sub("", form)))
            if one.holes and form not in SHORT:
                assert letters >= (LEAST if {ANY, KEPT} & set(one.holes) else LEAST_OF_NUMBERS), form
            if one.literals[0] == one.literals[-1] == "" and {one.holes[0], one.holes[-1]} <= {ANY, KEPT}:
                assert letters >= LEAST_BETWEEN or form in SHORT, form


def test_a_text_of_one_word_is_told_below_its_column_only() -> None:
    """Elsewhere it may be anybody's name."""
    assert [text for text in ENTRIES if re.fullmatch("[a-z]+", text)] == []


def test_a_count_has_room_for_its_noun() -> None:
    """ "{#}" where the program says "3 tasks" would fit nothing."""
    for text in all_texts():
        if COUNTED in text and neutral(text) not in UNSEEN and text[0] not in ",;:":
            said = HELD.sub("7", forms(text)[0].replace(COUNTED, "3 tasks"))
            assert catalogue("zh").find(said), text


def test_commands_options_and_settings_are_the_same_in_both_languages() -> None:
    for english, meaning in ENTRIES.items():
        for quoted in re.findall(r"`bestshot [^`]*`|(?<!\w)--[a-z][a-z-]+", HELD.sub("{", english)):
            assert quoted.strip("`").split("{")[0].strip() in meaning, (quoted, english)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("candidate", "候选"),
        ("submission", "提交"),
        ("generator", "生成器"),
        ("scorer", "打分器"),
        ("fallback", "兜底图"),
        ("prompt", "提示词"),
        ("campaign", "工作区"),
        ("leaderboard", "榜单"),
    ],
)
def test_terms_are_those_of_the_glossary(english: str, chinese: str) -> None:
    pattern = re.compile(rf"(?<![\w./\[`'-])(?<!- ){english}s?(?![\w.=/\]`-]|\()")
    wrong = {
        text: meaning
        for text, meaning in ENTRIES.items()
        if pattern.search(text) and chinese not in meaning and text not in ALLOWED
    }
    assert not wrong


ALLOWED = {
    text for text in ENTRIES if "task and generator" in text or "candidate and generator" in text or '[{"' in text
} | {text for text in ENTRIES if "maybe generator" in text}  # which speak of columns


def test_the_glossary_and_the_chinese_readme_agree() -> None:
    readme = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for term in ("候选图", "生成器", "打分器", "评委", "兜底图", "榜单", "总分", "提示词", "清单"):
        assert term in readme and term in page, term


def test_neutral_templates_forget_what_their_holes_take() -> None:
    assert neutral("{#} of {w}, {=}{}") == "{} of {}, {}{}"
