"""`bestshot generate` against a loopback service with DashScope's protocol, limits and faults; and against its killing.

    python -m experiments.remote_load --json out.json

Load: 1,000 tasks x 4 candidates. The service throttles (5% of requests), fails (2%), drops connections (1%, half of
them after it has created the job), sends truncated images (1%) and pages (0.5%), refuses prompts (1%), fails with
single images of a job, forgets jobs and is slow with some. What is refused falls through to a second service.
Afterwards the store is compared with both services' books, and images with what was painted for prompt and seed.
Fraction: of the throughput that the declared limits allow: the time that a perfect client would need, which hands in
these very jobs in this order as soon as a place is free and the rate lets it, and knows each end at once, over the
time from the first request to the last picture. ``bound_seconds`` is a plain bound without ramp and tail: seconds of
all jobs over jobs at once.
Baseline: the notebooks' way on the first tasks, at the same service; the speed-up compares seconds a task.
Kills: the command is killed (SIGKILL) at random instants and started again until all is done. Half of each task's
candidates come from a model that answers at once: what it works on when a kill comes is charged and never heard of.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from experiments.support.outcome import finish, parser
from experiments.support.remote_audit import Audit, audit
from experiments.support.remote_campaign import (
    FIRST,
    RESERVE,
    Baseline,
    ServerOptions,
    make_campaign,
    prompt_of,
    run_baseline,
    serving,
    start_generate,
)

PER_TASK = 4
SHARES = {
    "429": 0.04,
    "429-retry-after": 0.01,
    "poll-429": 0.05,
    "500": 0.02,
    "poll-500": 0.02,
    "download-500": 0.02,
    "drop": 0.005,
    "drop-created": 0.005,
    "poll-drop": 0.01,
    "download-drop": 0.01,
    "truncated": 0.01,
    "html": 0.005,
    "refuse": 0.01,
    "partial-refuse": 0.01,
    "partial-fail": 0.01,
    "unknown": 0.002,
    "slow": 0.01,
}
LOAD = ServerOptions(shares=SHARES)
CALM = ServerOptions(running=16, job_seconds=2.0, picture_px=256, seed=1)
KILLED = ServerOptions(running=16, job_seconds=2.0, picture_px=128, shares={"429": 0.03, "refuse": 0.02, "html": 0.01})
KILLED_TASKS, KILLED_AT_ONCE = 400, 2
BASELINE_SIDE_BY_SIDE = 12
LEAST_FRACTION, LEAST_SPEEDUP, MOST_MEMORY_MB = 0.9, 20, 500


@dataclass
class Load:
    """One undisturbed run; memory of the command's process in MB."""

    seconds: float = 0.0
    allowed_seconds: float = 0.0
    bound_seconds: float = 0.0
    fraction_of_service_limit: float = 0.0
    images_per_second: float = 0.0
    peak_rss_mb: float = 0.0
    early_rss_mb: float = 0.0  # the median between a tenth and a third of the run
    late_rss_mb: float = 0.0  # the median of the last third
    most_running: int = 0
    audit: Audit = field(default_factory=Audit)
    faults: dict[str, int] = field(default_factory=dict)


@dataclass
class Kills:
    """``just_before``: jobs whose reply was sent within a quarter of a second before a kill, the hardest moment."""

    kills: int = 0
    while_working: int = 0
    audit: Audit = field(default_factory=Audit)
    just_before: int = 0


def main(arguments: list[str] | None = None) -> int:
    options = parser("remote_load", __doc__ or "")
    options.add_argument("--tasks", type=int, default=1000, help="tasks of the load (default 1000)")
    options.add_argument("--kills", type=int, default=20, help="number of kills (default 20)")
    options.add_argument("--baseline", type=int, default=96, help="tasks of the baseline (default 96)")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bestshot-remote-") as place:
        load, baseline = measure_load(Path(place) / "load", chosen.tasks, chosen.baseline)
        kills = measure_kills(Path(place) / "kills", chosen.kills, chosen.seed)
    speedup = (baseline.seconds / baseline.tasks) / (load.seconds / chosen.tasks) if baseline.tasks else 0.0
    results = {
        "lost": load.audit.lost + kills.audit.lost,
        "duplicated": load.audit.duplicated + kills.audit.duplicated,
        "wrong_pictures": load.audit.wrong + kills.audit.wrong,
        "paid_beyond_needed": load.audit.paid_beyond_needed,
        "fraction_of_service_limit": load.fraction_of_service_limit,
        "speedup_over_baseline": speedup,
        "peak_rss_mb": load.peak_rss_mb,
        "load": asdict(load),
        "baseline": asdict(baseline),
        "kills": asdict(kills),
    }
    finish(results, describe(load, baseline, kills, speedup), chosen.json)
    missed = bars_missed(load, baseline, kills, speedup)
    print("".join(f"MISSED: {bar}\n" for bar in missed), end="")
    return int(bool(missed))


def bars_missed(load: Load, baseline: Baseline, kills: Kills, speedup: float) -> list[str]:
    """What fell short of the promises; an exit status of 1 follows from any."""
    a, k = load.audit, kills.audit
    forgotten = PER_TASK * load.faults.get("unknown", 0)
    bars = {
        "nothing is lost": not a.lost + k.lost,
        "nothing is doubled": not a.duplicated + k.duplicated,
        "every picture is of its prompt and seed": not a.wrong + k.wrong,
        "the service's limits are never passed": not a.violations and not k.violations,
        "paid beyond need is only what had no reply, or was forgotten": a.paid_beyond_needed
        <= a.paid_unanswered + forgotten,
        "what was charged without a reply is counted as paid": a.perhaps_paid >= a.paid_unanswered,
        "a kill costs only jobs whose reply had not arrived, or had within 0.25 s": k.orphans <= kills.just_before,
        "nor does it cost more where a model answers at once": k.at_once_beyond_needed
        <= k.at_once_unanswered + kills.just_before,
        f"at least {LEAST_FRACTION} of what the limits allow": load.fraction_of_service_limit >= LEAST_FRACTION,
        f"at least {LEAST_SPEEDUP} times as fast as the baseline": not baseline.tasks or speedup >= LEAST_SPEEDUP,
        f"at most {MOST_MEMORY_MB} MB": load.peak_rss_mb <= MOST_MEMORY_MB,
        "memory is flat": load.late_rss_mb <= 1.15 * load.early_rss_mb,
    }
    return [bar for bar, held in bars.items() if not held]


def measure_load(place: Path, tasks: int, baseline_tasks: int) -> tuple[Load, Baseline]:
    """The whole contest by the command, then the first tasks by the baseline at a service with the same faults."""
    with serving(LOAD) as first, serving(CALM) as reserve:
        folder = make_campaign(place, tasks, PER_TASK, {FIRST: (first.url, LOAD), RESERVE: (reserve.url, CALM)})
        memory = _watched(start_generate(folder))
        stats, jobs = first.stats(), first.jobs()
        found = Load(seconds=stats["seconds"], most_running=stats["most_running"], faults=stats["faults"])
        found.audit = audit(folder, tasks, PER_TASK, [first, reserve])
    found.bound_seconds = sum(job["seconds"] for job in jobs) / LOAD.running
    found.allowed_seconds = perfect_seconds([job["seconds"] for job in jobs], LOAD.running, LOAD.submits_per_second)
    found.fraction_of_service_limit = found.allowed_seconds / found.seconds
    found.images_per_second = found.audit.delivered / found.seconds
    found.peak_rss_mb = max(memory)
    found.early_rss_mb = _median(memory[len(memory) // 10 : max(len(memory) // 3, 1 + len(memory) // 10)])
    found.late_rss_mb = _median(memory[-max(1, len(memory) // 3) :])
    with serving(LOAD) as other:
        prompts = [prompt_of(i) for i in range(baseline_tasks)]
        baseline = run_baseline(other.url, prompts, PER_TASK, BASELINE_SIDE_BY_SIDE)
    return found, baseline


def measure_kills(place: Path, kills: int, seed: int) -> Kills:
    """Kill the command at instants that are spread over the time that the work takes, then let it finish."""
    rng = Random(seed)
    found = Kills()
    if not kills:
        return found
    moments: list[float] = []
    usual = KILLED_TASKS * (1 + KILLED_AT_ONCE) * KILLED.job_seconds / KILLED.running
    with serving(KILLED) as service:
        folder = make_campaign(place, KILLED_TASKS, PER_TASK, {FIRST: (service.url, KILLED)}, KILLED_AT_ONCE)
        for _ in range(kills):
            asked = sum(service.stats()["requests"].values())
            process = start_generate(folder)
            while sum(service.stats()["requests"].values()) == asked and process.poll() is None:
                time.sleep(0.02)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0, usual / kills))
            found.while_working += process.poll() is None
            process.send_signal(signal.SIGKILL)
            moments.append(time.time())
            process.communicate()
            found.kills += 1
        _watched(start_generate(folder))
        found.audit = audit(folder, KILLED_TASKS, PER_TASK, [service])
        told = [job["told"] for job in service.jobs()]
        found.just_before = sum(any(0 <= moment - t < 0.25 for moment in moments) for t in told if t)
    return found


def perfect_seconds(jobs: Sequence[float], running: int, submits_per_second: float) -> float:
    """From the first submission to the last end, for a client that loses no time.

    Example:
        >>> perfect_seconds([2.0, 2.0, 2.0], running=2, submits_per_second=10.0)
        4.0
    """
    ends: list[float] = []
    turn = last = 0.0
    for seconds in jobs:
        start = max(turn, heapq.heappop(ends)) if len(ends) == running else turn
        heapq.heappush(ends, start + seconds)
        last = max(last, start + seconds)
        turn = start + 1.0 / submits_per_second
    return last


def describe(load: Load, baseline: Baseline, kills: Kills, speedup: float) -> list[str]:
    """The results as text."""
    a, k = load.audit, kills.audit
    return [
        f"load: {a.wanted} candidates wanted, {a.delivered} delivered in {load.seconds:.1f} s "
        f"({load.images_per_second:.1f} a second); {a.refused} refused, {a.failed} failed, {a.replaced} of them made "
        f"elsewhere; {a.lost} lost, {a.duplicated} doubled, {a.wrong} of {a.checked} pictures wrong",
        f"  {a.jobs} jobs, at most {load.most_running} at once; limits passed: {a.violations or 'never'}; "
        f"{load.fraction_of_service_limit:.3f} of what the limits allow ({load.allowed_seconds:.1f} s)",
        f"  {a.paid_beyond_needed} images paid beyond those delivered, {a.paid_unanswered} of them without a reply; "
        f"{a.perhaps_paid} counted as perhaps paid",
        f"  memory {load.peak_rss_mb:.0f} MB at most, {load.early_rss_mb:.0f} early, {load.late_rss_mb:.0f} late",
        *(f"  {n:5} x {reason}" for reason, n in sorted(a.reasons.items(), key=lambda pair: -pair[1])[:8]),
        f"baseline (n={baseline.tasks} tasks): {baseline.seconds / max(1, baseline.tasks):.1f} s a task, "
        f"{baseline.delivered} of {baseline.tasks * PER_TASK} delivered, {baseline.broken} broken files kept, "
        f"{baseline.filled} tasks filled with a fixed picture; bestshot is {speedup:.0f} times as fast",
        f"kills: {kills.kills} ({kills.while_working} at work) over {k.wanted} candidates: {k.lost} lost, "
        f"{k.duplicated} doubled, {k.wrong} of {k.checked} wrong; {k.paid_beyond_needed} images paid beyond those "
        f"delivered ({k.jobs_unanswered} jobs without a reply, {k.orphans} with one that was not stored)",
        f"  of these a model that answers at once: {k.at_once_delivered} delivered, {k.at_once_beyond_needed} paid "
        f"beyond them ({k.at_once_unanswered} without a reply)",
    ]


def _watched(process: subprocess.Popen[str]) -> list[float]:
    """Resident memory in MB, five times a second, until the process ends."""
    memory: list[float] = []
    while process.poll() is None:
        with contextlib.suppress(OSError, StopIteration, ValueError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            memory.append(int(line.split()[1]) / 1024)
        time.sleep(0.2)
    said, error = process.communicate()
    if process.returncode not in (0, 1) or "made" not in said:  # 1: something is left for another run
        raise RuntimeError(f"generate ended with {process.returncode}: {error[-800:]}")
    json.loads(said)
    return memory or [0.0]


def _median(values: list[float]) -> float:
    ordered: list[Any] = sorted(values)
    return float(ordered[len(ordered) // 2])


if __name__ == "__main__":
    raise SystemExit(main())
