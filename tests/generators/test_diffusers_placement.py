"""Where a model goes, by figures: the decisions, without the machines."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from generators._pipelines import placement
from generators._pipelines.model_folder import ModelFolder, Weights, weigh
from generators._pipelines.placement import GB, Placement, choose_device, choose_dtype, place, put, tighter_than
from selector.domain import InputError, MissingPart, is_out_of_memory

COGVIEW = Weights(31 * GB, 18 * GB)  # about CogView4-6B in bf16: GLM's encoder, a transformer of 6 B, an autoencoder


@pytest.mark.parametrize(
    "free_gb, offload, tiling",
    [
        (0, "none", False),
        (80, "none", False),
        (35, "none", False),
        (24, "model", False),
        (20, "model", True),
        (12, "sequential", True),
    ],
)
def test_it_fits_whole_or_by_parts_or_by_layers(free_gb: int, offload: str, tiling: bool) -> None:
    assert place(COGVIEW, "cuda", "bf16", "auto", free_gb * GB) == Placement("cuda", "bf16", offload, tiling)  # type: ignore[arg-type]


def test_the_users_wish_goes_before_the_estimate() -> None:
    assert place(COGVIEW, "cuda", "bf16", "sequential", 80 * GB).offload == "sequential"


def test_a_cpu_offloads_nothing_and_says_when_it_is_too_small() -> None:
    assert place(COGVIEW, "cpu", "fp32", "auto", 64 * GB) == Placement("cpu", "fp32", "none", tiling=False)
    with pytest.raises(InputError, match="needs an accelerator"):
        place(COGVIEW, "cpu", "fp32", "model", 64 * GB)
    with pytest.raises(MissingPart, match=r"need 33.3 GB of memory in fp32 and 17.2 GB are free"):
        place(COGVIEW, "cpu", "fp32", "auto", 16 * GB)


def test_when_the_estimate_was_too_low_the_next_way_is_tried() -> None:
    first = Placement("cuda", "bf16", "none", tiling=False)
    second = tighter_than(first)
    assert second is not None and second.offload == "model"
    third = tighter_than(second)
    assert third is not None and third.offload == "sequential"
    assert tighter_than(third) is None and tighter_than(Placement("cpu", "fp32", "none", tiling=False)) is None


def test_numbers_are_the_devices_best(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(placement, "_cpu_has_bf16", lambda: False)
    assert choose_dtype("auto", "cpu") == "fp32"
    monkeypatch.setattr(placement, "_cpu_has_bf16", lambda: True)
    assert choose_dtype("auto", "cpu") == "bf16"
    for native, dtype in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda native=native, **_: native)
        assert choose_dtype("auto", "cuda:0") == dtype
    assert choose_dtype("auto", "cuda", trained_in="bf16") == "fp32"  # in fp16 it would overflow
    assert choose_dtype("fp32", "cuda") == "fp32"
    with pytest.raises(InputError, match="fp16 does not work on a CPU"):
        choose_dtype("fp16", "cpu")


def test_an_accelerator_goes_before_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"
    assert choose_device("cuda:1") == "cuda:1" and choose_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="'cuda' is not here"):
        choose_device("cuda")


class _Recorder:
    """Stands where a pipeline would: there is no accelerator here on which one could be placed."""

    def __init__(self) -> None:
        self.vae = self
        self.asked: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self.asked.append((name, args or kwargs))


@pytest.mark.parametrize(
    "offload, asked",
    [
        ("none", [("to", ("cuda",)), ("enable_slicing", {})]),
        ("model", [("enable_model_cpu_offload", {"device": "cuda"}), ("enable_slicing", {}), ("enable_tiling", {})]),
        ("sequential", [("enable_sequential_cpu_offload", {"device": "cuda"}), ("enable_slicing", {}),
                        ("enable_tiling", {})]),
    ],
)  # fmt: skip
def test_a_placement_is_carried_out_by_the_calls_that_diffusers_has(offload: Any, asked: Any) -> None:
    from diffusers import AutoencoderKL, DiffusionPipeline

    recorder = _Recorder()
    put(recorder, Placement("cuda", "bf16", offload, tiling=offload != "none"))
    assert recorder.asked == asked
    assert all(hasattr(DiffusionPipeline, name) or hasattr(AutoencoderKL, name) for name, _ in asked)


def test_all_words_for_no_memory_are_known() -> None:
    import torch

    for error in (
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("MPS backend out of memory (MPS allocated: 20 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to"),
    ):
        assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shape mismatch")) and not is_out_of_memory(ValueError("out of memory"))


def test_weights_are_weighed_by_their_table_in_the_numbers_that_they_get(tmp_path: Path) -> None:
    header = {"a": {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]},
              "b": {"dtype": "F16", "shape": [6], "data_offsets": [40, 52]}, "__metadata__": {}}  # fmt: skip
    text = json.dumps(header).encode()
    for part in ("unet", "vae"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(52))
    folder = ModelFolder(tmp_path, "X", {"unet": ("diffusers", "UNet"), "vae": ("diffusers", "VAE")})
    assert weigh(folder, "", False, 2) == Weights(total_bytes=64, largest_bytes=32)
