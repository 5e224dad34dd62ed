"""The plain linear model of the baselines: what generator made a candidate, and its proxies within its task."""

from __future__ import annotations

import numpy as np

from experiments.support.score_table import Floats, Shown, task_means


def centred_design(shown: Shown) -> Floats:
    """(rows, types x (generators + proxies)): generator one-hots and within-task standardised proxies, a block a type.

    A judge enters as sqrt(SC x PQ), which teaches faster than its two scores apart. Proxies are deviations from the
    task's mean in units of the type's spread of such deviations; 0 where unscored. Columns that are 0 throughout are
    left out.
    """
    one_hots = np.eye(len(shown.generators))[shown.generator]
    plain = np.hstack([one_hots, *(within_task(shown, shown.proxy(name))[:, None] for name in shown.proxies)])
    types = int(shown.task_type.max()) + 1
    design = np.hstack([plain * (shown.row_type == kind)[:, None] for kind in range(types)])
    return design[:, np.abs(design).max(axis=0) > 0]


def within_task(shown: Shown, values: Floats) -> Floats:
    """(rows,) deviations from the task's mean, with spread 1 in each type; 0 where unscored, or all the same."""
    known = np.isfinite(values)
    off = np.where(known, values - task_means(shown, values)[shown.task], 0.0)
    deviations = np.zeros(len(values))
    for kind in range(int(shown.task_type.max()) + 1):
        here = known & (shown.row_type == kind)
        size = float(np.abs(values[here]).max(initial=0.0))
        spread = float(off[here].std()) if here.any() else 0.0
        if spread > 1e-9 * size:
            deviations[here] = off[here] / spread
    return deviations
