"""The facts of a contest, its task table, its input pictures, its score formula and its quota."""

from selector.contest.input_images import check_input_images, resolve_image
from selector.contest.profile import ContestProfile, load_profile, profile_names
from selector.contest.task_table import read_task_table

__all__ = [
    "ContestProfile",
    "check_input_images",
    "load_profile",
    "profile_names",
    "read_task_table",
    "resolve_image",
]
