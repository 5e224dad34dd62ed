"""Where a model runs, in which numbers, and how it fits: a decision by figures, apart from the loading itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from generators._pipelines.model_folder import Weights
from selector.domain import InputError, MissingPart
from selector.domain.words import size_words

Offload = Literal["none", "model", "sequential"]
OFFLOADS: tuple[str, ...] = ("auto", "none", "model", "sequential")
DTYPES: tuple[str, ...] = ("auto", "bf16", "fp16", "fp32")
TORCH_NAMES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
BYTES = {"bf16": 2, "fp16": 2, "fp32": 4}
GB = 1 << 30
# Room for what a pass computes with at 1 MP, beside the weights. A guess on the safe side; a pass that does not fit all
# the same is halved.
WORKING_BYTES = 4 * GB


@dataclass(frozen=True)
class Placement:
    """How a model lies in memory.

    Attributes:
        offload: "none" (all on the device), "model" (one part at a time there), "sequential" (one layer at a time).
        tiling: the autoencoder works on tiles, which changes pixels near their borders a little.
    """

    device: str
    dtype: str
    offload: Offload
    tiling: bool


def choose_device(wish: str) -> str:
    """The accelerator of this machine, or the CPU; or the wish, if it is here. Raises ``InputError`` if it is not."""
    import torch

    here = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if here == "cpu" and hasattr(torch, "xpu") and torch.xpu.is_available():
        here = "xpu"
    kind = wish.partition(":")[0]
    if wish != "auto" and kind not in ("cpu", here):
        raise InputError(f'diffusers: device {wish!r} is not here; this machine has {here}: set device = "auto"')
    return here if wish == "auto" else wish


def choose_dtype(wish: str, device: str, trained_in: str = "", dtype_on_cpu: str = "") -> str:
    """The wish, or the best for the device: bf16 where it is native, else fp16 on an accelerator, fp32 on a CPU.

    A model that was trained in bf16 overflows in fp16, and gets fp32 instead. ``dtype_on_cpu``: of a model that has one
    of its own there.

    Raises:
        InputError: fp16 on a CPU, which is slow where it works and gives NaN where not.
    """
    on_cpu = device == "cpu"
    if wish == "fp16" and on_cpu:
        raise InputError('diffusers: fp16 does not work on a CPU; set dtype = "auto", "bf16" or "fp32"')
    if wish != "auto":
        return wish
    if on_cpu:
        return dtype_on_cpu or ("bf16" if _cpu_has_bf16() else "fp32")
    return "bf16" if _accelerator_has_bf16(device) else "fp32" if trained_in == "bf16" else "fp16"


def _cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 natively; elsewhere it is emulated, many times slower."""
    import torch

    asked = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in asked)


def _accelerator_has_bf16(device: str) -> bool:
    import torch

    return not device.startswith("cuda") or bool(torch.cuda.is_bf16_supported(including_emulation=False))


def free_bytes(device: str) -> int:
    """Memory that is free on the device now; for a CPU, what the system could give. 0 when it is not known."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    if device == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory())
    if device.startswith("xpu"):
        return int(torch.xpu.mem_get_info()[0])
    table = Path("/proc/meminfo")  # Linux; elsewhere the system swaps before it refuses
    lines = table.read_text().splitlines() if table.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), 0)


def place(weights: Weights, device: str, dtype: str, wish: str, free: int) -> Placement:
    """All on the device if it fits beside the working memory, else one part at a time, else one layer at a time.

    Args:
        wish: "auto", or the offload that the user wants.
        free: bytes of the device's memory; 0 is not known, and taken for enough.

    Raises:
        MissingPart: a CPU has less memory than the weights take; there is nothing to offload to.
        InputError: offload is wished for on a CPU.
    """
    if device == "cpu":
        if wish not in ("auto", "none"):
            raise InputError(f'diffusers: offload = "{wish}" needs an accelerator; set offload = "auto"')
        if 0 < free < weights.total_bytes:
            raise MissingPart(
                f"diffusers: the weights need {size_words(weights.total_bytes)} of memory in {dtype} and "
                f"{size_words(free)} are free; take a smaller model, or a machine with an accelerator"
            )
        return Placement(device, dtype, "none", tiling=False)
    if wish != "auto":
        offload = wish
    elif free <= 0 or weights.total_bytes + WORKING_BYTES <= free:
        offload = "none"
    else:
        offload = "model" if weights.largest_bytes + WORKING_BYTES // 2 <= free else "sequential"
    tight = 0 < free < weights.largest_bytes + WORKING_BYTES
    return Placement(device, dtype, offload, tiling=tight)  # type: ignore[arg-type]


def tighter_than(placement: Placement) -> Placement | None:
    """The next way that needs less of the device's memory and more time; None when there is none."""
    following: dict[str, Offload] = {"none": "model", "model": "sequential"}
    if placement.device == "cpu" or placement.offload not in following:
        return None
    return replace(placement, offload=following[placement.offload], tiling=True)


def put(pipe: Any, placement: Placement) -> None:
    """Carry it out on a pipeline that was just loaded or built."""
    if placement.offload == "model":
        pipe.enable_model_cpu_offload(device=placement.device)
    elif placement.offload == "sequential":
        pipe.enable_sequential_cpu_offload(device=placement.device)
    else:
        pipe.to(placement.device)
    autoencoder: Any = getattr(pipe, "vae", None)
    if hasattr(autoencoder, "enable_slicing"):
        autoencoder.enable_slicing()  # one picture of a pass at a time: the same pixels, less memory
    if placement.tiling:
        tile(pipe)


def tile(pipe: Any) -> bool:
    """Let the autoencoder work on tiles. False when it cannot."""
    autoencoder: Any = getattr(pipe, "vae", None)
    if not hasattr(autoencoder, "enable_tiling"):
        return False
    autoencoder.enable_tiling()
    return True
