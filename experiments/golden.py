"""Today's behaviour as small text files, and what differs from it: ids, scores, estimates, picks, plans, manifests.

    python -m experiments.golden --check --json out.json

in the clone's root. ``--check`` plays the cases (the demo's contest without models, sixty prompts at a loopback
service, three simulated contests with judges and totals) and compares with ``tests/golden/CASE/*.tsv``; it ends with 1
on a difference. ``--write`` writes the files anew and says what changed. Each file states the tolerances of its columns
and the versions of the packages that its values rest on: with other versions it is not compared, and said so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from experiments.support.golden_cases import CASES
from experiments.support.golden_record import Difference, Table, differences, not_comparable, read, written
from experiments.support.outcome import ended, finish, parser
from selector.domain import InputError
from selector.domain.files import write_atomically

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden"
_MOST_SHOWN = 10  # of one file; --json tells all


@dataclass(frozen=True)
class Compared:
    """What a case says otherwise than its record. ``left_out``: file to why it was not compared."""

    different: list[Difference] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def main(arguments: list[str] | None = None) -> int:
    options = parser("golden", __doc__ or "")
    what = options.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with the record (default)")
    what.add_argument("--write", action="store_true", help="write the record anew")
    options.add_argument("--only", choices=CASES, metavar="CASE", help=f"one of {', '.join(CASES)}")
    options.add_argument("--workers", type=int, default=2, help="threads of the campaigns (default 2)")
    chosen = options.parse_args(arguments)
    names = [chosen.only] if chosen.only else list(CASES)
    return ended(lambda: _run(names, chosen.write, chosen.workers, chosen.json))


def play(case: str, workers: int = 2) -> dict[str, Table]:
    """Play a case in a temporary folder; file name to its table."""
    with tempfile.TemporaryDirectory(prefix="bestshot-golden-") as place:
        return CASES[case](Path(place), workers)


def compare(case: str, tables: dict[str, Table], folder: Path | None = None) -> Compared:
    """What was played against the record of the case; ``folder``: of the records, those of this checkout if None."""
    found, place = Compared(), (folder or FOLDER) / case
    records = {path.stem: read(path.read_text(encoding="utf-8")) for path in sorted(place.glob("*.tsv"))}
    if not records:
        raise InputError(f"there is no record in {place}: make it with --write")
    for name in sorted({*records, *tables}):
        file = f"{case}/{name}.tsv"
        if name not in tables or name not in records:
            there = ["(no such file)" if name not in side else "(file)" for side in (records, tables)]
            found.different.append(Difference(file, "file", "", *there))
        elif why := not_comparable(records[name]):
            found.left_out[file] = why
        else:
            found.different.extend(differences(file, records[name], tables[name]))
    return found


def write(case: str, tables: dict[str, Table]) -> None:
    """Replace the record of a case."""
    place = FOLDER / case
    place.mkdir(parents=True, exist_ok=True)
    for path in place.glob("*.tsv"):
        if path.stem not in tables:
            path.unlink()
    for name, one in tables.items():
        write_atomically(place / f"{name}.tsv", written(one).encode())


def _run(names: Iterable[str], anew: bool, workers: int, out: Path | None) -> int:
    results, lines = {}, []
    for name in names:
        tables = play(name, workers)
        there = any((FOLDER / name).glob("*.tsv"))
        found = compare(name, tables) if there or not anew else Compared()
        lines += _told(name, found, len(tables))
        results[name] = {"files": len(tables), **asdict(found)}
        if anew:
            write(name, tables)
    finish(results, lines, out)
    return int(not anew and any(found["different"] for found in results.values()))


def _told(case: str, found: Compared, files: int) -> list[str]:
    compared = files - len(found.left_out)
    lines = [f"{case}: {len(found.different)} differences in {compared} of {files} files"]
    for file in dict.fromkeys(one.file for one in found.different):
        of_file = [one for one in found.different if one.file == file]
        lines += [f"  {one}" for one in of_file[:_MOST_SHOWN]]
        lines += [f"  {file}: and {more} more"] if (more := len(of_file) - _MOST_SHOWN) > 0 else []
    return lines + [f"  {file}: not compared: {why}" for file, why in found.left_out.items()]


if __name__ == "__main__":
    raise SystemExit(main())
