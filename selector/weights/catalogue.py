"""What is known of models (files, sizes, hashes, where published): by name, in ``catalogue.toml``, else open_clip's."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from selector.domain import InputError, MissingPart
from selector.domain.names import check_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OPEN_CLIP = "open_clip:"  # "open_clip:ViT-B-16/laion2b_s34b_b88k" names any model that open_clip knows
_SAFE, _PICKLE = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"


@dataclass(frozen=True)
class Repository:
    """A repository of a model hub, at one revision.

    Attributes:
        name: "owner/name" on the hub.
        revision: a commit, so that the files stay the same; "main" where none could be confirmed.
        modelscope: the same repository's "owner/name" on ModelScope; None where none is known.
    """

    name: str
    revision: str = "main"
    modelscope: str | None = None


@dataclass(frozen=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: path below the model's own folder, with forward slashes.
        sha256: None where no published hash could be confirmed; what the server states is noted then.
        size_bytes: the exact size, or None.
        about_bytes: a rounded size, for people, where the exact one is not known.
        repository: where a hub has it; None for a file that is only at ``url``.
        path: its path in the repository; "" means ``name``.
        url: where it was published, if not on a hub.
        or_else: what to take where the source does not have this file.
    """

    name: str
    sha256: str | None = None
    size_bytes: int | None = None
    about_bytes: int = 0
    repository: Repository | None = None
    path: str = ""
    url: str | None = None
    or_else: ModelFile | None = None

    def __post_init__(self) -> None:
        for name in (self.name, self.path or self.name):  # open_clip's table and descriptions of models give names, too
            check_name(name, "the model's file", "it must lie in the model's folder", folders=True, written=True)

    @property
    def expected_bytes(self) -> int:
        """Exact or rounded size; 0 if nothing is known."""
        return self.size_bytes or self.about_bytes

    def choices(self) -> Iterator[ModelFile]:
        """This file, then what may stand in for it."""
        yield self
        if self.or_else is not None:
            yield from self.or_else.choices()


@dataclass(frozen=True)
class Model:
    """A model and what is needed to have it.

    Attributes:
        name: the name on the command line and of its folder.
        scorers: names of the scorers that use it; none for one that only a plug-in reads.
        licence: of the weights, in words.
        files: none for a model that is never fetched; the user names a path in the scorer's settings.
        note: one sentence for people, or "".
        optional: left out by ``fetch --all``.
        open_clip: (architecture, pretrained tag) by which open_clip knows the first file.
    """

    name: str
    scorers: tuple[str, ...]
    licence: str
    files: tuple[ModelFile, ...]
    note: str = ""
    optional: bool = False
    open_clip: tuple[str, str] | None = None

    @property
    def expected_bytes(self) -> int:
        return sum(file.expected_bytes for file in self.files)

    @property
    def source(self) -> str:
        """Repository and revision, or site, of the first file; "by path only" for a model without files."""
        if not self.files:
            return "by path only"
        first = self.files[0]
        if first.repository is None:
            return "/".join((first.url or "").removeprefix("https://").split("/")[:3])
        return f"{first.repository.name}@{first.repository.revision[:12]}"


def all_models() -> tuple[Model, ...]:
    """Every model of the catalogue, those that come first that most scorers need."""
    return _read_catalogue()


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


@lru_cache(maxsize=1)
def _read_catalogue() -> tuple[Model, ...]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return tuple(_model(**entry) for entry in content["models"])


def _model(scorers: list[str], open_clip: list[str] | None = None, **entry: Any) -> Model:
    groups = entry.pop("from", ())
    files = tuple(_file(file, group.get("repository")) for group in groups for file in group["files"])
    pair = (open_clip[0], open_clip[1]) if open_clip else None
    return Model(scorers=tuple(scorers), files=files, open_clip=pair, **entry)


def _file(entry: Mapping[str, Any], repository: Mapping[str, str] | None) -> ModelFile:
    other = {"or_else": _file(entry["or_else"], repository)} if "or_else" in entry else {}
    return ModelFile(**{**entry, **other}, repository=Repository(**repository) if repository else None)


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
