"""Two campaigns of one contest become one: nothing lost, nothing doubled, and the later word counts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Clock, Run
from sqlalchemy import func, select, update
from toy_services import Files

from selector import Campaign
from selector.domain import InputError
from selector.store import schema
from selector.store.attempts import load_attempts
from selector.store.decisions import load_decisions, load_history
from selector.team import _rows, merging

Two = tuple[Campaign, Campaign]


@pytest.fixture
def two(toys: None, tmp_path: Path, clock: Clock, contest_files: Files) -> Two:  # noqa: ARG001
    """Ann's and Bob's campaigns of one contest, which differ by their seeds; each has made and scored its own."""
    table, images = contest_files(["brighter", "把图片变亮", "much brighter"])
    made = []
    for name, seed, n in (("ann", 1, 2), ("bob", 2, 3)):
        campaign = Campaign.init(
            tmp_path / name,
            table,
            images,
            clock=clock,
            team=name,
            seed=seed,
            generate={"tie": {"toy": n}},
            score={"scorers": ["technical"]},
        )
        campaign.generate()
        campaign.score()
        made.append(campaign)
    return made[0], made[1]


def rows(campaign: Campaign, *but: str) -> dict[str, int]:
    """Rows by table, leases and facts left out."""
    left = {"lease", "fact", *but}
    with campaign._ws.db.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in schema.metadata.sorted_tables
            if table.name not in left
        }


def candidates(campaign: Campaign) -> set[tuple[str, str]]:
    with campaign._ws.db.read() as connection:
        return {tuple(row) for row in connection.execute(select(schema.candidate.c.task_id, schema.candidate.c.id))}


def imported(campaign: Campaign, tmp_path: Path, name: str, shade: int) -> str:
    """The id of a picture of task 3 that was imported."""
    import numpy as np

    from selector.domain import encode_final

    folder = tmp_path / f"of-{name}"
    folder.mkdir(exist_ok=True)
    (folder / "3.png").write_bytes(encode_final(np.full((80, 96, 3), shade, np.uint8)))
    before = candidates(campaign)
    campaign.import_folder(folder, label=name)
    (new,) = candidates(campaign) - before
    return new[1]


def test_candidates_scores_and_pictures_of_both(two: Two, tmp_path: Path) -> None:
    ann, bob = two
    theirs = imported(bob, tmp_path, "flux", 90)
    bob.score()
    ours, others, before = candidates(ann), candidates(bob), rows(bob)
    found = ann.merge(bob.folder)
    assert candidates(ann) == ours | others
    assert rows(bob) == before, "the other is only read"
    assert ann._ws.images.picture(theirs).data, "its bytes are here"
    assert found.rows["candidate"].new == len(others - ours)
    with ann._ws.db.read() as connection:
        scored = {(row.task_id, row.candidate_id) for row in connection.execute(select(schema.score))}
        assert scored == candidates(ann)
        made = {(a.task_id, a.candidate_id) for a in load_attempts(connection) if a.candidate_id}
        assert made == candidates(ann), "each has its attempt"
    for _, picture in candidates(ann):
        assert ann._ws.images.picture(picture).data


def test_a_second_merge_adds_nothing(two: Two, tmp_path: Path) -> None:
    ann, bob = two
    imported(bob, tmp_path, "flux", 90)
    bob.decisions.exclude("blurred", [next(iter(candidates(bob)))[1]], by="bob")
    ann.merge(bob.folder)
    before = rows(ann)
    again = ann.merge(bob.folder)
    assert rows(ann) == before
    assert again.new == 0
    assert again.pictures == 0


def test_merging_back_and_forth_ends(two: Two, tmp_path: Path, clock: Clock) -> None:
    """Both say something of one thing, at different times: after a merge each way both hold the same."""
    from datetime import timedelta

    ann, bob = two
    theirs = imported(bob, tmp_path, "flux", 90)
    ann.merge(bob.folder)
    bob.decisions.exclude("too dark", [theirs], by="bob")
    clock.now += timedelta(minutes=1)
    ann.decisions.exclude("a finger too many", [theirs], by="ann")
    for _ in range(2):
        ann.merge(bob.folder)
        bob.merge(ann.folder)
    with ann._ws.db.read() as here, bob._ws.db.read() as there:
        (mine,), (yours,) = load_decisions(here).excluded.values(), load_decisions(there).excluded.values()
    assert (mine.by, mine.reason) == (yours.by, yours.reason) == ("ann", "a finger too many")
    before = rows(ann), rows(bob)
    ann.merge(bob.folder)
    bob.merge(ann.folder)
    assert (rows(ann), rows(bob)) == before


def test_decisions_keep_who_when_why_and_what_they_take_back(two: Two, tmp_path: Path, clock: Clock) -> None:
    from datetime import timedelta

    ann, bob = two
    theirs = imported(bob, tmp_path, "flux", 90)
    other = imported(bob, tmp_path, "other", 60)
    ann.decisions.exclude("never again", generator="toy", by="ann")
    clock.now += timedelta(minutes=1)
    bob.decisions.exclude("too dark", [theirs], by="bob")
    bob.decisions.undo(by="bob")
    bob.decisions.exclude("ugly", [other], by="bob")
    ann.merge(bob.folder)
    with ann._ws.db.read() as connection:
        history = load_history(connection)
        holds = load_decisions(connection)
    assert [(d.kind.value, d.by, d.undoes) for d in history] == [
        ("exclude", "ann", None),
        ("exclude", "bob", None),
        ("include", "bob", 2),
        ("exclude", "bob", None),
    ]
    assert {t.candidate_id for t in holds.excluded if t.candidate_id} == {other}
    assert set(holds.excluded_generators) == {"toy"}


def judged(campaign: Campaign, tmp_path: Path, candidate: str, sc: float) -> None:
    table = tmp_path / "judged.csv"
    table.write_text(f"task,candidate,sc,pq\n3,{candidate},{sc},5\n", encoding="utf-8")
    campaign.judges["vlm"].tell(table)


@pytest.mark.parametrize("ours_later", [True, False])
def test_of_two_judgements_the_later_one_counts(two: Two, tmp_path: Path, clock: Clock, ours_later: bool) -> None:
    from datetime import timedelta

    from selector.store.observations import load_judgements

    ann, bob = two
    both = imported(bob, tmp_path, "flux", 90)
    ann.merge(bob.folder)
    for campaign, sc in ((bob, 2.0), (ann, 7.0)) if ours_later else ((ann, 7.0), (bob, 2.0)):
        clock.now += timedelta(minutes=1)
        judged(campaign, tmp_path, both, sc)
    ann.merge(bob.folder)
    with ann._ws.db.read() as connection:
        (counts,) = load_judgements(connection)
        all_rows = connection.execute(select(schema.judgement.c.sc)).scalars().all()
    assert counts.sc == (7.0 if ours_later else 2.0)
    assert set(all_rows) == {2.0, 7.0}, "nothing is lost"


def test_the_same_recipe_in_both_keeps_a_picture_of_each(two: Two) -> None:
    """Of campaigns with one seed; one of them failed first, the other made the picture."""
    ann, bob = two
    a = schema.attempt.c
    with bob._ws.db.read() as connection:  # as if bob's seed had been ann's
        made = connection.execute(select(schema.attempt).where(a.task_id == "3").limit(1)).one()
        build = made.build
    with ann._ws.db.write() as connection:
        one = connection.execute(select(schema.attempt).where(a.task_id == "3").limit(1)).one()
        same_recipe = {"build": made.build, "recipe_key": made.recipe_key}
        connection.execute(update(schema.attempt).where(a.id == one.id).values(**same_recipe))
        failed = {"outcome": "failed", "candidate_id": None, "reason": "the toy broke"}
        connection.execute(update(schema.attempt).where(a.id == one.id).values(**failed))
    ann.merge(bob.folder)
    with ann._ws.db.read() as connection:
        same = (a.task_id == "3", a.recipe_key == made.recipe_key, a.build == build)
        tries = connection.execute(select(a.try_number, a.outcome).where(*same).order_by(a.id)).all()
    assert [tuple(t) for t in tries] == [(1, "failed"), (2, "made")]
    before = rows(ann)
    ann.merge(bob.folder)
    assert rows(ann) == before


def test_the_ledger_stays_with_its_team(two: Two, run: Run) -> None:
    ann, bob = two
    for campaign in two:
        campaign.pick()
    sent = bob.export().submission.id
    bob.record(sent, 1.5)
    code, out, _ = run("merge", bob.folder, "-C", ann.folder, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["left_there"] == {"submissions": 1, "totals": 1, "picks": 1, "open_jobs": 0}
    assert list(ann.submissions) == []
    code, out, _ = run("merge", bob.folder, "-C", ann.folder)
    assert "left there: 1 submission, 1 total, 1 set of picks" in out


def test_the_ledger_of_the_other_where_there_is_none(two: Two) -> None:
    ann, bob = two
    bob.pick()
    exported = bob.export()
    bob.record(exported.submission.id, 1.5)
    found = ann.merge(bob.folder, ledger="theirs")
    assert [(s.id, s.total) for s in ann.submissions] == [(exported.submission.id, 1.5)]
    assert found.rows["submission"].new == 1
    again = ann.merge(bob.folder, ledger="theirs")
    assert again.new == 0
    zipped = next((ann.folder / "submissions").rglob("*.zip"))
    assert ann.submissions.verify(zipped).valid
    ann.score()
    ann.pick()
    ann.export()
    assert len(list(ann.submissions)) >= 1
    bob2 = ann  # and one with a ledger of its own does not take another
    with pytest.raises(InputError, match="uploads or totals of its own"):
        bob2.merge(_third(bob), ledger="theirs")


def ledger(campaign: Campaign) -> dict[str, int]:
    told = rows(campaign)
    names = ("pick_set", "pick", "submission", "submission_pick", "submission_event", "observation")
    return {name: told[name] for name in names}


def test_a_ledger_that_went_on_is_taken_over_again(two: Two) -> None:
    ann, bob = two
    bob.pick()
    for _ in range(2):  # of picks alone, too, a second run adds nothing
        ann.merge(bob.folder, ledger="theirs")
        assert ledger(ann) == ledger(bob)
    sent = bob.export().submission.id
    ann.merge(bob.folder, ledger="theirs")
    bob.record(sent, 1.5)
    bob.decisions.exclude("too dark", [next(p.candidate_id for p in bob.pick() if p.candidate_id)], by="bob")
    bob.pick()
    other = bob.export().submission.id
    assert other != sent
    found = ann.merge(bob.folder, ledger="theirs")
    assert (found.rows["submission"].new, found.rows["submission"].same) == (1, 1)
    assert {s.id: s.total for s in ann.submissions} == {sent: 1.5, other: None}
    assert ledger(ann) == ledger(bob)
    assert ann.merge(bob.folder, ledger="theirs").new == 0
    bob.record(sent, 1.75, reason="misread")
    ann.merge(bob.folder, ledger="theirs")
    assert {s.id: s.total for s in ann.submissions} == {sent: 1.75, other: None}


def test_the_same_picks_that_both_exported_are_one_submission(two: Two, clock: Clock) -> None:
    from datetime import timedelta

    _, bob = two
    bob.pick()
    sent = bob.export().submission.id
    clock.now += timedelta(minutes=1)
    with Campaign(_third(bob), clock) as third:
        assert third.export().submission.id == sent
        bob.record(sent, 1.5)
        third.merge(bob.folder, ledger="theirs")
        assert [(s.id, s.total, s.state) for s in third.submissions] == [(sent, 1.5, "scored")]
        third.record(sent, 1.25, reason="misread")
        with pytest.raises(InputError, match="uploads or totals of its own"):
            third.merge(bob.folder, ledger="theirs")


def _third(bob: Campaign) -> Path:
    """A copy of a campaign without its ledger."""
    import shutil

    place = bob.folder.with_name("third")
    shutil.copytree(bob.folder, place)
    with Campaign(place) as third, third._ws.db.write() as connection:
        for table in (schema.submission_event, schema.observation, schema.submission_pick, schema.submission):
            connection.execute(table.delete())
    return place


def test_a_lost_picture_stays_away_with_all_that_speaks_of_it(two: Two, tmp_path: Path) -> None:
    ann, bob = two
    lost = imported(bob, tmp_path, "flux", 90)
    bob.score()
    judged(bob, tmp_path, lost, 5.0)
    data = bob._ws.images.picture(lost).data
    bob._ws.images.path(lost).unlink()
    found = ann.merge(bob.folder)
    assert found.lost == 1
    assert ("3", lost) not in candidates(ann)
    assert rows(ann)["judgement"] == 0
    bob._ws.images.put(data)
    ann.merge(bob.folder)
    assert ("3", lost) in candidates(ann)
    assert rows(ann)["judgement"] == 1


def test_what_people_deleted_does_not_come_back(two: Two, tmp_path: Path) -> None:
    ann, bob = two
    gone = imported(bob, tmp_path, "flux", 90)
    ann.merge(bob.folder)
    row = {"picture_id": gone, "name": None, "gone": True, "reason": "a person asked", "by": "ann", "at": "2025"}
    with ann._ws.db.write() as connection:
        connection.execute(schema.pruned.insert().values(**row))
    ann._ws.images.path(gone).unlink()
    ann.merge(bob.folder)
    assert ann._ws.images.size_of(gone) is None
    found = bob.merge(ann.folder)
    assert found.deleted_there == 1, "bob is told"
    assert bob._ws.images.size_of(gone)


def test_the_commands_that_merge_prints_delete_a_person_here_too(two: Two, run: Run) -> None:
    ann, bob = two
    bob.prune(person_of=["3"], delete=True, reason="she asked: 'now'", by="bob")
    commands = [line for line in run("merge", "-C", ann.folder, bob.folder)[1].splitlines() if "bestshot prune" in line]
    assert ann.prune().gone_inputs == 0
    for command in commands:
        assert run(*shlex.split(command)[1:], "-C", ann.folder)[0] == 0
    assert ann.prune().gone_inputs == 1
    assert ann.merge(bob.folder).deleted_there == 0


def test_vectors_of_what_people_deleted_stay_away(two: Two, tmp_path: Path) -> None:
    ann, bob = two
    gone, other = imported(bob, tmp_path, "flux", 90), imported(bob, tmp_path, "other", 60)
    ann.merge(bob.folder)
    with bob._ws.db.write() as connection:
        of = {"space": "s", "view": "v", "crops": 1, "vectors": b"ab"}
        connection.execute(schema.embedding.insert(), [{"picture_id": one, **of} for one in (gone, other)])
    ann.prune(pictures=[gone], reason="a person asked", by="ann", delete=True)
    found = ann.merge(bob.folder)
    with ann._ws.db.read() as connection:
        assert connection.execute(select(schema.embedding.c.picture_id)).scalars().all() == [other]
    assert (found.rows["embedding"].new, found.rows["embedding"].left) == (1, 1)


def test_ids_that_are_paths_do_not_come(two: Two) -> None:
    """The other's records may be anybody's: what is named by a path is not taken for a picture that lies here."""
    ann, bob = two
    victim = ann.folder / "victim.jpg"
    victim.write_bytes(b"dear")
    with bob._ws.db.write() as connection:
        row = dict(connection.execute(select(schema.candidate).limit(1)).mappings().one())
        connection.execute(schema.candidate.insert().values(**{**row, "id": "../victim"}))
        said = {"name": None, "gone": True, "reason": "x", "by": "x", "at": "2025"}
        connection.execute(schema.pruned.insert().values(picture_id="../victim", **said))
    found = ann.merge(bob.folder)
    assert found.lost == 1
    assert all(key != "../victim" for _, key in candidates(ann))
    assert rows(ann)["pruned"] == 0
    assert victim.exists()


@pytest.mark.parametrize("cut", range(0, 14, 2))
def test_a_killed_merge_goes_on(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    """Ended before its n-th step; the next run makes of it what one that was not ended makes."""
    ann, bob = two
    theirs = imported(bob, tmp_path, "flux", 90)
    bob.decisions.exclude("too dark", [theirs], by="bob")
    bob.score()
    calls = [0]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] > cut:
                raise KeyboardInterrupt
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patched:
        for name in ("take_attempts", "take_history", "take_keyed"):
            patched.setattr(merging, name, dying(getattr(_rows, name)))
        with pytest.raises(KeyboardInterrupt):
            ann.merge(bob.folder)
    ann.merge(bob.folder)
    assert candidates(ann) >= candidates(bob)
    counts = rows(ann)
    assert counts["decision"] == 1
    assert counts["score"] == len(candidates(ann))
    assert ann.merge(bob.folder).new == 0


def test_other_contests_and_itself_are_refused(
    two: Two, tmp_path: Path, contest_files: Files, clock: Clock, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = two
    with pytest.raises(InputError, match="one store already"):
        ann.merge(ann.folder)
    with pytest.raises(InputError, match=r"there is no .*nowhere"):
        ann.merge(tmp_path / "nowhere")
    bob.backup(tmp_path / "bob.zip")
    with pytest.raises(InputError, match=r"make a campaign of it by `bestshot init FOLDER --from .*bob\.zip`"):
        ann.merge(tmp_path / "bob.zip")
    table, images = contest_files(["another prompt"])
    Campaign.init(tmp_path / "other", table, images, clock=clock).close()
    with pytest.raises(InputError, match="another task table"):
        ann.merge(tmp_path / "other")
    with monkeypatch.context() as chinese:
        chinese.setenv("BESTSHOT_LANG", "zh")
        told = run("merge", "-C", ann.folder, tmp_path / "other")[2]
    assert told == "bestshot: 与另一个工作区相比，任务表不同：只有同一比赛的工作区才能合并\n"
    with bob._ws.db.write() as connection:
        connection.execute(update(schema.fact).where(schema.fact.c.key == "format").values(value="8"))
    with pytest.raises(InputError, match="of an older bestshot: run `bestshot status` in it once"):
        ann.merge(bob.folder)
