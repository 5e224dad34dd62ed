"""What every scorer and generator must fulfil, ours and a user's, as two functions that raise ``AssertionError``.

A plug-in's test is then a few lines::

    def test_my_scorer_keeps_the_contract():
        check_scorer(MyScorer(), items)  # a few items of its task types, with real pictures

    def test_my_generator_keeps_the_contract():
        check_generator(MyGenerator(), inputs)  # the inputs of one task that it can do
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from selector.domain import (
    Axis,
    Column,
    Declined,
    GenerationFailed,
    Generator,
    Item,
    Made,
    Picture,
    Recipe,
    Score,
    Scorer,
    TaskInputs,
    TaskType,
)

Results = Sequence[Mapping[str, Score]]
DAMAGED = Picture(b"\xff\xd8\xff\xe0 this is no picture", name="damaged")
MOST_RECIPES = 6


def check_scorer(scorer: Scorer, items: Sequence[Item]) -> None:
    """Check a scorer on at least two items of its task types.

    Facts are complete; results are in order, complete, finite and inside their columns' ranges; the same on a second
    call, for permuted items, one by one and from two threads; a damaged picture is unscored (or a value, for a GATE
    column) and raises nothing; inputs stay as they were.

    Raises:
        AssertionError: with the scorer's name and what it broke.
    """
    who = _name(scorer)
    _require(isinstance(scorer, Scorer), f"{who}: needs name, version, task_types, columns, check() and score()")
    _check_facts(scorer, who)
    _check_columns(scorer.columns, who)
    _require(len(items) >= 2, f"{who}: the check needs at least two items, got {len(items)}")
    scorer.check()
    before = [_bytes_of(item) for item in items]
    first = scorer.score(items)
    _check_results(scorer, first, len(items), who)
    _require(scorer.score([]) is not None and len(scorer.score([])) == 0, f"{who}: score([]) must be empty")
    _check_repeats(scorer, items, first, who)
    _check_damaged(scorer, items, first, who)
    _require([_bytes_of(item) for item in items] == before, f"{who}: score() changed its inputs")


def check_generator(generator: Generator, inputs: TaskInputs) -> None:
    """Check a generator on a task that it can do.

    Facts are complete; recipes repeat, have unique keys and extend each other; a recipe gives the same pixels twice,
    also from two threads; the image is (H, W, 3) uint8 or bytes and the notes are JSON; tasks of other types are
    declined; inputs stay as they were.

    Raises:
        AssertionError: with the generator's name and what it broke.
    """
    who = _name(generator)
    _require(
        isinstance(generator, Generator), f"{who}: needs name, version, task_types, check(), recipes() and generate()"
    )
    _check_facts(generator, who)
    generator.check()
    before = _input_bytes(inputs)
    recipes = _check_recipes(generator, inputs, who)
    _check_generate(generator, inputs, recipes[0], who)
    _check_other_types(generator, inputs, who)
    _require(_input_bytes(inputs) == before, f"{who}: recipes() or generate() changed its inputs")


def _require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)  # not an assert statement: the check must also hold under python -O


def _name(plugin: object) -> str:
    return str(getattr(plugin, "name", type(plugin).__name__))


def _check_facts(plugin: Scorer | Generator, who: str) -> None:
    for fact in ("name", "version"):
        value = getattr(plugin, fact)
        _require(isinstance(value, str) and value.strip(), f"{who}: {fact} must be a non-empty str, got {value!r}")
    types = plugin.task_types
    right = isinstance(types, frozenset) and types and all(isinstance(kind, TaskType) for kind in types)
    _require(right, f"{who}: task_types must be a non-empty frozenset of TaskType, got {types!r}")


def _check_columns(columns: tuple[Column, ...], who: str) -> None:
    right = isinstance(columns, tuple) and columns and all(isinstance(column, Column) for column in columns)
    _require(right, f"{who}: columns must be a non-empty tuple of Column, got {columns!r}")
    names = [column.name for column in columns]
    _require(len(set(names)) == len(names), f"{who}: column names must be unique, got {names}")
    for column in columns:
        where = f"{who}.{column.name}"
        finite = math.isfinite(column.low) and math.isfinite(column.high)
        _require(finite and column.low < column.high, f"{where}: the range [{column.low}, {column.high}] is none")
        _require(isinstance(column.axis, Axis), f"{where}: axis must be an Axis, got {column.axis!r}")
        _require(isinstance(column.higher_is_better, bool), f"{where}: higher_is_better must be a bool")
        _require(column.what.strip() and "\n" not in column.what, f"{where}: 'what' must be one line of text")


def _check_results(scorer: Scorer, results: Results, count: int, who: str) -> None:
    _require(len(results) == count, f"{who}: score() of {count} items must give {count} results, got {len(results)}")
    for result in results:
        _check_result(scorer, result, who)


def _check_result(scorer: Scorer, result: Mapping[str, Score], who: str) -> None:
    wanted, got = {column.name for column in scorer.columns}, set(result)
    _require(got == wanted, f"{who}: every result needs exactly the columns {sorted(wanted)}, got {sorted(got)}")
    for column in scorer.columns:
        score, where = result[column.name], f"{who}.{column.name}"
        _require(isinstance(score, Score), f"{where}: must be a Score, got {score!r}")
        if score.value is not None:
            right = isinstance(score.value, float) and column.low <= score.value <= column.high
            _require(right, f"{where}: {score.value!r} is no float in [{column.low}, {column.high}]")


def _check_repeats(scorer: Scorer, items: Sequence[Item], first: Results, who: str) -> None:
    _same(scorer.score(items), first, f"{who}: a second call gives other scores")
    _same(scorer.score(list(reversed(items))), list(reversed(first)), f"{who}: scores depend on the order of the items")
    alone = [scorer.score([item])[0] for item in items]
    _same(alone, first, f"{who}: scores depend on the other items of the batch")
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(scorer.score, [_fresh(items), _fresh(items)]):
            _same(result, first, f"{who}: two threads give other scores than one")


def _same(results: Results, expected: Results, message: str) -> None:
    _require(len(results) == len(expected), message)
    for index, (one, other) in enumerate(zip(results, expected, strict=True)):
        for column in other:
            _require(
                one.get(column) == other[column],
                f"{message} (item {index}, {column}: {one.get(column)} and {other[column]})",
            )


def _fresh(items: Sequence[Item]) -> list[Item]:
    """The same items as new objects, as another process would have them."""
    return [Item(item.inputs, Picture(item.picture.data, item.picture.name)) for item in items]


def _check_damaged(scorer: Scorer, items: Sequence[Item], first: Results, who: str) -> None:
    mixed = [items[0], Item(items[0].inputs, DAMAGED), items[1]]
    try:
        results = scorer.score(mixed)
    except Exception as error:
        raise AssertionError(f"{who}: a damaged picture must be unscored, but score() raised {error!r}") from error
    _check_results(scorer, results, len(mixed), who)
    for column in scorer.columns:
        if column.axis is not Axis.GATE:
            score = results[1][column.name]
            _require(score.value is None, f"{who}.{column.name}: a damaged picture got the value {score.value}")
    _same([results[0], results[2]], first[:2], f"{who}: a damaged picture changes the scores of its neighbours")


def _bytes_of(item: Item) -> tuple[bytes, ...]:
    return (_pixels_of(item.picture), *_input_bytes(item.inputs))


def _input_bytes(inputs: TaskInputs) -> tuple[bytes, ...]:
    pictures = (inputs.source, inputs.reference)
    return (repr(inputs.task).encode(), *(_pixels_of(picture) for picture in pictures if picture is not None))


def _pixels_of(picture: Picture) -> bytes:
    return picture.data + picture.rgb.tobytes()


def _check_recipes(generator: Generator, inputs: TaskInputs, who: str) -> Sequence[Recipe]:
    recipes = generator.recipes(inputs, MOST_RECIPES, 0)
    _require(0 < len(recipes) <= MOST_RECIPES, f"{who}: recipes(n={MOST_RECIPES}) gave {len(recipes)}")
    _require(all(isinstance(recipe, Recipe) for recipe in recipes), f"{who}: recipes() must give Recipe objects")
    keys = [_key(recipe, who) for recipe in recipes]
    _require(len(set(keys)) == len(keys), f"{who}: two recipes have the same variant, seed and parameters")
    again = [recipe.key for recipe in generator.recipes(inputs, MOST_RECIPES, 0)]
    _require(again == keys, f"{who}: the same call gives other recipes")
    for fewer in range(1, MOST_RECIPES):
        shorter = [recipe.key for recipe in generator.recipes(inputs, fewer, 0)]
        _require(
            shorter == keys[:fewer], f"{who}: recipes(n={fewer}) is not the beginning of recipes(n={MOST_RECIPES})"
        )
    return recipes


def _key(recipe: Recipe, who: str) -> str:
    try:
        return recipe.key
    except TypeError as error:
        raise AssertionError(f"{who}: the parameters of recipe '{recipe.variant}' are not JSON: {error}") from error


def _check_generate(generator: Generator, inputs: TaskInputs, recipe: Recipe, who: str) -> None:
    first = generator.generate(inputs, recipe)
    _check_made(first, who)
    with ThreadPoolExecutor(2) as pool:
        made = [first, *pool.map(lambda _: generator.generate(inputs, recipe), range(2))]
    same = all(_image_bytes(other) == _image_bytes(first) for other in made)
    _require(same, f"{who}: the recipe '{recipe.variant}' gives other pixels on another call")


def _check_made(made: Made, who: str) -> None:
    _require(isinstance(made, Made), f"{who}: generate() must give a Made, got {type(made).__name__}")
    image = made.image
    if isinstance(image, bytes):
        Picture(image, name=who).rgb  # noqa: B018  decoding is the check
    else:
        right = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        _require(right, f"{who}: an image must be bytes or an array (H, W, 3) uint8, got {_describe(image)}")
        _require(min(image.shape[:2]) > 0, f"{who}: the image is empty")
    try:
        json.dumps(dict(made.notes), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{who}: notes must be JSON values: {error}") from error


def _describe(image: Any) -> str:
    return f"{type(image).__name__} {getattr(image, 'shape', '')} {getattr(image, 'dtype', '')}".strip()


def _image_bytes(made: Made) -> bytes:
    return made.image if isinstance(made.image, bytes) else np.ascontiguousarray(made.image).tobytes()


def _check_other_types(generator: Generator, inputs: TaskInputs, who: str) -> None:
    for kind in sorted(set(TaskType) - generator.task_types):
        other = _as_task_of(kind, inputs)
        try:
            generator.recipes(other, 1, 0)
        except Declined:
            continue
        except GenerationFailed as error:
            raise AssertionError(f"{who}: a {kind.value} task must be Declined, not failed: {error}") from error
        raise AssertionError(f"{who}: a {kind.value} task must be Declined, because it is not in task_types")


def _as_task_of(kind: TaskType, inputs: TaskInputs) -> TaskInputs:
    """The same task under another type; one from text has no pictures."""
    if kind is TaskType.T2I:
        return TaskInputs(replace(inputs.task, type=kind, source=None, reference=None))
    return TaskInputs(replace(inputs.task, type=kind), inputs.source, inputs.reference)
