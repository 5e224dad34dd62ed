"""Content-addressed images and whole files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from selector.domain import InputError
from selector.domain.files import replacing, write_atomically
from selector.store import ImageFolder


def test_an_image_lies_under_the_hash_of_its_bytes(tmp_path: Path) -> None:
    images = ImageFolder(tmp_path, ".jpg")
    image_id = images.put(b"bytes")
    assert image_id == hashlib.sha256(b"bytes").hexdigest()
    assert images.path(image_id) == tmp_path / image_id[:2] / f"{image_id}.jpg"
    assert images.picture(image_id).data == b"bytes"
    assert images.put(b"bytes") == image_id


def test_half_an_image_is_written_again(tmp_path: Path) -> None:
    images = ImageFolder(tmp_path, ".jpg")
    image_id = images.put(b"all of the bytes")
    images.path(image_id).write_bytes(b"all of")
    with pytest.raises(InputError, match="hash differs"):
        images.picture(image_id)
    images.put(b"all of the bytes")
    assert images.picture(image_id).data == b"all of the bytes"


@pytest.fixture
def moved(tmp_path: Path) -> tuple[ImageFolder, ImageFolder, str]:
    """A folder that took the place of another one, that one, and an image that lies there."""
    before = ImageFolder(tmp_path / "images", ".jpg")
    image_id = before.put(b"bytes")
    return ImageFolder(tmp_path / "shared", ".jpg", "", before.root), before, image_id


def test_what_cannot_be_put_to_the_new_place_is_read_where_it_lay(
    moved: tuple[ImageFolder, ImageFolder, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InputError("read-only")

    monkeypatch.setattr("selector.store._images.write_atomically", refuse)
    images, _, image_id = moved
    assert images.is_whole(image_id, 5)
    assert images.picture(image_id).data == b"bytes"
    with pytest.raises(InputError, match="read-only"):
        images.fetched(image_id)  # `doctor` must not say that all is there
    assert not images.brought


def test_what_is_in_neither_folder_is_known_as_lost(moved: tuple[ImageFolder, ImageFolder, str]) -> None:
    images, _, image_id = moved
    others = [images.put(b"%d" % n) for n in range(3)]
    lost = [images.put(b"lost"), hashlib.sha256(b"never").hexdigest()]
    (images.root / lost[0][:2] / f"{lost[0]}.jpg").unlink()
    assert sorted(images.known_lost(sorted([image_id, *others, *lost]))) == sorted(lost)
    assert not images.brought
    images.fetched(image_id)
    assert images.brought == {image_id}


def test_half_an_image_hides_no_whole_one_where_it_lay(moved: tuple[ImageFolder, ImageFolder, str]) -> None:
    images, _, image_id = moved
    images.put(b"bytes")
    half = images.root / image_id[:2] / f"{image_id}.jpg"
    half.write_bytes(b"by")
    assert images.is_whole(image_id, 5)
    assert images.picture(image_id).data == half.read_bytes() == b"bytes"


def test_another_name_of_the_folder_is_no_other_place(tmp_path: Path) -> None:
    own = ImageFolder(tmp_path / "images", ".jpg")
    image_id = own.put(b"bytes")
    (tmp_path / "link").symlink_to(own.root)
    ImageFolder(tmp_path / "link", ".jpg", "", own.root).forget(image_id)
    assert own.size_of(image_id) == 5


def test_a_missing_image_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"images/ab/abab.*missing from the campaign.*or run `bestshot generate`"):
        ImageFolder(tmp_path / "images", ".jpg").picture("ab" * 32)


def test_a_damaged_image_is_named_with_what_to_do(tmp_path: Path) -> None:
    images = ImageFolder(tmp_path / "images", ".jpg")
    image_id = images.put(b"all of the bytes")
    images.path(image_id).write_bytes(b"all of them bytes")
    with pytest.raises(
        InputError,
        match=rf"images/{image_id[:2]}/{image_id}.*delete it and import it again .* run `bestshot generate`",
    ):
        images.picture(image_id)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_image_that_may_not_be_read_is_not_called_missing(tmp_path: Path) -> None:
    images = ImageFolder(tmp_path / "images", ".jpg")
    image_id = images.put(b"all of the bytes")
    images.path(image_id).chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        images.picture(image_id)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as stream:
        stream.write(b"half of the n")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208


def test_a_folder_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        write_atomically(tmp_path / "place", b"x")
