"""The judge's client against a real HTTP server on loopback that knows the truth: faults, throughput, SIGKILL.

    python -m experiments.judge_load --json out.json

Faults: more than a quarter of all requests end badly (429 with Retry-After, 500, no answer in time, a dropped
connection, a reply cut off, every kind of unreadable answer, every kind of refusal), some that are well formed come
with thinking or in a code fence, and the server does not know JSON schemas. From the server's log alone follows what
each question must have come to; every stored score and every reason is compared with it.
Systematic faults: every question ends alike, from the start or after some were read; how many are asked until it stops.
Throughput: ``bestshot score --judge`` at concurrency 32 against a server that works on 32 requests at once for a fixed
time each; the fraction is requests a second over 32 / that time, from the first request to the last reply.
Kills: the same command is killed (SIGKILL) at random instants and started again until it is done. No reply that was
stored may be asked for twice, and the judgements must equal those of a quiet run.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.judge_contest import JUDGE, judgements_of, make_campaign
from experiments.support.outcome import finish, parser
from experiments.support.servers import JudgeBehaviour as Behaviour
from experiments.support.servers import JudgeServer, expected, truth
from experiments.support.servers import judge_server as js
from selector import Campaign
from selector.llm import JudgeStopped
from selector.llm._stopping import FIRST, IN_A_ROW
from selector.llm.judgements import rubrics
from selector.store import Database
from selector.store.candidates import load_candidates

Question = tuple[tuple[str, ...], tuple[str, ...]]  # ids of the pictures in order, sub-scores

CONCURRENCY = 32
KILLED_CONCURRENCY, KILLS_IN_A_ROW = 8, 5
REASKS, MAX_RETRIES = 1, 3
SMALL_PX, USUAL_PX = 96, 512
# Shares of requests; the rest is right at once.
SHARES = {
    **dict.fromkeys(js.PASSING, 0.01),
    **dict.fromkeys(js.UNREADABLE, 0.008),
    **dict.fromkeys((*js.REFUSING, *js.REJECTING), 0.006),
    **dict.fromkeys(js.FINE[1:], 0.015),
}


@dataclass
class Faults:
    """Of ``candidates``, two questions each: how many ended how, and how many of these as the server's log demands."""

    candidates: int = 0
    questions: int = 0
    requests: int = 0
    scored: int = 0
    unscored: int = 0
    right: int = 0
    wrong: int = 0
    judgements: int = 0
    wrong_judgements: int = 0
    kinds: int = 0  # of replies and errors that were served
    served: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Stops:
    """Systematic faults: of ``kinds`` each all questions end so; how many were asked before the run stopped.

    ``at_start``: the most of any kind. ``later``: the same where ``read_before`` questions had been read, with
    ``concurrency`` under way at once. ``not_stopped``: runs that went on to their end. ``final``: questions that the next
    run did not ask again.
    """

    kinds: int = 0
    questions: int = 0
    at_start: int = 0
    later: int = 0
    read_before: int = 0
    concurrency: int = CONCURRENCY
    not_stopped: int = 0
    final: int = 0


@dataclass
class Throughput:
    """``fraction`` of what the server allows: requests a second over ``slots / latency_seconds``."""

    candidates: int
    requests: int
    concurrency: int
    latency_seconds: float
    requests_per_second: float
    allowed_per_second: float
    fraction: float


@dataclass
class Kills:
    """Counts over all kills. ``stored``: questions settled in the store at a kill; ``asked_twice`` of them after it.

    ``answered_unstored``: replies that had left the server but were not in the store yet, the price of a kill.
    """

    kills: int = 0
    while_asking: int = 0
    stored: int = 0
    asked_twice: int = 0
    answered_unstored: int = 0
    different_judgements: int = 0
    candidates: int = 0


def main(arguments: list[str] | None = None) -> int:
    options = parser("judge_load", __doc__ or "")
    options.add_argument("--candidates", type=int, default=1000, help="for faults and throughput (default 1000)")
    options.add_argument("--kills", type=int, default=20, help="number of kills (default 20)")
    options.add_argument("--latency", type=float, default=0.5, help="seconds of work on a request (default 0.5)")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bestshot-judge-") as place:
        faults = measure_faults(Path(place) / "faults", chosen.candidates, chosen.seed)
        stops = measure_stops(Path(place) / "stops", min(chosen.candidates, 100), chosen.seed)
        speed = measure_throughput(Path(place) / "speed", chosen.candidates, chosen.latency)
        kills = measure_kills(Path(place) / "kills", min(chosen.candidates, 150), chosen.kills, chosen.seed)
    results = {"faults": asdict(faults), "stops": asdict(stops), "throughput": asdict(speed), "kills": asdict(kills)}
    finish(results, describe(faults, stops, speed, kills), chosen.json)
    wasted = stops.not_stopped or stops.final or stops.at_start > FIRST or stops.later > IN_A_ROW + CONCURRENCY
    return int(bool(wasted or faults.wrong or faults.wrong_judgements or kills.asked_twice or kills.different_judgements))


def describe(faults: Faults, stops: Stops, speed: Throughput, kills: Kills) -> list[str]:
    """The results as text."""
    return [
        f"faults: {faults.candidates} candidates, {faults.questions} questions, {faults.requests} requests, of which "
        f"{1 - sum(faults.served.get(f, 0) for f in js.FINE) / faults.requests:.0%} served badly, {faults.kinds} kinds in all",
        f"  {faults.scored} scored, {faults.unscored} unscored: {faults.right} right, {faults.wrong} wrong; "
        f"{faults.wrong_judgements} of {faults.judgements} judgements wrong",
        *(f"  {n:5} x {reason}" for reason, n in sorted(faults.reasons.items(), key=lambda p: -p[1])),
        f"systematic faults, {stops.kinds} kinds over {stops.questions} questions each: at most {stops.at_start} questions "
        f"asked at the start, {stops.later} after {stops.read_before} that were read (concurrency {stops.concurrency}); "
        f"{stops.not_stopped} runs not stopped, {stops.final} questions final",
        f"throughput: {speed.requests} requests at concurrency {speed.concurrency}, {speed.latency_seconds:g} s each: "
        f"{speed.requests_per_second:.1f} of {speed.allowed_per_second:.1f} a second, {speed.fraction:.3f}",
        f"kills: {kills.kills} ({kills.while_asking} while it asked) over {kills.candidates} candidates: "
        f"{kills.asked_twice} of {kills.stored} stored answers asked for twice, {kills.answered_unstored} replies "
        f"lost on the way, {kills.different_judgements} judgements differ",
    ]


def measure_faults(place: Path, candidates: int, seed: int, pause_seconds: int = 1) -> Faults:
    """Ask about all candidates under the mix of faults, and compare every end with the server's log."""
    behaviour = Behaviour(
        fault=js.random_faults(SHARES),
        slow_seconds=1.5,
        retry_after={"Retry-After": str(pause_seconds)},
        formats=("json_object", "text"),
        seed=seed,
    )
    with JudgeServer(behaviour) as server:
        settings = {"concurrency": CONCURRENCY, "reasks": REASKS, "max_retries": MAX_RETRIES}
        waits = {"backoff_seconds": 0.02, "timeout_seconds": 0.8}
        campaign = make_campaign(place, candidates, SMALL_PX, server.url, **settings, **waits)
        started = time.perf_counter()
        campaign.judges[JUDGE].ask()
        seconds = time.perf_counter() - started
        time.sleep(behaviour.slow_seconds)  # replies that nobody waits for any more
        found = _compared(campaign, server)
    found.seconds = round(seconds, 1)
    campaign.close()
    return found


def measure_stops(place: Path, candidates: int, seed: int, read_before: int = 20) -> Stops:
    """One campaign for faults from the start, whose questions all stay open; one a kind for a fault that comes later."""
    faults = (*js.UNREADABLE, *js.REFUSING, *js.REJECTING, *js.kinds.FAILING, js.BROKEN_SERVER)
    found = Stops(len(faults), 2 * candidates, read_before=read_before)
    settings = {"concurrency": CONCURRENCY, "reasks": REASKS, "max_retries": 0, "backoff_seconds": 0.01}
    with JudgeServer(Behaviour(seed=seed)) as server:
        campaign = make_campaign(place / "start", candidates, SMALL_PX, server.url, **settings)
        for fault in faults:
            server.behaviour.fault = _always(fault)
            found.at_start = max(found.at_start, _asked_until_stopped(campaign, server, found))
        server.behaviour.fault = _always(js.GOOD)
        found.final = 2 * candidates - campaign.judges[JUDGE].ask().scored
        campaign.close()
    for fault in (js.WORDY, js.REFUSAL_ENGLISH, next(iter(js.REJECTING)), js.BROKEN_SERVER):
        with JudgeServer(Behaviour(seed=seed, latency_seconds=0.02)) as server:
            campaign = make_campaign(place / fault, candidates, SMALL_PX, server.url, **settings)
            server.behaviour.fault = lambda *_, s=server, f=fault: js.GOOD if len(s.log) < read_before else f
            found.later = max(found.later, _asked_until_stopped(campaign, server, found) - read_before)
            campaign.close()
    return found


def _asked_until_stopped(campaign: Campaign, server: JudgeServer, found: Stops) -> int:
    """Questions, however often each was asked."""
    server.log.clear()
    try:
        campaign.judges[JUDGE].ask()
    except JudgeStopped:
        return len({asked.question for asked in server.log})
    found.not_stopped += 1
    return found.questions


def _always(fault: str) -> Any:
    return lambda *_: fault


def measure_throughput(place: Path, candidates: int, latency_seconds: float, side_px: int = USUAL_PX) -> Throughput:
    """Let the command ask a server that does nothing but take its time."""
    behaviour = Behaviour(latency_seconds=latency_seconds, slots=CONCURRENCY)
    with JudgeServer(behaviour) as server:
        campaign = make_campaign(place, candidates, side_px, server.url, concurrency=CONCURRENCY)
        campaign.close()
        _run(campaign.folder)
        requests, seconds = len(server.log), server.last_seconds - server.first_seconds
    allowed = CONCURRENCY / latency_seconds
    rate = requests / seconds
    return Throughput(candidates, requests, CONCURRENCY, latency_seconds, rate, allowed, rate / allowed)


def measure_kills(place: Path, candidates: int, kills: int, seed: int) -> Kills:
    """Kill the command again and again until it is done, on as many copies as it takes; compare with a quiet run."""
    rng = np.random.default_rng(seed)
    counts = Kills(candidates=candidates)
    with JudgeServer(_steady(seed)) as server:
        campaign = make_campaign(place, candidates, SMALL_PX, server.url, concurrency=KILLED_CONCURRENCY, reasks=REASKS)
        shutil.copytree(campaign.folder, place / "fresh")
        campaign.judges[JUDGE].ask()
        campaign.close()
        asking_seconds = server.last_seconds - server.first_seconds
    wanted = _content(campaign.folder)
    while counts.kills < kills:
        trial = place / f"trial-{counts.kills}"
        shutil.copytree(place / "fresh", trial)
        with JudgeServer(_steady(seed)) as server:
            _point_to(trial, server.url)
            _series(trial, server, min(KILLS_IN_A_ROW, kills - counts.kills), asking_seconds, rng, counts)
        got = _content(trial)
        counts.different_judgements += sum(wanted.get(key) != got.get(key) for key in {*wanted, *got})
        shutil.rmtree(trial)
    return counts


def _series(
    trial: Path, server: JudgeServer, kills: int, asking_seconds: float, rng: np.random.Generator, counts: Kills
) -> None:
    """Start and kill ``kills`` times, then let it finish; count what was asked although its answer was stored."""
    watch: list[tuple[int, set[Question]]] = []
    for _ in range(kills):
        counts.while_asking += _kill(trial, server, float(rng.uniform(0, asking_seconds / KILLS_IN_A_ROW)))
        counts.kills += 1
        time.sleep(0.3)  # what was on its way gets to the server before the next start
        settled = _settled(trial)
        watch.append((len(server.log), settled))
        counts.stored += len(settled)
    with Campaign(trial) as campaign:
        campaign.judges[JUDGE].ask()
    for seen, settled in watch:
        counts.asked_twice += sum(asked.question in settled for asked in server.log[seen:])
    counts.answered_unstored += len(server.log) - sum(1 for _ in _rows(trial))


def _kill(folder: Path, server: JudgeServer, after_seconds: float) -> bool:
    """Start the command and kill it so long after its first request; returns whether it was still running."""
    seen = len(server.log)
    process = subprocess.Popen(_command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.log) == seen and process.poll() is None:
        time.sleep(0.005)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_seconds)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return running


def _run(folder: Path) -> None:
    done = subprocess.run(_command(folder), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"score --judge ended with {done.returncode}: {done.stderr[-500:]}")


def _command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "selector.cli", "score", "--judge", JUDGE, "-C", str(folder)]


def _point_to(folder: Path, url: str) -> None:
    """Give the judge of a copied campaign another address."""
    toml = folder / "campaign.toml"
    lines = toml.read_text(encoding="utf-8").splitlines()
    lines = [f'base_url = "{url}"' if line.startswith("base_url") else line for line in lines]
    toml.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rows(folder: Path) -> Iterator[tuple[Question, str, str | None, dict[str, float]]]:
    """Stored replies (question, outcome, reason, scores), read with plain sqlite3, oldest first."""
    with Campaign(folder) as campaign:
        parts = {q.prompt_hash: q.parts for task in campaign.tasks for q in rubrics(campaign.profile, task)}
    query = "SELECT images, prompt_hash, outcome, reason, scores FROM judge_reply ORDER BY id"
    with contextlib.closing(sqlite3.connect(folder / "campaign.db")) as connection:
        for images, prompt_hash, outcome, reason, scores in connection.execute(query):
            yield (tuple(json.loads(images)), parts[prompt_hash]), outcome, reason, json.loads(scores)


def _settled(folder: Path) -> set[Question]:
    """Questions that need no further reply."""
    outcomes: dict[Question, list[str]] = {}
    for question, outcome, _, _ in _rows(folder):
        outcomes.setdefault(question, []).append(outcome)
    return {q for q, said in outcomes.items() if said[-1] != "unreadable" or len(said) > REASKS}


def _content(folder: Path) -> dict[tuple[str, str], Any]:
    return {key: (j.sc, j.pq, dict(j.parts), dict(j.spread or {})) for key, j in judgements_of(folder).items()}


def _steady(seed: int) -> Behaviour:
    """A server whose faults follow from the question alone, so that a kill changes nothing of what it would say."""
    faults = js.random_faults({**dict.fromkeys(js.UNREADABLE, 0.02), **dict.fromkeys(js.REFUSING, 0.02)})
    return Behaviour(fault=faults, latency_seconds=0.04, by_question=True, seed=seed)


def _compared(campaign: Campaign, server: JudgeServer) -> Faults:
    """Every question's end in the store against the server's log, and every judgement against the truth."""
    served = server.served()
    found = Faults(requests=sum(map(len, served.values())))
    found.served = dict(Counter(what for each in served.values() for what in each).most_common())
    found.kinds = len(found.served)
    ends: dict[Question, tuple[str, str | None, dict[str, float]]] = {}
    for question, outcome, reason, scores in _rows(campaign.folder):
        ends[question] = outcome, reason, scores  # the last one counts
    for question, each in served.items():
        outcome, reason, scores = ends.pop(question, ("not stored", None, {}))
        due, why = expected(each, REASKS, MAX_RETRIES)
        true = {part: truth(question[0][-1], part) for part in question[1]} if due == "scored" else {}
        right = (outcome, scores) == (due, true) and (why is None or reason == why)
        found.right, found.wrong = found.right + right, found.wrong + (not right)
        found.scored, found.unscored = found.scored + (outcome == "scored"), found.unscored + (outcome != "scored")
        if reason:
            found.reasons[reason] = found.reasons.get(reason, 0) + 1
    found.wrong += len(ends)
    found.questions = len(served)
    _compare_judgements(campaign, served, found)
    return found


def _compare_judgements(campaign: Campaign, served: dict[Question, list[str]], found: Faults) -> None:
    """SC and PQ of every candidate: the smallest true sub-score where its question was answered, else nothing."""
    said = judgements_of(campaign.folder)
    with Database(campaign.folder / "campaign.db").read() as connection:
        candidates = [(c.task_id, c.id) for c in load_candidates(connection)]
    asked = {(question[0][-1], question[1]): question for question in served}
    by_id = {task.id: task for task in campaign.tasks}
    found.candidates, found.judgements = len(candidates), len(said)
    for task_id, candidate_id in candidates:
        due: dict[str, float | None] = {}
        for question in rubrics(campaign.profile, by_id[task_id]):
            outcome, _ = expected(served[asked[candidate_id, question.parts]], REASKS, MAX_RETRIES)
            true = [truth(candidate_id, part) for part in question.parts]
            due[question.axis.value] = min(true) if outcome == "scored" else None
        judgement = said.get((task_id, candidate_id))
        got = {"sc": judgement.sc, "pq": judgement.pq} if judgement else {"sc": None, "pq": None}
        found.wrong_judgements += got != due


if __name__ == "__main__":
    raise SystemExit(main())
