"""CPU seconds and peak memory of the verbs, and how they grow with the number of tasks.

    python -m experiments.scale --tasks 1000,10000,50000 --json out.json

The campaigns are synthesised (``support/synthetic_campaign.py``): four candidates a task, 22 scores a candidate, six
totals, some judgements. Each verb is the program itself in a process of its own, as its user would start it, in the
order of the table: ``init`` makes another campaign of the same tasks, ``learn`` is ``bestshot calibrate`` with its
plots, ``plan`` follows ``pick``, ``export`` writes what ``plan`` has stored, and ``score`` finds nothing new. Pictures
are small, and the candidates of all tasks share 64: reading, decoding and thumbnails cost less than they would. Every
figure is of one run.

With ``--candidates`` it is a campaign of as many candidates a task, rows alone (``support/crowded_campaign.py``), at a
``--store``: its scores as rows of SQLite, as columns (Parquet) beside SQLite, or in a PostgreSQL that is started for
it. ``ingest`` is what makes its rows; ``select`` picks from the same candidates as a Parquet table, without a campaign.

    python -m experiments.scale --tasks 100,1000 --candidates 1000 --store sqlite-columns --json out.json

The exponent of growth e says that a cost grows as tasks to the power of e from one size to the next; the start of the
program, about what ``quota`` costs, is part of each cost. With it the costs of 100,000,000 candidates are extrapolated
from the two largest sizes: a line drawn through two points, and no measurement. The work of a PostgreSQL's own
processes is in the seconds that pass, and not in CPU seconds and memory. Nothing is chosen here that a random pick or
an oracle could stand beside.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.support.crowded_campaign import LEAST_CANDIDATES, STORES
from experiments.support.outcome import ended, finish, parser
from experiments.support.process_cost import Cost, cost_of
from experiments.support.run_options import whole_numbers
from experiments.support.synthetic_campaign import CANDIDATES, make_campaign, write_contest
from selector.domain import InputError
from selector.domain.words import near_or_all

if TYPE_CHECKING:
    from tests.servers.postgresql_server import PostgreSQLServer

VERBS = ("init", "status", "quota", "explain", "learn", "pick", "plan", "export", "report", "score")
OF_MANY = ("ingest", "status", "pick", "plan", "select")  # of very many candidates a task
LEAST_TASKS = 8  # two of each type
FAR = 100_000_000  # candidates of which the costs are extrapolated
Costs = dict[int, dict[str, Cost]]  # by number of tasks, ascending, and verb
Growth = dict[int, dict[str, dict[str, float]]]  # likewise, then by cost


def main(arguments: list[str] | None = None) -> int:
    options = parser("scale", __doc__ or "")
    options.add_argument("--tasks", default="1000,10000", help="sizes, with commas (default 1000,10000)")
    options.add_argument("--candidates", type=int, help="a task, a multiple of 4: rows without pictures (default 4)")
    options.add_argument("--store", choices=STORES, default="sqlite", help="of --candidates (default sqlite)")
    options.add_argument("--verbs", help="which to measure, with commas (default all)")
    options.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="leave the campaigns there, and go on with those of an earlier run"
    )
    chosen = options.parse_args(arguments)
    return ended(lambda: _measured(chosen), chosen.keep, "complete campaigns are kept" if chosen.keep else "")


def _measured(chosen: argparse.Namespace) -> int:
    sizes = whole_numbers("--tasks", chosen.tasks, LEAST_TASKS)
    each, known = chosen.candidates, VERBS if chosen.candidates is None else OF_MANY
    verbs = list(known) if chosen.verbs is None else _verbs(chosen.verbs, known)
    if each is not None and (each < LEAST_CANDIDATES or each % CANDIDATES):
        raise InputError(f"--candidates is a multiple of {CANDIDATES} from {LEAST_CANDIDATES} on, got {each}")
    if chosen.store != "sqlite" and (each is None or (chosen.keep and chosen.store.startswith("postgresql"))):
        raise InputError("--store is of a campaign with --candidates; --keep cannot keep what is in PostgreSQL")
    costs: Costs = {}
    with _place(chosen.keep) as place, _server(chosen.store) as server:
        for n in sizes:
            if each is None:
                folder = _campaign(place, n, chosen.seed)
                costs[n] = {verb: measure(folder, verb) for verb in verbs}
            else:
                folder, ingest = _crowded(place, n, each, chosen.seed, chosen.store, server.url() if server else None)
                costs[n] = {verb: ingest if verb == "ingest" else measure(folder, verb) for verb in verbs}
    growth = exponents(costs)
    results = {str(n): {verb: asdict(cost) for verb, cost in row.items()} for n, row in costs.items()}
    more: dict[str, Any] = {"growth": growth, "cores": os.cpu_count()}
    if each is not None:
        more |= {"candidates_a_task": each, "store": chosen.store, "far": far(costs, growth, each)}
    finish(results, _lines(costs, growth, each or CANDIDATES), chosen.json, more)
    return 0


def far(costs: Costs, growth: Growth, each: int) -> dict[str, dict[str, float]]:
    """By verb the costs of ``FAR`` candidates, extrapolated from the two largest sizes; empty where there is one."""
    if not growth:
        return {}
    n = max(growth)
    found = {}
    for verb, powers in growth[n].items():
        times = FAR / (n * each)
        found[verb] = {what: round(getattr(costs[n][verb], what) * times**e) for what, e in powers.items()}
    return found


def measure(folder: Path, verb: str) -> Cost:
    """The cost of a verb in the folder of ``_campaign``; told on standard error, because the next may take minutes."""
    shutil.rmtree(folder / "init", ignore_errors=True)
    cost, output = cost_of([sys.executable, "-m", "selector.cli", *_command(folder, verb), "--json"])
    if verb == "score" and (found := json.loads(output)["candidates"]):
        raise InputError(f"{folder}: {found} candidates lacked scores of the present versions: delete it")
    print(f"{folder.name} {verb}: {cost.cpu_s:.1f} s, {cost.rss_mb:.0f} MB", file=sys.stderr, flush=True)
    return cost


def exponents(costs: Costs) -> Growth:
    """By size, from the second on, and verb: the power of the number of tasks by which it costs more than before."""
    return {n: {verb: _powers(costs, verb, m, n) for verb in costs[n]} for m, n in pairwise(costs)}


def _powers(costs: Costs, verb: str, m: int, n: int) -> dict[str, float]:
    before, after = costs[m][verb], costs[n][verb]
    return {
        what: round(math.log(getattr(after, what) / getattr(before, what)) / math.log(n / m), 2)
        for what in ("cpu_s", "rss_mb")
    }


def _verbs(text: str, known: Sequence[str]) -> list[str]:
    """The named verbs in the order in which they are measured."""
    named = {name.strip() for name in text.split(",")}
    for name in sorted(named - set(known)):
        raise InputError(f"--verbs: there is no '{name}' here{near_or_all(name, known)}")
    return [verb for verb in known if verb in named]


@contextmanager
def _place(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="bestshot-scale-") as place:
        yield Path(place)


def _campaign(place: Path, n: int, seed: int) -> Path:
    """The folder with a contest and its ``campaign``; one that is there is whole and stays."""
    folder = place / f"tasks-{n}-seed-{seed}"
    if folder.is_dir():
        return folder
    unfinished = place / f"unfinished-{folder.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"{folder.name}: the campaign is being made", file=sys.stderr, flush=True)
    write_contest(unfinished, n, seed)
    make_campaign(unfinished / "campaign", unfinished, seed)
    return unfinished.rename(folder)


@contextmanager
def _server(store: str) -> Iterator[PostgreSQLServer | None]:
    if not store.startswith("postgresql"):
        yield None
        return
    from tests.servers.postgresql_server import PostgreSQLServer  # in a checkout

    with PostgreSQLServer() as server:
        yield server


def _crowded(place: Path, n: int, each: int, seed: int, store: str, url: str | None) -> tuple[Path, Cost]:
    """The same with ``each`` candidates a task, and what it cost to put in its rows."""
    folder = place / f"tasks-{n}-each-{each}-{store}-seed-{seed}"
    note = folder / "ingest.json"
    if not note.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"{folder.name}: the campaign is being made", file=sys.stderr, flush=True)
        size = ["--tasks", str(n), "--candidates", str(each), "--seed", str(seed), "--store", store]
        crowd = [sys.executable, "-m", "experiments.support.crowded_campaign", str(folder), *size]
        cost, output = cost_of([*crowd, *(["--url", url] if url else [])])
        print(f"{folder.name} ingest: {output}", file=sys.stderr, flush=True)
        parts = json.loads(output)
        spent = {"cpu_s": parts.pop("cpu_s"), "rss_mb": cost.rss_mb, "wall_s": round(sum(parts.values()), 3)}
        note.write_text(json.dumps(spent), encoding="utf-8")
    return folder, Cost(**json.loads(note.read_text(encoding="utf-8")))


def _command(folder: Path, verb: str) -> list[str]:
    """The verb as the program knows it, with its options."""
    if verb == "init":
        return [verb, str(folder / "init"), "--tasks", str(folder / "task.csv"), "--images", str(folder / "imgs")]
    if verb == "select":
        known = ["--column", "technical.sharpness=up", "--column", "preservation.outside_ssim=up"]
        return [verb, str(folder / "scores.parquet"), *known, "--out", str(folder / "picks.parquet")]
    return [*{"explain": ["explain", "0"], "learn": ["calibrate"]}.get(verb, [verb]), "-C", str(folder / "campaign")]


def _lines(costs: Costs, growth: Growth, each: int) -> list[str]:
    head = f"{'':10}{'candidates':>12}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'e of CPU':>10}{'e of MB':>9}"
    lines = [f"one run each, {os.cpu_count()} cores; e is the exponent of growth", head]
    beyond = far(costs, growth, each) if each != CANDIDATES else {}
    for verb in next(iter(costs.values())):
        for n, row in costs.items():
            cost, grown = row[verb], growth.get(n, {}).get(verb)
            powers = f"{grown['cpu_s']:>10.2f}{grown['rss_mb']:>9.2f}" if grown else ""
            lines.append(f"{verb:10}{n * each:>12}{cost.cpu_s:>9.1f}{cost.wall_s:>9.1f}{cost.rss_mb:>9.0f}{powers}")
        if verb in beyond:
            lines.append(f"{'':10}{FAR:>12}{beyond[verb]['cpu_s']:>9}{'':9}{beyond[verb]['rss_mb']:>9}  extrapolated")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
