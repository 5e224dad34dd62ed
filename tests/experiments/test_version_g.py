"""The frozen baseline plays as the program did when it was frozen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from experiments.support.many_seeds import BEFORE, PLAYERS
from experiments.support.replayed import play
from experiments.support.simulated import SCENARIOS, Simulated

# (final, best submitted) recovered gaps after 1, 3 and 9 totals, totals inside their interval, and the stated
# probabilities above one half summed: of `ours.Bestshot` at commit ba4b3b3.
PLAIN = {1: (0.431945, -0.044879), 3: (0.419845, 0.481673), 9: (0.62968, 0.62968)}, 7, 9.869141
OUTLIERS = {1: (0.336461, 0.255963), 3: (0.272318, 0.255963), 9: (0.194464, 0.397506)}, 5, 0.0
FOUR_TYPES = {1: (0.159478, 0.08738), 3: (0.202597, 0.236022), 9: (0.47677, 0.47677)}, 7, 12.855469
CHEAP_ALONE = {1: (0.20305, -0.179826), 3: (0.285057, 0.206911), 9: (0.308128, 0.296987)}, 5, 9.507812


@pytest.mark.parametrize(
    ("scenario", "more", "proxies", "seed", "recorded"),
    [
        ("plain", {}, "cheap+judge", 3, PLAIN),
        ("outliers", {"outlier_every": 3, "candidates": 2}, "cheap+judge", 1, OUTLIERS),
        ("four-types", {"absent": 0.3}, "cheap+judge", 2, FOUR_TYPES),
        ("no-generator-effect", {"missing": 0.2, "generators": 3}, "cheap", 5, CHEAP_ALONE),
    ],
)
def test_frozen_selector_repeats_what_the_original_did(scenario, more, proxies, seed, recorded):
    contests = Simulated(replace(SCENARIOS[scenario], tasks=32, **more), proxies)
    played = play(contests.table(seed), PLAYERS[BEFORE], [1, 3, 9], False, seed, contests.outliers)
    gaps, covered, stated = recorded
    assert {n: (g.final, g.best_submitted) for n, g in played.gaps.items()} == {
        n: pytest.approx(pair, abs=1e-6) for n, pair in gaps.items()
    }
    assert played.checks.covered == covered and played.checks.intervals == 8
    assert played.checks.stated[5:].sum() == pytest.approx(stated, abs=0.01)
