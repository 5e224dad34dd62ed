"""An answer of a model about words alone (a translation, another wording) as a reply row, which the budget counts."""

from __future__ import annotations

from scorers.judge import Endpoint, Usage
from selector.store.replies import ReplyRow


def text_reply(
    name: str,
    endpoint: Endpoint,
    key: str,
    ask: int,
    order_hash: str,
    outcome: str,
    why: str | None,
    said: str,
    usage: Usage,
    seconds: float,
    at: str,
) -> ReplyRow:
    """As a judge's reply is stored, of no picture; ``name``: of the table [judges.NAME], ``said``: what came."""
    return ReplyRow(
        key=key,
        ask=ask,
        judge=name,
        provider=endpoint.provider,
        model=endpoint.model,
        prompt_hash=order_hash,
        images=(),
        repeat=0,
        outcome=outcome,
        reason=why,
        text=said,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost=endpoint.price.of(usage),
        seconds=seconds,
        at=at,
    )
