"""A campaign's generators and scorers: those that can run here with its settings, and why the others cannot."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from selector.config import KIND, kind_of, scorer_kind_of
from selector.contest.table_rows import read_columns
from selector.domain import (
    BestshotError,
    Generator,
    MissingPart,
    Scorer,
    Task,
    TaskType,
    reason_of,
    stable_hash,
)
from selector.domain.embedding import ContestContext, EmbeddingSettings
from selector.domain.reading import with_tag
from selector.domain.words import did_you_mean
from selector.net import Service
from selector.registry import create_generator, create_scorer, is_default, is_generator, usual_service
from selector.store.readings import tags_of
from selector.workspace.services import SERVICE, Accounts, service_of, usual_names
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.workspace")

Generators = dict[str, tuple[Generator, str]]  # each with its build
Scorers = dict[str, Scorer]
LeftOut = dict[str, str]  # name to the reason, with what cures it
OURS = (KIND, SERVICE)  # keys of [generators.NAME] that the generator never sees
TEXT, ENGLISH = "text", "english"
USUAL_TABLE = "translations.csv"


def build_of(generator: Generator, settings: Mapping[str, object], seed: int) -> str:
    """What must be equal for a recipe not to be made again: the generator's version, settings and campaign seed.

    A default that is written out counts as none. A class names in ``free_settings`` those that change no picture, such
    as how many a job makes, and in ``settings_in_version`` those that its version has seen to itself, say by the
    content of a file instead of its path. Accounts never change a picture.
    """
    free = {SERVICE, *generator.free_settings, *generator.settings_in_version}
    known = inspect.signature(type(generator)).parameters
    counted = {
        key: value
        for key, value in settings.items()
        if key not in free and not (key in known and is_default(value, known[key].default))
    }
    return f"{generator.version}-{stable_hash({'settings': counted, 'seed': seed}, 8)}"


def ready_generators(
    ws: Workspace, names: Iterable[str], accounts: Accounts | None = None
) -> tuple[Generators, LeftOut]:
    """Generators that can be loaded, and why the others cannot; those of one service share its account."""
    accounts = accounts or Accounts(ws, threading.Event())
    ready: Generators = {}
    left_out: LeftOut = {}
    for name in sorted(names):
        try:
            generator = configured(ws, name, accounts)
        except MissingPart as error:
            left_out[name] = _left_out("generator", name, error)
        else:
            ready[name] = generator, build_of(generator, ws.config.generators.get(name, {}), ws.config.seed)
    return ready, left_out


def configured(ws: Workspace, name: str, accounts: Accounts) -> Generator:
    """The generator of a name with its settings; raises ``InputError`` or ``MissingPart``."""
    return create_generator(kind_of(ws.config, name), settings_of(ws, name), ws.folder, accounts.of(name))


def settings_of(ws: Workspace, name: str) -> dict[str, object]:
    """What a generator's constructor is told of the configuration."""
    return {key: value for key, value in ws.config.generators.get(name, {}).items() if key not in OURS}


def configured_names(ws: Workspace) -> tuple[str, ...]:
    """Names of the generators that the configuration asks for or gives settings to, sorted."""
    planned = {step.generator for t in TaskType for step in ws.config.generate.steps(t)}
    return tuple(sorted(planned | set(ws.config.generators)))


def configured_services(ws: Workspace) -> tuple[Service, ...]:
    """The services that configured generators work at; what is misconfigured is left out."""
    found: dict[str, Service] = {}
    for name in configured_names(ws):
        with suppress(BestshotError):
            service = service_of(ws, name)
            if service is not None:
                found[service.name] = service
    return tuple(found.values())


def key_variables(ws: Workspace) -> frozenset[str]:
    """The environment variables that hold keys of this campaign's services and judges."""
    named = {one.key_env for one in configured_services(ws)}
    named |= {one.key_env or "" for one in ws.config.services.values()}
    named |= {one.key_env for one in ws.config.judges.values()}
    return frozenset(named - {""})


def idle_services(ws: Workspace) -> dict[str, str]:
    """The tables of ``[services]`` at which no configured generator works, each with what to do: mostly a slip."""
    working = {name for generator in configured_names(ws) if (name := _service_name(ws, generator))}
    idle = sorted(set(ws.config.services) - working)
    known = working | usual_names() if idle else working
    cure = "name it as the `service` of one in [generators.NAME], or take the table out"
    near = {name: "" if name in known else did_you_mean(name, sorted(known)) for name in idle}
    return {name: f"no generator of this campaign works there{near[name]}: {cure}" for name in idle}


def _service_name(ws: Workspace, generator: str) -> str | None:
    """Of the service that it would work at, whatever else is wrong with either; None for a local one."""
    settings = ws.config.generators.get(generator, {})
    named = settings.get(SERVICE)
    if named is not None:
        return str(named)
    with suppress(BestshotError):
        usual = usual_service(kind_of(ws.config, generator), settings)
        return usual.name if usual else None
    return None


@dataclass(frozen=True)
class Builds:
    """The present build of generators by name, which of them read words, and the tags of tasks' readings."""

    of_generator: Mapping[str, str]
    reading: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)

    def of(self, generator: str, task_id: str) -> str:
        """What a known generator's work on a task bears now."""
        tag = self.tags.get(task_id, "") if generator in self.reading else ""
        return with_tag(self.of_generator[generator], tag)

    def has(self, generator: str, task_id: str, build: str) -> bool:
        """Whether work of this build counts; that of a generator which is not known here does."""
        return generator not in self.of_generator or self.of(generator, task_id) == build


def present_builds(ws: Workspace) -> Builds:
    """The present build of every configured generator that can be loaded."""
    known = {name for name in configured_names(ws) if is_generator(kind_of(ws.config, name))}
    return builds_of(ws, ready_generators(ws, known)[0])


def builds_of(ws: Workspace, ready: Generators) -> Builds:
    """The present builds of these generators."""
    with ws.db.read() as connection:
        tags = tags_of(connection)
    reading = reading_words({name: generator for name, (generator, _) in ready.items()})
    return Builds({name: build for name, (_, build) in ready.items()}, reading, tags)


def ready_scorers(ws: Workspace, contest: ContestContext) -> tuple[Scorers, LeftOut]:
    """Scorers that can run here, each told of the contest if it asks, and why the others cannot.

    Raises:
        InputError: a name or setting that there is not. A model that does not fit is a reason to leave its scorer out.
    """
    ready: Scorers = {}
    left_out: LeftOut = {}
    for name in ws.config.score.scorers:
        try:
            scorer = configured_scorer(ws, name)
        except MissingPart as error:
            left_out[name] = _left_out("scorer", name, error)
            continue
        try:
            scorer.meet(contest)
            scorer.check()
        except BestshotError as error:
            left_out[name] = _left_out("scorer", name, error)
        else:
            ready[name] = scorer
    return ready, left_out


def reading_words(plug_ins: Mapping[str, Scorer] | Mapping[str, Generator]) -> frozenset[str]:
    """Those whose scores, or pictures, rest on what is understood of a task's words."""
    return frozenset(name for name, plug_in in plug_ins.items() if plug_in.reads_words)


def _left_out(kind: str, name: str, error: BestshotError) -> str:
    reason = reason_of(error)
    _log.warning("%s '%s' is left out: %s", kind, name, reason)
    return reason


@dataclass(frozen=True)
class ScorerSpec:
    """What a scorer is made from, in whatever process; settings may name files below ``folder``."""

    kind: str
    settings: Mapping[str, object]
    folder: Path

    def make(self) -> Scorer:
        """Raises ``InputError`` or ``MissingPart``."""
        return create_scorer(self.kind, self.settings, self.folder)


def scorer_spec(ws: Workspace, name: str) -> ScorerSpec:
    """Of the scorer of a name. The gate also learns where the contest fixes the size, and with it the proportions."""
    own = {key: value for key, value in ws.config.scorers.get(name, {}).items() if key != KIND}
    kind = scorer_kind_of(ws.config, name)
    fixed = sorted(task_type.value for task_type, facts in ws.profile.task_types.items() if facts.size == "fixed")
    settings = {"fixed_size_types": fixed, **own} if kind == "gate" and fixed else own
    return ScorerSpec(kind, settings, ws.folder)


def configured_scorer(ws: Workspace, name: str) -> Scorer:
    """The scorer of a name with its settings; raises ``InputError`` or ``MissingPart``."""
    return scorer_spec(ws, name).make()


def contest_context(ws: Workspace, tasks: Sequence[Task]) -> ContestContext:
    """Raises ``InputError`` when the table of translations is named and wrong."""
    config = ws.config.embedding
    own = {key: getattr(config, key) for key in ("weights_path", "config_path")}
    places = {key: str(ws.folder / place) if place else "" for key, place in own.items()}
    settings = EmbeddingSettings(
        model=config.model,
        pretrained=config.pretrained,
        reads=config.reads,
        device=config.device,
        precision=config.precision,
        batch=config.batch,
        **places,
    )
    table = ws.folder / (config.translations_path or USUAL_TABLE)
    translations = read_translations(table) if config.translations_path or table.is_file() else {}
    return ContestContext(tuple(tasks), ws.inputs_folder, settings, translations, ws.db.facts("input:"))


def read_translations(path: Path) -> dict[str, str]:
    """Text to its English, of a CSV with these two columns; a row without English says nothing.

    Raises:
        InputError: no readable CSV in UTF-8, or a column is missing.
    """
    rows = read_columns(path, "table of translations", (TEXT, ENGLISH))
    return {row[TEXT]: row[ENGLISH] for row in rows if row[TEXT] and row[ENGLISH]}
