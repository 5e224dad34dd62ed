"""The end of the process: its code is the verb's, whatever threads still do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
BUSY = """
import sys, threading

def busy():BODY
started = threading.Event()
threading.Thread(target=busy, daemon=True).start()
started.wait(60) or sys.exit("it did not begin")

from selector.cli import program
program()
"""
WAITED_FOR = """
import atexit, threading

def last():
    threading.main_thread().join()
    print("a thread has ended")

threading.Thread(target=last).start()
atexit.register(print, "at exit")

from selector.cli import program
program()
"""
OF_A_PLUG_IN = """
import sys
from selector.cli.main import group, program
group.commands["status"].callback = lambda **_: END
program()
"""


def ended(code: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Of a program whose output waits in a buffer, as usual."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, **more}
    return subprocess.run([sys.executable, "-c", code, *arguments], text=True, check=False, timeout=120, **pipes)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(("libraries", "body"), [(["torch"], BUSY_TORCH), (["onnx", "onnxruntime"], BUSY_ONNX)])
def test_a_model_in_the_middle_of_its_work_aborts_nothing(libraries: list[str], body: str) -> None:
    """Python's own end takes away what the thread stands on, and C++ ends the process: seen with a full disk."""
    for library in libraries:
        pytest.importorskip(library)
    code = BUSY.replace("BODY", body)
    done = ended(code, "status", "-C", "/nowhere")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert ended(code, "--version").returncode == 0


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["status", "-C", "/nowhere"], 2)])
def test_who_is_waited_for_by_python_still_is(arguments: list[str], code: int) -> None:
    done = ended(WAITED_FOR, *arguments)
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (code, ["a thread has ended", "at exit"])


def test_a_traceback_that_was_asked_for_is_shown() -> None:
    done = ended(WAITED_FOR, "status", "-C", "/nowhere", "--debug")
    assert done.returncode == 1 and "Traceback" in done.stderr and done.stdout.endswith("at exit\n")


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        ("sys.exit('no camera')", 1, "no camera"),
        ("sys.exit(2**40 + 3)", 3, ""),
        ("sys.exit(None)", 0, ""),
        ("open('/x', mode=0)", 1, "unexpected TypeError"),
        (
            'exec(\'raise PermissionError(13, "denied", "/x")\')',
            2,
            "cannot read or write /x (denied): check its permissions",
        ),
        ("exec('raise KeyboardInterrupt')", 130, "bestshot: interrupted; nothing is lost, run the same command again"),
    ],
)
def test_a_plug_in_may_end_the_program_as_it_likes(tmp_path: Path, end: str, code: int, words: str) -> None:
    done = ended(OF_A_PLUG_IN.replace("END", end), "status", "-C", str(tmp_path))
    assert done.returncode == code
    assert words in done.stderr and "Traceback" not in done.stderr


def test_who_calls_the_command_line_keeps_an_end_of_their_own() -> None:
    code = "import sys\nfrom selector.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass\nsys.exit(5)"
    assert ended(code).returncode == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as a file is Linux's")
def test_an_output_that_could_not_be_written_is_told() -> None:
    code = OF_A_PLUG_IN.replace("END", "print('lost')")
    with Path("/dev/full").open("w") as full:
        done = ended(code, "status", "-C", "/", stdout=full)
        assert (done.returncode, "output is not whole" in done.stderr) == (120, True)
        done = ended("from selector.cli import program; program()", "status", "-C", "/nowhere", "--json", stdout=full)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)


@pytest.mark.skipif(os.name != "posix", reason="a shell closes them")
def test_nothing_to_write_to_is_no_fault() -> None:
    command = f"{sys.executable} -m selector.cli status -C /nowhere >&- 2>&-"
    assert subprocess.run(command, shell=True, check=False, timeout=120).returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_waits_for_no_thread_that_hangs() -> None:
    body = "threading.Thread(target=time.sleep, args=(600,)).start() or print('there', flush=True) or time.sleep(600)"
    code = "import threading, time\n" + OF_A_PLUG_IN.replace("END", body)
    command = [sys.executable, "-c", code, "status", "-C", "/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "there\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert time.monotonic() - began < 30
