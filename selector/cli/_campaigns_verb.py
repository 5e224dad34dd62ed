"""The verb ``campaigns``: what a team's database holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from selector.cli.common import debug_option, emit, json_option, with_example
from selector.domain.words import n_of

if TYPE_CHECKING:
    from selector.store.campaigns import StoredCampaign


@click.command(
    "campaigns",
    short_help="List the campaigns of a team's database.",
    help=with_example(
        "List the campaigns that a database holds: id, profile, team, tasks, candidates and when anything was stored "
        "last. The address is that of `init --store`, or a file of SQLite. `init` with the same table, pictures, team "
        "and seed joins a campaign, from any folder and machine.",
        "bestshot campaigns postgresql://db.example.com/contest",
    ),
)
@click.argument("url", metavar="URL")
@json_option
@debug_option
def campaigns(url: str, as_json: bool) -> None:
    from selector.store.campaigns import campaigns_at

    found = campaigns_at(url if "://" in url else Path(url))
    lines = [_line(one) for one in found]
    emit(found, "\n".join(lines) or "the database holds no campaign yet: `bestshot init … --store URL`", as_json)


def _line(one: StoredCampaign) -> str:
    counts = f"{n_of(one.tasks, 'task')}, {n_of(one.candidates, 'candidate')}"
    if not one.last:
        return f"{one.id}  {one.profile}, team {one.team or 'not known'}: {counts}; nothing stored yet"
    return f"{one.id}  {one.profile}, team {one.team or 'not known'}: {counts}; last stored {one.last}"
