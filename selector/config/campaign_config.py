"""``campaign.toml``: what one team wants made, scored and exported. Unknown keys are errors with the nearest one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from selector.contest.toml_model import parse_toml, validate
from selector.domain import InputError, TaskType
from selector.domain.words import near_or_all
from selector.registry import generator_names, scorer_names

_DEFAULT_PLAN: dict[TaskType, dict[str, int]] = {
    TaskType.T2I: {},
    TaskType.TIE: {"retouch": 8},
    TaskType.VTTIE: {"textedit": 8},
    TaskType.DEEPFAKE: {"faceswap": 8},
}


_EXAMPLES = {  # commented lines of tables that only some campaigns have
    "scorers": ("[scorers.NAME]", 'setting = "value"'),
    "judges": ("[judges.NAME]", 'base_url = "http://localhost:8000/v1"', 'model = "MODEL"', 'key_env = "MY_API_KEY"'),
}

MAX_TEAM_BYTES = 150  # of the 255 that file systems give a name


def _usable_in_a_file_name(team: str) -> str:
    if any(ord(c) < 32 or c in '/\\:*?"<>|' for c in team) or team.strip(" .") != team:
        raise ValueError('must be usable in a file name: none of / \\ : * ? " < > |, no line break, no dot at an end')
    if len(team.encode()) > MAX_TEAM_BYTES:
        raise ValueError(f"must be at most {MAX_TEAM_BYTES} bytes in UTF-8: it is part of a file name")
    return team


Team = Annotated[str, Field(min_length=1), AfterValidator(_usable_in_a_file_name)]
JudgeName = Annotated[str, Field(pattern=r"^[\w.:@/+-]{1,100}$")]
Counts = dict[str, Annotated[int, Field(ge=0)]]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreConfig(_Model):
    url: str = Field(
        default="",
        description="SQLAlchemy URL of the database; empty: campaign.db in this folder. A team can share a PostgreSQL.",
    )


class GenerateConfig(_Model):
    """Candidates of each task: for every task type, generators and how many candidates each makes."""

    t2i: Counts = Field(
        default=_DEFAULT_PLAN[TaskType.T2I], description="text to image: generator = number of candidates a task"
    )
    tie: Counts = Field(default=_DEFAULT_PLAN[TaskType.TIE], description="edits of a scene")
    vttie: Counts = Field(default=_DEFAULT_PLAN[TaskType.VTTIE], description="edits of the text in an image")
    deepfake: Counts = Field(default=_DEFAULT_PLAN[TaskType.DEEPFAKE], description="face swaps")

    def plan(self, task_type: TaskType) -> dict[str, int]:
        """Generator name to number of candidates for one task type."""
        return dict(getattr(self, task_type.value))


class ScoreConfig(_Model):
    scorers: list[str] = Field(
        default=[
            "aesthetic",
            "artefacts",
            "clip_direction",
            "clip_similarity",
            "fake_universal",
            "gate",
            "identity",
            "lettering",
            "ocr_text",
            "preservation",
            "prompt_contrast",
            "realism",
            "seams",
            "spatial",
            "technical",
        ],
        description="scorers to run; `bestshot doctor` lists those that can run here",
    )


class EmbeddingConfig(_Model):
    model: str = Field(
        default="ViT-L-14", description="the backbone of the scorers that share one: a model of open_clip"
    )
    pretrained: str = Field(
        default="openai", description="the tag of its weights; `bestshot weights list` names those known"
    )
    weights_path: str = Field(default="", description="or a file of weights of your own (safetensors, pt)")
    config_path: str = Field(default="", description="and its architecture, where open_clip does not know it (JSON)")
    reads: Literal["auto", "english", "all"] = Field(
        default="auto", description="languages that it reads: by its name, only English, or all"
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1, mps")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto", description="of the numbers that it computes with; part of the scores' version"
    )
    batch: int = Field(default=32, ge=1, le=4096, description="crops in one forward pass")
    translations_path: str = Field(
        default="",
        description="prompts in English for a backbone that reads English; empty: what `bestshot translate` writes",
    )


class CalibrateConfig(_Model):
    noise_sd: float = Field(
        default=0.05, gt=0, le=5, description="standard deviation of a leaderboard total beyond its rounding, in points"
    )
    hold_below: float = Field(
        default=0.0055, ge=0, description="`bestshot plan` holds a submission that brings less than this, in points"
    )
    judges: dict[str, Annotated[float, Field(ge=-1, le=1)]] = Field(
        default={}, description="a judge's correlation with the leaderboard within a task, where you know better"
    )


class JudgeConfig(_Model):
    """A vision-language model behind an OpenAI-compatible chat API, asked by ``bestshot score --judge NAME``."""

    base_url: str = Field(description="address of the chat API, ends with /v1")
    model: str = Field(min_length=1, description="the model's name at the server")
    key_env: str = Field(
        default="",
        description="name of the environment variable that holds the key (never the key); empty: the server wants none",
    )
    concurrency: int = Field(default=8, ge=1, le=256, description="requests on their way at once")
    requests_per_minute: float = Field(default=0, ge=0, description="at most so many; 0: as many as go")
    timeout_seconds: float = Field(default=120, gt=0, description="wait so long for an answer")
    max_retries: int = Field(default=5, ge=0, le=20, description="of a request that failed on its way or at the server")
    backoff_seconds: float = Field(default=1, gt=0, le=60, description="first wait before a retry; doubles each time")
    reasks: int = Field(default=2, ge=0, le=10, description="ask again so often when an answer cannot be read")
    repeats: int = Field(default=1, ge=1, le=25, description="ask every question so often; medians count")
    temperature: float | None = Field(default=0, ge=0, le=2, description="above 0 where repeats should differ")
    seed: int | None = Field(default=None, ge=0, description="sent where it is set; repeat i gets seed + i")
    max_tokens: int = Field(default=1024, ge=16, description="of an answer; thinking models need some thousands")
    response_format: Literal["auto", "json_schema", "json_object", "text"] = Field(
        default="auto", description="how the form of the answer is asked for; auto: the strictest that the server takes"
    )
    price_in: float | None = Field(default=None, ge=0, description="money for a million tokens read")
    price_out: float | None = Field(default=None, ge=0, description="money for a million tokens written")
    currency: str = Field(default="", max_length=8, description="of the prices, for display")
    budget: float | None = Field(default=None, gt=0, description="money that this judge may cost in this campaign")


class CampaignConfig(_Model):
    """The whole file. Tables ``[generators.NAME]`` and ``[scorers.NAME]`` are handed to that plug-in as settings."""

    profile: str = Field(description="contest profile: a built-in name, or the path of a profile in TOML")
    team: Team = Field(default="team", description="team name, used in the name of the ZIP")
    seed: int = Field(default=20250701, description="every seed of the campaign derives from this one", ge=0, lt=2**31)
    workers: int = Field(default=2, description="tasks worked on at once", ge=1, le=256)
    store: StoreConfig = Field(default=StoreConfig(), description="where the records are kept")
    generate: GenerateConfig = Field(
        default=GenerateConfig(), description="what `bestshot generate` makes: generator = number of candidates a task"
    )
    score: ScoreConfig = Field(default=ScoreConfig(), description="what `bestshot score` measures")
    embedding: EmbeddingConfig = Field(
        default=EmbeddingConfig(), description="the model that turns pictures and prompts into vectors"
    )
    calibrate: CalibrateConfig = Field(default=CalibrateConfig(), description="how totals and judges are learned from")
    generators: dict[str, dict[str, Any]] = Field(
        default={}, description='settings of generators, for example [generators.folder] path = "finished"'
    )
    scorers: dict[str, dict[str, Any]] = Field(
        default={}, description="settings of scorers, [scorers.NAME]: docs/embedding.md has an example"
    )
    judges: dict[JudgeName, JudgeConfig] = Field(
        default={}, description="models to ask as judges, [judges.NAME]: docs/judge.md"
    )

    @field_validator("judges", mode="before")
    @classmethod
    def _no_secret(cls, judges: Any) -> Any:
        """A rule over the tables, because the message of a rule over a key repeats its value, maybe a secret."""
        for name, table in judges.items() if isinstance(judges, dict) else ():
            fault = _judge_fault(table) if isinstance(table, dict) else None
            if fault:
                raise ValueError(f"judges.{name}: {fault}")
        return judges


def _judge_fault(table: Mapping[str, Any]) -> str | None:
    """What is wrong with the address or the key of a judge, without repeating either."""
    variable = str(table.get("key_env", ""))
    try:
        url = urlsplit(str(table.get("base_url", "http://h")))
        usable = url.scheme in ("http", "https") and bool(url.hostname)
    except ValueError:  # its message may repeat the address
        usable = False
    if not usable:
        return "base_url must be the http(s) address of a chat API, such as http://localhost:8000/v1"
    if url.username or url.password or url.query:
        return "base_url must hold no password or key: name an environment variable in key_env"
    if variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        return "key_env must be the name of an environment variable, not the key itself"
    return None


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


def check_names(config: CampaignConfig) -> None:
    """Raise ``InputError`` for a generator or scorer that is not known here, wherever the file names it."""
    named = {
        "generator": {*config.generators, *(name for t in TaskType for name in config.generate.plan(t))},
        "scorer": {*config.scorers, *config.score.scorers},
    }
    for kind, known in (("generator", generator_names()), ("scorer", scorer_names())):
        for name in sorted(named[kind] - set(known)):
            raise InputError(f"campaign.toml names the {kind} '{name}', which is not known{near_or_all(name, known)}")


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
    judges = {name: judge.model_dump(exclude_defaults=True) for name, judge in config.judges.items()}
    named = {"generators": config.generators, "scorers": config.scorers, "judges": judges}
    for key, plug_ins in named.items():
        lines += [f"# {CampaignConfig.model_fields[key].description}"]
        lines += [] if plug_ins else [f"# {line}" for line in _EXAMPLES.get(key, ())]
        for name, settings in plug_ins.items():
            lines += [f"[{key}.{_key(name)}]", *(f"{_key(k)} = {_toml(v)}" for k, v in settings.items())]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    # A JSON string or number is a TOML one, except for DEL and a lone NaN, which no key here holds.
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
