"""How much of the words of tasks is read, and how much of what is claimed is right.

    python -m experiments.readings                                   # rules alone, on the sets that are here
    python -m experiments.readings --set mine.jsonl --set more.jsonl --json out.json

A set is JSON lines of two kinds:

    {"prompt", "things": [{"noun", "count", "attributes": []}], "relations": [[0, "left of", 1]]}
    {"instruction", "action", "old", "new", "place"}

Nouns are in the prompt's language and compared in the singular; attributes are colours in English, and other ones are
not compared. Relations name their ends by place in "things" and one of RELATIONS. Below and under are one, left of is
right of read from the other end, and beside has no direction. A material may be part of the noun ("glass bowl"), and
a size need not be (小男孩). A count of 1 is what "a" says: wanted, not claimed.

read: lines of which anything is claimed. exact: all that is wanted is claimed, and nothing else. A claim is one number,
one colour, one relation, or one part of a text edit (things are in ``by_kind`` alone); it is right where the set has
it. Intervals are Wilson's, 95%.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from experiments.support.gap_plots import wilson
from experiments.support.outcome import ended, finish, parser
from selector.domain import InputError, TaskType
from selector.domain.reading import Place, Reading, Scene, TextEdit, Thing
from selector.prompts.reading import read_by_rules
from selector.prompts.scene import singular

SHARED = Path("../shared/cases/readings.jsonl")
OWN = Path(__file__).parent / "support" / "readings_own.jsonl"  # written along with the rules
RELATIONS = {
    "left": "left of", "right": "right of", "above": "above", "below": "below", "on": "on", "under": "under",
    "in": "in", "in_front": "in front of", "behind": "behind", "beside": "beside",
}  # fmt: skip
_TURNED = {"right of": "left of", "below": "above", "under": "above", "behind": "in front of"}
_SAME_COLOUR = {"gray": "grey", "golden": "gold", "silvery": "silver", "colorful": "colourful"}
Line: TypeAlias = Mapping[str, Any]
Read: TypeAlias = Callable[[Line], Reading]
Claims: TypeAlias = Iterator[tuple[str, bool]]  # kind of claim, whether it is right


def main(arguments: list[str] | None = None) -> int:
    options = parser("readings", __doc__ or "")
    options.add_argument("--set", type=Path, action="append", metavar="FILE", help="a set; may be given again")
    chosen = options.parse_args(arguments)
    return ended(lambda: measure(chosen.set or [path for path in (SHARED, OWN) if path.exists()], chosen.json))


def measure(sets: Sequence[Path], out: Path | None) -> int:
    """Read every set by rules, print and write.

    Raises:
        InputError: a set that cannot be read.
    """
    results = {str(path): evaluate(by_rules, lines_of(path)) for path in sets}
    finish(results, [part for name, result in results.items() for part in _told(name, result)], out)
    return 0


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
        text = "instruction" in line
        claims = list(_text_claims(reading.text_edit, line) if text else _scene_claims(reading.scene, line))
        total.update(n=1, unread=not claims, exact=bool(claims) and _exact(reading, line, claims))
        for kind, right in claims:
            entry = kinds.setdefault(kind, [0, 0])
            entry[0] += 1
            entry[1] += right
    counted = [entry for kind, entry in kinds.items() if kind != "thing"]
    sums = {"claims": sum(entry[0] for entry in counted), "claims_right": sum(entry[1] for entry in counted)}
    return {"n": 0, "exact": 0, "unread": 0} | dict(total) | sums | {"by_kind": kinds}


def _exact(reading: Reading, line: Line, claims: Sequence[tuple[str, bool]]) -> bool:
    if not all(right for _, right in claims):
        return False
    kinds = Counter(kind for kind, _ in claims)
    if "instruction" in line:
        return all(kinds[part] == 1 for part in ("action", "old", "new", "place") if line.get(part))
    numbers = sum((thing.get("count") or 1) != 1 for thing in line["things"])
    said = sum((thing.count or 1) != 1 for thing in reading.scene.objects) if reading.scene else 0
    colours = sum(len(thing.get("attributes", ())) for thing in line["things"])
    wanted = (len(line["things"]), numbers, colours, len(line.get("relations", ())))
    return wanted == (kinds["thing"], said, kinds["colour"], kinds["relation"])


def _scene_claims(scene: Scene | None, line: Line) -> Claims:
    """Every thing, count, colour and relation that was claimed, and whether the set has it."""
    if scene is None:
        return
    places = _matched(scene.objects, line["things"])
    for thing, place in zip(scene.objects, places, strict=True):
        wanted = line["things"][place] if place is not None else {}
        yield "thing", place is not None
        if thing.count:
            yield "count", wanted.get("count") == thing.count
        has = [_colour(colour) for colour in wanted.get("attributes", ())]
        for colour in _colours(thing):
            yield "colour", colour in has or colour.split()[-1] in has
    orders = {_order(a, kind, b) for a, kind, b in line.get("relations", ())}
    for relation in scene.relations:
        ends = places[relation.subject], places[relation.object]
        yield "relation", None not in ends and _order(ends[0], RELATIONS[relation.kind], ends[1]) in orders


def _matched(things: Sequence[Thing], wanted: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each thing the place of the wanted one with its noun, of several the one that is most like it."""
    free, places = set(range(len(wanted))), []
    for thing in things:
        fits = [i for i in free if singular(wanted[i]["noun"].lower()) in _names(thing)]
        place = max(fits, key=lambda i: _likeness(thing, wanted[i]), default=None)
        free.discard(place if place is not None else -1)
        places.append(place)
    return places


def _names(thing: Thing) -> set[str]:
    """Its noun with a material before it too ("glass bowl"), and without the size in it (小男孩)."""
    materials = {f"{one.word} {thing.noun}" for one in thing.attributes if one.kind == "material"}
    return {singular(thing.noun), thing.noun.lstrip("小大") or thing.noun, *materials}


def _likeness(thing: Thing, wanted: Mapping[str, Any]) -> tuple[int, bool]:
    has = {_colour(colour) for colour in wanted.get("attributes", ())}
    return len(has & set(_colours(thing))), (thing.count or 1) == wanted.get("count")


def _colours(thing: Thing) -> list[str]:
    """In English; those whose English is not known cannot be compared."""
    said = [a.english for a in thing.attributes if a.kind == "colour" and a.english]
    return [_colour(colour) for word in said for colour in word.split(" and ")]


def _colour(word: str) -> str:
    return " ".join(_SAME_COLOUR.get(part, part) for part in word.lower().split())


def _order(first: Any, kind: str, second: Any) -> tuple[Any, str, Any]:
    """One way to say what can be said from both ends."""
    if kind in _TURNED:
        first, kind, second = second, _TURNED[kind], first
    return (*sorted((first, second)), kind) if kind == "beside" else (first, kind, second)


def _text_claims(edit: TextEdit | None, line: Line) -> Claims:
    """Every part of a text edit that was claimed; a place only where the set speaks of places."""
    if edit is None:
        return
    yield "action", edit.action == line["action"]
    for part, said in (("old", edit.old), ("new", edit.new)):
        if said is not None:
            yield part, said == line.get(part)
    if edit.place is not None and "place" in line:
        yield "place", line["place"] in _places(edit.place)


def _places(place: Place) -> set[str]:
    """The ways to write a place in a set: "centre", 'below "Annual Report"', or as the instruction has it."""
    where = place.side or place.spot or ""
    return {place.words, f'{where} "{place.of}"' if place.is_text else f"{where} {place.of}".strip(), where}


def _told(name: str, result: Mapping[str, Any]) -> list[str]:
    n = result["n"]
    lines = [
        f"{name}{' (written along with the rules: no evidence)' if Path(name) == OWN else ''}",
        f"  n={n}, exact {_share(result['exact'], n)}",
        f"  read {_share(n - result['unread'], n)}",
        f"  claims right {_share(result['claims_right'], result['claims'])}",
    ]
    return [*lines, *(f"    {kind}: {_share(right, of)}" for kind, (of, right) in sorted(result["by_kind"].items()))]


def _share(part: int, of: int) -> str:
    if not of:
        return "none"
    low, high = wilson(part, of, z=1.96)
    return f"{part / of:.3f} [{low:.3f}, {high:.3f}] ({part} of {of})"


if __name__ == "__main__":
    raise SystemExit(main())
