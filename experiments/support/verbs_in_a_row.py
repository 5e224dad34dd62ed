"""Runs several verbs in one process, because starting one takes longer than most verbs; prints their exit statuses.

    python -m experiments.support.verbs_in_a_row '[["score", "-C", "FOLDER"], ["pick", "-C", "FOLDER"]]'

The last line of standard output is a JSON list with the status of each; errors are on standard error as always.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from selector.cli.main import main as run


def status_of(arguments: Sequence[str]) -> int:
    """The exit status of one verb."""
    try:
        run(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    statuses = [status_of(arguments) for arguments in json.loads(sys.argv[1])]
    print(f"\n{json.dumps(statuses)}")
