"""The files of weights that scorers and ``sight`` use, and their hashes: what a manifest needs to name them exactly."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from selector.domain.digest import sha256_of

FACE_PACKAGES = ("dlib-bin", "face_recognition_models")
TEXT_PACKAGES = ("rapidocr", "onnxruntime")

_FILES = {  # package: files below its folder, as patterns
    "face_recognition_models": ("models/shape_predictor_68*.dat", "models/dlib_face_recognition_resnet*.dat"),
    "rapidocr": ("models/*.onnx",),
}


@lru_cache(maxsize=1)
def weight_hashes() -> dict[str, str]:
    """File name to SHA-256 of every weights file that is installed here; reads about 150 MB, once a process."""
    return {path.name: sha256_of(path) for package, patterns in _FILES.items() for path in _found(package, patterns)}


@lru_cache(maxsize=8)
def weights_tag(*packages: str) -> str:
    """Eight hex digits that change with the version of the packages or with the files of weights that they hold.

    For the version of a scorer. It goes by versions, file names and sizes, so that it costs a millisecond; a manifest
    has the files' hashes. The same on every machine that has the same packages. A package that is absent counts, too.

    Args:
        packages: of ``FACE_PACKAGES`` and ``TEXT_PACKAGES``, by the names that pip knows.
    """
    parts = []
    for package in packages:
        sizes = [f"{path.name}={path.stat().st_size}" for path in _found(package, _FILES.get(package, ()))]
        parts.append(" ".join([package, _version(package), *sizes]))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _found(package: str, patterns: tuple[str, ...]) -> list[Path]:
    if not patterns:
        return []
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    return sorted(path for folder in folders for pattern in patterns for path in folder.glob(pattern))
