"""Pictures that a head looks at beside the candidates: embedded before them, on all cores, kept batch by batch."""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixed_backbone import FixedBackbone
from sqlalchemy import func, select

from selector import Campaign
from selector.engine import Engine, Pool
from selector.measure import _embedding as embedding
from selector.net import Interrupted
from selector.store import schema

TASKS = 24  # as many photographs, and one candidate each
BATCH = 4


@pytest.fixture
def backbone(monkeypatch: pytest.MonkeyPatch) -> FixedBackbone:
    """Every head's backbone. Two cores, small batches."""
    made = FixedBackbone()
    monkeypatch.setattr("selector.sight.embedding.openclip.backbone_of", lambda _: made)
    monkeypatch.setattr(embedding, "CPU_BATCH", BATCH)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return made


@pytest.fixture
def made(
    tmp_path: Path,
    toys: None,  # noqa: ARG001
    backbone: FixedBackbone,  # noqa: ARG001 - it is the one that heads get
    contest_files: Callable[[list[str]], tuple[Path, Path]],
) -> Campaign:
    table, images = contest_files(["brighter"] * TASKS)
    campaign = Campaign.init(
        tmp_path / "campaign", table, images, generate={"tie": {"toy": 1}}, score={"scorers": ["realism"]}
    )
    campaign.generate()
    return campaign


def stored(campaign: Campaign) -> int:
    with campaign._ws.db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.embedding)).scalar_one())


def test_they_are_embedded_once_before_the_first_candidate_with_progress(
    made: Campaign, backbone: FixedBackbone
) -> None:
    told: list[tuple[str, int, int]] = []

    def tell(stage: str, done: int, total: int, note: str = "") -> None:  # noqa: ARG001
        told.append((stage, done, total))

    summary = made.score(progress=tell)
    assert (summary.values, summary.failures) == (2 * TASKS, {})
    assert backbone.crops_seen == 2 * TASKS == stored(made)
    told = [one for one in told if one[0] != "score"]
    assert told[: TASKS // BATCH] == [("photographs", i, TASKS) for i in range(BATCH, TASKS + 1, BATCH)]
    assert {stage for stage, _, _ in told[TASKS // BATCH :]} == {"embed"}


class Stuck(Engine, Pool[Any, Any]):
    """Elsewhere a worker takes for ever with the first photographs, and Ctrl-C comes meanwhile."""

    def __init__(self) -> None:
        Engine.__init__(self)
        Pool.__init__(self, 1, 1)
        self._ended = threading.Event()

    def pool(self, stage: Any, threads: int, batches: int) -> Pool[Any, Any]:  # noqa: ARG002
        self._stage = stage
        return self

    def call(self, batch: Any, alone: bool = False) -> Any:  # noqa: ARG002
        if not batch.pictures:
            return self._stage(batch)
        _thread.interrupt_main()
        self._ended.wait(20)
        raise Interrupted("closed")

    def tell(self, news: Any) -> None: ...

    def close(self) -> None:
        self._ended.set()


def test_an_interrupt_does_not_wait_for_workers_elsewhere(made: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.measure.scoring.open_engine", lambda *_: Stuck())
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        made.score()
    assert time.monotonic() - started < 15


def test_two_cores_embed_them_at_a_time(made: Campaign, backbone: FixedBackbone) -> None:
    both, real, calls = threading.Barrier(2, timeout=20), backbone.embed_crops, []

    def together(crops: Any) -> Any:
        calls.append(len(crops))
        if len(calls) <= 2:
            both.wait()
        return real(crops)

    told: list[str] = []

    def tell(stage: str, done: int, total: int, note: str = "") -> None:  # noqa: ARG001
        told.append(stage)

    backbone.embed_crops = together  # type: ignore[method-assign]
    assert made.score(progress=tell).values == 2 * TASKS
    assert not both.broken
    assert "photographs" in told  # so they were the first batches


class Killed(BaseException):
    """What no handler of errors catches."""


def test_killed_run_keeps_the_batches_that_were_done(
    made: Campaign, backbone: FixedBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    real, calls = backbone.embed_crops, []

    def killed_later(crops: Any) -> Any:
        calls.append(len(crops))
        if len(calls) > 3:
            raise Killed
        return real(crops)

    backbone.embed_crops = killed_later  # type: ignore[method-assign]
    with pytest.raises(Killed):
        made.score()
    assert stored(made) == 3 * BATCH
    backbone.embed_crops = real  # type: ignore[method-assign]
    assert made.score().values == 2 * TASKS
    assert backbone.crops_seen == 2 * TASKS


def test_they_are_left_alone_when_their_head_has_nothing_to_do(made: Campaign, backbone: FixedBackbone) -> None:
    made.score()
    backbone.broken = True
    (made.folder / "inputs").rename(made.folder / "away")
    assert made.score().candidates == 0


def test_one_that_cannot_be_read_is_left_out(made: Campaign) -> None:
    next((made.folder / "inputs").iterdir()).unlink()
    summary = made.score()
    assert summary.values == 2 * (TASKS - 1)  # the candidate whose own source is gone cannot be scored
    assert list(summary.failures.values()) == [1]
