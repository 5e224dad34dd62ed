"""Whose picture a file is: names as tools, browsers and file managers give them, in English and Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators._file_names import TaskIds, says_a_number

NUMBERED = TaskIds.of([str(number) for number in range(1, 60)])


@pytest.mark.parametrize(
    "name",
    [
        "17", "0017", "00017", "１７", "17_2", "17_b_c", "0017_00001_", "17_flux copy",
        "17 (1)", "17(1)", "17（1）", "17 (1) (2)", "0017 (3)", "17.png", "17.jpeg (2)",
        "17 copy", "17 copy 3", "17 - Copy", "17 - Copy (2)", "17 - Copy - Copy", "Copy of 17", "17 (copy)",
        "17 (another copy)", "17 (3rd copy)", "17 (Copy 2)",
        "17 - 副本", "17 - 副本 (2)", "17 副本", "17副本", "17 副本 2", "17的副本", "17（副本）", "17（第 3 个副本）",
        "17 拷贝", "17 - 複製 (2)", "复件 17", "复件 (2) 17", "副本 17",
        "task-17", "Task_17", "task17", "TASK 17 (1)", "task_0017_v2",
        "index-17", "id_17", "任务17", "第17题", "题目 17_a",
        "17-1", "17 2",
    ],
)  # fmt: skip
def test_names_of_one_task_in_the_hands_of_people_and_programs(name: str) -> None:
    assert NUMBERED.meant_by(name) == ("17",)


@pytest.mark.parametrize(
    "name",
    [
        "", "(17)", "下载", "下载 (17)", "image (17)", "image_17", "IMG_0017", "微信图片_20240117", "屏幕截图 17",
        "output-17",
        "ComfyUI_00017_", "task_00017_", "00017-3141592653", "00017-42", "000017.271828", "17.5", "17-flux", "17 cats",
        "2024-01-17", "2024-01-17_17-17-17_1717", "1717", "17a", "task", "task 17.5", "id3tag", "第17张", "unnamed",
        "17171717-1717-1717-1717-171717171717", "copy", "a_17",
    ],
)  # fmt: skip
def test_counters_dates_and_words_say_no_task(name: str) -> None:
    assert NUMBERED.meant_by(name) == ()


def test_an_id_as_it_is_written_goes_first_and_others_must_be_one() -> None:
    ids = TaskIds.of(["1", "0001", "fox", "a", "a_b", "7 (1)", "7", "task-7"])
    assert ids.meant_by("0001") == ("0001",)
    assert ids.meant_by("001") == ("0001", "1")
    assert ids.meant_by("0001 (1)") == ("0001",)
    assert ids.meant_by("FOX - Copy") == ("fox",)
    assert ids.meant_by("A_B_2") == ("a_b",)
    assert ids.meant_by("a_c") == ("a",)
    assert ids.meant_by("7 (1)") == ("7 (1)",)
    assert ids.meant_by("7 (2)") == ("7",)
    assert ids.meant_by("task-7") == ("task-7",)


@pytest.mark.parametrize(
    ("folder", "owner"), [("17", "17"), ("0017", "17"), ("task_17", "17"), ("17 copy", "17"), ("17_steps", ""),
                          ("17-1", ""), ("task_17_runs", "")],
)  # fmt: skip
def test_a_folder_is_a_tasks_only_by_its_whole_name(folder: str, owner: str) -> None:
    assert NUMBERED.meant_by(folder, folder=True) == ((owner,) if owner else ())


def test_a_number_that_no_task_has_seems_to_mean_one() -> None:
    assert all(map(says_a_number, ["99", "0099", "99 (1)", "task-99", "99_a"]))
    assert not any(map(says_a_number, ["下载 (3)", "image_3", "fox"]))


@given(st.text(max_size=40))
def test_every_name_is_read(name: str) -> None:
    assert len(NUMBERED.meant_by(name)) <= 1
    assert len(NUMBERED.meant_by(name, folder=True)) <= 1
