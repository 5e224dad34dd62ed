"""Verifies a ZIP against a task table alone, for a team that has the contest's files but no campaign."""

from __future__ import annotations

from pathlib import Path

from selector.contest.profile import load_profile
from selector.contest.task_table import read_task_table
from selector.submit.verify import Verdict, verify_archive

DEFAULT_PROFILE = "tianchi-532389"


def verify_against_table(zip_path: Path, tasks: Path, profile: str | Path = DEFAULT_PROFILE) -> Verdict:
    """Check every rule of the contest on the ZIP; whose images it holds, and whether they are fallbacks, is not known.

    Args:
        tasks: the contest's task table; the input images need not be there.
        profile: name of a built-in contest profile, or the path of one.

    Raises:
        InputError: the ZIP, the table or the profile cannot be read.
    """
    contest = load_profile(profile)
    return verify_archive(zip_path, contest, read_task_table(tasks, contest, tasks.parent))
