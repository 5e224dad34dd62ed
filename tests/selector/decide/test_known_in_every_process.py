"""What was learned has one name in every process: HOLD and the advice of `next` compare it with a stored one."""

import os
import subprocess
import sys

import pytest

BELIEFS = "from selector.decide._beliefs import beliefs_of; print(beliefs_of({}, [], {}))"
AGAINST = """
from selector.domain.decisions import Decision, DecisionKind, Decisions, Target
names = ("wanx", "flux", "qwen")
said = [Decision(i, DecisionKind.EXCLUDE, Target(generator=n), n, "ann", "") for i, n in enumerate(names)]
print(Decisions.of(said).against("1", "a" * 64, set(names)).reason)
"""


@pytest.mark.parametrize("program", [BELIEFS, AGAINST])
def test_the_order_of_a_set_shows_nowhere(program: str) -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1 and said != {""}
