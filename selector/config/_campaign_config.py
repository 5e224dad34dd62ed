"""``campaign.toml``: what one team wants made, scored and exported; read, checked, and written with its comments.

Unknown keys are errors with the nearest one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

from selector.config._generating import GenerateConfig, StepConfig
from selector.config._sections import (
    CalibrateConfig,
    EmbeddingConfig,
    EngineConfig,
    JudgeConfig,
    ScoreConfig,
    Section,
    ServiceConfig,
    StoreConfig,
    address_fault,
)
from selector.contest.profile import MAX_TEAM_BYTES
from selector.contest.toml_model import parse_toml, validate
from selector.domain import InputError, TaskType
from selector.domain.names import name_fault
from selector.domain.words import did_you_mean, near_or_all
from selector.finishing import steps_of
from selector.prompts.wording import PROMPT_STYLES
from selector.registry import generator_names, is_generator, is_scorer, scorer_names

_EXAMPLES = {  # commented lines of tables that only some campaigns have
    "scorers": ("[scorers.NAME]", 'kind = "command"', 'setting = "value"'),
    "generators": ("[generators.wanx-plus]", 'kind = "dashscope"', 'model = "wanx2.1-t2i-plus"'),
    "services": ("[services.dashscope]", "running = 2", "budget = 50.0"),
    "judges": ("[judges.NAME]", 'base_url = "http://localhost:8000/v1"', 'model = "MODEL"', 'key_env = "MY_API_KEY"'),
}


def _usable_in_a_file_name(team: str) -> str:
    fault = name_fault(team, written=True)
    if fault:
        raise ValueError(f"{fault}; give a team name that can be part of a file name")
    if len(team.encode()) > MAX_TEAM_BYTES:
        raise ValueError(f"must be at most {MAX_TEAM_BYTES} bytes in UTF-8: it is part of a file name")
    return team


Team = Annotated[str, Field(min_length=1), AfterValidator(_usable_in_a_file_name)]
TableName = Annotated[str, Field(pattern=r"^[\w.:@/+-]{1,100}$")]
_ADDRESSES = {
    "judges": "that of a chat API, http://localhost:8000/v1",
    "services": "https://dashscope.aliyuncs.com",
}
KIND = "kind"  # the key of [generators.NAME] and [scorers.NAME] that is ours: the plug-in, where NAME is another
IMPORTED = "imported"  # the scorer whose columns `bestshot import-scores` brings
_SCORER_NAME = re.compile(r"[\w-]{1,60}")  # "NAME.column" is split at its first dot

_EXAMPLE_KIND = "dashscope"  # the kind that a table without one most often means


class CampaignConfig(Section):
    """The whole file. Tables ``[generators.NAME]`` and ``[scorers.NAME]`` are handed to that plug-in as settings."""

    profile: str = Field(description="contest profile: a built-in name, or the path of a profile in TOML")
    team: Team = Field(default="team", description="team name, used in the name of the ZIP")
    seed: int = Field(default=20250701, description="every seed of the campaign derives from this one", ge=0, lt=2**31)
    workers: int = Field(default=2, description="tasks worked on at once", ge=1, le=256)
    store: StoreConfig = Field(default=StoreConfig(), description="where the records are kept")
    engine: EngineConfig = Field(default=EngineConfig(), description="what carries out the work: docs/scaling.md")
    generate: GenerateConfig = Field(
        default=GenerateConfig(),
        description="what `bestshot generate` makes: for each task type generators, in the order of preference",
    )
    score: ScoreConfig = Field(default=ScoreConfig(), description="what `bestshot score` measures")
    embedding: EmbeddingConfig = Field(
        default=EmbeddingConfig(), description="the model that turns pictures and prompts into vectors"
    )
    calibrate: CalibrateConfig = Field(default=CalibrateConfig(), description="how totals and judges are learned from")
    generators: dict[str, dict[str, Any]] = Field(
        default={},
        description="settings of generators, [generators.NAME], with kind = GENERATOR for a name of your own",
    )
    scorers: dict[str, dict[str, Any]] = Field(
        default={},
        description="settings of scorers, [scorers.NAME], with kind = SCORER for a name of yours: docs/scoring.md",
    )
    judges: dict[TableName, JudgeConfig] = Field(
        default={}, description="models to ask as judges, [judges.NAME]: docs/judge.md"
    )
    services: dict[TableName, ServiceConfig] = Field(
        default={}, description="accounts at services that make images, [services.NAME]: docs/generating.md"
    )
    finish: dict[str, Any] = Field(default={}, description="settings of finishes: docs/finishing.md")

    @field_validator("judges", "services", mode="before")
    @classmethod
    def _no_secret(cls, tables: Any, info: ValidationInfo) -> Any:
        """A rule over the tables, because the message of a rule over a key repeats its value, maybe a secret."""
        for name, table in tables.items() if isinstance(tables, dict) else ():
            given = table if isinstance(table, dict) else {}
            fault = address_fault(
                str(given.get("base_url", "http://h")), str(given.get("key_env", "")), _ADDRESSES[str(info.field_name)]
            )
            if not fault and given.get("key_path") and given.get("key_env"):
                fault = "key_path and key_env name two keys: leave one of them out"
            if fault:
                raise ValueError(f"{info.field_name}.{name}: {fault}")
        return tables


def read_config(path: Path) -> CampaignConfig:
    """Read and check a ``campaign.toml``.

    Raises:
        InputError: missing, not UTF-8, not TOML, a wrong value, or an unknown key (with the nearest known one).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {path} ({error.strerror}): is this a campaign? `bestshot init` makes one"
        ) from error
    return parse_toml(data, CampaignConfig, path.name)


def kind_of(config: CampaignConfig, name: str) -> str:
    """The generator behind a name: ``[generators.NAME] kind``, so that one can be there several times; else NAME."""
    return str(config.generators.get(name, {}).get(KIND, name))


def scorer_kind_of(config: CampaignConfig, name: str) -> str:
    """The same of a scorer: ``[scorers.NAME] kind``, else NAME."""
    return str(config.scorers.get(name, {}).get(KIND, name))


def check_names(config: CampaignConfig) -> None:
    """Raise ``InputError`` for a generator, scorer, prompt style or finish that is not known here."""
    steps = [step for t in TaskType for step in config.generate.steps(t)]
    _check_generators(config, {step.generator for step in steps})
    own = _own_scorers(config)
    weighed = {column.partition(".")[0] for column in config.calibrate.scores} - {IMPORTED}
    for name in sorted({*config.scorers, *config.score.scorers, *weighed} - set(own)):
        if not is_scorer(name):
            raise _unknown("scorer", name, (*scorer_names(), *own, *([IMPORTED] if name in weighed else [])))
    for style in sorted({style for step in steps for style in step.prompts} - set(PROMPT_STYLES)):
        raise _unknown("prompt style", style, PROMPT_STYLES)
    for finish in sorted({finish for step in steps for finish in step.finishes}):
        steps_of(finish)  # raises for what it does not know


def _unknown(kind: str, name: str, known: Collection[str]) -> InputError:
    return InputError(f"campaign.toml names the {kind} '{name}', which is not known{near_or_all(name, known)}")


def _own_scorers(config: CampaignConfig) -> list[str]:
    """The names of scorers that the file gives a kind."""
    own = [name for name, table in config.scorers.items() if KIND in table]
    for name in own:
        kind = scorer_kind_of(config, name)
        if not is_scorer(kind):
            near = near_or_all(kind, scorer_names())
            raise InputError(f"campaign.toml: [scorers.{name}] has the unknown kind '{kind}'{near}")
        if name == IMPORTED or (kind != name and is_scorer(name)):
            raise InputError(f"campaign.toml: '{name}' is a scorer already: give [scorers.{name}] another name")
        if not _SCORER_NAME.fullmatch(name):
            raise InputError(f"campaign.toml: a scorer's name has letters, digits, _ and - only, got '{name[:60]}'")
    return own


def _check_generators(config: CampaignConfig, planned: set[str]) -> None:
    for name in sorted({*config.generators, *planned}):
        kind = kind_of(config, name)
        if is_generator(kind):
            continue
        known = generator_names()
        table = config.generators.get(name)
        if table is not None and KIND not in table:
            others = ", ".join(other for other in known if other != _EXAMPLE_KIND)
            raise InputError(
                f'campaign.toml: [generators.{name}] has no kind: add kind = "{_EXAMPLE_KIND}" (or another of {others})'
                + did_you_mean(name, known)
            )
        hint = near_or_all(kind, known if table is not None else (*config.generators, *known))
        raise InputError(f"campaign.toml names the generator '{kind}', which is not known{hint}")


def parse_config(values: Mapping[str, Any]) -> CampaignConfig:
    """Check a configuration given as nested mappings; raises ``InputError`` as ``read_config`` does."""
    return validate(values, CampaignConfig, "campaign.toml")


def render_config(config: CampaignConfig) -> str:
    """The file as text, each key with its comment; reading it back gives an equal configuration."""
    lines = ["# What this campaign makes, scores and exports. Change it and run the same verbs again.", ""]
    tables: list[tuple[str, str, BaseModel]] = []
    for key, field in CampaignConfig.model_fields.items():
        value = getattr(config, key)
        if isinstance(value, BaseModel):
            tables.append((key, field.description or "", value))
        elif not isinstance(value, dict):
            lines += [f"# {field.description}", f"{key} = {_toml(value)}", ""]
    for key, description, model in tables:
        lines += [f"# {description}", f"[{key}]"]
        for sub_key, field in type(model).model_fields.items():
            lines += [f"# {field.description}", f"{sub_key} = {_toml(getattr(model, sub_key))}"]
        lines.append("")
    own = {key: {name: _set(table) for name, table in getattr(config, key).items()} for key in ("judges", "services")}
    named = {"generators": config.generators, "scorers": config.scorers, **own}
    for key, plug_ins in named.items():
        lines += [f"# {CampaignConfig.model_fields[key].description}"]
        lines += [] if plug_ins else [f"# {line}" for line in _EXAMPLES.get(key, ())]
        for name, settings in plug_ins.items():
            lines += [f"[{key}.{_key(name)}]", *(f"{_key(k)} = {_toml(v)}" for k, v in settings.items())]
        lines.append("")
    if config.finish:
        lines += ["[finish]", *(f"{_key(k)} = {_toml(v)}" for k, v in config.finish.items())]
    return "\n".join(lines).rstrip() + "\n"


def _set(table: BaseModel) -> dict[str, Any]:
    return table.model_dump(exclude_defaults=True)


def _toml(value: Any) -> str:
    if isinstance(value, StepConfig) and value == StepConfig(n=value.n):
        return str(value.n)
    if isinstance(value, StepConfig) and not value.n and not value.reserve:
        return _toml({"n": 0, **_set(value)})  # a table has to say how many
    if isinstance(value, BaseModel):
        return _toml(_set(value))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, (date, time)):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else _json(value)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _json(name)


def _json(value: str | int | None) -> str:
    """JSON, which is TOML of a text or a whole number, but for DEL and for halves of letters beyond 16 bits."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
