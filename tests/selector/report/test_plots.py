"""Calibration plots: text fits and lies on no data, the same bytes everywhere, few and many values, hostile labels."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.support.gap_plots import Bin, GapCurve, recovered_gap_over_submissions, reliability_of_bins
from selector.domain import InputError
from selector.report.plots import canvas
from selector.report.plots._contributions import _rows, contributions
from selector.report.plots._totals import predicted_and_actual_totals, totals_over_submissions
from selector.report.plots._weights import weights
from selector.report.plots.canvas import columns, drawable, wrap, write_plot
from selector.report.plots.model import Contribution, Drawing, Explanation, Prediction, Rival, ToldTotal, Weight

LONG = (
    "generator:stable-diffusion-xl-base-1.0/refiner/prompt-variant-with-a-very-long-name",
    "文字渲染.字符错误率（越低越好）：对照任务里要求的目标文字，逐字比较",
    "$x^2 and a lone $ \\frac{ {name} 🎨",
    "W" * 60,
)


def told(n: int, *outliers: int) -> tuple[ToldTotal, ...]:
    return tuple(
        ToldTotal(6 + 0.01 * i - 1.5 * (i in outliers), Prediction(6.0, 5.9, 6.1 + 0.01 * i), i in outliers)
        for i in range(n)
    )


def many_weights(kind: str, n: int) -> list[Weight]:
    return [Weight(kind, f"{LONG[i % 4]} {i}", (-1) ** i * 0.02 * i, 0.1, 0.1, 0.4) for i in range(n)]


def curve(label: str, *submissions: int) -> GapCurve:
    middle = tuple(0.7 - 0.5 / n for n in submissions)
    return GapCurve(label, submissions, middle, tuple(v - 0.1 for v in middle), tuple(v + 0.1 for v in middle))


def bins(n: int) -> list[Bin]:
    return [Bin(number, n, n * (number + 0.3) / 10, (number + 0.5) / 10) for number in range(10)]


def explanation(n: int, runner_up: bool = True, task: str = "42") -> Explanation:
    parts = tuple(Contribution(f"{LONG[i % 4]} {i}", 0.1 * (-1) ** i, 0.01 * i) for i in range(n))
    return Explanation(task, Rival(LONG[0], 6.9, 0.4, 0.5), parts, Rival(LONG[1], 6.6, 0.4, 0.3) if runner_up else None)


CASES: dict[str, Callable[[], Drawing]] = {
    "no total": lambda: predicted_and_actual_totals(()),
    "one total": lambda: predicted_and_actual_totals(told(1)),
    "56 totals": lambda: predicted_and_actual_totals(told(56, 6, 30)),
    "totals without predictions": lambda: predicted_and_actual_totals((ToldTotal(6.0),) * 2),
    "equal totals": lambda: predicted_and_actual_totals((ToldTotal(6.0, Prediction(6, 6, 6)),) * 3),
    "course of none": lambda: totals_over_submissions(()),
    "course of the present picks only": lambda: totals_over_submissions((), Prediction(6, 5, 7)),
    "course of one": lambda: totals_over_submissions(told(1)),
    "course of 56": lambda: totals_over_submissions(told(56, 6), Prediction(6.7, 6.6, 6.8)),
    "no weights": lambda: weights(()),
    "one weight": lambda: weights([Weight("Text to image", "clip", 0, 0, 0, 0)]),
    "many weights": lambda: weights(many_weights("Text to image", 30) + many_weights("文字编辑 " + LONG[0], 3)),
    "extreme weights": lambda: weights([Weight("t", "huge", 1e6, 1, 0, 1e9), Weight("t", "tiny", 1e-9, 1e-12, 0, 1)]),
    "no curves": lambda: recovered_gap_over_submissions([], 50),
    "one place": lambda: recovered_gap_over_submissions([curve("bestshot", 4)], 1),
    "many curves": lambda: recovered_gap_over_submissions([curve(f"{i} {LONG[i % 4]}", 1, 4, 28) for i in range(9)], 9),
    "no bins": lambda: reliability_of_bins(()),
    "one bin": lambda: reliability_of_bins([Bin(9, 1, 1, 1.0)]),
    "many bins": lambda: reliability_of_bins(bins(5000), "Each came in 50 contests."),
    "no contributions": lambda: contributions(explanation(0, runner_up=False)),
    "one contribution": lambda: contributions(explanation(1, runner_up=False)),
    "many contributions": lambda: contributions(explanation(40, task=" ".join(LONG))),
}


@pytest.mark.parametrize("draw", CASES.values(), ids=CASES.keys())
def test_text_is_inside_the_picture_and_on_no_data(
    draw: Callable[[], Drawing], monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = []
    original = canvas.png
    monkeypatch.setattr(canvas, "png", lambda figure: figures.append(figure) or original(figure))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph or a layout that does not fit is a warning of matplotlib
        draw()
    (figure,) = figures
    renderer = figure.canvas.get_renderer()
    bands = [item.get_window_extent(renderer) for item in (*figure.texts, *figure.legends)]
    panels = [axes.get_tightbbox(renderer) for axes in figure.axes]
    for box in bands + panels:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    boxes = bands + panels
    for n, box in enumerate(boxes):
        assert not any(_overlap(box, other) for other in boxes[n + 1 :])


def _overlap(a: object, b: object) -> bool:
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)  # type: ignore[attr-defined]
    high = min(a.y1, b.y1) - max(a.y0, b.y0)  # type: ignore[attr-defined]
    return wide > 1 and high > 1  # px


@cache
def drawn(case: str) -> Drawing:
    return CASES[case]()


@pytest.mark.parametrize("case", CASES)
def test_every_drawing_is_a_png_twice_900_px_wide_with_words(case: str) -> None:
    drawing = drawn(case)
    image = Image.open(io.BytesIO(drawing.png))
    assert image.format == "PNG" and image.width == 1800 and image.height >= 200
    assert set(image.info) <= {"dpi"}, "metadata would differ from day to day"
    assert drawing.title and drawing.alt and drawing.caption.endswith(".")


def digests() -> str:
    return " ".join(hashlib.sha256(drawn(case).png).hexdigest() for case in CASES)


def test_another_process_draws_the_same_bytes() -> None:
    code = "import test_plots; print(test_plots.digests())"
    here = Path(__file__).parent
    places = os.pathsep.join([str(here), str(here.parents[2])])  # the tests', and the checkout's with its experiments
    env = {**os.environ, "PYTHONPATH": places}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == digests()


def test_importing_the_plots_does_not_import_matplotlib() -> None:
    code = "import sys, selector.report.plots; assert not {'matplotlib', 'numpy', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_caption_counts_totals_inside_their_interval() -> None:
    inside, outside = ToldTotal(6.0, Prediction(6, 5.9, 6.1)), ToldTotal(6.2, Prediction(6, 5.9, 6.1))
    drawing = predicted_and_actual_totals((inside, outside, inside, ToldTotal(4.5, Prediction(6, 5.9, 6.1), True)))
    assert drawing.caption == "2 of 4 totals inside their 80% interval; 1 of 4 taken as an outlier."
    assert "no total yet" in predicted_and_actual_totals(()).alt


def test_an_outlier_looks_different() -> None:
    marked, plain = (predicted_and_actual_totals((ToldTotal(6, None, flag),)).png for flag in (True, False))
    assert _has_color(marked, canvas.VERMILLION) and not _has_color(plain, canvas.VERMILLION)


def _has_color(png: bytes, color: str) -> bool:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return bool((pixels == [int(color[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2).any())


def test_weights_say_how_many_leave_out_zero_and_how_many_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Weight("t", f"w{i:02}", 0.1 * i, 0.5, 0, 1) for i in range(30)]
    texts: list[str] = []
    monkeypatch.setattr("selector.report.plots.canvas.drawable", lambda t, b=False: texts.append(t) or drawable(t, b))
    assert weights(rows).caption == "23 of 30 weights have an 80% interval that leaves out zero."
    assert "and 16 more near zero\n(|mean| at most 3 sd)" in texts
    assert {f"w{i}" for i in range(16, 30)} <= set(texts) and "w15" not in texts


def test_contributions_add_up_to_the_estimates() -> None:
    one = explanation(40)
    rows = _rows(one)
    assert len(rows) == 16 and rows[14].name == "and 26 more, together"
    assert one.runner_up is not None
    assert sum(row.pick for row in rows) == pytest.approx(one.pick.mean - one.start)
    assert sum(row.runner_up for row in rows) == pytest.approx(one.runner_up.mean - one.start)


def test_what_sets_the_two_apart_comes_first() -> None:
    parts = (Contribution("shared", 2.0, 2.0), Contribution("small", 0.1, 0.0), Contribution("decides", 0.3, -0.3))
    one = Explanation("1", Rival("a", 2.4, 0.1, 0.9), parts, Rival("b", 1.7, 0.1, 0.1))
    assert [row.name for row in _rows(one)] == ["decides", "small", "shared"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match=r"ToldTotal\.actual: expected finite"):
        ToldTotal(bad)
    with pytest.raises(InputError, match=r"GapCurve\.low"):
        GapCurve("a", (1,), (0.5,), (bad,), (0.6,))
    with pytest.raises(InputError, match="one median, low and high"):
        GapCurve("a", (1, 2), (0.5,), (0.4,), (0.6,))


@pytest.mark.parametrize("text", [*LONG, "a b " * 40, "", "．" * 50])
def test_wrapped_lines_keep_their_width_and_every_character(text: str) -> None:
    wrapped = wrap(text, 30)
    assert all(columns(line) <= 30 for line in wrapped.split("\n"))
    assert "".join(wrapped.split()) == "".join(text.split())
    assert wrap("word " * 100, 30, 2).count("\n") == 1 and wrap("word " * 100, 30, 2).endswith("…")


def test_each_text_gets_a_font_that_has_it() -> None:
    assert Path(drawable("identity ±√")[1]).name == "DejaVuSans.ttf"
    text, file = drawable("文字 text")
    assert text == "文字 text" and "NotoSansSC" in Path(file).name
    assert drawable("a\udc80b\x07c")[0] == "a b c"


def test_a_plot_is_written_whole_and_gets_a_card(tmp_path: Path) -> None:
    drawing = predicted_and_actual_totals(())
    card = write_plot(tmp_path / "plots" / "totals.png", drawing)
    assert card.file.read_bytes() == drawing.png and (card.title, card.alt) == (drawing.title, drawing.alt)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_plot(tmp_path / "file" / "totals.png", drawing)
