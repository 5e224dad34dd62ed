"""Loads a file of weights without running any code that it may hold, or reading what lies outside of its folder.

safetensors holds only numbers. A pickle (``.pt``, ``.pth``, ``.bin``, ``.ckpt``) is a program; PyTorch's restricted
reader (``weights_only=True``) executes none of it but the making of tensors. What needs more is refused.
"""

from __future__ import annotations

import mmap
import pickle
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.domain import InputError, MissingPart
from selector.domain.json_text import parse_json
from selector.domain.names import check_name
from selector.weights.unreadable import why_unreadable

if TYPE_CHECKING:
    import torch

PICKLES = (".pt", ".pth", ".bin", ".ckpt")
_SAFE_TORCH = (2, 6)  # before 2.6 the restricted reader could be made to run code (CVE-2025-32434)
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_ARCHIVE = b"PK\x03\x04"
_LFS_POINTER = b"version https://git-lfs"
_INDICES = "*.index*.json"  # with a variant: "model.safetensors.index.fp16.json"
_OLD_PICKLES = 5  # one after another at the beginning of a file of the format before PyTorch 1.6
_LONGEST_NAME = 1000  # of a class: PyTorch takes the square of it, or more, to make an error that quotes it
_ZEROS = ("builtins bytearray", "__builtin__ bytearray")  # allowed there, of any length
_EXPANDED_BYTES = 64 << 20  # of a tensor that repeats its numbers, as some published ones do
_CONVERT = "take the model's .safetensors, or save its state_dict() again from code that you trust"


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of a file, on the CPU, as they are stored. A wrapping ``{"state_dict": …}`` is taken off.

    Raises:
        MissingPart: PyTorch or safetensors is not installed, or the file is not there.
        InputError: the file is damaged, holds no named tensors of real numbers, says that they are more than it holds,
            or would have to run code (a TorchScript archive, a pickle of anything but tensors); nothing of it was run.
        OutOfResources: memory ran out.
    """
    if not path.is_file():
        raise MissingPart(f"there are no weights at {path}: fetch them (bestshot weights list) or mend the path")
    _refuse_pointer(path)
    suffix = path.suffix.lower()
    if suffix not in (".safetensors", *PICKLES):
        raise InputError(f"{path.name} is no file of weights: expected .safetensors or {', '.join(PICKLES)}")
    return _named_tensors(_load_safetensors(path) if suffix == ".safetensors" else _load_pickle(path), path)


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
        return {str(name) for name in parse_json(index.read_text(encoding="utf-8"))["weight_map"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{index} is no index of weights ({type(error).__name__}): copy the model again") from error


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingPart(f"{path.name} needs PyTorch and safetensors: pip install 'bestshot[models]'") from error
    try:
        return dict(load_file(path, device="cpu"))
    except Exception as error:
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
    try:
        with path.open("rb") as file:
            if file.read(len(_ARCHIVE)) == _ARCHIVE:  # by which PyTorch, too, knows its own
                _check_archive(path)
                return torch.load(path, map_location="cpu", weights_only=True)
            # Mapped: a file allocates what is asked for before it reads, and a damaged pickle may ask for anything.
            if not path.stat().st_size:
                raise ValueError("it is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                _check_pickles(path, mapped, _OLD_PICKLES)
                mapped.seek(0)
                return torch.load(mapped, map_location="cpu", weights_only=True)  # type: ignore[arg-type]
    except pickle.UnpicklingError as error:
        raise InputError(_more_than_tensors(path)) from error
    except Exception as error:
        raise InputError(_damaged(path, error)) from error


def _check_archive(path: Path) -> None:
    """Refuse code, and what unpacks to more than the file's bytes: PyTorch stores tensors as they are."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if any("/code/" in info.filename or info.filename.endswith("/constants.pkl") for info in infos):
            raise InputError(f"{path.name} is a TorchScript archive, which holds code and is not run: {_CONVERT}")
        if sum(info.file_size for info in infos) > path.stat().st_size:
            raise ValueError("it unpacks to more bytes than it has")
        for info in infos:
            if info.filename.lower().endswith(".pkl"):  # PyTorch finds its record in any case
                _check_pickles(path, archive.read(info), 1)


def _check_pickles(path: Path, pickles: Any, count: int) -> None:
    """Refuse what costs PyTorch's restricted reader hours or memory, before it reads them."""
    try:
        is_plain = all(_makes_no_more_than_tensors(pickles) for _ in range(count))
    except (ValueError, OverflowError, IndexError) as error:
        raise InputError(_damaged(path, error)) from error
    if not is_plain:
        raise InputError(_more_than_tensors(path))


def _makes_no_more_than_tensors(pickled: Any) -> bool:
    """Whether short names of classes alone are called, as in all that PyTorch writes: its errors quote what is called.

    Raises ``ValueError``, ``OverflowError`` or ``IndexError`` where it is no pickle.
    """
    classes: list[bool | None] = []  # the stack: whether that is a class; None a mark
    memory: dict[Any, bool | None] = {}
    for code, said, _ in pickletools.genops(pickled):
        if code.name in ("GLOBAL", "INST") and (len(str(said)) > _LONGEST_NAME or said in _ZEROS):
            return False
        if code.name in ("REDUCE", "NEWOBJ") and not classes[-2]:
            return False
        if code.name.endswith("PUT") or code.name == "MEMOIZE":
            if classes[-1] is None:
                return False
            memory[len(memory) if code.name == "MEMOIZE" else said] = classes[-1]
        taken = code.stack_before
        if pickletools.markobject in taken:
            while classes.pop() is not None:
                pass
            taken = taken[: taken.index(pickletools.markobject)]
        for _ in taken:
            classes.pop()
        if code.name.endswith("GET"):
            classes.append(memory.get(said, False))
        else:
            made = code.name == "GLOBAL"
            classes += [None if one is pickletools.markobject else made for one in code.stack_after]
    return True


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
    odd = next((key for key, value in loaded.items() if not _is_plain(value)), None)
    if odd is not None:
        raise InputError(
            f"{path.name} holds no plain numbers at '{odd}', or fewer than it says: take another copy of the model"
        )
    return {str(key): value.detach() for key, value in loaded.items()}


def _is_plain(tensor: torch.Tensor) -> bool:
    """Dense numbers that lie in memory, and hardly more than there are: a small file can say that one is 10^12."""
    import torch

    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        return False
    return tensor.numel() * tensor.element_size() <= max(tensor.untyped_storage().nbytes(), _EXPANDED_BYTES)


def _more_than_tensors(path: Path) -> str:
    return f"{path.name} is not tensors alone and might run code, so it is refused: {_CONVERT}"


def _refuse_pointer(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(_LFS_POINTER))
    if start == _LFS_POINTER:
        raise InputError(f"{path} is a Git LFS pointer, not the weights: run `git lfs pull` there, or fetch them")


def _damaged(path: Path, error: Exception) -> str:
    why = why_unreadable(error, path)
    return f"{path.name} cannot be read as weights ({why}): it is damaged or cut off, fetch it again"
