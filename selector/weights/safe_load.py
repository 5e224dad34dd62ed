"""Loads a file of weights without running any code that it may hold, or reading what lies outside of its folder.

safetensors holds only numbers. A pickle (``.pt``, ``.pth``, ``.bin``, ``.ckpt``) is a program; PyTorch's restricted
reader (``weights_only=True``) executes none of it but the making of tensors. What needs more is refused.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.domain import InputError, MissingPart
from selector.domain.names import check_name

if TYPE_CHECKING:
    import torch

PICKLES = (".pt", ".pth", ".bin", ".ckpt")
_SAFE_TORCH = (2, 6)  # before 2.6 the restricted reader could be made to run code (CVE-2025-32434)
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_LFS_POINTER = b"version https://git-lfs"
_INDICES = "*.index*.json"  # with a variant: "model.safetensors.index.fp16.json"
_CONVERT = "take the model's .safetensors, or save its state_dict() again from code that you trust"


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of a file, on the CPU, as they are stored. A wrapping ``{"state_dict": …}`` is taken off.

    Raises:
        MissingPart: PyTorch or safetensors is not installed, or the file is not there.
        InputError: the file is damaged, holds no named tensors, or would have to run code (a TorchScript archive, a
            pickle of anything but tensors); nothing of it was run.
    """
    if not path.is_file():
        raise MissingPart(f"there are no weights at {path}: fetch them (bestshot weights list) or mend the path")
    _refuse_pointer(path)
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        return _load_safetensors(path)
    if suffix in PICKLES:
        return _named_tensors(_load_pickle(path), path)
    raise InputError(f"{path.name} is no file of weights: expected .safetensors or {', '.join(PICKLES)}")


def check_named_files(folder: Path) -> None:
    """Check the files that weights in parts (shards) are read from; reads the indices of ``folder`` alone.

    Raises:
        InputError: an index names a file outside of the folder, or cannot be read.
    """
    for index in sorted(folder.glob(_INDICES)):
        for name in sorted(_parts(index)):
            check_name(name, f"{index.name} names the weights", "take another copy of the model", folders=True)


def _parts(index: Path) -> set[str]:
    try:
        return {str(name) for name in json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index} is no index of weights ({type(error).__name__}): copy the model again") from error


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingPart(f"{path.name} needs PyTorch and safetensors: pip install 'bestshot[models]'") from error
    try:
        return dict(load_file(path, device="cpu"))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(_damaged(path, error)) from error


def _load_pickle(path: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingPart(f"{path.name} needs PyTorch: pip install 'bestshot[models]'") from error
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < _SAFE_TORCH:
        raise InputError(
            f"{path.name} is a pickle, which PyTorch {torch.__version__} cannot read safely: "
            "pip install 'torch>=2.6', or take the model's .safetensors"
        )
    if _is_torchscript(path):
        raise InputError(f"{path.name} is a TorchScript archive, which holds code and is not run: {_CONVERT}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path.name} is not tensors alone and might run code, so it is refused: {_CONVERT}"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(_damaged(path, error)) from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name or name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _named_tensors(loaded: Any, path: Path) -> dict[str, torch.Tensor]:
    import torch

    for wrapper in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping) or not loaded:
        raise InputError(f"{path.name} holds a {type(loaded).__name__}, expected named tensors: {_CONVERT}")
    wrong = next((key for key, value in loaded.items() if not isinstance(value, torch.Tensor)), None)
    if wrong is not None:
        raise InputError(
            f"{path.name} holds a {type(loaded[wrong]).__name__} at '{wrong}', expected tensors: {_CONVERT}"
        )
    return {str(key): value for key, value in loaded.items()}


def _refuse_pointer(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(_LFS_POINTER))
    if start == _LFS_POINTER:
        raise InputError(f"{path} is a Git LFS pointer, not the weights: run `git lfs pull` there, or fetch them")


def _damaged(path: Path, error: Exception) -> str:
    what = " ".join(str(error).split())[:120] or type(error).__name__
    return f"{path.name} cannot be read as weights ({what}): it is damaged or cut off, fetch it again"
