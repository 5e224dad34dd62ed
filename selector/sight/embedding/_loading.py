"""Loads a model of open_clip from files alone: no network, no code from a file, no weight left random."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selector.domain import InputError, MissingPart, stable_hash
from selector.domain.files import scratch_folder
from selector.domain.json_text import parse_json
from selector.domain.names import check_name
from selector.sight.embedding.device import need_packages
from selector.weights import all_models, content_tag, load_state, why_unreadable

SAFE_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "sentencepiece.bpe.model", "vocab.txt")
_MORE_TEXT_FILES = ("special_tokens_map.json", "added_tokens.json", "spiece.model", "vocab.json", "merges.txt")
TEXT_FILES = ("config.json", *_TOKENIZER_FILES, *_MORE_TEXT_FILES)  # all of a text tower, but its weights
_PLACE_OF_CROPS = "visual.positional_embedding"


def read_architecture(model: str, config_path: str) -> dict[str, Any]:
    """The description of a model as open_clip writes it, without importing open_clip, which takes seconds.

    ``open_clip_config.json`` of a model's folder is taken, too: it holds the description as "model_cfg", and beside it
    what the pixels were normalised with, which is given as "preprocess_cfg".

    Raises:
        InputError: open_clip has no such model, or the file of one's own is no description.
    """
    path = Path(config_path) if config_path else _folder_of_open_clip() / f"{model.replace('/', '-')}.json"
    if not config_path and not path.is_file():
        raise InputError(
            f"open_clip has no model '{model}': name one of open_clip.list_models(), or give config_path in [embedding]"
        )
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the architecture {path} ({error}): mend config_path") from error
    if isinstance(found, dict) and isinstance(found.get("model_cfg"), dict):
        found = {**found["model_cfg"], "preprocess_cfg": found.get("preprocess_cfg") or {}}
    kinds = {"embed_dim": int, "vision_cfg": dict, "text_cfg": dict}
    if not isinstance(found, dict) or not all(isinstance(found.get(name), kind) for name, kind in kinds.items()):
        raise InputError(f"{path.name} is no architecture of open_clip: it needs embed_dim, vision_cfg and text_cfg")
    return found


def register(name: str, architecture: Mapping[str, Any]) -> None:
    """Tell open_clip of a model that it does not know."""
    import open_clip

    check_name(name, "the model of an architecture of one's own", "give a plain name in [embedding] model")
    with scratch_folder() as folder:  # it takes files alone, and the model's name from theirs
        path = folder / f"{name}.json"
        path.write_text(json.dumps({k: v for k, v in architecture.items() if k != "preprocess_cfg"}), encoding="utf-8")
        open_clip.add_model_config(path)


def text_folder(architecture: Mapping[str, Any], weights: Path) -> Path | None:
    """Where the tokenizer and configuration of a Hugging Face text tower lie; None where open_clip brings its own.

    They lie beside the weights: in a sub-folder with the tower's name, as ``bestshot weights fetch`` puts them, or in
    the same folder. An architecture of one's own may name a folder, with its whole path.

    Raises:
        InputError: the tower's name is none. MissingPart: they are not there; open_clip would ask a hub for them.
    """
    text = architecture["text_cfg"]
    named = str(text.get("hf_tokenizer_name") or text.get("hf_model_name") or "")
    if not named:
        return None
    need_packages("the text tower of this model needs", "transformers")
    needed = ("config.json",) if text.get("hf_model_name") else ()
    own = [Path(named)] if Path(named).is_absolute() else []  # else a folder that happens to lie where one works
    tower = weights.parent / check_name(Path(named).name, "the text tower", "mend text_cfg of the architecture")
    for folder in (*own, tower, weights.parent):
        if all((folder / name).is_file() for name in needed) and any((folder / n).is_file() for n in _TOKENIZER_FILES):
            return folder
    raise MissingPart(f"the text tower {named} is not here: copy its config.json and tokenizer files into {tower}")


def text_files_tag(folder: Path | None) -> str:
    """Changes with any file of a text tower; "" where there are none, because open_clip brings them."""
    files = [f for name in TEXT_FILES if (f := folder / name).is_file()] if folder else []
    return f"t{stable_hash([[f.name, content_tag(f)] for f in files], 6)}" if files else ""


def create(name: str, architecture: Mapping[str, Any], weights: Path, quick_gelu: bool, texts: Path | None) -> Any:
    """The model, on the CPU in float32, with every weight from the file.

    Args:
        name: of the model as open_clip knows it by now.
        quick_gelu: whether it was trained with that activation, as OpenAI's were.
        texts: see ``text_folder``.

    Raises:
        InputError: the file is no plain file of weights, or belongs to another model; what it lacks would be random.
    """
    import open_clip

    if weights.suffix not in SAFE_SUFFIXES:
        raise InputError(f"weights end in {', '.join(SAFE_SUFFIXES)}, got {weights.name}")
    if weights.suffix != ".safetensors":
        load_state(weights)  # refuses in plain words what would run code; open_clip reads the file once more
    own_text = {} if texts is None else {"text_cfg": _from_folder(architecture, texts)}
    try:
        model = open_clip.create_model(
            name,
            pretrained=str(weights),
            precision="fp32",
            device="cpu",
            force_quick_gelu=quick_gelu,
            require_pretrained=True,
            weights_only=True,
            pretrained_hf=False,
            **own_text,
        )
    except Exception as error:
        raise InputError(
            f"cannot load {weights.name} as the model {name} ({why_unreadable(error, weights)}): "
            "fetch the file again, or name the model that it is of in [embedding]"
        ) from error
    _refuse_other_size(model, name, weights)
    return model


def tokenizer_of(name: str, architecture: Mapping[str, Any], texts: Path | None) -> Any:
    """open_clip's tokenizer of a model, from a folder where it needs files.

    Raises:
        InputError: the files are no tokenizer.
    """
    import open_clip

    if texts is None:
        return open_clip.get_tokenizer(name)
    from open_clip.tokenizer import HFTokenizer

    text = architecture["text_cfg"]
    try:
        return HFTokenizer(
            str(texts),
            context_length=text.get("context_length", 77),
            tokenizer_mode=text.get("tokenizer_mode"),
            **{**text.get("tokenizer_kwargs", {}), "local_files_only": True, "trust_remote_code": False},
        )
    except Exception as error:
        raise InputError(
            f"cannot read the tokenizer in {texts} ({why_unreadable(error, texts)}): copy its files again"
        ) from error


def trained_as(name: str, weights: Path, tag: str) -> dict[str, Any]:
    """What open_clip notes of the training: activation, mean and deviation of pixels; {} where nothing is known.

    Weights by path are recognised by their content: OpenAI's need another activation than the architecture says. Of
    others that is taken which all known weights of the architecture have in common, say SigLIP's mean of 0.5.
    """
    import open_clip

    known_by = training_of(name, weights, tag)
    if known_by[1]:
        return dict(open_clip.get_pretrained_cfg(*known_by))
    known = [open_clip.get_pretrained_cfg(name, other) for other in open_clip.list_pretrained_tags_by_model(name)]
    facts = {key: [one.get(key) for one in known] for key in ("quick_gelu", "mean", "std")}
    return {key: values[0] for key, values in facts.items() if values and all(v == values[0] for v in values)}


def training_of(name: str, weights: Path, tag: str) -> tuple[str, str]:
    """The architecture and tag under which open_clip notes the training of these weights; no tag for unknown ones.

    It decides the facts of ``trained_as`` without importing open_clip, which takes seconds.
    """
    if tag:
        return name, tag
    content = content_tag(weights)
    for model in all_models():
        if model.open_clip and any((file.sha256 or "").startswith(content) for file in model.files):
            return model.open_clip
    return name, ""


def _folder_of_open_clip() -> Path:
    need_packages("an embedding needs", "open_clip")
    spec = importlib.util.find_spec("open_clip")
    return Path(next(iter(spec.submodule_search_locations))) / "model_configs"  # type: ignore[union-attr,arg-type]


def _from_folder(architecture: Mapping[str, Any], texts: Path) -> dict[str, Any]:
    text = {**architecture["text_cfg"], "hf_model_pretrained": False}
    return {**text, "hf_model_name": str(texts)} if "hf_model_name" in text else text


def _refuse_other_size(model: Any, name: str, weights: Path) -> None:
    """open_clip stretches the places of crops where a file is of another resolution: that is another model."""
    if weights.suffix != ".safetensors":
        return
    from safetensors import safe_open

    ours = model.state_dict().get(_PLACE_OF_CROPS)
    with safe_open(weights, framework="pt") as file:
        if ours is None or _PLACE_OF_CROPS not in file.keys():  # noqa: SIM118 - it is no mapping
            return
        theirs = file.get_slice(_PLACE_OF_CROPS).get_shape()
    if list(ours.shape) != list(theirs):
        raise InputError(
            f"{weights.name} belongs to a model of another resolution than {name}: its places are {theirs}, "
            f"expected {list(ours.shape)}"
        )
