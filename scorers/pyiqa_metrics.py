"""pyiqa: metrics of picture quality by name, from the package pyiqa (IQA-PyTorch)."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

from scorers._pyiqa_metric import column_of, known, metric_model
from selector.domain import (
    Column,
    InputError,
    Item,
    MissingPart,
    Score,
    Scorer,
    TaskType,
    raise_shortage,
    reason_of,
    stable_hash,
)

_one_at_a_time = threading.Lock()  # building patches what would download, and models keep buffers


class PyIQA(Scorer):
    """pyiqa: metrics of picture quality by name, from the package pyiqa (IQA-PyTorch).

    Estimates: what each metric does (``metrics``, by default musiq); ``pyiqa.list_models("NR")`` names them. Only those
        that look at one picture alone: no reference, no text, no set.
    Range and direction: as pyiqa states them, one column a metric under its name. "~0, ~100" is a rough range: half of
        its width is added at each "~", an open end lies 100 from the other, and what falls outside is cut.
    Axis: PQ. Tasks: all.
    Input: the candidate at its own size, one at a time, so that a score cannot depend on the batch.
    Model and licence: many, each its own; pyiqa itself is under PolyForm Noncommercial 1.0.0 and the S-Lab licence: not
        for commercial use.
    Source: GitHub chaofengc/IQA-PyTorch. Needs the extra ``pyiqa``, which pins many packages.
    Weights: nothing is ever fetched here. Only building a metric tells whether its weights are on this disk (4 to 9 s,
        most of it imports): that happens at the first score and in ``bestshot doctor``. No code that a pickle may hold
        is run.
    Cost: very different; a 1024 px picture takes 1.5 s by piqe and 5.6 s by entropy on two busy cores.
    Fails: most metrics were trained on photographs and blame drawings; they rank candidates of one task. Run here with
        pyiqa 0.1.16: piqe and entropy, which have no weights, and that the others say what they lack; no metric with
        weights has been run, because none can be reached. The CLIP-based ones (clipiqa, liqe, …) need setuptools below
        81 as well.

    Example:
        In ``campaign.toml``:

        [scorers.pyiqa]
        metrics = ["musiq", "piqe"]
    """

    name = "pyiqa"
    version: str
    settings_in_version = True  # whatever their order
    tolerance = 1e-4
    task_types = frozenset(TaskType)
    columns: tuple[Column, ...]

    def __init__(self, metrics: Sequence[str] = ("musiq",)) -> None:
        if isinstance(metrics, str) or not metrics or not all(isinstance(metric, str) for metric in metrics):
            raise ValueError(f"metrics must be a list of names, got {metrics!r}")
        self._metrics = tuple(sorted(set(metrics)))
        self.columns = tuple(column_of(metric) for metric in self._metrics)
        self.version = f"1-{_pyiqa_version()}-{stable_hash(list(self._metrics), 8)}"

    def check(self) -> None:
        """Raise ``MissingPart`` without pyiqa, ``InputError`` for a name that it has not; nothing is imported."""
        if importlib.util.find_spec("pyiqa") is None:
            raise MissingPart("pyiqa is not installed: pip install 'bestshot[pyiqa]'")
        for metric in self._metrics:
            known(metric)

    def try_out(self) -> None:
        """Build the metrics, for ``bestshot doctor``; raises ``MissingPart`` for weights that are not here."""
        with _one_at_a_time:
            for metric in self._metrics:
                metric_model(metric)

    def score(self, items: Sequence[Item]) -> Sequence[Mapping[str, Score]]:
        """Scores of each item, in order."""
        return [self._score(item) for item in items]

    def _score(self, item: Item) -> dict[str, Score]:
        try:
            pixels = _tensor(item.picture.rgb)
        except InputError as error:
            return {metric: Score.unscored(reason_of(error)) for metric in self._metrics}
        with _one_at_a_time:
            return {column.name: _measured(column, pixels) for column in self.columns}


def _measured(column: Column, pixels: Any) -> Score:
    model = metric_model(column.name)
    import torch

    try:
        with torch.inference_mode():
            value = float(model(pixels))
    except Exception as error:  # many metrics fail on pictures under their window or crop
        raise_shortage(error)
        return Score.unscored(f"the metric cannot measure this picture ({type(error).__name__})")
    if value != value:
        return Score.unscored("the metric gave no number")
    return Score.of(min(column.high, max(column.low, value)))


def _tensor(rgb: Any) -> Any:
    """(1, 3, H, W) float32 on 0 to 1 of a picture (H, W, 3) uint8."""
    import numpy as np
    import torch

    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32) / 255)


def _pyiqa_version() -> str:
    try:
        return version_of("pyiqa")
    except PackageNotFoundError:
        return "absent"
