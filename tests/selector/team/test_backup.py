"""A backup is one state of the campaign, made while others write; what is restored is that campaign and no more."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Run
from sqlalchemy import func, insert, select

from selector import Campaign
from selector.domain import InputError
from selector.domain.campaign_folder import LOCK_NAME
from selector.store import schema
from selector.team import backup as backup_module
from selector.team import restoring


@pytest.fixture
def full(campaign: Campaign) -> Campaign:
    campaign.generate()
    campaign.score()
    campaign.pick()
    campaign.export()
    campaign.decisions.exclude("too dark", [campaign.explain("3").rivals[-1].candidate_id], by="ann")
    return campaign


def rows(campaign: Campaign) -> dict[str, list[tuple[object, ...]]]:
    """All rows but leases."""
    with campaign._ws.db.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in schema.metadata.sorted_tables
            if table is not schema.lease
        }


def test_what_is_restored_outlasts_a_loss_of_power(
    full: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full.backup(tmp_path / "monday.zip", images=True)
    synced, fsync = set(), os.fsync

    def noted(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    Campaign.restore(tmp_path / "again", tmp_path / "monday.zip")
    paths = [path for path in (tmp_path / "again").rglob("*") if path.name != LOCK_NAME]
    assert sum(path.suffix == ".jpg" for path in paths) > 9
    assert [path for path in paths if path.stat().st_ino not in synced] == []


def test_what_is_restored_is_the_same_campaign(full: Campaign, tmp_path: Path) -> None:
    made = full.backup(tmp_path / "monday.zip", images=True)
    assert (made.images, made.images_left, made.images_lost) == (9, 0, 0)
    found = Campaign.restore(tmp_path / "again", tmp_path / "monday.zip")
    assert found.campaign == full._ws.db.campaign
    with Campaign(tmp_path / "again", full._ws.clock) as again:
        assert rows(again) == rows(full)
        assert again.config == full.config
        before = full.pick()
        assert again.pick() == before
        assert again.generate().made == 0, "nothing is made again"
        exported = again.export()
        assert exported.submission.id == full.export().submission.id
        assert all(check.ok for check in again.doctor() if check.subject in ("inputs", "images"))


def test_without_images_it_says_so(full: Campaign, tmp_path: Path, run: Run) -> None:
    code, out, _ = run("backup", tmp_path / "b.zip", "-C", full.folder)
    assert code == 0
    assert "9 pictures not in it" in out
    code, out, _ = run("init", tmp_path / "again", "--from", tmp_path / "b.zip")
    assert code == 0
    assert "9 pictures not in the backup" in out
    code, out, _ = run("init", tmp_path / "third", "--from", tmp_path / "b.zip", "--json")
    assert json.loads(out)["images_left"] == 9
    with Campaign(tmp_path / "again", full._ws.clock) as again:
        again.generate()
        assert {path.name for path in (tmp_path / "again" / "images").rglob("*.jpg")} == {
            path.name for path in (full.folder / "images").rglob("*.jpg")
        }, "toys make the same again"


def test_without_images_it_says_where_those_of_the_original_lie(full: Campaign, tmp_path: Path, run: Run) -> None:
    run("backup", tmp_path / "own.zip", "-C", full.folder)
    out = run("init", tmp_path / "again", "--from", tmp_path / "own.zip")[1]
    assert f"they are those of the original, at {full.folder}/images; copy them to {tmp_path}/again/images" in out
    (tmp_path / "shared").mkdir()
    settings = full.folder / "campaign.toml"
    settings.write_text(settings.read_text().replace('images = ""', f'images = "{(tmp_path / "shared").as_posix()}"'))
    run("backup", tmp_path / "shared.zip", "-C", full.folder)
    out = run("init", tmp_path / "third", "--from", tmp_path / "shared.zip")[1]
    assert f"the original, at {tmp_path}/shared; what one of the two deletes, the other loses" in out


def test_what_is_lost_is_told_and_the_exit_status_says_so(full: Campaign, tmp_path: Path, run: Run) -> None:
    next((full.folder / "images").rglob("*.jpg")).unlink()
    for name, *options in (("a.zip",), ("b.zip", "--images")):
        code, out, _ = run("backup", tmp_path / name, "-C", full.folder, *options)
        assert code == 1
        assert "1 picture missing in it, lost or damaged in the campaign" in out
    out = run("init", tmp_path / "again", "--from", tmp_path / "b.zip")[1]
    assert "1 picture not in the backup: they were lost when it was made" in out


def test_programs_and_models_that_are_not_in_it_are_named(
    full: Campaign, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/swap.py", "scripts/rate.py", "draw.py"):
        (tmp_path / name).write_text("")
    (full.folder / "head.pt").write_text("")
    (full.folder / "campaign.toml").open("a").write(f"""
[generators.swap]
kind = "command"
command = ["python", "swap.py", "{{output}}"]
cwd_folder = "../scripts"

[generators.draw]
kind = "command"
command = ["python", "draw.py", "--to={{output}}"]

[scorers.fake_universal]
head_path = "head.pt"
weights_path = "{(tmp_path / "nowhere").as_posix()}"
""")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("backup", "b.zip", "-C", full.folder)
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("not in it")] == [
        f"not in it: {tmp_path}/scripts, which [generators.swap] cwd_folder names: keep a copy",
        f"not in it: {tmp_path}/draw.py, which [generators.draw] command names: keep a copy",
        f"not in it: {full.folder}/head.pt, which [scorers.fake_universal] head_path names: keep a copy",
    ]
    assert (tmp_path / "b.zip").is_file(), "as the shell sees it"


def test_nothing_is_replaced(full: Campaign, tmp_path: Path, run: Run) -> None:
    (tmp_path / "b.zip").write_bytes(b"precious")
    (tmp_path / f".bestshot-tmp-{'a' * 32}").mkdir()  # of a backup that was killed when it had its name
    code, _, err = run("backup", tmp_path / "b.zip", "-C", full.folder)
    assert (code, (tmp_path / "b.zip").read_bytes()) == (2, b"precious")
    assert "replaces nothing" in err
    assert not list(tmp_path.glob(".bestshot-tmp-*"))
    full.backup(tmp_path / "good.zip")
    with pytest.raises(InputError, match="is a campaign already"):
        Campaign.restore(full.folder, tmp_path / "good.zip")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    with pytest.raises(InputError, match="holds other things"):
        Campaign.restore(tmp_path / "mine", tmp_path / "good.zip")
    code, _, err = run("init", tmp_path / "new", "--from", tmp_path / "good.zip", "--tasks", "x.csv")
    assert "leave --tasks" in err
    assert not (tmp_path / "new").exists()


def test_writers_do_not_wait_and_it_is_one_state(
    full: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes pairs of rows without a pause: a backup holds both of a pair or none, and it ends."""
    monkeypatch.setattr(backup_module, "_PAGES", 4)  # many steps
    stop, written = threading.Event(), [0]

    def write() -> None:
        with Campaign(full.folder) as other:
            while not stop.is_set():
                row = {"known": "x" * 500, "hold": True, "hold_below": 0.0, "remaining": 1, "at": "2025"}
                with other._ws.db.write() as connection:
                    connection.execute(insert(schema.plan_decision), [row, row])
                written[0] += 1

    with full._ws.db.write() as connection:  # something to copy
        row = {"known": "y" * 900, "hold": True, "hold_below": 0.0, "remaining": 1, "at": "2025"}
        connection.execute(insert(schema.plan_decision), [row] * 4000)
    thread = threading.Thread(target=write)
    thread.start()
    try:
        while written[0] < 3:
            pass
        before = written[0]
        full.backup(tmp_path / "b.zip")
        during = written[0] - before
    finally:
        stop.set()
        thread.join()
    assert during > 3, "it wrote on"
    Campaign.restore(tmp_path / "again", tmp_path / "b.zip")
    with Campaign(tmp_path / "again") as again, again._ws.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.plan_decision)).scalar_one() % 2 == 0


def test_the_password_of_the_database_is_not_in_it(full: Campaign, tmp_path: Path) -> None:
    path = full.folder / "campaign.toml"
    address = f"sqlite:///{full.folder / 'campaign.db'}"
    path.write_text(path.read_text().replace('url = ""', f'url = "{address}"'))
    with Campaign(full.folder) as opened:
        opened.backup(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert all(address.encode() not in archive.read(name) for name in archive.namelist())


@pytest.mark.parametrize("place", ["replace", "publish", "write_atomically"])
def test_a_killed_restore_goes_on(full: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    full.backup(tmp_path / "b.zip", images=True)
    with monkeypatch.context() as patched:
        if place == "replace":
            real, calls = Path.replace, [0]

            def dying(self: Path, target: Path) -> Path:
                calls[0] += "campaign.db" not in str(target) and "bestshot-tmp" not in str(target)
                if calls[0] > 5:
                    raise KeyboardInterrupt
                return real(self, target)

            patched.setattr(Path, "replace", dying)
        else:

            def killed(*_: object) -> None:
                if place == "write_atomically":  # from then on it is a campaign, and nobody cleans up before its verbs
                    assert not list((tmp_path / "again").glob(".bestshot-tmp-*"))
                raise KeyboardInterrupt

            patched.setattr(restoring, place, killed)
        with pytest.raises(KeyboardInterrupt):
            Campaign.restore(tmp_path / "again", tmp_path / "b.zip")
    Campaign.restore(tmp_path / "again", tmp_path / "b.zip")
    with Campaign(tmp_path / "again") as again:
        assert rows(again) == rows(full)


Change = Callable[[zipfile.ZipInfo, bytes], tuple[zipfile.ZipInfo, bytes]]


def changed(path: Path, target: Path, change: Change, more: Mapping[str, bytes] | None = None) -> Path:
    """A copy of a backup with its entries changed, and more of them."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as made:
        for info in source.infolist():
            made.writestr(*change(info, source.read(info)))
        for name, data in (more or {}).items():
            made.writestr(name, data)
    return target


def same(info: zipfile.ZipInfo, data: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    return info, data


def as_link(info: zipfile.ZipInfo, data: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    if info.filename == "task.csv":
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        info.create_system = 3
    return info, data


def packed(info: zipfile.ZipInfo, data: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    info.compress_type = zipfile.ZIP_DEFLATED
    return info, data


def other_table(info: zipfile.ZipInfo, data: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    return info, data.replace(b"brighter", b"darker!!") if info.filename == "task.csv" else data


@pytest.mark.parametrize(
    ("change", "more", "says"),
    [
        (same, {"../evil.txt": b"x"}, "climbs out"),
        (same, {"/etc/evil": b"x"}, "absolute path"),
        (same, {"inputs/../../evil": b"x"}, "climbs out"),
        (same, {"a" * 5000: b"x"}, "longer than"),
        (same, {"TASK.csv": b"x"}, "twice"),
        (same, {"stranger.py": b"x"}, "does not fit"),
        (same, {"images/ab/" + "ab" * 32 + ".jpg": b"x"}, "does not fit"),
        (as_link, {}, "no file but a link"),
        (packed, {}, "packed or encrypted"),
        (other_table, {}, "task.csv has another content"),
    ],
)
def test_hostile_backups_write_nothing(
    full: Campaign, tmp_path: Path, change: Change, more: Mapping[str, bytes], says: str
) -> None:
    full.backup(tmp_path / "b.zip")
    evil = changed(tmp_path / "b.zip", tmp_path / "evil.zip", change, more)
    with pytest.raises(InputError, match=says):
        Campaign.restore(tmp_path / "again", evil)
    assert not (tmp_path / "again" / "campaign.toml").exists()
    assert not list(tmp_path.rglob("evil")) + list(tmp_path.rglob("evil.txt"))
    if (tmp_path / "again").exists():
        assert [p.name for p in (tmp_path / "again").iterdir() if not p.name.startswith(".")] == []


def with_sql(backup: Path, tmp_path: Path, sql: str) -> Path:
    """A backup whose database was changed, with the hash that it has now."""
    with zipfile.ZipFile(backup) as archive:
        (tmp_path / "evil.db").write_bytes(archive.read("campaign.db"))
    with closing(sqlite3.connect(tmp_path / "evil.db")) as connection:
        connection.execute(sql)
        connection.commit()
    data = (tmp_path / "evil.db").read_bytes()

    def with_it(info: zipfile.ZipInfo, was: bytes) -> tuple[zipfile.ZipInfo, bytes]:
        if info.filename == "campaign.db":
            return zipfile.ZipInfo("campaign.db"), data
        if info.filename == "backup.json":
            told = json.loads(was)
            told["files"]["campaign.db"] = hashlib.sha256(data).hexdigest()
            return info, json.dumps(told).encode()
        return info, was

    return changed(backup, tmp_path / "evil.zip", with_it)


@pytest.mark.parametrize(
    "sql", ["CREATE TRIGGER t AFTER INSERT ON score BEGIN DELETE FROM score; END", "CREATE VIEW v AS SELECT 1"]
)
def test_a_database_that_would_act_is_refused(full: Campaign, tmp_path: Path, sql: str) -> None:
    full.backup(tmp_path / "b.zip")
    evil = with_sql(tmp_path / "b.zip", tmp_path, sql)
    with pytest.raises(InputError, match="not bestshot's"):
        Campaign.restore(tmp_path / "again", evil)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE candidate SET width_px = 'wide'", "candidate"),
        ("UPDATE task SET prompt = x'ff00'", "task"),
        ("UPDATE attempt SET params = '{'", "attempt"),
        ("UPDATE attempt SET notes = 'null'", "attempt"),
        ("UPDATE planning SET recipes = '{}'", "planning"),
    ],
)
def test_a_cell_of_another_kind_than_its_columns_is_refused(
    full: Campaign, tmp_path: Path, sql: str, table: str
) -> None:
    full.backup(tmp_path / "b.zip")
    evil = with_sql(tmp_path / "b.zip", tmp_path, sql)
    with pytest.raises(InputError, match=f"damaged \\(a cell of '{table}'\\): take another one"):
        Campaign.restore(tmp_path / "again", evil)


_CANDIDATE = "INSERT INTO candidate SELECT task_id, '../victim', width_px, height_px, size_bytes, at FROM candidate"
_PRUNED = "INSERT INTO pruned (picture_id, name, gone, reason, by, at) VALUES ({}, 1, 'x', 'x', '2025')"
_SHARD = (
    "INSERT INTO score_shard (scorer, version, path, rows, size_bytes, counts, at) "
    "VALUES ('technical', '1', '{}', 1, 1, '{{}}', '2025')"
)


_STRANGE = (
    (f"{_CANDIDATE} LIMIT 1", "no id of one"),
    (_PRUNED.format("'../victim', NULL"), "no id of one"),
    (_PRUNED.format("'" + "a" * 64 + "', '../../victim'"), "climbs out"),
    ("UPDATE task SET source = '/etc/passwd' WHERE position = 0", "absolute path"),
    ("INSERT INTO fact VALUES ('input:../../victim', 'x')", "climbs out"),
    (_SHARD.format("../../victim.jpg"), "is not in it"),
    (_SHARD.format("technical/1/part-ab.parquet"), "is not in it"),
    ("UPDATE attempt SET candidate_id = '-1' WHERE id = 1", "names what is not in it"),
    ("UPDATE score SET candidate_id = '-1' WHERE rowid = 1", "names what is not in it"),
)


def test_records_that_name_what_lies_elsewhere_are_refused(full: Campaign, tmp_path: Path) -> None:
    full.backup(tmp_path / "b.zip")
    for sql, says in _STRANGE:
        evil = with_sql(tmp_path / "b.zip", tmp_path, sql)
        with pytest.raises(InputError, match=says):
            Campaign.restore(tmp_path / "again", evil)
        assert not (tmp_path / "again" / "campaign.toml").exists()
    Campaign.restore(tmp_path / "again", tmp_path / "b.zip")


def test_what_people_deleted_is_not_in_it(full: Campaign, tmp_path: Path) -> None:
    """Another folder of the campaign still has its copy of the input picture."""
    name = next(task.source for task in full.tasks if task.id == "3")
    assert name
    kept = (full.folder / "inputs" / name).read_bytes()
    full.prune(person_of=["3"], reason="a person asked", by="ann", delete=True)
    (full.folder / "inputs" / name).write_bytes(kept)
    found = full.backup(tmp_path / "b.zip", images=True)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = archive.namelist()
    assert f"inputs/{name}" not in names
    assert found.images == len([one for one in names if one.startswith("images/")]) < 9
    Campaign.restore(tmp_path / "again", tmp_path / "b.zip")


@pytest.mark.parametrize("what", ["", "text", "zip"])
def test_what_is_no_backup(tmp_path: Path, what: str) -> None:
    path = tmp_path / "b.zip"
    if what == "text":
        path.write_text("hello")
    elif what == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "x")
    with pytest.raises(InputError, match="give a file of `bestshot backup`"):
        Campaign.restore(tmp_path / "again", path)


def test_a_cut_backup_is_damaged(full: Campaign, tmp_path: Path) -> None:
    full.backup(tmp_path / "b.zip", images=True)
    data = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="cannot be read as a backup"):
        Campaign.restore(tmp_path / "again", tmp_path / "cut.zip")
    flipped = bytearray(data)
    flipped[len(data) // 3] ^= 1
    (tmp_path / "flipped.zip").write_bytes(bytes(flipped))
    with pytest.raises(InputError, match="damaged"):
        Campaign.restore(tmp_path / "again", tmp_path / "flipped.zip")


def test_restoring_counts_as_the_backup_and_leaves_nothing_of_a_damaged_one(
    full: Campaign, tmp_path: Path, run: Run
) -> None:
    full.prune(losers=True, delete=True, reason="full")
    made = full.backup(tmp_path / "b.zip")
    assert Campaign.restore(tmp_path / "again", tmp_path / "b.zip").images_left == made.images_left
    code, _, said = run("init", tmp_path / "other", "--from", tmp_path / "b.zip", "--team", "x")
    assert (code, "leave --tasks, --images, --seed and --team away" in said) == (2, True)
    data = bytearray((tmp_path / "b.zip").read_bytes())
    at = data.index(b"SQLite format 3") + 9000
    data[at : at + 64] = bytes(64 - 1) + b"x"
    (tmp_path / "b.zip").write_bytes(data)
    assert run("init", tmp_path / "new", "--from", tmp_path / "b.zip")[0] == 2
    assert not (tmp_path / "new").exists()
    assert run("scores", "-C", full.folder, "--move", "--out", "q")[0] == 2
