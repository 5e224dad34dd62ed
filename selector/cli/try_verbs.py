"""The verb for newcomers: demo."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from selector.cli.common import debug_option, emit, json_option, progress_bar, with_example
from selector.domain.words import n_of


@click.command(
    "demo",
    short_help="Run the whole loop offline, on pictures that are installed already.",
    help=with_example(
        "Run the whole loop offline: make a campaign of face swaps, text edits and scene edits from pictures that "
        "installed packages ship, and of pictures from words by a small model that knows coloured shapes (with "
        "bestshot[demo] installed), generate candidates, score, pick, export, verify, and write the contact sheet. Run "
        "it again to complete an interrupted demo.",
        "bestshot demo bestshot-demo",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("bestshot-demo"))
@click.option(
    "--play",
    is_flag=True,
    help="Play a contest of fourteen days instead, in a world of coloured shapes where every true score is known: how "
    "much of what selection can win the loop recovers, day by day, beside simple ways to pick.",
)
@json_option
@debug_option
def demo(folder: Path, play: bool, as_json: bool) -> None:
    if play:
        _play(folder / "play", as_json)
        return
    from selector.demo.run import run_demo

    click.echo("the whole loop on real pictures: three to five minutes on two cores", err=True)
    result = run_demo(folder, progress_bar())
    lines = [
        f"{n_of(result.tasks, 'task')}, {n_of(result.candidates, 'candidate')}, "
        f"{n_of(result.values, 'value')} measured, "
        f"{result.unscored} unscored (each with a reason), {result.seconds:.0f} s",
        *([result.left_out] if result.left_out else []),
        f"{result.fallbacks} task has only its flagged fallback: no generator here can do what it asks"
        if result.fallbacks == 1
        else f"{result.fallbacks} tasks have only a flagged fallback",
        f"ZIP            {result.zip_path} ({'valid' if result.valid else 'NOT valid'})",
        f"contact sheet  {result.sheet}",
    ]
    emit(result, "\n".join(lines), as_json)


def _play(folder: Path, as_json: bool) -> None:
    from selector.demo.play.run import play_demo

    click.echo("a contest in the closed world: up to five minutes on two cores", err=True)
    found = play_demo(folder, partial(click.echo, err=as_json), progress_bar(every_seconds=20))
    emit(found, "", as_json)


VERBS = (demo,)
