"""What a folder in diffusers' format says of itself, read without importing anything heavy."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from selector.domain import InputError, MissingPart
from selector.domain.names import check_name
from selector.weights.safe_load import check_named_files

INDEX = "model_index.json"
WEIGHTS = (".safetensors", ".bin")
READ_BYTES = 32_000_000  # weights up to here are told apart by their content


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
        content = json.loads(index.read_text(encoding="utf-8"))
        named = {
            key: (str(value[0]), str(value[1]))
            for key, value in content.items()
            if isinstance(value, list) and len(value) == 2 and value[0] is not None and not key.startswith("_")
        }
        pipeline = content["_class_name"]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise MissingPart(
            f"diffusers: {INDEX} of {path.name} cannot be read ({type(error).__name__}); copy the folder again"
        ) from error
    for name in named:
        check_name(name, f"diffusers: {INDEX} names the part", "take another copy of the model")
        check_named_files(path / name)
    _refuse_code(path, pipeline, named)
    return ModelFolder(path, pipeline, named)


def _refuse_code(path: Path, pipeline: object, components: Mapping[str, tuple[str, str]]) -> None:
    code = [
        f"{name}/{library}.py" for name, (library, _) in components.items() if (path / name / f"{library}.py").exists()
    ]
    if not isinstance(pipeline, str):
        code.append(f"{pipeline[0]}.py" if isinstance(pipeline, list) and pipeline else repr(pipeline))
    if code:
        raise InputError(
            f"diffusers: {path.name} brings program code of its own ({', '.join(code)}), which is never run; "
            "take a model whose pipeline is part of diffusers"
        )


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
    digest = hashlib.sha256()
    for file in _files(path):
        name = file.relative_to(path).as_posix()
        size = file.stat().st_size
        content = file.read_bytes() if file.suffix in (".json", ".txt") or size <= READ_BYTES else str(size).encode()
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()[:12]


def _files(path: Path) -> Iterator[Path]:
    kinds = (*WEIGHTS, ".json", ".txt", ".model")
    places = [path, *sorted(place for place in path.iterdir() if place.is_dir() and not place.name.startswith("."))]
    for place in places:
        yield from sorted(file for file in place.iterdir() if file.is_file() and file.suffix in kinds)
