"""SC and PQ from overall: a total tells only their product, so they are overall times and by a *balance*.

With balance b = ln(SC / PQ) / 2: SC = overall x e^b, PQ = overall x e^-b, and overall = sqrt(SC x PQ) holds exactly.
Totals move overall; only scores and judgements of SC and PQ move the balance.
"""

from __future__ import annotations

import numpy as np

from selector.learn.pool import Floats

_LEAST = 0.5  # SC and PQ count as at least this in a balance: the ratio to a zero says nothing
PRIOR_SD = 0.35  # of a balance that follows from scores: SC 6 and PQ 6 may as well be 8.5 and 4.2
JUDGED_SD = 0.25  # of a balance that a judge saw


def balance_of(sc: Floats, pq: Floats) -> Floats:
    """Balance of SC and PQ (0 to 10), NaN where either is."""
    balance: Floats = 0.5 * np.log(np.maximum(sc, _LEAST) / np.maximum(pq, _LEAST))
    return balance


def combine(prior: Floats, judged: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the balance from scores and, where it is not NaN, from a judge."""
    seen = ~np.isnan(judged)
    precise = PRIOR_SD**-2 + seen * JUDGED_SD**-2
    mean = (prior * PRIOR_SD**-2 + np.where(seen, judged, 0.0) * JUDGED_SD**-2) / precise
    return mean, precise**-0.5


def split(overall: Floats, overall_sd: Floats, balance: Floats, balance_sd: Floats) -> tuple[Floats, ...]:
    """(SC, its sd, PQ, its sd) on 0 to 10; the balance gives way where SC or PQ would pass 10."""
    most = np.log(10.0 / np.maximum(overall, 1e-9))
    b = np.clip(balance, -most, most)
    relative = np.sqrt(overall_sd**2 + (overall * balance_sd) ** 2)
    sc, pq = (np.minimum(overall * np.exp(x), 10.0) for x in (b, -b))  # rounding may pass 10 by a hair
    return sc, relative * np.exp(b), pq, relative * np.exp(-b)
