"""Which campaigns a database holds, looked at from outside: none is opened, none is brought to another format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, inspect, select

from selector.domain import InputError
from selector.store import schema
from selector.store.database import OWN_SCHEMA, open_engine, plain_errors

TEAM = "team"  # key of the fact that says it, for people; since format 9
_COUNTED = (schema.task, schema.candidate)
_TOLD = (  # whose last row says when anything was stored
    schema.attempt,
    schema.judgement,
    schema.decision,
    schema.pick_set,
    schema.submission_event,
)


@dataclass(frozen=True)
class StoredCampaign:
    """One campaign of a database. ``team`` is "" where an older bestshot made it.

    ``last``: when anything was made, judged, decided, picked or handed in last, ISO 8601; "" of a new one.
    ``table``: SHA-256 of the task table.
    """

    id: str
    profile: str
    team: str
    format: int
    tasks: int
    candidates: int
    last: str
    table: str = ""


def campaigns_at(url: str | Path) -> tuple[StoredCampaign, ...]:
    """The campaigns of a database, ordered by their ids.

    Raises:
        InputError: no such database, or one that cannot be read.
    """
    engine = open_engine(url)
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file is not None and Path(file).is_dir():
        raise InputError(
            f"{file} is a folder: `bestshot status` in it tells of a campaign; to list those of a database give its "
            "address, such as postgresql://HOST/NAME, or its file, as FOLDER/campaign.db"
        )
    if file is not None and not Path(file).is_file():
        raise InputError(f"the database {file} is not there: give the address of one, such as postgresql://HOST/NAME")
    with plain_errors(Path(file).parent if file else None), engine.connect() as connection:
        names = [name for name in inspect(connection).get_schema_names() if name.startswith(OWN_SCHEMA)]
        found = [_campaign_in(connection, name) for name in (None, *(names if file is None else ()))]
    engine.dispose()
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.id))


def _campaign_in(connection: Connection, name: str | None) -> StoredCampaign | None:
    """The campaign in a schema; None where there is none, or one that is being made."""
    tables = set(inspect(connection).get_table_names(name))
    if not tables >= {table.name for table in (schema.fact, *_COUNTED)}:
        return None
    own = connection.execution_options(schema_translate_map={None: name})
    facts = {row.key: row.value for row in own.execute(select(schema.fact.c.key, schema.fact.c.value))}
    if "profile" not in facts:
        return None
    tasks, candidates = (own.execute(select(func.count()).select_from(table)).scalar_one() for table in _COUNTED)
    moments = [_newest(own, table) for table in _TOLD if table.name in tables]
    known = (facts.get(schema.CAMPAIGN, ""), facts["profile"], facts.get(TEAM, ""), int(facts["format"]))
    return StoredCampaign(*known, int(tasks), int(candidates), max(moments, default=""), facts.get("table", ""))


def _newest(connection: Connection, table: Table) -> str:
    """When its last row was stored. By its key: the moments have no index."""
    return connection.execute(select(table.c.at).order_by(table.c.id.desc()).limit(1)).scalar_one_or_none() or ""
