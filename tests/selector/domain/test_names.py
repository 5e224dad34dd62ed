"""A name that was accepted stays in its folder, and one that is written does so on every system."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.domain import InputError
from selector.domain.names import check_name, name_fault, printable_name, same_file_key

PIECES = ("..", ".", "~", "/", "//", "\\", "C:", "con", "NUL", " ", "a", "猫", "\0", "\n", "\x85", "\udcff", ":", "?")
NAMES = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=3), max_size=8).map("".join)


@pytest.mark.parametrize(
    "good", ["a.jpg", "猫 1..jpg", "{team}_图片生成_result.zip", "console", "com10", "x" * 255, "a~"]
)
def test_usual_names_are_taken(good: str) -> None:
    assert name_fault(good) is name_fault(good, written=True) is None


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ("", "is empty"),
        (" \t", "is empty"),
        ("/etc/passwd", "absolute"),
        ("//server/share", "absolute"),
        ("C:x", "absolute"),
        ("c:/x", "absolute"),
        ("\\\\server\\share", "backslash"),
        ("..", "climbs out"),
        ("a/../../b", "climbs out"),
        ("./a", "empty or '.'"),
        ("a//b", "empty or '.'"),
        ("a/", "empty or '.'"),
        (".", "empty or '.'"),
        ("~/.ssh/id", "home folder"),
        ("~root", "home folder"),
        ("a\0.zip", "control character"),
        ("a\x1b[2J", "control character"),
        ("a\u2028b", "control character"),
        ("7_\udcff.jpg", "not UTF-8"),
        ("猫" * 86, "longer than 255 bytes"),
        ("/".join(["x" * 200] * 6)[:-1], "1024 with its folders"),
    ],
)
def test_what_is_no_place_in_a_folder_is_refused_with_the_reason(bad: str, fault: str) -> None:
    assert fault in str(name_fault(bad, folders=True))
    with pytest.raises(InputError, match=r"the name .*; give another$") as caught:
        check_name(bad, "the name", "give another", folders=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (".tmp-1-a", "begins with a dot"),
        ("a/.b", "begins with a dot"),
        ("a.", "dot at the end"),
        ("a ", "space at an end"),
        ("a /b", "space at an end"),
        ("aux", "device"),
        ("Con .txt", "device"),
        ("a/lpt1.tar.gz", "device"),
        ("com¹", "device"),
        ("ab:c", "Windows"),
        ("what?.png", "Windows"),
    ],
)
def test_what_windows_takes_otherwise_is_refused_where_it_is_written(bad: str, fault: str) -> None:
    assert name_fault(bad, folders=True) is None
    assert fault in str(name_fault(bad, folders=True, written=True))


def test_folders_are_for_paths_alone() -> None:
    assert name_fault("imgs/1.jpg", folders=True) is None
    assert name_fault("imgs/1.jpg") == "holds a slash"


@given(name=NAMES)
def test_an_accepted_path_resolves_inside_its_folder(name: str) -> None:
    folder = Path("/nowhere/at/all")
    if name_fault(name, folders=True) is None:
        assert folder in Path(os.path.normpath(folder / name)).parents
        assert Path(name).expanduser() == Path(name)
        os.fsencode(name)


@given(name=NAMES)
def test_an_accepted_name_is_one_part_and_a_written_one_on_windows_too(name: str) -> None:
    if name_fault(name) is None:
        assert PurePosixPath(name).parts == (name,)
    if name_fault(name, folders=True, written=True) is None:
        path = PureWindowsPath(name)
        assert path.parts == tuple(name.split("/"))
        assert not path.is_absolute()
        assert not path.drive


def test_names_that_a_disk_takes_for_one_have_one_key() -> None:
    assert same_file_key("A/É.jpg") == same_file_key("a/e\u0301.JPG")
    assert same_file_key("a") != same_file_key("b")


def test_a_name_is_shown_without_steering_the_terminal() -> None:
    assert printable_name("zz\x1b[31m\n\udcff 猫.jpg") == r"zz\x1b[31m\n\udcff 猫.jpg"
