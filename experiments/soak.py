"""Lets processes work at one campaign for minutes, as a team and its timers would, and counts what went wrong.

    python -m experiments.soak --minutes 10 --store both --json out.json

Eight processes run verbs drawn at random: generate (at a loopback service as well), import, score, a judge on loopback,
pick, plan, export, record, exclude, include, note, status, next, report, backup and others; beside them `bestshot
review` serves its page to one who looks and decides without a rest. Nothing is killed: the crash test does that.
At the end `generate` and `score` run once more, alone, and the store is read with plain sqlite3 or psycopg.

lost: what a verb or the page said was stored, or a server charged for, and is not there; candidates without bytes or
scores; files that are half. doubled: rows, images or answers that are there, or were paid for, more than once.
tracebacks, locked: in what any process printed, "database is locked" the latter. ends: verbs that ended otherwise than
with 0, or with a refusal that follows from what others did (the day's slots are used, another process is at the
service). The page's seconds are those of every answer, its slowest named.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from experiments.support.crash_loop import CAMPAIGN, GIVEN, INIT, OUT, TEMPORARY, configure, make_contest
from experiments.support.crash_process import serving
from experiments.support.crash_store import FileStore, store_of
from experiments.support.outcome import ended, finish, parser, within
from experiments.support.remote_campaign import KEY, KEY_ENV
from experiments.support.soak_audit import audited, temporary_files
from experiments.support.soak_page import Looker, looked_at
from experiments.support.soak_work import JOURNAL, TASKS, Ran, kind_of
from selector.domain import InputError

STORES = ("sqlite", "postgresql")
ROOT = Path(__file__).resolve().parents[1]
LONGEST_END_SECONDS = 900.0  # to begin, and of the verbs that run when the time is over
BEGINNING = (("generate", "--type", "tie"), ("score",), ("pick",))  # so that all have work from the first moment
SETTLING = (("generate",), ("score",), ("pick", "--replace"), ("export", "--allow-fallbacks"), ("doctor",))
NOTES = 10  # lines of a kind that are printed
# Refusals that follow from what others did, in the words of the program.
REFUSALS = re.compile(
    r"there is no candidate|there is no submission|nothing has been picked yet|both would pay for the same"
    r"|is only the fallback|are used up|was uploaded|is withdrawn|cannot be withdrawn"
)


def main(arguments: list[str] | None = None) -> int:
    options = parser("soak", __doc__ or "")
    options.add_argument("--minutes", type=float, default=10.0, help="on each database (default 10)")
    options.add_argument("--processes", type=int, default=8, help="that run verbs (default 8)")
    options.add_argument("--store", choices=(*STORES, "both"), default="both", help="the database (default both)")
    options.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave everything")
    chosen = options.parse_args(arguments)
    return ended(lambda: _soak(chosen))


def _soak(chosen: Any) -> int:
    within("--minutes", chosen.minutes, 0.01, 24 * 60)
    within("--processes", chosen.processes, 1, 64)
    results: dict[str, Any] = {}
    for name in STORES if chosen.store == "both" else (chosen.store,):
        with tempfile.TemporaryDirectory(prefix="bestshot-soak-") as scratch, store_of(name) as store:
            place = (chosen.keep or Path(scratch)).resolve() / name
            results[name] = soak(place, store, chosen.processes, 60 * chosen.minutes, chosen.seed)
    more = {"minutes": chosen.minutes, "processes": chosen.processes, "cores": os.cpu_count()}
    finish(results, [line for name, found in results.items() for line in describe(name, found)], chosen.json, more)
    return int(any(found["faults"] for found in results.values()))


def soak(place: Path, store: FileStore, processes: int, seconds: float, seed: int) -> dict[str, Any]:
    """Work at a campaign in the new folder ``place`` for so long; returns what ``describe`` prints."""
    environment = {
        **os.environ,
        KEY_ENV: KEY,
        "BESTSHOT_LANG": "en",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(place / TEMPORARY),
    }
    make_contest(place / GIVEN, TASKS)
    for name in (JOURNAL, OUT, TEMPORARY):
        (place / name).mkdir()
    store.begin(place)
    with serving() as servers:
        words = [word.replace("../", "") for word in INIT.words("", store.url(place))]
        _begun(place, words, environment)
        urls = servers.service_url, servers.chat_url, servers.reading_url
        configure(place, *urls, store.url(place), store.scores)
        for first in BEGINNING:
            _begun(place, [*first, "-C", CAMPAIGN], environment)
        servers.take_time(True)
        with looked_at(place, environment, seed) as looker:
            _work(place, environment, processes, seconds, seed)
        servers.take_time(False)
        settled = [_settled(place, words, environment) for words in SETTLING]
        ran = [*_ran(place), *settled]
        audit = audited(place, store, ran, looker.notes, servers.bill())
    printed = [*(one.said for one in ran), (place / "page.err").read_text(encoding="utf-8")]
    ends = [f"{' '.join(one.words)}: {one.status} {one.said[-300:]}" for one in ran if not _is_expected(one)]
    faults = {
        "lost": audit.lost,
        "doubled": audit.doubled,
        "tracebacks": [text[-2000:] for text in printed if "Traceback" in text or "unexpected " in text],
        "locked": [text[-300:] for text in printed if "database is locked" in text],
        "ends": ends,
        "left behind": temporary_files(place),
        "page": looker.faults + ([] if looker.notes else ["nothing that was decided on the page was stored"]),
    }
    return {
        "verbs": dict(Counter(one.verb for one in ran)),
        "seconds": {kind: _spread(times) for kind, times in _by_kind(ran).items()},
        "refused": dict(Counter(one.verb for one in ran if one.status)),
        **{name: len(lines) for name, lines in faults.items()},
        "faults": sum(len(lines) for lines in faults.values()),
        "page answers": _page_figures(looker),
        "notes": [f"{name}: {line}" for name, lines in faults.items() for line in lines[:NOTES]],
    }


def _work(place: Path, environment: Mapping[str, str], processes: int, seconds: float, seed: int) -> None:
    module = "experiments.support.soak_work"
    commands = [
        [sys.executable, "-m", module, str(place), str(number), str(seconds), str(seed)] for number in range(processes)
    ]
    running = [subprocess.Popen(command, env=dict(environment)) for command in commands]
    try:
        with tqdm(total=round(seconds), unit="s", desc=place.name, disable=None) as bar:
            end = time.monotonic() + seconds + LONGEST_END_SECONDS
            while any(one.poll() is None for one in running) and time.monotonic() < end:
                time.sleep(1.0)
                bar.update(1)
        if wrong := [one.poll() for one in running if one.poll() != 0]:
            raise InputError(f"processes of the soak ended with {wrong} (None: they hang)")
    finally:
        for one in running:
            one.kill()
            one.wait()


def _alone(place: Path, words: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "selector.cli", *words]
    return subprocess.run(command, cwd=place, env=dict(environment), capture_output=True, encoding="utf-8", check=False)


def _begun(place: Path, words: Sequence[str], environment: Mapping[str, str]) -> None:
    done = _alone(place, words, environment)
    if done.returncode:
        raise InputError(f"the soak cannot begin: {words[0]} ended with {done.returncode}: {done.stderr[-300:]}")


def _settled(place: Path, words: tuple[str, ...], environment: Mapping[str, str]) -> Ran:
    began = time.perf_counter()
    done = _alone(place, [*words, "-C", CAMPAIGN], environment)
    seconds = round(time.perf_counter() - began, 3)
    return Ran(f"{kind_of(words)}, alone", words, done.returncode, seconds, done.stdout[-500:], done.stderr, {})


def _ran(place: Path) -> list[Ran]:
    lines = [line for path in sorted((place / JOURNAL).glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    return [Ran(**json.loads(line)) for line in lines]


def _is_expected(one: Ran) -> bool:
    return one.status == 0 or (not one.verb.endswith(", alone") and bool(REFUSALS.search(one.said + one.out)))


def _by_kind(ran: Sequence[Ran]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in ran:
        found.setdefault(one.verb, []).append(one.seconds)
    return found


def _page_figures(looker: Looker) -> dict[str, Any]:
    by_what = {what: _spread(times) for what, times in looker.seconds.items()}
    slowest = max(by_what, key=lambda what: by_what[what]["most"], default="")
    every = [seconds for times in looker.seconds.values() for seconds in times]
    return {"all": _spread(every), "slowest": slowest, "by": by_what}


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {"n": 0}
    return {"n": len(seconds), "median": round(median(seconds), 4), "most": round(max(seconds), 4)}


def describe(name: str, found: Mapping[str, Any]) -> list[str]:
    """The figures of one database, and the first of what went wrong."""
    counts = ("lost", "doubled", "tracebacks", "locked", "ends", "left behind", "page")
    page = found["page answers"]
    lines = [f"{name}: {sum(found['verbs'].values())} verbs, " + ", ".join(f"{found[c]} {c}" for c in counts)]
    for verb, n in sorted(found["verbs"].items(), key=lambda item: -item[1]):
        spread = found["seconds"][verb]
        refused = found["refused"].get(verb, 0)
        lines.append(f"  {verb:24}{n:6}  refused {refused:5}  {spread['median']:7.2f} s, most {spread['most']:.2f}")
    if page["all"]["n"]:
        lines.append(
            f"  the page: {page['all']['n']} answers, median {page['all']['median'] * 1000:.0f} ms, "
            f"slowest {page['all']['most']:.2f} s ({page['slowest']})"
        )
    return [*lines, *(f"  {note}" for note in found["notes"])]


if __name__ == "__main__":
    raise SystemExit(main())
