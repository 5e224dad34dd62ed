"""What the calibration's figures say: weights in points, and news a whole submission at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from selector.decide.calibration import describe
from selector.domain import TaskType
from selector.learn.belief import Belief
from selector.learn.calibrator import Calibrator
from selector.learn.pool import Choices, Pool
from selector.learn.totals import Total
from selector.store.observations import TotalRow


def known(*told: tuple[str, TaskType | None, float]) -> Any:
    """Four tasks with three candidates each, a judge's column, and totals of the first candidates."""
    n = 12
    pool = Pool(
        tuple(f"t{i // 3}" for i in range(n)),
        tuple(f"c{i:02d}" for i in range(n)),
        ("tie",) * 6 + ("t2i",) * 6,
        ("maker",) * n,
        columns=("judge",),
        values=np.random.default_rng(0).normal(size=(n, 1)),
    )
    rows = {None: [0, 3, 6, 9], TaskType.TIE: [0, 3], TaskType.T2I: [6, 9]}
    totals = tuple(Total(np.array(rows[s]), len(rows[s]), value, label=name) for name, s, value in told)
    fitted = Calibrator({"judge": Belief(0.5, 0.2, "a strong judge")}).fit(pool, totals)
    lines = tuple(TotalRow(name, value, scope, "") for name, scope, value in told)
    choices = Choices(pool.choices, 4)
    return SimpleNamespace(fitted=fitted, pool=pool, told=lines, totals=totals, basis="", choices=choices, learns=True)


def test_what_the_newest_submission_changed_counts_all_of_its_totals(tmp_path: Path) -> None:
    first = ("a", None, 5.0)
    found = describe(known(first, ("b", TaskType.TIE, 9.0), ("b", TaskType.T2I, 1.0)), tmp_path)
    before = {(w.task_type, w.name): w.mean for w in describe(known(first), tmp_path).weights}
    for line in found.weights:
        assert line.moved == pytest.approx(line.mean - before[line.task_type, line.name], abs=1e-9)
    assert all(any(w.moved for w in found.weights if w.task_type == kind) for kind in ("tie", "t2i"))


def test_weights_of_scores_are_points_for_a_spread(tmp_path: Path) -> None:
    data = known()
    line = next(w for w in describe(data, tmp_path).weights if w.kind == "score")
    effect = next(w for w in data.fitted.weights if w.effect.kind == "score")
    within = data.fitted.calibrator.scales.within_sd
    assert within != 1.0
    assert (line.prior, line.prior_sd, line.mean, line.sd) == pytest.approx(
        [within * x for x in (effect.effect.mean, effect.effect.sd, effect.mean, effect.sd)]
    )
    assert line.moved == 0.0
