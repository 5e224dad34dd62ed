"""The verb realism: how far sets of candidates are from real photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import progress_bar, table, verb
from selector.cli.make_verbs import type_option

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.measure.realism import Realism, SetRealism
    from selector.measure.realism_measures import Measured

PICTURE = Path("report", "plots", "realism.png")


@verb(
    "realism",
    "Say how far sets of candidates are from real photographs. The newest picks and every generator's candidates, each "
    "by CMMD, KID and FID of the embedding, beside a random pick and the photographs' own spread; drawn into "
    "report/plots. A set measure sees manner and motif alike: compare sets of the same tasks, and use it to see which "
    "generator drifts, not to choose a picture.",
    "bestshot realism --of picks --reference my-photographs/",
)
@click.option("--of", multiple=True, metavar="SET", help="picks, all, or a generator's name (may be repeated).")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FOLDER",
    help="Real photographs.  [default: the contest's input pictures]",
)
@click.option(
    "--metric", "metrics", multiple=True, type=click.Choice(["cmmd", "kid", "fid"]), help="Only this (may be repeated)."
)
@click.option("--force-fid", is_flag=True, help="FID also below 2,048 images, where it says little.")
@type_option
def realism(
    campaign: Campaign,
    of: tuple[str, ...],
    reference: Path | None,
    metrics: tuple[str, ...],
    force_fid: bool,
    types: tuple[str, ...],
) -> tuple[Any, str]:
    found = campaign.realism(of or None, reference, metrics or None, force_fid, types or None, progress_bar())
    return found, _words(found, campaign.folder)


def _words(found: Realism, folder: Path) -> str:
    rows = [_row(one) for one in (*found.baselines, *found.sets)]
    header = ("set", "images", "tasks", "CMMD", "80% interval", "KID x1000", "80% interval", "subsets", "FID")
    used = [i for i in range(len(header)) if i < 3 or any(row[i] for row in rows)]
    blocks = [
        f"against {found.photographs} photographs ({found.reference}), embedding {found.space}; lower is nearer",
        table([[row[i] for i in used] for row in rows], [header[i] for i in used]),
    ]
    if found.gain is not None:
        blocks.append(_against_random(found.gain))
    return "\n\n".join([*blocks, "\n".join([*(f"note: {n}" for n in found.notes), f"picture: {folder / PICTURE}"])])


def _against_random(gain: Measured) -> str:
    said = "not told apart from"
    if gain.high is not None and gain.high < 0:
        said = "nearer to photographs than"
    elif gain.low is not None and gain.low > 0:
        said = "farther from photographs than"
    return f"the picks are {said} a random pick: CMMD {gain.value:+.3f} (80% interval {_interval(gain)})"


def _row(one: SetRealism) -> tuple[str, ...]:
    cmmd, kid, fid = (one.distances.get(name) for name in ("cmmd", "kid", "fid"))
    return (
        one.name,
        f"{one.images}",
        f"{one.tasks or '-'}",
        f"{cmmd.value:.3f}" if cmmd else "",
        _interval(cmmd) if cmmd else "",
        f"{1000 * kid.value:.3f}" if kid else "",
        _interval(kid, 1000) if kid else "",
        f"{1000 * kid.subsets.mean:.3f} +- {1000 * kid.subsets.sd:.3f}" if kid and kid.subsets else "",
        f"{fid.value:.2f}" if fid else "",
    )


def _interval(found: Measured, scale: float = 1.0) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"{scale * found.low:.3f} to {scale * found.high:.3f}"


VERBS = (realism,)
