"""``python -m selector.cli``: the command line without an installed script."""

from selector.cli.main import program

if __name__ == "__main__":
    program()
