from __future__ import annotations

import hashlib
import io
import os
import time
from pathlib import Path

import pytest
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from generators.folder import Folder, Unmatched, unmatched_files
from selector.domain import GenerationFailed, InputError, MissingPart, Recipe, Task, TaskInputs, TaskType


def inputs(task_id: str = "7") -> TaskInputs:
    return TaskInputs(Task(task_id, TaskType.T2I, "a cat", None, None, 0))


def write(path: Path, colour: int = 0, info: PngInfo | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = Image.registered_extensions().get(path.suffix.lower(), "JPEG")
    options = {"pnginfo": info} if info else {}
    Image.new("RGB", (24, 16), (colour, 80, 80)).save(path, form, **options)
    return path


def names(root: Path, task_id: str = "7", n: int = 100) -> list[str]:
    return [recipe.params["file"] for recipe in Folder(str(root)).recipes(inputs(task_id), n, 1)]


def test_files_of_a_task_are_found_and_sorted(tmp_path: Path) -> None:
    for name in (
        "7_b.png",
        "7.JPG",
        "7_a.Webp",
        "7/z.jpeg",
        "7/deep/a.png",
        "70.png",
        "17.png",
        "8/7.png",
        "7_x.png.txt",
    ):
        write(tmp_path / name)
    assert names(tmp_path) == ["7.JPG", "7_a.Webp", "7_b.png", "7/deep/a.png", "7/z.jpeg"]
    assert names(tmp_path, n=2) == ["7.JPG", "7_a.Webp"]


@pytest.mark.parametrize("suffix", [".gif", ".bmp", ".tif", ".TIFF", ".avif"])
def test_every_format_that_pictures_have_is_taken(tmp_path: Path, suffix: str) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this build of Pillow reads no AVIF")
    file = write(tmp_path / f"7{suffix}")
    folder = Folder(str(tmp_path))
    (recipe,) = folder.recipes(inputs(), 6, 0)
    assert folder.generate(inputs(), recipe).image == file.read_bytes()


def test_of_two_ids_the_longer_one_gets_the_file(tmp_path: Path) -> None:
    for name in ("a.png", "a_1.png", "a_b.png", "a_b_2.png", "a_bc.png", "a_b/x.png"):
        write(tmp_path / name)
    folder = Folder(str(tmp_path), ["a", "a_b"])
    files = {i: [r.params["file"] for r in folder.recipes(inputs(i), 9, 0)] for i in ("a", "a_b")}
    assert files == {"a": ["a.png", "a_1.png", "a_bc.png"], "a_b": ["a_b.png", "a_b_2.png", "a_b/x.png"]}


def test_without_the_ids_a_file_belongs_to_every_id_that_it_begins_with(tmp_path: Path) -> None:
    write(tmp_path / "a_b.png")
    assert names(tmp_path, "a") == names(tmp_path, "a_b") == ["a_b.png"]


def test_files_that_no_task_gets_say_why(tmp_path: Path) -> None:
    for name in ("007.png", "unknown.png", "007.heic", "007_a.txt", "007/ok.png", "007/notes.txt", "8/x.png", "77.png"):
        write(tmp_path / name)
    for name in ("7.png", "Thumbs.db", "._007.png", "runs/007.png", "下载 (3).png", "__MACOSX/007.png"):
        write(tmp_path / name)
    write(tmp_path / ".hidden" / "7.png")
    (tmp_path / "007_link.png").symlink_to(tmp_path / "unknown.png")  # taken through a link
    (tmp_path / "007_out.png").symlink_to(Path(__file__).with_suffix(".py"))
    (tmp_path / "007_away.png").symlink_to(tmp_path.parent)
    assert unmatched_files(tmp_path, ["007", "07"]) == {
        "._007.png": Unmatched.SYSTEM,
        "007.heic": Unmatched.NO_PICTURE,
        "007/notes.txt": Unmatched.NO_PICTURE,
        "007_a.txt": Unmatched.NO_PICTURE,
        "007_out.png": Unmatched.OUTSIDE,
        "7.png": Unmatched.TWO_TASKS,
        "77.png": Unmatched.NO_TASK,
        "8/x.png": Unmatched.OTHER_FOLDER,
        "Thumbs.db": Unmatched.SYSTEM,
        "__MACOSX/007.png": Unmatched.SYSTEM,
        "runs/007.png": Unmatched.OTHER_FOLDER,
        "下载 (3).png": Unmatched.NO_ID,
    }
    assert unmatched_files(tmp_path, []) != {}


def test_copies_and_padded_numbers_belong_to_their_task(tmp_path: Path) -> None:
    for name in (
        "1.png",
        "001.png",
        "1 (1).png",
        "1 - 副本.png",
        "task-1.png",
        "0001/a.png",
        "10.png",
        "00001-77731.png",
    ):
        write(tmp_path / name)
    folder = Folder(str(tmp_path), ["1", "2"])
    files = {i: [r.params["file"] for r in folder.recipes(inputs(i), 9, 0)] for i in ("1", "2")}
    assert files == {
        "1": ["001.png", "1 (1).png", "1 - 副本.png", "1.png", "task-1.png", "0001/a.png"],
        "2": [],
    }
    assert names(tmp_path, "1") == files["1"]  # also without the other ids


def test_a_file_that_came_later_is_seen_by_the_same_object(tmp_path: Path) -> None:
    write(tmp_path / "7.png")
    os.utime(tmp_path, ns=(1, 1))  # a clock of file systems ticks every few milliseconds
    folder = Folder(str(tmp_path))
    assert len(folder.recipes(inputs(), 6, 0)) == 1
    write(tmp_path / "7_b.png")
    assert len(folder.recipes(inputs(), 6, 0)) == 2


def test_a_thousand_tasks_and_four_thousand_files_take_seconds(tmp_path: Path) -> None:
    ids = [str(number) for number in range(1000)]
    for task_id in ids:
        for name in "abcd":
            (tmp_path / f"{task_id}_{name}.png").write_bytes(b"x")
    folder = Folder(str(tmp_path), ids)
    started = time.perf_counter()
    found = sum(len(folder.recipes(inputs(task_id), 100, 0)) for task_id in ids)
    assert (found, unmatched_files(tmp_path, ids)) == (4000, {})
    assert time.perf_counter() - started < 8.0  # about one second alone; listed for every task it is over a minute


def test_names_with_spaces_and_chinese_and_decomposed_letters(tmp_path: Path) -> None:
    write(tmp_path / "7_我的 猫.png")
    write(tmp_path / "e\u0301te_1.png")
    assert names(tmp_path) == ["7_我的 猫.png"]
    assert len(names(tmp_path, "\u00e9te")) == 1


def test_bytes_come_back_as_they_are_with_their_notes(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1234, Model: v1-5")
    file = write(tmp_path / "7.png", info=info)
    (recipe,) = Folder(str(tmp_path)).recipes(inputs(), 6, 11)
    made = Folder(str(tmp_path)).generate(inputs(), recipe)
    assert made.image == file.read_bytes()
    assert recipe.seed == 11
    assert recipe.params["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    expected = {"file": "7.png", "tool": "a1111", "seed": 1234, "prompt": "a cat", "model": "v1-5", "steps": 20}
    assert expected.items() <= made.notes.items()


def test_changed_file_is_a_new_recipe_and_the_old_one_fails(tmp_path: Path) -> None:
    write(tmp_path / "7.png", 10)
    folder = Folder(str(tmp_path))
    (old,) = folder.recipes(inputs(), 6, 0)
    write(tmp_path / "7.png", 20)
    (new,) = folder.recipes(inputs(), 6, 0)
    assert old.key != new.key
    with pytest.raises(GenerationFailed, match="changed"):
        folder.generate(inputs(), old)


def test_vanished_and_damaged_files_fail_with_a_reason(tmp_path: Path) -> None:
    file = write(tmp_path / "7.png")
    folder = Folder(str(tmp_path))
    (recipe,) = folder.recipes(inputs(), 6, 0)
    file.unlink()
    with pytest.raises(GenerationFailed, match="cannot be read"):
        folder.generate(inputs(), recipe)
    file.write_bytes(b"no picture")
    with pytest.raises(GenerationFailed, match="not a picture"):
        folder.generate(inputs(), folder.recipes(inputs(), 6, 0)[0])


def test_links_and_recipes_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "secret" / "private.png")
    root = tmp_path / "images"
    root.mkdir()
    (root / "7.png").symlink_to(outside)
    (root / "7").symlink_to(outside.parent, target_is_directory=True)
    assert not Folder(str(root)).recipes(inputs(), 6, 0)
    escape = Recipe("file", 0, {"file": "../secret/private.png", "sha256": "x"})
    with pytest.raises(GenerationFailed, match="not a file of the folder"):
        Folder(str(root)).generate(inputs(), escape)


def test_links_that_lead_nowhere_and_what_is_no_file_cost_themselves_alone(tmp_path: Path) -> None:
    (tmp_path / "7.png").write_bytes(b"")
    (tmp_path / "8.png").symlink_to("gone.png")
    (tmp_path / "9.png").symlink_to("9.png")
    (tmp_path / "11.png").symlink_to("x" * 300)
    os.mkfifo(tmp_path / "10.png")
    assert unmatched_files(tmp_path, ["7", "8", "9", "10", "11"]) == dict.fromkeys(
        ["10.png", "11.png", "8.png", "9.png"], Unmatched.NO_FILE
    )


def test_links_inside_of_the_folder_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "all" / "cat.png")
    (tmp_path / "7.png").symlink_to(tmp_path / "all" / "cat.png")
    assert names(tmp_path) == ["7.png"]


def test_oversized_text_does_not_stop_the_import(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("parameters", "x" * 3_000_000, zip=True)
    write(tmp_path / "7.png", info=info)
    folder = Folder(str(tmp_path))
    made = folder.generate(inputs(), folder.recipes(inputs(), 1, 0)[0])
    assert "remark" in made.notes
    assert Image.open(io.BytesIO(made.image)).convert("RGB").getpixel((0, 0)) == (0, 80, 80)


def test_task_without_a_file_has_no_recipe_yet(tmp_path: Path) -> None:
    assert not Folder(str(tmp_path)).recipes(inputs(), 6, 0)


def test_check_tells_a_missing_path_from_a_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="path"):
        Folder().check()
    with pytest.raises(InputError, match="not a folder"):
        Folder(str(write(tmp_path / "a.png"))).check()
    Folder(str(tmp_path)).check()


def test_names_that_are_no_text_are_left_out_and_told_of(tmp_path: Path) -> None:
    write(tmp_path / "7.png")
    (tmp_path / "7_\n.png").write_bytes((tmp_path / "7.png").read_bytes())
    assert names(tmp_path) == ["7.png"]
    assert unmatched_files(tmp_path, ["7"]) == {r"7_\n.png": Unmatched.BAD_NAME}
