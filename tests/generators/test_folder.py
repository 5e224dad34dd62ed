from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generators.folder import Folder
from selector.domain import GenerationFailed, InputError, MissingPart, Recipe, Task, TaskInputs, TaskType


def inputs(task_id: str = "7") -> TaskInputs:
    return TaskInputs(Task(task_id, TaskType.T2I, "a cat", None, None, 0))


def write(path: Path, colour: int = 0, info: PngInfo | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = {".png": "PNG", ".webp": "WEBP"}.get(path.suffix.lower(), "JPEG")
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
