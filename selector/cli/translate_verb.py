"""The verb translate: English for prompts that the backbone cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import counted, progress_bar, verb

if TYPE_CHECKING:
    from selector.campaign import Campaign


@verb(
    "translate",
    "Give prompts in other languages their English, for a backbone that reads only English. Writes a table that you "
    "can fill and correct by hand; with --by the model of a configured judge fills it. Run `bestshot score` "
    "afterwards: the embedded pictures are kept, so it takes seconds.",
    "bestshot translate --by qwen-plus",
)
@click.option("--by", default=None, metavar="NAME", help="The model of [judges.NAME] in campaign.toml translates.")
def translate(campaign: Campaign, by: str | None) -> tuple[Any, str]:
    done = campaign.translate(by, progress_bar())
    lines = [f"{done.known} of {done.needed} prompts that need English have it ({done.new} new): {done.table}"]
    if done.stored:
        lines.append(f"{done.stored} of the new were answered in an earlier run, and nobody was asked for them again")
    if by is not None and done.known == done.needed and not done.new:
        lines.append("nothing was left to do")
    if done.cost is not None:
        lines.append(f"cost: {done.cost:.4f} {done.currency}".rstrip())
    if done.stopped:
        lines.append(f"stopped: {done.stopped}")
    if done.failures:
        lines += ["not translated, asked again by the next run:", *counted(done.failures)]
    elif done.known < done.needed and by is None:
        lines.append("fill the column `english`, or name a judge with --by")
    return done, "\n".join(lines)


VERBS = (translate,)
