"""The facts of a contest, its task table, its input pictures, its score formula and its quota."""

from selector.contest.input_images import check_input_images, resolve_image
from selector.contest.profile import ContestProfile, load_profile, profile_names
from selector.contest.quota import day_of, next_turn
from selector.contest.task_table import read_task_table
from selector.domain.errors import InputProblems

__all__ = [
    "ContestProfile",
    "InputProblems",
    "check_input_images",
    "day_of",
    "load_profile",
    "next_turn",
    "profile_names",
    "read_task_table",
    "resolve_image",
]
