"""The end of the process: its code is the verb's, whatever threads still do."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUSY_TORCH = """
    import torch
    a = torch.ones(300, 300)
    while True:
        a = a @ a / 300
        started.set()
"""
BUSY_ONNX = """
    import numpy, onnxruntime
    from onnx import TensorProto, helper
    a, b = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [400, 400]) for name in "ab")
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "a"], ["b"])], "square", [a], [b])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    while True:
        session.run(None, {"a": numpy.ones((400, 400), numpy.float32)})
        started.set()
"""
PROGRAM = """
import atexit, sys, threading, time

def busy():{busy}

def waited_for():
    time.sleep(0.3)
    print("a thread has ended")

started = threading.Event()
threading.Thread(target=busy, daemon=True).start()
threading.Thread(target=waited_for).start()
started.wait()
atexit.register(print, "at exit")

from selector.cli import main
main()
"""
NOT_BUSY = "\n    started.set()"


def ended(busy: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM.format(busy=busy), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(("library", "busy"), [("torch", BUSY_TORCH), ("onnx", BUSY_ONNX)])
def test_a_model_in_the_middle_of_its_work_aborts_nothing(library: str, busy: str) -> None:
    """Python's own end takes away what the thread stands on, and C++ ends the process: seen with a full disk."""
    pytest.importorskip(library)
    done = ended(busy, "status", "-C", "/nowhere")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert ended(busy, "--version").returncode == 0


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["status", "-C", "/nowhere"], 2)])
def test_who_is_waited_for_by_python_still_is(arguments: list[str], code: int) -> None:
    done = ended(NOT_BUSY, *arguments)
    assert done.returncode == code
    assert done.stdout.splitlines()[-2:] == ["a thread has ended", "at exit"]


def test_a_traceback_that_was_asked_for_is_shown() -> None:
    done = ended(NOT_BUSY, "status", "-C", "/nowhere", "--debug")
    assert done.returncode == 1 and "Traceback" in done.stderr and done.stdout.endswith("at exit\n")
