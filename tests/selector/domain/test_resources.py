"""What means that the machine ran out of something, and what only sounds so."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
import requests

from selector.domain import (
    DISK_FULL,
    Declined,
    GenerationFailed,
    InputError,
    OutOfResources,
    Picture,
    encode_final,
    raise_shortage,
    reason_of,
    shortage,
)


class OutOfMemoryError(RuntimeError):
    """As torch names it, under several modules."""


def of_number(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def of_onnxruntime(words: str) -> Exception:
    fail: type[Exception] = type("Fail", (Exception,), {"__module__": "onnxruntime.capi.onnxruntime_pybind11_state"})
    return fail(words)


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (MemoryError(), r"memory ran out \(MemoryError\): set fewer `workers`"),
        (OutOfMemoryError("no room"), "memory ran out"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory ran out"),
        (RuntimeError("CUDA error: out of memory"), "memory ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "memory ran out"),
        (RuntimeError("std::bad_alloc"), "memory ran out"),
        (of_onnxruntime("[ONNXRuntimeError] : 6 : bad allocation"), "memory ran out"),
        (of_onnxruntime("running Conv: CUDA failure 2: out of memory"), "memory ran out"),
        (ImportError("cv2.abi3.so: failed to map segment from shared object"), "memory ran out"),
        (ImportError("x.so: cannot open shared object file: Too many open files"), "limit of open files"),
        (OSError("out of memory error when reading image file"), "memory ran out"),
        (of_number(errno.ENOMEM), "memory ran out"),
        (of_number(errno.EMFILE), "limit of open files.*ulimit -n"),
        (of_number(errno.ENFILE), "limit of open files"),
        (of_number(errno.ENOSPC), DISK_FULL),
        (of_number(errno.EDQUOT), DISK_FULL),
        (sqlite3.OperationalError("database or disk is full"), DISK_FULL),
        (of_number(errno.EADDRNOTAVAIL), "network port"),
        (RuntimeError("can't start new thread"), "threads.*ulimit -u"),
        (
            RuntimeError("unable to open shared memory object </torch_1> in read: Too many open files (24)"),
            "open files",
        ),
        (RuntimeError("[enforce fail] . PytorchStreamWriter failed: No space left on device"), DISK_FULL),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), "memory ran out"),
    ],
    ids=repr,
)
def test_a_shortage_is_told_with_its_cure_also_as_a_cause(error: Exception, cure: str) -> None:
    with pytest.raises(OutOfResources, match=cure) as caught:
        raise_shortage(error)
    assert "run the same command again" in str(caught.value)
    within = InputError("picture: damaged")
    within.__context__ = GenerationFailed("it failed")
    within.__context__.__cause__ = error
    with pytest.raises(OutOfResources, match=cure):
        reason_of(within)


@pytest.mark.parametrize(
    "error",
    [
        Declined("the service said: out of memory"),
        GenerationFailed("HTTP 500: CUDA out of memory"),
        RuntimeError("the service said: CUDA out of memory"),
        RuntimeError("the server said: not enough memory for this request"),
        ValueError("out of memory"),
        requests.ConnectionError("the service said: cannot allocate memory"),
        ImportError("x.so: failed to map segment from shared object: Operation not permitted"),
        ImportError("No module named 'x'"),
        of_number(errno.EAGAIN),  # of a lock
        of_number(errno.ENOENT),
        of_number(errno.ECONNREFUSED),
        RuntimeError("a shape that does not fit"),
    ],
    ids=repr,
)
def test_what_another_machine_says_or_has_another_cause_is_a_reason(error: Exception) -> None:
    assert shortage(error) is None
    assert reason_of(error) == str(error)


def test_a_reason_is_one_line_and_never_empty() -> None:
    assert (reason_of(ValueError("two\n lines")), reason_of(KeyError())) == ("two lines", "KeyError")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
def test_one_of_a_group_is_enough() -> None:
    group = ExceptionGroup("several", [ValueError("a"), MemoryError()])  # noqa: F821
    assert shortage(group) is not None


def test_causes_in_a_circle_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert shortage(first) is None


def test_a_process_that_cannot_be_started_is_a_shortage(monkeypatch: pytest.MonkeyPatch) -> None:
    def _execute_child(*_: object, **__: object) -> None:
        raise of_number(errno.EAGAIN)

    monkeypatch.setattr(subprocess.Popen, "_execute_child", _execute_child)
    with pytest.raises(BlockingIOError) as caught:
        subprocess.run(["true"], check=True)
    assert "processes can be started" in str(shortage(caught.value))


def test_real_allocations_that_fail_are_known() -> None:
    import cv2

    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(10**18)
    with pytest.raises(cv2.error) as of_opencv:
        cv2.resize(picture, (10**7, 10**7))
    assert shortage(of_numpy.value) and shortage(of_opencv.value)


def test_a_picture_for_which_memory_lacks_is_not_called_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    def load(_: object) -> None:
        raise OSError("out of memory error when reading image file")

    whole = Picture(encode_final(np.zeros((8, 8, 3), np.uint8)))
    monkeypatch.setattr(Image.Image, "load", load)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(OutOfResources):
        _ = whole.rgb
