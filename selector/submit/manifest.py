"""The manifest beside a ZIP: all that it takes to rebuild the submission. It has no clock: same picks, same bytes."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import selector
from selector.domain import stable_hash
from selector.weights.bundled import weight_hashes

FORMAT_VERSION = 1
_PACKAGES = (
    "numpy",
    "scipy",
    "pillow",
    "opencv-python-headless",
    "opencv-python",
    "dlib-bin",
    "face_recognition_models",
    "rapidocr",
    "onnxruntime",
    "scikit-image",
    "scikit-learn",
    "sqlalchemy",
)


def manifest_bytes(
    submission_id: str,
    zip_name: str,
    zip_sha256: str,
    profile: Any,
    config: Any,
    contest: Mapping[str, Any],
    basis: Mapping[str, Any],
    picks: Sequence[Mapping[str, Any]],
) -> bytes:
    """The manifest as JSON (UTF-8, indented). ``profile`` and ``config`` are pydantic models."""
    content = {
        "format": FORMAT_VERSION,
        "submission": submission_id,
        "zip": {"name": zip_name, "sha256": zip_sha256},
        "profile": {"name": profile.name, "hash": stable_hash(profile.model_dump(mode="json"))},
        "config": config.model_dump(mode="json", exclude={"store"}),  # the store's URL may hold a password
        "contest": contest,  # hashes of the task table and of all input pictures
        "basis": basis,
        "program": {
            "bestshot": selector.__version__,
            "git": git_state(),
            "python": platform.python_version(),
            "packages": package_versions(),
            "weights": weight_hashes(),
        },
        "picks": list(picks),
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def package_versions() -> dict[str, str]:
    """Versions of the packages whose arithmetic shows in pixels or scores; what is not installed is left out."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> dict[str, Any] | None:
    """Commit and dirty flag of the checkout that this code runs from; None when it is installed from elsewhere."""
    root = Path(selector.__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain"))}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
