"""The writer: the same picks give the same bytes, nothing is half written, and a failure leaves no trace."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from selector.contest.profile import ContestProfile, load_profile
from selector.domain import SubmissionError, Task, TaskType
from selector.submit import _archive as archive
from selector.submit._archive import write_archive

TIANCHI = load_profile("tianchi-532389")
MINI = load_profile("mini-png")
TASKS = [Task(task_id, TaskType.T2I, "a cat", None, None, at) for at, task_id in enumerate(["20", "3", "007"])]
FILES = {"3": b"three", "007": b"seven", "20": b"twenty"}


def limited(max_bytes: int) -> ContestProfile:
    return TIANCHI.model_copy(update={"export": TIANCHI.export.model_copy(update={"max_bytes": max_bytes})})


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_members_are_the_manifest_then_the_images_in_the_order_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "red_图片生成_result.zip"
    write_archive(path, TIANCHI, TASKS, FILES)
    with zipfile.ZipFile(path) as opened:
        assert opened.namelist() == ["result.csv", "imgs/20.jpg", "imgs/3.jpg", "imgs/007.jpg"]
        assert opened.read("result.csv") == b"\xef\xbb\xbfindex,gen_image\n20,20.jpg\n3,3.jpg\n007,007.jpg\n"
        assert [opened.read(f"imgs/{task.id}.jpg") for task in TASKS] == [b"twenty", b"three", b"seven"]
        for info in opened.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert (info.create_system, info.external_attr >> 16) == (3, stat.S_IFREG | 0o644)


def test_another_contest_gets_its_own_names_columns_and_encoding(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.zip", MINI, [Task("猫,1", TaskType.T2I, "x", None, None, 0)], {"猫,1": b"cat"})
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert opened.namelist() == ["answers.csv", "pictures/猫,1.png"]
        assert opened.read("answers.csv").decode("utf-8") == 'file,key\n"pictures/猫,1.png","猫,1"\n'


def test_the_same_picks_give_the_same_bytes_from_memory_and_from_files(tmp_path: Path) -> None:
    paths = {}
    for task_id, data in FILES.items():
        paths[task_id] = tmp_path / f"{task_id}.bin"
        paths[task_id].write_bytes(data)
        os.utime(paths[task_id], (1, 1))
    first = write_archive(tmp_path / "a.zip", TIANCHI, TASKS, FILES)
    second = write_archive(tmp_path / "b.zip", TIANCHI, TASKS, paths)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert first == second == hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest()


def test_the_bytes_are_the_same_on_every_machine(tmp_path: Path) -> None:
    digest = write_archive(tmp_path / "a.zip", TIANCHI, TASKS, FILES)
    assert digest == "450c898967d108f4f15bdfd41f8059877f726d274ca655cd01b357299f83a409"


def test_the_file_can_be_read_by_others_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"old")
    write_archive(path, TIANCHI, TASKS, FILES)
    assert zipfile.is_zipfile(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert left_in(tmp_path) == ["a.zip"]


def test_a_missing_or_foreign_image_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="1 of 3 tasks have no image: 007"):
        write_archive(tmp_path / "a.zip", TIANCHI, TASKS, {"3": b"x", "20": b"y"})
    with pytest.raises(SubmissionError, match="1 image belongs to no task of the table: 99"):
        write_archive(tmp_path / "a.zip", TIANCHI, TASKS, {**FILES, "99": b"x"})
    with pytest.raises(SubmissionError, match="at least one task"):
        write_archive(tmp_path / "a.zip", TIANCHI, [], {})
    with pytest.raises(SubmissionError, match="cannot be read"):
        write_archive(tmp_path / "a.zip", TIANCHI, TASKS, {**FILES, "3": tmp_path / "gone.jpg"})
    assert left_in(tmp_path) == []


def test_the_size_limit_counts_the_whole_zip(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.zip", TIANCHI, TASKS, FILES)
    size = (tmp_path / "a.zip").stat().st_size
    write_archive(tmp_path / "b.zip", limited(size), TASKS, FILES)
    for max_bytes in (size - 1, 10):
        with pytest.raises(SubmissionError, match="the contest takes"):
            write_archive(tmp_path / "c.zip", limited(max_bytes), TASKS, FILES)
    assert left_in(tmp_path) == ["a.zip", "b.zip"]


def test_a_full_disk_is_one_line_and_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.zip").write_bytes(b"old")
    monkeypatch.setattr(archive.os, "fsync", full)
    with pytest.raises(SubmissionError, match="the disk is full"):
        write_archive(tmp_path / "a.zip", TIANCHI, TASKS, FILES)
    assert (tmp_path / "a.zip").read_bytes() == b"old"
    assert left_in(tmp_path) == ["a.zip"]


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are of POSIX")
def test_a_write_that_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    script = f"""
        import resource, sys
        from pathlib import Path
        from selector.contest.profile import load_profile
        from selector.domain import SubmissionError, Task, TaskType
        from selector.submit._archive import write_archive
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
        tasks = [Task(str(n), TaskType.T2I, "x", None, None, n) for n in range(5)]
        try:
            write_archive(Path({str(tmp_path / "a.zip")!r}), load_profile("tianchi-532389"), tasks,
                          {{task.id: bytes(1_000_000) for task in tasks}})
        except SubmissionError as error:
            print(error)
            sys.exit(2)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stdout
    assert left_in(tmp_path) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path / "a.zip", TIANCHI, TASKS, FILES)
    assert left_in(tmp_path) == []


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"none/a\.zip cannot be written: No such file"):
        write_archive(tmp_path / "none" / "a.zip", TIANCHI, TASKS, FILES)


@pytest.mark.skipif(sys.platform == "win32", reason="resource usage is of POSIX")
def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    script = f"""
        import resource
        from pathlib import Path
        from selector.contest.profile import load_profile
        from selector.domain import Task, TaskType
        from selector.submit._archive import write_archive
        folder = Path({str(tmp_path)!r})
        image = folder / "image.jpg"
        image.write_bytes(bytes(1_000_000))
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        def export(n):
            tasks = [Task(str(k), TaskType.T2I, "x", None, None, k) for k in range(n)]
            write_archive(folder / "a.zip", load_profile("tianchi-532389"), tasks, {{t.id: image for t in tasks}})
        export(3)
        before = peak()
        export(200)
        print(peak() - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000  # kB, of 200 MB written
