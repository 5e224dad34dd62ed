"""What is read from model files: the swapper's matrix, and the faces in a detector's nine outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import tiny_onnx_faces as tiny
from onnx import TensorProto, helper, numpy_helper

from generators._face.detector import decode, distinct, load_detector
from generators._face.networks import load_swapper
from generators._face.swap_models import emap_of_file, emap_of_model
from selector.domain import InputError, MissingPart

N = 6
MATRIX = np.random.default_rng(1).normal(size=(N, N)).astype(np.float32)
OTHER = np.random.default_rng(2).normal(size=(N, N)).astype(np.float32)
LAST = np.zeros((3,), np.float32)


def saved(path: Path, *tensors, used=(), branch=()):
    """A model with these initializers, of which a node uses some, and a branch of an If some more."""
    nodes = [helper.make_node("Add", ["x", name], [f"y_{name}"]) for name in used]
    if branch:
        inner = [helper.make_node("Identity", [branch[0]], ["inner"])]
        graph = helper.make_graph(inner, "b", [], [helper.make_tensor_value_info("inner", TensorProto.FLOAT, [N, N])])
        nodes.append(helper.make_node("If", ["flag"], ["z"], then_branch=graph, else_branch=graph))
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [N, N])
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [shape], [], list(tensors))), path)
    return path


def packed(name, values, kind):
    """A tensor whose numbers lie in the list of their type and not as raw bytes."""
    return helper.make_tensor(name, kind, values.shape, values.ravel())


@pytest.mark.parametrize(
    "tensor",
    [
        numpy_helper.from_array(MATRIX, "m"),
        numpy_helper.from_array(MATRIX.astype(np.float16), "m"),
        numpy_helper.from_array(MATRIX.astype(np.float64), "m"),
        packed("m", MATRIX, TensorProto.FLOAT),
        packed("m", MATRIX.astype(np.float64), TensorProto.DOUBLE),
        packed("m", MATRIX.astype(np.float16), TensorProto.FLOAT16),
    ],
    ids=["raw", "raw half", "raw double", "floats", "doubles", "halves"],
)
def test_the_matrix_is_read_as_the_onnx_package_reads_it(tmp_path, tensor):
    path = saved(tmp_path / "m.onnx", tensor, numpy_helper.from_array(LAST, "bias"))
    assert np.array_equal(emap_of_model(path, N, True), numpy_helper.to_array(tensor).astype(np.float64))


def test_of_several_matrices_the_named_one_then_the_last_that_no_node_uses(tmp_path):
    first, last = numpy_helper.from_array(MATRIX, "a"), numpy_helper.from_array(OTHER, "b")
    assert np.array_equal(emap_of_model(saved(tmp_path / "1.onnx", first, last), N, True), OTHER)
    assert np.array_equal(emap_of_model(saved(tmp_path / "2.onnx", first, last, used=["b"]), N, True), MATRIX)
    assert emap_of_model(saved(tmp_path / "3.onnx", first, last, used=["a", "b"]), N, True) is None
    assert np.array_equal(emap_of_model(saved(tmp_path / "3.onnx", first, last, used=["a", "b"]), N, False), OTHER)
    named = numpy_helper.from_array(MATRIX, "buff2fs")
    assert np.array_equal(emap_of_model(saved(tmp_path / "4.onnx", named, last), N, True), MATRIX)
    assert emap_of_model(saved(tmp_path / "5.onnx", numpy_helper.from_array(LAST, "c")), N, False) is None
    assert emap_of_model(saved(tmp_path / "6.onnx", first, branch=["a"]), N, True) is None  # used by a branch


def test_a_matrix_in_a_file_beside_the_model_is_found_and_none_elsewhere(tmp_path):
    path = saved(tmp_path / "m.onnx", numpy_helper.from_array(LAST, "c"), numpy_helper.from_array(MATRIX, "a"))
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    assert MATRIX.tobytes() not in path.read_bytes()
    assert np.array_equal(emap_of_model(path, N, True), MATRIX)
    outside = tmp_path / "inner" / "m.onnx"
    outside.parent.mkdir()
    outside.write_bytes(path.read_bytes().replace(b"m.data", b"../m.d"))
    (tmp_path / "m.d").write_bytes((tmp_path / "m.data").read_bytes())
    with pytest.raises(InputError, match="not beside the model"):
        emap_of_model(outside, N, True)


def test_damaged_files_are_told_in_words(tmp_path):
    whole = saved(tmp_path / "m.onnx", numpy_helper.from_array(MATRIX, "a")).read_bytes()
    for end in (0, 20, len(whole) - 30):
        (tmp_path / "cut.onnx").write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"cut\.onnx: its matrix cannot be read"):
            emap_of_model(tmp_path / "cut.onnx", N, True)
    (tmp_path / "page.onnx").write_text("<html>not found</html>")
    with pytest.raises(InputError, match="cannot be read"):
        emap_of_model(tmp_path / "page.onnx", N, True)
    whole_numbers = numpy_helper.from_array(np.ones((N, N), np.int64), "a")
    with pytest.raises(InputError, match="numbers of type 7"):
        emap_of_model(saved(tmp_path / "i.onnx", whole_numbers), N, True)


def test_random_bytes_never_raise_anything_else(tmp_path):
    whole = bytearray(saved(tmp_path / "m.onnx", numpy_helper.from_array(MATRIX, "a"), used=["a"]).read_bytes())
    rng = np.random.default_rng(3)
    for _ in range(300):
        hurt = bytearray(whole)
        for at in rng.integers(0, len(hurt), 3):
            hurt[at] = rng.integers(256)
        (tmp_path / "h.onnx").write_bytes(hurt)
        try:
            emap_of_model(tmp_path / "h.onnx", N, False)
        except InputError as error:
            assert "\n" not in str(error)


def test_a_matrix_of_ones_own_is_checked(tmp_path):
    np.save(tmp_path / "m.npy", MATRIX)
    assert np.array_equal(emap_of_file(tmp_path / "m.npy", N), MATRIX)
    with pytest.raises(InputError, match=r"has the shape \[6, 6\], expected \[512, 512\]"):
        emap_of_file(tmp_path / "m.npy", 512)
    (tmp_path / "p.npy").write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match="no array of numbers"):
        emap_of_file(tmp_path / "p.npy", N)
    with pytest.raises(MissingPart, match="mend the path"):
        emap_of_file(tmp_path / "gone.npy", N)


def test_half_precision_swappers_are_fed_as_they_want(tmp_path):
    port = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT16, s) for n, s in (("t", [1, 3, 128, 128]), ("s", [1, 9]))
    ]
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT16, [1, 3, 128, 128])
    graph = helper.make_graph([helper.make_node("Identity", ["t"], ["o"])], "g", port, [out])
    path = tmp_path / "half.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    swapper = load_swapper(path, "cpu", 0, 0.0, 255.0)
    face = np.random.default_rng(0).uniform(0, 255, (128, 128, 3)).astype(np.float32)
    drawn = swapper.swapped(face, np.ones(9))
    assert drawn.dtype == np.float32 and np.abs(drawn - face).max() < 0.1 and swapper.length == 9


# --- the detector -----------------------------------------------------------------------------------------------------

FIVE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


def face(x0, y0, x1, y1, score=0.9):
    box = np.array([x0, y0, x1, y1], float)
    return box, box[:2] + FIVE * (box[2:] - box[:2]), score


def test_boxes_and_points_of_all_strides_are_decoded():
    faces = [face(10, 20, 50, 70), face(100, 90, 240, 250, 0.8), face(20, 100, 300, 310, 0.7)]
    outputs = tiny.detector_outputs(faces, 320)
    for order in (outputs, outputs[::-1], [output[None] for output in outputs]):
        scores, boxes, points = decode(order, 320, 320, "d")
        found = np.argsort(-scores)[:3]
        for row, (box, five, score) in zip(found, faces, strict=True):
            assert scores[row] == pytest.approx(score)
            assert np.allclose(boxes[row], box, atol=1e-3) and np.allclose(points[row], five, atol=1e-3)


def test_one_row_by_hand():
    """Stride 16 of a 64 px input, one anchor, cell (x 2, y 1): centre (32, 16)."""
    outputs = [np.zeros((cells, width), np.float32) for cells in (64, 16, 4) for width in (1, 4, 10)]
    outputs[3][6], outputs[4][6], outputs[5][6] = 0.9, [1, 0.5, 2, 1], np.arange(10) / 16
    scores, boxes, points = decode(outputs, 64, 64, "d")
    best = int(np.argmax(scores))
    assert best == 64 + 6
    assert np.allclose(boxes[best], [16, 8, 64, 32])
    assert np.allclose(points[best], [[32, 17], [34, 19], [36, 21], [38, 23], [40, 25]])


def test_outputs_of_another_kind_are_refused():
    outputs = tiny.detector_outputs([], 64)
    with pytest.raises(InputError, match="five points"):
        decode(outputs[:6], 64, 64, "d.onnx")
    with pytest.raises(InputError, match="do not fit strides"):
        decode(outputs, 96, 64, "d.onnx")
    with pytest.raises(InputError, match="this one gave"):
        decode([np.zeros(3)], 64, 64, "d.onnx")


def test_of_overlapping_boxes_the_surest_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 10, 4], [20, 0, 30, 10], [20, 5, 30, 15]], float)
    assert distinct(boxes) == [0, 2, 3, 4]  # shares with the first: 0.68, 0.4 (not above it); the last 1/3
    assert distinct(np.zeros((0, 4))) == []


@pytest.mark.parametrize("size", [(320, 320), (640, 480), (100, 160), (900, 300)])
def test_faces_are_given_in_the_pictures_own_px(tmp_path, size):
    width, height = size
    detector = load_detector(
        Path(tiny.detector(tmp_path / "d.onnx", tiny.detector_outputs([face(40, 30, 100, 90)], 320), 320))
    )
    (found,) = detector.faces(np.zeros((height, width, 3), np.uint8), 0.5)
    scale = 320 / max(width, height)
    expected = np.clip(np.array([40, 30, 100, 90]) / scale, 0, [width, height, width, height])
    assert np.abs(np.array(found.box) - expected).max() <= 0.5
    assert np.allclose(found.points, ([40, 30] + FIVE * 60) / scale)
    assert detector.faces(np.zeros((height, width, 3), np.uint8), 0.95) == []


def test_a_picture_without_a_face_is_padded_and_tried_again(tmp_path):
    """The detector sees a face only where its input is bright at (48, 80): there a spot lies after padding."""
    outputs = tiny.detector_outputs([face(60, 60, 180, 180)], 320)
    detector = load_detector(Path(tiny.detector(tmp_path / "d.onnx", outputs, 320, lit=(48, 80))))
    rgb = np.zeros((320, 320, 3), np.uint8)
    assert detector.faces(rgb, 0.5) == []
    scale = 320 / 416  # padded by 48 px a side
    rgb[
        round(80 / scale) - 48 - 8 : round(80 / scale) - 48 + 9, round(48 / scale) - 48 - 8 : round(48 / scale) - 48 + 9
    ] = 255
    assert rgb[80, 48].max() == 0
    (found,) = detector.faces(rgb, 0.5)
    assert np.allclose(found.points, ([60, 60] + FIVE * 120) / scale - 48)
    assert np.abs(np.array(found.box) - (np.array([60, 60, 180, 180]) / scale - 48)).max() <= 0.5


def test_boxes_without_size_and_numbers_that_are_none_are_left_out(tmp_path):
    outputs = tiny.detector_outputs([face(40, 30, 100, 90), face(200, 200, 200, 260), face(250, 100, 300, 150)], 320)
    outputs[6][np.flatnonzero(outputs[0])[1]] = np.nan
    detector = load_detector(Path(tiny.detector(tmp_path / "d.onnx", outputs, 320)))
    assert len(detector.faces(np.zeros((320, 320, 3), np.uint8), 0.5)) == 1
