"""Models that are not in our catalogue but in open_clip's table: their repositories, without sizes and hashes."""

from __future__ import annotations

from selector.domain import InputError, MissingPart
from selector.weights.catalogue import OPEN_CLIP, Model, ModelFile, Repository

SAFE, PICKLE = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"


def from_open_clip(architecture: str, tag: str) -> Model:
    """A model of open_clip's table of pretrained weights.

    Raises:
        MissingPart: open_clip is not installed.
        InputError: open_clip knows no such pair, or has it only at an address outside the hub.
    """
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
    return Model(
        name=f"{OPEN_CLIP}{architecture}/{tag}",
        scorers=(),
        licence="see the model's card",
        files=(_weights(Repository(repository), file_name), *_text_tower(architecture)),
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


def _weights(repository: Repository, file_name: str) -> ModelFile:
    pickled = ModelFile(file_name or PICKLE, repository=repository)
    if file_name and file_name != PICKLE:
        return pickled
    return ModelFile(SAFE, repository=repository, or_else=pickled)
