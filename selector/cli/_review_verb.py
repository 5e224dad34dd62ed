"""The verb that serves the page."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from selector.cli._language import tell
from selector.cli.common import campaign_option, debug_option, emit, json_option, with_example

if TYPE_CHECKING:
    from selector.campaign import Campaign


_READ_ONLY = (
    "Only show: nothing is written, not even what was looked at. (A campaign of an older bestshot is brought to the "
    "present format before, as by every verb.)"
)


@click.command(
    "review",
    short_help="Look at candidates in a browser and decide.",
    help=with_example(
        "Look at candidates in a browser and decide. Serves a page on this machine alone, with the tasks in the order "
        "of what a look at them is worth: exclude broken pictures, pin or note where the contest allows it, run plan, "
        "pick and export. Every decision is stored at once; several people may have pages open. Ends with Ctrl-C.",
        "bestshot review --port 8765 --by Li",
    ),
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="To listen on.  [default: a free one]")
@click.option("--read-only", is_flag=True, help=_READ_ONLY)
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option("--by", default=None, metavar="NAME", help="Whose decisions these are.  [default: the user's]")
@campaign_option
@json_option
@debug_option
def review(folder: Path, port: int, read_only: bool, no_browser: bool, by: str | None, as_json: bool) -> None:
    from selector.campaign import Campaign

    with Campaign(folder) as campaign:
        show_page(campaign, port, read_only, by, as_json, not (no_browser or as_json))


def show_page(
    campaign: Campaign,
    port: int = 0,
    read_only: bool = False,
    by: str | None = None,
    as_json: bool = False,
    browser: bool = False,
) -> None:
    """Serve a campaign's page until Ctrl-C, and print its address; ``browser`` opens it."""
    read_only = read_only or not os.access(campaign.folder, os.W_OK)
    who = "Who has this address can decide here. Ctrl-C ends it."
    if read_only:
        who = "Who has this address can look, and change nothing. Ctrl-C ends it."
    with campaign.review(port, read_only, by) as page:
        emit({"url": page.url}, f"{page.url}\n{who}", as_json)
        sys.stdout.flush()
        if browser:
            webbrowser.open(page.door().as_uri())
        try:
            page.wait()
        except KeyboardInterrupt:
            tell("the page has ended; all decisions are stored")
