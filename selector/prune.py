"""What pictures take, and the deletion of those that nothing needs: rows and scores stay, and say who, when and why."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from selector.create import INPUT_FACT
from selector.decide.context import Context
from selector.decide.deciding import MOST_CHARACTERS
from selector.domain import InputError, stable_hash
from selector.domain.campaign_folder import INPUTS_NAME, SUBMISSIONS_NAME
from selector.domain.decisions import person
from selector.domain.progress import Progress, silent
from selector.domain.words import n_of, near_or_all, some_of
from selector.store.candidates import candidate_keys, find_candidates, sizes_of
from selector.store.pruned import (
    IN_SUBMISSION,
    Held,
    count_gone,
    gone_candidates,
    gone_inputs,
    held_bytes,
    load_gone,
    made_of_nothing,
    needed,
    note_gone,
    vector_bytes,
)
from selector.submit.holders import submissions_that_hold, zips_that_hold
from selector.workspace.workspace import Workspace, select_tasks

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from selector.generate.dry_run import GenerateEstimate

INPUTS = "inputs/"  # before the name of an input picture
_DONE = "pruned:"  # prefix of the facts that say up to which row of a place the bytes are gone
_AT_ONCE = 200  # pictures between two looks at what was made again meanwhile
_THREADS = 8
# Folders of copies that can be made again: how many digits of a picture's id begin their files' paths.
_COPIES = {"report/thumbs": 34, "report/pictures": 34, "cache/review/pictures": 40}
_REVIEW = "cache/review/pictures"


class NoReason(InputError):
    """Deleting needs a reason."""

    needs = "reason"


@dataclass(frozen=True)
class PruneWish:
    """What is chosen: all but the ``keep`` best of each task (None: does not matter), among ``tasks`` (all if empty).

    ``pictures`` and ``person_of`` (tasks) are named: they go whatever needs them. Empty, it chooses nothing.
    """

    keep: int | None = None
    tasks: Sequence[str] = ()
    pictures: Sequence[str] = ()
    person_of: Sequence[str] = ()

    @property
    def chooses(self) -> bool:
        """Whether anything."""
        return self.keep is not None or bool(self.tasks or self.pictures or self.person_of)


@dataclass(frozen=True)
class Pruning:
    """What pictures take and what goes. All sizes are bytes.

    Attributes:
        place: where the images lie.
        holds: pictures by task type and generator, by the rows.
        beside: what else the campaign takes, by its name.
        to_make: pictures that `generate` would still make, and ``to_make_bytes`` by the mean of those that are there.
        spare: pictures that no submission, decision or newest pick needs.
        chosen: pictures that go, input pictures left out, which are ``inputs``.
        stays: pictures that would be chosen, were they not needed.
        gone, gone_inputs: candidates' and input pictures that were deleted, ever; of ``unfinished`` the bytes may still
            be there.
        deleted: whether it was done.
    """

    place: str
    holds: tuple[Held, ...]
    beside: Mapping[str, int]
    free_bytes: int
    to_make: int | None
    to_make_bytes: int
    spare: int
    spare_bytes: int
    chosen: int = 0
    chosen_bytes: int = 0
    inputs: tuple[str, ...] = ()
    stays: int = 0
    gone: int = 0
    gone_inputs: int = 0
    unfinished: int = 0
    deleted: bool = False
    warnings: tuple[str, ...] = ()


@dataclass
class _Chosen:
    """Picture ids: what goes if nothing needs it, and what goes in any case; and input pictures, name to id.

    ``named_before``: what would go in any case, but is gone already.
    """

    spare: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    named_before: set[str] = field(default_factory=set)
    inputs: dict[str, str] = field(default_factory=dict)


class _Rows(NamedTuple):
    """Pictures that are there: (task id, picture id, whether only a last resort made it), bytes, why each is needed."""

    keys: list[tuple[str, str, bool]]
    sizes: Mapping[str, int]
    needed: Mapping[str, str]


def prune(
    context: Context,
    wish: PruneWish,
    to_make: GenerateEstimate | str,
    reason: str = "",
    by: str | None = None,
    delete: bool = False,
    progress: Progress = silent,
) -> Pruning:
    """See ``Campaign.prune``."""
    ws = context.ws
    why = " ".join(reason.split())
    if delete and not wish.chooses and not _unfinished(ws):
        raise InputError("nothing is chosen: give --keep N, --losers, --task, --picture or --person-of with --delete")
    if delete and wish.chooses and not why:
        raise NoReason("deleting needs a reason, which is kept: give --reason")
    if len(why) > MOST_CHARACTERS:
        raise InputError(f"{len(why)} characters are too many for a reason: {MOST_CHARACTERS} fit")
    with ws.db.read() as connection:
        rows, chosen = _rows(connection), _Chosen()
        _choose_named(context, connection, wish, rows, chosen)
        holders = _holders(ws, connection, wish, chosen)
    _choose_spare(context, wish, rows, chosen)
    warnings = (*_losing(context, chosen, delete), *_warnings(ws, rows, chosen, delete), *holders)
    if delete:
        with ws.db.write() as connection:
            now = needed(connection)
            sure = sorted((chosen.spare - now.keys()) | chosen.named)
            pictures = [*((one, None) for one in sure), *((one, name) for name, one in sorted(chosen.inputs.items()))]
            note_gone(connection, pictures, why, by or person(), ws.now())
        _remove(ws, progress)
    going = (chosen.spare - rows.needed.keys()) | chosen.named
    spare = {key[1] for key in rows.keys if not key[2]} - rows.needed.keys() - (going if delete else set())
    with ws.db.read() as connection:
        gone, counts, held = load_gone(connection), count_gone(connection), held_bytes(connection)
        beside = {"what the store knows of pictures as vectors": vector_bytes(connection)}
        done = _done(ws)
    number, size = sum(one.pictures for one in held), sum(one.bytes for one in held)
    ahead = None if isinstance(to_make, str) else _still(to_make)
    return Pruning(
        ws.images.address,
        tuple(held),
        {name: n for name, n in {**_folders(ws), **beside}.items() if n},
        shutil.disk_usage(ws.folder).free,
        ahead,
        int((ahead or 0) * size / max(number, 1)),
        len(spare),
        _total(rows, spare),
        len(going),
        _total(rows, going),
        tuple(sorted(chosen.inputs)),
        len(chosen.spare & rows.needed.keys() - chosen.named),
        *counts,
        sum(one.row > done for one in gone.values()),
        delete,
        warnings,
    )


def _rows(connection: Connection) -> _Rows:
    gone = load_gone(connection)
    keys = [key for key in candidate_keys(connection) if key[1] not in gone]
    return _Rows(keys, sizes_of(connection), needed(connection))


def _choose_spare(context: Context, wish: PruneWish, rows: _Rows, chosen: _Chosen) -> None:
    """Pictures of all of whose tasks none keeps them; last resorts stay, they are made again where they are missing."""
    if wish.keep is None and not wish.tasks:
        return
    if wish.keep is not None and wish.keep < 0:
        raise InputError(f"0 or more of each task can be kept, got {wish.keep}")
    of_tasks = {task.id for task in select_tasks(context.tasks, ids=wish.tasks)}
    kept = _best(context, wish.keep) if wish.keep else set()
    stay = {one for task, one, fallback in rows.keys if fallback or task not in of_tasks or (task, one) in kept}
    chosen.spare |= {one for _, one, _ in rows.keys} - stay


def _best(context: Context, n: int) -> set[tuple[str, str]]:
    """(task id, candidate id) of the ``n`` best of each task by the present estimates; what may not be picked last."""
    known = context.need_candidates()
    pool, merit = known.pool, known.estimates.merit
    places: dict[str, list[int]] = {}
    for row, task in enumerate(pool.task_ids):
        places.setdefault(task, []).append(row)
    found = set()
    for task, mine in places.items():
        ranked = sorted(mine, key=lambda i: (bool(pool.excluded[i]), -float(merit[i]), pool.candidate_ids[i]))
        found |= {(task, pool.candidate_ids[i]) for i in ranked[:n]}
    return found


def _choose_named(context: Context, connection: Connection, wish: PruneWish, rows: _Rows, chosen: _Chosen) -> None:
    """What goes whatever needs it: candidates by id; input pictures with all that was made from them."""
    pinned = context.ws.db.facts_in(connection, INPUT_FACT)
    names, named = set(), set()
    for one in wish.pictures:
        if one.startswith(INPUTS):
            name = one.removeprefix(INPUTS)
            if name not in pinned:
                raise InputError(f"there is no input picture '{name}'{near_or_all(name, sorted(pinned))}")
            names.add(name)
        else:
            named |= {found for _, found in find_candidates(connection, one)}
    for task in select_tasks(context.tasks, ids=wish.person_of) if wish.person_of else ():
        own = {name for name in (task.source, task.reference) if name}
        if not own:
            raise InputError(f"task {task.id} has no input picture")
        names |= own
    digests = {pinned[name] for name in names}
    gone = gone_inputs(connection)
    same = {name: digest for name, digest in pinned.items() if digest in digests}
    chosen.inputs |= {name: digest for name, digest in same.items() if name not in gone}
    tasks = {task.id for task in context.tasks if {task.source, task.reference} & same.keys()}
    blank = made_of_nothing(connection)  # the grey picture stands for several tasks, and shows nobody
    ever = [*(key[:2] for key in rows.keys), *gone_candidates(connection)]
    named |= {one for task, one in ever if task in tasks and one not in blank}
    there = {key[1] for key in rows.keys}
    chosen.named |= named & there
    chosen.named_before |= named - there


def _losing(context: Context, chosen: _Chosen, delete: bool) -> tuple[str, ...]:
    """Which tasks lose an input picture."""
    lose = [task.id for task in context.tasks if {task.source, task.reference} & chosen.inputs.keys()]
    if not lose:
        return ()
    tasks = n_of(len(lose), "task loses its input picture", "tasks lose their input picture")
    if delete:
        tasks = n_of(len(lose), "task has lost its input picture", "tasks have lost their input picture")
    return (f"{tasks} ({some_of(lose)}): only imports can answer such tasks then, else a grey fallback stands in",)


def _warnings(ws: Workspace, rows: _Rows, chosen: _Chosen, delete: bool) -> tuple[str, ...]:
    """Raises ``InputError`` where others would lose what is chosen."""
    others = [one for one in ws.images.users() if one != ws.images.owner] if chosen.spare or chosen.named else []
    shared = f"{n_of(len(others), 'other campaign has', 'other campaigns have')} images at {ws.images.address}"
    if others and chosen.spare and delete:
        raise InputError(f"{shared}: nothing can be deleted there but what is named with --picture or --person-of")
    told = [f"{shared}, and would lose what is the same"] if others else []
    if ws.config.store.images and (chosen.spare or chosen.named):
        told.append(f"a copy of this campaign's folder would lose them too, if it uses {ws.images.address}")
    reasons = sorted({rows.needed[one] for one in chosen.named if one in rows.needed})
    told += [f"a named picture is needed: {why}" for why in reasons if why != IN_SUBMISSION]
    folders = ws.other_folders()
    if folders and (chosen.inputs or not ws.config.store.images):
        told.append(f"other folders of this campaign keep theirs until they run `prune --delete` too: {folders[0]}")
    return tuple(told)


def _holders(ws: Workspace, connection: Connection, wish: PruneWish, chosen: _Chosen) -> list[str]:
    """Which submissions lose what is named, and which ZIPs on this disk hold it, also what is gone already.

    Where nothing is chosen: the ZIPs that hold anything that is gone; another folder or run may have deleted it.
    """
    told = [
        f"the ZIP of submission {one} cannot be written again without what goes"
        for one in submissions_that_hold(connection, chosen.named)
    ]
    named = chosen.named | (chosen.named_before if wish.chooses else load_gone(connection).keys())
    sizes = {one: size for one, size in sizes_of(connection).items() if one in named}
    zips = [_inside(ws, path) for path in zips_that_hold(ws, connection, sizes)]
    if not wish.chooses:
        return [f"{path} still holds a picture that was deleted: delete it yourself" for path in zips]
    return told + [f"{path} still holds such a picture: delete it yourself" for path in zips]


def _remove(ws: Workspace, progress: Progress) -> None:
    """Delete the bytes of all that is gone and was not seen to be so; what was made again meanwhile stays."""
    done = _done(ws)
    with ws.db.read() as connection:
        gone, inputs = load_gone(connection), gone_inputs(connection)
    todo = sorted(one for one, said in gone.items() if said.row > done)
    for name in inputs:
        with suppress(FileNotFoundError):
            (ws.inputs_folder / name).unlink()
    progress("prune", 0, len(todo))
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(todo), _AT_ONCE):
            batch = todo[start : start + _AT_ONCE]
            with ws.db.read() as connection:
                still = load_gone(connection, batch)
            for _ in pool.map(ws.images.remove, still):
                pass
            progress("prune", start + len(batch), len(todo))
    for one in gone:
        ws.images.forget(one)
    _remove_copies(ws, gone.keys())
    if inputs:  # small copies of input pictures are known by a digest of name and date
        shutil.rmtree(ws.folder / _REVIEW, ignore_errors=True)
    if todo:
        newest = max(gone[one].row for one in todo)
        with ws.db.write() as connection:
            ws.db.set_facts(connection, {f"{_prefix(ws)}{newest}": ws.now()})


def _remove_copies(ws: Workspace, ids: Collection[str]) -> None:
    """Small copies of pages; they are walked over once, however many pictures went."""
    for place, digits in _COPIES.items():
        beginnings = {one[:digits] for one in ids}
        for path in _files(ws.folder / place):
            whole = path.stem if digits == 40 else f"{path.parent.name}{path.stem}"
            if whole[:digits] in beginnings:
                with suppress(OSError):
                    path.unlink()


def _prefix(ws: Workspace) -> str:
    """Of the facts of this place: images in a folder of the campaign's own are another place on every machine."""
    place = ws.images.address if ws.config.store.images else ws.place
    return f"{_DONE}{stable_hash(place.encode(errors='backslashreplace').decode(), 8)}:"


def _done(ws: Workspace) -> int:
    return max(map(int, ws.db.facts(_prefix(ws))), default=0)


def _unfinished(ws: Workspace) -> bool:
    """Whether bytes of what was deleted may still be at this place."""
    done = _done(ws)
    with ws.db.read() as connection:
        return any(one.row > done for one in load_gone(connection).values())


def _still(estimate: GenerateEstimate) -> int:
    return sum(one.to_make + one.collect + one.finishes for one in estimate.generators.values())


def _total(rows: _Rows, ids: Iterable[str]) -> int:
    return sum(rows.sizes.get(one, 0) for one in ids)


def _folders(ws: Workspace) -> dict[str, int]:
    """Bytes of what lies in the campaign's folder beside its images, by name."""
    names = (INPUTS_NAME, SUBMISSIONS_NAME, "report", "cache")
    return {f"{name}/": sum(_size(path) for path in _files(ws.folder / name)) for name in names}


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _inside(ws: Workspace, path: Path) -> str:
    return path.relative_to(ws.folder).as_posix()
