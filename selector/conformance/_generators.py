"""The contract of a generator: facts, recipes that repeat, pixels that repeat, and tasks that it declines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from selector.conformance._results import check_facts, input_bytes, name_of, require, with_other_reading
from selector.domain import Declined, GenerationFailed, Generator, Made, Picture, Recipe, TaskInputs, TaskType
from selector.domain.structural import adopted

MOST_RECIPES = 6


def check_generator(generator: Generator, inputs: TaskInputs) -> None:
    """Check a generator on a task that it can do.

    Facts are complete; recipes repeat, have unique keys and extend each other; a recipe gives the same pixels twice,
    also from two threads; the image is (H, W, 3) uint8 or bytes and the notes are JSON; tasks of other types are
    declined; inputs stay as they were.

    Raises:
        AssertionError: with the generator's name and what it broke.
    """
    who = name_of(generator)
    fits = isinstance(adopted(generator, Generator), Generator)
    require(fits, f"{who}: needs name, version, task_types, recipes() and generate()")
    check_facts(generator, who)
    generator.check()
    before = input_bytes(inputs)
    recipes = _check_recipes(generator, inputs, who)
    _check_generate(generator, inputs, recipes[0], who)
    _check_other_types(generator, inputs, who)
    require(input_bytes(inputs) == before, f"{who}: recipes() or generate() changed its inputs")


def _check_recipes(generator: Generator, inputs: TaskInputs, who: str) -> Sequence[Recipe]:
    recipes = generator.recipes(inputs, MOST_RECIPES, 0)
    require(0 < len(recipes) <= MOST_RECIPES, f"{who}: recipes(n={MOST_RECIPES}) gave {len(recipes)}")
    require(all(isinstance(recipe, Recipe) for recipe in recipes), f"{who}: recipes() must give Recipe objects")
    keys = [_key(recipe, who) for recipe in recipes]
    require(len(set(keys)) == len(keys), f"{who}: two recipes have the same variant, seed and parameters")
    if not generator.reads_words:
        others = [recipe.key for recipe in generator.recipes(with_other_reading(inputs), MOST_RECIPES, 0)]
        require(others == keys, f"{who}: recipes follow the task's reading: set reads_words = True")
    again = [recipe.key for recipe in generator.recipes(inputs, MOST_RECIPES, 0)]
    require(again == keys, f"{who}: the same call gives other recipes")
    for fewer in range(1, MOST_RECIPES):
        shorter = [recipe.key for recipe in generator.recipes(inputs, fewer, 0)]
        require(shorter == keys[:fewer], f"{who}: recipes(n={fewer}) is not the beginning of recipes(n={MOST_RECIPES})")
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
    require(same, f"{who}: the recipe '{recipe.variant}' gives other pixels on another call")


def _check_made(made: Made, who: str) -> None:
    require(isinstance(made, Made), f"{who}: generate() must give a Made, got {type(made).__name__}")
    image = made.image
    if isinstance(image, bytes):
        Picture(image, name=who).rgb  # noqa: B018  decoding is the check
    else:
        right = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        require(right, f"{who}: an image must be bytes or an array (H, W, 3) uint8, got {_describe(image)}")
        require(min(image.shape[:2]) > 0, f"{who}: the image is empty")
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
