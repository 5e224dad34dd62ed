"""What the word of a judge can change by now: how many picks, or why none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.decide.picking import choose
from selector.domain.words import n_of
from selector.store.observations import Judgement, load_judgements
from selector.store.picks import newest_basis, newest_picks


@dataclass(frozen=True)
class JudgedEffect:
    """``picks``: tasks that would be picked otherwise than they are by now; ``why``: in words, with what to do."""

    picks: int
    why: str


def effect_of(context: Context, judge: str) -> JudgedEffect:
    """What all that this judge has said can change, seen after it was stored."""
    with context.ws.db.read() as connection:
        said = load_judgements(connection, judge)
        newest, basis = newest_picks(connection), newest_basis(connection)
    known = context.known
    if known is None or not said:
        return JudgedEffect(0, "nothing is judged")
    if idle := _why_idle(known, said):
        return JudgedEffect(0, idle)
    if newest is None:
        return JudgedEffect(0, "there are no picks yet: run `bestshot pick`, and these scores count")
    if "plan" in basis:
        return JudgedEffect(0, "the picks are those of a plan: `bestshot plan` or `bestshot pick` chooses anew")
    stored = {pick.task_id: pick.candidate_id for pick in newest[1]}
    changed = sum(stored.get(pick.task_id) != pick.candidate_id for pick in choose(known).values() if pick.candidate_id)
    if changed:
        return JudgedEffect(changed, f"{n_of(changed, 'pick')} would be another by now: run `bestshot pick`")
    if len(said) > 1 and len({(one.sc, one.pq) for one in said}) == 1:
        return JudgedEffect(0, "no pick changes: every candidate got the same scores, which tell none from another")
    return JudgedEffect(0, "no pick changes: what is picked is still the best known")


def _why_idle(known: Knowledge, said: Sequence[Judgement]) -> str:
    """Why these scores cannot change a pick at all as things are; "" where they may."""
    pool = known.pool
    rows = [row for one in said if (row := pool.row_of.get((one.task_id, one.candidate_id))) is not None]
    allowed = [row for row in rows if pool.eligible[row]]
    if not allowed:
        why = next((pool.excluded[row] for row in rows if pool.excluded[row]), "they are last resorts")
        return f"no pick can change: none of the judged candidates may be picked ({why}); their scores still teach"
    several = {pool.task_ids[row] for row in allowed if pool.eligible[pool.task_of == pool.task_of[row]].sum() > 1}
    if not several:
        return "no pick can change: each of these tasks has only one candidate that may be picked"
    return ""
