"""What every scorer and generator must fulfil, ours and a user's, as functions that raise ``AssertionError``.

A plug-in's test is then a few lines::

    def test_my_scorer_keeps_the_contract():
        check_scorer(MyScorer(), items)  # a few items of its task types, with real pictures
        check_encodings(MyScorer(), items[0])
        check_extremes(MyScorer(), items[0])
        check_another_process(MyScorer(), items)
        check_monotone(MyScorer(), from_good_to_bad, "my_column")

    def test_my_generator_keeps_the_contract():
        check_generator(MyGenerator(), inputs)  # the inputs of one task that it can do

The checks of a scorer compare its scores with each other. Scores must be equal to the last bit, unless the class states
``tolerance``: the largest difference, as a share of a column's range, that another batch, thread or process may make.
"""

from __future__ import annotations

from selector.conformance._generators import check_generator
from selector.conformance._pictures import HUGE, check_encodings, check_extremes, encodings_of
from selector.conformance._process import Job, check_another_process, scores_in_another_process
from selector.conformance._results import Results
from selector.conformance._scorers import LEAST_CHANGE, check_monotone, check_same_scores, check_scorer

__all__ = [
    "HUGE",
    "LEAST_CHANGE",
    "Job",
    "Results",
    "check_another_process",
    "check_encodings",
    "check_extremes",
    "check_generator",
    "check_monotone",
    "check_same_scores",
    "check_scorer",
    "encodings_of",
    "scores_in_another_process",
]
