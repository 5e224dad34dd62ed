"""A campaign's submissions as its users handle them: look, verify, note what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from selector.domain import Task
from selector.store.records import last_resorts, load_candidates
from selector.submit.ledger import Ledger, Quota, SubmissionRecord
from selector.workspace.workspace import Workspace

if TYPE_CHECKING:
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

    def __getitem__(self, submission: str) -> SubmissionRecord:
        """By its id or a unique beginning of it; raises ``InputError``."""
        return self._ledger.get(submission)

    @property
    def best_total(self) -> float | None:
        """The highest total of all tasks, 0 to 10; None before the first."""
        return max((s.total for s in self if s.total is not None), default=None)

    def quota(self) -> Quota:
        """How many submissions the contest's day has left, and when it turns."""
        return self._ledger.quota()

    def withdraw(self, submission: str, reason: str) -> SubmissionRecord:
        """Note that an export will not be uploaded; raises ``SubmissionError`` once it was."""
        return self._ledger.withdraw(submission, reason)

    def verify(self, path: str | Path, allow_fallbacks: bool = False) -> Verdict:
        """Re-open a ZIP and check every rule of the contest, and that its images are this campaign's."""
        from selector.submit.origin import check_origin, image_hashes
        from selector.submit.verify import verify_archive

        path = Path(path)
        tasks = self._tasks()
        verdict = verify_archive(path, self._ws.profile, tasks)
        if not verdict.valid:
            return verdict
        with self._ws.db.read() as connection:
            known = {(c.task_id, c.id) for c in load_candidates(connection)}
            resorts = last_resorts(connection)
        exported = {s.id: s.zip_sha256 for s in self}.get(path.absolute().parent.name)
        hashes = image_hashes(path, self._ws.profile, tasks)
        return check_origin(verdict, hashes, known, resorts, exported, allow_fallbacks)
