"""Which totals the calibration's plots show where a leaderboard tells totals by task type."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from selector.decide.calibration import Calibration, ToldLine
from selector.report import calibration as plots
from selector.report.calibration import _course, _scopes


def line(submission: str, scope: str | None, total: float, outlier: bool = False) -> ToldLine:
    return ToldLine(submission, scope, total, 5.0, 4.0, 6.0, outlier)


def shown(*lines: tuple[ToldLine, int]) -> tuple[Any, Any]:
    """A calibration of ten tasks with these lines, each over so many of them."""
    known = SimpleNamespace(tasks=10, totals=[SimpleNamespace(tasks=n) for _, n in lines])
    return SimpleNamespace(told=tuple(told for told, _ in lines)), known


def test_totals_of_every_type_make_one_point_of_the_course_weighted_by_tasks() -> None:
    calibration, known = shown((line("a", "tie", 4.0), 3), (line("a", "t2i", 6.0, True), 7), (line("b", None, 5.0), 10))
    course = _course(calibration, known)
    assert [p.actual for p in course] == pytest.approx([5.4, 5.0])
    assert [p.outlier for p in course] == [True, False]


def test_totals_of_some_types_are_no_total_of_all_tasks() -> None:
    assert _course(*shown((line("a", "tie", 4.0), 3))) == ()


def test_the_caption_says_which_points_are_totals_of_one_type() -> None:
    told = [line("a", "tie", 4.0), line("a", "t2i", 6.0), line("b", None, 5.0), line("b", "tie", 5.0)]
    assert _scopes(told) == " 3 of the 4 points are totals of one task type: 1 of t2i, 2 of tie."
    assert _scopes(told[2:3]) == ""


def test_the_plot_counts_the_totals_that_calibrate_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a submission has a total of all tasks and one of a type: both were learned from."""
    outside = ToldLine("b", "tie", 9.0, 5.0, 4.0, 6.0, False)
    _, known = shown((line("a", None, 5.0), 10), (line("b", None, 5.0), 10), (outside, 3))
    told = (line("a", None, 5.0), line("b", None, 5.0), outside)
    monkeypatch.setattr(plots, "_expected", lambda _: None)
    calibration = Calibration("two totals", 20, 10, (), told, {}, 0, None)
    card = plots.write_plots(tmp_path, calibration, known)[0]
    assert (
        card.caption.startswith(f"{calibration.inside} of {len(calibration.told)} totals inside")
        and calibration.inside == 2
    )
