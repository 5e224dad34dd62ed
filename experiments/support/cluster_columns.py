"""The program with scores that become files by column after some hundred: ``python -m`` of this module."""

from selector.cli.main import program
from selector.store import moving_scores

if __name__ == "__main__":
    moving_scores.GATHERED = 200
    program()
