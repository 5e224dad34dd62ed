"""``[generate]``: for every task type an ordered plan of attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from selector.config._sections import Section
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

    def fault(self) -> str:
        """Where it contradicts itself, and the cure; empty where it does not."""
        given = len(self.seeds) * len(self.prompts)
        for name, values in (("prompts", self.prompts), ("finishes", self.finishes), ("seeds", self.seeds)):
            if len(set(values)) < len(values):
                return f"{name} names something twice"
        if self.reserve:
            return "a reserve makes what others were refused: leave out n and seeds" if self.n else ""
        if self.seeds and self.n != given:
            more = "more" if self.n > given else "fewer"
            return f"n = {self.n} is {more} than the {given} that exactly these seeds and prompts give: leave out n"
        if not self.model_fields_set & {"n", "seeds"}:
            return "it does not say how many images to make: add n = 4, say (or seeds, or reserve = true)"
        if 0 < self.n < len(self.prompts):
            return f"n = {self.n} is fewer than its {len(self.prompts)} prompt styles, which share them: raise n"
        return ""


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
    def _makes_sense(cls, steps: Steps, info: ValidationInfo) -> Steps:
        """A rule over the table, because that of a step would not know whose it is."""
        first = next(iter(steps.values()), None)
        if first is not None and first.reserve:
            raise ValueError("the first generator of a plan cannot be a reserve: nothing comes before it")
        for name, step in steps.items():
            if fault := step.fault():
                raise ValueError(f"generate.{info.field_name}.{name}: {fault}")
        return steps

    def steps(self, task_type: TaskType) -> tuple[Step, ...]:
        """The plan of one task type, in its order; steps that make nothing are left out."""
        table: Steps = getattr(self, task_type.value)
        return tuple(
            Step(name, own.n, own.reserve, tuple(own.prompts), tuple(own.finishes), tuple(own.seeds))
            for name, own in table.items()
            if own.n or own.reserve
        )
