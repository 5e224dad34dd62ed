"""Two machines work on one store at once, each from a folder of its own: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import Clock, ToyGenerator
from sqlalchemy import select
from toy_services import Files

from selector import Campaign
from selector.store import schema
from selector.store.decisions import load_history

TASKS, EACH = 6, 4
TESTS = Path(__file__).parents[2]
AT_WORK = """
import sys, time
from pathlib import Path
from selector import Campaign
from selector.registry import BUILTIN_GENERATORS, BUILTIN_SCORERS
BUILTIN_GENERATORS["toy"], BUILTIN_SCORERS["technical"] = "conftest:ToyGenerator", "conftest:ToyScorer"
folder, me = Path(sys.argv[1]), sys.argv[2]
with Campaign(folder) as campaign:
    print("ready", flush=True)
    sys.stdin.readline()
    for task in campaign.tasks:
        campaign.generate(task_ids=[task.id])
        campaign.score()
        campaign.decisions.note(f"{me} saw it", task.id, by=me)
        best = campaign.explain(task.id).rivals[0].candidate_id
        table = folder / "judged.csv"
        table.write_text(f"task,candidate,sc,pq\\n{task.id},{best},5,6\\n")
        campaign.judges[me].tell(table)
    campaign.score()
    campaign.pick()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shared.db'}"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.mark.usefixtures("toys")
def test_two_folders_make_score_judge_and_decide_at_once(
    tmp_path: Path, clock: Clock, contest_files: Files, address: str
) -> None:
    table, images = contest_files([f"brighter {i}" for i in range(TASKS)])
    shared = tmp_path / "shared"
    shared.mkdir()

    def open_in(name: str, url: str) -> Campaign:
        given = {"generate": {"tie": {"toy": EACH}}, "score": {"scorers": ["technical"]}}
        return Campaign.init(tmp_path / name, table, images, clock=clock, store={"url": url}, **given)

    for name in ("ann", "bob"):
        open_in(name, address).close()
        (tmp_path / name / "images").rmdir()
        (tmp_path / name / "images").symlink_to(shared)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", AT_WORK, str(tmp_path / name), name],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("ann", "bob")
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        _, said = child.communicate(timeout=120)
        assert child.returncode == 0, said
    quiet = open_in("quiet", "")
    quiet.generate()
    quiet.score()
    assert len(ToyGenerator.calls) == TASKS * EACH
    with Campaign(tmp_path / "ann", clock) as ann, ann._ws.db.read() as ours, quiet._ws.db.read() as alone:
        c, a, s, j = schema.candidate.c, schema.attempt.c, schema.score.c, schema.judgement.c
        for query in (
            select(c.task_id, c.id),
            select(a.task_id, a.recipe_key, a.try_number, a.outcome, a.candidate_id),
            select(s.task_id, s.candidate_id, s.scorer, s.column, s.value),
        ):
            both, one = (Counter(map(tuple, at.execute(query))) for at in (ours, alone))
            assert both == one
        judged = Counter(map(tuple, ours.execute(select(j.task_id, j.judge))))
        assert judged == Counter((task.id, who) for task in ann.tasks for who in ("ann", "bob"))
        notes = Counter((d.target.task_id, d.by) for d in load_history(ours))
        assert notes == judged
        assert ours.execute(select(schema.lease.c.name)).all() == [], "nobody is at work any more"
        assert all(ann._ws.images.picture(row.id).data for row in ours.execute(select(c.id)))
    quiet.close()
