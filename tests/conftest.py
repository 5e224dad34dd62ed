"""Fixtures of all tests: small campaigns with toy plug-ins, so that the loop is tested without slow pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from interrupts import hear_interrupts
from toy_services import Files, Make, toy_campaigns

from selector import Campaign
from selector.cli.main import main
from selector.demo import DemoContest, make_demo_contest
from selector.domain import (
    Axis,
    Column,
    Declined,
    GenerationFailed,
    Item,
    Made,
    Recipe,
    Score,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.registry import BUILTIN_GENERATORS, BUILTIN_SCORERS

# A worker of the suite takes one core: with as many threads as cores in each, torch's wait for each other by spinning.
# torch reads it when a test first imports it; programs that tests start inherit it.
for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_library, "1")
os.environ["BESTSHOT_LANG"] = "en"  # whatever the locale of who runs the tests
hear_interrupts()  # at the start of the session and of each of its workers: some tests send Ctrl-C to what they start

pytest_plugins = ["backends", "review_sessions", "store_places"]
Run = Callable[..., tuple[int, str, str]]
HEADER = "index,task_type,prompt,ori_image,target_image"


class ToyGenerator:
    """Tints the source by the recipe's number. Prompts steer it: "decline", "fail", "crash"."""

    name = "toy"
    version = "1"
    task_types = frozenset({TaskType.TIE, TaskType.VTTIE})
    calls: list[tuple[str, str]] = []  # noqa: RUF012 - counts work over all instances

    def check(self) -> None:
        return None

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        if "decline" in inputs.task.prompt:
            raise Declined("this toy does not do that")
        return [Recipe(f"tint{i}", seed, {"add": 30 * i + 10}) for i in range(n)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        type(self).calls.append((inputs.task.id, recipe.variant))
        if "fail" in inputs.task.prompt and recipe.variant == "tint0":
            raise GenerationFailed("the toy broke")
        if "crash" in inputs.task.prompt:
            raise ZeroDivisionError("a bug in a plug-in")
        assert inputs.source is not None
        tinted = np.clip(inputs.source.rgb.astype(int) + recipe.params["add"], 0, 255).astype(np.uint8)
        return Made(tinted, {"added": recipe.params["add"]})


class ToyScorer:
    """Mean brightness under the name of a column that the prior knows, so that brighter is picked."""

    name = "technical"
    version = "toy-1"
    task_types = frozenset(TaskType)
    columns = (Column("sharpness", 0.0, 1.0, True, Axis.PQ, "brightness, in truth"),)
    calls: list[str] = []  # noqa: RUF012

    def check(self) -> None:
        return None

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        type(self).calls.extend(item.picture.id for item in items)
        return [{"sharpness": Score.of(float(item.picture.rgb.mean()) / 255)} for item in items]


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers the toys under "toy" and "technical" and forgets what they did before."""
    monkeypatch.setitem(BUILTIN_GENERATORS, "toy", f"{__name__}:ToyGenerator")
    monkeypatch.setitem(BUILTIN_SCORERS, "technical", f"{__name__}:ToyScorer")
    monkeypatch.setattr(ToyGenerator, "calls", [])
    monkeypatch.setattr(ToyScorer, "calls", [])


class Clock:
    """A clock that stands still until it is moved. Starts at 2025-07-01 12:00 UTC, 20:00 in Shanghai."""

    def __init__(self) -> None:
        self.now = datetime(2025, 7, 1, 12, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def noise_jpeg(seed: int, size_px: tuple[int, int] = (96, 80)) -> bytes:
    """A small picture with structure, different for every seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 180, (size_px[1] // 8, size_px[0] // 8, 3)).astype(np.uint8)
    return encode_final(np.kron(coarse, np.ones((8, 8, 1), np.uint8)))


@pytest.fixture(scope="session")
def demo_contest(tmp_path_factory: pytest.TempPathFactory) -> DemoContest:
    """The demo's contest without text-to-image: drawing it takes seconds, so whoever changes it copies it."""
    return make_demo_contest(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def contest_files(tmp_path: Path) -> Files:
    """Makes task.csv and imgs/ with one picture a prompt; ids are 3, 10, 17, …; returns (table, images)."""

    def make(prompts: Sequence[str]) -> tuple[Path, Path]:
        images = tmp_path / "imgs"
        images.mkdir(exist_ok=True)
        rows = [HEADER]
        for i, prompt in enumerate(prompts):
            (images / f"{i:032x}.jpg").write_bytes(noise_jpeg(i))
            rows.append(f'{3 + 7 * i},tie,"{prompt}",{i:032x}.jpg,')
        table = tmp_path / "task.csv"
        table.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return table, images

    return make


@pytest.fixture
def campaign(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    clock: Clock,
    contest_files: Files,
) -> Campaign:
    """Three scene edits, three toy candidates each."""
    table, images = contest_files(["brighter", "把图片变亮", "much brighter"])
    return Campaign.init(
        tmp_path / "campaign",
        table,
        images,
        clock=clock,
        generate={"tie": {"toy": 3}},
        score={"scorers": ["technical"]},
    )


@pytest.fixture
def make(
    toys: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    contest_files: Files,
) -> Make:
    """Makes campaigns whose generator works at a service in this process: see ``toy_services``."""
    return toy_campaigns(monkeypatch, tmp_path, contest_files)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process: (exit code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call
