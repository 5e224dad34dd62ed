"""The common page of all plots: 900 px wide (drawn at twice that), title, key, axes, caption, each in its own band.

The bands have heights in inches, so text never lies on data. Matplotlib is imported when something is drawn; its
object-oriented interface is used, so there is no global figure and threads do not meet. Fonts are given to texts as
files, so that neither a global font list nor a user's settings matter.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from selector.domain import MissingPart
from selector.domain.files import write_atomically
from selector.report.model import PlotCard
from selector.report.plots.model import Drawing
from selector.sight.fonts import Font, all_fonts, covers, fonts_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_IN, DPI = 9.0, 200  # shown at half its pixels
# Okabe and Ito's colours, told apart by colour-blind people (Nature Methods 8, 441, 2011)
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
INK, SOFT, LINE, FAINT = "#1c2024", "#5b6268", "#dedcd5", "#c9ced3"
TITLE_PT, TEXT_PT = 13.0, 10.0
_TITLE_IN, _ROW_IN, _LINE_IN, _PAD_IN = 0.26, 0.25, 0.195, 0.14
_MARGIN = 0.015  # of the width
_TITLE_COLUMNS, _TEXT_COLUMNS = 78, 114
_KEY_COLUMNS = 8  # of a key's symbol and the gaps around it
_CJK = "\u2e80-\uffef"
_WORDS = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+\s*|\s+")
_PARTS = re.compile(r"[^._/:-]{1,12}[._/:-]{0,4}|[._/:-]{1,4}")  # of a name without spaces


def new_figure() -> Figure:
    """An empty figure; ``finish`` gives it its height."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, 4.0), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes, x: str = "", y: str = "", grid: Literal["both", "x", "y"] = "both") -> None:
    """The look of every panel: two quiet spines, a faint grid, axis labels with their units."""
    axes.set_facecolor("white")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(labelsize=TEXT_PT, colors=SOFT, labelcolor=INK, length=3)
    axes.grid(True, axis=grid, color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(x, fontsize=TEXT_PT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT_PT, color=INK)


def name_rows(axes: Axes, places: Sequence[float], names: Sequence[str], height: float) -> None:
    """Named rows from the top down, ``places`` and ``height`` in the same unit."""
    axes.set_yticks(places, [drawable(name)[0] for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(height, 0)


def say(axes: Axes, words: str) -> None:
    """Words in place of data."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=12, color=SOFT)


def finish(figure: Figure, body_in: float, title: str, caption: str, alt: str, key: Sequence[Any] = ()) -> Drawing:
    """Put title, key (legend handles) and caption around the axes, which get ``body_in`` inches, and draw."""
    compose(figure, body_in, title, caption, key)
    return Drawing(png(figure), " ".join(title.split()), alt, caption)


def compose(figure: Figure, body_in: float, title: str, caption: str, key: Sequence[Any]) -> None:
    """Set sizes, bands and fonts; see ``finish``."""
    heading, note = wrap(title, _TITLE_COLUMNS, 4), wrap(caption, _TEXT_COLUMNS)
    labels = [wrap(str(handle.get_label()), 92, 2) for handle in key]
    across = _keys_across(labels)
    key_in = -(-len(labels) // across) * _ROW_IN * max((1 + label.count("\n") for label in labels), default=0)
    heading_in = _TITLE_IN * (1 + heading.count("\n"))
    top = _PAD_IN + heading_in + key_in
    bottom = _PAD_IN + _LINE_IN * (1 + note.count("\n"))
    height = top + body_in + bottom
    figure.set_size_inches(WIDTH_IN, height)
    figure.set_layout_engine(
        "constrained", rect=(_MARGIN, bottom / height, 1 - 2 * _MARGIN, body_in / height), h_pad=0.08, w_pad=0.06
    )
    figure.text(_MARGIN, 1 - _PAD_IN / height, heading, va="top", fontsize=TITLE_PT, weight="bold", color=INK)
    figure.text(_MARGIN, 0.6 * _PAD_IN / height, note, va="bottom", fontsize=TEXT_PT, color=SOFT, linespacing=1.25)
    if labels:
        place = (_MARGIN, 1 - (_PAD_IN + heading_in) / height)
        look = {"frameon": False, "borderaxespad": 0, "borderpad": 0, "labelspacing": 0.5, "columnspacing": 1.6}
        figure.legend(
            handles=list(key), labels=labels, loc="upper left", bbox_to_anchor=place, ncols=across,
            fontsize=TEXT_PT, labelcolor=INK, **look,
        )  # fmt: skip
    _set_fonts(figure)


def _keys_across(labels: Sequence[str]) -> int:
    """How many columns of the key fit beside each other; matplotlib fills the first column first."""
    widths = [max(map(columns, label.split("\n"))) for label in labels]
    for across in range(len(labels), 1, -1):
        down = -(-len(labels) // across)
        heads = [max(widths[n : n + down]) + _KEY_COLUMNS for n in range(0, len(widths), down)]
        if sum(heads) <= _TEXT_COLUMNS:
            return len(heads)
    return 1


def _set_fonts(figure: Figure) -> None:
    """Give each text its font file, and take ``$`` for a dollar: names come from outside."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

    for item in figure.findobj(Text):
        item.set_parse_math(False)
        text, file = drawable(item.get_text(), item.get_fontweight() == "bold")
        item.set_text(text)
        item.set_fontproperties(FontProperties(fname=file, size=item.get_fontsize()))


def png(figure: Figure) -> bytes:
    """PNG bytes that depend on the figure alone: no date, no program version."""
    stream = io.BytesIO()
    figure.canvas.print_png(stream, metadata={"Software": None})  # type: ignore[attr-defined]
    return stream.getvalue()


def columns(text: str) -> float:
    """Width in average letters of a proportional font."""
    return sum(_char_columns(char) for char in text)


def _char_columns(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.75
    if char in "mwMW@%—…":
        return 1.6
    return 1.2 if char.isupper() else 1.0


def wrap(text: str, width: float, most_lines: int = 60) -> str:
    """``text`` in lines of at most ``width`` columns, broken at spaces, in long names after ``. _ - / :``.

    What does not fit into ``most_lines`` is replaced by an ellipsis.
    """
    lines = [""]
    for piece in _pieces(" ".join(text.split()), width):
        if lines[-1] and columns(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 1], lines[most_lines - 1].rstrip()[:-1] + "…"]
    return "\n".join(line.rstrip() for line in lines)


def _pieces(text: str, width: float) -> Iterator[str]:
    for word in _WORDS.findall(text):
        if columns(word.rstrip()) <= width:
            yield word
        else:
            yield from _PARTS.findall(word)


def drawable(text: str, bold: bool = False) -> tuple[str, str]:
    """``text`` as it can be drawn, and the font file for it; characters that no font here has become "?"."""
    clean = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    latin = _latin(bold)
    if covers(latin, clean):
        return clean, latin.path
    try:
        return clean, fonts_for(clean)[0].path
    except MissingPart:
        best = max(all_fonts(), key=lambda font: sum(covers(font, char) for char in clean))
        return "".join(char if covers(best, char) else "?" for char in clean), best.path


@lru_cache(maxsize=2)
def _latin(bold: bool) -> Font:
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return Font(name, str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name))


def write_plot(path: Path, drawing: Drawing) -> PlotCard:
    """Write the picture to ``path`` (made with its folder) and return its card for the contact sheet.

    Raises:
        InputError: the folder cannot be written. OutOfResources: the disk is full.
    """
    write_atomically(path, drawing.png, durable=False)  # can be drawn again
    return PlotCard(path, drawing.title, drawing.alt, drawing.caption)
