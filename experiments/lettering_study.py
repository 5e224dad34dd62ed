"""What ``textedit`` does to pages with several lines of lettering: 36 drawn ones and four of packages, two edits each.

    python -m experiments.lettering_study --sheets FOLDER --json out.json

Measured by re-reading the first candidate (the reader is the editor's own, so it is no independent judge): whether the
wanted text is there, and the old one not; whether the other lines read as before; whether the new line is level, or
parallel to a slanted anchor (within 2 degrees); stands where it was asked; stays inside what bears it. ``--sheets``
writes each page with both edits as one JPEG, to be judged by eye. CPU seconds are without the reading of the source,
which happens once a picture.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.support.lettered_pages import Case, Page, make_page, shipped_pages
from experiments.support.outcome import ended, finish, parser
from generators.textedit import TextEditor
from selector.domain import Declined, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.reading import Reading
from selector.sight.ocr import TextLine, read_text
from selector.sight.text_match import plain, similarity

_CHECKS = ("text", "neighbours", "level", "place", "inside")
_SAME, _LEVEL_DEGREES, _CENTRE_SHARE = 0.85, 2.0, 0.04
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Outcome:
    """One edit. Each check is None where it does not apply; ``said``: the notes, or why it was declined."""

    page: str
    kind: str
    seconds: float
    declined: bool
    said: str
    text: bool | None = None
    neighbours: bool | None = None
    level: bool | None = None
    place: bool | None = None
    inside: bool | None = None


def main(arguments: list[str] | None = None) -> int:
    options = parser("lettering_study", __doc__ or "")
    options.add_argument("--pages", type=int, default=36, help="drawn pages (default 36)")
    options.add_argument("--sheets", type=Path, metavar="FOLDER", help="write pictures to be judged by eye")
    options.add_argument("--recipes", type=int, default=0, help="only time this many candidates of each edit")
    chosen = options.parse_args(arguments)
    return ended(lambda: _time(chosen) if chosen.recipes else _study(chosen))


def _study(chosen: argparse.Namespace) -> int:
    """Every edit's first candidate, read again."""
    outcomes: list[Outcome] = []
    for page in [*(make_page(number) for number in range(chosen.pages)), *shipped_pages()]:
        shown = [Picture(page.png).rgb]
        for case in page.cases:
            outcome, image = _try(page, case, chosen.seed)
            outcomes.append(outcome)
            shown.append(image)
        if chosen.sheets:
            _write(chosen.sheets / f"{page.name}.jpg", shown)
    finish([asdict(one) for one in outcomes], _table(outcomes), chosen.json)
    return 0


def _time(chosen: argparse.Namespace) -> int:
    """CPU seconds of each candidate of each edit."""
    seconds: dict[str, list[float]] = {}
    for page in map(make_page, range(chosen.pages)):
        read_text(Picture(page.png))
        for case in page.cases:
            editor, inputs = TextEditor(), _inputs(page, case)
            for recipe in editor.recipes(inputs, chosen.recipes, chosen.seed):
                start = time.process_time()
                with suppress(Declined):
                    editor.generate(inputs, recipe)
                seconds.setdefault(recipe.variant, []).append(time.process_time() - start)
    every = [one for some in seconds.values() for one in some]
    lines = [
        f"{name:24} n {len(some):3}  median {np.median(some):.1f}  90% {np.quantile(some, 0.9):.1f}  {max(some):.1f}"
        for name, some in [("all", every), *sorted(seconds.items())]
    ]
    finish(seconds, lines, chosen.json)
    return 0


def _inputs(page: Page, case: Case) -> TaskInputs:
    task = Task("1", TaskType.VTTIE, case.prompt, "a.png", None, 0)
    return TaskInputs(task, Picture(page.png), reading=Reading(text_edit=case.edit))


def _try(page: Page, case: Case, seed: int) -> tuple[Outcome, Pixels]:
    picture, inputs = Picture(page.png), _inputs(page, case)
    before, editor, start = read_text(picture), TextEditor(), time.process_time()
    try:
        made = editor.generate(inputs, editor.recipes(inputs, 1, seed)[0])
    except Declined as error:
        return Outcome(page.name, case.kind, time.process_time() - start, True, str(error)), picture.rgb
    seconds = time.process_time() - start
    after = read_text(Picture(encode_final(made.image, "png")), 0.3)
    return Outcome(
        page.name, case.kind, seconds, False, str(dict(made.notes)), **_checks(page, case, before, after)
    ), made.image


def _checks(
    page: Page, case: Case, before: tuple[TextLine, ...], after: tuple[TextLine, ...]
) -> dict[str, bool | None]:
    edit, (high, wide) = case.edit, Picture(page.png).rgb.shape[:2]
    size_px = (wide, high)
    changed = plain(edit.old or "\0")
    kept = [line for line in before if changed not in plain(line.text) and plain(line.text) not in changed]
    neighbours = all(any(similarity(line.text, one.text) >= _SAME for one in after) for line in kept)
    gone = not any(changed in plain(line.text) for line in after)
    if edit.new is None:
        return {"text": gone, "neighbours": neighbours}
    wanted = plain(edit.new)
    new = [line for line in after if wanted in plain(line.text) or similarity(edit.new, line.text) >= _SAME]
    joined = plain("".join(line.text for line in after))  # a wrapped text is read as several lines
    checks: dict[str, bool | None] = {
        "text": gone and (bool(new) or plain(edit.new) in joined),
        "neighbours": neighbours,
    }
    if not new:
        return checks
    line = new[0]
    slant = case.anchor.angle if case.anchor else 0.0
    checks["level"] = bool(abs(_angle(line) + slant) <= _LEVEL_DEGREES)
    if case.panel is not None:
        checks["inside"] = _inside(line.box, case.panel, slant)
    if edit.place is not None:
        alike = [one for one in before if case.anchor and similarity(one.text, case.anchor.text) >= _SAME]
        checks["place"] = _placed(line, edit.place.side, edit.place.spot, alike[0] if alike else None, size_px)
    return checks


def _angle(line: TextLine) -> float:
    """Degrees clockwise."""
    along = line.box[1] + line.box[2] - line.box[0] - line.box[3]
    return float(np.degrees(np.arctan2(along[1], along[0])))


def _inside(box: NDArray[np.float64], panel: tuple[float, float, float, float], degrees: float) -> bool:
    """Whether the box, turned back about the panel's centre, lies in the panel but for 3 px."""
    centre = np.array([panel[0] + panel[2], panel[1] + panel[3]]) / 2
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    level = (box - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre
    low, high = level.min(axis=0), level.max(axis=0)
    return bool(low[0] > panel[0] - 3 and low[1] > panel[1] - 3 and high[0] < panel[2] + 3 and high[1] < panel[3] + 3)


def _placed(line: TextLine, side: Any, spot: Any, anchor: TextLine | None, size_px: tuple[int, int]) -> bool:
    """Whether the line stands next to its anchor on the asked side, or in the asked third of the picture."""
    centre = line.box.mean(axis=0)
    if side is not None:
        if anchor is None:
            return False
        off = centre - anchor.box.mean(axis=0)
        nearby = abs(off[1]) < 2.2 * max(anchor.height_px, line.height_px) + abs(off[0])
        onward = bool(off[1] > 0) == (side == "below")
        return onward and bool(nearby) and bool(abs(off[0]) < 0.35 * size_px[0])
    across, down = centre / np.array(size_px)
    if spot == "centre":
        return bool(abs(across - 0.5) < _CENTRE_SHARE and abs(down - 0.5) < _CENTRE_SHARE)
    low = {"left": across < 0.4, "right": across > 0.6, "top": down < 0.22, "bottom": down > 0.78}
    return all(bool(low[word]) for word in spot.split())


def _write(path: Path, shown: list[Pixels]) -> None:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = np.hstack([cv2.resize(one, (640, 640 * one.shape[0] // one.shape[1])) for one in shown])
    path.write_bytes(encode_final(sheet, "jpeg"))


def _table(outcomes: list[Outcome]) -> list[str]:
    lines = [f"{'kind':14} {'n':>3} {'declined':>8}  text  neighbours  level  place  inside   CPU s, median and 90%"]
    kinds = Counter(one.kind for one in outcomes)
    for kind in ["all", *sorted(kinds)]:
        rows = [one for one in outcomes if kind in ("all", one.kind)]
        seconds = [one.seconds for one in rows]
        shares = [_share([getattr(one, name) for one in rows]) for name in _CHECKS]
        figures = f"{np.median(seconds):.1f} {np.quantile(seconds, 0.9):.1f}"
        declined = sum(one.declined for one in rows)
        lines.append(
            f"{kind:14} {len(rows):3} {declined:8}  {'  '.join(f'{share:>7}' for share in shares)}   {figures}"
        )
    return lines


def _share(values: list[bool | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known)}/{len(known)}" if known else "-"


if __name__ == "__main__":
    raise SystemExit(main())
