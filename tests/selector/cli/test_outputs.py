"""Files that a verb is told to write: never in the place of what a campaign is made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from conftest import Run
from toy_services import Make

PARTS = ["campaign.db", "campaign.toml", "task.csv", "images/a.csv", "scores/a.csv", "submissions/x/manifest.csv"]


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("campaign.db-"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "verb",
    [
        ("plan", "--generate", "3", "--out"),
        ("plan", "--generate", "3", "--plot"),
        ("import", "{pictures}", "--out"),
        ("scores", "--out"),
    ],
    ids=lambda verb: f"{verb[0]} {verb[-1]}",
)
def test_no_part_of_a_campaign_is_replaced(
    run: Run, make: Make, tmp_path: Path, verb: tuple[str, ...], part: str
) -> None:
    campaign = make({"toy": 1}, ["a", "b"])
    (tmp_path / "pictures").mkdir()
    before = contents(campaign.folder)
    words = [word.format(pictures=tmp_path / "pictures") for word in verb]
    code, out, err = run(*words, campaign.folder / part, "-C", campaign.folder)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "is a part of the campaign" in err or "it is written as" in err
    assert contents(campaign.folder) == before


def test_a_part_is_known_by_a_link_and_without_the_campaign_being_named(run: Run, make: Make, tmp_path: Path) -> None:
    campaign = make({"toy": 1}, ["a"])
    (tmp_path / "link").symlink_to(campaign.folder)
    table = tmp_path / "scores.csv"
    table.write_text("task,candidate,a\nt,1,0.5\nt,2,0.6\n", encoding="utf-8")
    code, _, err = run("select", table, "--column", "a=up", "--out", tmp_path / "link" / "task.csv")
    assert code == 2 and "is a part of the campaign" in err and "name another file" in err
    assert run("select", table, "--column", "a=up", "--out", tmp_path / "link" / "picks.csv")[0] == 0


@pytest.mark.parametrize("words", [("plan", "--generate", "3", "--out"), ("import", "{here}", "--out")])
def test_an_output_has_the_suffix_of_what_it_is(run: Run, make: Make, tmp_path: Path, words: tuple[str, ...]) -> None:
    """A picture that was named by mistake is not replaced by a table."""
    campaign = make({"toy": 1}, ["a"])
    (tmp_path / "mine.png").write_bytes(b"picture")
    code, _, err = run(*(w.format(here=tmp_path) for w in words), tmp_path / "mine.png", "-C", campaign.folder)
    assert code == 2 and "has the suffix '.png': it is written as .csv" in err
    assert (tmp_path / "mine.png").read_bytes() == b"picture"
