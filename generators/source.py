"""source: the unchanged input picture, as the last resort of an edit task, so that no task goes without an image."""

from __future__ import annotations

from collections.abc import Sequence

from selector.domain import Declined, GenerationFailed, Generator, InputError, Made, Recipe, TaskInputs, TaskType


class Source(Generator):
    """source: the unchanged input picture, as the last resort of an edit task, so that no task goes without an image.

    Input: a task with a source picture; for a face swap that is the picture that gives the scene. One recipe, always
        noted as {"fallback": true}, so that it is never mistaken for an edit.
    Model: none.
    Licence: the project's.
    Cost: one decoding.
    Fails when the source cannot be decoded. It scores badly on purpose: nothing was edited.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_generator
        >>> task = Task("7", TaskType.TIE, "add a hat", "a.jpg", None, 0)
        >>> inputs = TaskInputs(task, Picture(encode_final(data.astronaut())))
        >>> source = create_generator("source")
        >>> source.generate(inputs, source.recipes(inputs, 1, 0)[0]).notes
        {'fallback': True}
    """

    name = "source"
    version = "1"
    last_resort = True  # what it makes is no answer to the task, whatever the campaign calls it
    task_types = frozenset({TaskType.TIE, TaskType.VTTIE, TaskType.DEEPFAKE})

    def check(self) -> None:
        """Needs nothing."""

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """The one recipe. Raises ``Declined`` when the task has no source picture."""
        if inputs.source is None:
            raise Declined("the task has no source picture to hand back")
        return [Recipe("unchanged", seed)][: max(n, 0)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:  # noqa: ARG002 (the contract's arguments)
        """The source's pixels, flagged as a fallback."""
        if inputs.source is None:
            raise Declined("the task has no source picture to hand back")
        try:
            return Made(inputs.source.rgb.copy(), {"fallback": True})
        except InputError as error:
            raise GenerationFailed(str(error)) from error
