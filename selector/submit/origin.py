"""Which images of a ZIP are this campaign's: by content, so that a swapped or re-encoded file shows."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from selector.contest.profile import ContestProfile
from selector.domain import Task
from selector.domain.words import n_of
from selector.submit.verify import Verdict


def image_hashes(path: Path, profile: ContestProfile, tasks: Sequence[Task]) -> dict[str, str]:
    """Task id to the SHA-256 of its image in a valid ZIP."""
    with zipfile.ZipFile(path) as archive:
        names = {task.id: profile.export.image_path.replace("{id}", task.id) for task in tasks}
        return {task_id: hashlib.sha256(archive.read(name)).hexdigest() for task_id, name in names.items()}


def check_origin(
    verdict: Verdict,
    hashes: Mapping[str, str],
    known: Collection[tuple[str, str]],
    last_resorts: Mapping[str, Collection[str]],
    exported_sha256: str | None,
    allow_fallbacks: bool,
) -> Verdict:
    """Add to the verdict of a valid ZIP what the campaign knows.

    Args:
        hashes: task id to the SHA-256 of its image.
        known: (task id, candidate id) of all candidates.
        last_resorts: task id to the candidates that a last resort made; they are problems unless allowed.
        exported_sha256: what the ledger says of the ZIP of this submission, if it is one.
    """
    fallbacks = [t for t, h in hashes.items() if h in last_resorts.get(t, ())]
    foreign = [t for t, h in hashes.items() if (t, h) not in known]
    problems, warnings = list(verdict.problems), list(verdict.warnings)
    if exported_sha256 not in (None, verdict.sha256):
        problems.append("its bytes are not those that were exported under this submission's name")
    if fallbacks:
        line = f"{n_of(len(fallbacks), 'image is a fallback, not an answer', 'images are fallbacks, not answers')}: "
        line += f"tasks {', '.join(fallbacks[:5])}"
        (warnings if allow_fallbacks else problems).append(line)
    if foreign:
        what = n_of(len(foreign), "image is", "images are")
        warnings.append(f"{what} none of this campaign's candidates: tasks {', '.join(foreign[:5])}")
    return replace(verdict, valid=not problems, problems=tuple(problems), warnings=tuple(warnings))
