"""Names of input pictures stay inside their folder; missing and damaged pictures are all reported at once."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.contest import input_images
from selector.contest.input_images import check_input_images, resolve_image
from selector.domain import InputError, Task, TaskType, encode_final
from selector.domain.errors import InputProblems

NOISE = np.random.default_rng(0).integers(0, 255, (64, 48, 3), dtype=np.uint8)
JPEG = encode_final(NOISE)


def edit(task_id: str, name: str, position: int = 0, reference: str | None = None) -> Task:
    return Task(task_id, TaskType.TIE, "make it snow", name, reference, position)


def huge_png_header() -> bytes:
    """A valid PNG that claims 50,000 x 50,000 px: 7.5 GB of pixels in 57 bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def problems_of(tasks: list[Task], images: Path) -> tuple[str, ...]:
    with pytest.raises(InputProblems) as caught:
        check_input_images(tasks, images)
    assert "\n" not in str(caught.value)
    return caught.value.problems


def test_good_pictures_pass_and_text_to_image_needs_none(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "b.png").write_bytes(encode_final(NOISE, "png"))
    check_input_images([edit("1", "a.jpg"), edit("2", "b.png", 1, reference="a.jpg")], tmp_path)
    check_input_images([Task("1", TaskType.T2I, "a cat", None, None, 0)], tmp_path / "no such folder")


def test_all_problems_are_listed_and_the_message_counts_them(tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(JPEG[: len(JPEG) // 2])
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "huge.png").write_bytes(huge_png_header())
    (tmp_path / "folder.jpg").mkdir()
    names = ["cut.jpg", "text.jpg", "empty.jpg", "huge.png", "folder.jpg", "gone.jpg"]
    tasks = [edit(str(10 + at), name, at) for at, name in enumerate(names)]
    problems = problems_of(tasks, tmp_path)
    assert len(problems) == 6
    assert problems[0].startswith("task 10 (row 1): input image 'cut.jpg': damaged or truncated")
    assert problems[3].endswith("2500 megapixels is more than the limit of 50 megapixels")
    assert "is not a file" in problems[4]
    assert "is not in" in problems[5]
    with pytest.raises(InputProblems, match=r"cut\.jpg.* \.\.\. and 5 more$"):
        check_input_images(tasks, tmp_path)


def test_a_missing_picture_suggests_the_same_name_with_another_ending(tmp_path: Path) -> None:
    (tmp_path / "A.JPG").write_bytes(JPEG)
    assert "(but 'A.JPG' is)" in problems_of([edit("1", "a.jpeg")], tmp_path)[0]


def test_a_picture_of_several_tasks_is_reported_once(tmp_path: Path) -> None:
    assert len(problems_of([edit("1", "gone.jpg"), edit("2", "gone.jpg", 1)], tmp_path)) == 1


def test_a_missing_folder_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of input images"):
        check_input_images([edit("1", "a.jpg"), edit("2", "b.jpg", 1)], tmp_path / "imgs")


def test_a_file_beyond_the_size_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_images, "MAX_FILE_BYTES", 1 << 20)
    with (tmp_path / "a.jpg").open("wb") as stream:
        stream.truncate(10**12)
    assert "larger than 1.0 MB" in problems_of([edit("1", "a.jpg")], tmp_path)[0]


@pytest.mark.parametrize(
    "name",
    [
        "../a.jpg",
        "sub/../../a.jpg",
        "..",
        ".",
        "",
        "  ",
        "/etc/passwd",
        "//server/share",
        "C:\\a.jpg",
        "C:/a.jpg",
        "c:a.jpg",
        "..\\a.jpg",
        "sub\\a.jpg",
        "\\\\server\\share\\a.jpg",
        "a\0.jpg",
        "a\n.jpg",
        "x" * 5000,
    ],
)
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        check_input_images([edit("1", name)], tmp_path)


def test_names_inside_the_folder_are_resolved(tmp_path: Path) -> None:
    assert resolve_image(tmp_path, "a.jpg") == tmp_path / "a.jpg"
    assert resolve_image(tmp_path, "sub/猫 1..jpg") == tmp_path / "sub" / "猫 1..jpg"


def test_a_link_that_escapes_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    images = tmp_path / "imgs"
    images.mkdir()
    (images / "a.jpg").symlink_to(tmp_path / "secret.jpg")
    (images / "up").symlink_to(tmp_path)
    (images / "loop.jpg").symlink_to(images / "loop.jpg")
    for name in ("a.jpg", "up/secret.jpg"):
        with pytest.raises(InputError, match="through a link"):
            resolve_image(images, name)
    with pytest.raises(InputError, match="a link that leads to itself"):
        check_input_images([edit("1", "loop.jpg")], images)


def test_links_within_the_folder_and_a_linked_folder_are_fine(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.jpg").write_bytes(JPEG)
    (real / "b.jpg").symlink_to(real / "a.jpg")
    (tmp_path / "imgs").symlink_to(real)
    check_input_images([edit("1", "b.jpg")], tmp_path / "imgs")


@given(name=st.text(alphabet="./\\:aC\0 ", max_size=12))
def test_whatever_the_name_the_path_stays_inside(name: str) -> None:
    folder = Path("/nowhere/imgs")
    try:
        path = resolve_image(folder, name)
    except InputError:
        return
    assert folder in path.resolve().parents
