"""pyiqa: metrics of picture quality by name, from the package pyiqa (IQA-PyTorch)."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import runpy
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from selector.domain import (
    Axis,
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
from selector.domain.words import near_or_all
from selector.weights import why_unreadable

_TABLE = "default_model_configs.py"
_OF_SETS = ("fid", "sfid", "fid_dinov2", "inception_score")
_OF_TEXT = ("clipscore",)
_INSTEAD = {"pkg_resources": "setuptools<81"}  # the last that has it, which OpenAI's package clip imports
_SAFE_PICKLES = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_OPEN_SPAN = 100.0  # width of a range that pyiqa leaves open
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


def metric_table() -> Mapping[str, Mapping[str, Any]]:
    """pyiqa's table of metrics: mode (NR needs no reference), direction, range. Empty where it is not installed.

    Only the file of the table is run: importing pyiqa takes seconds, and a constructor must be quick.
    """
    spec = importlib.util.find_spec("pyiqa")
    paths = [Path(folder) / _TABLE for folder in (spec.submodule_search_locations if spec else None) or ()]
    return next((_read(path) for path in paths if path.is_file()), {})


@lru_cache(maxsize=1)
def _read(path: Path) -> Mapping[str, Mapping[str, Any]]:
    return dict(runpy.run_path(str(path))["DEFAULT_CONFIGS"])


def column_of(metric: str) -> Column:
    """The column of a metric, under its own name; a stand-in where pyiqa does not know it, which ``known`` refuses."""
    facts = metric_table().get(metric, {})
    low, high = closed_range(str(facts.get("score_range") or ""))
    return Column(metric, low, high, not facts.get("lower_better"), Axis.PQ, f"pyiqa's metric {metric}")


def closed_range(text: str) -> tuple[float, float]:
    """Bounds of a range as pyiqa writes it: "0, 1" as it is; "~0, ~100" is rough, half its width is added at each "~".

    >>> closed_range("0, 1"), closed_range("~0, ~100"), closed_range("~-1, 3"), closed_range("0, ~"), closed_range("")
    ((0.0, 1.0), (-50.0, 150.0), (-3.0, 3.0), (0.0, 100.0), (0.0, 100.0))
    """
    first, _, second = text.partition(",")
    low = _number(first) or 0.0
    high = _number(second)
    if high is None or high <= low:
        return low, low + _OPEN_SPAN
    half = (high - low) / 2
    return low - half * ("~" in first), high + half * ("~" in second)


def _number(text: str) -> float | None:
    found = re.search(r"-?\d+(\.\d+)?", text)
    return float(found.group()) if found else None


def known(metric: str) -> None:
    """Raise ``InputError`` for a metric that pyiqa does not have, or that is none of a single picture alone."""
    facts = metric_table().get(metric)
    alone = [n for n, f in metric_table().items() if f.get("metric_mode") == "NR" and n not in (*_OF_SETS, *_OF_TEXT)]
    if facts is None:
        raise InputError(f"pyiqa has no metric '{metric}'{near_or_all(metric, alone)}")
    if metric in _OF_SETS:
        raise InputError(f"pyiqa's '{metric}' measures a set of pictures and not one of them: take another metric")
    if metric in _OF_TEXT:
        raise InputError(f"pyiqa's '{metric}' needs a text: take the scorer clip_similarity")
    if metric not in alone:
        raise InputError(f"pyiqa's '{metric}' compares with a reference picture: take a metric that needs none")


def metric_model(metric: str) -> Any:
    """The metric, ready to be called with a picture (1, 3, H, W) float32 on 0 to 1; built once a process.

    Raises:
        MissingPart: weights or a package of it are not here. A failure is remembered, so that it costs its time once.
    """
    built = _built(metric)
    if isinstance(built, str):
        raise MissingPart(built)
    return built


@lru_cache(maxsize=32)
def _built(metric: str) -> Any:
    try:
        with _from_this_disk_only():
            from pyiqa.models.inference_model import InferenceModel

            return InferenceModel(metric)
    except ModuleNotFoundError as error:
        package = _INSTEAD.get(error.name or "", error.name)
        return f"pyiqa cannot make '{metric}' without {error.name}: pip install '{package}'"
    except Exception as error:  # whatever pyiqa, timm, clip or transformers raise when they cannot fetch
        what = why_unreadable(error, Path(metric))
        return (
            f"pyiqa cannot make '{metric}' from what is on this disk ({what}): fetch its weights once with "
            f'python -c "import pyiqa; pyiqa.create_metric({metric!r})"'
        )


@contextlib.contextmanager
def _from_this_disk_only() -> Iterator[None]:
    """No download (a hub that cannot be reached is tried for 47 s), no code from pickles, nothing on stdout."""
    import urllib.request

    import torch.hub
    from huggingface_hub import constants

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(_replaced(constants, "HF_HUB_OFFLINE", True))
        for module in (urllib.request, torch.hub):
            stack.enter_context(_replaced(module, "urlopen", _refuse))
        before = os.environ.get(_SAFE_PICKLES)
        os.environ[_SAFE_PICKLES] = "1"  # PyTorch's own switch, which also overrules weights_only=False
        try:
            yield
        finally:
            os.environ.pop(_SAFE_PICKLES)
            if before is not None:
                os.environ[_SAFE_PICKLES] = before


@contextlib.contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _refuse(request: Any, *_: Any, **__: Any) -> Any:
    raise FileNotFoundError(f"not here: {getattr(request, 'full_url', request)}")
