"""Steps that make and measure candidates, and what a person must bring for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from selector.advice.step import Step, StepKind
from selector.advice.view import LEAST_WORTH, View
from selector.domain.words import n_of
from selector.generate.dry_run import GeneratorEstimate
from selector.store.attempts import seconds_by_generator
from selector.store.candidates import candidate_keys

if TYPE_CHECKING:
    from selector.learn.plan_generating import Wish

MOST_MORE = 300  # candidates beyond the plan that are proposed at once
_NO_BOUND = {  # why no budget could be kept
    "unknown": "no price is known: set `prices` in [services.NAME]",
    "two": "its service and the writer of its prompts have prices in two currencies",
}


def scoring(view: View) -> list[Step]:
    """What has no scores yet; last resorts need none, as nothing picks them, and lost images cannot have any."""
    from selector.measure.scored import due

    context = view.context
    found = due(context.ws, context.tasks, context.measuring)
    if not found:
        return []
    with context.ws.db.read() as connection:
        lost = frozenset(view.lost)
        lacking = found.without(key[:2] for key in candidate_keys(connection) if key[2] or key[1] in lost)
    if not lacking:
        return []
    known = context.known
    blind = 0 if known is None else int((~known.estimates.informed).sum())
    names = sorted(lacking.scorers)
    by = names[0] if len(names) == 1 else n_of(len(names), "scorer")
    why = f"{blind} of them cannot be picked before" if blind else "picks rest on scores"
    words = f"measure {n_of(len(lacking), 'candidate')} by {by}: {why}"
    return [Step(StepKind.SCORE, words, "bestshot score", count=len(lacking), about=tuple(names))]


def generating(view: View) -> list[Step]:
    """What the configuration asks for and is not there: what is free, what is priced by its currency."""
    if isinstance(view.to_make, str):
        words = f"mend what stands in the way of `bestshot generate`: {view.to_make}"
        return [Step(StepKind.EQUIP, words, "bestshot generate --dry-run", by_person=True)]
    offers = [_Offer.of(view, name, one) for name, one in view.to_make.generators.items()]
    steps = []
    for currency, money in sorted({(o.currency, o.kind) for o in offers if o.count}):
        own = [o for o in offers if o.count and (o.currency, o.kind) == (currency, money)]
        steps.append(_generating(view, own, restricted=len(own) < len([o for o in offers if o.count])))
    return steps


@dataclass(frozen=True)
class _Offer:
    """What a generator has still to make, and what it costs at most.

    ``kind`` is free, priced, or one of ``_NO_BOUND``.
    """

    name: str
    count: int
    cost: float | None
    currency: str
    kind: str

    @classmethod
    def of(cls, view: View, name: str, one: GeneratorEstimate) -> _Offer:
        writer = view.context.ws.config.judges.get(view.context.ws.config.generate.prompt_writer)
        count = one.to_make + one.collect + one.finishes
        if one.service and one.to_make and one.cost is None:
            return cls(name, count, None, one.currency, "unknown")
        if one.unwritten and writer is not None and not writer.is_free and one.cost and one.currency != writer.currency:
            return cls(name, count, None, one.currency, "two")  # a budget has one currency
        if one.unwritten and writer is not None and not writer.is_free:
            return cls(name, count, None, one.currency or writer.currency, "priced")
        if one.cost:
            return cls(name, count, one.cost, one.currency, "priced")
        return cls(name, count, 0.0, "", "free")


def _generating(view: View, offers: Sequence[_Offer], restricted: bool) -> Step:
    names = tuple(o.name for o in offers)
    count, kind, currency = sum(o.count for o in offers), offers[0].kind, offers[0].currency
    money = None if any(o.cost is None for o in offers) else sum(o.cost or 0.0 for o in offers)
    words = f"make {_spread({o.name: o.count for o in offers})}, as campaign.toml asks"
    only = "".join(f" --generator {quote(name)}" for name in names) if restricted else ""
    if kind == "priced" and view.budget is not None:
        only += f" --budget-money {view.budget.amount:g}"
    waits = _NO_BOUND.get(kind) or view.waits(money, currency)
    seconds = _seconds(view, {o.name: o.count for o in offers})
    gain = _gain(view, _wished(view, count, names))
    return Step(
        StepKind.GENERATE,
        words,
        f"bestshot generate{only}",
        gain,
        money,
        currency,
        seconds,
        waits=waits,
        about=names,
        count=count,
    )


def more(view: View) -> list[Step]:
    """Candidates beyond the configuration that are expected to be worth it: of what is free, of what is priced."""
    if view.known is None or isinstance(view.to_make, str):
        return []
    offers = [_Offer.of(view, name, one) for name, one in view.to_make.generators.items()]
    prices = {name: one.price for name, one in view.to_make.generators.items() if one.service}
    busy = {o.name for o in offers if o.count}  # first what the configuration asks of them
    groups: dict[str, list[str]] = {}
    for name, one in view.to_make.generators.items():
        if name not in busy and not one.blocked and not (one.service and one.price is None):
            groups.setdefault(one.currency if one.price else "", []).append(name)
    steps = [_more(view, names, currency, prices) for currency, names in sorted(groups.items())]
    return [step for step in steps if step is not None]


def _more(view: View, names: Sequence[str], currency: str, prices: Mapping[str, float | None]) -> Step | None:
    priced = any(prices.get(name) for name in names)
    wishes = _worth_it(_wished(view, _most(view, names, priced, prices), names))
    if not wishes:
        return None
    counts = _counts(wishes)
    n, money = sum(counts.values()), sum((prices.get(name) or 0.0) * k for name, k in counts.items())
    waits = view.waits(money, currency)
    if not priced and view.hours is None:
        waits = "it goes beyond what campaign.toml asks for: say how long it may take with --hours"
    only = "".join(f" --generator {quote(name)}" for name in counts)
    out = f"bestshot plan --generate {n}{only} --out gen.csv && bestshot generate --plan gen.csv"
    if priced and view.budget is not None:
        out += f" --budget-money {view.budget.amount:g}"
    tasks = n_of(len({w.task_id for w in wishes}), "task")
    return Step(
        StepKind.MORE,
        f"make {_spread(counts)} more, for {tasks} where one more is worth most",
        out,
        _gain(view, wishes),
        money,
        currency,
        _seconds(view, counts),
        waits=waits,
        about=tuple(counts),
        count=n,
    )


def _most(view: View, names: Sequence[str], priced: bool, prices: Mapping[str, float | None]) -> int:
    """How many at most: one a task, within the budget and the hours."""
    most = min(MOST_MORE, view.tasks)
    if priced and view.budget is not None:
        most = min(most, int(view.budget.amount / max(prices.get(name) or 0.0 for name in names)))
    each = [s for name in names if (s := _seconds(view, {name: 1}))]
    if each and view.hours is not None:
        most = min(most, int(view.hours * 3600 / max(each)))
    return most


def by_hand(view: View) -> list[Step]:
    """More pictures of tools whose pictures are imported: no verb makes them."""
    if view.known is None:
        return []
    steps = []
    for name in view.askable.by_hand:
        wishes = _worth_it(_wished(view, min(MOST_MORE, view.tasks), [name]))
        if not wishes:
            continue
        label, n = name.removeprefix("folder:"), sum(w.count for w in wishes)
        some = ", ".join(w.task_id for w in wishes[:5]) + (" …" if len(wishes) > 5 else "")
        words = (
            f"make {n} more with your tool '{label}', for {n_of(len(wishes), 'task')} ({some}), and import them; "
            f"`bestshot plan --generate {n} --generator {quote(name)} --out {quote(label)}.csv` lists them"
        )
        command, gain = f"bestshot import FOLDER --label {quote(label)}", _gain(view, wishes)
        step = Step(StepKind.BY_HAND, words, command, gain, None, by_person=True, about=(name,), count=n)
        steps.append(step)
    return steps


def equipping(view: View) -> list[Step]:
    """Images that are lost or cannot be made as things are, and what is missing for tasks without a candidate."""
    steps = []
    if view.lost:
        words = (
            f"{n_of(len(view.lost), 'image of a candidate is', 'images of candidates are')} lost: restore from a "
            "backup, import again, or let `bestshot generate` make its own again"
        )
        steps.append(Step(StepKind.EQUIP, words, "bestshot doctor", by_person=True, count=len(view.lost)))
    if isinstance(view.to_make, str):
        return steps
    from selector.decide.planning import without_candidates

    empty = Counter(kind for _, kind in without_candidates(view.context))
    for kind in view.to_make.no_generator:
        if empty[kind]:
            words = (
                f"{n_of(empty[kind], 'task has', 'tasks have')} no candidate and no generator ({kind}): name one in "
                "[generate] of campaign.toml, or import finished pictures"
            )
            command = "bestshot import FOLDER --label NAME"
            steps.append(Step(StepKind.EQUIP, words, command, None, None, by_person=True, count=empty[kind]))
    for name, one in view.to_make.generators.items():
        for why, n in one.blocked.items():
            words = f"{n_of(n, 'image')} of {name} cannot be made here: {why}"
            steps.append(Step(StepKind.EQUIP, words, "bestshot doctor", None, None, by_person=True, count=n))
    for name, why in view.to_make.left_out.items():
        words = f"{name} cannot run here: {why}"
        steps.append(Step(StepKind.EQUIP, words, "bestshot doctor", None, None, by_person=True))
    return steps


def _wished(view: View, count: int, names: Sequence[str]) -> list[Wish]:
    """How so many tries of these generators are spread best; none where nothing is known of them."""
    from selector.decide.planning import wishes

    return [] if view.known is None or count < 1 else wishes(view.context, view.askable, count, names)


def _worth_it(wishes: Sequence[Wish]) -> list[Wish]:
    return [wish for wish in wishes if wish.worth >= LEAST_WORTH * wish.count]


def _gain(view: View, wishes: Sequence[Wish]) -> float | None:
    """Points of the total; None where nothing is wished: it is not known then."""
    return sum(wish.worth for wish in wishes) / view.tasks if wishes else None


def _counts(wishes: Sequence[Wish]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for wish in wishes:
        counts[wish.generator] += wish.count
    return dict(counts)


def _spread(counts: Mapping[str, int]) -> str:
    """ "12 by retouch and 3 by wanx"; names alone beyond three."""
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{n} by {name}" for name, n in most[:3]]
    rest = sum(n for _, n in most[3:])
    return f"{n_of(sum(counts.values()), 'candidate')} ({', '.join(told)}{f', {rest} by others' if rest else ''})"


def _seconds(view: View, counts: Mapping[str, int]) -> float | None:
    """How long so many of each take, by the mean time of those that were made; None where one is not known."""
    ws = view.context.ws
    with ws.db.read() as connection:
        usual = seconds_by_generator(connection)
    if any(name not in usual for name in counts):
        return None
    services = view.to_make.generators if not isinstance(view.to_make, str) else {}
    here = sum(n * usual[name] for name, n in counts.items() if not _service(services, name)) / ws.config.workers
    away: Counter[str] = Counter()
    for name, n in counts.items():
        if service := _service(services, name):
            away[service] += n * usual[name] / _running(view, service)  # type: ignore[assignment]
    return here + max(away.values(), default=0.0)


def _service(estimates: Mapping[str, GeneratorEstimate], name: str) -> str:
    return estimates[name].service if name in estimates else ""


def _running(view: View, name: str) -> int:
    """Jobs that a service has under way at once."""
    from selector.workspace.plug_ins import configured_services

    return next((max(1, s.running) for s in configured_services(view.context.ws) if s.name == name), 1)
