"""Jobs at remote services: opened when a service accepts them, ended for each recipe, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from selector.domain import JSONValue
from selector.store import schema
from selector.store.database import Database

DELIVERED, UNDELIVERED, FAILED, REFUSED, LOST = "delivered", "undelivered", "failed", "refused", "lost"
PERHAPS = "perhaps"  # handed in and not answered: it may have been made, nobody can ask for it, and it counts as paid
PAID = (DELIVERED, UNDELIVERED, LOST, PERHAPS)  # what a service takes money for; an open job too
MOST_DOWNLOADS = 2  # runs that may try to download one image; what is damaged at the service is made anew after them


@dataclass(frozen=True)
class Job:
    """A job of one task at a service.

    ``ends`` maps recipe keys to their newest outcome, open ones are absent; ``undelivered``: to the runs that failed to
    download what was made.
    """

    id: int
    task_id: str
    generator: str
    build: str
    service: str
    ticket: str
    facts: Mapping[str, JSONValue]
    resumable: bool
    recipe_keys: tuple[str, ...]
    price: float | None
    at: str
    ends: Mapping[str, str]
    undelivered: Mapping[str, int] = field(default_factory=dict)

    def collectable(self, recipe_key: str) -> bool:
        """Whether the image of a recipe was paid for and has not come yet, and asking for this job may bring it."""
        return self.may_bring(recipe_key) and self.ends.get(recipe_key) != DELIVERED

    def may_bring(self, recipe_key: str) -> bool:
        """Whether asking for this job may bring the image of a recipe, also once more, without paying again."""
        asked = self.resumable and recipe_key in self.recipe_keys
        if self.undelivered.get(recipe_key, 0) >= MOST_DOWNLOADS:
            return False
        return asked and self.ends.get(recipe_key, UNDELIVERED) in (UNDELIVERED, DELIVERED)


@dataclass(frozen=True)
class JobEnd:
    """How a job ended for one recipe; ``try_number`` of the attempt that tells of it, 0 where none does."""

    job_id: int
    recipe_key: str
    outcome: str
    reason: str | None = None
    try_number: int = 0


def end_jobs(db: Database, connection: Connection, ends: Iterable[JobEnd], at: str) -> None:
    """Append; an end that is there already is left out."""
    db.insert_missing(connection, schema.job_end, [{**vars(end), "at": at} for end in ends])


def load_jobs(
    connection: Connection,
    task_id: str | None = None,
    generator: str | None = None,
    build: str | None = None,
    service: str | None = None,
) -> tuple[Job, ...]:
    """Jobs, newest first, with how they ended; only those of the named task, generator, build or service."""
    j, e = schema.job.c, schema.job_end.c
    query = select(schema.job).order_by(j.id.desc())
    for column, value in ((j.task_id, task_id), (j.generator, generator), (j.build, build), (j.service, service)):
        if value is not None:
            query = query.where(column == value)
    rows = connection.execute(query).all()
    ends: dict[int, dict[str, str]] = {row.id: {} for row in rows}
    chosen = query.order_by(None).with_only_columns(j.id)
    undelivered: dict[int, dict[str, int]] = {row.id: {} for row in rows}
    for end in connection.execute(select(schema.job_end).where(e.job_id.in_(chosen)).order_by(e.id)):
        ends[end.job_id][end.recipe_key] = end.outcome
        if end.outcome == UNDELIVERED:
            of_job = undelivered[end.job_id]
            of_job[end.recipe_key] = of_job.get(end.recipe_key, 0) + 1
    return tuple(
        Job(
            **{**row._mapping, "recipe_keys": tuple(row.recipe_keys)},
            ends=ends[row.id],
            undelivered=undelivered[row.id],
        )
        for row in rows
    )


def money_spent(jobs: Iterable[Job]) -> float:
    """What jobs have cost or, as long as they are open, will cost at most; those of unknown price count nothing."""
    return sum(
        job.price for job in jobs if job.price for key in job.recipe_keys if job.ends.get(key, UNDELIVERED) in PAID
    )
