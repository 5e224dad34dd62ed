"""Likeness by a network of the user's: plumbing on small projections with fixed weights, two real portraits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from skimage import data

from scorers.arcface import ArcFace
from selector.conformance import check_another_process, check_scorer
from selector.domain import InputError, Item, MissingPart, Picture, Task, TaskInputs, TaskType, encode_final
from selector.registry import create_scorer
from selector.sight.face_align import aligned_crop
from selector.sight.faces import main_face

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
LENGTH = 64
PROJECTION = np.random.default_rng(7).normal(size=(3 * 112 * 112, LENGTH)).astype(np.float32) / 100
WEIGHTS_OF_160_PX = np.ones((3 * 160 * 160, 4), np.float32)


def picture(rgb, quality=95):
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality))


ASTRONAUT, LADY, CUP = picture(data.astronaut()), Picture(HOPPER.read_bytes()), picture(data.coffee())


def saved(path, batch="n", nhwc=False, weights=PROJECTION, shape=None, outputs=1):
    """A network with known weights: pixels, channel by channel, times ``weights``."""
    shape = shape or ([batch, 112, 112, 3] if nhwc else [batch, 3, 112, 112])
    nodes = [helper.make_node("Transpose", ["faces"], ["planes"], perm=[0, 3, 1, 2])] if nhwc else []
    nodes.append(helper.make_node("Flatten", ["planes" if nhwc else "faces"], ["flat"]))
    names = [f"vector{i}" for i in range(outputs)]
    nodes += [helper.make_node("MatMul", ["flat", "weights"], [name]) for name in names]
    graph = helper.make_graph(
        nodes,
        "face",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, weights.shape[1]]) for name in names],
        [numpy_helper.from_array(weights, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("model") / "face.onnx")


def inputs(source=ASTRONAUT, reference=LADY):
    return TaskInputs(Task("1", TaskType.DEEPFAKE, "", "a.jpg", "b.jpg", 0), source, reference)


def scored(scorer, *candidates, **pictures):
    return scorer.score([Item(inputs(**pictures), candidate) for candidate in candidates])


def values(scores):
    return [(s["wanted_cosine"].value, s["original_cosine"].value) for s in scores]


def by_numpy(one, other, mean=127.5, scale=127.5, order=(0, 1, 2)):
    """The cosine of two portraits, without the scorer and without onnxruntime."""
    vectors = []
    for portrait in (one, other):
        crop = aligned_crop(portrait.rgb, main_face(portrait).landmarks).astype(np.float64)[:, :, list(order)]
        vectors.append(((crop - mean) / scale).transpose(2, 0, 1).ravel() @ PROJECTION.astype(np.float64))
    return vectors[0] @ vectors[1] / np.linalg.norm(vectors[0]) / np.linalg.norm(vectors[1])


def candidates():
    return [picture(ASTRONAUT.rgb, quality=q) for q in (95, 60, 30)] + [picture(ASTRONAUT.rgb[::2, ::2])]


def test_it_keeps_the_contract(model):
    items = [Item(inputs(), candidate) for candidate in candidates()]
    check_scorer(ArcFace(model), items)
    check_another_process(ArcFace(model), items[:2], {"model_path": model})


def test_both_cosines_are_those_of_the_projected_faces(model):
    ((wanted, original),) = values(scored(ArcFace(model), ASTRONAUT))
    assert wanted == pytest.approx(by_numpy(ASTRONAUT, LADY), abs=1e-5)
    assert original == pytest.approx(1.0)


def test_preparation_of_the_input_follows_the_settings(model):
    scorer = ArcFace(model, input_mean=0.0, input_scale=255.0, channels="bgr")
    ((wanted, _),) = values(scored(scorer, ASTRONAUT))
    assert wanted == pytest.approx(by_numpy(ASTRONAUT, LADY, 0.0, 255.0, (2, 1, 0)), abs=1e-5)
    assert wanted != pytest.approx(by_numpy(ASTRONAUT, LADY), abs=1e-3)


@pytest.mark.parametrize("facts", [{"nhwc": True}, {"batch": 1}, {"batch": 3}, {"shape": ["n", 3, "h", "w"]}])
def test_layout_and_batch_of_the_file_make_no_difference(tmp_path, model, facts):
    other = ArcFace(saved(tmp_path / "other.onnx", **facts))
    many = candidates()
    assert np.allclose(values(scored(other, *many)), values(scored(ArcFace(model), *many)), atol=1e-6)


def test_all_faces_of_a_batch_go_through_the_network_in_one_run(model, monkeypatch):
    scorer, sizes = ArcFace(model), []
    scorer.check()
    real = type(scorer._net)._run
    monkeypatch.setattr(
        type(scorer._net), "_run", lambda net, part, size: (sizes.append(size), real(net, part, size))[1]
    )
    scored(scorer, *candidates()[:3])
    assert sizes == [3, 1, 1]  # the candidates, the reference, the scene
    scored(scorer, *candidates()[:2])
    assert sizes == [3, 1, 1, 2]  # both inputs are remembered


def test_candidate_without_a_face_is_unscored_and_the_others_are_scored(model):
    results = scored(ArcFace(model), CUP, ASTRONAUT, Picture(HOPPER.read_bytes()[:3000], "cut.jpg"))
    assert results[0]["wanted_cosine"].reason == "no face found in the candidate where the scene has its face"
    assert results[1]["original_cosine"].value == pytest.approx(1.0)
    assert "cut.jpg" in results[2]["original_cosine"].reason


def test_inputs_without_a_face_are_named(model):
    (result,) = scored(ArcFace(model), ASTRONAUT, reference=CUP)
    assert result["wanted_cosine"].reason == "no face found in the reference picture"
    assert result["original_cosine"].value == pytest.approx(1.0)
    (result,) = scored(ArcFace(model), ASTRONAUT, reference=None)
    assert result["wanted_cosine"].reason == "the task has no reference picture"


def test_network_that_gives_no_direction_leaves_it_unscored(tmp_path):
    silent = ArcFace(saved(tmp_path / "zero.onnx", weights=np.zeros_like(PROJECTION)))
    (result,) = scored(silent, ASTRONAUT)
    assert result["wanted_cosine"].reason == "the model gave no usable embedding of the face"


def test_threads_score_as_one_does(model):
    scorer, many = ArcFace(model), candidates()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda candidate: values(scored(scorer, candidate)), many))
    assert np.allclose(together, [values(scored(scorer, candidate)) for candidate in many], atol=1e-6)


def test_without_a_model_it_says_where_to_set_one(tmp_path):
    with pytest.raises(MissingPart, match=r"set \[scorers.arcface\] model_path in campaign.toml"):
        ArcFace().check()
    with pytest.raises(MissingPart, match=r"no model at .*gone.onnx"):
        ArcFace(str(tmp_path / "gone.onnx")).check()


@pytest.mark.parametrize(
    "facts",
    [
        {"shape": ["n", 3, 160, 160], "weights": WEIGHTS_OF_160_PX},
        {"shape": ["n", 1, 112, 112], "weights": PROJECTION[: 112 * 112]},
        {"shape": ["n", 3 * 112 * 112]},
        {"outputs": 2},
        {"weights": PROJECTION[:, :1]},
    ],
)
def test_model_of_another_kind_is_refused(tmp_path, facts):
    with pytest.raises(InputError, match=r"needs one input \(n, 3, 112, 112\) .*; this model takes faces \["):
        ArcFace(saved(tmp_path / "other.onnx", **facts)).try_out()


def test_file_that_is_no_model_is_refused_in_one_line(tmp_path):
    (tmp_path / "page.onnx").write_text("<html>not found</html>")
    with pytest.raises(InputError, match="not an ONNX model that can be read") as caught:
        ArcFace(str(tmp_path / "page.onnx")).try_out()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"channels": "gbr"}, {"input_scale": 0.0}, {"input_mean": float("nan")}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="does not accept these settings"):
        create_scorer("arcface", wrong)


def test_version_goes_by_the_models_content_and_settings_and_not_by_its_place(tmp_path, model):
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(Path(model).read_bytes())
    here, there = create_scorer("arcface", {"model_path": model}), create_scorer("arcface", {"model_path": str(copy)})
    assert here.version == there.version
    others = {
        create_scorer("arcface").version,
        create_scorer("arcface", {"model_path": model, "channels": "bgr"}).version,
        create_scorer("arcface", {"model_path": model, "input_mean": 0.0}).version,
        create_scorer("arcface", {"model_path": saved(tmp_path / "b.onnx", weights=-PROJECTION)}).version,
    }
    assert len(others | {here.version}) == 5


def test_path_of_the_model_is_seen_from_the_campaign(tmp_path, model):
    (tmp_path / "m.onnx").write_bytes(Path(model).read_bytes())
    create_scorer("arcface", {"model_path": "m.onnx"}, tmp_path).check()


def test_check_loads_nothing_and_what_cannot_be_loaded_is_tried_once(tmp_path, monkeypatch):
    """Every verb checks its scorers."""
    import onnxruntime

    (tmp_path / "page.onnx").write_text("<html>not found</html>")
    scorer, loaded, real = ArcFace(str(tmp_path / "page.onnx")), [], onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: (loaded.append(a), real(*a, **k))[1])
    scorer.check()
    assert not loaded
    for _ in range(3):
        with pytest.raises(InputError, match="not an ONNX model"):
            scored(scorer, ASTRONAUT)
    assert len(loaded) == 1
