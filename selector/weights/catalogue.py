"""Looks a model up by its name: in our own table (``entries``), else in open_clip's."""

from __future__ import annotations

import difflib

from selector.domain import InputError, MissingPart
from selector.weights import entries
from selector.weights.model import Model, ModelFile, Repository

OPEN_CLIP = "open_clip:"  # "open_clip:ViT-B-16/laion2b_s34b_b88k" names any model that open_clip knows
_SAFE, _PICKLE = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"


def all_models() -> tuple[Model, ...]:
    """Every model of the catalogue, those that come first that most scorers need."""
    return entries.MODELS


def model_named(name: str) -> Model:
    """The model of this name; ``open_clip:ARCHITECTURE/TAG`` names any that open_clip knows.

    Raises:
        InputError: there is no such model; the message names the nearest one.
    """
    for model in all_models():
        if model.name == name:
            return model
    if name.startswith(OPEN_CLIP):
        architecture, _, tag = name[len(OPEN_CLIP) :].partition("/")
        return open_clip_model(architecture, tag)
    known = [model.name for model in all_models()]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
    raise InputError(f"there are no weights named '{name}': {hint}")


def open_clip_model(architecture: str, tag: str) -> Model:
    """The catalogue's entry for this architecture and pretrained tag, or one made from open_clip's own table.

    Raises:
        InputError: no tag was given, which would mean random weights, or open_clip knows no such pair, or has it only
            at an address outside the hub.
        MissingPart: the pair is not in the catalogue and open_clip is not installed.
    """
    if not tag:
        raise InputError(
            f"open_clip's {architecture} without a pretrained tag has random weights: name one, such as 'openai'"
        )
    bare = architecture.removesuffix("-quickgelu")  # the same weights; only the activation is set by the name
    for model in all_models():
        if model.open_clip == (bare, tag):
            return model
    return _from_open_clip(architecture, tag)


def _from_open_clip(architecture: str, tag: str) -> Model:
    """A model of open_clip's table of pretrained weights, which states neither sizes nor hashes."""
    try:
        from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
    except ImportError as error:
        raise MissingPart("open_clip is not installed: pip install 'bestshot[models]'") from error
    known = get_pretrained_cfg(architecture, tag)
    if not known:
        tags = ", ".join(list_pretrained_tags_by_model(architecture)) or "none: check the name of the architecture"
        raise InputError(f"open_clip has no weights '{tag}' for '{architecture}'; its tags are {tags}")
    repository, _, file_name = str(known.get("hf_hub", "")).rpartition("/")
    if not repository:
        raise InputError(
            f"open_clip has '{architecture}' '{tag}' at no hub: fetch it and give its path in the settings"
        )
    weights = ModelFile(file_name or _PICKLE, repository=Repository(repository))
    if file_name in ("", _PICKLE):
        weights = ModelFile(_SAFE, repository=Repository(repository), or_else=weights)
    return Model(
        name=f"{OPEN_CLIP}{architecture}/{tag}",
        scorers=(),
        licence="see the model's card",
        files=(weights, *_text_tower(architecture)),
        optional=True,
        open_clip=(architecture, tag),
    )


def _text_tower(architecture: str) -> tuple[ModelFile, ...]:
    """What open_clip would ask a hub for when it builds the text side, in a sub-folder with the tower's name."""
    from open_clip.factory import get_model_config

    text = (get_model_config(architecture) or {}).get("text_cfg", {})
    name = str(text.get("hf_tokenizer_name") or text.get("hf_model_name") or "")
    if not name:
        return ()
    files = ("tokenizer.json", "tokenizer_config.json", *(("config.json",) if text.get("hf_model_name") else ()))
    folder = name.rpartition("/")[2]
    return tuple(ModelFile(f"{folder}/{file}", repository=Repository(name), path=file) for file in files)
