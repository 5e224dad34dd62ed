"""Where model files lie here, and whether they are there: cheap looks (existence and size) that scorers may call often.

The folder is ``BESTSHOT_WEIGHTS``, or ``bestshot/weights`` in the user's cache folder; a model's files are below
``FOLDER/<model name>/``. ``verify`` is the thorough look.
"""

from __future__ import annotations

import os
import sys
from enum import Enum
from pathlib import Path

from selector.domain import MissingPart
from selector.domain.files import expanded
from selector.weights.catalogue import OPEN_CLIP, Model, ModelFile, model_named, open_clip_model

FOLDER_VARIABLE = "BESTSHOT_WEIGHTS"
_ROUNDED_SHARE = 0.02  # a hub's page shows three digits
_LEAST_ROUNDED_BYTES = 1_000_000  # smaller ones are texts, which an edit in their repository changes by more


class Here(str, Enum):
    """Whether a model's files are here, by existence and size."""

    YES = "yes"
    NO = "no"
    PARTLY = "partly"
    DAMAGED = "damaged"


def weights_folder() -> Path:
    """The folder of all models; it need not exist yet."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return expanded(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    if not cache and sys.platform == "win32":
        cache = os.environ.get("LOCALAPPDATA")
    return (Path(cache) if cache else Path.home() / ".cache") / "bestshot" / "weights"


def folder_of(model: Model) -> Path:
    """The model's own folder; it need not exist yet."""
    return weights_folder() / model.name.replace(OPEN_CLIP, "open_clip-").replace("/", "-")


def find(name: str) -> Path | None:
    """Where a model is, or None: the file of a model of one file, the folder of a model of several.

    Looks at existence and size only, which costs microseconds. Raises ``InputError`` for an unknown name.
    """
    model = model_named(name)
    return _location(model) if presence(model) is Here.YES else None


def need(name: str, path: str | Path | None = None) -> Path:
    """As ``find``, but raises where the model is not here.

    Args:
        name: the model's name in the catalogue.
        path: a file or folder of the user's own, from a scorer's settings; taken instead where it is given.

    Raises:
        MissingPart: it is not here; the message is one line with the command that cures it.
        InputError: there is no such model.
    """
    if path:
        own = expanded(path)
        if not own.exists():
            raise MissingPart(f"there are no weights at {own}: mend the path in the scorer's settings")
        return own
    return need_model(model_named(name))


def need_model(model: Model) -> Path:
    """As ``need``, for an entry that is at hand."""
    state = presence(model)
    if state is not Here.YES:
        raise MissingPart(_cure(model, state))
    return _location(model)


def need_backbone(architecture: str, tag: str) -> Path:
    """The file of weights of an open_clip model, named as open_clip names it.

    Raises:
        MissingPart: it is not here; the message is one line with the command that cures it.
        InputError: there is no tag, which would mean random weights, or open_clip knows no such pair.
    """
    model = open_clip_model(architecture, tag)
    need_model(model)
    return _first_file(model)


def presence(model: Model) -> Here:
    """Whether all files of a model are here with the right size."""
    missing = [file for file in model.files if path_of(model, file) is None]
    if model.files and not missing:
        return Here.YES
    if any((folder_of(model) / choice.name).exists() for file in missing for choice in file.choices()):
        return Here.DAMAGED
    return Here.NO if len(missing) == len(model.files) else Here.PARTLY


def path_of(model: Model, file: ModelFile) -> Path | None:
    """Where a file, or what may stand in for it, is whole here by its size; None where it is not."""
    for choice in file.choices():
        path = folder_of(model) / choice.name
        if has_size(path, choice):
            return path
    return None


def has_size(path: Path, file: ModelFile) -> bool:
    """Whether there is a file of the known size, within 2% where only a rounded one is known."""
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if file.size_bytes is not None:
        return size == file.size_bytes
    if file.about_bytes < _LEAST_ROUNDED_BYTES:
        return size > 0
    return abs(size - file.about_bytes) <= _ROUNDED_SHARE * file.about_bytes


def _location(model: Model) -> Path:
    return _first_file(model) if len(model.files) == 1 else folder_of(model)


def _first_file(model: Model) -> Path:
    found = path_of(model, model.files[0])
    assert found is not None
    return found


def _cure(model: Model, state: Here) -> str:
    if not model.files:
        return f"the weights '{model.name}' are never fetched: {model.note.removeprefix('never fetched: ')}"
    how = {Here.NO: "not here", Here.PARTLY: "not all here", Here.DAMAGED: "damaged here: a size is wrong"}[state]
    names = ", ".join(file.name for file in model.files[:2]) + (", …" if len(model.files) > 2 else "")
    return (
        f"the weights '{model.name}' are {how}: bestshot weights fetch {model.name}, "
        f"or copy {names} into {folder_of(model)}"
    )
