"""Readers of ZIPs: a submission, a backup, and the database in a backup; and the page over what was restored."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from hypothesis import strategies as st

from experiments.support.hostile_inputs import json_texts
from experiments.support.hostile_shared import (
    TASKS,
    TEMPORARY,
    TIANCHI,
    Lines,
    in_file,
    rgb,
    strategy,
)
from experiments.support.hostile_trial import Reader
from selector.domain import encode_final


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def _submissions() -> list[bytes]:
    jpeg = encode_final(rgb(64, 64))
    manifest = "\ufeffindex,gen_image\n" + "".join(f"{task.id},{task.id}.jpg\n" for task in TASKS)
    members = {"result.csv": manifest.encode(), **{f"imgs/{task.id}.jpg": jpeg for task in TASKS}}
    return [_zip(members), _zip(members, zipfile.ZIP_DEFLATED), _zip({"imgs/": b"", **members}, zipfile.ZIP_BZIP2)]


def _verify(path: Path) -> list[str]:
    from selector.submit.verify import verify_archive

    verdict = verify_archive(path, TIANCHI, TASKS)
    return [*verdict.problems, *verdict.warnings]


@lru_cache(maxsize=1)
def _backup() -> bytes:
    """Of a campaign of four tasks with all kinds of rows."""
    from experiments.support.synthetic_campaign import make_campaign, write_contest
    from selector import Campaign

    with TemporaryDirectory(prefix="bestshot-hostile-") as place:
        folder = Path(place)
        write_contest(folder / "contest", 4, 1)
        make_campaign(folder / "campaign", folder / "contest", 1)
        with Campaign(folder / "campaign") as campaign:
            campaign.decisions.exclude("too dark", [campaign.explain("0").rivals[-1].candidate_id], by="ann")
            campaign.backup(folder / "b.zip", images=True)
        return (folder / "b.zip").read_bytes()


def _restore(path: Path) -> None:
    from selector import Campaign

    Campaign.restore(path.parent / "restored", path)


def _members_of_backup() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(_backup())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _restore_database(data: bytes, folder: Path) -> Lines:
    """A backup that is whole, with this database in it, is restored and looked at."""
    import hashlib

    from selector import Campaign

    members = _members_of_backup()
    contents = json.loads(members.pop("backup.json"))
    contents["files"]["campaign.db"] = hashlib.sha256(data).hexdigest()
    (folder / "b.zip").write_bytes(_zip({**members, "campaign.db": data, "backup.json": json.dumps(contents).encode()}))
    Campaign.restore(folder / "restored", folder / "b.zip")
    with Campaign(folder / "restored") as campaign:
        campaign.status()
        campaign.explain("0")
    return ()


@st.composite
def _databases(draw: Callable[[Any], Any]) -> bytes:
    """The campaign's database, whole, of which one to three cells say something else."""
    with TemporaryDirectory(prefix="bestshot-hostile-", dir=TEMPORARY) as place:
        file = Path(place) / "campaign.db"
        file.write_bytes(_members_of_backup()["campaign.db"])
        with closing(sqlite3.connect(file)) as connection:
            _alter(connection, draw)
        return file.read_bytes()


def _alter(connection: sqlite3.Connection, draw: Callable[[Any], Any]) -> None:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    for _ in range(draw(st.integers(1, 3))):
        table = draw(st.sampled_from(names))
        column = draw(st.sampled_from([row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]))
        value = draw(
            st.one_of(st.none(), st.integers(-2, 2), st.sampled_from(_ODD_CELLS), st.binary(max_size=3), st.floats())
        )
        with suppress(sqlite3.Error):
            some = f'SELECT rowid FROM "{table}" ORDER BY rowid LIMIT 1 OFFSET {draw(st.integers(0, 3))}'
            connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid IN ({some})', [value])
    connection.commit()


_ODD_CELLS = [
    "", "a", "../x", "0", "x" * 3000, "[]", "{}", "null", '"a"', '{"a": 1}', "[" * 2000, "NaN", "1e999", "2026-01-01",
    "\x1b[2J", 2**62,
]  # fmt: skip


@lru_cache(maxsize=1)
def _page() -> Any:
    """The application of the page over a campaign of its own, which is gone with this process."""
    import atexit
    import shutil

    from selector import Campaign
    from selector.review._desk import Desk, Settings
    from selector.review._events import Events
    from selector.review._outlines import Outlines
    from selector.review._pictures import Pictures
    from selector.review._routes import Routes

    place = Path(mkdtemp(prefix="bestshot-hostile-", dir=TEMPORARY))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    (place / "b.zip").write_bytes(_backup())
    Campaign.restore(place / "campaign", place / "b.zip")
    campaign = Campaign(place / "campaign")
    desk = Desk(campaign._ws, campaign._ledger, Settings(False, "ann", place / "cache"))
    pictures = Pictures(desk.ws.images, desk.ws.inputs_folder, desk.settings.cache)
    nothing: Any = None
    return Routes(desk, pictures, nothing, Outlines(desk.ws.folder), nothing, Events(dict)).app()


_PAGE_BODIES = [
    {"task": "0", "kind": "exclude", "candidate": "1a2b", "reason": "dark"},
    {"task": "0", "kind": "pin", "candidate": "1a2b3c4d"},
    {"task": "1", "kind": "note", "reason": "look"},
    {"task": "0", "seen": "x"},
    {"task": "1", "a": "1", "b": "2", "better": "a"},
    {"generator": "folder:alpha", "kind": "exclude", "reason": "no"},
    {"task": "2", "kind": "release"},
]


_PAGE_PATHS = ("/api/decide", "/api/undo", "/api/look", "/api/pair", "/api/queue", "/api/task/", "/image/", "/input/")


def _ask_page(data: bytes, _folder: Path) -> Lines:
    """A request: where it goes, in a first line or by chance, and its body."""
    import asyncio
    import zlib

    first, _, rest = data.partition(b"\n")
    path, body = _PAGE_PATHS[zlib.crc32(data) % len(_PAGE_PATHS)], data
    if first.decode("ascii", "replace") in _PAGE_PATHS:
        path, body = first.decode(), rest
    post = path in _PAGE_PATHS[:4]
    said = body.decode("utf-8", "replace")[:200]
    path = path if path.startswith("/api/") and path[-1] != "/" else path + said
    scope = {
        "type": "http",
        "method": "POST" if post else "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"" if post else body[:300].replace(b" ", b"+"),
        "headers": [(b"host", b"localhost")],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
    }
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    asyncio.run(_page()(scope, receive, send))
    status, text = told[0]["status"], b"".join(one.get("body", b"") for one in told[1:])
    if status >= 500:
        raise AssertionError(f"HTTP {status} of {path[:12]}: {text[:120]!r}")
    return [json.loads(text)["error"]] if status >= 400 else ()


def _bodies() -> list[bytes]:
    asked = [b"/api/queue\n", b"/api/task/\n0"]
    return [*asked, *(b"/api/decide\n" + json.dumps(one).encode() for one in _PAGE_BODIES)]


READERS: tuple[Reader, ...] = (
    Reader("submission ZIP", _submissions, in_file("red_图片生成_result.zip", _verify), share=3, told=1),
    Reader("backup", lambda: [_backup()], in_file("b.zip", _restore), share=0.3),
    Reader(
        "database of a backup",
        lambda: [_members_of_backup()["campaign.db"]],
        _restore_database,
        lambda: [_databases()] * 4,
        0.15,
    ),
    Reader(
        "review page",
        _bodies,
        _ask_page,
        strategy(json_texts, _PAGE_BODIES, ["task", "kind", "candidate", "generator", "0", "1"]),
        0.5,
        told=5,
    ),
)
