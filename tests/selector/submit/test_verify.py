"""The verifier: each way in which a ZIP can be wrong is its own test; ZIPs are forged here without the writer."""

from __future__ import annotations

import hashlib
import io
import struct
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from costs import within
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selector.contest.profile import ContestProfile, load_profile
from selector.domain import InputError, Task, TaskType, encode_final
from selector.submit import verify
from selector.submit._archive import write_archive
from selector.submit.verify import Verdict, verify_archive

TIANCHI = load_profile("tianchi-532389")
MINI = load_profile("mini-png")
TASKS = [Task(task_id, TaskType.T2I, "a cat", None, None, at) for at, task_id in enumerate(["20", "3", "7"])]
PIXELS = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
JPEG, PNG = encode_final(PIXELS), encode_final(PIXELS, "png")
MANIFEST = b"\xef\xbb\xbfindex,gen_image\n20,20.jpg\n3,3.jpg\n7,7.jpg\n"
GOOD = {"result.csv": MANIFEST, "imgs/20.jpg": JPEG, "imgs/3.jpg": JPEG, "imgs/7.jpg": JPEG}
NAME = "red_图片生成_result.zip"


def forge(path: Path, members: dict[str, bytes], more: list[tuple[str | zipfile.ZipInfo, bytes]] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in [*members.items(), *(more or [])]:
            archive.writestr(name, data)
    return path


def without(name: str) -> dict[str, bytes]:
    return {other: data for other, data in GOOD.items() if other != name}


def verdict_of(folder: Path, members: dict[str, bytes], **more: list[tuple[str | zipfile.ZipInfo, bytes]]) -> Verdict:
    return verify_archive(forge(folder / NAME, members, **more), TIANCHI, TASKS)


def problem_of(folder: Path, members: dict[str, bytes], **more: list[tuple[str | zipfile.ZipInfo, bytes]]) -> str:
    """The one problem of a ZIP that has exactly one."""
    verdict = verdict_of(folder, members, **more)
    assert not verdict.valid
    assert len(verdict.problems) == 1, verdict.problems
    assert "\n" not in verdict.problems[0]
    return verdict.problems[0]


def patched(path: Path, old: bytes, new: bytes, count: int = -1) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, count))
    return path


def test_a_right_zip_is_valid(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, GOOD)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = Verdict(True, (), (), tasks=3, images=3, bytes=path.stat().st_size, sha256=digest)
    assert verify_archive(path, TIANCHI, TASKS) == expected


def test_a_compressed_zip_with_folder_entries_and_windows_line_ends_is_valid(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("imgs/", b"")
        for name, data in {**GOOD, "result.csv": MANIFEST.replace(b"\n", b"\r\n")}.items():
            archive.writestr(name, data)
    assert verify_archive(path, TIANCHI, TASKS).valid


def test_what_the_writer_writes_is_valid_in_both_contests(tmp_path: Path) -> None:
    write_archive(tmp_path / NAME, TIANCHI, TASKS, {task.id: JPEG for task in TASKS})
    assert verify_archive(tmp_path / NAME, TIANCHI, TASKS).valid
    right_size = encode_final(np.zeros((192, 256, 3), np.uint8), "png")
    write_archive(tmp_path / "answers-red.zip", MINI, TASKS, {task.id: right_size for task in TASKS})
    assert verify_archive(tmp_path / "answers-red.zip", MINI, TASKS) == Verdict(
        True,
        (),
        (),
        3,
        3,
        *(lambda data: (len(data), hashlib.sha256(data).hexdigest()))((tmp_path / "answers-red.zip").read_bytes()),
    )


def test_a_wrong_file_name_is_a_warning(tmp_path: Path) -> None:
    verdict = verify_archive(forge(tmp_path / "mine.zip", GOOD), TIANCHI, TASKS)
    assert verdict.valid
    assert "rename it before uploading" in verdict.warnings[0]


def test_the_name_that_the_official_notebook_writes_is_accepted(tmp_path: Path) -> None:
    assert verify_archive(forge(tmp_path / "result.zip", GOOD), TIANCHI, TASKS).warnings == ()


def test_no_file_is_an_error_and_not_a_verdict(tmp_path: Path) -> None:
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            verify_archive(path, TIANCHI, TASKS)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04", JPEG])
def test_a_file_that_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    verdict = verify_archive(tmp_path / NAME, TIANCHI, TASKS)
    assert "not a readable ZIP" in verdict.problems[0]
    assert (verdict.valid, verdict.images) == (False, 0)


def test_a_truncated_zip(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, GOOD)
    path.write_bytes(path.read_bytes()[:-30])
    assert "not a readable ZIP" in verify_archive(path, TIANCHI, TASKS).problems[0]


def test_a_flipped_byte_in_an_image_fails_its_crc(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, GOOD)
    data = bytearray(path.read_bytes())
    data[data.index(b"imgs/3.jpg") + len("imgs/3.jpg") + len(JPEG) - 20] ^= 0xFF
    path.write_bytes(data)
    verdict = verify_archive(path, TIANCHI, TASKS)
    assert "'imgs/3.jpg' cannot be unpacked (Bad CRC-32" in verdict.problems[0]
    assert verdict.images == 2


def test_a_file_far_over_the_limit_is_refused_by_its_size_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / NAME
    with path.open("wb") as stream:
        stream.truncate(6_000_000_000)  # sparse: takes no room on the disk
    monkeypatch.setattr(verify.hashlib, "sha256", _Unread)
    verdict = verify_archive(path, TIANCHI, TASKS)
    assert verdict.problems[0] == "the file has 6,000,000,000 bytes, the contest takes at most 2,147,483,648"
    assert (verdict.valid, verdict.bytes, verdict.sha256) == (False, 6_000_000_000, "")


class _Unread:
    def update(self, _block: bytes) -> None:
        raise AssertionError("it was read")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the device of Linux and macOS")
def test_a_device_is_no_submission() -> None:
    with pytest.raises(InputError, match=r"/dev/zero cannot be read .no regular file."):
        verify_archive(Path("/dev/zero"), TIANCHI, TASKS)


def test_a_zip_over_the_limit(tmp_path: Path) -> None:
    small = TIANCHI.export.model_copy(update={"max_bytes": 30_000})
    profile: ContestProfile = TIANCHI.model_copy(update={"export": small})
    path = forge(tmp_path / NAME, {**GOOD, "imgs/7.jpg": JPEG + bytes(30_000)})
    problems = verify_archive(path, profile, TASKS).problems
    assert "the contest takes at most 30,000" in problems[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/etc/passwd", "absolute path"),
        ("C:/x.jpg", "absolute path"),
        ("../x.jpg", "climbs out"),
        ("imgs/../../x.jpg", "climbs out"),
        ("imgs/\x1b[2J.jpg", "control character"),
        ("imgs//7.jpg", "empty"),
        ("~/x.jpg", "home folder"),
    ],
)
def test_names_that_lead_out_of_the_zip(tmp_path: Path, name: str, expected: str) -> None:
    problems = verdict_of(tmp_path, GOOD, more=[(name, b"x")]).problems
    assert any(expected in problem for problem in problems)


def test_a_name_with_a_backslash(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, {**without("imgs/7.jpg"), "imgs+7.jpg": JPEG})
    verdict = verify_archive(patched(path, b"imgs+7.jpg", b"imgs\\7.jpg"), TIANCHI, TASKS)
    assert any("backslash" in problem for problem in verdict.problems)
    assert any("task 7: 'imgs/7.jpg' is not in the ZIP" in problem for problem in verdict.problems)


def test_a_name_with_a_hidden_rest_after_nul(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, {**without("imgs/7.jpg"), "imgs/7.jpg+.exe": JPEG})
    verdict = verify_archive(patched(path, b"7.jpg+.exe", b"7.jpg\0.exe"), TIANCHI, TASKS)
    assert any("ambiguous name" in problem for problem in verdict.problems)


def test_a_tiny_picture_is_a_warning_and_no_problem(tmp_path: Path) -> None:
    tiny = encode_final(PIXELS[:63])
    verdict = verdict_of(tmp_path, GOOD | {"imgs/3.jpg": tiny})
    assert (verdict.valid, verdict.images) == (True, 3)
    assert verdict.warnings == ("'imgs/3.jpg' has only 96 x 63 px: is that the picture you mean?",)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice(tmp_path: Path) -> None:
    assert problem_of(tmp_path, GOOD, more=[("imgs/7.jpg", JPEG)]) == "'imgs/7.jpg' is in the ZIP 2 times"


def test_an_encrypted_entry(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, GOOD)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # the last entry of the central directory; its flags are at offset 8
    data[entry + 8] |= 1
    path.write_bytes(data)
    problems = verify_archive(path, TIANCHI, TASKS).problems
    assert "'imgs/7.jpg' is encrypted" in problems[0]


def test_a_symbolic_link(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("imgs/7.jpg")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    problems = verdict_of(tmp_path, without("imgs/7.jpg"), more=[(info, b"/etc/passwd")]).problems
    assert "'imgs/7.jpg' is a symbolic link, not a file" in problems


@pytest.mark.parametrize("name", ["readme.txt", "imgs/8.jpg", "__MACOSX/", "imgs/.DS_Store", "RESULT.CSV"])
def test_an_extra_file(tmp_path: Path, name: str) -> None:
    assert problem_of(tmp_path, GOOD, more=[(name, b"")]) == f"{name!r} does not belong in the ZIP"


@pytest.mark.parametrize("method", [12, 14, 99])  # bzip2, LZMA, none that is known
def test_a_compression_that_not_every_reader_knows(tmp_path: Path, method: int) -> None:
    path = forge(tmp_path / NAME, GOOD)
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 10] = method
    path.write_bytes(data)
    expected = f"'imgs/7.jpg' is compressed by method {method}; use store or deflate"
    assert verify_archive(path, TIANCHI, TASKS).problems == (expected,)


def test_a_decompression_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_IMAGE_BYTES", 1 << 20)
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**GOOD, "imgs/7.jpg": JPEG + bytes(2 << 20)}.items():
            archive.writestr(name, data)
    monkeypatch.setattr(verify, "_read", lambda *_: pytest.fail("nothing may be unpacked"))
    assert "'imgs/7.jpg' would unpack to 2,1" in verify_archive(path, TIANCHI, TASKS).problems[0]


def test_many_entries_whose_sum_is_a_bomb(tmp_path: Path) -> None:
    small = TIANCHI.export.model_copy(update={"max_bytes": 20_000})
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**GOOD, "imgs/7.jpg": JPEG + bytes(30_000), "imgs/3.jpg": JPEG + bytes(30_000)}.items():
            archive.writestr(name, data)
    profile = TIANCHI.model_copy(update={"export": small})
    assert any("the ZIP would unpack to" in problem for problem in verify_archive(path, profile, TASKS).problems)


def test_a_declared_size_that_lies_does_not_help_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_IMAGE_BYTES", 1 << 20)
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**GOOD, "imgs/7.jpg": JPEG + bytes(8 << 20)}.items():
            archive.writestr(name, data)
    true_size = struct.pack("<I", len(JPEG) + (8 << 20))
    verdict = verify_archive(patched(path, true_size, struct.pack("<I", 1000)), TIANCHI, TASKS)
    assert verdict.images == 2
    assert "'imgs/7.jpg'" in verdict.problems[0]


def test_a_picture_of_50000_by_50000_px_is_refused_before_decoding(tmp_path: Path) -> None:
    frame = JPEG.index(b"\xff\xc0")  # start of frame: height and width follow at offset 5
    huge = JPEG[: frame + 5] + struct.pack(">HH", 50_000, 50_000) + JPEG[frame + 9 :]
    assert "'imgs/7.jpg'" in problem_of(tmp_path, {**GOOD, "imgs/7.jpg": huge})


def test_no_manifest(tmp_path: Path) -> None:
    assert problem_of(tmp_path, without("result.csv")) == "'result.csv' is not at the root of the ZIP"


def test_everything_inside_one_folder(tmp_path: Path) -> None:
    problems = verdict_of(tmp_path, {f"result/{name}": data for name, data in GOOD.items()}).problems
    assert any("'result/result.csv' is: zip the content of the folder" in problem for problem in problems)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (MANIFEST[3:], "'result.csv' has no BOM; the contest expects the encoding utf-8-sig"),
        (MANIFEST + b"\xff", "is not UTF-8 at byte"),
        (b"\xef\xbb\xbf", "the header must be 'index,gen_image', it is 'nothing'"),
        (b"\xef\xbb\xbf" + MANIFEST, "the header must be"),
        (MANIFEST.replace(b"gen_image", b"image"), "the header must be 'index,gen_image', it is 'index,image'"),
        (MANIFEST.replace(b"gen_image", b" gen_image"), "the header must be"),
        (MANIFEST.replace(b"3,3.jpg", b"3,imgs/3.jpg"), "row 2 must be '3,3.jpg', it is '3,imgs/3.jpg'"),
        (MANIFEST.replace(b"3,3.jpg", b"3,3.jpg,x"), "row 2 must be '3,3.jpg', it is '3,3.jpg,x'"),
        (MANIFEST.replace(b"\n3,3.jpg", b"\n3,20.jpg"), "row 2 must be '3,3.jpg', it is '3,20.jpg'"),
        (MANIFEST + b"8,8.jpg\n", "4 rows for 3 tasks"),
        (MANIFEST + b"\n", "4 rows for 3 tasks"),
        (MANIFEST.replace(b"7,7.jpg\n", b""), "2 rows for 3 tasks"),
        (MANIFEST.replace(b"7,7.jpg", b'7,"7.jpg'), "not a readable CSV"),
    ],
)
def test_a_wrong_manifest(tmp_path: Path, manifest: bytes, expected: str) -> None:
    assert expected in problem_of(tmp_path, {**GOOD, "result.csv": manifest})


def test_a_bom_where_the_contest_wants_none(tmp_path: Path) -> None:
    path = forge(tmp_path / "answers-red.zip", {"answers.csv": b"\xef\xbb\xbffile,key\n"})
    problems = verify_archive(path, MINI, TASKS).problems
    assert "'answers.csv' begins with a BOM; the contest expects the encoding utf-8" in problems


def test_rows_in_another_order(tmp_path: Path) -> None:
    swapped = b"\xef\xbb\xbfindex,gen_image\n3,3.jpg\n20,20.jpg\n7,7.jpg\n"
    problems = verdict_of(tmp_path, {**GOOD, "result.csv": swapped}).problems
    assert "not in the order of the task table" in problems[0]
    assert "row 1 must be '20,20.jpg', it is '3,3.jpg'" in problems[1]


def test_a_missing_image(tmp_path: Path) -> None:
    assert problem_of(tmp_path, without("imgs/3.jpg")) == "task 3: 'imgs/3.jpg' is not in the ZIP"
    assert verdict_of(tmp_path, without("imgs/3.jpg")).images == 2


def test_an_image_in_another_format(tmp_path: Path) -> None:
    assert problem_of(tmp_path, {**GOOD, "imgs/3.jpg": PNG}) == "'imgs/3.jpg' is not a JPEG picture"


def test_an_image_cut_off(tmp_path: Path) -> None:
    assert "truncated" in problem_of(tmp_path, {**GOOD, "imgs/3.jpg": JPEG[: len(JPEG) // 2]})


def test_an_empty_image(tmp_path: Path) -> None:
    assert "not a JPEG picture" in problem_of(tmp_path, {**GOOD, "imgs/3.jpg": b""})


def test_an_image_of_the_wrong_size_where_the_contest_fixes_it(tmp_path: Path) -> None:
    rows = "".join(f"pictures/{task.id}.png,{task.id}\n" for task in TASKS)
    images = {f"pictures/{task.id}.png": PNG for task in TASKS}
    path = forge(tmp_path / "answers-red.zip", {"answers.csv": f"file,key\n{rows}".encode(), **images})
    problems = verify_archive(path, MINI, TASKS).problems
    assert problems[0] == "'pictures/20.png' has 96 x 64 px, the contest expects 256 x 192"


def test_a_thousand_missing_images_are_a_dozen_lines(tmp_path: Path) -> None:
    tasks = [Task(str(n), TaskType.T2I, "x", None, None, n) for n in range(1000)]
    rows = "".join(f"{n},{n}.jpg\n" for n in range(1000))
    path = forge(tmp_path / NAME, {"result.csv": b"\xef\xbb\xbfindex,gen_image\n" + rows.encode()})
    problems = verify_archive(path, TIANCHI, tasks).problems
    assert len(problems) == 11
    assert problems[-1] == "... and 990 more like the last one"


def forged_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in GOOD.items():
            archive.writestr(name, data)
    return buffer.getvalue()


FORGED = forged_bytes()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    damage=st.lists(st.tuples(st.integers(-400, len(FORGED) - 1), st.integers(0, 255)), min_size=1, max_size=6),
    keep=st.integers(0, len(FORGED)) | st.just(len(FORGED)),
)
def test_no_damage_makes_it_raise(tmp_path: Path, damage: list[tuple[int, int]], keep: int) -> None:
    data = bytearray(FORGED)
    for at, value in damage:  # negative places hit the central directory, where it hurts most
        data[at] = value
    (tmp_path / NAME).write_bytes(data[:keep])
    verdict = verify_archive(tmp_path / NAME, TIANCHI, TASKS)
    assert verdict.valid == (not verdict.problems)
    if verdict.valid:  # then the damage was harmless: an unused date, a reserved bit
        with zipfile.ZipFile(tmp_path / NAME) as archive:
            assert all(zlib.crc32(archive.read(name)) == zlib.crc32(content) for name, content in GOOD.items())


def of_size(width: int, height: int) -> bytes:
    """A small JPEG whose header says another size."""
    frame = JPEG.index(b"\xff\xc0")
    return JPEG[: frame + 5] + struct.pack(">HH", height, width) + JPEG[frame + 9 :]


def thousand(picture: bytes) -> tuple[dict[str, bytes], list[Task]]:
    rows = "".join(f"{n},{n}.jpg\n" for n in range(1000))
    members = {"result.csv": b"\xef\xbb\xbfindex,gen_image\n" + rows.encode()}
    tasks = [Task(str(n), TaskType.T2I, "x", None, None, n) for n in range(1000)]
    return {**members, **{f"imgs/{n}.jpg": picture for n in range(1000)}}, tasks


@pytest.mark.parametrize("padding", [0, 2])
def test_pictures_that_are_a_bomb_together_are_refused_before_one_is_decoded(tmp_path: Path, padding: int) -> None:
    huge = of_size(7000, 7000)
    huge = huge[:2] + (b"\xff\xe5" + struct.pack(">H", 60_002) + bytes(60_000)) * padding + huge[2:]
    members, tasks = thousand(huge)
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with within(2, time.process_time):
        verdict = verify_archive(path, TIANCHI, tasks)
    assert verdict.images == 0
    assert verdict.problems == (
        "the pictures have 49,000 megapixels together, for 1000 tasks at most 16,777 are decoded; make them smaller",
    )


def test_a_list_of_thirty_thousand_files_is_not_read(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, GOOD, more=[(f"x{n}", b"") for n in range(30_000)])
    problem = "not a readable ZIP (a list of its files of 1,5"
    with within(0.2, time.process_time):
        assert verify_archive(path, TIANCHI, TASKS).problems[0].startswith(problem)


def test_files_that_share_their_bytes(tmp_path: Path) -> None:
    path = forge(tmp_path / NAME, {**GOOD, "imgs/7.jpg": JPEG})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<II", *[20 * len(JPEG)] * 2)
    path.write_bytes(data)
    assert "files of the ZIP share their bytes; nothing was unpacked" in verify_archive(path, TIANCHI, TASKS).problems


def test_a_declared_size_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in GOOD.items():
            archive.writestr(name, data)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", len(JPEG) + 5)
    path.write_bytes(data)
    expected = f"'imgs/7.jpg' is declared to have {len(JPEG) + 5:,} bytes, it has {len(JPEG):,}"
    assert verify_archive(path, TIANCHI, TASKS).problems == (expected,)


def test_an_image_of_another_size_is_not_decoded(tmp_path: Path) -> None:
    rows = "".join(f"pictures/{task.id}.png,{task.id}\n" for task in TASKS)
    header = PNG[12:16] + struct.pack(">II", 6000, 8000) + PNG[24:29]
    huge = PNG[:12] + header + struct.pack(">I", zlib.crc32(header)) + PNG[33:]
    images = {f"pictures/{task.id}.png": huge for task in TASKS}
    path = forge(tmp_path / "answers-red.zip", {"answers.csv": f"file,key\n{rows}".encode(), **images})
    problems = verify_archive(path, MINI, TASKS).problems
    assert problems[0] == "'pictures/20.png' has 6000 x 8000 px, the contest expects 256 x 192"
    assert len(problems) == 3
