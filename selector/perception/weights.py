"""The files of weights that perception uses, and their hashes: what a manifest needs to name them exactly."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

_FILES = {  # package: files below its folder, as patterns
    "face_recognition_models": ("models/shape_predictor_68*.dat", "models/dlib_face_recognition_resnet*.dat"),
    "rapidocr": ("models/*.onnx",),
}


@lru_cache(maxsize=1)
def weight_hashes() -> dict[str, str]:
    """File name to SHA-256 of every weights file that is installed here; reads about 150 MB, once a process."""
    return {path.name: _sha256(path) for package, patterns in _FILES.items() for path in _found(package, patterns)}


def _found(package: str, patterns: tuple[str, ...]) -> list[Path]:
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    return sorted(path for folder in folders for pattern in patterns for path in folder.glob(pattern))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
