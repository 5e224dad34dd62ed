"""The command line: thin, and quick to start. What a verb does is one call of ``selector.Campaign``."""

from selector.cli.main import main, program

__all__ = ["main", "program"]
