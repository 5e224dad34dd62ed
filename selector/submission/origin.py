"""Which images of a ZIP are this campaign's: by content, so that a swapped or re-encoded file shows."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from selector.contest.profile import ContestProfile
from selector.domain import Task
from selector.store.records import Candidate
from selector.submission.verify import Verdict


def check_origin(
    verdict: Verdict,
    path: Path,
    profile: ContestProfile,
    tasks: Sequence[Task],
    candidates: Sequence[Candidate],
    allow_fallbacks: bool,
) -> Verdict:
    """Add to a verdict what the campaign knows: fallbacks are problems unless allowed, foreign images are warnings."""
    if not verdict.valid:
        return verdict
    known = {(c.task_id, c.id): c for c in candidates}
    fallbacks, foreign = [], []
    with zipfile.ZipFile(path) as archive:
        for task in tasks:
            data = archive.read(profile.export.image_path.replace("{id}", task.id))
            candidate = known.get((task.id, hashlib.sha256(data).hexdigest()))
            if candidate is None:
                foreign.append(task.id)
            elif candidate.fallback:
                fallbacks.append(task.id)
    problems, warnings = list(verdict.problems), list(verdict.warnings)
    if fallbacks:
        line = f"{len(fallbacks)} images are fallbacks, not answers: tasks {', '.join(fallbacks[:5])}"
        (warnings if allow_fallbacks else problems).append(line)
    if foreign:
        warnings.append(f"{len(foreign)} images are none of this campaign's candidates: tasks {', '.join(foreign[:5])}")
    return replace(verdict, valid=not problems, problems=tuple(problems), warnings=tuple(warnings))
