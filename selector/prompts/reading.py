"""The reading of a task: the one it came with, else what rules understand of its words."""

from __future__ import annotations

from functools import lru_cache

from selector.domain import TaskInputs, TaskType
from selector.domain.reading import Reading
from selector.prompts.edits.change import edit_of
from selector.prompts.scene import read_scene
from selector.prompts.text_edits.instruction import (
    MAX_QUOTED,
    MAX_QUOTED_CHARACTERS,
    NOT_UNDERSTOOD,
    TOO_MUCH_QUOTED,
    parse_text_instruction,
    quoted_texts,
)

UNREAD_CHANGE = "not read: what the instruction changes"


def reading_of(inputs: TaskInputs) -> Reading:
    """What is understood of the task's words.

    Example:
        >>> from selector.domain import Task
        >>> task = Task("7", TaskType.T2I, "a red cube left of two blue spheres", None, None, 0)
        >>> reading_of(TaskInputs(task)).scene.relations[0].kind
        'left'
    """
    return inputs.reading or read_by_rules(inputs.task.type, inputs.task.prompt)


@lru_cache(maxsize=4096)  # asked for again with every candidate of a task
def read_by_rules(kind: TaskType, prompt: str) -> Reading:
    """What closed forms of English and Chinese say; what they do not account for is not claimed."""
    if kind is TaskType.T2I:
        (scene, unread), texts = read_scene(prompt), quoted_texts(prompt)
        if len(texts) > MAX_QUOTED or sum(map(len, texts)) > MAX_QUOTED_CHARACTERS:
            return Reading(scene=scene, unread=f"not read: {TOO_MUCH_QUOTED}")
        return Reading(scene=scene, texts=texts, unread=unread and f"not read: {unread}")
    if kind is TaskType.VTTIE:
        edit = parse_text_instruction(prompt)
        return Reading(text_edit=edit, unread="" if edit else NOT_UNDERSTOOD)
    if kind is TaskType.TIE:
        change, text_edit = edit_of(prompt), parse_text_instruction(prompt)
        is_read = change.change or change.operations or text_edit
        return Reading(edit=change, text_edit=text_edit, unread="" if is_read else UNREAD_CHANGE)
    return Reading()
