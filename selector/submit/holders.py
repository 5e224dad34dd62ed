"""Which submissions hold given pictures, and which ZIPs on this disk do: a picture's id is the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from sqlalchemy import Connection, select

from selector.domain import raise_shortage
from selector.domain.campaign_folder import SUBMISSIONS_NAME
from selector.store import schema
from selector.submit.verify import DAMAGE
from selector.workspace.workspace import Workspace


def submissions_that_hold(connection: Connection, pictures: Collection[str]) -> list[str]:
    """Ids of all submissions that hold any of these pictures, oldest first."""
    s, p = schema.submission.c, schema.submission_pick.c
    rows = connection.execute(select(p.submission_id, p.candidate_id)).all()
    holders = {submission for submission, candidate in rows if candidate in pictures}
    return [one for one in connection.execute(select(s.id).order_by(s.at, s.id)).scalars() if one in holders]


def zips_that_hold(ws: Workspace, connection: Connection, sizes: Mapping[str, int]) -> list[Path]:
    """The ZIPs of submissions in this folder that hold any of these pictures, given with their bytes.

    The ledger says it of those that it knows. A kill while one was exported leaves a ZIP that it does not know: such
    are looked into.
    """
    holders = set(submissions_that_hold(connection, sizes.keys()))
    known = set(connection.execute(select(schema.submission.c.id)).scalars())
    paths = sorted((ws.folder / SUBMISSIONS_NAME).glob("*/*.zip")) if sizes else []
    return [
        path for path in paths if path.parent.name in holders or (path.parent.name not in known and _holds(path, sizes))
    ]


def _holds(path: Path, sizes: Mapping[str, int]) -> bool:
    """Whether a file of the ZIP is one of these pictures; of what cannot be read nobody knows."""
    wanted = set(sizes.values())
    try:
        with zipfile.ZipFile(path) as archive:
            alike = [info for info in archive.infolist() if info.file_size in wanted]
            return any(hashlib.sha256(archive.read(info)).hexdigest() in sizes for info in alike)
    except DAMAGE as error:
        raise_shortage(error)
        return False
