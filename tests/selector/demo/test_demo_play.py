"""``bestshot demo --play``: its help, a game without models, and how it ends."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from generators import diffusers_pipeline
from selector.cli.main import main
from selector.demo.play import run
from selector.demo.play.plan import PoolPlan
from selector.domain import InputError, MissingPart

SMALL = PoolPlan(prompts=3, edits=2, each=1, days=1, stand_in=True, scorers=("gate", "technical"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's game is one of a few simulated pictures."""
    monkeypatch.setattr(run, "play_demo", partial(run.play_demo, plan=SMALL))


def test_help_tells_of_the_play(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--play" in shown
    assert "fourteen days" in " ".join(shown.split())


@pytest.mark.usefixtures("small")
def test_a_game_is_played_told_and_drawn_and_comes_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # the second finds the pool of the first
        with pytest.raises(SystemExit) as ended:
            main(["demo", "--play", str(tmp_path / "mine")])
        shown = capsys.readouterr().out
        assert ended.value.code == 0
        assert shown.startswith(
            "pool: 3 prompts drawn by simulated generators (stand-ins), 2 edits by simulated editors"
        )
        assert "recovered gap by day, one game" in shown
    assert (tmp_path / "mine" / "play" / "play.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("small")
def test_json_has_stdout_to_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--play", "--json", str(tmp_path / "mine")])
    shown = capsys.readouterr()
    assert ended.value.code == 0
    found = json.loads(shown.out, parse_constant=pytest.fail)
    assert set(found["results"]["recovered_gap"]) >= {"bestshot", "random", "oracle", "best single generator"}
    assert found["pool"]["candidates"] > 0
    assert json.loads((tmp_path / "mine" / "play" / "play.json").read_text(encoding="utf-8")) == found
    assert "recovered gap by day" in shown.err


def test_a_folder_with_another_pool_is_an_error(tmp_path: Path) -> None:
    said: list[str] = []
    run.play_demo(tmp_path, said.append, plan=SMALL)
    with pytest.raises(InputError, match="other settings"):
        run.play_demo(tmp_path, said.append, plan=PoolPlan(prompts=4, edits=2, stand_in=True, scorers=("gate",)))


def test_what_is_not_installed_is_told_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise MissingPart("onnxruntime is not installed: pip install bestshot")

    monkeypatch.setattr(diffusers_pipeline, "check_onnx", absent)
    with pytest.raises(MissingPart, match="onnxruntime is not installed"):
        run.play_demo(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
