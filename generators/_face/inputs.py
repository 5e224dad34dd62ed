"""What every face swap begins with: the two pictures of its task."""

from __future__ import annotations

from selector.domain import Declined, Picture, TaskInputs, TaskType


def scene_and_reference(inputs: TaskInputs, who: str) -> tuple[Picture, Picture]:
    """The scene, which stays, and the picture that gives the identity; ``who`` is the generator's name.

    Raises:
        Declined: the task is no face swap, or one of its pictures is missing.
    """
    if inputs.task.type is not TaskType.DEEPFAKE:
        raise Declined(f"{who} does {TaskType.DEEPFAKE.value} tasks, this is a {inputs.task.type.value} task")
    if inputs.source is None or inputs.reference is None:
        missing = "scene (source)" if inputs.source is None else "reference"
        raise Declined(f"{who} needs two pictures, and the task has no {missing} picture")
    return inputs.source, inputs.reference
