"""ONNX models by path: opened once a process, shared by all threads, their inputs and outputs known by name and shape.

Who uses it: whatever brings a network as an ONNX file of the user's (face embedder, face swapper, restorer, detector,
enlarger). Nothing is loaded at import; onnxruntime comes with the program.
Threads: a call computes on ``threads`` cores, one by default. A run calls from as many threads as it has workers, so
all cores are busy, none waits for another at a barrier, and a result does not depend on how many cores a machine has.
Devices: ``auto`` takes CUDA where this onnxruntime has it (package ``onnxruntime-gpu``) and else the CPU; ``cuda``,
``cuda:N`` and ``cpu`` are meant literally. On a GPU the algorithms are fixed and TF32 is off, so that runs repeat. Only
the CPU could be tried where this was written.
Memory: the file's size and the activations; the models used last are kept, ``KEPT`` of them, until ``forget_models``.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selector.domain import (
    InputError,
    MissingPart,
    is_out_of_memory,
    out_of_memory,
    raise_shortage,
    reason_of,
)
from selector.weights.unreadable import why_unreadable

Array = NDArray[Any]
_log = logging.getLogger("bestshot.sight")

KEPT = 8
_DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?")
_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


@dataclass(frozen=True)
class Port:
    """An input or output: its name, its shape (``None``: any size) and numpy's type; ``dtype`` None: it has none."""

    name: str
    shape: tuple[int | None, ...]
    dtype: Any

    def takes(self, *sizes: int | None) -> bool:
        """Whether an array of these sizes can pass; None as a size says that it does not matter."""
        pairs = zip(self.shape, sizes, strict=False)
        return len(self.shape) == len(sizes) and all(None in pair or pair[0] == pair[1] for pair in pairs)

    def __str__(self) -> str:
        return f"{self.name} [{', '.join('?' if n is None else str(n) for n in self.shape)}]"


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A loaded model. ``device`` is where it runs, cpu or cuda; threads may share it."""

    path: Path
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    device: str
    session: Any  # onnxruntime.InferenceSession

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """All outputs, in order, of inputs by name, which are brought to the type that the model wants.

        Raises:
            InputError: the model cannot be run on arrays of these shapes. OutOfResources: the memory is too small.
        """
        types = {port.name: port.dtype for port in self.inputs}
        ready = {name: np.ascontiguousarray(value, dtype=types.get(name)) for name, value in feeds.items()}
        try:
            return [np.asarray(found) for found in self.session.run(None, ready)]
        except Exception as error:  # onnxruntime's exceptions have no common class of their own
            shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in ready.items())
            if is_out_of_memory(error):
                raise out_of_memory(f"{self.path.name}: not enough memory for {shapes}") from error
            raise InputError(f"{self.path} does not run on {shapes}: {reason_of(error)[:200]}") from error

    def signature(self) -> str:
        """What it takes and gives, for messages: ``takes x [?, 3, 112, 112] and gives y [?, 512]``."""
        return f"takes {_listed(self.inputs)} and gives {_listed(self.outputs)}"


def model_file(path: str | Path, who: str, what: str, setting: str = "model_path") -> Path:
    """The file of a setting, which is only looked for: for ``check``.

    Raises:
        MissingPart: nothing is set, or no file is there. ``who`` is the plug-in with its table of campaign.toml, such
            as ``generators.inswapper``; ``what`` says what kind of model the file holds.
    """
    name, cure = who.rpartition(".")[2], f"set [{who}] {setting} in campaign.toml"
    if not path:
        raise MissingPart(f"{name} needs the ONNX file of {what}: {cure}")
    if not Path(path).is_file():
        raise MissingPart(f"{name} finds no model at {path}: {cure}")
    return Path(path)


def check_onnx(device: str = "auto") -> None:
    """Raise ``InputError`` for a device that is none, ``MissingPart`` where it or onnxruntime is not here; fast."""
    if not _DEVICE.fullmatch(device):
        raise InputError(f"device is one of auto, cpu, cuda, cuda:N (a GPU by its number), got '{device}'")
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingPart("ONNX models need onnxruntime, which is not installed: pip install onnxruntime")
    if device.startswith("cuda"):
        _providers(device)


def open_model(path: str | Path, device: str = "auto", threads: int = 1) -> OnnxModel:
    """The model of a file, loaded once as long as the file stays as it is.

    Args:
        path: an ``.onnx`` file; weights that it keeps in a file beside it are found there.
        device: auto, cpu, cuda or cuda:N.
        threads: cores that one call uses on a CPU; 0 for all.

    Raises:
        MissingPart: no such file, device or onnxruntime. InputError: it cannot be read as ONNX, which is remembered,
            so that it costs its time once and not with every picture.
    """
    check_onnx(device)
    path = Path(path)
    try:
        facts = path.stat()
    except OSError as error:
        raise_shortage(error)
        raise MissingPart(f"the model at {path} cannot be read ({error.strerror or error}): mend the path") from error
    version = (facts.st_size, facts.st_mtime_ns)
    with _lock:
        slot = _slots.setdefault((str(path.absolute()), device, threads), _Slot())
        _slots.move_to_end((str(path.absolute()), device, threads))
        while len(_slots) > KEPT:
            _slots.popitem(last=False)
    return slot.model(path, version, device, threads)


def forget_models() -> None:
    """Free the memory of all models that nobody is using: before another program part loads a large one."""
    with _lock:
        _slots.clear()


class _Slot:
    """The place of one model. Its lock makes the second thread wait for the first one's loading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._found: OnnxModel | str = ""

    def model(self, path: Path, version: tuple[int, int], device: str, threads: int) -> OnnxModel:
        with self._lock:
            if version != self._version:
                self._found = ""  # the old one's memory first
                try:
                    self._found = _load(path, device, threads)
                except InputError as error:
                    self._found = str(error)
                self._version = version
            if isinstance(self._found, str):
                raise InputError(self._found)
            return self._found


_slots: OrderedDict[tuple[str, str, int], _Slot] = OrderedDict()
_lock = threading.Lock()


def _load(path: Path, device: str, threads: int) -> OnnxModel:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # published files declare an output of one face and give as many as went in
    options.intra_op_num_threads = threads
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores to others

    def opened(providers: list[Any]) -> Any:  # without onnxruntime's own second try, which it prints
        return onnxruntime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)

    providers = _providers(device)
    try:
        try:
            session = opened(providers)
        except Exception as error:
            if len(providers) == 1:
                raise
            _log.info("%s does not open on a GPU, a CPU is tried: %s", path, why_unreadable(error, path))
            session = opened(["CPUExecutionProvider"])  # a GPU that does not start, if it is not the file
        ports = _ports(session.get_inputs()), _ports(session.get_outputs())
    except Exception as error:
        raise InputError(
            f"{path}: not an ONNX model that can be read here ({why_unreadable(error, path)}): fetch the file again"
        ) from error
    runs_on = "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"
    if device.startswith("cuda") and runs_on == "cpu":
        raise MissingPart(f'device = "{device}", but CUDA does not start in onnxruntime: set device = "auto" or "cpu"')
    return OnnxModel(path, *ports, runs_on, session)


def _providers(device: str) -> list[Any]:
    """What onnxruntime is to try, in order."""
    import onnxruntime

    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        number = device.partition(":")[2] or "0"
        fixed = {"device_id": number, "cudnn_conv_algo_search": "DEFAULT", "use_tf32": "0"}
        return [("CUDAExecutionProvider", fixed), "CPUExecutionProvider"]
    if device != "auto":
        raise MissingPart(f'device = "{device}", but this onnxruntime has no CUDA: pip install onnxruntime-gpu')
    return ["CPUExecutionProvider"]


def _ports(described: Sequence[Any]) -> tuple[Port, ...]:
    return tuple(
        Port(
            one.name,
            tuple(n if isinstance(n, int) and n > 0 else None for n in one.shape or ()),  # names are free sizes
            _TYPES.get(one.type),
        )
        for one in described
    )


def _listed(ports: Sequence[Port]) -> str:
    return "; ".join(map(str, ports)) or "nothing"
