"""What the checks share: facts of a plug-in, results of a scorer, and whether two of them are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from selector.domain import Generator, Item, Picture, Score, Scorer, TaskInputs, TaskType
from selector.domain.reading import Reading, Scene, SceneEdit
from selector.domain.structural import adopted

Results = Sequence[Mapping[str, Score]]


def require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)  # not an assert statement: the check must also hold under python -O


def name_of(plugin: object) -> str:
    return str(getattr(plugin, "name", type(plugin).__name__))


def check_facts(plugin: Scorer | Generator, who: str) -> None:
    for fact in ("name", "version"):
        value = getattr(plugin, fact, None)
        require(isinstance(value, str) and value.strip(), f"{who}: {fact} must be a non-empty str, got {value!r}")
    types = getattr(plugin, "task_types", None)
    right = isinstance(types, frozenset) and types and all(isinstance(kind, TaskType) for kind in types)
    require(right, f"{who}: task_types must be a non-empty frozenset of TaskType, got {types!r}")


def input_bytes(inputs: TaskInputs) -> tuple[bytes, ...]:
    """Everything about a task that a plug-in could change: the task, and the bytes and pixels of its pictures."""
    pictures = (inputs.source, inputs.reference)
    return (repr(inputs.task).encode(), *(pixels_of(picture) for picture in pictures if picture is not None))


def with_other_reading(inputs: TaskInputs) -> TaskInputs:
    """The same task, of whose words something else was understood: one text and nothing more."""
    return replace(inputs, reading=Reading("conformance", Scene((), (), "en"), ("Qz",), SceneEdit(), unread="a check"))


def pixels_of(picture: Picture) -> bytes:
    return picture.data + picture.rgb.tobytes()


def tolerance_of(scorer: Scorer, tolerance: float | None) -> float:
    """``tolerance``, or what the class states, or 0: a share of each column's range."""
    stated = adopted(scorer, Scorer).tolerance if tolerance is None else tolerance
    right = isinstance(stated, (int, float)) and 0.0 <= stated < 1.0
    require(right, f"{name_of(scorer)}: tolerance must be a share of the range, 0 to below 1, got {stated!r}")
    return float(stated)


def scores_of(scorer: Scorer, items: Sequence[Item], what: str) -> Results:
    """Scores of items that are unusual in the way that ``what`` names; an exception or a wrong result is a fault."""
    who = name_of(scorer)
    try:
        results = scorer.score(items)
    except Exception as error:
        raise AssertionError(f"{who}: {what} must be scored or unscored, but score() raised {error!r}") from error
    check_results(scorer, results, len(items), f"{who}: {what}")
    return results


def check_results(scorer: Scorer, results: Results, count: int, who: str) -> None:
    """One complete mapping for each item, every value a float inside its column's range."""
    require(len(results) == count, f"{who}: score() of {count} items must give {count} results, got {len(results)}")
    wanted = {column.name for column in scorer.columns}
    for result in results:
        require(
            set(result) == wanted,
            f"{who}: every result needs exactly the columns {sorted(wanted)}, got {sorted(result)}",
        )
        for column in scorer.columns:
            score, where = result[column.name], f"{who}.{column.name}"
            require(isinstance(score, Score), f"{where}: must be a Score, got {score!r}")
            right = isinstance(score.value, float) and column.low <= score.value <= column.high
            require(
                score.value is None or right, f"{where}: {score.value!r} is no float in [{column.low}, {column.high}]"
            )


def same(scorer: Scorer, results: Results, expected: Results, tolerance: float, message: str) -> None:
    """Require equal scores and equal reasons; values may differ by ``tolerance``, a share of their column's range."""
    require(len(results) == len(expected), message)
    for index, (one, other) in enumerate(zip(results, expected, strict=True)):
        for column in scorer.columns:
            got, wanted = one.get(column.name), other[column.name]
            allowed = tolerance * (column.high - column.low)
            require(
                is_same(got, wanted, allowed),
                f"{message} (item {index}, {column.name}: {shown(got)} and {shown(wanted)}, allowed: {allowed:g})",
            )


def is_same(one: Score | None, other: Score, allowed: float) -> bool:
    if one is None or one.value is None or other.value is None:
        return one == other
    return abs(one.value - other.value) <= allowed


def shown(score: Score | None) -> str:
    """A score for a message: its value, or why there is none."""
    if score is None:
        return "nothing"
    return f"unscored, {score.reason}" if score.value is None else repr(score.value)
