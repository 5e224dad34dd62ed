"""Simulated contests with treatments are what their description says, and their figures come from paired contests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments import treatments
from experiments.support.treated import SCENARIOS, SUFFIX, VIEWS, Treating, blind, played, treated_contest

MAIN = SCENARIOS["one pays, one costs"]


def contest(seed=0, **changes):
    return treated_contest(replace(MAIN, **changes), np.random.default_rng(seed))


def test_one_treatment_pays_and_the_other_costs_and_which_is_drawn():
    seen = set()
    for seed in range(6):
        made = contest(seed, tasks=1500)
        suffixed, sharp = (np.array([bool(t) for t in of]) for of in (made.pool.styles, made.pool.finishes))
        good, bad = (suffixed, sharp) if made.pays == SUFFIX else (sharp, suffixed)
        assert made.truth[good & ~bad].mean() - made.truth[~good & ~bad].mean() == pytest.approx(0.38, abs=0.2)
        assert made.truth[bad & ~good].mean() - made.truth[~good & ~bad].mean() == pytest.approx(-0.38, abs=0.2)
        assert set(made.paying[good & ~bad]) == {1.0} and set(made.paying[bad & ~good]) == {0.0}
        seen.add(made.pays)
    assert len(seen) == 2


def test_a_copy_is_nearly_its_picture_and_names_it():
    made = contest(tasks=300, effect=0.0, by_generator_sd=0.0)
    copies = np.flatnonzero([bool(o) for o in made.pool.origins])
    assert [made.pool.candidate_ids[i - 1] for i in copies] == [made.pool.origins[i] for i in copies]
    pictures = copies - 1
    others = pictures ^ 2  # the other picture of the same generator: rows of a generator start at a multiple of 4
    of_copies, of_others = (np.corrcoef(made.truth[pictures], made.truth[rows])[0, 1] for rows in (copies, others))
    assert of_copies > of_others + 0.1


def test_views_show_the_same_candidates_and_hide_what_they_should():
    made = contest(tasks=5)
    hidden = blind(made.pool)
    assert hidden.candidate_ids == made.pool.candidate_ids
    assert set(hidden.variants) == {"", "suffix", "sharpen", "suffix + sharpen"}
    assert not any((*hidden.styles, *hidden.finishes, *hidden.origins))


def test_judging_shows_a_share_of_the_candidates_to_the_judge():
    made = contest(tasks=200).judging(0.1, np.random.default_rng(0))
    assert (~np.isnan(made.pool.values[:, 0])).mean() == pytest.approx(0.1, abs=0.02)
    assert not np.isnan(made.pool.values[:, 1]).any()


def test_a_random_pick_recovers_nothing_and_the_best_everything():
    made = contest(tasks=50)
    best = made.truth.reshape(50, -1).argmax(axis=1) + np.arange(50) * 12
    assert made.recovered(best) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    assert np.mean([made.recovered(np.arange(50) * 12 + rng.integers(12, size=50)) for _ in range(400)]) < 0.02


def test_a_contest_is_played_alike_every_time():
    made = treated_contest(Treating(tasks=20), np.random.default_rng(3))
    assert [played(made, view, 2, 5) for view in VIEWS] == [played(made, view, 2, 5) for view in VIEWS]


def test_figures_are_written_with_their_contests(tmp_path: Path):
    out = tmp_path / "out.json"
    chosen = ["--scenario", "a single generator", "--lesson", "3% judged", "--contests", "3", "--jobs", "1"]
    assert treatments.main([*chosen, "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    views = written["results"]["a single generator"]["3% judged"]
    assert list(views) == list(VIEWS) and written["contests"] == 3
    assert all(figures["recovered"]["n"] == 3 for figures in views.values())
    assert views["variants"]["gained"]["mean"] == 0.0
    gained = views["treatments"]["recovered"]["mean"] - views["variants"]["recovered"]["mean"]
    assert views["treatments"]["gained"]["mean"] == pytest.approx(gained)


def test_wrong_numbers_are_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        treatments.main(["--contests", "0"])
    assert "must be at least 1" in capsys.readouterr().err
