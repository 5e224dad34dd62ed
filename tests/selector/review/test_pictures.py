"""Small copies of pictures."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from selector.review._pictures import Pictures
from selector.store import ImageFolder


def test_input_pictures_of_one_file_name_in_two_folders_are_two_pictures(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    for folder, colour in (("a", "red"), ("b", "blue")):
        (inputs / folder).mkdir(parents=True)
        path = inputs / folder / "1.png"
        Image.new("RGB", (8, 8), colour).save(path)
        path.write_bytes(path.read_bytes().ljust(400, b"\0"))
        os.utime(path, (1, 1))
    pictures = Pictures(ImageFolder(tmp_path / "images", "jpg"), inputs, tmp_path / "cache")
    one, two = (pictures.input(name, {"a/1.png", "b/1.png"}, "160") for name in ("a/1.png", "b/1.png"))
    assert one.tag != two.tag and one.data != two.data
