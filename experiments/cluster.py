"""What a cluster costs and what it survives: Ray, PostgreSQL and S3 as processes of this machine.

    python -m experiments.cluster --json out.json
    python -m experiments.cluster --parts faults --kills 60 --json faults.json

overhead: pictures a second of ``score --engine ray`` over those of the local engine with the same cores, start-up
apart. flat: peak memory of driver, workers, Ray and its object store at two numbers of candidates. folders: two
machines on one PostgreSQL at one service, the one that is at it killed. faults: a worker, a node, the driver, the
database, the S3 server killed at random instants of ``score`` and ``generate``. million: ``experiments.scale`` with a
million candidates. Each part says on standard error how far it is; all together take hours on two cores.

Nothing here is a real cluster: nodes are processes, machines are process namespaces, and the S3 server keeps its
objects in memory behind the front that is "killed", as one with a disk would.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from experiments.support.cluster_counts import Counts
from experiments.support.cluster_faults import VERBS, VICTIMS, measure_faults
from experiments.support.cluster_flat import measure_flat
from experiments.support.cluster_folders import BAR_TAKEOVER_SECONDS, measure_folders
from experiments.support.cluster_million import measure_million
from experiments.support.cluster_overhead import measure_overhead
from experiments.support.outcome import ended, finish, parser
from experiments.support.run_options import whole_numbers
from selector.domain import InputError
from selector.domain.words import near_or_all

BAR_RAY_OVER_LOCAL, BAR_MEMORY_RATIO = 0.9, 1.1
Parts = dict[str, Callable[[argparse.Namespace], dict[str, Any]]]
PARTS: Parts = {
    "overhead": lambda chosen: measure_overhead(chosen.pictures, chosen.repeats, chosen.seed),
    "flat": lambda chosen: measure_flat(list(whole_numbers("--flat", chosen.flat)), chosen.seed),
    "folders": lambda chosen: measure_folders(chosen.rounds, chosen.seed),
    "faults": lambda chosen: measure_faults(
        chosen.kills, chosen.seed, chosen.verbs.split(","), chosen.victims.split(",")
    ),
    "million": lambda chosen: measure_million(whole_numbers("--tasks", chosen.tasks), chosen.candidates, chosen.seed),
}


def main(arguments: list[str] | None = None) -> int:
    options = parser("cluster", __doc__ or "")
    options.add_argument("--parts", default=",".join(PARTS), help="which, with commas (default all)")
    options.add_argument("--pictures", type=int, default=512, help="of overhead (default 512)")
    options.add_argument("--repeats", type=int, default=3, help="of overhead, of each engine (default 3)")
    options.add_argument("--flat", default="10000,100000", help="candidates of flat (default 10000,100000)")
    options.add_argument("--rounds", type=int, default=4, help="of folders, with one kill each (default 4)")
    options.add_argument("--kills", type=int, default=60, help="of faults, that meet the verb at work (default 60)")
    options.add_argument("--verbs", default=",".join(VERBS), help="that faults disturbs (default score,generate)")
    options.add_argument("--victims", default=",".join(VICTIMS), help=f"of faults (default {','.join(VICTIMS)})")
    options.add_argument("--tasks", default="100,1000", help="of million (default 100,1000)")
    options.add_argument("--candidates", type=int, default=1000, help="of million, of each task (default 1000)")
    chosen = options.parse_args(arguments)
    return ended(lambda: _measured(chosen))


def _measured(chosen: argparse.Namespace) -> int:
    names = chosen.parts.split(",")
    for name in names:
        if name not in PARTS:
            raise InputError(f"--parts: there is no {name}{near_or_all(name, PARTS)}")
    parts = {name: PARTS[name](chosen) for name in names}
    results = summary(parts)
    finish(results, _lines(results), chosen.json, {"parts": parts})
    return int(bool(misses(results)))


def summary(parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures that bars are held to; None where a part was not measured."""
    kills = [parts[name] for name in ("faults", "folders") if name in parts]
    counted = [one.name for one in fields(Counts)]
    memory = parts.get("flat", {}).get("memory_ratios", {})
    return {
        "ray_over_local": parts.get("overhead", {}).get("ray_over_local"),
        **{name: sum(part[name] for part in kills) if kills else None for name in counted},
        "other_picks": parts.get("faults", {}).get("other_picks"),
        "wrong": parts.get("faults", {}).get("wrong"),
        "takeover_s": parts.get("folders", {}).get("takeover_s"),
        "memory_ratio_100k_over_10k": memory.get("total"),
        **{f"memory_ratio_{name}": memory.get(name) for name in ("driver", "workers", "store")},
        "kills_by_kind": parts.get("faults", {}).get("by_kind"),
        "million": parts.get("million"),
    }


def misses(results: dict[str, Any]) -> list[str]:
    """Which bars were missed, of those that were measured."""
    found = [name for name in ("lost", "duplicated", "paid_beyond_needed", "other_picks", "wrong") if results[name]]
    speed, takeover_s = results["ray_over_local"], results["takeover_s"]
    found += ["ray_over_local"] if speed is not None and speed < BAR_RAY_OVER_LOCAL else []
    found += ["takeover_s"] if takeover_s is not None and takeover_s > BAR_TAKEOVER_SECONDS else []
    ratios = {name: ratio for name, ratio in results.items() if name.startswith("memory_ratio") and ratio is not None}
    return [*found, *(name for name, ratio in ratios.items() if ratio > BAR_MEMORY_RATIO)]


def _lines(results: dict[str, Any]) -> list[str]:
    lines = [f"{name}: {value}" for name, value in results.items() if value is not None and name != "million"]
    return [*lines, *(f"missed: {name}" for name in misses(results))]


if __name__ == "__main__":
    raise SystemExit(main())
