"""Where a model runs and at what precision, found without importing torch on a machine that has only a CPU.

Every verb asks for the versions of scorers, and these name the precision: an import of torch would cost each a second.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from selector.domain import InputError, MissingPart

_GPU_SIGNS = (Path("/proc/driver/nvidia/version"), Path("/dev/kfd"), Path("/dev/dxg"))  # NVIDIA, AMD, either in WSL2
_CPU_FACTS = Path("/proc/cpuinfo")
_FORM = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def need_packages(who_needs: str, *packages: str) -> None:
    """Raise ``MissingPart`` for the first package that is not installed; ``who_needs``: "an embedding needs"."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingPart(f"{who_needs} {package}: pip install 'bestshot[models]'")


@lru_cache(maxsize=1)
def best_device() -> str:
    """cuda, mps or cpu."""
    if platform.system() == "Linux" and not any(sign.exists() for sign in _GPU_SIGNS):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def device_named(setting: str) -> str:
    """The device that a setting means: cpu, cuda, cuda:1, mps, …, or the best one for ``auto``."""
    return best_device() if setting == "auto" else setting


def check_form(setting: str) -> None:
    """Raise ``InputError`` for what can name no device."""
    if not _FORM.fullmatch(setting):
        raise InputError(f"device is one of auto, cpu, cuda, cuda:N (a GPU by its number), mps, got '{setting}'")


def check_device(setting: str) -> None:
    """Raise ``MissingPart`` where a setting names a GPU that is not here."""
    kind, _, number = setting.partition(":")
    if kind not in ("cuda", "mps"):
        return
    if best_device() != kind:
        raise MissingPart(f'device = "{setting}", but no {kind} device is here: set device = "auto" or "cpu"')
    if number:
        import torch

        here = torch.cuda.device_count()
        if int(number) >= here:
            raise MissingPart(f'device = "{setting}", but the last GPU here is cuda:{here - 1}: name one that is here')


@lru_cache(maxsize=4)
def best_precision(device: str) -> str:
    """bf16 where the device has instructions for it, fp16 on older GPUs, else fp32.

    A CPU without such instructions emulates bfloat16, many times slower than float32.
    """
    if device == "cpu":
        return "bf16" if _cpu_multiplies_bfloat16() else "fp32"
    if device.startswith("cuda"):
        return "bf16" if _gpu_multiplies_bfloat16() else "fp16"
    return "fp32"


def _gpu_multiplies_bfloat16() -> bool:
    import torch

    try:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    except TypeError:  # PyTorch before 2.4, which counted no emulation
        return bool(torch.cuda.is_bf16_supported())


def _cpu_multiplies_bfloat16() -> bool:
    try:
        flags = _CPU_FACTS.read_text(encoding="ascii", errors="ignore")
    except OSError:  # no Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


@contextmanager
def cores_shared_by(streams: int) -> Iterator[None]:
    """Threads that start in here and use torch take an equal share of the cores each; torch's own default returns.

    With one thread a core and no more, nobody waits at a barrier for a thread that is decoding.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // streams))
    try:
        yield
    finally:
        torch.set_num_threads(before)
