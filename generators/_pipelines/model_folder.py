"""What a folder in diffusers' format says of itself and of its weight files, read without importing anything heavy."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from selector.domain import InputError, MissingPart
from selector.domain.json_text import parse_json
from selector.domain.names import check_name
from selector.weights.safe_load import check_named_files

INDEX = "model_index.json"
WEIGHTS = (".safetensors", ".bin")
READ_BYTES = 32_000_000  # weights up to here are told apart by their content
_NO_NETWORKS = ("Tokenizer", "TokenizerFast", "Processor", "ImageProcessorFast", "Scheduler", "FeatureExtractor")
_BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}
_LONGEST_HEADER = 100_000_000  # bytes; safetensors' own limit


@dataclass(frozen=True)
class ModelFolder:
    """A folder with ``model_index.json``.

    Attributes:
        pipeline: diffusers' class that it names.
        components: (library, class) by the name of each part that it has.
    """

    path: Path
    pipeline: str
    components: Mapping[str, tuple[str, str]]


def read_folder(path: Path) -> ModelFolder:
    """Read ``model_index.json``.

    Raises:
        MissingPart: there is no such folder, or it is of another format.
        InputError: it names program code of its own, which is never run, or files outside of itself.
    """
    index = path / INDEX
    if not index.is_file():
        what = f"has no {INDEX}" if path.is_dir() else "is not there"
        raise MissingPart(
            f"diffusers: the model folder {path.name} {what}; expected a folder as `save_pretrained` or the hub has it"
        )
    try:
        content = parse_json(index.read_text(encoding="utf-8"))
        named = {
            key: (str(value[0]), str(value[1]))
            for key, value in content.items()
            if isinstance(value, list) and len(value) == 2 and value[0] is not None and not key.startswith("_")
        }
        pipeline = content["_class_name"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise MissingPart(
            f"diffusers: {INDEX} of {path.name} cannot be read ({type(error).__name__}); copy the folder again"
        ) from error
    for name in named:
        check_name(name, f"diffusers: {INDEX} names the part", "take another copy of the model")
        check_named_files(path / name)
    own = [f"{name}/{library}.py" for name, (library, _) in named.items()]
    code = [file for file in own if os.path.exists(path / file)]  # noqa: PTH110 - Path raises at names that are too long
    if not isinstance(pipeline, str):
        code.append(f"{pipeline[0]}.py" if isinstance(pipeline, list) and pipeline else repr(pipeline))
    if code:
        raise InputError(
            f"diffusers: {path.name} brings program code of its own ({', '.join(code)}), which is never run; "
            "take a model whose pipeline is part of diffusers"
        )
    return ModelFolder(path, pipeline, named)


def check_class(pipeline: str) -> None:
    """Raise ``MissingPart`` when the installed diffusers has no such class. Reads its table, imports nothing."""
    if f'"{pipeline}"' not in _table_of_diffusers():
        raise MissingPart(
            f"diffusers: the installed version has no {pipeline}; pip install -U diffusers, or take another model"
        )


@lru_cache(maxsize=1)
def _table_of_diffusers() -> str:
    spec = importlib.util.find_spec("diffusers")
    if spec is None or spec.origin is None:
        raise MissingPart("diffusers is not installed: pip install 'bestshot[pipelines]'")
    return Path(spec.origin).read_text(encoding="utf-8")


def tag_of(path: Path) -> str:
    """Hex tag of what the folder holds; no times, no place.

    Of settings and small weights the content counts, of larger weights, which take minutes to read, name and size.
    """
    kinds = (*WEIGHTS, ".json", ".txt", ".model")
    places = [path, *sorted(place for place in path.iterdir() if place.is_dir() and not place.name.startswith("."))]
    digest = hashlib.sha256()
    for file in (file for place in places for file in sorted(place.iterdir())):
        if not file.is_file() or file.suffix not in kinds:
            continue
        name = file.relative_to(path).as_posix()
        size = file.stat().st_size
        content = file.read_bytes() if file.suffix in (".json", ".txt") or size <= READ_BYTES else str(size).encode()
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Weights:
    """Memory that the weights take: all of them, and the largest part, in bytes."""

    total_bytes: int
    largest_bytes: int


def variant_of(folder: ModelFolder, wish: str, allow_pickle: bool) -> str:
    """The variant of files ("fp16", or "" for the plain ones) to load: the wish, else the only one that is there.

    Raises:
        MissingPart: a part has no weights of that variant in an allowed format.
    """
    if wish or not _parts_without(folder, "", allow_pickle):
        variant = wish
    else:
        whole = [name for name in sorted(_variants(folder)) if not _parts_without(folder, name, allow_pickle)]
        variant = whole[0] if whole else ""
    lacking = _parts_without(folder, variant, allow_pickle)
    if not lacking:
        return variant
    name, parts, of = folder.path.name, ", ".join(lacking), f" of variant {variant!r}" if variant else ""
    if not allow_pickle and not _parts_without(folder, variant, True):
        raise MissingPart(
            f"diffusers: {name} has only pickled weights (.bin) in {parts}; take a folder with .safetensors, "
            "or set allow_pickle = true if you trust it"
        )
    raise MissingPart(
        f"diffusers: {name} has no weights{of} in {parts}; the copy is not complete, or another `variant` is meant"
    )


def _parts_without(folder: ModelFolder, variant: str, allow_pickle: bool) -> list[str]:
    """Networks without weights. A part may be plain where the variant's file is missing, but not all of them."""
    networks = [name for name, (_, cls) in folder.components.items() if _is_network(folder.path / name, cls)]
    files = [file for name in networks for file in _weight_files(folder.path / name, allow_pickle)]
    if variant and not any(_is_of(file, variant) for file in files):
        return networks
    return [name for name in networks if not _chosen(folder.path / name, variant, allow_pickle)]


def _is_network(place: Path, cls: str) -> bool:
    """By what lies there, and by the class, because a tokenizer may have a config.json as well."""
    return not cls.endswith(_NO_NETWORKS) and (not place.is_dir() or (place / "config.json").is_file())


def _variants(folder: ModelFolder) -> set[str]:
    """Names between the stem and the ending: "fp16" of ``model.fp16.safetensors``."""
    found = set()
    for name in folder.components:
        for file in _weight_files(folder.path / name, True):
            parts = file.name.split(".")
            if len(parts) > 2:
                found.add(parts[1].split("-")[0])
    return found


def _weight_files(place: Path, allow_pickle: bool) -> list[Path]:
    endings = WEIGHTS if allow_pickle else WEIGHTS[:1]
    return sorted(file for file in place.glob("*") if file.suffix in endings) if place.is_dir() else []


def _is_of(file: Path, variant: str) -> bool:
    middle = file.name.split(".")[1:-1]
    return bool(middle) and middle[0].split("-")[0] == variant if variant else not middle


def _chosen(place: Path, variant: str, allow_pickle: bool) -> list[Path]:
    """The files that are loaded: of the variant or else the plain ones, in safetensors where there are any."""
    files = _weight_files(place, allow_pickle)
    mine = [file for file in files if _is_of(file, variant)] or [file for file in files if _is_of(file, "")]
    return [file for file in mine if file.suffix == WEIGHTS[0]] or mine


def weigh(folder: ModelFolder, variant: str, allow_pickle: bool, bytes_a_number: int) -> Weights:
    """Memory of the weights at so many bytes a number, by the files' own tables: nothing is loaded."""
    sizes = [
        sum(_bytes_of(file, bytes_a_number) for file in _chosen(folder.path / name, variant, allow_pickle))
        for name in folder.components
    ]
    return Weights(sum(sizes), max(sizes, default=0))


def _bytes_of(file: Path, bytes_a_number: int) -> int:
    if file.suffix != WEIGHTS[0]:
        return file.stat().st_size
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError("no safetensors file")
            header = parse_json(stream.read(length))
        numbers = sum(
            (entry["data_offsets"][1] - entry["data_offsets"][0]) * 8 // _BITS.get(entry["dtype"], 16)
            for key, entry in header.items()
            if key != "__metadata__"
        )
        if not 0 <= numbers <= 8 * file.stat().st_size:
            raise ValueError("it has fewer bits than it tells of numbers")
    except (OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, struct.error) as error:
        raise MissingPart(
            f"diffusers: {file.parent.name}/{file.name} is damaged ({type(error).__name__}); copy the model again"
        ) from error
    return int(numbers * bytes_a_number)
