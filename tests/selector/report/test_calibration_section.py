"""The contact sheet's calibration section: there when there are plots, and nothing changes without them."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from selector.domain import TaskType
from selector.report import PlotCard, Sheet, TaskRow, write_contact_sheet

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'single' {{ 7 * 7 }}"


def page(folder: Path, *plots: PlotCard, tasks: int = 1) -> str:
    rows = [TaskRow(str(i), TaskType.T2I, "a cat") for i in range(tasks)]
    return write_contact_sheet(folder, Sheet("Trial", "tianchi", "us", rows, plots=plots)).read_text("utf-8")


def plot(path: Path) -> PlotCard:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (1800, 700)).save(path)
    return PlotCard(path, "Predicted totals", "a scatter", "12 of 14 inside.")


def test_no_plots_no_section(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert "Calibration" not in text and 'class="plots"' not in text


def test_plots_come_with_title_caption_words_and_size_before_the_tasks(tmp_path: Path) -> None:
    text = page(tmp_path / "report", plot(tmp_path / "report" / "plots" / "图 #1%.png"))
    (image,) = re.findall(r"<img [^>]*>", text)
    assert 'alt="a scatter"' in image and 'width="900" height="350"' in image
    (url,) = re.findall(r'src="(plots/[^"]*)"', image)
    assert (tmp_path / "report" / unquote(url)).is_file()
    assert text.index(">Calibration</h2>") < text.index("12 of 14 inside.") < text.index(image) < text.index("<article")


def test_the_section_is_on_the_first_page_only(tmp_path: Path) -> None:
    text = page(tmp_path, plot(tmp_path / "a.png"), tasks=51)
    assert "Calibration" in text and "Calibration" not in (tmp_path / "page-2.html").read_text("utf-8")


def test_hostile_words_are_shown_and_never_run(tmp_path: Path) -> None:
    file = plot(tmp_path / 'a"b<c>.png').file
    text = page(tmp_path / "report", PlotCard(file, HOSTILE, HOSTILE, HOSTILE))
    assert "<script>" not in text and unescape(text).count(HOSTILE) == 3


def test_a_missing_or_damaged_picture_is_said_and_costs_no_page(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    text = page(tmp_path, *(PlotCard(tmp_path / name, name, name, "x") for name in ("gone.png", "bad.png")))
    assert text.count("no picture: ") == 2 and "<img" not in text
