"""Compares a campaign with what the services have counted: nothing lost, nothing double, nothing paid in vain."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.remote_campaign import AT_ONCE, AT_ONCE_MODEL, FIRST, Service, prompt_of
from experiments.support.servers import painted
from selector.domain import Picture

_CHECKED = 200  # images whose pixels are compared with what the service painted for their prompt and seed
_NEAR = 12.0  # levels, mean absolute difference: JPEG of a picture of 256 px; other prompts are 40 and more away


@dataclass
class Audit:
    """Counts of images unless it says jobs.

    ``wanted``: tasks x candidates. ``delivered``: in the store with their file. ``refused``: with a reason by the first
    service; ``replaced``: of these, made by the reserve. ``lost``: neither delivered nor refused with a reason.
    ``duplicated``: made twice for one recipe, or one image for two tasks. ``wrong``: of the checked ones, pictures of
    another prompt or seed. ``paid``: charged by the services; ``paid_unanswered``: of jobs whose reply never arrived.
    ``perhaps_paid``: what the campaign counts as paid although no answer came; more, for some were never created.
    ``at_once_``: the same for the model that answers at once alone, whose reply comes when the image is made.
    """

    wanted: int = 0
    delivered: int = 0
    refused: int = 0
    failed: int = 0
    replaced: int = 0
    lost: int = 0
    duplicated: int = 0
    checked: int = 0
    wrong: int = 0
    paid: int = 0
    paid_unanswered: int = 0
    perhaps_paid: int = 0
    paid_beyond_needed: int = 0
    at_once_delivered: int = 0
    at_once_unanswered: int = 0
    at_once_beyond_needed: int = 0
    jobs: int = 0
    jobs_unanswered: int = 0
    orphans: int = 0  # jobs that the campaign does not know, and whose reply was sent in full
    violations: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)


def audit(folder: Path, tasks: int, per_task: int, services: Sequence[Service], seed: int = 0) -> Audit:
    """Read the campaign's database with plain sqlite3, its files, and the services' own books."""
    with closing(sqlite3.connect(folder / "campaign.db")) as connection:
        connection.row_factory = sqlite3.Row
        attempts = connection.execute("SELECT * FROM attempt ORDER BY id").fetchall()
        known = [f"{row['ticket']} {row['facts']}" for row in connection.execute("SELECT ticket, facts FROM job")]
        (perhaps,) = connection.execute("SELECT count(*) FROM job_end WHERE outcome = 'perhaps'").fetchone()
    found = Audit(wanted=tasks * per_task, perhaps_paid=perhaps)
    made = [row for row in attempts if row["candidate_id"] is not None]
    whole = [row for row in made if _is_whole(folder, row["candidate_id"])]
    found.delivered, found.at_once_delivered = len(whole), sum(row["generator"] == AT_ONCE for row in whole)
    _count_ends(found, attempts, per_task)
    found.duplicated = sum(
        n - 1 for n in Counter((r["task_id"], r["generator"], r["recipe_key"]) for r in made).values()
    )
    found.duplicated += _shared(made)
    _compare_pixels(found, folder, made, seed)
    _count_money(found, services, " ".join(known))
    return found


def _shared(made: Sequence[sqlite3.Row]) -> int:
    """Images that one generator has made twice, for two recipes or two tasks.

    Two services paint the same picture for the same prompt and seed: that is theirs to do.
    """
    of_generator = Counter(row["generator"] for row in made)
    distinct = {(row["generator"], row["candidate_id"]) for row in made}
    return sum(of_generator.values()) - len(distinct)


def _is_whole(folder: Path, image_id: str) -> bool:
    path = _path(folder, image_id)
    return path.is_file() and Picture(path.read_bytes()).id == image_id


def _path(folder: Path, image_id: str) -> Path:
    return folder / "images" / image_id[:2] / f"{image_id}.jpg"


def _count_ends(found: Audit, attempts: Sequence[sqlite3.Row], per_task: int) -> None:
    """How each recipe of the first service ended, and whether the reserve made up for it."""
    last: dict[tuple[str, str, str], sqlite3.Row] = {}
    for row in attempts:
        last[row["task_id"], row["generator"], row["recipe_key"]] = row
    by_task: dict[str, Counter[str]] = {}
    for (task_id, generator, _), row in last.items():
        by_task.setdefault(task_id, Counter())[f"{generator} {row['outcome']}"] += 1
        if row["outcome"] != "made":
            reason = f"{generator} {row['outcome']}: {row['reason']}"
            found.reasons[reason] = found.reasons.get(reason, 0) + 1
    for counts in by_task.values():
        refused, failed, done = (
            sum(counts[f"{name} {outcome}"] for name in (FIRST, AT_ONCE)) for outcome in ("declined", "failed", "made")
        )
        found.refused += refused
        found.failed += failed
        found.replaced += min(refused + failed, counts["reserve made"])
        found.lost += max(0, per_task - done - refused - failed)
    found.lost += per_task * (found.wanted // per_task - len(by_task))


def _compare_pixels(found: Audit, folder: Path, made: Sequence[sqlite3.Row], seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(made))[:_CHECKED]
    found.checked = len(chosen)
    for row in (made[i] for i in chosen):
        pixels = Picture(_path(folder, row["candidate_id"]).read_bytes()).rgb
        size_px = (pixels.shape[1], pixels.shape[0])
        due = painted(prompt_of(int(row["task_id"])), int(row["seed"]), size_px)
        found.wrong += float(np.abs(pixels.astype(float) - due).mean()) > _NEAR


def _count_money(found: Audit, services: Sequence[Service], known: str) -> None:
    for service in services:
        stats, jobs = service.stats(), service.jobs()
        at_once = [job for job in jobs if job["model"] == AT_ONCE_MODEL]
        found.at_once_unanswered += sum(job["codes"].count("") for job in at_once if job["lost"])
        found.at_once_beyond_needed += sum(job["codes"].count("") for job in at_once)
        found.paid += stats["paid"]
        found.paid_unanswered += stats["paid_lost"]
        found.jobs += stats["jobs"]
        found.jobs_unanswered += stats["jobs_lost"]
        found.orphans += sum(_is_orphan(job, known) for job in jobs)
        for what, n in stats["violations"].items():
            found.violations[what] = found.violations.get(what, 0) + n
    found.paid_beyond_needed = found.paid - found.delivered
    found.at_once_beyond_needed -= found.at_once_delivered


def _is_orphan(job: dict[str, Any], known: str) -> bool:
    """``known``: all tickets and their facts, for what came at once is known by its addresses."""
    return job["id"] not in known and not job["lost"] and any(code == "" for code in job["codes"])
