"""The cost of verbs on synthesised campaigns: in small, and that what is synthesised is a campaign like any other."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from experiments import scale
from experiments.support.process_cost import Cost, cost_of
from experiments.support.synthetic_campaign import SUBMISSIONS, make_campaign, write_contest
from selector import Campaign
from selector.domain import InputError

TASKS = 20


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    place = tmp_path_factory.mktemp("scale")
    write_contest(place / "contest", TASKS, seed=0)
    make_campaign(place / "campaign", place / "contest", seed=0)
    return Campaign(place / "campaign")


def test_a_synthesised_campaign_has_everything_that_was_planned_and_22_scores_a_candidate(campaign: Campaign) -> None:
    found = campaign.status()
    assert {kind.candidates for kind in found.types.values()} == {TASKS} and len(found.types) == 4
    assert found.scores + sum(found.unscored.values()) == 22 * 4 * TASKS
    assert found.to_make is not None and not any(one.to_make for one in found.to_make.generators.values())
    assert Counter(s.state for s in found.submissions) == {"scored": SUBMISSIONS}
    assert found.judgements["a-model"].candidates == TASKS / 10
    assert not found.failures


def test_a_synthesised_campaign_is_picked_and_exported_and_has_nothing_to_score(campaign: Campaign) -> None:
    assert campaign.score().candidates == 0
    assert not any(pick.fallback for pick in campaign.pick())
    exported = campaign.export()
    assert exported.warnings == () and campaign.submissions.verify(exported.zip_path).valid


def test_a_verb_is_measured_and_its_campaign_kept_for_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    wanted = ["--tasks", "8", "--keep", str(tmp_path / "kept"), "--json", str(out), "--verbs"]
    assert scale.main([*wanted, "score"]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["results"]["8"]) == ["score"] and written["growth"] == {}
    cost = written["results"]["8"]["score"]
    assert 0.1 < cost["cpu_s"] < 100 and 30 < cost["rss_mb"] < 2_000
    assert "being made" in capsys.readouterr().err
    monkeypatch.setattr(scale, "cost_of", lambda _: (Cost(1, 2, 3), ""))
    assert scale.main([*wanted, "plan,pick"]) == 0
    assert list(json.loads(out.read_text(encoding="utf-8"))["results"]["8"]) == ["pick", "plan"]
    assert "being made" not in capsys.readouterr().err


def test_unknown_verb_and_too_few_tasks_are_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert scale.main(["--verbs", "pik"]) == 2
    assert "did you mean 'pick'?" in capsys.readouterr().err
    assert scale.main(["--tasks", "100,3"]) == 2
    assert "--tasks" in capsys.readouterr().err


def test_scoring_that_finds_work_is_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "cost_of", lambda _: (Cost(1, 1, 1), '{"candidates": 3}'))
    with pytest.raises(InputError, match="3 candidates lacked scores"):
        scale.measure(tmp_path, "score")


def test_exponent_of_growth_is_from_one_size_to_the_next() -> None:
    costs = {
        10: {"pick": Cost(1.0, 50.0, 9.0)},
        100: {"pick": Cost(10.0, 50.0, 9.0)},
        200: {"pick": Cost(40.0, 100.0, 9.0)},
    }
    assert scale.exponents(costs) == {
        100: {"pick": {"cpu_s": 1.0, "rss_mb": 0.0}},
        200: {"pick": {"cpu_s": 2.0, "rss_mb": 1.0}},
    }


def test_cost_of_a_program_does_not_begin_at_the_memory_of_its_parent() -> None:
    ours = bytearray(b"x") * 100_000_000
    cost, output = cost_of([sys.executable, "-c", "print('one'); print('two')"])
    assert output == "one\ntwo" and 1 < cost.rss_mb < 90 and len(ours) == 100_000_000
    assert cost_of([sys.executable, "-c", "bytearray(b'x') * 100_000_000"])[0].rss_mb > 95


def test_a_program_that_fails_is_told_of_with_its_errors() -> None:
    with pytest.raises(RuntimeError, match="ended with 3: no luck"):
        cost_of([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])


def test_a_crowd_in_columns_is_a_campaign_that_is_picked_like_its_table(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    size = ["--tasks", "8", "--candidates", "20", "--store", "sqlite-columns", "--verbs", "ingest,select"]
    assert scale.main([*size, "--keep", str(tmp_path), "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert list(written["results"]["8"]) == ["ingest", "select"] and written["far"] == {}
    (folder,) = tmp_path.glob("tasks-8-*")
    with Campaign(folder / "campaign") as crowd:
        found, picks = crowd.status(), crowd.pick()
    assert sum(kind.candidates for kind in found.types.values()) == 8 * 20
    assert found.scores + sum(found.unscored.values()) == 20.5 * 8 * 20
    assert len(picks) == 8 and not any(pick.fallback for pick in picks)
    assert len(pd.read_parquet(folder / "picks.parquet")) == 8 and list((folder / "campaign/scores").rglob("*.parquet"))


def test_what_is_far_away_is_on_the_line_through_the_two_largest_sizes() -> None:
    costs = {n: {"pick": Cost(n / 10, 50.0, 9.0)} for n in (100, 1000)}
    assert scale.far(costs, scale.exponents(costs), 1000) == {"pick": {"cpu_s": 10_000, "rss_mb": 50}}
    assert scale.far({100: costs[100]}, {}, 1000) == {}


def test_a_crowd_of_an_odd_size_and_one_to_keep_in_a_server_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert scale.main(["--candidates", "22"]) == 2
    assert scale.main(["--store", "postgresql"]) == 2
    assert scale.main(["--candidates", "20", "--store", "postgresql", "--keep", "here"]) == 2
    assert capsys.readouterr().err.count("error:") == 3
