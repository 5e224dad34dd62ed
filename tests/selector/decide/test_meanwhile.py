"""What is decided or stored between a choice and its being stored; copies and imports of what is excluded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Clock, noise_jpeg
from decided_campaigns import TASK, exclude_all, of_task, picked
from toy_services import Make

from selector import Campaign
from selector.decide import picking
from selector.decide.judging import looks_of
from selector.decide.planning import ToJudge
from selector.domain import InputError
from selector.domain.errors import InputProblems
from selector.store import schema
from selector.submit import export as exporting


@pytest.fixture
def scored(campaign: Campaign) -> Campaign:
    """Three tasks of three candidates, all measured."""
    campaign.generate()
    campaign.score()
    return campaign


def test_what_is_excluded_while_the_zip_is_written_is_not_exported(
    scored: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored.pick()
    best, second, _ = of_task(scored)
    write, written = exporting.write_zip, []

    def slowly(*arguments: object) -> str:
        done = write(*arguments)  # type: ignore[arg-type]
        if not written:
            scored.decisions.exclude("six fingers", best, by="ann")
        written.append(arguments[3])
        return done

    monkeypatch.setattr(exporting, "write_zip", slowly)
    exported = scored.export()
    assert [(one.before, one.now) for one in exported.replaced] == [(best, second)]
    assert {p.candidate_id for p in scored.submissions.picks(exported.submission.id)} & {best} == set()
    assert len(scored.submissions) == 1
    assert [place.zip.exists() for place in written] == [False, True]  # type: ignore[attr-defined]


def test_a_plan_that_is_stored_while_picks_are_chosen_is_not_replaced(
    scored: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = picking._fallbacks

    def slowly(*arguments: object) -> object:
        monkeypatch.setattr(picking, "_fallbacks", make)
        with Campaign(scored.folder) as other:
            assert other.plan(9, 0.0).plan.purpose == "learn"
        return make(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(picking, "_fallbacks", slowly)
    with pytest.raises(InputError, match="the newest picks are a plan to learn"):
        scored.pick()


def test_picks_that_are_stored_during_a_revision_are_revised_in_turn(
    scored: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored.pick()
    best = of_task(scored)[0]
    scored.decisions.exclude("broken", best, by="ann")
    make, planned = picking._fallbacks, []

    def slowly(*arguments: object) -> object:
        monkeypatch.setattr(picking, "_fallbacks", make)
        with Campaign(scored.folder) as other:
            planned.append(dict(other.plan(9, 0.0).picked))
        return make(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(picking, "_fallbacks", slowly)
    exported = scored.export()
    assert {p.task_id: p.candidate_id for p in scored.submissions.picks(exported.submission.id)} == planned[0]


def test_a_finished_copy_of_what_is_excluded_is_not_picked(make: Make) -> None:
    campaign = make({"toy": {"n": 2, "finishes": ["grain"]}}, ["a", "b"])
    campaign.generate()
    campaign.score()
    pool = campaign._context().need().pool
    base = next(i for i, origin in enumerate(pool.origins) if origin)
    task_id, copy, origin = pool.task_ids[base], pool.candidate_ids[base], pool.origins[base]
    campaign.decisions.exclude("six fingers", origin, by="ann")
    excluded = {r.candidate_id: r.excluded for r in campaign.explain(task_id).rivals}
    assert excluded[copy] == excluded[origin] == "excluded by ann: six fingers"
    assert campaign.status().decisions.candidates == 1
    with pytest.raises(InputError, match=rf"include --candidate {origin[:8]} --task {task_id}` takes that back"):
        campaign.decisions.include(candidate=copy)
    others = [c for c, why in excluded.items() if not why]
    campaign.decisions.exclude("broken", [c for c in others if c in pool.origins])
    assert campaign.explain(task_id).pick is None


def test_a_task_with_nothing_but_a_superseded_file_is_refilled(scored: Campaign, tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    for seed in (77, 78):
        (folder / f"{TASK}.jpg").write_bytes(noise_jpeg(seed))
        scored.import_folder(folder, "painter")
    older = next(r for r in scored.explain(TASK).rivals if (r.excluded or "").startswith("superseded"))
    exclude = [c for c in of_task(scored) if c != older.candidate_id]
    scored.decisions.exclude("broken", exclude, by="ann")
    look = ToJudge(TASK, older.candidate_id, "", 0.1)
    with pytest.raises(InputProblems, match="is superseded by the newer"):
        looks_of(scored._context(), [look])
    with pytest.raises(InputProblems, match="is excluded by ann: broken"):
        looks_of(scored._context(), [replace(look, candidate_id=exclude[0])])
    clock.now += timedelta(minutes=1)
    assert scored.estimate().refilled == [TASK]
    assert scored.generate().made == 3
    assert scored.generate().made == 0


def test_a_task_with_nothing_but_what_a_gate_refuses_is_refilled(make: Make, clock: Clock) -> None:
    campaign = make({"toy": 3}, ["a", "b"], score={"scorers": ["technical", "gate"]}, clock=clock)
    campaign.generate()
    campaign.score()
    task_id = campaign.tasks[0].id
    *excluded, last = of_task(campaign, task_id)
    campaign.decisions.exclude("broken", excluded, by="ann")
    clock.now += timedelta(minutes=1)
    assert campaign.estimate().refilled == []
    with campaign._ws.db.write() as connection:
        gates = schema.score.update().where(schema.score.c.scorer == "gate", schema.score.c.candidate_id == last)
        connection.execute(gates.values(value=0.0, reason=None))
    assert campaign.explain(task_id).pick is None
    assert campaign.estimate().refilled == [task_id]
    assert campaign.generate().made == 3
    assert campaign.generate().made == 0


def test_a_fallback_with_the_bytes_of_an_excluded_import_is_reported_once(scored: Campaign, tmp_path: Path) -> None:
    exclude_all(scored)
    fallback = picked(scored.pick()).candidate_id
    assert fallback is not None
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / f"{TASK}.jpg").write_bytes(scored._ws.images.path(fallback).read_bytes())
    scored.import_folder(folder, "painter")
    scored.decisions.exclude("the source as it is", generator="folder:painter", by="ann")
    for _ in range(2):
        assert scored.export(allow_fallbacks=True).replaced == ()


def test_a_plan_that_is_not_exported_stays_the_newest_when_another_is_reproduced(scored: Campaign) -> None:
    scored.pick()
    first = scored.export()
    planned = scored.plan(9, 0.0)
    with scored._ws.db.write() as connection:
        connection.execute(schema.submission.delete())  # as in a campaign that never exported it
    scored.submissions.reproduce(first.manifest_path)
    exported = scored.export()
    assert {p.task_id: p.candidate_id for p in scored.submissions.picks(exported.submission.id)} == dict(planned.picked)


def test_answers_about_pairs_are_no_disagreement_with_a_judge(scored: Campaign, tmp_path: Path) -> None:
    from selector.decide.disagreement import disagreement

    table = tmp_path / "judged.csv"
    ids = of_task(scored)
    for name, values in (("vlm", (9, 8, 8)), ("ann, A or B", (6, 5, 4))):
        rows = [f"{TASK},{c},{v},{v}" for c, v in zip(ids, values, strict=True)]
        table.write_text("\n".join(["task,candidate,sc,pq", *rows]) + "\n")
        scored.judges[name].tell(table)
    pool = scored._context().need().pool
    assert (disagreement(pool) != disagreement(pool)).all()


def test_the_table_of_scores_knows_no_seed_of_an_import(scored: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / f"{TASK}.jpg").write_bytes(noise_jpeg(77))
    scored.import_folder(folder, "painter")
    table = scored.scores(task_ids=[TASK])
    imported = table["generator"] == "folder:painter"
    told = {r.candidate_id: r.seed for r in scored.explain(TASK).rivals}
    assert table["seed"][imported].isna().all() and table["seed"][~imported].notna().all()
    assert {c: s for c, s in zip(table["candidate"], table["seed"], strict=True) if told[c] is not None} == {
        c: s for c, s in told.items() if s is not None
    }
    written = scored.write_scores(tmp_path / "scores.csv", task_ids=[TASK])
    assert written.rows == 4
