"""``bestshot demo --play``: one game of a small pool, made, played and told; and the words that every play tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from selector.demo.play import scores
from selector.demo.play.figures import as_document, finite
from selector.demo.play.game import Rules, play
from selector.demo.play.plan import PIPELINES, PoolPlan
from selector.demo.play.pool import Pool, make_pool
from selector.demo.play.report import as_json, lines_of, write_picture
from selector.demo.play.scores import SIMILARITY
from selector.demo.run import check_drawing
from selector.domain import MissingPart
from selector.domain.files import write_atomically
from selector.domain.progress import Progress, silent
from selector.domain.words import n_of

DEMO = PoolPlan(prompts=24, edits=16)  # what two cores make, measure and play in under five minutes
DEMO_RULES = Rules(share=1.0)


def play_demo(
    folder: Path, say: Callable[[str], None] = print, progress: Progress = silent, plan: PoolPlan = DEMO
) -> dict[str, Any]:
    """Play the demo's game in ``folder``; its pool is kept, so that an interrupted one goes on.

    Args:
        say: gets the tables, as they come.

    Returns:
        What was played on (``pool``), and how it went (``results``: ``report.as_json``, and how well each score tells
        the truth). ``play.json`` in the folder holds the same, ``play.png`` the recovered gap by day.

    Raises:
        MissingPart: the models, or a package that they need, are not here.
        InputError: the folder holds the pool of another plan.
    """
    if not plan.stand_in:
        try:
            check_drawing()
        except MissingPart as error:
            raise MissingPart(f"demo --play draws with a model. {error}") from error
    pool = make_pool(folder / "pool", plan, progress)
    say("\n".join([*told_of(pool), ""]))
    game = play(pool, folder / "games" / "0", 0, DEMO_RULES, progress)
    plot = write_picture(folder / "play.png", [game])
    say("\n".join([*lines_of([game]), "", f"plot: {plot}"]))
    results = {**as_json([game]), "correlations": scores.as_json(scores.correlations(pool))}
    found: dict[str, Any] = finite({"results": results, "pool": facts_of(pool, DEMO_RULES)})
    write_atomically(folder / "play.json", as_document(found))
    return found


def told_of(pool: Pool) -> list[str]:
    """What is played on, in words."""
    drawn = "simulated generators (stand-ins)" if pool.plan.stand_in else f"real pipelines ({', '.join(PIPELINES)})"
    known = "its scores' measured correlations" if pool.plan.measured else "nothing of its scores"
    lines = [
        f"pool: {n_of(pool.plan.prompts, 'prompt')} drawn by {drawn}, {n_of(pool.plan.edits, 'edit')} by simulated "
        f"editors; {n_of(len(pool.truth), 'candidate')} in {pool.folder}",
        f"the team begins with {known}",
    ]
    missing = [f"{name} is left out: {why}" for name, why in pool.left_out.items()]
    if {scorer for scorer, _ in SIMILARITY.values()} - set(pool.plan.scorers) - set(pool.left_out):
        missing.append("nothing measures similarity here: argmax of similarity is a random pick")
    return lines + missing


def facts_of(pool: Pool, rules: Rules) -> dict[str, object]:
    """What the figures rest on."""
    plan = {**vars(pool.plan), "model": "other" if pool.plan.model else "embedded", "models": pool.plan.models}
    return {**plan, **vars(rules), "candidates": len(pool.truth), "left_out": dict(pool.left_out)}
