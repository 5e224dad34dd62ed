"""Which recipes an order has: asked of the generator once for every prompt style, stored, and extended when n grows.

A treatment is a variant that no generator need know of: another wording of the prompt before, post-processing after. It
is written into the recipe, so that it is part of what was tried, and into its variant, the level that is learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from selector.config import AS_IS, Step
from selector.domain import (
    BestshotError,
    Declined,
    GenerationFailed,
    InputError,
    MissingPart,
    Recipe,
    TaskInputs,
    reason_of,
    stable_hash,
)
from selector.domain.treatments import JOIN, in_words, own_variant
from selector.generate.orders import Order
from selector.prompts.wording import SUFFIX, cut
from selector.store.attempts import Planning, latest_planning
from selector.workspace.workspace import Workspace

if TYPE_CHECKING:
    from selector.llm.prompting import PromptBook

PROMPT, FINISH = "prompt_style", "finish"  # keys of a recipe's parameters that are ours


class RecipePlanner:
    """Asks generators for recipes; safe for threads.

    Args:
        ws: the campaign.
        retry_failed: also ask again a generator that failed to answer.
    """

    def __init__(self, ws: Workspace, retry_failed: bool) -> None:
        self._ws, self._retry_failed = ws, retry_failed

    @cached_property
    def _prompts(self) -> PromptBook:
        """Other wordings of prompts, which most plans do not ask for."""
        from selector.llm.prompting import PromptBook

        return PromptBook(self._ws)

    def planning(self, order: Order, n: int, inputs: TaskInputs) -> tuple[Planning, bool]:
        """The planning of an order's first ``n`` recipes, and whether it is new."""
        with self._ws.db.read() as connection:
            known = latest_planning(connection, order.task.id, order.name, order.build)
        if known is not None and self._is_enough(known, order, n):
            return known, False
        return self._ask(order, n, inputs), True

    def _is_enough(self, known: Planning, order: Order, n: int) -> bool:
        if known.outcome == "planned":
            # A generator that had fewer ideas than asked for may have more now: a folder with new files, say.
            return len(known.recipes) >= n and follows(known.recipes[:n], order.step)
        return known.outcome == "declined" or (known.outcome == "failed" and not self._retry_failed)

    def _ask(self, order: Order, n: int, inputs: TaskInputs) -> Planning:
        recipes: tuple[Recipe, ...] = ()
        outcome, reason = "planned", None
        try:
            order.generator.check()
            recipes, reason = self._recipes(order, n, inputs)
            check_json([dict(recipe.params) for recipe in recipes], "a recipe's parameters")
        except Exception as error:
            recipes = ()
            outcome, reason = outcome_of(error)
        return Planning(order.task.id, order.name, order.build, n, recipes, outcome, reason)

    def _recipes(self, order: Order, n: int, inputs: TaskInputs) -> tuple[tuple[Recipe, ...], str | None]:
        """The recipes of all wordings in turn, and why one of them is not to be had now."""
        wordings, missing = self.wordings(order)
        if missing and not wordings:
            raise MissingPart(missing[0])
        share = -(-n // max(1, len(wordings) + len(missing)))
        lists = [
            [
                worded(recipe, style, prompt, self._cut_from(order, style, prompt))
                for recipe in self._asked(order, share, with_prompt(inputs, prompt))
            ]
            for style, prompt in wordings
        ]
        turns = [recipe for turn in range(share) for of_style in lists for recipe in of_style[turn : turn + 1]]
        return tuple(turns[:n]), missing[0] if missing else None

    def _asked(self, order: Order, n: int, inputs: TaskInputs) -> Sequence[Recipe]:
        generator, seeds = order.generator, order.step.seeds
        if not seeds:
            return generator.recipes(inputs, n, self._ws.task_seed(order.task))
        return [recipe for seed in seeds[:n] for recipe in generator.recipes(inputs, 1, seed)]

    def wordings(self, order: Order) -> tuple[list[tuple[str, str]], list[str]]:
        """(style, prompt) of the step's styles that differ from each other, and why others are missing now.

        They differ in what the generator reads of them: it may say after how many characters it cuts.
        """
        if order.step.prompts == (AS_IS,):
            return [(AS_IS, order.task.prompt)], []
        form, limit = order.generator.prompt_form, order.generator.prompt_characters or 0  # None was fine
        found: dict[str, tuple[str, str]] = {}  # what is read -> (style, prompt)
        missing = []
        for style in order.step.prompts:
            try:
                prompt = self._prompts.text(order.task, style, form, limit)
            except Declined:
                continue  # no such wording: the others share its candidates
            except MissingPart as error:
                missing.append(f"prompt style {style}: {error}")
                continue
            found.setdefault(cut(prompt.strip(), limit) if limit else prompt, (style, prompt))
        return list(found.values()), missing

    def _cut_from(self, order: Order, style: str, prompt: str) -> int:
        """The characters of a suffixed prompt before it was cut to fit; 0 where it was not."""
        whole = self._prompts.text(order.task, SUFFIX) if style == SUFFIX else prompt
        return len(whole) if whole != prompt else 0


def check_json(value: object, what: str) -> None:
    """Raise ``GenerationFailed`` for what the store cannot keep, such as numpy's numbers: it must not end the run."""
    try:
        stable_hash(value)
    except (TypeError, ValueError) as error:
        raise GenerationFailed(f"{what} must be JSON values: {error}") from error


def outcome_of(error: Exception) -> tuple[str, str]:
    """(outcome, reason) of an error; raises ``OutOfResources``, which is none and ends the run, as Ctrl-C does."""
    line = reason_of(error)
    if isinstance(error, Declined):
        return "declined", line
    if isinstance(error, (MissingPart, InputError)):
        return "missing", line  # a part, a setting or an input picture: the next run may find it mended
    if isinstance(error, BestshotError):
        return "failed", line
    return "failed", f"{type(error).__name__}: {line}"[:500]


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
    """The same task in other words: its pictures are shared, and so is its reading, which is of the task's own."""
    return replace(inputs, task=replace(inputs.task, prompt=prompt))


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


def recipe_in_words(recipe: Recipe) -> str:
    """The recipe's variant, or imported file, with its treatments: "warp, prompt style suffix, finish sharpen"."""
    treatments = ((recipe.params.get(key), part) for key, part in ((PROMPT, "style"), (FINISH, "name")))
    style, finish = (str(of.get(part, "")) if isinstance(of, Mapping) else "" for of, part in treatments)
    own = recipe.params.get("file") or own_variant(recipe.variant, style, finish)
    return in_words(str(own), style, finish)


def _joined(variant: str, treatment: str) -> str:
    return f"{variant}{JOIN}{treatment}" if variant else treatment
