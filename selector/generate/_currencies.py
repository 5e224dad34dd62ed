"""A budget is money of one currency: amounts of several cannot be added up."""

from __future__ import annotations

from collections.abc import Sequence

from selector.domain import InputError, RemoteGenerator
from selector.generate.orders import Order
from selector.llm.prompting import needs_writer
from selector.workspace.workspace import Workspace


def check_one_currency(ws: Workspace, orders: Sequence[Order]) -> None:
    """Raise ``InputError`` where these orders and the writer of their prompts would be paid in several currencies."""
    paid: dict[str, str] = {}  # currency to the first that is paid in it
    for order in orders:
        if isinstance(order.generator, RemoteGenerator) and order.generator.price:
            paid.setdefault(order.generator.account.service.currency, order.name)
    name = ws.config.generate.prompt_writer
    writer = ws.config.judges.get(name)
    if writer is not None and not writer.is_free and any(needs_writer(s) for o in orders for s in o.step.prompts):
        paid.setdefault(writer.currency, name)
    if len({currency.casefold() for currency in paid}) > 1:
        told = " and ".join(f"{currency or 'no named currency'} ({who})" for currency, who in paid.items())
        raise InputError(
            f"--budget-money is money of one currency, and prices are in {told}: give --generator NAME for those of one"
        )
