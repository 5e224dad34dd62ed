"""A campaign's submissions as its users handle them: look, verify, note what happened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from selector.domain import Pick, Task
from selector.domain.words import n_of, tasks_named
from selector.store.candidates import last_resorts, load_candidates
from selector.store.picks import load_submission_picks
from selector.submit.ledger import Ledger, Quota, SubmissionRecord
from selector.workspace.workspace import Workspace

if TYPE_CHECKING:
    from selector.submit.export import Export
    from selector.submit.verify import Verdict


class Submissions:
    """Every submission of a campaign, oldest first: exported, submitted, scored or withdrawn.

    Example:
        >>> for submission in campaign.submissions: print(submission.id, submission.total)  # doctest: +SKIP
        >>> campaign.submissions["1a2b"].state  # doctest: +SKIP
        'scored'
    """

    def __init__(self, ws: Workspace, tasks: Callable[[], Sequence[Task]], ledger: Ledger) -> None:
        self._ws, self._tasks, self._ledger = ws, tasks, ledger

    def __iter__(self) -> Iterator[SubmissionRecord]:
        return iter(self._ledger.all())

    def __len__(self) -> int:
        return len(self._ledger.all())

    def __getitem__(self, submission: str | int) -> SubmissionRecord:
        """By its id or a unique beginning of it (raises ``InputError``), or by its place, oldest first."""
        return self._ledger.all()[submission] if isinstance(submission, int) else self._ledger.get(submission)

    def __repr__(self) -> str:
        return f"Submissions({', '.join(f'{s.id} {s.state}' for s in self)})"

    @property
    def best_total(self) -> float | None:
        """The highest total of all tasks, 0 to 10; None before the first."""
        return max((s.total for s in self if s.total is not None), default=None)

    def picks(self, submission: str) -> tuple[Pick, ...]:
        """What a submission holds, in the table's order, without estimates; by its id or a unique beginning of it."""
        number = self._ledger.get(submission).id
        with self._ws.db.read() as connection:
            held = load_submission_picks(connection, [number])[number]
        return tuple(Pick(task, pick.candidate_id, None, pick.fallback, "") for task, pick in held.items())

    def quota(self) -> Quota:
        """How many submissions the contest's day has left, and when it turns."""
        return self._ledger.quota()

    def withdraw(self, submission: str, reason: str) -> SubmissionRecord:
        """Note that an export will not be uploaded, or was not; raises ``SubmissionError`` where it has a total."""
        return self._ledger.withdraw(submission, reason)

    def reproduce(self, manifest: str | Path) -> Export:
        """Make the submission of a manifest again in a copy of its campaign: the same ZIP, entered in the ledger.

        Pictures are found by their ids in ``images/``; the store needs not know them.

        Raises:
            InputError: the file is no manifest, or one of another contest, profile or team. SubmissionError: an image
                is missing, or the ZIP has other bytes.
        """
        from selector.submit.reproduce import reproduce

        return reproduce(self._ws, self._tasks(), self._ledger, Path(manifest))

    def verify(self, path: str | Path, allow_fallbacks: bool = False) -> Verdict:
        """Re-open a ZIP and check every rule of the contest, and that its images are this campaign's."""
        from selector.submit.verify import image_hashes, verify_archive

        path = Path(path)
        tasks = self._tasks()
        verdict = verify_archive(path, self._ws.profile, tasks, self._ws.config.team)
        if not verdict.valid:
            return verdict
        with self._ws.db.read() as connection:
            known = {(c.task_id, c.id) for c in load_candidates(connection)}
            resorts = last_resorts(connection)
        exported = {s.id: s.zip_sha256 for s in self}.get(path.absolute().parent.name)
        hashes = image_hashes(path, self._ws.profile, tasks)
        return check_origin(verdict, hashes, known, resorts, exported, allow_fallbacks)


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
        line += tasks_named(fallbacks)
        (warnings if allow_fallbacks else problems).append(line)
    if foreign:
        what = n_of(len(foreign), "image is", "images are")
        warnings.append(f"{what} none of this campaign's candidates: {tasks_named(foreign)}")
    return replace(verdict, valid=not problems, problems=tuple(problems), warnings=tuple(warnings))
