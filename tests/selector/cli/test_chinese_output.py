"""What the main verbs print in Chinese on a campaign that was really worked on: no English word is left over.

Whether every text of the source has Chinese is tested elsewhere; here is what a user sees, put together from pieces.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from conftest import Run, noise_jpeg

from selector import Campaign
from selector.registry import BUILTIN_GENERATORS, BUILTIN_SCORERS

ALLOWED = {  # names of task types, of generators and scorers, of people and files; what a total is computed by
    "tie", "vttie", "deepfake", "toy", "technical", "sharpness",
    "tint", "mytool", "anna", "root", "rules", "team", "all",
    "ok", "python", "on", "blank", "source", "gate", "readable", "Linux", "Asia", "Shanghai", "sqrt", "recipe", "order",
    "profile", "id", "bestshot", "model", "traceback", "sc", "pq", "tianchi", "photo", "brighter", "HOLD",
    "record", "folder", "kB", "before", "after", "export", "pip", "install", "preset",
    "sdxl", "embedded", "path", "engine", *BUILTIN_GENERATORS, *BUILTIN_SCORERS,
}  # fmt: skip
KEPT = re.compile(
    r"`[^`]*`|“[^”]*”|'[^']*'|\"[^\"]*\"|bestshot [a-z].*|cd .*|^bestshot:"  # commands and what is quoted
    r"|--[a-z][\w-]*|\w+-[\w-]+|\w+ =|\[[^\]]*\]|\S*[/._=]\S*|\b[A-Z][A-Z_0-9]*\b|\b\w*\d\w*\b"  # options, paths, ids
)


def leftovers(text: str) -> list[str]:
    """Lines in which an English word stands that is no name; with the words."""
    found = []
    for line in text.splitlines():
        words = [w for w in re.findall(r"[A-Za-z]{2,}", KEPT.sub(" ", line)) if w not in ALLOWED]
        found += [f"{words}: {line}"] if words else []
    return found


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTSHOT_LANG", "zh")
    monkeypatch.setenv("USER", "root")
    monkeypatch.setenv("LOGNAME", "root")


@pytest.fixture
def at(campaign: Campaign) -> tuple[str, Path]:
    return "-C", campaign.folder


def write(path: Path, *rows: tuple[object, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_a_campaign_from_the_first_step_to_what_a_total_taught(run: Run, at: tuple[str, Path], tmp_path: Path) -> None:
    left: list[str] = []

    def told(*arguments: object, codes: tuple[int, ...] = (0,)) -> str:
        code, out, err = run(arguments[0], *at, *arguments[1:])
        assert code in codes, (arguments, err)
        left.extend(f"{arguments[0]} {line}" for line in leftovers(out + err))
        return out

    for verb in ("status", "quota", "next"):
        told(verb)
    told("generate", "--dry-run")
    told("generate")
    told("next")
    told("score")
    told("next", "--do", "--hours", "1", codes=(0, 1))
    submission = re.findall(r"提交 ([0-9a-f]{8})", told("export"))[0]
    told("next")
    told("record", submission, "--submitted")
    told("record", submission, "--submitted")
    told("next")
    told("record", submission, "--score", "3.5")
    told("record", submission, "--score", "3.5")
    told("record", submission, "--score", "3.6", "--reason", "误读")
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "3.jpg").write_bytes(noise_jpeg(90))
    (folder / "10.png").write_bytes(b"broken")
    (folder / "nobody.jpg").write_bytes(noise_jpeg(91))
    told("import", folder, "--label", "mytool", codes=(0, 1))
    told("import", folder, "--label", "mytool", codes=(0, 1))
    told("status")
    told("next")
    candidate = re.findall(r"toy tint\d +([0-9a-f]{8})", told("explain", "3"))[0]
    told("judge", write(tmp_path / "j.csv", ("task", "candidate", "sc", "pq"), ("3", candidate, 7, 8)), "--by", "anna")
    told("exclude", "--candidate", candidate, "--reason", "六根手指")
    told("exclude", "--generator", "toy", "--task", "10", "--reason", "坏了")
    told("note", "3", "再看")
    told("status")
    for verb in ("explain", "plan", "pick", "calibrate", "next"):
        told(verb, *(["3"] if verb == "explain" else ["--replace"] if verb == "pick" else []))
    told("include", "--candidate", candidate)
    told("plan", "--generate", "4")
    told("plan", "--judge", "2", "--by", "anna")
    told("scores", "--out", tmp_path / "s.csv")
    told("read")
    told("report")
    told("doctor", codes=(0, 2))
    assert not left, "\n".join(left)


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "nope"),
        ("generate", "--generator", "nope"),
        ("generate", "--plan", "gone.csv"),
        ("score", "--judge", "nope"),
        ("import", "gone", "--label", "mytool"),
        ("record", "abc", "--score", "1"),
        ("record", "abc"),
        ("judge", "gone.csv", "--by", "anna"),
        ("exclude", "--reason", "坏了"),
        ("exclude", "--candidate", "zz", "--reason", "坏了"),
        ("exclude", "--generator", "nope", "--reason", "坏了"),
        ("pin", "3", "1a2b3c4d", "--reason", "好"),
        ("scores", "--out", "s.xyz"),
        ("verify", "campaign.toml"),
        ("next", "--budget", "banana"),
        ("next", "--hours", "-1"),
        ("plan", "--judge", "3"),
        ("plan", "--generate", "0"),
        ("export",),
        ("realism", "--of", "nope"),
        ("translate", "--by", "nope"),
        ("score", "--nope"),
        ("weights", "fetch", "nope"),
        ("init", "x", "--profile", "nope", "--tasks", "t.csv", "--images", "i"),
    ],
    ids=" ".join,
)
def test_errors_have_no_english_left(
    run: Run, at: tuple[str, Path], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    inside = () if arguments[0] in ("weights", "init") else at
    code, _, err = run(arguments[0], *inside, *arguments[1:])
    assert code == 2 and re.search("[一-鿿]", err)
    for word in arguments:
        err = err.replace(word, "…") if word.isalpha() and len(word) > 2 else err
    plain = (
        err.replace("No such file or directory", "").replace("File is not a zip file", "").replace("mini-png", "")
    )  # the system's words
    assert leftovers(plain.partition("已知的")[0]) == []


def test_a_word_that_is_left_over_is_found() -> None:
    assert leftovers("任务 without: 0") == ["['without']: 任务 without: 0"]
    assert leftovers("提交 1a2b3c4d 已上传：`bestshot pick`，--reason，toy") == []
