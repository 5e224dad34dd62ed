"""A machine that runs out of memory, handles or threads ends the run: nothing is stored of it, and nothing paid."""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import resource
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ToyGenerator, ToyScorer
from toy_services import (
    Make,
    attempts,
    nothing,
    once,
    outcomes,
    raises,
    reopened,
    stored_jobs,
    toy_service,
)

from generators.folder import Folder
from selector import Campaign
from selector.cli.main import main
from selector.domain import GenerationFailed, Item, OutOfResources, Score, reason_of
from selector.finishing import Finishing
from selector.workspace.workspace import Workspace


class OutOfMemoryError(RuntimeError):
    """As torch has it."""


def wrapped() -> Exception:
    """What a plug-in makes of an error that it does not know."""
    error = GenerationFailed("the model gave nothing")
    error.__cause__ = MemoryError()
    return error


SHORTAGES = {
    "memory": MemoryError(),
    "handles": OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
    "threads": RuntimeError("can't start new thread"),
    "gpu": OutOfMemoryError("no room"),
    "cause": wrapped(),
}
each = pytest.mark.parametrize("error", SHORTAGES.values(), ids=SHORTAGES)
PAID = {"toy": 2, "toy_remote": {"n": 0, "reserve": True}}  # whatever the first refuses is bought


def ends_without_a_trace(campaign: Campaign) -> None:
    with pytest.raises(OutOfResources, match="run the same command again"):
        campaign.generate()
    assert not attempts(campaign)
    assert toy_service().submits == []


@each
def test_a_generator_that_lacks_something_is_neither_failed_nor_replaced(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    campaign = make(PAID)
    with monkeypatch.context() as short:
        short.setattr(ToyGenerator, "generate", raises(error))
        ends_without_a_trace(campaign)
    assert reopened(campaign).generate().made == 2
    assert toy_service().submits == []


@pytest.mark.parametrize("where", ["check", "recipes"])
def test_a_generator_that_cannot_even_plan_is_not_replaced(
    make: Make, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(ToyGenerator, where, raises(wrapped()))
    ends_without_a_trace(make(PAID))


def test_a_batch_that_lacks_something_is_no_outcome(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyGenerator, "lane", "toys", raising=False)
    monkeypatch.setattr(ToyGenerator, "batches", lambda _, recipes: [recipes], raising=False)
    monkeypatch.setattr(ToyGenerator, "generate_batch", raises(MemoryError()), raising=False)
    ends_without_a_trace(make(PAID))


def test_what_was_made_before_is_kept_and_the_rest_made_by_the_next_run(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, honest = make({"toy": 4}, workers=1), ToyGenerator.generate

    def generate(self: ToyGenerator, inputs: Any, recipe: Any) -> Any:
        return np.empty(10**18) if recipe.variant == "tint2" else honest(self, inputs, recipe)

    with monkeypatch.context() as short:
        short.setattr(ToyGenerator, "generate", generate)
        with pytest.raises(OutOfResources):
            campaign.generate()
    assert outcomes(campaign) == {("toy", "made"): 2}
    assert reopened(campaign).generate().made == 2


def test_final_bytes_that_cannot_be_made_for_want_of_memory_are_no_failure(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selector.generate.finalize.encode_final", raises(MemoryError()))
    ends_without_a_trace(make(PAID))


def test_a_finish_that_lacks_something_is_no_failure(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make({"toy": {"n": 1, "finishes": ["sharpen"]}})
    with monkeypatch.context() as short:
        short.setattr(Finishing, "apply", raises(MemoryError()))
        with pytest.raises(OutOfResources):
            campaign.generate()
    assert outcomes(campaign) == {("toy", "made"): 1}
    assert reopened(campaign).generate().made == 1


@pytest.mark.parametrize("error", [MemoryError(), wrapped()], ids=["memory", "cause"])
@pytest.mark.parametrize("at", ["on_submit", "on_poll", "on_fetch"])
def test_a_job_that_this_machine_cannot_follow_stays_open_and_is_not_paid_again(
    make: Make, at: str, error: Exception
) -> None:
    campaign = make({"toy_remote": 2, "toy": {"n": 0, "reserve": True}}, generators={"toy_remote": {"per_job": 2}})
    setattr(toy_service(), at, raises(error))
    with pytest.raises(OutOfResources):
        campaign.generate()
    assert not attempts(campaign)
    assert len(stored_jobs(campaign)) == (at != "on_submit")
    setattr(toy_service(), at, nothing)
    again = reopened(campaign)
    assert again.generate().made == 2
    assert set(toy_service().images().values()) == {1}
    assert ("toy", "made") not in outcomes(again)


def test_the_other_images_of_a_job_are_kept_when_one_cannot_be_taken(make: Make) -> None:
    campaign = make({"toy_remote": 3}, generators={"toy_remote": {"per_job": 3}})
    toy_service().on_fetch = once(MemoryError())
    with pytest.raises(OutOfResources):
        campaign.generate()
    assert outcomes(campaign) == {("toy_remote", "made"): 2}
    assert reopened(campaign).generate().made == 1
    assert set(toy_service().images().values()) == {1}


def test_the_account_has_all_its_places_again(make: Make) -> None:
    campaign = make({"toy_remote": 1}, services={"toyland": {"running": 1}})
    toy_service().on_poll = once(MemoryError())
    with pytest.raises(OutOfResources):
        campaign.generate()
    assert campaign.generate().made == 1  # with the place that the first run held


@pytest.mark.parametrize("raised", [True, False], ids=["raised", "told as a reason"])
@pytest.mark.parametrize("error", [MemoryError(), wrapped()], ids=["memory", "cause"])
def test_a_scorer_that_lacks_something_leaves_no_score(
    make: Make, monkeypatch: pytest.MonkeyPatch, raised: bool, error: Exception
) -> None:
    campaign = make({"toy": 2})
    campaign.generate()

    def score(self: ToyScorer, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:  # noqa: ARG001
        return [{"sharpness": Score.unscored(reason_of(error))} for _ in items]

    with monkeypatch.context() as short:
        short.setattr(ToyScorer, "score", raises(error) if raised else score)
        with pytest.raises(OutOfResources):
            campaign.score()
    assert campaign.status().scores == 0
    assert campaign.score().values == 2


def test_a_chunk_that_is_too_large_for_the_memory_is_scored_in_smaller_parts(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, honest = make({"toy": 3}), ToyScorer.score
    campaign.generate()

    def score(self: ToyScorer, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        if len(items) > 1:
            raise MemoryError
        return honest(self, items)

    monkeypatch.setattr(ToyScorer, "score", score)
    assert campaign.score().values == 3


def test_one_bad_picture_of_a_chunk_that_was_too_large_blocks_no_other(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, honest = make({"toy": 3}), ToyScorer.score
    campaign.generate()
    bad = sorted(path.stem for path in campaign.folder.glob("images/*/*.jpg"))[0]

    def score(self: ToyScorer, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        if len(items) > 1:
            raise MemoryError
        if items[0].picture.id == bad:
            raise ValueError("a bug that one picture meets")
        return honest(self, items)

    monkeypatch.setattr(ToyScorer, "score", score)
    done = campaign.score()
    assert (done.values, list(done.failures)) == (2, ["technical: ValueError: a bug that one picture meets"])


@contextlib.contextmanager
def no_more_files_after(cls: type, method: str) -> Iterator[None]:
    """This process can open no file more once the method was called, and has to end for it."""
    limits, honest = resource.getrlimit(resource.RLIMIT_NOFILE), getattr(cls, method)

    def called(*given: Any, **named: Any) -> Any:
        gc.collect()  # campaigns of earlier tests: what they still have open would be free later
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        return honest(*given, **named)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(OutOfResources, match="ulimit -n"):
        patch.setattr(cls, method, called)
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("method", ["recipes", "generate"])
def test_without_file_handles_nothing_is_made_and_the_next_run_makes_it(make: Make, method: str) -> None:
    campaign = make({"toy": 2, "toy_remote": {"n": 0, "reserve": True}}, ["a", "b"], workers=1)
    with no_more_files_after(ToyGenerator, method):
        campaign.generate()
    assert (attempts(campaign), toy_service().submits) == ((), [])
    assert campaign.generate().made == 4


def test_without_file_handles_nothing_is_scored_and_the_next_run_scores_it(make: Make) -> None:
    campaign = make({"toy": 2})
    campaign.generate()
    with no_more_files_after(Workspace, "task_inputs"):
        campaign.score()
    assert (campaign.status().scores, campaign.score().values) == (0, 2)


def test_without_file_handles_nothing_is_imported_and_the_next_run_imports_it(make: Make, tmp_path: Path) -> None:
    campaign = make({"toy": 1})
    campaign.generate()
    picture = next((campaign.folder / "images").rglob("*.jpg")).read_bytes()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / f"{attempts(campaign)[0].task_id}.jpg").write_bytes(picture)
    with no_more_files_after(Folder, "recipes"):
        campaign.import_folder(tmp_path / "mine")
    assert len(attempts(campaign)) == 1
    assert campaign.import_folder(tmp_path / "mine").made == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_line_says_it_in_one_line(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    campaign = make(PAID)
    monkeypatch.setattr(ToyGenerator, "generate", raises(MemoryError()))
    with pytest.raises(SystemExit) as ended:
        main(["generate", "-C", str(campaign.folder), *(["--json"] if as_json else [])])
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert err.splitlines()[-1].startswith("bestshot: memory ran out (MemoryError): set fewer `workers`")
    assert not as_json or json.loads(out)["error"].startswith("memory ran out")


@pytest.mark.parametrize("verb", ["generate", "score"])
def test_a_machine_that_starts_no_thread_is_told_so(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    campaign = make({"toy": 1})
    if verb == "score":
        campaign.generate()
    tried = len(attempts(campaign))
    monkeypatch.setattr("threading.Thread.start", raises(RuntimeError("can't start new thread")))
    with pytest.raises(SystemExit) as ended:
        main([verb, "-C", str(campaign.folder)])
    assert (ended.value.code, "ulimit -u" in capsys.readouterr().err) == (2, True)
    assert len(attempts(campaign)) == tried
