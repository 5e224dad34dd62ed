"""A hub id to a folder on this machine: from the cache if it is there, else downloaded; never a long wait offline.

The way to the hub is that of ``selector.weights.hub``; which files of a pipeline are wanted, diffusers knows.
``HF_ENDPOINT`` (a mirror), ``HF_HUB_OFFLINE``, ``HF_HOME`` and ``HF_TOKEN`` hold for both. What is cached is taken
without asking the hub, so that the same campaign stays with the same weights.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators._pipelines.model_folder import INDEX, read_folder, variant_of
from selector.domain import InputError, MissingPart, raise_shortage
from selector.domain.names import name_fault
from selector.weights.address import endpoint, shown
from selector.weights.hub import is_offline, unreachable

CURE = 'give a folder of the model with model_path = "…"'


@dataclass(frozen=True)
class HubModel:
    """A repository of the hub: "owner/name", and a commit, branch or tag ("" is its main branch)."""

    name: str
    revision: str = ""
    variant: str = ""
    allow_pickle: bool = False


def cached_index(model: HubModel) -> Path | None:
    """``model_index.json`` in huggingface_hub's cache, or None. Asks nobody."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model.name, INDEX, revision=model.revision or None)
    return Path(found) if isinstance(found, str) else None


def check_hub(model: HubModel) -> None:
    """Raise when the model is neither cached nor to be had: offline by the user's wish. Asks nobody.

    Raises:
        InputError: the name is none. MissingPart: it is not cached, and the hub is not to be asked.
    """
    if model.name.count("/") != 1 or name_fault(model.name, folders=True):
        raise InputError(f'diffusers: model must be "owner/name" of a hub, got {model.name!r}; a folder is model_path')
    if cached_index(model) is None and is_offline():
        raise MissingPart(f"diffusers: {model.name} is not in the cache and HF_HUB_OFFLINE is set; {CURE}")


def where(model: HubModel) -> str:
    """In words: cached, or where it would come from."""
    return "in the cache" if cached_index(model) else f"not here yet, to be downloaded from {shown(endpoint())}"


def fetch(model: HubModel) -> Path:
    """The folder of the model, complete.

    Raises:
        MissingPart: it is not cached and the hub is not to be asked, does not answer, or does not give it.
        OutOfResources: the disk is full.
    """
    check_hub(model)
    index = cached_index(model)
    if index is not None:
        with contextlib.suppress(MissingPart):  # of what is cached in part
            variant_of(read_folder(index.parent), model.variant, model.allow_pickle)
            return index.parent
    if is_offline():
        raise MissingPart(f"diffusers: {model.name} is cached only in part and HF_HUB_OFFLINE is set; {CURE}")
    silent = unreachable()
    if silent:
        raise MissingPart(
            f"diffusers: {model.name} is not cached and {shown(endpoint())} does not answer ({silent}); {CURE}, or set "
            "HF_ENDPOINT to a mirror"
        )
    from diffusers import DiffusionPipeline

    try:
        folder = DiffusionPipeline.download(
            model.name,
            revision=model.revision or None,
            variant=model.variant or None,
            use_safetensors=None if model.allow_pickle else True,
        )
    except Exception as error:  # huggingface_hub, httpx, diffusers and the disk have their own families of errors
        raise_shortage(error)
        raise MissingPart(_refused(model, error)) from error
    return Path(folder)


def _refused(model: HubModel, error: Any) -> str:
    chain = [error]
    while chain[-1].__cause__ is not None:  # diffusers tells of the cache when the hub said no
        chain.append(chain[-1].__cause__)
    kinds = {cls.__name__ for one in chain for cls in type(one).__mro__}
    page = f"{shown(endpoint())}/{model.name}"
    if "GatedRepoError" in kinds:
        return f"diffusers: {model.name} asks for consent: accept it at {page} and set HF_TOKEN; or {CURE}"
    if "RepositoryNotFoundError" in kinds:
        return f"diffusers: {page} is not there, or wants a login: check `model`, or set HF_TOKEN; or {CURE}"
    if "RevisionNotFoundError" in kinds:
        return f"diffusers: {model.name} has no revision {model.revision!r}: check `revision`"
    said = " ".join(str(chain[-1]).split())[:200]
    came = f"{type(error).__name__}: {said}"
    return f"diffusers: {model.name} cannot be downloaded from {shown(endpoint())} ({came}); {CURE}"
