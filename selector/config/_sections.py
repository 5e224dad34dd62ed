"""The tables of ``campaign.toml`` about the store, scores, embeddings, calibration, judges and services."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from selector.contest.toml_model import validate
from selector.net.service import Service

MOST_PASSES = 25  # of a judge over one candidate
_RAY_ADDRESS = re.compile(r"(?:ray://)?\[?([^\[\]/\s]+?)\]?:(\d{1,5})")


class Section(BaseModel):
    """A table of the file: unknown keys are errors, and nothing changes it once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def address_fault(base_url: str, variable: str, example: str) -> str | None:
    """What is wrong with the address of a server, or with the variable of its key, without repeating either."""
    try:
        url = urlsplit(base_url)
        usable = url.scheme in ("http", "https") and bool(url.hostname)
    except ValueError:  # its message may repeat the address
        usable = False
    if not usable:
        return f"base_url must be an http(s) address, such as {example}"
    if url.username or url.password or url.query:
        return "base_url must hold no password or key: name an environment variable in key_env"
    if variable and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        return "key_env must be the name of an environment variable, not the key itself"
    return None


class StoreConfig(Section):
    url: str = Field(
        default="",
        description="SQLAlchemy URL of the database; empty: campaign.db in this folder. A team can share a PostgreSQL.",
    )
    campaign: str = Field(
        default="",
        pattern=r"^[0-9a-f]{0,64}$",
        description="the campaign's id in the database; `bestshot init` writes it, it is not to be changed",
    )
    images: str = Field(
        default="",
        description="where the images lie: a folder, or an address such as s3://bucket/prefix; empty: images/ in here",
    )
    cache_mb: int = Field(
        default=4000, ge=16, description="megabytes of images kept in this folder where they lie at an address"
    )
    scores: Literal["rows", "columns"] = Field(
        default="rows",
        description="how scores are stored: in the database, or beside it as Parquet files: docs/scaling.md says when",
    )


class EngineConfig(Section):
    name: Literal["local", "ray"] = Field(
        default="local", description="where `score` and local pipelines work: in this process, or as a Ray program"
    )
    address: str = Field(default="", description="of a Ray cluster that runs; empty: `ray` starts one on this machine")
    workers: int = Field(
        default=0, ge=0, le=4096, description="processes a model; 0: as many as the cluster has room for"
    )
    gpus: float = Field(
        default=0.0, ge=0.0, le=64.0, description="GPUs of one such process; a share lets several share one"
    )
    batch: int = Field(default=0, ge=0, le=4096, description="candidates in a batch; 0: as the model likes it")
    max_in_flight: int = Field(default=2, ge=1, le=64, description="batches on their way to one process")

    @field_validator("address")
    @classmethod
    def _usable(cls, address: str) -> str:
        if address not in ("", "auto") and not _place_of(address):
            raise ValueError("must be HOST:PORT or ray://HOST:PORT of a Ray cluster, or auto")
        return address

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port of the cluster; None where the address names none."""
        return _place_of(self.address)

    def chosen(self, name: str | None = None, address: str | None = None) -> EngineConfig:
        """These settings with another engine or address; an address alone means Ray. Raises ``InputError``."""
        own = {"name": name or ("ray" if address else None), "address": address}
        given = {key: value for key, value in own.items() if value is not None}
        return validate({**self.model_dump(), **given}, EngineConfig, "[engine]")


def _place_of(address: str) -> tuple[str, int] | None:
    found = _RAY_ADDRESS.fullmatch(address)
    return (found[1], int(found[2])) if found and int(found[2]) < 2**16 else None


class ScoreConfig(Section):
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


class EmbeddingConfig(Section):
    model: str = Field(
        default="ViT-L-14", description="the backbone of the scorers that share one: a model of open_clip, or embedded"
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


class CalibrateConfig(Section):
    noise_sd: float = Field(
        default=0.05, gt=0, le=5, description="standard deviation of a leaderboard total beyond its rounding, in points"
    )
    hold_below: float = Field(
        default=0.0055, ge=0, description="`bestshot plan` holds a submission that brings less than this, in points"
    )
    judges: dict[str, Annotated[float, Field(ge=-1, le=1)]] = Field(
        default={}, description="a judge's correlation with the leaderboard within a task, where you know better"
    )
    scores: dict[str, Annotated[float, Field(ge=-1, le=1)]] = Field(
        default={},
        description='the same of a score, "scorer.column" = correlation, where you have measured it',
    )


class JudgeConfig(Section):
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
    repeats: int = Field(
        default=1, ge=1, le=MOST_PASSES, description="passes over a candidate that is asked about; their mean counts"
    )
    temperature: float | None = Field(default=0, ge=0, le=2, description="above 0 where passes should differ")
    seed: int | None = Field(default=None, ge=0, description="sent where it is set; repeat i gets seed + i")
    max_tokens: int = Field(default=1024, ge=16, description="of an answer; thinking models need some thousands")
    response_format: Literal["auto", "json_schema", "json_object", "text"] = Field(
        default="auto", description="how the form of the answer is asked for; auto: the strictest that the server takes"
    )
    price_in: float | None = Field(default=None, ge=0, description="money for a million tokens read")
    price_out: float | None = Field(default=None, ge=0, description="money for a million tokens written")
    currency: str = Field(default="", max_length=8, description="of the prices, for display")
    budget: float | None = Field(default=None, gt=0, description="money that this judge may cost in this campaign")

    @property
    def is_priced(self) -> bool:
        """Whether it is known what a call costs."""
        return self.price_in is not None and self.price_out is not None

    @property
    def is_free(self) -> bool:
        """Whether a call is known to cost nothing, as of a model of one's own."""
        return self.price_in == 0 and self.price_out == 0


class ServiceConfig(Section):
    """One account; all generators that name it share its limits."""

    base_url: str | None = Field(default=None, description="address of the service; regions differ")
    key_env: str | None = Field(default=None, description="name of the environment variable that holds the key")
    key_path: str | None = Field(default=None, description="or a file outside this folder that holds nothing else")
    running: int | None = Field(default=None, ge=1, le=1024, description="jobs under way at once")
    submits_per_second: float | None = Field(default=None, ge=0, description="0: as many as go")
    polls_per_second: float | None = Field(default=None, ge=0, description="questions for running jobs; 0: no limit")
    downloads: int | None = Field(default=None, ge=1, le=256, description="downloads at once from a host")
    timeout_seconds: float | None = Field(default=None, gt=0, description="of one request")
    job_seconds: float | None = Field(default=None, gt=0, description="wait so long for one job")
    max_retries: int | None = Field(default=None, ge=0, le=20, description="of a request that failed on its way")
    backoff_seconds: float | None = Field(default=None, gt=0, le=60, description="first wait; doubles each time")
    budget: float | None = Field(default=None, gt=0, description="money that it may cost in this campaign")
    currency: str | None = Field(default=None, max_length=8, description="of budget and prices")
    prices: dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        default=None, description="money for an image, by model"
    )

    def over(self, usual: Service) -> Service:
        """The usual service with what is set here."""
        from dataclasses import replace

        given = {k: v for k, v in self.model_dump().items() if v is not None}
        if "key_path" in given:
            given.setdefault("key_env", "")
        elif "key_env" in given:
            given["key_path"] = ""
        return replace(usual, **given)
