"""Super-resolution by a model of the user's: small ONNX networks of the published form, built here."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from skimage import data

from selector.domain import Declined, InputError, Picture, Task, TaskInputs, TaskType, encode_final
from selector.finishing import Finishing, enlarge
from selector.finishing.enlarge import BLEND_PX, CONTEXT_PX, enlarged, open_enlarger

PHOTOGRAPH = np.ascontiguousarray(data.astronaut()[:301, :413])


def save(path, nodes, weights=(), sides=("h", "w"), kind=TensorProto.FLOAT, channels=3):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", kind, [1, channels, *sides])],
        [helper.make_tensor_value_info("y", kind, [1, None, None, None])],
        [numpy_helper.from_array(value, name) for name, value in weights],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


def nearest(path, scale=2, **form):
    """Repeats every pixel."""
    scales = np.array([1, 1, scale, scale], np.float32)
    resize = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest", nearest_mode="floor",
                              coordinate_transformation_mode="asymmetric")  # fmt: skip
    return save(path, [resize], [("scales", scales)], **form)


def network(path, radius_px, scale=2, **form):
    """Two convolutions with a ramp between, seeing ``radius_px`` around a pixel, then pixels out of channels."""
    rng, side = np.random.default_rng(0), radius_px + 1
    first = rng.normal(0, 1 / side, (8, 3, side, side)).astype(np.float32)
    second = rng.normal(0, 0.4 / side, (3 * scale**2, 8, side, side)).astype(np.float32)
    low, high = radius_px // 2, radius_px - radius_px // 2
    pads = [low, low, high, high]
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["a"], pads=pads),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["c"], pads=pads[::-1]),
        helper.make_node("DepthToSpace", ["c"], ["d"], blocksize=scale),
        helper.make_node("Sigmoid", ["d"], ["y"]),
    ]
    return save(path, nodes, [("first", first), ("second", second)], **form)


def text_task():
    return TaskInputs(Task("1", TaskType.T2I, "a cat", None, None, 0))


@pytest.mark.parametrize("tile_px", [64, 96, 256])
@pytest.mark.parametrize("size", [(301, 413), (64, 413), (30, 20), (1, 1), (1, 300), (105, 104)])
def test_an_identity_upscaler_gives_every_pixel_exactly(tmp_path, tile_px, size):
    rgb = PHOTOGRAPH[: size[0], : size[1]]
    came, scale = enlarged(rgb, open_enlarger(nearest(tmp_path / "n.onnx")), tile_px)
    assert scale == 2 and np.array_equal(came, rgb.repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_tiled_equals_untiled_where_the_network_sees_no_further_than_the_context(tmp_path, scale):
    enlarger = open_enlarger(network(tmp_path / "c.onnx", 8, scale))
    untiled, _ = enlarged(PHOTOGRAPH, enlarger, 1024)
    assert untiled.std() > 10
    for tile_px in (96, 128, 256):
        tiled, _ = enlarged(PHOTOGRAPH, enlarger, tile_px)
        assert np.abs(tiled.astype(int) - untiled).max() <= 1  # sums in another order round otherwise
        assert np.mean(tiled != untiled) < 1e-3


def test_a_network_that_sees_further_shows_no_step_where_tiles_meet(tmp_path):
    enlarger = open_enlarger(network(tmp_path / "w.onnx", 60, 1))
    rgb = PHOTOGRAPH[:120, :320]
    untiled, _ = enlarged(rgb, enlarger, 1024)
    tiled, _ = enlarged(rgb, enlarger, 128)
    difference = tiled.astype(float) - untiled
    assert np.abs(difference).max() > 3  # it is a hard case
    step = np.abs(np.diff(difference, axis=1)).mean(axis=(0, 2))
    starts = [128 - CONTEXT_PX - BLEND_PX + i * (128 - 2 * CONTEXT_PX - BLEND_PX) for i in range(3)]
    seams = [x + d for x in starts for d in range(-1, BLEND_PX + 1)]
    assert step[seams].mean() < 3 * np.median(step) + 0.5


def test_a_model_with_fixed_tiles_is_fed_these(tmp_path):
    rgb = PHOTOGRAPH[:90, :130]
    came, _ = enlarged(rgb, open_enlarger(nearest(tmp_path / "f.onnx", sides=(48, 32))))
    assert np.array_equal(came, rgb.repeat(2, axis=0).repeat(2, axis=1))


def test_half_precision_is_near_enough(tmp_path):
    model = nearest(tmp_path / "h.onnx", kind=TensorProto.FLOAT16)
    came, _ = enlarged(PHOTOGRAPH, open_enlarger(model))
    assert np.array_equal(came, PHOTOGRAPH.repeat(2, axis=0).repeat(2, axis=1))


def test_the_picture_has_the_size_that_was_asked_whatever_the_models_scale(tmp_path):
    finishing = Finishing(upscale_model_path=nearest(tmp_path / "n.onnx", 4), upscale_factor=1.5)
    made = finishing.apply(text_task(), PHOTOGRAPH, "upscale", 1)
    assert made.image.shape == (452, 620, 3)
    assert made.notes["finish"] == [{"step": "upscale", "by": "n.onnx", "scale": 4, "size_px": [620, 452]}]


def test_an_edit_comes_back_in_its_own_size(tmp_path):
    source = Picture(encode_final(PHOTOGRAPH, "png"), "s.png")
    inputs = TaskInputs(Task("1", TaskType.TIE, "add a hat", "s.png", None, 0), source)
    finishing = Finishing(upscale_model_path=nearest(tmp_path / "n.onnx"))
    finishing.check("upscale")
    made = finishing.apply(inputs, PHOTOGRAPH, "upscale", 1)
    assert made.image.shape == PHOTOGRAPH.shape
    assert np.abs(made.image.astype(int) - PHOTOGRAPH).mean() < 3


def test_one_tile_at_a_time_is_in_memory(tmp_path, monkeypatch):
    enlarger, seen = open_enlarger(nearest(tmp_path / "n.onnx")), []
    run = enlarger.run
    watched = enlarge.Enlarger(lambda tile: (seen.append(tile.shape), run(tile))[1], None, "n.onnx")
    enlarged(np.zeros((900, 700, 3), np.uint8), watched)
    assert set(seen) == {(1, 3, 256, 256)} and len(seen) == 5 * 4
    monkeypatch.setattr(enlarge, "MAX_PIXELS", 100_000)
    with pytest.raises(Declined, match="use a model of a smaller scale"):
        enlarged(np.zeros((900, 700, 3), np.uint8), watched)


def test_models_of_another_form_are_refused(tmp_path):
    identity = [helper.make_node("Identity", ["x"], ["y"])]
    for form in ({"channels": 1}, {"channels": 4}):
        with pytest.raises(InputError, match="no model that enlarges pictures"):
            open_enlarger(save(tmp_path / "m.onnx", identity, **form))
        (tmp_path / "m.onnx").unlink()
    half = save(
        tmp_path / "p.onnx", [helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])]
    )
    with pytest.raises(InputError, match="must enlarge by a whole number"):
        enlarged(PHOTOGRAPH, open_enlarger(half))
    flat = save(tmp_path / "q.onnx", [helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1)])
    with pytest.raises(InputError, match=r"must give \[1, 3, h, w\]"):
        enlarged(PHOTOGRAPH, open_enlarger(flat))
    nodes = [helper.make_node("Sub", ["x", "two"], ["a"]), helper.make_node("Sqrt", ["a"], ["y"])]
    nan = save(tmp_path / "r.onnx", nodes, [("two", np.array([2], np.float32))])
    with pytest.raises(InputError, match="NaN"):
        enlarged(PHOTOGRAPH, open_enlarger(nan))
