"""The demo contest: a real table, real pictures, the promised kinds of tasks, the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import itertools
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import Run

from selector.demo import DemoContest, make_demo_contest
from selector.demo import contest as contest_module
from selector.demo.contest import PICTURES, SAMPLERS, SHOWN
from selector.demo.run import check_drawing
from selector.demo.shipped import font_file, photograph
from selector.domain import InputError, MissingPart, Picture
from selector.registry import create_generator


@pytest.fixture(scope="module")
def contest(demo_contest: DemoContest) -> DemoContest:
    return demo_contest


@pytest.fixture(scope="module")
def rows(contest: DemoContest) -> list[dict[str, str]]:
    with contest.table.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_table_has_the_tianchi_columns_and_a_byte_order_mark(contest: DemoContest, rows: list[dict[str, str]]) -> None:
    assert contest.table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(rows[0]) == ["index", "task_type", "prompt", "ori_image", "target_image"]
    assert len(rows) == contest.tasks >= 24


def test_every_kind_but_text_to_image_has_at_least_eight_tasks(rows: list[dict[str, str]]) -> None:
    counts = Counter(row["task_type"] for row in rows)
    assert set(counts) == {"tie", "vttie", "deepfake"}
    assert min(counts.values()) >= 8


def test_ids_are_unique_and_not_consecutive(rows: list[dict[str, str]]) -> None:
    ids = [int(row["index"]) for row in rows]
    assert ids == sorted(set(ids))
    assert len({b - a for a, b in itertools.pairwise(ids)}) > 1


def test_face_swaps_have_two_pictures_and_no_prompt_and_edits_one_and_a_prompt(rows: list[dict[str, str]]) -> None:
    for row in rows:
        is_swap = row["task_type"] == "deepfake"
        assert bool(row["target_image"]) is is_swap
        assert bool(row["prompt"]) is not is_swap
        assert row["ori_image"] and row["ori_image"] != row["target_image"]


def test_instructions_are_in_both_languages_and_one_text_edit_deletes(rows: list[dict[str, str]]) -> None:
    for kind in ("tie", "vttie"):
        prompts = [row["prompt"] for row in rows if row["task_type"] == kind]
        assert any(re.search("[一-龥]", prompt) for prompt in prompts)
        assert any(prompt.isascii() for prompt in prompts)
    assert any(re.match("Remove|删除", row["prompt"]) for row in rows)


def test_pictures_are_named_by_the_digest_of_their_bytes_and_all_are_used(
    contest: DemoContest, rows: list[dict[str, str]]
) -> None:
    files = {path.name: path.read_bytes() for path in contest.images.iterdir()}
    used = {row[column] for row in rows for column in ("ori_image", "target_image") if row[column]}
    assert set(files) == used
    for name, data in files.items():
        assert name == hashlib.md5(data).hexdigest() + ".jpg"
        assert 250 <= max(Picture(data, name).size) <= 760


def test_both_portraits_side_by_side_show_the_larger_face_on_the_left() -> None:
    from selector.sight.faces import find_faces

    both = Picture(_png(PICTURES["both"]()), "both")
    left, right = sorted(find_faces(both)[:2], key=lambda face: face.box[0])
    assert left.box[2] - left.box[0] > 1.3 * (right.box[2] - right.box[0])


def test_a_missing_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingPart, match="pip install pylopdf-fonts-zh-cn"):
        font_file("hei")


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        make_demo_contest(tmp_path / "file")


def test_shipped_photographs_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        photograph("chelsea")[0, 0, 0] = 1


def test_a_second_run_gives_the_same_bytes(contest: DemoContest, tmp_path: Path) -> None:
    again = make_demo_contest(tmp_path)
    assert again.table.read_bytes() == contest.table.read_bytes()
    assert {path.name for path in again.images.iterdir()} == {path.name for path in contest.images.iterdir()}


def test_what_is_shown_is_24_tasks_of_all_types_in_both_languages(tmp_path: Path) -> None:
    shown = make_demo_contest(tmp_path, SHOWN)
    with shown.table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == shown.tasks == len(set(SHOWN)) == 24
    counts = Counter(row["task_type"] for row in rows)
    assert set(counts) == {"tie", "vttie", "deepfake", "t2i"} and min(counts.values()) >= 4
    for kind in ("tie", "vttie", "t2i"):
        of_kind = [row["prompt"] for row in rows if row["task_type"] == kind]
        assert 0 < sum(prompt.isascii() for prompt in of_kind) < len(of_kind)
    assert all(row["ori_image"] == "" for row in rows if row["task_type"] == "t2i")


def test_what_is_shown_needs_no_package_beyond_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    extra = {"sklearn", "torch", "diffusers", "open_clip", "transformers", "onnx"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name in extra else find(name, *more))
    photograph.cache_clear()
    make_demo_contest(tmp_path, SHOWN)
    check_drawing()
    for name, settings in SAMPLERS.items():
        create_generator("diffusers", {"preset": "embedded", **settings}).check()
        assert name.startswith("shapes")


def test_the_page_is_shown_for_neither_a_program_nor_a_play(run: Run, tmp_path: Path) -> None:
    for other in ("--json", "--play"):
        code, _, said = run("demo", tmp_path / "d", "--review", other)
        assert code == 2 and "leave --play and --json away" in said
    assert not (tmp_path / "d").exists()


def test_importing_the_demo_opens_no_heavy_package() -> None:
    code = "import selector.demo, sys; assert not {'skimage', 'sklearn', 'matplotlib', 'PIL.Image'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(contest_module.__file__).parents[2])


def _png(rgb: object) -> bytes:
    from selector.domain import encode_final

    return encode_final(rgb, "png")
