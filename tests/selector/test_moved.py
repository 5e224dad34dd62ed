"""A plug-in of the version before: it inherits nothing, imports what its documents taught, and works."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from installed_plug_ins import add_entry_points

from selector import Campaign
from selector._moved import GONE, MOVED
from selector.conformance import check_generator, check_scorer
from selector.domain import Generator, Item, Picture, Scorer, Task, TaskInputs, TaskType, encode_final

ROOT = Path(__file__).resolve().parents[2]
Files = Callable[[Sequence[str]], tuple[Path, Path]]
# What the pages of the version before told readers to import: plug-ins.md, weights.md, the README, embedding.md.
TAUGHT = [
    ("selector.perception.weights", ("weights_tag",)),
    ("selector.perception.model_files", ("content_tag", "load_state", "need")),
    ("selector.calibration", ("JUDGE", "Belief")),
    ("selector.remote", ("Account", "Service", "carry_out")),
    ("selector.study", ("Study",)),
    ("selector.domain.embedding", ("Head", "Seen", "View", "ContestContext", "NeedsContest")),
    ("selector.domain.remote", ("Delivery", "Ticket", "RemoteGenerator", "BatchGenerator")),
    ("selector.conformance", ("check_generator", "check_scorer", "check_encodings", "check_extremes")),
    ("selector.conformance", ("check_another_process", "check_monotone")),
]
PACKAGE = """
import numpy as np
from selector.domain import Axis, Column, Declined, InputError, Made, Recipe, Score, TaskType
from selector.perception.weights import weights_tag


class Negative:
    name, version, task_types = "negative", "1", frozenset({TaskType.TIE})

    def check(self):
        pass

    def recipes(self, inputs, n, seed):
        if inputs.task.type not in self.task_types:
            raise Declined("it makes negatives of scenes")
        return [Recipe("negative", seed)][:n]

    def generate(self, inputs, recipe):
        return Made(255 - inputs.source.rgb)


class Level:
    name, task_types = "level", frozenset({TaskType.TIE})
    columns = (Column("mean", 0.0, 255.0, True, Axis.PQ, "mean level"),)
    settings_in_version = ("weights",)

    def __init__(self, weights="rapidocr"):
        self.version = f"1-{weights_tag(weights)}"

    def check(self):
        pass

    def score(self, items):
        return [{"mean": self._one(item)} for item in items]

    def _one(self, item):
        try:
            return Score.of(item.picture.rgb.mean())
        except InputError as error:
            return Score.unscored(str(error))
"""


@pytest.fixture
def old_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    place = tmp_path / "site"
    groups = {"bestshot.generators": {"negative": "old_pack:Negative"}, "bestshot.scorers": {"level": "old_pack:Level"}}
    add_entry_points(monkeypatch, place, "old_pack", groups)
    (place / "old_pack.py").write_text(PACKAGE, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "old_pack", raising=False)
    return "old_pack"


@pytest.mark.parametrize(("module", "names"), TAUGHT)
def test_what_the_documents_taught_can_be_imported(module: str, names: tuple[str, ...]) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = importlib.import_module(module)
        for name in names:
            assert getattr(found, name) is not None
    moved = [str(warning.message) for warning in told if warning.category is DeprecationWarning]
    new = MOVED.get(module)
    assert moved == ([f"{module} is now {new}: import {name} from there" for name in names] if new else [])


def test_a_name_that_went_says_where_its_module_is_now() -> None:
    line = "from selector.perception.weights import nothing"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith(
        "ImportError: selector.perception.weights is now selector.weights.bundled, which has no nothing"
    )


def test_other_modules_of_an_old_package_are_found_where_they_went() -> None:
    from selector.perception import ocr  # type: ignore[import-not-found]

    assert ocr is importlib.import_module("selector.sight.ocr")
    from selector.perception.embedding.views import crops  # type: ignore[import-not-found]

    assert crops is importlib.import_module("selector.sight.embedding.views").crops


RUNS = "selector.runs is gone: its parts are in selector.generate, measure, decide, llm and workspace"
NOW = "now: its parts are in selector.learn"
SIGHT = "are in selector.sight, prompts and weights"
GONE_LINES = {
    "import selector.runs": RUNS,
    "from selector.runs.workspace import Workspace": RUNS,
    "from selector import planning": "selector.planning is gone: its parts are in selector.learn",
    "import selector, scorers.judge": "scorers.judge is gone: its parts are in selector.llm and selector.net",
    "import selector.perception.nil": f"selector.perception.nil is gone: the parts of selector.perception {SIGHT}",
    "from selector.perception import edit_change": f"selector.perception has no edit_change now: its parts {SIGHT}",
    "from selector.calibration import estimate": f"selector.calibration has no estimate {NOW}",
}


@pytest.mark.parametrize("line", GONE_LINES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_was_taken_apart_says_where_to_look(line: str) -> None:
    with pytest.raises(ImportError) as told:
        exec(line, {})
    assert str(told.value) == f"{GONE_LINES[line]}; see CHANGELOG"


@pytest.mark.parametrize("root", GONE)
def test_every_room_that_is_named_is_there_and_what_went_is_not(root: str) -> None:
    rooms = [room if "." in room else f"selector.{room}" for room in re.split(", | and ", GONE[root])]
    assert all(importlib.import_module(room) for room in rooms)
    assert not (ROOT / root.replace(".", "/")).exists()


def test_names_that_went_apart_are_found_where_each_is() -> None:
    with pytest.warns(DeprecationWarning) as told:
        from selector.calibration import JUDGE, PRIOR, prior_points  # type: ignore[import-not-found]
        from selector.remote import Rate  # type: ignore[import-not-found]
    places = ["selector.learn.belief", "selector.learn.prior", "selector.learn.estimates", "selector.net.pace"]
    assert list(dict.fromkeys(str(warning.message).split()[3] for warning in told)) == [f"{place}:" for place in places]
    assert JUDGE and PRIOR and callable(prior_points) and Rate.__module__ == "selector.net.pace"


def test_a_name_that_never_was_is_as_unknown_as_ever() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'selector\.no_such'"):
        importlib.import_module("selector.no_such")


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_every_new_module_is_there_and_no_old_one(old: str, new: str) -> None:
    importlib.import_module(new)
    assert type(importlib.import_module(old).__loader__).__module__ == "selector._moved"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_package_of_the_version_before_keeps_the_contracts_and_runs_in_a_campaign(
    old_package: str, tmp_path: Path, contest_files: Files
) -> None:
    module = importlib.import_module(old_package)
    assert not issubclass(module.Negative, Generator) and not issubclass(module.Level, Scorer)
    table, images = contest_files(["a negative", "another"])
    settings = {"generate": {"tie": {"negative": 2}}, "score": {"scorers": ["level"]}}
    with Campaign.init(tmp_path / "campaign", table, images, **settings) as campaign:
        made = campaign.generate()
        assert (made.made, made.declined, made.failed, made.left_out) == (2, 0, 0, {})
        scored = campaign.score()
        assert (scored.values, scored.failures, scored.left_out) == (2, {}, {})
        assert len(campaign.pick()) == 2
    picture = Picture(encode_final(campaign_picture(images)))
    inputs = TaskInputs(Task("1", TaskType.TIE, "a negative", "1.jpg", None, 0), picture)
    check_generator(module.Negative(), inputs)
    check_scorer(module.Level(), [Item(inputs, picture), Item(inputs, picture)])


def campaign_picture(images: Path) -> object:
    return Picture(next(p for p in sorted(images.rglob("*")) if p.is_file()).read_bytes()).rgb
