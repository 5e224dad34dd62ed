"""``[generate]``: for every task type an ordered plan of attempts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from selector.config.section import Section
from selector.domain import TaskType

AS_IS = "as_is"


class StepConfig(Section):
    """One generator's part in a plan; a bare number is ``{ n = number }``."""

    n: Annotated[int, Field(ge=0, le=10_000)] = Field(default=0, description="candidates a task, before finishes")
    reserve: bool = Field(default=False, description="asked only for what the generators before it were refused")
    prompts: list[str] = Field(default=[AS_IS], min_length=1, description="prompt styles that share the candidates")
    finishes: list[str] = Field(default=[], description="post-processing: each gives one more candidate an image")
    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(
        default=[], description="exactly these seeds; empty: those that follow from the campaign's"
    )

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, values: Any) -> Any:
        if isinstance(values, (int, float, str)):
            return {"n": values}
        if isinstance(values, dict) and "n" not in values and isinstance(values.get("seeds"), list):
            return {**values, "n": len(values["seeds"]) * len(values.get("prompts") or [AS_IS])}
        return values

    @model_validator(mode="after")
    def _makes_sense(self) -> StepConfig:
        if self.reserve and self.n:
            raise ValueError("a reserve makes what others were refused: leave out n and seeds")
        if self.seeds and self.n > len(self.seeds) * len(self.prompts):
            raise ValueError("n is more than the seeds and prompts give")
        for name, values in (("prompts", self.prompts), ("finishes", self.finishes), ("seeds", self.seeds)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names something twice")
        return self


@dataclass(frozen=True)
class Step:
    """A generator's place in the plan of a task type: see ``StepConfig``."""

    generator: str
    n: int
    reserve: bool = False
    prompts: tuple[str, ...] = (AS_IS,)
    finishes: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()


Steps = dict[str, StepConfig]


class GenerateConfig(Section):
    """Candidates of each task: for every task type generators in the order in which refusals fall through."""

    t2i: Steps = Field(
        default={},
        description="text to image: generator = number of candidates a task, or a table (docs/generating.md)",
    )
    tie: Steps = Field(default={"retouch": StepConfig(n=8)}, description="edits of a scene")
    vttie: Steps = Field(default={"textedit": StepConfig(n=8)}, description="edits of the text in an image")
    deepfake: Steps = Field(default={"faceswap": StepConfig(n=8)}, description="face swaps")
    prompt_writer: str = Field(
        default="", description="table of [judges.NAME] whose model writes translated and rewritten prompts"
    )

    @field_validator("t2i", "tie", "vttie", "deepfake")
    @classmethod
    def _reserve_not_first(cls, steps: Steps) -> Steps:
        first = next(iter(steps.values()), None)
        if first is not None and first.reserve:
            raise ValueError("the first generator of a plan cannot be a reserve: nothing comes before it")
        return steps

    def steps(self, task_type: TaskType) -> tuple[Step, ...]:
        """The plan of one task type, in its order; steps that make nothing are left out."""
        return tuple(_steps(getattr(self, task_type.value)))


def _steps(table: Steps) -> Iterator[Step]:
    for name, given in table.items():
        if given.n or given.reserve:
            yield Step(name, given.n, given.reserve, tuple(given.prompts), tuple(given.finishes), tuple(given.seeds))
