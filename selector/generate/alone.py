"""What only one process may do at a time: hand in jobs for a campaign, and work with an account."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from selector.domain import RemoteGenerator
from selector.generate.orders import Order
from selector.store.leases import holding
from selector.workspace.services import spent_at
from selector.workspace.workspace import FOLDER_FACT, Workspace

_WAITING = "{holder} is at work with services, and both would pay for the same images: wait for it"


@contextmanager
def alone_at_services(
    ws: Workspace, orders: Sequence[Order], stop: threading.Event
) -> Iterator[tuple[list[Order], dict[str, str]]]:
    """What this process may do while the block runs: two at once would pay for the same images.

    One process of a campaign hands in jobs at a time, and one of all campaigns that share the store works with an
    account. Yields the orders that may be carried out, those of this machine always among them, and why others wait, by
    generator. ``stop`` is set when another process takes over; raises ``LeaseLost`` then.
    """
    accounts = {o.name: o.generator.account for o in orders if isinstance(o.generator, RemoteGenerator)}
    if not accounts:
        yield list(orders), {}
        return
    campaign = f"services of campaign {ws.db.campaign}"
    services = {name: account.service for name, account in accounts.items()}
    own = {n: f"account at {s.base_url}, key {s.key_env or s.key_shown}" for n, s in services.items()}
    with holding(ws.db, [campaign, *dict.fromkeys(own.values())], ws.now(), stop) as busy:
        with ws.db.write() as connection:
            ws.db.set_facts(connection, {f"{FOLDER_FACT}{ws.place}": ws.now()})
        for account in {id(one): one for one in accounts.values()}.values():
            account.spending.spent = spent_at(ws, account.service.name)  # also by a process that has just ended
        holders = {name: busy.get(campaign) or busy.get(lease) for name, lease in own.items()}
        waiting = {name: _WAITING.format(holder=holder) for name, holder in sorted(holders.items()) if holder}
        yield [order for order in orders if order.name not in waiting], waiting
