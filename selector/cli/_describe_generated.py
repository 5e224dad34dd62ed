"""What a run of ``generate`` or ``import`` did, or would do and cost, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from selector.cli.common import counted, explained, table
from selector.domain.words import n_of, some_of, tasks_named

if TYPE_CHECKING:
    from selector.generate.dry_run import GenerateEstimate
    from selector.generate.importing import Replaced
    from selector.generate.summary import GenerateSummary
    from selector.generate.verb import ImportSummary
    from selector.llm.prompting import PromptSummary

MOST_NAMED = 5  # files that fit no task; JSON has them all


def describe_generated(summary: GenerateSummary) -> str:
    """The run in words, with the reasons of what was not made."""
    same = f" ({summary.same} more came out as pictures that were there already)" if summary.same else ""
    again = f" (and {n_of(summary.restored, 'lost or deleted picture')} restored)" if summary.restored else ""
    lines = [
        f"{n_of(summary.new, 'candidate')} made{same}{again}, {summary.already} settled before, "
        f"{summary.failed} failed, {summary.declined} declined, {summary.missing} could not run here"
    ]
    lines += counted(summary.reasons, tasks=summary.reason_tasks)
    lines += [
        f"{n} of those asked for were not made: {name} has no more ideas for their tasks"
        for name, n in summary.without_ideas.items()
    ]
    lines += [] if summary.prompts is None else _prompts(summary.prompts)
    lines += [*describe_no_generator(summary.no_generator), *_idle(summary.idle_services)]
    lines += _decided(summary.not_asked, summary.refilled)
    worked = {name: one for name, one in summary.generators.items() if one.made or one.cost}
    if len(worked) > 1 or any(one.cost for one in worked.values()):
        lines += [
            f"  {name}: {one.made} made in {one.seconds:.0f} s"
            + ("" if one.cost is None else f", {one.cost:.2f} {one.currency}".rstrip())
            for name, one in worked.items()
        ]
    if summary.sent_again:
        lines.append("sent again: " + ", ".join(f"{n} x {why}" for why, n in summary.sent_again.items()))
    if summary.left:
        lines += ["left for another run:", *counted(summary.left)]
    if summary.without_candidates:
        some = ", ".join(summary.without_candidates[:10]) + (" …" if len(summary.without_candidates) > 10 else "")
        n = len(summary.without_candidates)
        lines.append(
            f"tasks without a candidate: {n} ({some}); "
            "`bestshot status` lists what was refused or failed and what is still to be made"
        )
    return "\n".join([*lines, *(f"left out {name}: {why}" for name, why in summary.left_out.items())])


def _decided(not_asked: Mapping[str, int], refilled: Sequence[str]) -> list[str]:
    """What exclusions by people change: who is not asked, and which tasks are asked anew."""
    lines = [f"not asked for {n_of(n, 'task')}: {why}" for why, n in not_asked.items()]
    if refilled:
        some = ", ".join(refilled[:MOST_NAMED]) + (", …" if len(refilled) > MOST_NAMED else "")
        lines.append(f"asked anew, as all that they had is excluded: {n_of(len(refilled), 'task')} ({some})")
    return lines


def is_nothing_taken(summary: ImportSummary) -> bool:
    """Whether a folder gave nothing at all, now or before: it is another one than was meant, or its names are wrong."""
    return not summary.made and not summary.already


def is_unfinished(summary: GenerateSummary) -> bool:
    """Whether another run has something to do: what was left, could not run here, or has no words yet."""
    return bool(summary.left or summary.left_out or summary.missing)


def _prompts(prompts: PromptSummary) -> list[str]:
    """What the prompt writer did, where it did something or could not."""
    if not (prompts.new or prompts.failures or prompts.stopped):
        return []
    cost = "" if prompts.cost is None else f", {prompts.cost:.4f} {prompts.currency}".rstrip()
    lines = [f"prompts in other words: {prompts.new} written, {prompts.known} answered before{cost}"]
    lines += explained(prompts, prompts.failures)
    return [*lines, f"  not all were asked for: {prompts.stopped}"] if prompts.stopped else lines


def describe_estimate(estimate: GenerateEstimate) -> str:
    """A table of what each generator would make, and what it would cost at most."""
    rows = [
        (
            name,
            one.tasks,
            one.settled,
            one.to_make,
            one.collect or "-",
            one.finishes or "-",
            "" if not one.service else "not known" if one.cost is None else f"{one.cost:.2f} {one.currency}".rstrip(),
        )
        for name, one in estimate.generators.items()
    ]
    header = ("generator", "tasks", "settled", "to make", "to collect", "+ finishes", "cost at most")
    lines = [table(rows, header)] if rows else ["nothing is configured for these tasks"]
    if any(one.unplanned for one in estimate.generators.values()):
        lines.append("to make is at most: a generator may decline a task, or know fewer variants than are asked for")
    more = [*_falling(estimate), *_budgets(estimate), *_unwritten(estimate), *_hindrances(estimate)]
    more += _decided(estimate.not_asked, estimate.refilled)
    return "\n".join([*lines, *more, *_idle(estimate.idle_services)])


def describe_still_to_make(estimate: GenerateEstimate) -> list[str]:
    """A line for each generator that has something to make, and what stands in the way; empty when all is settled."""
    lines = []
    for name, one in estimate.generators.items():
        images = one.to_make + one.collect
        what = n_of(images, "image") if images else n_of(one.finishes, "finish", "finishes")
        if images or one.finishes:
            most = "at most " if one.unplanned else ""
            lines.append(f"still to make: {name} {most}{what}: run `bestshot generate`")
    lines += _budgets(estimate) if estimate.over_budget else []
    return [*lines, *_unwritten(estimate), *_hindrances(estimate)]


def _unwritten(estimate: GenerateEstimate) -> list[str]:
    return [
        f"{name}: {one.unwritten} of these in words that a language model writes first, at a cost of its own"
        for name, one in estimate.generators.items()
        if one.unwritten
    ]


def _hindrances(estimate: GenerateEstimate) -> list[str]:
    """What of the plan cannot be made as things are, and why: a line each."""
    parts = estimate.generators.items()
    lines = [
        f"cannot be made now: {name} {n_of(n, 'image')}: {why}" for name, one in parts for why, n in one.blocked.items()
    ]
    lines += [
        f"{name}: {n_of(one.other_kind, 'task is of a type', 'tasks are of types')} that it does not serve"
        for name, one in parts
        if one.other_kind
    ]
    lines += [f"left out {name}: {why}" for name, why in estimate.left_out.items()]
    return lines + describe_no_generator(estimate.no_generator)


def describe_no_generator(tasks: Mapping[str, int]) -> list[str]:
    """A line for each task type of which nothing is planned."""
    return [
        f"{n_of(n, f'{kind} task has', f'{kind} tasks have')} no generator: "
        "name one under [generate] in campaign.toml, or use `bestshot import`"
        for kind, n in tasks.items()
    ]


def _idle(services: Mapping[str, str]) -> list[str]:
    return [f"services.{name}: {why}" for name, why in services.items()]


def describe_costs(estimate: GenerateEstimate) -> str:
    """One line for each service that would cost money now; empty when nothing would."""
    costs = [
        f"{name}: {n_of(one.to_make, 'image')} to make at {one.service}, at most {one.cost:.2f} {one.currency}".rstrip()
        for name, one in estimate.generators.items()
        if one.cost
    ]
    return "\n".join([*costs, *_falling(estimate), *(_budgets(estimate) if costs else [])])


def _falling(estimate: GenerateEstimate) -> list[str]:
    """What refusals may cost on top, where that costs money."""
    return [
        f"on top, if all before it is refused or fails: {name} {n_of(one.falling, 'image')}, "
        f"{one.falling * one.price:.2f} {one.currency}".rstrip()
        for name, one in estimate.generators.items()
        if one.falling and one.price
    ]


def _budgets(estimate: GenerateEstimate) -> list[str]:
    left = {one.service: one for one in estimate.generators.values() if one.left is not None}
    lines = [f"budget of {name}: {one.left:.2f} {one.currency} left".rstrip() for name, one in left.items()]
    return lines + [
        f"that is {over:.2f} more than is left at {name}: the run stops there, and the rest is for another"
        for name, over in estimate.over_budget.items()
    ]


def describe_imported(summary: ImportSummary) -> str:
    """A run of ``import`` in words: what there was, why some was not taken, and where every file is named."""
    if not summary.files:
        return "there is no file in that folder"
    lines = [_files(summary)]
    lines += [
        f"known already as {name.removeprefix('folder:')}: {n_of(n, 'picture')} of the same bytes, no candidate more"
        for name, n in summary.known_as.items()
    ]
    lines += _replaced(summary.replaced)
    lines += counted(summary.reasons, tasks=summary.reason_tasks)
    for why, names in summary.unmatched_because.items():
        lines.append(f"not taken, {why}: {n_of(len(names), 'file')} ({some_of(names, MOST_NAMED)})")
    if summary.better_names:
        name, better = next(iter(summary.better_names.items()))
        others = ", and the others so" if len(summary.better_names) > 1 else ""
        lines.append(f"if that is what they are: rename {name} to {better}{others}")
    if summary.report is not None and (
        summary.unmatched or summary.reasons or summary.same or summary.restored or summary.replaced
    ):
        lines.append(f"every file, and what became of it: {summary.report}")
    return "\n".join(lines)


def _files(summary: ImportSummary) -> str:
    """ "12 files: 9 new candidates, 1 of the same picture as another, 2 not taken"; nothing that is none."""
    not_taken, failed = len(summary.unmatched), summary.failed + summary.declined
    others = summary.files - summary.made - summary.already - failed - not_taken
    if summary.already and summary.already + not_taken == summary.files and not summary.replaced:
        left = f" ({not_taken} not taken)" if not_taken else ""
        return f"already imported: {n_of(summary.already, 'file')}; nothing was left to do{left}"
    taken = {
        n_of(summary.new, "new candidate"): summary.new,
        f"{summary.same} of the same picture as another": summary.same,
        f"{n_of(summary.restored, 'lost or deleted picture')} restored": summary.restored,
        f"{summary.already} imported before": summary.already,
        f"{failed} failed": failed,
        f"{others} could not be taken now": others,
        f"{not_taken} not taken": not_taken,
    }
    said = ", ".join(words for words, n in taken.items() if n)
    return f"{n_of(summary.files, 'file')}: {said}"


def _replaced(replaced: Sequence[Replaced]) -> list[str]:
    lines = []
    for back_again, what in ((False, "newer ones of the same name"), (True, "ones of the same name that came before")):
        tasks = list(dict.fromkeys(one.task for one in replaced if one.back_again is back_again))
        n = sum(one.back_again is back_again for one in replaced)
        if n:
            took = f"{what} took the place of {n_of(n, 'picture')}: the newest import wins"
            lines.append(f"{took} ({tasks_named(tasks)}; --keep keeps both eligible)")
    return lines
