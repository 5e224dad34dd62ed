"""Models by hub id: a hub on loopback that huggingface_hub itself asks, the cache, and none of both."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import tiny_pipelines

from generators.diffusers_pipeline import DiffusersPipeline
from selector.domain import InputError, MissingPart

COMMIT = "d" * 40
# In a process of its own, because huggingface_hub reads the environment once, when it is imported.
CHILD = """
import json, sys, time
from generators.diffusers_pipeline import DiffusersPipeline
from selector.domain import BestshotError, Task, TaskInputs, TaskType

said = {}
inputs = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
for name in ("me/none", "me/gated", "me/tiny"):
    generator = DiffusersPipeline(model=name, dtype="fp32", steps=1)
    try:
        generator.check()
        where = generator.where()
        made = generator.generate(inputs, generator.recipes(inputs, 1, 0)[0])
        said[name] = [where, generator.where(), made.notes["model"], made.notes["revision"], generator.version]
    except BestshotError as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


OFFLINE_CHILD = """
import json
from generators.diffusers_pipeline import DiffusersPipeline
from generators._pipelines.hub import HubModel, fetch
from selector.domain import BestshotError

generator = DiffusersPipeline(model="me/tiny")
generator.check()
said = {"me/tiny": [str(fetch(HubModel("me/tiny"))), generator.where(), generator.version]}
try:
    DiffusersPipeline(model="me/none").check()
except BestshotError as error:
    said["me/none"] = str(error)
print(json.dumps(said))
"""


@contextmanager
def hub(folder: Path, asked: list[str]) -> Iterator[str]:
    """A hub with the repository me/tiny, whose files are those of ``folder``, and me/gated, which wants consent."""
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    files["weights.ckpt"] = b"must not be fetched"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            asked.append(f"{self.command} {path}")
            if path.startswith("/api/models/me/tiny/tree/"):
                self._json([_entry(name, data) for name, data in files.items()])
            elif path.startswith("/api/models/me/tiny"):
                self._json({"id": "me/tiny", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]})
            elif path.startswith("/me/tiny/resolve/") and "/".join(path.split("/")[5:]) in files:
                self._send(200, files["/".join(path.split("/")[5:])])
            elif "me/gated" in path:
                self._send(403, b"", ("X-Error-Code", "GatedRepo"))
            else:
                self._send(404, b"", ("X-Error-Code", "RepoNotFound"))

        do_HEAD = do_GET

        def _json(self, content: Any) -> None:
            self._send(200, json.dumps(content).encode(), ("Content-Type", "application/json"))

        def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            tag = hashlib.sha1(body).hexdigest()
            for name, value in (("Content-Length", str(len(body))), ("ETag", f'"{tag}"'), *headers):
                self.send_header(name, value)
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _entry(name: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}


def child(code: str, home: Path, **environment: str) -> dict[str, Any]:
    """What a fresh process says that has ``home`` as its cache."""
    given = {**os.environ, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1", **environment}
    path = os.pathsep.join(entry or "." for entry in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**given, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def test_a_model_comes_from_the_hub_once_and_then_from_the_cache(tmp_path: Path) -> None:
    folder, asked = tiny_pipelines.tiny_sd(tmp_path / "tiny"), []  # type: tuple[Path, list[str]]
    with hub(folder, asked) as address:
        said = child(CHILD, tmp_path / "home", HF_ENDPOINT=address)
    before, after, model, revision, version = said["me/tiny"]
    assert before == f"not here yet, to be downloaded from {address}" and after == "in the cache"
    assert (model, revision) == ("me/tiny", COMMIT)
    assert not any("weights.ckpt" in one for one in asked)
    assert said["me/none"].startswith("MissingPart: diffusers:") and "is not there, or wants a login" in said["me/none"]
    assert "asks for consent: accept it at" in said["me/gated"] and "HF_TOKEN" in said["me/gated"]

    again = child(OFFLINE_CHILD, tmp_path / "home", HF_ENDPOINT=address, HF_HUB_OFFLINE="1")  # nobody listens there now
    assert again["me/tiny"][0].endswith(COMMIT)
    assert again["me/tiny"][1:] == ["in the cache", version]
    assert "not in the cache and HF_HUB_OFFLINE is set; give a folder" in again["me/none"]


def test_a_hub_that_does_not_answer_is_no_long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    from generators._pipelines.hub import HubModel, fetch

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    started = time.monotonic()
    with pytest.raises(MissingPart, match=r"127.0.0.1:9 does not answer \(ConnectionError\); give a folder"):
        fetch(HubModel("nobody/has-this"))
    assert time.monotonic() - started < 15  # huggingface_hub alone repeats its question for most of a minute


def test_a_check_asks_nobody_and_knows_when_it_is_hopeless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    generator = DiffusersPipeline(model="nobody/has-this")
    generator.check()
    assert generator.where() == "not here yet, to be downloaded from http://127.0.0.1:9"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MissingPart, match="HF_HUB_OFFLINE is set; give a folder"):
        generator.check()
    for name in ("has-this", "../has-this", "nobody/.."):
        with pytest.raises(InputError, match='must be "owner/name" of a hub'):
            DiffusersPipeline(model=name).check()
