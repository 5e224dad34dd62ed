"""The manifest beside a ZIP: all that it takes to rebuild the submission. It has no clock: same picks, same bytes."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

import selector
from selector.decide.revision import DECISIONS
from selector.domain import Pick, stable_hash
from selector.domain.decisions import Decision, Decisions
from selector.store import schema
from selector.store.decisions import load_history
from selector.weights.bundled import weight_hashes
from selector.workspace.workspace import Workspace

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
    ws: Workspace,
    connection: Connection,
    submission_id: str,
    zip_name: str,
    zip_sha256: str,
    basis: Mapping[str, object],
    picks: Sequence[Pick],
) -> bytes:
    """The manifest as JSON (UTF-8, indented)."""
    makers, respected = _makers(connection), int(str(basis.get(DECISIONS, 0)))
    content = {
        "format": FORMAT_VERSION,
        "submission": submission_id,
        "zip": {"name": zip_name, "sha256": zip_sha256},
        "profile": profile_facts(ws),
        # Where a campaign is kept and worked on changes no pick, and the URL may hold a password.
        "config": ws.config.model_dump(mode="json", exclude={"store", "engine"}),
        "contest": contest_facts(ws),
        "basis": basis,
        "decisions": _decisions(ws, [d for d in load_history(connection) if d.id <= respected]),
        "program": {
            "bestshot": selector.__version__,
            "git": git_state(),
            "python": platform.python_version(),
            "packages": package_versions(),
            "weights": weight_hashes(),
        },
        "picks": [
            {
                "task": p.task_id,
                "candidate": p.candidate_id,
                "fallback": p.fallback,
                "reason": p.reason,
                "made_by": makers.get((p.task_id, p.candidate_id)),
            }
            for p in picks
        ],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def profile_facts(ws: Workspace) -> dict[str, str]:
    """The profile's name, and a hash of all that it says."""
    return {"name": ws.profile.name, "hash": stable_hash(ws.profile.model_dump(mode="json"))}


def contest_facts(ws: Workspace) -> dict[str, str | None]:
    """Hashes of the task table and of all input pictures."""
    return {"table": ws.db.fact("table"), "inputs": stable_hash(ws.db.facts("input:"), 64)}


def _decisions(ws: Workspace, history: Sequence[Decision]) -> dict[str, Any]:
    """What people had decided when these were picked, and which of it held then."""
    holds = Decisions.of(history)
    return {
        "rule": ws.profile.rules.decisions.value,
        "excluded": [_decision(d) for d in sorted(holds.excluded.values(), key=lambda d: d.id)],
        "pinned": [_decision(d) for d in sorted(holds.pins.values(), key=lambda d: d.id)],
        "history": [{"kind": d.kind.value, **_decision(d)} for d in history],
    }


def _decision(decision: Decision) -> dict[str, Any]:
    target = decision.target
    about = {"task": target.task_id, "candidate": target.candidate_id, "generator": target.generator}
    named = {what: name for what, name in about.items() if name is not None}
    return {**named, "reason": decision.reason, "by": decision.by, "at": decision.at}


def _makers(connection: Connection) -> dict[tuple[str, str | None], dict[str, Any]]:
    """(task, candidate) to the first attempt, in an order that does not depend on who finished first."""
    a = schema.attempt.c
    facts = (a.generator, a.build, a.variant, a.seed, a.params)
    query = select(a.task_id, a.candidate_id, *facts).where(a.outcome == "made")
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for row in connection.execute(query.order_by(a.task_id, a.candidate_id, a.generator, a.build, a.recipe_key)):
        maker = {fact.name: value for fact, value in zip(facts, row[2:], strict=True)}
        found.setdefault((row.task_id, row.candidate_id), maker)
    return found


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
