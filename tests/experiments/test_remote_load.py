"""The load experiment in small: what it counts, and that its audit would notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from experiments import remote_load
from experiments.support import remote_audit
from experiments.support.remote_audit import Audit
from experiments.support.remote_campaign import (
    FIRST,
    Baseline,
    ServerOptions,
    make_campaign,
    prompt_of,
    serving,
    start_generate,
)

QUICK = ServerOptions(running=8, job_seconds=0.4, slow_seconds=0.8, picture_px=96, shares=remote_load.SHARES)


def test_a_load_loses_nothing_and_the_baseline_runs_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_load, "LOAD", QUICK)
    monkeypatch.setattr(remote_load, "CALM", replace(QUICK, shares={}, seed=1))
    load, baseline = remote_load.measure_load(tmp_path, tasks=16, baseline_tasks=2)
    found = load.audit
    assert (found.wanted, found.lost, found.duplicated, found.wrong, found.violations) == (64, 0, 0, 0, {})
    assert found.delivered == 64 - found.refused - found.failed + found.replaced
    assert load.most_running <= 8 and load.fraction_of_service_limit > 0.1 and load.peak_rss_mb > 50
    assert baseline.tasks == 2 and baseline.seconds > 4


def test_what_is_charged_for_answers_that_were_dropped_is_counted(tmp_path: Path) -> None:
    dropping = replace(QUICK, shares={"drop-created": 0.25, "drop": 0.1})
    with serving(dropping) as service:
        folder = make_campaign(tmp_path, 12, 4, {FIRST: (service.url, dropping)})
        start_generate(folder).communicate()
        found = remote_audit.audit(folder, 12, 4, [service])
    assert found.perhaps_paid >= found.paid_unanswered > 0
    assert found.perhaps_paid % 4 == 0


def test_a_kill_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_load, "KILLED", replace(QUICK, shares={"429": 0.05}))
    monkeypatch.setattr(remote_load, "KILLED_TASKS", 12)
    found = remote_load.measure_kills(tmp_path, kills=1, seed=0)
    assert found.kills == 1
    audit = found.audit
    assert (audit.lost, audit.duplicated, audit.wrong) == (0, 0, 0)
    assert (audit.delivered, audit.at_once_delivered) == (48, 24)
    assert audit.at_once_beyond_needed <= audit.at_once_unanswered + found.just_before


def test_the_audit_notices_a_lost_file_a_double_and_a_picture_of_another_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = replace(QUICK, shares={})
    with serving(quiet) as service:
        folder = make_campaign(tmp_path, 3, 2, {FIRST: (service.url, quiet)})
        start_generate(folder).communicate()
        assert remote_audit.audit(folder, 3, 2, [service]).delivered == 6
        next((folder / "images").rglob("*.jpg")).unlink()
        monkeypatch.setattr(remote_audit, "_CHECKED", 0)
        assert remote_audit.audit(folder, 3, 2, [service]).delivered == 5
        assert remote_audit.audit(folder, 4, 2, [service]).lost == 2, "a task that was never tried"


def test_pictures_of_other_prompts_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = replace(QUICK, shares={})
    with serving(quiet) as service:
        folder = make_campaign(tmp_path, 3, 2, {FIRST: (service.url, quiet)})
        start_generate(folder).communicate()
        monkeypatch.setattr(remote_audit, "prompt_of", lambda task: prompt_of((task + 1) % 3))
        found = remote_audit.audit(folder, 3, 2, [service])
    assert found.checked == 6 and found.wrong == 6


def test_a_bar_that_is_missed_is_named() -> None:
    good = remote_load.Load(fraction_of_service_limit=0.95, peak_rss_mb=200, early_rss_mb=200, late_rss_mb=201)
    baseline = Baseline(10, 50.0, 40, 0, 0)
    assert remote_load.bars_missed(good, baseline, remote_load.Kills(), 50.0) == []
    slow = replace(good, fraction_of_service_limit=0.8, audit=Audit(lost=1))
    assert len(remote_load.bars_missed(slow, baseline, remote_load.Kills(audit=Audit(orphans=1)), 10.0)) == 4


def test_a_perfect_client_keeps_to_places_and_rate() -> None:
    assert remote_load.perfect_seconds([2.0, 2.0, 2.0, 2.0], running=2, submits_per_second=1000) == pytest.approx(
        4, abs=0.01
    )
    assert remote_load.perfect_seconds([0.1] * 11, running=100, submits_per_second=2) == pytest.approx(5.1)
