"""retouch: edits of a scene that classical processing can truly do, and a refusal of all others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from generators._photo import geometry, tone
from generators._photo.colour_regions import colour_region, recolour, region_methods
from generators._photo.styles import Style, combinations, styles_of
from generators._photo.subject import mask_methods, subject_mask
from selector.domain import Declined, GenerationFailed, Generator, Made, Picture, Recipe, TaskInputs, TaskType
from selector.domain.reading import Operation
from selector.finishing import detail
from selector.prompts.edits.instruction import parse_edit_instruction
from selector.sight.colour_spaces import Floats, to_floats, to_pixels


class Retouch(Generator):
    """retouch: edits of a scene that classical processing can truly do, and a refusal of all others.

    Makes: the source with brightness, contrast, warmth, saturation, black and white, sepia, blur (of the background
        too), sharpness, a vignette, a pencil sketch, another frame (flip, rotate, crop) or another colour of a dominant
        region.
    Input: a `tie` task with a source picture and an instruction in English or Chinese. An instruction of which any part
        is not understood is declined with the reason.
    Recipes: methods and strengths of each operation, combined; exact operations have one.
    Model: none.
    Licence: the project's.
    Cost: 0.05 to 0.6 s at 512 px on one core.
    Fails: a background's outline may be rough where the subject has its colours; nouns are taken on trust ("the red
        car" is the dominant red region).

    Example:
        >>> from skimage import data
        >>> from selector.domain import Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_generator
        >>> task = Task("7", TaskType.TIE, "make the picture black and white", "a.jpg", None, 0)
        >>> inputs, retouch = TaskInputs(task, Picture(encode_final(data.astronaut()))), create_generator("retouch")
        >>> recipe = retouch.recipes(inputs, 1, 0)[0]
        >>> retouch.generate(inputs, recipe).image.std(axis=2).max().item()  # grey: the channels are equal
        0.0
    """

    name = "retouch"
    version = "1"
    task_types = frozenset({TaskType.TIE})

    def check(self) -> None:
        """Needs nothing beyond the program's own dependencies."""

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """Ways to carry out the instruction, best guess first. Raises ``Declined`` for what it cannot do."""
        if inputs.task.type not in self.task_types:
            raise Declined(f"retouching edits scenes, and this is a {inputs.task.type.value} task")
        operations, source = _plan(inputs)
        styles = [styles_of(operation, _mask_methods(operation, source)) for operation in operations]
        return [_recipe(operations, chosen, seed) for chosen in islice(combinations(styles), max(n, 0))]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """Carry out the instruction on the source. Deterministic; the seed only draws grain and pencil strokes."""
        operations, source = _plan(inputs)
        try:
            chosen = [Style(**step) for step in recipe.params["styles"]]
            steps = sorted(zip(operations, chosen, strict=True), key=lambda step: _stage(step[0]))
            srgb = to_floats(source.rgb)
            for operation, style in steps:
                srgb = _applied(srgb, source, operation, style, recipe.seed)
        except (KeyError, TypeError, ValueError) as error:
            raise GenerationFailed(
                f"retouch: recipe '{recipe.variant}' does not fit the instruction ({error})"
            ) from error
        return Made(np.ascontiguousarray(to_pixels(srgb)), {"operations": [operation.name for operation in operations]})


def _plan(inputs: TaskInputs) -> tuple[tuple[Operation, ...], Picture]:
    if inputs.source is None:
        raise Declined("retouching needs a source picture, and the task has none")
    return parse_edit_instruction(inputs.task.prompt), inputs.source  # a model's reading names no operations


def _mask_methods(operation: Operation, source: Picture) -> tuple[str, ...]:
    """The ways that find the operation's subject or region in this picture, the best first."""
    if operation.scope in ("background", "subject"):
        return mask_methods(source)
    if operation.scope == "region":
        srgb, params = to_floats(source.rgb), operation.params
        return region_methods(srgb, params["from"], params["plural"])
    return ()


def _recipe(operations: Sequence[Operation], chosen: Sequence[Style], seed: int) -> Recipe:
    names = (f"{operation.name}:{style.label}" for operation, style in zip(operations, chosen, strict=True))
    steps = [{"method": style.method, "strength": style.strength, "mask": style.mask} for style in chosen]
    return Recipe("+".join(names), seed, {"styles": steps})


def _stage(operation: Operation) -> int:
    """Masks belong to the source's frame, so the frame changes after them; a vignette belongs to the final frame."""
    return 2 if operation.name == "vignette" else 1 if operation.scope == "geometry" else 0


def _applied(srgb: Floats, source: Picture, operation: Operation, style: Style, seed: int) -> Floats:
    strength = operation.amount * style.strength
    if operation.scope == "geometry":
        return _framed(srgb, operation, style)
    if operation.scope == "region":
        params = operation.params
        region = colour_region(to_floats(source.rgb), params["from"], params["plural"], style.mask)
        return recolour(srgb, region, params["from"], params["to"], style.method, strength)
    if operation.scope == "whole":
        return _filtered(srgb, operation.name, style.method, strength, seed)
    subject = subject_mask(source, style.mask)
    if subject is None:
        raise Declined(f"retouch: no subject found by '{style.mask}' in {source.name}")
    where = (subject if operation.scope == "subject" else 1 - subject)[..., None]
    if operation.name == "blur" and operation.scope == "background":
        changed = detail.blur_outside(srgb, subject, style.method, strength, seed)
    else:
        changed = _filtered(srgb, operation.name, style.method, strength, seed)
    return np.asarray(srgb + where * (changed - srgb))


def _filtered(srgb: Floats, name: str, method: str, strength: float, seed: int) -> Floats:
    if name == "pencil_sketch":
        return detail.pencil_sketch(srgb, method, strength, seed)
    module = detail if name in ("sharpen", "blur") else tone
    filtered: Floats = getattr(module, name)(srgb, method, strength)
    return filtered


def _framed(srgb: Floats, operation: Operation, style: Style) -> Floats:
    if operation.name == "flip":
        return geometry.flip(srgb, operation.params["axis"])
    if operation.name == "rotate":
        turn = -1 if style.method.endswith("_back") else 1
        return geometry.rotate(srgb, style.method.removesuffix("_back"), turn * operation.params["degrees"])
    return geometry.crop(srgb, style.method, operation.amount * style.strength, dict(operation.params))
