"""Verbs that make, measure and choose: demo, init, generate, import, score, pick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast

import click

from selector.cli._describe_generated import (
    describe_costs,
    describe_estimate,
    describe_generated,
    describe_imported,
    is_nothing_taken,
    is_unfinished,
)
from selector.cli._describe_lacking import describe_lacking, describe_next
from selector.cli._judge_verbs import describe_asked
from selector.cli._language import said, tell
from selector.cli._team_verbs import describe_created, restore
from selector.cli.common import (
    Output,
    by_scorer,
    counted,
    debug_option,
    emit,
    engine_options,
    json_option,
    progress_bar,
    table,
    type_option,
    verb,
    with_example,
)
from selector.domain.errors import InputError
from selector.domain.types import TaskType
from selector.domain.words import n_of
from selector.language import wrapped

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.measure.scoring import ScoreSummary

UNFINISHED = 1  # exit status of a run that leaves something for another
DEMO_FOLDER = Path("bestshot-demo")
NAMES_WIDTH, REASON_WIDTH = 32, 84  # characters of the two columns of what was left out


@click.command(
    "demo",
    short_help="Run the whole loop offline, on pictures that are installed already.",
    help=with_example(
        "Run the whole loop offline: make a campaign of 24 face swaps, text edits and scene edits from pictures that "
        "installed packages ship, and of pictures from words by a small model that knows coloured shapes, generate "
        "candidates, score, pick, export, verify, and write the contact sheet. Run it again to complete an interrupted "
        "demo.",
        "bestshot demo bestshot-demo",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path), default=DEMO_FOLDER)
@click.option(
    "--play",
    is_flag=True,
    help="Play a contest of fourteen days instead, in a world of coloured shapes where every true score is known: how "
    "much of what selection can win the loop recovers, day by day, beside simple ways to pick.",
)
@click.option("--review", is_flag=True, help="Then show its candidates in the browser, as `bestshot review` does.")
@json_option
@debug_option
def demo(folder: Path, play: bool, review: bool, as_json: bool) -> None:
    if review and (play or as_json):
        raise InputError("--review shows a page of the demo's campaign: leave --play and --json away")
    if play:
        _play(folder / "play", as_json)
        return
    from selector.demo.run import run_demo

    tell("the whole loop on real pictures: about two minutes on two cores")
    result = run_demo(folder, progress_bar())
    named = "" if folder == DEMO_FOLDER else f" {folder}"
    lines = [
        f"{n_of(result.tasks, 'task')}, {n_of(result.candidates, 'candidate')}, "
        f"{n_of(result.values, 'value')} measured, "
        f"{result.unscored} unscored (each with a reason), {result.seconds:.0f} s",
        f"{result.fallbacks} task has only its flagged fallback: no generator here can do what it asks"
        if result.fallbacks == 1
        else f"{result.fallbacks} tasks have only a flagged fallback",
        f"ZIP            {result.zip_path} ({'valid' if result.valid else 'NOT valid'})",
        f"contact sheet  {result.sheet}",
        *(
            []
            if review
            else [
                f"try            bestshot demo{named} --review",
                f"               bestshot next -C {quote(str(result.folder))}",
            ]
        ),
    ]
    emit(result, "\n".join(lines), as_json)
    if review:
        _review(result.folder)


def _review(folder: Path) -> None:
    """As the verb of that name, with its own defaults."""
    context = click.get_current_context()
    group = cast(click.Group, context.find_root().command)
    context.invoke(group.commands["review"], folder=folder)


def _play(folder: Path, as_json: bool) -> None:
    from selector.demo.play.run import play_demo

    tell("a contest in the closed world: up to five minutes on two cores")
    found = play_demo(folder, lambda line: tell(line, err=as_json), progress_bar(every_seconds=20))
    emit(found, "", as_json)


@click.command(
    "init",
    short_help="Make a campaign from a task table and a folder of input images.",
    help=with_example(
        "Make a campaign from a task table and a folder of input images. Everything is checked first; the pictures are "
        "copied into the campaign.",
        "bestshot init my-campaign --profile tianchi-532389 --tasks task.csv --images imgs/ --team mine",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--profile", default="tianchi-532389", show_default=True, help="Contest profile: a name or a TOML file.")
@click.option("--tasks", default=None, type=click.Path(path_type=Path), help="The contest's task table (CSV, UTF-8).")
@click.option("--images", default=None, type=click.Path(path_type=Path), help="The folder of the input images.")
@click.option(
    "--from",
    "backup",
    default=None,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Restore the campaign of this file of `bestshot backup` instead.",
)
@click.option("--team", default=None, help="Team name, used in the name of the ZIP.  [default: team]")
@click.option("--seed", type=int, default=None, help="The seed that all others derive from.")
@click.option(
    "--store",
    default=None,
    metavar="URL",
    help="The database, as in postgresql://HOST/NAME; the same campaign there is joined.  [default: a file in FOLDER]",
)
@click.option(
    "--store-images",
    default=None,
    metavar="ADDRESS",
    help="Where the images lie: a folder or bucket that all machines see, such as s3://BUCKET.  [default: in FOLDER]",
)
@json_option
@debug_option
def init(
    folder: Path,
    profile: str,
    tasks: Path | None,
    images: Path | None,
    backup: Path | None,
    team: str | None,
    seed: int | None,
    store: str | None,
    store_images: str | None,
    as_json: bool,
) -> None:
    from selector.campaign import Campaign

    if backup is not None:
        if store_images is not None:
            raise click.UsageError("--store-images has no effect with --from: set `images` in [store] afterwards.")
        restore(folder, backup, store or "", as_json, others=tasks or images or seed is not None or team is not None)
        return
    if tasks is None or images is None:
        raise click.UsageError("Missing option '--tasks' or '--images' (or give --from FILE alone).")

    extra: dict[str, Any] = {} if seed is None else {"seed": seed}
    places = {"url": store, "images": store_images}
    extra["store"] = {key: place for key, place in places.items() if place is not None}
    with Campaign.init(folder, tasks, images, profile, team="team" if team is None else team, **extra) as campaign:
        counts = dict(Counter(task.type.value for task in campaign.tasks))
        lacks = campaign.lacking()
        told = describe_created(campaign)
    result = {
        "campaign": str(folder),
        "profile": campaign.profile.name,
        "tasks": len(campaign.tasks),
        "types": counts,
        "already_there": campaign.already_there,
        "joined": campaign.created.joined,
        "others_there": campaign.created.others,
        "lacking": lacks,
    }
    types = ", ".join(f"{n} {t}" for t, n in sorted(counts.items()))
    already = ", already there: nothing was changed" if campaign.already_there else ""
    made = sorted(counts.keys() - {lack.type.value for lack in lacks if not lack.missing})
    first = f"{folder}: {n_of(len(campaign.tasks), 'task')} ({types}){already}"
    emit(result, "\n".join([first, *told, *describe_lacking(lacks), *describe_next(folder, made)]), as_json)


@verb(
    "generate",
    "Make the candidates that campaign.toml asks for and that are not there yet. Can be interrupted and run again: "
    "what was made is never made twice. A task that fails is noted with its reason and stops no other. Exits with 1 "
    "when something is left for another run or a generator could not run, with 0 when all is settled, also by "
    "refusals.",
    "bestshot generate --type deepfake -n 12",
)
@type_option
@click.option("--generator", "generators", multiple=True, help="Only this generator (may be repeated).")
@click.option("--task", "task_ids", multiple=True, help="Only this task (may be repeated).")
@click.option(
    "-n",
    "n",
    type=click.IntRange(1),
    default=None,
    help="Candidates a task and generator in all (a total: what is there counts), instead of the configured number.",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE.csv",
    help="Make what `plan --generate N --out FILE.csv` proposes, and nothing else; twice makes nothing twice.",
)
@click.option(
    "--budget-money",
    type=click.FloatRange(0),
    default=None,
    metavar="X",
    help="Spend no more in this run, in the currency of the prices; what has no known price is left out.",
)
@click.option("--retry-failed", is_flag=True, help="Also try again what failed before.")
@engine_options
@click.option("--dry-run", is_flag=True, help="Only say what would be made and cost; ask nobody.")
def generate(
    campaign: Campaign,
    types: tuple[str, ...],
    generators: tuple[str, ...],
    task_ids: tuple[str, ...],
    n: int | None,
    plan: Path | None,
    budget_money: float | None,
    retry_failed: bool,
    engine: str | None,
    engine_address: str | None,
    dry_run: bool,
) -> tuple[Any, str] | tuple[Any, str, int]:
    if plan is not None and n is not None:
        raise InputError("-n has no effect with --plan FILE.csv, which says how many of each; leave it out")
    chosen = ([TaskType(t) for t in types], generators or None, task_ids or None, n, retry_failed)
    estimate = campaign.estimate(*chosen, plan, budget_money)
    if dry_run:
        return estimate, describe_estimate(estimate)
    costs = describe_costs(estimate)
    if costs:
        tell(costs)
    summary = campaign.generate(*chosen, progress_bar(), plan, budget_money, engine, engine_address)
    return summary, describe_generated(summary), UNFINISHED if is_unfinished(summary) else 0


@verb(
    "import",
    "Take finished images from any tool as candidates. Files of task 7 are 7.png, 007.png, 7_anything.jpg, "
    "task-7.webp, copies such as 7 (1).png, and all in a folder 7/. A file that comes again under the same name takes "
    "the place of the older one. A table names every file and why some were not taken. Seed, prompt and model are read "
    "from the files of A1111, ComfyUI, InvokeAI and others. Exits with 1 when nothing at all was taken.",
    "bestshot import ../qwen-image-outputs --label qwen-image",
)
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--label", default=None, help="Name them after the model that made them (default: the folder's name).")
@click.option("--keep", is_flag=True, help="Older pictures of the same file names stay eligible beside the new ones.")
@click.option(
    "--out",
    type=Output(".csv"),
    default=None,
    metavar="FILE.csv",
    help="Where the table of all files goes.  [default: import-report.csv in the campaign]",
)
def import_(campaign: Campaign, images: Path, label: str | None, keep: bool, out: Path | None) -> tuple[Any, str, int]:
    summary = campaign.import_folder(images, label, progress_bar(), keep, out)
    return summary, describe_imported(summary), UNFINISHED if is_nothing_taken(summary) else 0


@verb(
    "score",
    "Measure every candidate that has no scores yet. A second run touches nothing that is scored; a new scorer adds "
    "only its own columns. What cannot be measured is unscored, with the reason. With --judge: ask the vision-language "
    "model of [judges.NAME] in campaign.toml about candidates, in the order of `plan --judge`; its scores count at "
    "once. No question that was answered is asked again. Exits with 1 when a scorer failed wherever it was asked and "
    "has measured nothing at all, or an image is lost.",
    "bestshot score --type vttie",
)
@type_option
@engine_options
@click.option("--judge", "judge_name", default=None, metavar="NAME", help="Ask this judge instead (it may cost money).")
@click.option("--limit", type=click.IntRange(1), default=None, help="With --judge: about at most so many candidates.")
@click.option(
    "--budget-money",
    type=click.FloatRange(0, min_open=True),
    default=None,
    metavar="X",
    help="With --judge: stop before this run costs more, in the currency of its prices.",
)
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=None,
    metavar="K",
    help="With --judge: bring each candidate to K passes; their mean counts.  [default: repeats of [judges.NAME]]",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE.csv",
    help="With --judge: ask only about the rows of what `plan --judge N --by NAME --out FILE.csv` wrote, in its order.",
)
@click.option("--retry-failed", is_flag=True, help="With --judge: ask again what was refused or unreadable.")
def score(
    campaign: Campaign,
    types: tuple[str, ...],
    engine: str | None,
    engine_address: str | None,
    judge_name: str | None,
    limit: int | None,
    budget_money: float | None,
    repeat: int | None,
    plan: Path | None,
    retry_failed: bool,
) -> tuple[Any, str] | tuple[Any, str, int]:
    if judge_name is not None:
        if engine is not None or engine_address is not None:
            raise InputError("--engine and --engine-address have no effect with --judge NAME; leave them out")
        if plan is not None and repeat is not None:
            raise InputError("--repeat has no effect with --plan FILE.csv, which says which pass of each; leave it out")
        asked = campaign.judges[judge_name].ask(
            [TaskType(t) for t in types], limit, budget_money, retry_failed, progress_bar(), repeat, plan
        )
        return asked, describe_asked(asked), int(asked.all_failed)
    if any(one is not None for one in (limit, budget_money, repeat, plan)) or retry_failed:
        raise InputError(
            "--limit, --budget-money, --repeat, --plan and --retry-failed belong to --judge NAME; leave them out"
        )
    summary = campaign.score([TaskType(t) for t in types], progress_bar(), engine, engine_address)
    return summary, _describe_scored(summary), UNFINISHED if summary.broken or summary.lost else 0


def _describe_scored(summary: ScoreSummary) -> str:
    scored, values = n_of(summary.candidates, "candidate"), n_of(summary.values, "value")
    lines = [f"{scored} scored: {values}, {summary.unscored} unscored"]
    lines += counted(by_scorer(summary.reasons))
    if summary.not_applicable:
        lines.append(f"{sum(summary.not_applicable.values())} not applicable: their tasks call for no such value")
    for name, broken in summary.broken.items():
        lines.append(f"{name} measured nothing and failed {n_of(broken.times, 'time')}, first with: {broken.reason}")
    if summary.lost:
        lines.append(
            f"{n_of(len(summary.lost), 'image is', 'images are')} lost or damaged: "
            "`bestshot doctor` names them and says what to do"
        )
    others = {why: n for why, n in summary.failures.items() if not _is_told(why, summary)}
    if others:
        lines += ["failed, and tried again by the next run:", *counted(others)]
    if summary.left_out:
        lines += ["", _left_out(summary.left_out)]
    return "\n".join(lines)


def _is_told(failure: str, summary: ScoreSummary) -> bool:
    """Whether a failure is one of a scorer that measured nothing."""
    return any(failure.startswith(f"{name}: ") for name in summary.broken)


def _left_out(reasons: Mapping[str, str]) -> str:
    """A table of what could not run here; one entry for all that lack the same part."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    rows = [
        line
        for why, of in names.items()
        for line in zip_longest(
            wrapped(", ".join(sorted(of)), NAMES_WIDTH),
            wrapped(said(why), REASON_WIDTH),  # commands and paths stay whole
            fillvalue="",
        )
    ]
    return table(rows, ("left out", "why, and what to do"))


@verb(
    "pick",
    "Choose the best candidate of every task by the present estimates. A task without an eligible candidate gets the "
    "profile's fallback, flagged. A plan to learn that is not exported yet is kept, unless --replace is given.",
    "bestshot pick --json > picks.json",
)
@click.option("--replace", is_flag=True, help="Also in place of a plan to learn that was not exported.")
def pick(campaign: Campaign, replace: bool) -> tuple[Any, str]:
    picks, rule = campaign.pick(replace), campaign.profile.totals_rule
    real = [p for p in picks if not p.fallback]
    known = [p.estimate.overall for p in real if p.estimate]
    lines = [f"{len(real)} of {n_of(len(picks), 'task')} {'has' if len(real) == 1 else 'have'} a pick"]
    if known:
        heard = () if rule else campaign.submissions
        told = any(s.total is not None or s.type_totals for s in heard) or campaign.status().judgements
        basis = "calibrated: see `bestshot calibrate`" if told else "by the prior: nothing has been told yet"
        lines[0] += f", mean estimated overall of those {sum(known) / len(known):.2f} ({basis})"
    blind = sum(not p.sc_measured for p in real)
    if blind:
        lines.append(f"{blind} of them by PQ alone: no scorer here measures whether those images follow their prompts")
    if lost := campaign.lost(picks):
        lines.append(f"the images of {lost} of them are lost, so they cannot be exported: `bestshot doctor` names them")
    lines += [rule] if rule else []
    fallbacks = [p for p in picks if p.fallback]
    lines += [f"  task {p.task_id}: {p.reason}" for p in fallbacks[:20]]
    if len(fallbacks) > 20:
        lines.append(f"  … and {n_of(len(fallbacks) - 20, 'more fallback')}")
    return picks, "\n".join(lines)
