"""Contest profiles: the facts of one contest as data, read from TOML and checked when they are loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from selector.contest.toml_model import parse_toml
from selector.domain import InputError, TaskType
from selector.domain.decisions import DecisionRule
from selector.domain.names import check_name, name_fault, same_file_key
from selector.domain.words import did_you_mean

MAX_ID_BYTES = 100  # of the 255 that file systems give a name: names of files hold more than the id
MAX_TEAM_BYTES = 150


def _placeholders_known(value: str) -> str:
    unknown = set(re.findall(r"\{(\w*)\}", value)) - {"id", "team"}
    if unknown:
        raise ValueError(f"unknown placeholder {{{min(unknown)}}}, the only ones are {{id}} and {{team}}")
    return value


def _filled(template: str) -> str:
    """A template with the longest id and team that there may be."""
    return template.replace("{id}", "x" * MAX_ID_BYTES).replace("{team}", "x" * MAX_TEAM_BYTES)


def _inside_the_archive(value: str) -> str:
    fault = name_fault(_filled(value), folders=True, written=True)
    if fault:
        raise ValueError(f"{fault}; give a relative path inside the ZIP, with forward slashes")
    return value


def _name_of_an_archive(value: str) -> str:
    fault = name_fault(_filled(value), written=True)
    if not fault and not value.lower().endswith(".zip"):
        fault = "does not end in .zip"
    if fault:
        raise ValueError(f"{fault}; give the name of one file, such as '{{team}}_result.zip'")
    return value


Word = Annotated[str, Field(min_length=1)]
Template = Annotated[Word, AfterValidator(_placeholders_known)]  # filled by plain replacement
ArchiveName = Annotated[str, AfterValidator(_name_of_an_archive)]
PathInArchive = Annotated[str, AfterValidator(_inside_the_archive)]
SAME_ASPECT = 0.02  # pipelines round sides to multiples of 16 px: a stretch that nobody sees
SizePx = tuple[Annotated[int, Field(ge=16, le=16384)], Annotated[int, Field(ge=16, le=16384)]]


class Facts(BaseModel):
    """Base of all tables of a profile: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TableFacts(Facts):
    """Column names of the task table that all kinds of tasks share."""

    id_column: Word
    type_column: Word
    prompt_column: Word
    integer_ids: bool


class TaskFacts(Facts):
    """How the contest treats one kind of task. ``source`` and ``reference`` are columns of the task table."""

    word: Word
    prompt: Literal["required", "optional"]
    source: Word | None = None
    reference: Word | None = None
    size: Literal["as_made", "source", "fixed"]
    fallback: Literal["source", "blank"]
    sc: Literal["judge", "face_cosine"]
    sc_parts: tuple[Word, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _pictures_exist(self) -> TaskFacts:
        if "source" in (self.size, self.fallback) and self.source is None:
            raise ValueError(f"task type {self.word!r}: size or fallback 'source' needs the key 'source'")
        if self.sc == "face_cosine" and (self.reference is None or len(self.sc_parts) != 1):
            raise ValueError(f"task type {self.word!r}: sc 'face_cosine' needs the key 'reference' and one sc part")
        return self


class ScoreFacts(Facts):
    """VIEScore as this contest computes it; the arithmetic is in ``selector.contest.score``. Numbers on 0 to 10."""

    high: Literal[10]  # the program's arithmetic is on 0 to 10 throughout
    overall: Literal["sqrt(SC*PQ)"]
    pq_parts: tuple[Word, ...] = Field(min_length=1)
    cosine_scale: float = Field(gt=0, allow_inf_nan=False)
    failed_image: float = Field(ge=0, le=10)
    total: Literal["mean"]
    decimals: int = Field(ge=0, le=10)
    judge: str


class ExportFacts(Facts):
    """The submission's ZIP. ``{id}`` stands for a task's id, ``{team}`` for the team's name; sizes: width, height."""

    archive_name: Annotated[ArchiveName, AfterValidator(_placeholders_known)]
    other_archive_names: tuple[ArchiveName, ...] = ()
    max_bytes: int = Field(gt=0)
    manifest: PathInArchive
    manifest_encoding: Literal["utf-8", "utf-8-sig"]
    manifest_columns: tuple[tuple[Word, Template], ...] = Field(min_length=1)
    image_path: Annotated[PathInArchive, AfterValidator(_placeholders_known)]
    image_format: Literal["jpeg", "png"]
    jpeg_quality: int = Field(default=95, ge=1, le=100)
    jpeg_chroma: Literal["4:4:4"] = "4:4:4"
    fixed_size_px: SizePx | None = None
    max_side_px: int = Field(ge=16, le=16384)
    blank_size_px: SizePx

    @field_validator("image_path")
    @classmethod
    def _differs_by_task(cls, value: str) -> str:
        if "{id}" not in value:
            raise ValueError("must contain {id}, or all tasks would share one file")
        return value

    @field_validator("manifest_columns")
    @classmethod
    def _distinct_headers(cls, value: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if len({header for header, _ in value}) < len(value):
            raise ValueError("two columns have the same header")
        return value

    @model_validator(mode="after")
    def _ends_as_its_format(self) -> ExportFacts:
        endings = {"jpeg": (".jpg", ".jpeg"), "png": (".png",)}[self.image_format]
        if not self.image_path.lower().endswith(endings):
            raise ValueError(
                f"export.image_path ({self.image_path!r}) must end in {' or '.join(endings)}, because "
                f"export.image_format is {self.image_format!r}; change one of them"
            )
        return self

    @model_validator(mode="after")
    def _places_differ(self) -> ExportFacts:
        if self.is_at_the_manifest(_filled(self.image_path)):
            raise ValueError(
                f"export.image_path and export.manifest ({self.manifest!r}) would share a place in the ZIP; change one"
            )
        return self

    def is_at_the_manifest(self, image: str) -> bool:
        """Whether an image at this path of the ZIP would take the manifest's place, or make a folder of its name."""
        one, other = f"{same_file_key(image)}/", f"{same_file_key(self.manifest)}/"
        return one.startswith(other) or other.startswith(one)

    def archive_file(self, team: str) -> str:
        """The file name of a team's ZIP; raises ``InputError`` when it would be none."""
        cure = "change export.archive_name in the profile, or the team"
        return check_name(self.archive_name.replace("{team}", team), "the ZIP's name", cure, written=True)


class QuotaFacts(Facts):
    """How many submissions a calendar day of ``time_zone`` may see; ``selector.contest.quota`` computes with it."""

    per_day: int = Field(ge=1)
    time_zone: Word
    counts: Literal["best"]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("unknown time zone (IANA names; if it exists, `pip install tzdata`)") from error
        return value


class RuleFacts(Facts):
    """What the contest allows and demands of the team."""

    human_ratings: bool
    reproducible: bool
    learn_from_totals: bool = True
    decisions: DecisionRule = DecisionRule.EXCLUSIONS

    @model_serializer(mode="wrap")
    def _as_ever(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without later keys that say nothing new: campaigns are known by the hash of their profile."""
        facts: dict[str, Any] = handler(self)
        if self.learn_from_totals:
            del facts["learn_from_totals"]
        if self.decisions is DecisionRule.EXCLUSIONS:
            del facts["decisions"]
        return facts


class ContestProfile(Facts):
    """All facts of one contest. Load one with :func:`load_profile`; each key is explained in the TOML files."""

    name: Word
    title: str
    last_day: date | None = None
    table: TableFacts
    task_types: Mapping[TaskType, TaskFacts] = Field(min_length=1)
    score: ScoreFacts
    export: ExportFacts
    quota: QuotaFacts
    rules: RuleFacts

    @model_validator(mode="after")
    def _consistent(self) -> ContestProfile:
        words = [facts.word for facts in self.task_types.values()]
        if len(set(words)) < len(words):
            raise ValueError("task_types: two of them have the same word")
        if any(facts.size == "fixed" for facts in self.task_types.values()) and self.export.fixed_size_px is None:
            raise ValueError("size 'fixed' needs the key 'export.fixed_size_px'")
        return self

    @property
    def totals_rule(self) -> str:
        """Where the contest allows no learning from its totals, a line that says so and what follows; else ""."""
        if self.rules.learn_from_totals:
            return ""
        return (
            f"the rules of {self.name} allow no learning from leaderboard totals (learn_from_totals = false): they are "
            "only recorded, and estimates rest on scores and judgements alone"
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the task table must have, in the order in which the profile names them."""
        names = [self.table.id_column, self.table.type_column, self.table.prompt_column]
        for facts in self.task_types.values():
            names += [column for column in (facts.source, facts.reference) if column]
        return tuple(dict.fromkeys(names))

    def output_size_px(
        self, task_type: TaskType, made: tuple[int, int], source: tuple[int, int] | None
    ) -> tuple[int, int]:
        """(width, height) of the final image, from the size as made and that of the source picture.

        Follows the size rule of the task type, then shrinks in proportion what exceeds ``export.max_side_px``. The rule
        "source" never changes proportions: what was turned or cropped keeps its own, and at most the source's area.
        """
        rule = self.task_types[task_type].size
        size = made
        if rule == "fixed" and self.export.fixed_size_px is not None:
            size = self.export.fixed_size_px
        if rule == "source" and source is not None:
            size = source if same_aspect(made, source) else _within_area(made, source)
        scale = min(1.0, self.export.max_side_px / max(size))
        return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def same_aspect(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes in px have the same width : height, but for ``SAME_ASPECT``."""
    return abs(math.log(one[0] * other[1] / (one[1] * other[0]))) <= math.log1p(SAME_ASPECT)


def _within_area(made: tuple[int, int], source: tuple[int, int]) -> tuple[int, int]:
    """``made`` shrunk to the area of ``source``; not enlarged, which would blur the pixels of a crop."""
    scale = min(1.0, math.sqrt(source[0] * source[1] / (made[0] * made[1])))
    return round(made[0] * scale), round(made[1] * scale)


def profile_names() -> tuple[str, ...]:
    """Names of the built-in profiles, sorted."""
    folder = resources.files("selector") / "profiles"
    return tuple(sorted(entry.name[: -len(".toml")] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_profile(name_or_path: str | Path) -> ContestProfile:
    """A built-in profile by its name, or one's own by the path of its TOML file.

    Raises:
        InputError: no such profile or file, or its content is wrong; the message names the key.
    """
    if isinstance(name_or_path, str) and name_or_path in profile_names():
        return _built_in(name_or_path)
    path = Path(name_or_path)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        known = profile_names()
        hint = did_you_mean(str(name_or_path), known) or f"; built in are {', '.join(known)}"
        raise InputError(f"no contest profile or readable TOML file '{name_or_path}'{hint}") from error
    return parse_toml(data, ContestProfile, str(path))


@lru_cache(maxsize=16)
def _built_in(name: str) -> ContestProfile:
    data = (resources.files("selector") / "profiles" / f"{name}.toml").read_bytes()
    return parse_toml(data, ContestProfile, f"built-in profile {name}")
