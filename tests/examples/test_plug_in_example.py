"""The example package keeps the contracts, runs in a campaign, and is what docs/plug-ins.md shows."""

from __future__ import annotations

import inspect
import json
import re
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from installed_plug_ins import EXAMPLE, ROOT, add_entry_points, install_example

from selector import Campaign
from selector.cli.main import main
from selector.config import CampaignConfig
from selector.contest.toml_model import parse_toml
from selector.domain import BatchGenerator, Generator, RemoteGenerator, Scorer, TaskType
from selector.domain.embedding import Head
from selector.registry import create_generator

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Files = Callable[[Sequence[str]], tuple[Path, Path]]
PAGE = (ROOT / "docs" / "plug-ins.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
TOML = [text for language, text in BLOCKS if language == "toml"]
OWN_TESTS = re.findall(r"^def (test_\w+)", (EXAMPLE / "test_brightness.py").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install_example(monkeypatch, tmp_path / "site")


def campaign_table() -> str:
    """The page's part of a campaign.toml."""
    return next(text for text in TOML if "[generate]" in text)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", OWN_TESTS)
def test_own_test_of_the_example_passes(name: str) -> None:
    runpy.run_path(str(EXAMPLE / "test_brightness.py"))[name]()


@pytest.mark.usefixtures("installed")
def test_example_runs_in_a_whole_campaign(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["make it brighter", "把图片调暗", "make it brighter, then darker"])
    asked = tomllib.loads(campaign_table())
    asked["generate"]["tie"] = {"gamma": 3}
    asked["score"]["scorers"] = ["gate", "technical", "brightness"]
    with Campaign.init(tmp_path / "campaign", table, images, **asked) as campaign:
        made = campaign.generate()
        assert (made.made, made.declined, made.failed) == (6, 1, 0)
        scored = campaign.score()
        assert scored.failures == {} and scored.left_out == {}
        assert (scored.candidates, campaign.score().candidates) == (6, 0)
        picks = campaign.pick()
        assert [p.fallback for p in picks] == [False, False, True]
        assert campaign.status().failures == {"gamma declined: gamma only makes whole scenes brighter or darker": 1}
        exported = campaign.export(allow_fallbacks=True)
        assert campaign.submissions.verify(exported.zip_path, allow_fallbacks=True).valid
        manifest = json.loads(exported.manifest_path.read_text(encoding="utf-8"))
        assert [p["made_by"]["generator"] for p in manifest["picks"]] == ["gamma", "gamma", "source"]
        page = campaign.report().read_text(encoding="utf-8")
        assert "how far the mean level moved" in page and "gamma 0.77" in page


@pytest.mark.usefixtures("installed")
def test_settings_on_the_page_are_accepted() -> None:
    profile = 'profile = "tianchi-532389"\n'
    config = parse_toml((profile + campaign_table()).encode(), CampaignConfig, "campaign.toml")
    assert {s.generator: s.n for s in config.generate.steps(TaskType.TIE)} == {"retouch": 8, "gamma": 3}
    assert set(config.score.scorers) - set(CampaignConfig(profile="x").score.scorers) == {"brightness"}
    create_generator("gamma", config.generators["gamma"])


def test_code_on_the_page_is_that_of_the_example() -> None:
    package = "".join(path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.glob("*.py")))
    assert len(PYTHON) == 3
    for block in PYTHON:
        assert block in package, f"docs/plug-ins.md and examples/brightness differ:\n{block}"


def test_every_hook_of_the_contracts_is_on_the_page_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)(?:\([a-z]*\))?` \| ([a-z, ]+) \| (.*?) \|", PAGE, re.MULTILINE)
    contracts = {
        "generators": [Generator],
        "scorers": [Scorer],
        "heads": [Head],
        "both": [Generator, Scorer],
        "batches, jobs": [BatchGenerator, RemoteGenerator],
        "jobs": [RemoteGenerator],
    }
    named = {(contract, name): default for name, of, default in rows for contract in contracts[of]}
    for contract, name in named:
        fact = inspect.getattr_static(contract, name)
        if not inspect.isroutine(fact):
            shown = str(fact) if name == "view" else repr(fact).replace("'", '"')
            assert shown == named[contract, name].strip("`"), name
    for contract in (Generator, BatchGenerator, RemoteGenerator, Scorer, Head):
        hooks = {name for name in dir(contract) if name[0] != "_" and name not in contract.__abstractmethods__}
        assert hooks - {"generate"} == {name for of, name in named if issubclass(contract, of)}


@pytest.mark.parametrize("contract", [Generator, BatchGenerator, RemoteGenerator, Scorer, Head])
def test_methods_to_write_are_on_the_page(contract: type[Generator | Scorer]) -> None:
    row = re.search(rf"^\| `(?:selector\.domain\.embedding\.)?{contract.__name__}`[^|]*\| (.*) \|$", PAGE, re.MULTILINE)
    assert row and set(re.findall(r"`(\w+)`", row[1])) == contract.__abstractmethods__


def test_entry_points_on_the_page_are_those_of_the_example() -> None:
    block = next(text for text in TOML if "entry-points" in text)
    assert block in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.usefixtures("installed")
def test_doctor_shows_the_example_as_its_readme_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--json", "-C", str(tmp_path)])
    found = {check["subject"]: check for check in json.loads(capsys.readouterr().out)}
    for subject in re.findall(r"`((?:generator|scorer) \w+)`", (EXAMPLE / "README.md").read_text(encoding="utf-8")):
        wanted = {"subject": subject, "ok": True, "text": "version 1 for tie", "used": True}
        assert found[subject].items() >= wanted.items()


@pytest.mark.usefixtures("toys")
def test_a_package_that_cannot_be_loaded_is_left_out_and_named_as_the_page_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, contest_files: Files
) -> None:
    groups = {group: {"gone": "no_such_module:X"} for group in ("bestshot.generators", "bestshot.scorers")}
    add_entry_points(monkeypatch, tmp_path / "site", "gone", groups)
    table, images = contest_files(["brighter"])
    settings = {"generate": {"tie": {"toy": 1, "gone": 1}}, "score": {"scorers": ["technical", "gone"]}}
    with Campaign.init(tmp_path / "campaign", table, images, **settings) as campaign:
        generated = campaign.generate()
        assert (generated.made, list(generated.left_out)) == (1, ["gone"])
        assert "no_such_module" in generated.left_out["gone"]
        scored = campaign.score()
        assert (scored.values, list(scored.left_out)) == (1, ["gone"])
