"""How much of the words of tasks is read, and how much of what is claimed is right.

    python -m experiments.readings                                   # rules alone, on the sets that are here
    python -m experiments.readings --set mine.jsonl --set more.jsonl --json out.json
    python -m experiments.readings --model                           # and by a language model, but a toy one

A set is JSON lines of two kinds:

    {"prompt", "things": [{"noun", "count", "attributes": []}], "relations": [[0, "left of", 1]]}
    {"instruction", "action", "old", "new", "place"}

Nouns are in the prompt's language and compared in the singular; attributes are colours in English, and other ones
are not compared. A material may be part of a noun ("glass bowl"), and a size need not be (小男孩). Relations name
their ends by place in "things" and one of left of, right of, above, below, on, under, in, in front of, behind and
beside. Below and under are one, left of is right of read from the other end, and beside has no direction. A count
of 1 is what "a" says: wanted, not claimed. A place is as the instruction has it, or in short ("top left", 'below
"Annual Report"'); where the set names none, none is counted.

read: lines of which anything is claimed. exact: all that is wanted is claimed, and nothing else. A claim is one number,
one colour, one relation, or one part of a text edit (things are in ``by_kind`` alone); it is right where the set has
it. Intervals are Wilson's, 95%.

--model shows the chain and no model's skill: the real client, checks and store read each set over a server on loopback
that answers with what the set wants, and then with every kind of fault: to a third of the prompts once, to a third of
them always, and to all. wrong: lines that the model is said to have read, with a claim that is not right.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from experiments.support.gap_plots import wilson
from experiments.support.outcome import ended, finish, parser
from experiments.support.reading_claims import Line, claims_of, is_exact
from experiments.support.reading_server import ALL, GOOD, ModelRun, faults, read_by_model
from selector.domain import InputError, TaskType
from selector.domain.reading import Reading
from selector.prompts.reading import read_by_rules

SHARED = Path("../shared/cases/readings.jsonl")
OWN = Path(__file__).parent / "support" / "readings_own.jsonl"  # written along with the rules
Read: TypeAlias = Callable[[Line], Reading]


def main(arguments: list[str] | None = None) -> int:
    options = parser("readings", __doc__ or "")
    options.add_argument("--set", type=Path, action="append", metavar="FILE", help="a set; may be given again")
    options.add_argument("--model", action="store_true", help="also by the client of a model, over a toy server")
    chosen = options.parse_args(arguments)
    sets = chosen.set or [path for path in (SHARED, OWN) if path.exists()]
    return ended(lambda: measure(sets, chosen.json, chosen.model))


def measure(sets: Sequence[Path], out: Path | None, model: bool = False) -> int:
    """Read every set by rules, and as by a ``model``; print and write.

    Raises:
        InputError: a set that cannot be read.
    """
    results = {str(path): evaluate(by_rules, lines_of(path)) for path in sets}
    lines = [part for name, result in results.items() for part in _told(name, result)]
    by_model = {str(path): evaluate_model(lines_of(path)) for path in sets} if model else {}
    lines += [part for name, result in by_model.items() for part in _told_model(name, result)]
    finish(results, lines, out, {"by_model": by_model} if model else None)
    return int(any(run["wrong"] for result in by_model.values() for run in result["runs"]))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a set.

    Raises:
        InputError: the file is not there, or a line is none of the two kinds.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected JSON lines of a set, got: {error}") from error
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict) or not (
            {"prompt", "things"} <= set(line) or {"instruction", "action"} <= set(line)
        ):
            raise InputError(f"{path}, line {number}: expected 'prompt' and 'things', or 'instruction' and 'action'")
    return lines


def by_rules(line: Line) -> Reading:
    """What rules alone understand of a line."""
    if "instruction" in line:
        return read_by_rules(TaskType.VTTIE, line["instruction"])
    return read_by_rules(TaskType.T2I, line["prompt"])


def evaluate(read: Read, lines: Iterable[Line]) -> dict[str, Any]:
    """n, exact, unread, claims, claims_right, and by kind of claim [claims, right]."""
    total: Counter[str] = Counter()
    kinds: dict[str, list[int]] = {}
    for line in lines:
        reading = read(line)
        claims = claims_of(reading, line)
        total.update(n=1, unread=not claims, exact=is_exact(reading, line))
        for kind, right in claims:
            entry = kinds.setdefault(kind, [0, 0])
            entry[0] += 1
            entry[1] += right
    counted = [entry for kind, entry in kinds.items() if kind != "thing"]
    sums = {"claims": sum(entry[0] for entry in counted), "claims_right": sum(entry[1] for entry in counted)}
    return {"n": 0, "exact": 0, "unread": 0} | dict(total) | sums | {"by_kind": kinds}


def evaluate_model(lines: Sequence[Line]) -> dict[str, Any]:
    """n, exact without any fault, and a run each: fault, where, read, to_rules, wrong, asked, stopped."""
    good = read_by_model(lines)
    runs = [_run(lines, GOOD, ALL, good)]
    runs += [_run(lines, kind, where, read_by_model(lines, fault)) for kind, where, fault in faults(lines)]
    return {"n": len(lines), "exact": evaluate(good.of, lines)["exact"], "runs": runs}


def _run(lines: Sequence[Line], fault: str, where: str, run: ModelRun) -> dict[str, Any]:
    read = [line for line in lines if run.has_read(line)]
    wrong = sum(not all(right for _, right in claims_of(run.of(line), line)) for line in read)
    counts = {"read": len(read), "to_rules": len(lines) - len(read), "wrong": wrong, "asked": run.asked}
    return {"fault": fault, "where": where, **counts, "stopped": run.stopped}


def _told(name: str, result: Mapping[str, Any]) -> list[str]:
    n = result["n"]
    lines = [
        f"{name}{' (written along with the rules: no evidence)' if Path(name) == OWN else ''}",
        f"  n={n}, exact {_share(result['exact'], n)}",
        f"  read {_share(n - result['unread'], n)}",
        f"  claims right {_share(result['claims_right'], result['claims'])}",
    ]
    return [*lines, *(f"    {kind}: {_share(right, of)}" for kind, (of, right) in sorted(result["by_kind"].items()))]


def _told_model(name: str, result: Mapping[str, Any]) -> list[str]:
    n = result["n"]
    told = [f"{name}, by a model that knows the wanted answers", f"  n={n}, exact {_share(result['exact'], n)}"]
    told.append(f"  {'the server sends':32} {'to':14} read rules wrong asked")
    for run in result["runs"]:
        counts = " ".join(f"{run[kind]:5}" for kind in ("read", "to_rules", "wrong", "asked"))
        told.append(f"  {run['fault']:32} {run['where']:13}{counts}{'  (stopped)' if run['stopped'] else ''}")
    return told


def _share(part: int, of: int) -> str:
    if not of:
        return "none"
    low, high = wilson(part, of, z=1.96)
    return f"{part / of:.3f} [{low:.3f}, {high:.3f}] ({part} of {of})"


if __name__ == "__main__":
    raise SystemExit(main())
