"""Generators and scorers are found by name, built in or in packages, and a broken package breaks nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from installed_plug_ins import add_entry_points, install_example

from scorers.gate import Gate
from selector import registry
from selector.cli.main import main
from selector.doctor import check_machine
from selector.domain import Generator, InputError, Item, MissingPart, Score, Scorer, TaskType
from selector.domain.embedding import Head, View
from selector.registry import BUILTIN_SCORERS, begins_as, create_generator, create_scorer, generator_names, scorer_names

BROKEN = {
    "not_there": ("no_such_module:Scorer", "No module named 'no_such_module'"),
    "no_class": ("json:NoSuchScorer", "NoSuchScorer"),
    "needs_more": ("needs_more:Scorer", "No module named 'torch_of_my_own'"),
    "bad_syntax": ("bad_syntax:Scorer", "SyntaxError"),
    "raises": ("raises:Scorer", "OSError: libcuda.so: cannot open shared object file"),
}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Packages whose scorers cannot be loaded, each for a reason of its own."""
    place = tmp_path / "broken"
    add_entry_points(monkeypatch, place, "broken", {"bestshot.scorers": {name: at for name, (at, _) in BROKEN.items()}})
    (place / "needs_more.py").write_text("import torch_of_my_own\n")
    (place / "bad_syntax.py").write_text("class Scorer\n")
    (place / "raises.py").write_text("raise OSError('libcuda.so: cannot open\\n shared object file')\n")


@pytest.mark.parametrize("name", registry.BUILTIN_GENERATORS)
def test_builtin_generator_loads_under_its_own_name(name: str) -> None:
    generator = create_generator(name)
    assert isinstance(generator, Generator)
    assert generator.name == name


@pytest.mark.parametrize("name", registry.BUILTIN_SCORERS)
def test_builtin_scorer_loads_under_its_own_name(name: str) -> None:
    scorer = create_scorer(name)
    assert isinstance(scorer, Scorer)
    assert scorer.name == name


def test_names_begin_with_the_builtin_ones() -> None:
    assert generator_names()[: len(registry.BUILTIN_GENERATORS)] == tuple(registry.BUILTIN_GENERATORS)
    assert scorer_names()[: len(registry.BUILTIN_SCORERS)] == tuple(registry.BUILTIN_SCORERS)
    assert {"faceswap", "textedit", "retouch", "folder", "source", "blank"} <= set(generator_names())
    assert {"gate", "identity", "ocr_text", "preservation", "seams", "technical"} <= set(scorer_names())


def test_unknown_name_gives_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match=r"there is no generator 'face-swap' \(did you mean 'faceswap'\?\)"):
        create_generator("face-swap")
    with pytest.raises(InputError, match=r"there is no scorer 'tecnical' \(did you mean 'technical'\?\)"):
        create_scorer("tecnical")


def test_unknown_name_that_is_like_none_gives_all_known_ones() -> None:
    with pytest.raises(InputError, match=r"no scorer 'xyz'; known: .*gate, .*technical"):
        create_scorer("xyz")


def test_a_generator_is_no_scorer() -> None:
    with pytest.raises(InputError, match="there is no scorer 'faceswap'"):
        create_scorer("faceswap")


def test_unknown_setting_gives_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match=r"generator 'folder' has no setting 'pth' \(did you mean 'path'\?\)"):
        create_generator("folder", {"pth": "finished"})


def test_setting_of_a_plug_in_without_settings_says_that_there_are_none() -> None:
    with pytest.raises(InputError, match="scorer 'seams' has no setting 'strict'; known: none"):
        create_scorer("seams", {"strict": True})


def test_plug_in_of_a_package_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install_example(monkeypatch, tmp_path / "site")
    assert generator_names()[-1] == "gamma"
    assert scorer_names()[-1] == "brightness"
    assert isinstance(create_generator("gamma"), Generator)
    assert isinstance(create_scorer("brightness"), Scorer)


def test_settings_reach_the_plug_in_and_its_refusal_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install_example(monkeypatch, tmp_path / "site")
    generator: Any = create_generator("gamma", {"strengths": [1.5, 3]})
    assert generator.strengths == (1.5, 3.0)
    with pytest.raises(InputError, match=r"generator 'gamma' does not accept these settings: strengths must be above"):
        create_generator("gamma", {"strengths": [0.5]})
    with pytest.raises(InputError, match=r"no setting 'strength' \(did you mean 'strengths'\?\)"):
        create_generator("gamma", {"strength": 2})


def test_unknown_name_may_be_near_to_that_of_a_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install_example(monkeypatch, tmp_path / "site")
    with pytest.raises(InputError, match=r"did you mean 'brightness'"):
        create_scorer("brightnes")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("name", BROKEN)
def test_package_that_cannot_be_loaded_is_a_missing_part_with_its_reason_in_one_line(name: str) -> None:
    with pytest.raises(MissingPart) as caught:
        create_scorer(name)
    message = str(caught.value)
    assert f"scorer '{name}' cannot be loaded: " in message
    assert BROKEN[name][1] in message
    assert "\n" not in message


@pytest.mark.usefixtures("broken")
def test_doctor_shows_broken_packages_among_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_example(monkeypatch, tmp_path / "site")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "-C", str(tmp_path)])
    assert not ended.value.code
    lines = {line.split()[2]: line for line in capsys.readouterr().out.splitlines() if len(line.split()) > 2}
    for name, (_, reason) in BROKEN.items():
        assert lines[name].startswith("--")
        assert reason in lines[name]
    assert lines["gate"].startswith("ok")
    assert "version 1 for tie" in lines["brightness"]


def test_doctor_gives_a_plug_in_the_settings_of_the_campaign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install_example(monkeypatch, tmp_path / "site")
    found = {check.subject: check for check in check_machine({"gamma": {"strengths": [0.1]}})}
    assert not found["generator gamma"].ok
    assert "above 1" in found["generator gamma"].text


def test_entry_point_cannot_shadow_a_builtin_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_entry_points(monkeypatch, tmp_path / "site", "impostor", {"bestshot.scorers": {"gate": "json:JSONDecoder"}})
    assert isinstance(create_scorer("gate"), Gate)
    assert scorer_names().count("gate") == 1


def test_name_that_two_packages_declare_is_listed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for package in ("one", "two"):
        points = {"bestshot.scorers": {"mine": f"{package}:Scorer"}}
        add_entry_points(monkeypatch, tmp_path / package, package, points)
    assert scorer_names().count("mine") == 1


def test_class_without_a_method_of_its_contract_is_named_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("half_a_scorer")
    module.Half = type("Half", (Scorer,), {"name": "half"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "half_a_scorer", module)
    monkeypatch.setitem(BUILTIN_SCORERS, "half", "half_a_scorer:Half")
    with pytest.raises(MissingPart, match="scorer 'half' cannot be loaded: its class lacks score: write it"):
        create_scorer("half")


def test_a_configured_scorer_is_in_all_but_its_version_the_scorer() -> None:
    plain, configured = create_scorer("fake_universal"), create_scorer("fake_universal", {"crops": "whole"})
    assert configured.version.startswith(f"{plain.version}-")
    assert isinstance(configured, Head) and isinstance(configured, type(plain))
    assert (plain.view, configured.view, configured.tolerance) == (View.NATIVE, View.WHOLE, plain.tolerance)


class Tuned:
    """A scorer that does nothing, with settings."""

    name, version, task_types, columns = "tuned", "1", frozenset(TaskType), ()

    def __init__(
        self, threshold: float = 0.5, sizes: Sequence[int] = (8, 16), strict: bool = False, model_path: str = ""
    ) -> None:
        self.settings = threshold, sizes, strict, model_path

    def check(self) -> None:
        return None

    def score(self, items: Sequence[Item]) -> list[dict[str, Score]]:
        return [{} for _ in items]


def _register(monkeypatch: pytest.MonkeyPatch, **members: Any) -> None:
    """Under the name "tuned", with more members of the class."""
    module = ModuleType("tuned_scorer")
    module.Tuned = type("Tuned", (Tuned,), members)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tuned_scorer", module)
    monkeypatch.setitem(BUILTIN_SCORERS, "tuned", "tuned_scorer:Tuned")


def test_settings_of_a_scorer_are_part_of_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    _register(monkeypatch)
    versions = [create_scorer("tuned", s).version for s in ({}, {"threshold": 0.7}, {"threshold": 0.6})]
    assert versions[0] == "1"
    assert len(set(versions)) == 3
    assert isinstance(create_scorer("tuned", {"threshold": 0.6}), Scorer)
    for default in ({"threshold": 0.5}, {"sizes": [8, 16]}, {"sizes": [8.0, 16]}, {"strict": False}):
        assert create_scorer("tuned", default).version == "1"  # it does what it does without
    others = ({"sizes": [8]}, {"sizes": [16, 8]}, {"sizes": []}, {"strict": True}, {"strict": 0})
    assert len({create_scorer("tuned", other).version for other in others} | set(versions)) == 8


def test_settings_that_the_version_has_seen_to_are_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"model_path": "a", "threshold": 0.6}
    for names, same in ((("model_path",), {**kept, "model_path": "b"}), (True, {"threshold": 0.1}), ((), kept)):
        _register(monkeypatch, settings_in_version=names)
        assert create_scorer("tuned", kept).version == create_scorer("tuned", same).version
    _register(monkeypatch, settings_in_version=("model_path",))
    assert create_scorer("tuned", kept).version != create_scorer("tuned", {"model_path": "a"}).version


def test_doctor_tries_out_what_a_check_only_looks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def try_out(_: object) -> None:
        raise InputError("this file is no network")

    _register(monkeypatch, try_out=try_out)
    found = {check.subject: check for check in check_machine()}["scorer tuned"]
    assert (found.ok, found.text) == (False, "this file is no network")


@pytest.mark.parametrize(
    ("source", "version", "expected"),
    [
        ('    version = "2"', "2", True),
        ('    version = "2"', "3", False),
        ('    version = "2"', "2-0a1b", True),
        ('    version: str = "2"', "20", False),
        ('        self.version = f"3-{tag}"', "3-0a1b", True),
        ('        self.version = f"3-{tag}"', "2-0a1b", False),
        ('    revision = "4"', "4-clip", True),
        ('        return f"1-{tag}"', "1-0a1b", False),
    ],
)
def test_the_number_of_the_code_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, version: str, expected: bool
) -> None:
    (tmp_path / "numbered").mkdir()
    (tmp_path / "numbered" / "__init__.py").touch()
    (tmp_path / "numbered" / "one.py").write_text(f"class One:\n{source}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert begins_as("numbered.one:One", version) is expected
    assert "numbered.one" not in sys.modules
