"""ONNX files of users: opened once, shared by threads, and told apart from what is none."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from selector.domain import InputError, MissingPart, OutOfResources
from selector.sight.onnx_session import KEPT, check_onnx, forget_models, model_file, open_model


def saved(path: Path, add: float = 1.0, kind: int = TensorProto.FLOAT) -> Path:
    """A model that adds a number to rows of three."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "number"], ["y"])],
        "add",
        [helper.make_tensor_value_info("x", kind, ["n", 3])],
        [helper.make_tensor_value_info("y", kind, ["n", 3])],
        [numpy_helper.from_array(np.array([add], helper.tensor_dtype_to_np_dtype(kind)), "number")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture
def loads(monkeypatch):
    """Paths that onnxruntime was asked to load."""
    forget_models()
    seen, real = [], onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda p, *a, **k: (seen.append(p), real(p, *a, **k))[1])
    return seen


def test_a_model_tells_its_ports_and_runs(tmp_path):
    model = open_model(saved(tmp_path / "a.onnx"))
    assert [(p.name, p.shape, p.dtype) for p in model.inputs] == [("x", (None, 3), np.float32)]
    assert model.inputs[0].takes(7, 3) and not model.inputs[0].takes(7, 4) and not model.inputs[0].takes(3)
    assert model.signature() == "takes x [?, 3] and gives y [?, 3]"
    (y,) = model.run({"x": np.zeros((2, 3))})  # float64 is brought to float32
    assert y.dtype == np.float32 and (y == 1).all()


def test_half_precision_is_fed_as_such(tmp_path):
    (y,) = open_model(saved(tmp_path / "h.onnx", kind=TensorProto.FLOAT16)).run({"x": np.ones((1, 3), np.float32)})
    assert y.dtype == np.float16 and (y == 2).all()


def test_threads_share_one_session(tmp_path, loads):
    path = saved(tmp_path / "a.onnx")
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: open_model(str(path)), range(16)))
    assert len(loads) == 1 and len({id(model) for model in models}) == 1


def test_a_file_that_was_replaced_is_another_model(tmp_path, loads):
    path = saved(tmp_path / "a.onnx")
    open_model(path)
    path.write_bytes(saved(tmp_path / "b.onnx", add=5.0).read_bytes())
    os.utime(path, ns=(1, 1))
    assert open_model(path).run({"x": np.zeros((1, 3))})[0][0, 0] == 5
    assert len(loads) == 2


def test_what_cannot_be_read_is_told_in_one_line_and_tried_once(tmp_path, loads):
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(saved(tmp_path / "a.onnx").read_bytes()[:60])
    for _ in range(3):
        with pytest.raises(InputError, match=r"cut\.onnx: not an ONNX model that can be read here") as caught:
            open_model(cut)
        assert "\n" not in str(caught.value)
    assert len(loads) == 1


def test_only_the_last_models_are_kept(tmp_path, loads):
    paths = [saved(tmp_path / f"{i}.onnx") for i in range(KEPT + 1)]
    for path in (*paths, paths[-1], paths[0]):
        open_model(path)
    assert len(loads) == KEPT + 2


def test_wrong_shapes_name_the_model_and_what_it_got(tmp_path):
    with pytest.raises(InputError, match=r"a\.onnx does not run on x \[2, 4\]"):
        open_model(saved(tmp_path / "a.onnx")).run({"x": np.zeros((2, 4))})


def test_too_little_memory_is_no_fault_of_the_picture_or_the_model(tmp_path):
    model = open_model(saved(tmp_path / "a.onnx"))

    class Full:
        def run(self, *_):
            raise RuntimeError("BFCArena: Failed to allocate memory for requested buffer of size 99")

    with pytest.raises(OutOfResources, match=r"not enough memory for x \[1, 3\]: set fewer `workers`"):
        type(model)(model.path, model.inputs, model.outputs, "cpu", Full()).run({"x": np.zeros((1, 3))})


def test_settings_are_checked_without_loading(tmp_path, loads):
    path = saved(tmp_path / "a.onnx")
    assert model_file(str(path), "generators.inswapper", "a face swapper") == path
    with pytest.raises(MissingPart, match=r"inswapper needs the ONNX file of a face swapper: set \[generators.insw"):
        model_file("", "generators.inswapper", "a face swapper")
    with pytest.raises(MissingPart, match=r"no model at .*gone\.onnx: set \[scorers.arcface\] model_path"):
        model_file(tmp_path / "gone.onnx", "scorers.arcface", "a face network")
    assert not loads


def test_a_gpu_that_does_not_start_is_not_the_files_fault(tmp_path, monkeypatch):
    usual = onnxruntime.InferenceSession

    def session(path, options, providers, **more):
        if "CUDAExecutionProvider" in str(providers):
            raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
        return usual(path, options, providers=providers, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    model = saved(tmp_path / "m.onnx")
    assert open_model(model, "auto").device == "cpu"
    with pytest.raises(MissingPart, match="CUDA does not start"):
        open_model(model, "cuda")


def test_devices_that_are_none_and_those_that_are_not_here(tmp_path, monkeypatch):
    check_onnx("auto")
    with pytest.raises(InputError, match="device is one of"):
        check_onnx("gpu")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MissingPart, match="pip install onnxruntime-gpu"):
        open_model(saved(tmp_path / "a.onnx"), "cuda:1")
    with pytest.raises(MissingPart, match="mend the path"):
        open_model(tmp_path / "gone.onnx")


@pytest.mark.parametrize("place", ["../outside.bin", "/outside.bin"])
def test_weights_in_a_file_outside_of_the_models_folder_are_refused(tmp_path, place):
    (tmp_path / "model").mkdir()
    path = saved(tmp_path / "model" / "m.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    open_model(path)
    model = onnx.load(path, load_external_data=False)
    (tmp_path / "outside.bin").write_bytes((tmp_path / "model" / "weights.bin").read_bytes())
    where = str(tmp_path / place[1:]) if place[0] == "/" else place
    for entry in model.graph.initializer[0].external_data:
        entry.value = where if entry.key == "location" else entry.value
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="not an ONNX model that can be read here"):
        open_model(path)
