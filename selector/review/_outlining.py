"""Finds what an edit was asked to change, and what candidates did change: ``python -m selector.review._outlining``.

It reads ids of tasks, a line each, and answers each with a line of JSON. A process of its own, because it needs the
models that read text and find faces; it lives for as long as somebody asks.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from selector.create import open_workspace
from selector.domain import BestshotError, Picture
from selector.sight.edit_region import edit_region
from selector.sight.registration import changed
from selector.store.attempts import load_tasks
from selector.store.candidates import load_candidates
from selector.workspace.workspace import Workspace

_MOST_BOXES = 8
_NEAR = 0.02  # of the picture's longer side: what lies this near belongs together
_LEAST, _ALL = 0.0005, 0.6  # shares of the picture: less is noise, more is the whole picture
_LOOKED_AT_PX = 256  # longer side of the mask in which boxes are found

Box = dict[str, float]


def main() -> None:
    """Argument: the campaign's folder."""
    with suppress(OSError):
        os.nice(5)
    ws = open_workspace(Path(sys.argv[1]), lambda: datetime.now(timezone.utc))
    with ws.db.read() as connection:
        tasks = {task.id: task for task in load_tasks(connection)}
    for line in sys.stdin:
        task = tasks.get(json.loads(line))
        found = outlines_of(ws, task) if task is not None else {}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def outlines_of(ws: Workspace, task: Any) -> dict[str, Any]:
    """``asked``: boxes of what the task is to change, None where that is not known; ``changed``: by candidate."""
    try:
        inputs = ws.task_inputs(task)
        if inputs.source is None:
            return {"asked": None, "changed": {}}
        mask = edit_region(inputs)
    except BestshotError:
        return {"asked": None, "changed": {}}
    with ws.db.read() as connection:
        candidates = load_candidates(connection, task.id)
    return {
        "asked": None if mask is None else boxes(mask),
        "changed": {c.id: _changed(ws, inputs.source, c.id) for c in candidates},
    }


def _changed(ws: Workspace, source: Picture, candidate_id: str) -> list[Box] | None:
    try:
        return boxes(changed(source, ws.images.picture(candidate_id)))
    except BestshotError:
        return None


def boxes(mask: Any) -> list[Box]:
    """Boxes of a mask (H, W), the largest first, in shares of the picture; what lies near is one box.

    Example:
        >>> mask = np.zeros((100, 200), bool)
        >>> mask[50:75, 20:60] = True
        >>> boxes(mask)
        [{'left': 0.1, 'top': 0.5, 'right': 0.3, 'bottom': 0.75}]
    """
    import cv2

    height, width = mask.shape
    step = max(1, max(height, width) // _LOOKED_AT_PX)
    small = np.ascontiguousarray(mask[::step, ::step]).astype(np.uint8)
    if small.mean() >= _ALL:
        return [{"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}]
    side = 2 * max(1, round(_NEAR * max(small.shape))) + 1
    joined = cv2.dilate(small, np.ones((side, side), np.uint8))
    count, labels = cv2.connectedComponents(joined)
    found = []
    for number in range(1, count):
        rows, columns = np.nonzero((labels == number) & (small > 0))
        if len(rows) >= _LEAST * small.size:
            ends = (columns.min() * step / width, rows.min() * step / height)
            others = ((columns.max() + 1) * step / width, (rows.max() + 1) * step / height)
            found.append((len(rows), (*ends, *others)))
    largest = sorted(found, key=lambda one: (-one[0], one[1]))[:_MOST_BOXES]
    names: Mapping[int, str] = dict(enumerate(("left", "top", "right", "bottom")))
    return [{names[i]: round(min(float(v), 1.0), 4) for i, v in enumerate(box)} for _, box in largest]


if __name__ == "__main__":
    main()
