"""Who made each candidate, and with which treatments of its prompt and its picture."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from selector.store import schema

# Where attempts keep what was done beside their generator's own work: written by selector/generate.
_STYLE, _FINISH, _ORIGIN = ("prompt_style", "style"), ("finish", "name"), "finished_from"


@dataclass(frozen=True, slots=True)
class Maker:
    """The attempt that made a candidate.

    ``variant`` is the recipe's, treatments included; ``style`` of the prompt and ``finish`` of the picture are "" where
    there is none; ``origin`` is the id of the candidate that a finish was applied to.
    """

    generator: str
    variant: str
    style: str = ""
    finish: str = ""
    origin: str = ""


def makers(connection: Connection) -> dict[tuple[str, str], Maker]:
    """(task id, candidate id) to what made it; of several the first by name, in every process."""
    a = schema.attempt.c
    treated = (a.params[_STYLE].as_string(), a.params[_FINISH].as_string(), a.notes[_ORIGIN].as_string())
    query = select(a.task_id, a.candidate_id, a.generator, a.variant, *treated)
    query = query.where(a.candidate_id.is_not(None), ~a.fallback)
    found: dict[tuple[str, str], Maker] = {}
    for row in connection.execute(query.order_by(a.generator, a.variant, a.id)):
        style, finish, origin = (value or "" for value in row[4:])
        maker = Maker(row.generator, row.variant, style, finish, origin if finish else "")
        found.setdefault((row.task_id, row.candidate_id), maker)
    return found
