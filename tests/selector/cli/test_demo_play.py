"""``bestshot demo --play``: its help, what it asks the experiment for, and how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from generators import diffusers_pipeline
from selector.cli.main import main
from selector.demo import playing
from selector.domain import BestshotError, MissingPart


def test_help_tells_of_the_play(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "--play" in shown
    assert "fourteen days" in " ".join(shown.split())


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of another name in the experiment's place, which notes how it was called and ends as it is told."""
    place = tmp_path / "place" / "stood_in"
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    (place / "play.py").write_text(
        "import json, pathlib, sys\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--json') + 1]) if '--json' in sys.argv else None\n"
        "pathlib.Path(__file__).with_name('called.json').write_text(json.dumps(sys.argv[1:]))\n"
        "print('a table')\n"
        "if out: out.parent.mkdir(parents=True, exist_ok=True); out.write_text('{\"results\": 7}')\n"
        "sys.exit(3 if '--fail' in sys.argv else 0)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(playing, "MODULE", "stood_in.play")
    monkeypatch.setattr(playing, "check_drawing", lambda: None)
    monkeypatch.setattr(sys, "path", [str(place.parent), *sys.path])
    return place


def test_the_experiment_is_run_from_where_it_lies_with_absolute_places(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert playing.play_demo(Path("mine")) is None
    called = json.loads((experiment / "called.json").read_text(encoding="utf-8"))
    assert called == ["--demo", "--folder", str(tmp_path / "mine")]
    assert capfd.readouterr().out == "a table\n"


def test_json_has_stdout_to_itself(experiment: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert experiment.is_dir()
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--play", "--json", str(tmp_path / "mine")])
    shown = capfd.readouterr()
    assert ended.value.code == 0
    assert json.loads(shown.out) == {"results": 7}
    assert "a table" in shown.err


def test_a_play_that_fails_is_an_error(experiment: Path, tmp_path: Path) -> None:
    assert experiment.is_dir()
    with pytest.raises(BestshotError, match="status 3"):
        playing.play_demo(tmp_path / "mine", more=["--fail"])


def test_what_is_not_installed_is_told_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusers_pipeline, "NEEDED", ("json", "no_such_package"))
    with pytest.raises(MissingPart, match=r"no_such_package is not installed: pip install 'bestshot\[demo\]'"):
        playing.play_demo(tmp_path / "mine")


def test_the_experiment_is_where_the_program_looks_for_it() -> None:
    assert (playing._place() / "experiments" / "play.py").is_file()
