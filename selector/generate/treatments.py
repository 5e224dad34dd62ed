"""Variants that no generator need know of: another wording of the prompt before, post-processing after.

Both are written into the recipe, so that they are part of what was tried, and into its variant, which is the level
that the calibration learns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from selector.config import AS_IS, Step
from selector.domain import Recipe, TaskInputs
from selector.learn.pool import in_words

PROMPT, FINISH = "prompt_style", "finish"  # keys of a recipe's parameters that are ours
_JOIN = " + "


def worded(base: Recipe, style: str, prompt: str, cut_from: int = 0) -> Recipe:
    """The recipe of a generator that was shown ``prompt`` instead of the task's own.

    ``cut_from``: the characters that the wording had before it was cut to fit, 0 where it was not: kept as a note.
    """
    if style == AS_IS:
        return base
    treatment = {"style": style, "prompt": prompt, "of": base.variant} | ({"cut_from": cut_from} if cut_from else {})
    return Recipe(_joined(base.variant, style), base.seed, {**base.params, PROMPT: treatment})


def style_of(recipe: Recipe) -> str:
    """The prompt style of a recipe."""
    return str(recipe.params[PROMPT]["style"]) if PROMPT in recipe.params else AS_IS


def as_shown(inputs: TaskInputs, recipe: Recipe) -> tuple[TaskInputs, Recipe]:
    """Inputs and recipe as the generator knows them."""
    if PROMPT not in recipe.params:
        return inputs, recipe
    treatment = recipe.params[PROMPT]
    params = {key: value for key, value in recipe.params.items() if key != PROMPT}
    return with_prompt(inputs, str(treatment["prompt"])), Recipe(str(treatment["of"]), recipe.seed, params)


def with_prompt(inputs: TaskInputs, prompt: str) -> TaskInputs:
    """The same task with other words; its pictures are shared."""
    return TaskInputs(replace(inputs.task, prompt=prompt), inputs.source, inputs.reference)


def finished(made: Recipe, name: str, version: str) -> Recipe:
    """The recipe of an image that was made by ``made`` and then finished."""
    params = {**made.params, FINISH: {"name": name, "version": version}}
    return Recipe(_joined(made.variant, name), made.seed, params)


def follows(recipes: Sequence[Recipe], step: Step) -> bool:
    """Whether a stored list of recipes is in the step's order of prompt styles and seeds."""
    styles = len(step.prompts)
    return all(
        style_of(recipe) == step.prompts[i % styles]
        and (not step.seeds or (i // styles < len(step.seeds) and recipe.seed == step.seeds[i // styles]))
        for i, recipe in enumerate(recipes)
    )


def own_variant(variant: str, style: str, finish: str) -> str:
    """The generator's own variant in a treated recipe's: "warp" of "warp + suffix + sharpen"."""
    for treatment in (finish, style):
        if treatment and variant == treatment:
            return ""
        if treatment:
            variant = variant.removesuffix(f"{_JOIN}{treatment}")
    return variant


def recipe_in_words(recipe: Recipe) -> str:
    """The recipe's variant, or imported file, with its treatments: "warp, prompt style suffix, finish sharpen"."""
    style, finish = (_name(recipe.params.get(key), part) for key, part in ((PROMPT, "style"), (FINISH, "name")))
    own = recipe.params.get("file") or own_variant(recipe.variant, style, finish)
    return in_words(str(own), style, finish)


def _name(treatment: object, part: str) -> str:
    return str(treatment.get(part, "")) if isinstance(treatment, Mapping) else ""


def _joined(variant: str, treatment: str) -> str:
    return f"{variant}{_JOIN}{treatment}" if variant else treatment
