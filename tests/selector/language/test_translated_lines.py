"""Lines in Chinese: pieces within pieces, names as they are, and English where nothing fits."""

from __future__ import annotations

import pytest
from costs import within

from selector.language import CHINESE, ENGLISH, meaning, translated


def zh(text: str) -> str:
    return translated(text, CHINESE)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("column 'index' must be a whole number, got '1.0': write 1", "列 'index' 必须是整数，而给的是 '1.0'：请写 1"),
        ("column 'index' must be a whole number, got ''", "列 'index' 必须是整数，而给的是 ''"),
        ("column 'x' has '１' in full-width digits: type '1'", "列 'x' 里的 '１' 用了全角数字：请输入半角的 '1'"),
        ("index '2' occurs twice, first on line 3", "index '2' 出现两次，第一次在第 3 行"),
        ("column 'prompt' is empty, but a 'tie' task needs a prompt", "列 'prompt' 为空，但 'tie' 任务需要提示词"),
        ("input image 'a.jpg' is not in imgs", "输入图片 'a.jpg' 不在 imgs 里"),
    ],
)
@pytest.mark.parametrize("table", ["float.csv", "/a b/任务.csv", r"C:\\x\\t.csv"])
def test_a_row_of_the_task_table_is_told_whole(table: str, english: str, chinese: str) -> None:
    """What names a column took the rest of the sentence for its name, and what begins with a word took the table."""
    assert zh(f"{table}: row 16 (line 17): {english}") == f"{table}：数据行 16（第 17 行）：{chinese}"


def test_english_and_languages_that_nobody_has_written_change_nothing() -> None:
    assert translated("no total yet", ENGLISH) == "no total yet"
    assert translated("no total yet", "fr") == "no total yet"


def test_a_line_is_translated_with_its_pieces() -> None:
    assert zh("there is no submission 'abc'; known: none") == "没有提交 “abc”；没有已知的"
    assert zh("2 of 2 submissions left on 2026-01-02") == "2026-01-02 这天 2 次提交还剩 2 次"
    assert zh("  3 x retouch declined: the edit instruction is empty") == "  3 × retouch 拒绝：编辑指令是空的"


def test_what_stands_in_brackets_behind_a_sentence_is_translated_by_itself() -> None:
    assert (
        zh("retouch declined: the edit instruction is empty (tasks 3, 8)")
        == "retouch 拒绝：编辑指令是空的（任务 3, 8）"
    )
    assert zh("  problem: 1 image is a fallback, not an answer: task 49") == "  问题：1 张图是兜底图，不是答案：任务 49"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "1 new value, 0 changed, 2 known already, of 3 candidate rows",
            "1 个新值，0 个有变，2 个早已知道，来自 3 行候选图",
        ),
        (
            "  row 1: 2 candidates fit file 1.png: add a column candidate or generator",
            "  第 1 行：2 张候选图符合 file 1.png：请加上列 candidate 或 generator",
        ),
        (
            "column 'a b': better must be one of up, down; got 'upp'",
            "列 “a b”：better 必须是 up, down 之一，而给的是 'upp'",
        ),
        (
            "s.json: column 'a' has true in row 1, which is no number: write 1 or 0 if that is meant",
            "s.json：列 “a” 在第 1 行是 true，不是数：若是此意请写 1 或 0",
        ),
        (
            "s.csv: column 'a' holds numbers, but 'n.a.' in row 2: put a number or leave the cell empty",
            "s.csv：列 “a” 是数，但第 2 行是 “n.a.”：请填数，或留空",
        ),
    ],
)
def test_what_import_scores_says_is_chinese_to_its_end(english: str, chinese: str) -> None:
    assert zh(english) == chinese


@pytest.mark.parametrize("english", ["task 49", "tasks 49, 50, …"])
def test_tasks_are_named_one_or_several(english: str) -> None:
    named = english.replace("tasks", "任务").replace("task", "任务")
    for text in (
        f"2 images are none of this campaign's candidates: {english}",
        f"1 image was changed on the disk ({english}): delete them from images/ and run `bestshot generate`",
        f"no total yet; the same for 1 more ({english})",
    ):
        assert named in zh(text) and english not in zh(text)


def test_a_picture_of_too_many_pixels_is_told_in_chinese() -> None:
    assert zh("3.png: 900 megapixels is more than the limit of 50 megapixels") == (
        "3.png：900 百万像素超过 50 百万像素的上限"
    )


def test_each_line_is_translated_by_itself_and_keeps_its_indent() -> None:
    assert zh("no total yet\n\n  note: no total yet\nfoo") == "还没有总分\n\n  注意：还没有总分\nfoo"


def test_what_nothing_fits_stays_english() -> None:
    assert zh("an error that nobody foresaw") == "an error that nobody foresaw"


def test_a_clause_is_told_whole_or_not_at_all() -> None:
    """Words that are half English, or put together from pieces that mean something else, say less than English."""
    for text in (
        "qwen: server says no: no total yet",
        "no total yet, for 7 tasks where nobody knows what",
        "make what nobody knows more, for 7 tasks where one more is worth most",
        "2. upload what nobody knows of: no total yet",
    ):
        assert zh(text) == text


def test_behind_a_clause_english_may_stand() -> None:
    assert zh("note: what a server said") == "注意：what a server said"
    assert zh("no total yet; what a server said") == "还没有总分；what a server said"
    assert zh("no total yet (what a server said)") == "还没有总分（what a server said）"


def test_the_reading_that_leaves_least_in_english_is_meant() -> None:
    told = zh("  1 x retouch declined: the edit instruction is empty (tasks 3, 8)")
    assert told == "  1 × retouch 拒绝：编辑指令是空的（任务 3, 8）"


def test_the_number_of_a_list_keeps_its_dot() -> None:
    assert zh("2. no total yet") == "2. 还没有总分"
    assert zh("no key: export KEY=... first").count("...") == 1


def test_a_number_below_a_column_is_no_sentence() -> None:
    assert meaning("tasks without: 0", CHINESE) is None


@pytest.mark.parametrize("name", ["valid", "no total yet", "submitted", "all types"])
def test_a_name_is_kept_even_where_it_is_a_word_of_ours(name: str) -> None:
    assert name in zh(f"there is no task '{name}'")
    assert name in zh(f"still to make: {name.replace(' ', '-')} 3 images: run `bestshot generate`") or " " in name


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "2 values measured, 3 not applicable to their tasks, none unscored",
            "测得 2 个值，3 个对其任务不适用，没有未评分的",
        ),
        ("1 value measured, 3 not applicable to their tasks; unscored:", "测得 1 个值，3 个对其任务不适用；未评分："),
        (
            "none of 2 candidates is eligible: superseded by the newer 3.jpg (abcd1234)",
            "2 张候选图都不合格：已被较新的 3.jpg（abcd1234）取代",
        ),
    ],
)
def test_what_two_parts_of_the_program_say_in_one_line(english: str, chinese: str) -> None:
    assert zh(english) == chinese


def test_only_whole_texts_without_holes_have_a_meaning() -> None:
    assert meaning("state: submitted", CHINESE) == "已上传"
    assert meaning("generator: submitted", CHINESE) is None
    assert meaning("left out: aesthetic", CHINESE) is None, "that is a line of `next --do`, and no cell below that name"
    assert meaning("state: submitted", ENGLISH) is None


@pytest.mark.parametrize(
    "hostile",
    [
        "a: " * 33_000,
        "a: " * 1_300,
        "(a; b: c, " * 390,
        " " * 3_990 + "a",
        "task 7: " * 490,
        "no total yet; " * 280,
        "'" * 3_900 + "a",
        "problem: warning: " * 200,
    ],
)
def test_a_hostile_line_costs_little(hostile: str) -> None:
    zh("no total yet")  # the catalogue is read once
    with within(1):
        zh(hostile)


def test_a_page_of_lines_costs_less_than_printing_is_felt() -> None:
    lines = [f"  {n} x seams.copy_paste: the old text 'w{n}' was not read in the source" for n in range(60)]
    zh("no total yet")
    with within(0.25):  # about 10 ms; the machine may be shared
        told = zh("\n".join(lines))
    assert "在原图里没有读到旧文字 “w59”" in told


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "cannot write /a/b (Permission denied): check that the folder exists and is writable",
            "（没有权限）",
        ),
        ("3.jpg: damaged or truncated picture (image file is truncated (7 bytes not processed))", "有 7 字节未处理"),
    ],
)
def test_what_the_system_and_pillow_say_is_chinese_too(english: str, chinese: str) -> None:
    assert chinese in zh(english)
