"""Finds generators and scorers by name: a built-in table, then entry points of packages. Loads them lazily."""

from __future__ import annotations

import importlib
import inspect
import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from selector.domain import Generator, InputError, MissingPart, Scorer, stable_hash
from selector.domain.structural import adopted
from selector.domain.words import near_or_all
from selector.net.service import Service

BUILTIN_GENERATORS: dict[str, str] = {
    "faceswap": "generators.faceswap:FaceSwap",
    "textedit": "generators.textedit:TextEditor",
    "retouch": "generators.retouch:Retouch",
    "folder": "generators.folder:Folder",
    "dashscope": "generators.dashscope:DashScope",
    "openai_images": "generators.openai_images:OpenAIImages",
    "gemini_images": "generators.gemini_images:GeminiImages",
    "fal": "generators.fal:Fal",
    "replicate": "generators.replicate:Replicate",
    "diffusers": "generators.diffusers_pipeline:DiffusersPipeline",
    "inswapper": "generators.inswapper:InSwapper",
    "command": "generators.command:Command",
    "source": "generators.source:Source",
    "blank": "generators.blank:Blank",
}
BUILTIN_SCORERS: dict[str, str] = {
    "aesthetic": "scorers.aesthetic:Aesthetic",
    "arcface": "scorers.arcface:ArcFace",
    "artefacts": "scorers.artefacts:Artefacts",
    "clip_direction": "scorers.clip_direction:ClipDirection",
    "clip_similarity": "scorers.clip_similarity:ClipSimilarity",
    "command": "scorers.command:Command",
    "fake_universal": "scorers.fake_universal:FakeUniversal",
    "gate": "scorers.gate:Gate",
    "hf_detector": "scorers.hf_detector:HFDetector",
    "identity": "scorers.identity:Identity",
    "lettering": "scorers.lettering:Lettering",
    "ocr_text": "scorers.ocr_text:OcrText",
    "preference": "scorers.preference:Preference",
    "preservation": "scorers.preservation:Preservation",
    "prompt_contrast": "scorers.prompt_contrast:PromptContrast",
    "pyiqa": "scorers.pyiqa_metrics:PyIQA",
    "realism": "scorers.realism:Realism",
    "seams": "scorers.seams:Seams",
    "spatial": "scorers.spatial:spatial",
    "technical": "scorers.technical:Technical",
}
_PLACES = {  # kind to its built-in table and the group of its entry points
    "generator": (BUILTIN_GENERATORS, "bestshot.generators"),
    "scorer": (BUILTIN_SCORERS, "bestshot.scorers"),
}
_HERE = Path()
_NUMBER = re.compile(r"""^\s+(?:self\.)?_?(?:version|revision)(?:: str)? = f?["'](\d+)["'-]""", re.MULTILINE)
_log = logging.getLogger("bestshot.registry")


def generator_names() -> tuple[str, ...]:
    """Names of every generator that can be configured here, built-in ones first."""
    return _names("generator")


def scorer_names() -> tuple[str, ...]:
    """Names of every scorer that can be configured here, built-in ones first."""
    return _names("scorer")


def is_generator(name: str) -> bool:
    """Whether a generator of this name can be configured here; looks through no package for one of ours."""
    return name in BUILTIN_GENERATORS or name in generator_names()


def is_scorer(name: str) -> bool:
    """The same of a scorer."""
    return name in BUILTIN_SCORERS or name in scorer_names()


def source_of(module: str) -> Path | None:
    """The file of a module in a package, found without importing the module."""
    package, _, name = module.rpartition(".")
    spec = find_spec(package) if package else None
    paths = (Path(folder) / f"{name}.py" for folder in (spec and spec.submodule_search_locations) or ())
    return next((path for path in paths if path.is_file()), None)


def begins_as(place: str, version: str) -> bool:
    """Whether a version begins with the number of the present code of a class ("module:Class").

    What else it names, as files of models, is not looked at. The class is read, and not imported where it is not yet;
    False where its source does not tell.
    """
    module, _, name = place.partition(":")
    loaded = getattr(sys.modules.get(module), name, None)
    told = getattr(loaded, "version", None)
    number = told if isinstance(told, str) else _number_in(module)
    return number is not None and (version == number or version.startswith(f"{number}-"))


def _number_in(module: str) -> str | None:
    path = source_of(module)
    found = set(_NUMBER.findall(path.read_text(encoding="utf-8"))) if path else set()
    return found.pop() if len(found) == 1 else None


def create_generator(
    name: str, settings: Mapping[str, Any] | None = None, base: Path = _HERE, account: Any = None
) -> Generator:
    """A generator by name, with its settings; places in them (keys ending in path or folder) are seen from ``base``.

    ``account`` is for those that work at a service (their constructor has a parameter of that name).

    Raises:
        InputError: unknown name or setting. MissingPart: its module cannot be imported here.
    """
    shared = {} if account is None else {"account": account}
    return cast(Generator, _create("generator", Generator, name, settings or {}, base, shared)[0])


def usual_service(name: str, settings: Mapping[str, Any] | None = None) -> Service | None:
    """The service that a generator of this name works at unless it is told another; None for a local one.

    Raises:
        InputError: ``settings``, those of a campaign, name none that there is.
    """
    made_by = _load("generator", name)
    if hasattr(made_by, "service_for"):
        return cast("Service | None", made_by.service_for(settings or {}))
    return cast("Service | None", getattr(made_by, "usual_service", None))  # it may be a function, or an old class


def create_scorer(name: str, settings: Mapping[str, Any] | None = None, base: Path = _HERE) -> Scorer:
    """A scorer by name, with its settings; raises as ``create_generator`` does.

    Settings become part of ``version``, so that scores that were measured with others are never mixed with these;
    as they are written, not as seen from ``base``: the same campaign is the same from any working directory. A default
    that is written out counts as none. A class says in ``settings_in_version`` which settings its version has seen to
    itself, say by the content of a file instead of its path: their names, or ``True`` for all.
    """
    made, cls = _create("scorer", Scorer, name, settings or {}, base)
    scorer = cast(Scorer, made)
    tagged = _not_in_version(cls, scorer, settings or {})
    return cast(Scorer, _Configured(scorer, stable_hash(tagged, 8))) if tagged else scorer


def _not_in_version(cls: Any, scorer: Scorer, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that change what the scorer does, and of which its own version says nothing."""
    seen_to = scorer.settings_in_version
    if isinstance(seen_to, bool):
        seen_to = tuple(settings) if seen_to else ()
    known = inspect.signature(cls).parameters
    return {
        key: value
        for key, value in settings.items()
        if key not in (seen_to or ()) and not is_default(value, known[key].default)
    }


def is_default(value: Any, default: Any) -> bool:
    """Whether a setting, as TOML gives it, says what holds anyway; 1 and 1.0 are the same, ``true`` is another."""
    if isinstance(value, list) and isinstance(default, (list, tuple)):
        return len(value) == len(default) and all(map(is_default, value, default))
    return isinstance(value, bool) is isinstance(default, bool) and bool(value == default)


class _Configured:
    """A scorer under the version that its settings give it; in all else the scorer, for ``isinstance`` too."""

    def __init__(self, scorer: Scorer, tag: str) -> None:
        self._scorer, self._tag = scorer, tag

    @property
    def version(self) -> str:
        return f"{self._scorer.version}-{self._tag}"

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._scorer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)


def _names(kind: str) -> tuple[str, ...]:
    builtin, group = _PLACES[kind]
    return (*builtin, *sorted({point.name for point in _points(group)} - set(builtin)))


def _points(group: str) -> EntryPoints:
    return _all_points(tuple(sys.path)).select(group=group)


@lru_cache(maxsize=1)  # to look through everything that is installed takes some 30 ms
def _all_points(path: tuple[str, ...]) -> EntryPoints:
    """Of what can be imported from ``path``."""
    del path
    return cast(EntryPoints, entry_points())


def _create(
    kind: str,
    contract: type,
    name: str,
    settings: Mapping[str, Any],
    base: Path,
    shared: Mapping[str, Any] | None = None,
) -> tuple[object, Any]:
    """A plug-in as one of its contract, also where its class does not inherit that, and its class."""
    cls = _load(kind, name)
    if lacking := sorted(getattr(cls, "__abstractmethods__", ())):
        raise MissingPart(f"{kind} '{name}' cannot be loaded: its class lacks {', '.join(lacking)}: write it")
    plug_in = adopted(construct(f"{kind} '{name}'", cls, settings, base, shared), contract)
    if not isinstance(plug_in, contract):
        what = f"{type(plug_in).__qualname__} is none: see help(selector.domain.{contract.__name__})"
        raise MissingPart(f"{kind} '{name}' cannot be loaded: {what}")
    return plug_in, cls


def construct(
    label: str, cls: Any, settings: Mapping[str, Any], base: Path, shared: Mapping[str, Any] | None = None
) -> Any:
    """An object of ``cls`` with settings from a campaign; places in them are seen from ``base``.

    Args:
        label: what the settings are of, in messages: ``generator 'NAME'``, ``[finish]``.
        shared: further arguments, which are no settings.

    Raises:
        InputError: an unknown setting, or a value that the class does not take.
    """
    known = [p for p in inspect.signature(cls).parameters if p not in ("args", "kwargs", "account")]
    for key in settings:
        if key not in known:
            raise InputError(f"{label} has no setting '{key}'{near_or_all(key, known)}")
    try:
        return cls(**{key: _seen_from(base, key, value) for key, value in settings.items()}, **(shared or {}))
    except (TypeError, ValueError) as error:
        raise InputError(f"{label} does not accept these settings: {error}") from error


def _seen_from(base: Path, key: str, value: Any) -> Any:
    is_place = isinstance(value, str) and value and key.endswith(("path", "folder"))
    return str(base / value) if is_place else value


def _load(kind: str, name: str) -> Any:
    builtin, group = _PLACES[kind]
    point = None if name in builtin else next((p for p in _points(group) if p.name == name), None)
    if name not in builtin and point is None:
        raise InputError(f"there is no {kind} '{name}'{near_or_all(name, _names(kind))}")
    try:
        if point is not None:
            _log.debug("loading %s '%s' of %s", kind, name, point.value)
            return point.load()
        module, _, attribute = builtin[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing runs a package's code, which may raise anything
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise MissingPart(f"{kind} '{name}' cannot be loaded: {what}; mend or install what it needs") from error
