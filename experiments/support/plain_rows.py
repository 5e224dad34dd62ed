"""Rows of the one campaign that a PostgreSQL database holds, by plain SQL and not by the code under test."""

from __future__ import annotations

from typing import Any

from sqlalchemy import NullPool, create_engine, text


def plain_rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Of a query on tables of the campaign, named without their schema."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        schemas = connection.execute(
            text("SELECT table_schema FROM information_schema.tables WHERE table_name = 'attempt'")
        ).scalars()
        (schema,) = schemas
        connection.execute(text(f'SET search_path TO "{schema}"'))
        return [tuple(row) for row in connection.execute(text(query))]
