"""The power cut in small: what was synced is there, what was not may be; and a file that was not synced is noticed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from experiments import power_loss
from experiments.support import power_cut
from experiments.support.crash_loop import LOOP
from experiments.support.power_cut import ALL, DATA, NAMES, NOTHING, SOME, Disk, Recording, built, recorded, why_not

SHORT = tuple(verb for verb in LOOP if verb.name in ("init", "import", "of an older format"))

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")

WRITES = """
import os, sqlite3
from pathlib import Path
def sync(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
Path("half").write_bytes(b"a" * 512 + b"b" * 512)
Path("old").write_bytes(b"new")
os.mkdir("folder")
sync("half")
os.rename("half", "folder/whole")
sync(".")
sync("folder")
Path("folder/late").write_bytes(b"late")
db = sqlite3.connect("rows.db")
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE t (a)")
db.execute("INSERT INTO t VALUES (1)")
db.commit()
os._exit(0)
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    place = tmp_path_factory.mktemp("seen")
    (place / "root").mkdir()
    (place / "root" / "old").write_bytes(b"old")
    return recorded(built(place), place / "root", [sys.executable, "-c", WRITES], {})


def cut_after(seen: Recording, kind: str, number: int = 1) -> Disk:
    """The disk right after so many steps of a kind."""
    places = [n for n, step in enumerate(seen.steps, 1) if step.kind == kind]
    return Disk(seen, places[number - 1])


def test_the_recording_sees_all_that_python_and_sqlite_write(seen: Recording) -> None:
    assert seen.after["folder/whole"] == b"a" * 512 + b"b" * 512 and seen.after["folder"] is None
    assert {step.kind for step in seen.steps} >= set("CMWTSR")
    wal = seen.after["rows.db-wal"]
    assert wal and Disk(seen, len(seen.steps)).state(NOTHING)["rows.db-wal"] == wal, "what was committed lasts"


def test_what_was_not_synced_may_be_lost_by_name_or_by_content(seen: Recording) -> None:
    disk = cut_after(seen, "M")
    assert disk.state(NOTHING) == {"old": b"old"}
    assert disk.state(NAMES) == {"old": b"old", "half": b"", "folder": None}
    assert disk.state(DATA) == {"old": b"new"}
    assert disk.state(ALL) == {"old": b"new", "half": b"a" * 512 + b"b" * 512, "folder": None}
    some = [disk.state(SOME, f"{seed}") for seed in range(40)]
    halves = {state["half"] for state in some if "half" in state}
    assert {b"a" * 512, b"a" * 512 + b"b" * 512, bytes(512) + b"b" * 512} <= halves
    assert {"half" in state for state in some} == {"folder" in state for state in some} == {True, False}


def test_a_sync_of_bytes_keeps_no_name_and_one_of_the_folder_does(seen: Recording) -> None:
    whole = b"a" * 512 + b"b" * 512
    assert "half" not in cut_after(seen, "S").state(NOTHING)
    assert cut_after(seen, "S").state(NAMES)["half"] == whole
    assert cut_after(seen, "S", 2).state(NOTHING)["folder/whole"] == whole
    assert "half" not in cut_after(seen, "S", 2).state(ALL)


def test_what_the_recorder_has_not_seen_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_cut, "_steps", lambda _log, _root: iter(()))
    (tmp_path / "root").mkdir()
    with pytest.raises(RuntimeError, match="not all that was written to x was seen"):
        recorded(built(tmp_path), tmp_path / "root", [sys.executable, "-c", "open('x', 'w').write('x')"], {})


def test_init_import_and_a_migration_outlast_a_loss_of_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.json"
    monkeypatch.setattr(power_loss, "LOOP", SHORT)
    assert power_loss.main(["--cuts", "2", "--jobs", "1", "--json", str(out)]) == 0
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert list(results) == [verb.name for verb in SHORT]
    assert all(counts["syncs"] > 5 and counts["states"] > 1 and not counts["wrong"] for counts in results.values())


def test_a_row_before_its_bytes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_loss, "LOOP", SHORT)
    monkeypatch.setattr(power_loss, "_RUN", f"import os; os.fsync = lambda _: None; {power_loss._RUN}")
    out = tmp_path / "out.json"
    assert power_loss.main(["--verbs", "import", "--cuts", "1", "--jobs", "1", "--json", str(out)]) == 1
    assert json.loads(out.read_text(encoding="utf-8"))["results"]["import"]["wrong"] >= 2
