"""The protocol of bestshot's scorer `command`: lines of JSON in, lines of JSON out. Needs nothing but Python 3.10."""

import json
import os
import sys


def serve(scores_of):
    """Answer batch after batch until stdin ends.

    Args:
        scores_of: gets the items of a batch, as dicts, and gives for each a dict {column: number}, or a text: the
            reason why there is no score.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to stderr
    batch = []
    for line in sys.stdin:
        batch.append(json.loads(line))
        if batch[-1]["left"] == 0:
            for item, said in zip(batch, scores_of(batch), strict=True):
                answer = {"reason": said} if isinstance(said, str) else {"scores": said}
                answers.write(json.dumps({"id": item["id"], **answer}) + "\n")
            answers.flush()
            batch = []
