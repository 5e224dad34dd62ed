"""pyiqa's metrics by name; what needs the package itself is skipped where it is absent, as on most machines."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import time
import urllib.request

import numpy as np
import pytest
from skimage import data

from scorers import pyiqa_metrics
from scorers.pyiqa_metrics import PyIQA, closed_range, metric_model, metric_table
from selector.conformance import check_extremes, check_scorer
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType, encode_final
from selector.registry import create_scorer

ABSENT = importlib.util.find_spec("pyiqa") is None
needs_pyiqa = pytest.mark.skipif(ABSENT, reason="the package pyiqa is not installed: pip install 'bestshot[pyiqa]'")
INPUTS = TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))
TABLE = {  # as pyiqa's, so that names, ranges and directions are tested without it
    "musiq": {"metric_mode": "NR", "score_range": "~0, ~100"},
    "niqe": {"metric_mode": "NR", "lower_better": True, "score_range": "~0, ~100"},
    "pi": {"metric_mode": "NR", "lower_better": True, "score_range": "~0, ~"},
    "clipiqa": {"metric_mode": "NR", "score_range": "0, 1"},
    "lpips": {"metric_mode": "FR", "lower_better": True, "score_range": "0, 1"},
    "fid": {"metric_mode": "NR", "lower_better": True, "score_range": "0, ~"},
    "clipscore": {"metric_mode": "NR", "score_range": "0, 2.5"},
}


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(pyiqa_metrics, "metric_table", lambda: TABLE)


@pytest.fixture
def found(monkeypatch, table):  # noqa: ARG001
    """As if the package were here."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: real("json" if name == "pyiqa" else name, *rest)
    )


def item(rgb):
    return Item(INPUTS, Picture(encode_final(np.ascontiguousarray(rgb), "png")))


def test_absent_package_is_named_with_its_extra(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "pyiqa" else real(name, *rest))
    with pytest.raises(MissingPart, match=r"pip install 'bestshot\[pyiqa\]'"):
        create_scorer("pyiqa", {"metrics": ["musiq"]}).check()


@pytest.mark.usefixtures("table")
def test_columns_have_the_range_and_direction_of_their_metrics():
    columns = {column.name: column for column in PyIQA(["pi", "musiq", "clipiqa"]).columns}
    assert list(columns) == ["clipiqa", "musiq", "pi"]
    assert [columns["musiq"].low, columns["musiq"].high] == [-50, 150]
    assert [columns["clipiqa"].low, columns["clipiqa"].high] == [0, 1]
    assert columns["musiq"].higher_is_better
    assert not columns["pi"].higher_is_better


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("0, 1", (0, 1)),
        ("~0, ~100", (-50, 150)),
        ("~-1, ~0.1", (-1.55, 0.65)),
        ("1, 10", (1, 10)),
        ("-2, 2", (-2, 2)),
        ("0, 2.5", (0, 2.5)),
        ("0, ~", (0, 100)),
        ("~0, ~", (0, 100)),
        ("", (0, 100)),
        ("5, 5", (5, 105)),
    ],
)
def test_ranges_are_closed(text, bounds):
    assert closed_range(text) == pytest.approx(bounds)


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("musik", r"pyiqa has no metric 'musik' \(did you mean 'musiq'\?\)"),
        ("lpips", "'lpips' compares with a reference picture"),
        ("fid", "'fid' measures a set of pictures"),
        ("clipscore", "'clipscore' needs a text"),
    ],
)
def test_metric_that_cannot_be_taken_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        PyIQA([name]).check()


@pytest.mark.usefixtures("found")
def test_values_outside_of_the_range_are_cut_and_failures_unscored(monkeypatch):
    def broken(pixels):
        raise AssertionError(f"{tuple(pixels.shape)} is too small")

    models = {"clipiqa": lambda pixels: pixels.max() + 3, "musiq": lambda pixels: pixels.mean() / 0, "niqe": broken}
    monkeypatch.setattr("scorers.pyiqa_metrics.metric_model", models.__getitem__)
    (scores,) = PyIQA(list(models)).score([item(np.zeros((8, 9, 3), np.uint8))])
    assert scores["clipiqa"].value == 1.0
    assert scores["musiq"].reason == "the metric gave no number"
    assert scores["niqe"].reason == "the metric cannot measure this picture (AssertionError)"


@pytest.mark.usefixtures("found")
def test_metric_gets_the_pictures_own_pixels_between_0_and_1(monkeypatch):
    seen = []
    monkeypatch.setattr("scorers.pyiqa_metrics.metric_model", lambda _: lambda pixels: (seen.append(pixels), 0.5)[1])
    rgb = data.chelsea()[:20, :30]
    PyIQA(["clipiqa"]).score([item(rgb)])
    assert tuple(seen[0].shape) == (1, 3, 20, 30)
    assert np.allclose(seen[0][0].permute(1, 2, 0) * 255, rgb, atol=1e-4)


def test_version_goes_by_the_metrics_whatever_their_order():
    one, other = create_scorer("pyiqa", {"metrics": ["a", "b"]}), create_scorer("pyiqa", {"metrics": ["b", "a", "a"]})
    assert one.version == other.version != create_scorer("pyiqa", {"metrics": ["a"]}).version


@pytest.mark.parametrize("metrics", ["musiq", [], [3]])
def test_settings_that_name_no_metrics_are_refused(metrics):
    with pytest.raises(InputError, match="metrics must be a list of names"):
        create_scorer("pyiqa", {"metrics": metrics})


def test_nothing_is_fetched_while_a_metric_is_built_and_all_is_as_before_afterwards():
    import torch.hub
    from huggingface_hub import constants

    def state():
        switch = os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD")
        return urllib.request.urlopen, torch.hub.urlopen, constants.HF_HUB_OFFLINE, switch

    before = state()
    with contextlib.suppress(FileNotFoundError), pyiqa_metrics._from_this_disk_only():
        assert constants.HF_HUB_OFFLINE
        torch.hub.load_state_dict_from_url("http://127.0.0.1:9/weights.pth")
        pytest.fail("it must refuse to fetch")
    assert state() == before


@needs_pyiqa
def test_pyiqa_metrics_without_weights_keep_the_contract():
    pictures = [item(rgb) for rgb in (data.chelsea(), data.coffee()[:200, :300], data.astronaut()[::3, ::3])]
    scorer = PyIQA(["piqe", "entropy"])
    check_scorer(scorer, pictures)
    check_extremes(scorer, pictures[0], huge_px=())


@needs_pyiqa
def test_pyiqa_metrics_follow_their_direction():
    grey = np.full((200, 300, 3), 128, np.uint8)
    flat, full = PyIQA(["entropy"]).score([item(grey), item(data.chelsea())])
    assert flat["entropy"].value < 0.01 < 6 < full["entropy"].value
    blocks = Picture(encode_final(data.chelsea(), quality=3))
    damaged, fine = PyIQA(["piqe"]).score([Item(INPUTS, blocks), item(data.chelsea())])
    assert damaged["piqe"].value > fine["piqe"].value + 10


@needs_pyiqa
@pytest.mark.parametrize("metric", ["niqe", "musiq", "topiq_nr", "paq2piq"])
def test_pyiqa_metric_whose_weights_are_not_here_says_how_to_fetch_them_at_once(metric, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("pyiqa.utils.download_util.DEFAULT_CACHE_DIR", str(tmp_path))
    metric_model.__globals__["_built"].cache_clear()
    started = time.perf_counter()
    with pytest.raises(MissingPart, match=rf"import pyiqa; pyiqa.create_metric\('{metric}'\)"):
        PyIQA([metric]).try_out()
    assert time.perf_counter() - started < 20  # a hub that cannot be reached is tried for 47 s


@needs_pyiqa
def test_pyiqa_metric_whose_package_is_missing_names_it(monkeypatch):
    def build(_):
        raise ModuleNotFoundError("No module named 'pkg_resources'", name="pkg_resources")

    metric_model.__globals__["_built"].cache_clear()
    monkeypatch.setattr("pyiqa.models.inference_model.InferenceModel", build)
    with pytest.raises(MissingPart, match="cannot make 'piqe' without pkg_resources: pip install 'setuptools<81'"):
        PyIQA(["piqe"]).try_out()
    metric_model.__globals__["_built"].cache_clear()


@needs_pyiqa
def test_pyiqa_table_has_what_the_columns_are_made_of():
    assert {"musiq", "niqe", "piqe"} <= set(metric_table())
    for metric, facts in metric_table().items():
        assert {"metric_mode", "score_range"} <= set(facts), metric
        low, high = closed_range(facts["score_range"])
        assert low < high


@pytest.mark.usefixtures("found")
def test_check_builds_nothing_and_a_trial_builds_every_metric(monkeypatch):
    """Every verb checks its scorers, and building takes seconds."""
    built = []
    monkeypatch.setattr("scorers.pyiqa_metrics.metric_model", built.append)
    scorer = PyIQA(["musiq", "clipiqa"])
    scorer.check()
    assert built == []
    scorer.try_out()
    assert built == ["clipiqa", "musiq"]
