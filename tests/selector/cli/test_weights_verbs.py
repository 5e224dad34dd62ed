"""weights list, fetch, verify: what a person and a program see, and what a killed process leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_server import Fault, Hub, running_hub

from selector.cli.main import main
from selector.weights import Model, ModelFile, Repository, catalogue, weights_folder

Run = Callable[..., tuple[int, str, str]]
DATA = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(DATA).hexdigest()
SMALL = b'{"a": 1}'


def model(name: str, *files: ModelFile, optional: bool = False) -> Model:
    return Model(name, ("a scorer",), "MIT", files, optional=optional)


def at(path: str, sha256: str | None = SHA256) -> ModelFile:
    return ModelFile(path, sha256, len(DATA) if sha256 else None, 10, Repository("team/net"))


CATALOGUE = (
    model("net", at("net.safetensors"), ModelFile("config.json", about_bytes=8, repository=Repository("team/net"))),
    model("other", at("other.safetensors")),
    model("extra", at("extra.safetensors", None), optional=True),
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(catalogue, "_read_catalogue", lambda: CATALOGUE)
    with running_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        root = "team/net/resolve/main/"
        running.large |= {root + name: DATA for name in ("net.safetensors", "other.safetensors", "extra.safetensors")}
        running.small[root + "config.json"] = SMALL
        yield running


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``bestshot weights …`` in this process: (exit code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["weights", *map(str, arguments)])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


@pytest.mark.parametrize("verb", ["list", "fetch", "verify"])
def test_every_verb_has_help_with_an_example(run: Run, verb: str) -> None:
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert f"Example:\n    bestshot weights {verb}" in out
    assert "--json" in out


def test_the_real_catalogue_is_listed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    code, out, _ = run("list")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("aesthetic-head"))
    assert all(
        word in line for word in ("no", "3.7 MB", "Apache-2.0", "christophschuhmann/improved-aesthetic-predictor")
    )
    optional = next(line for line in out.splitlines() if line.startswith("owlv2"))
    assert ("optional" in optional, "optional" in line) == (True, False)
    listed = json.loads(run("list", "--json")[1])
    assert listed["folder"] == str(tmp_path)
    assert {"name": "fake-head", "here": "no"}.items() <= listed["models"][2].items()
    assert listed["models"][2]["files"][0]["sha256"].startswith("47710074")


def test_all_that_is_not_optional_comes_and_is_verified(run: Run, hub: Hub) -> None:
    code, out, err = run("fetch", "--all")
    assert (code, err) == (0, "")
    assert "net  fetched: " in out
    assert "other  fetched: " in out
    assert (weights_folder() / "net" / "config.json").read_bytes() == SMALL
    assert not (weights_folder() / "extra").exists()
    asked = len(hub.seen)
    assert "net  is here already" in run("fetch", "net")[1]
    assert len(hub.seen) == asked
    code, out, _ = run("verify")
    assert code == 0
    assert out.count("right") == 3
    listed = json.loads(run("list", "--json")[1])["models"]
    assert [entry["here"] for entry in listed] == ["yes", "yes", "no"]


def test_one_that_fails_does_not_keep_the_others(run: Run, hub: Hub) -> None:
    del hub.large["team/net/resolve/main/net.safetensors"]
    code, out, err = run("fetch", "--all", "--json")
    assert code == 2
    assert [entry["name"] for entry in json.loads(out)["fetched"]] == ["other"]
    assert json.loads(out)["failed"] == ["net"]
    assert err.startswith("bestshot: 127.0.0.1")
    assert len(err.splitlines()) == 1


def test_damage_ends_verify_with_2_and_is_cured(run: Run, hub: Hub) -> None:
    run("fetch", "other", "extra")
    for name in ("other", "extra"):
        with (weights_folder() / name / f"{name}.safetensors").open("r+b") as stream:
            stream.write(b"bit rot")
    code, out, _ = run("verify")
    assert code == 2
    assert out.count("damaged: bestshot weights fetch") == 2
    assert run("fetch", "other", "extra", "--again")[0] == 0
    assert run("verify")[0] == 0
    assert run("verify", "net")[0] == 2  # named, and not here
    assert len(hub.seen) == 8


def test_what_nobody_has_a_hash_of_is_said(run: Run, hub: Hub) -> None:
    assert hub.endpoint
    assert "no weights are here" in run("verify")[1]
    (weights_folder() / "extra").mkdir(parents=True)
    (weights_folder() / "extra" / "extra.safetensors").write_bytes(DATA)
    code, out, _ = run("verify")
    assert code == 0
    assert "no hash known: copied by hand" in out


def test_errors_are_one_line(run: Run, hub: Hub, tmp_path: Path) -> None:
    for arguments, words in (
        (("fetch",), "Name the models to fetch, or give --all."),
        (("fetch", "net", "--all"), "Name the models to fetch, or give --all."),
        (("fetch", "othr"), "did you mean 'other'?"),
        (("fetch", "net", "--from", tmp_path / "absent"), "expected hub, modelscope, a folder that exists"),
        (("fetch", "net", "--from", tmp_path), "does not have net.safetensors"),
        (("fetch", "extra", "--from", f"{hub.endpoint}/x"), "give the hash with --sha256"),
        (("fetch", "net", "--from", "modelscope"), "not known to be on ModelScope"),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert words in err
        assert len(err.splitlines()) == 1


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}, {here!r}]
import test_weights_verbs
from selector.weights import catalogue
catalogue._read_catalogue = lambda: test_weights_verbs.CATALOGUE
from selector.cli.main import main
main(["weights", "fetch", "other"])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_fetch_goes_on_where_it_stopped(hub: Hub, sign: signal.Signals) -> None:
    here = Path(__file__).resolve().parent
    code = SCRIPT.format(tests=str(here.parents[1]), here=str(here))
    hub.faults = [Fault(stall_after_bytes=700_000)]
    part = weights_folder() / "other" / "other.safetensors.part"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 200_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(sign)
    _, said = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[sign]
    assert ("run the same command again" in said) == (sign is not signal.SIGKILL)
    assert not (weights_folder() / "other" / "other.safetensors").exists()
    kept = part.stat().st_size
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert hub.ranges()[-1] == f"bytes={kept}-"
    assert (weights_folder() / "other" / "other.safetensors").read_bytes() == DATA
