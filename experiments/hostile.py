"""Reads inputs that nobody means well with, by every reader of the program: files, tables, pictures, weights, replies.

    python -m experiments.hostile --inputs 100000 --json out.json

Valid inputs are damaged byte by byte, with the checksums of PNG and ZIP mended, or are of the right form and say wrong
things (hypothesis). Each may come to a value, or to an error of the program, within 2 s of the processor and 300 MB
more memory (twice that for a picture, which may have 50 million pixels and is looked at three times), with no file left
behind, and with nothing on stderr but what is told: a line of at most 2,000 characters each that steers no terminal.
All else is a finding: another exception, words that blame the machine, a process that hangs or ends.

Replies come over a connection to a server on loopback, and go through the client and the reader of the service or the
judge. A finding is named by reader, seed and number: ``--only READER --seed S --number K`` repeats it, and
``--save FOLDER`` keeps its input. A backup is made anew each time, so that of these only a kept input repeats exactly.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments.support.hostile_workers import Batch, Result, read_all
from experiments.support.outcome import ended, finish, parser
from selector.domain import InputError
from selector.domain.words import near_or_all

USUAL_INPUTS = 100_000
_BATCH = 250  # inputs
_SHOWN = 40  # findings


def main(arguments: list[str] | None = None) -> int:
    chosen = _options().parse_args(arguments)
    return ended(lambda: _run(chosen))


def _run(chosen: argparse.Namespace) -> int:
    from experiments.support.hostile_readers import READERS

    names = [_name(given, READERS) for given in chosen.only or READERS]
    os.environ["BESTSHOT_LANG"] = "en"
    began = time.monotonic()
    if chosen.number is not None:
        batches = [Batch(name, chosen.seed, chosen.number, 1) for name in names]
    else:
        batches = list(planned({name: READERS[name].share for name in names}, chosen.inputs, chosen.seed))
    found = {name: Result(name) for name in names}
    total = sum(batch.count for batch in batches)
    told: set[tuple[str, str, str]] = set()
    with tqdm(total=total, unit="input", disable=None) as bar:
        for result in read_all(batches, chosen.jobs, chosen.seconds):
            found[result.reader].join(result)
            bar.update(sum(result.counts.values()))
            for number, kind, why in result.findings:
                if (result.reader, kind, _place(why)) not in told:
                    told.add((result.reader, kind, _place(why)))
                    print(f"{_repeat(result.reader, chosen.seed, number)}: {kind}: {why}", file=sys.stderr, flush=True)
                    if chosen.save is not None:
                        _save(chosen.save, READERS[result.reader], chosen.seed, number)
    seconds = time.monotonic() - began
    if chosen.number is not None and chosen.save is not None:
        for name in names:
            _save(chosen.save, READERS[name], chosen.seed, chosen.number)
    results = {name: _told(result, chosen.seed) for name, result in found.items()}
    summed = {
        "inputs": sum(sum(r.counts.values()) for r in found.values()),
        "findings": sum(len(r.findings) for r in found.values()),
    }
    finish({**summed, "seconds": round(seconds), "readers": results}, [*_lines(found), "", str(summed)], chosen.json)
    return int(bool(summed["findings"]))


def planned(shares: dict[str, float], inputs: int, seed: int) -> Iterator[Batch]:
    """Batches of all readers, each with its share of the inputs, those of a reader far apart in time."""
    whole = sum(shares.values())
    counts = {name: max(1, round(inputs * share / whole)) for name, share in shares.items()}
    first = 0
    while any(first < count for count in counts.values()):
        for name, count in counts.items():
            if first < count:
                yield Batch(name, seed, first, min(_BATCH, count - first))
        first += _BATCH


def _told(result: Result, seed: int) -> dict[str, Any]:
    return {
        "inputs": sum(result.counts.values()),
        "mean_bytes": round(result.bytes / max(1, sum(result.counts.values()))),
        "counts": dict(result.counts),
        "slowest": {"cpu_seconds": round(result.slowest[0], 3), "number": result.slowest[1]},
        "largest": {"mb": round(result.largest[0]), "number": result.largest[1]},
        "findings": [
            {"repeat": _repeat(result.reader, seed, n), "kind": k, "why": w} for n, k, w in result.findings[:_SHOWN]
        ],
    }


def _lines(found: dict[str, Result]) -> list[str]:
    lines = [
        f"{'reader':36}{'inputs':>8}{'values':>8}{'errors':>8}{'findings':>10}{'slowest, s':>12}{'largest, MB':>13}"
    ]
    for name, one in found.items():
        counts = (sum(one.counts.values()), one.counts["value"], one.counts["error"], len(one.findings))
        shown = "".join(f"{n:>{w}}" for n, w in zip(counts, (8, 8, 8, 10), strict=True))
        lines.append(f"{name:36}{shown}{one.slowest[0]:>12.2f}{one.largest[0]:>13.0f}")
    return lines


def _repeat(reader: str, seed: int, number: int) -> str:
    return f'--only "{reader}" --seed {seed} --number {number}'


def _place(why: str) -> str:
    """Of a finding the file and line, so that the same one is told once."""
    return why.partition(": ")[0][:80]


def _save(folder: Path, reader: Any, seed: int, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() else "_" for letter in reader.name)
    (folder / f"{name}-{seed}-{number}").write_bytes(reader.input(seed, number))


def _name(given: str, known: Sequence[str] | dict[str, Any]) -> str:
    if given not in known:
        raise InputError(f"there is no reader '{given}'{near_or_all(given, known)}")
    return given


def _options() -> argparse.ArgumentParser:
    options = parser("hostile", __doc__ or "")
    options.add_argument("--inputs", type=int, default=USUAL_INPUTS, help=f"of all readers (default {USUAL_INPUTS:,})")
    options.add_argument(
        "--seconds", type=float, default=math.inf, help="begin no batch after so long (default: no end)"
    )
    options.add_argument("--only", action="append", metavar="READER", help="this reader alone (may be repeated)")
    options.add_argument(
        "--number", type=int, metavar="K", help="the input of this number alone, as a finding names it"
    )
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    options.add_argument("--save", type=Path, metavar="FOLDER", help="keep the inputs of findings there")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
