"""What a pool holds: its makers, its scorers, and whose models they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from generators.diffusers_pipeline import DiffusersPipeline
from selector.domain.embedding import EmbeddingSettings
from selector.sight.embedded import CORRELATIONS
from selector.sight.embedding.openclip import backbone_of

SCORERS = (
    "artefacts",
    "clip_direction",
    "clip_similarity",
    "gate",
    "preservation",
    "prompt_contrast",
    "seams",
    "spatial",
    "technical",
)
OF_EMBEDDING = ("clip_direction", "clip_similarity", "prompt_contrast", "spatial")
# Correlations with VIEScore within a task, as a team would measure them before a contest, on pictures of its own:
# `python -m experiments.play --measure --pool-seed 1 --prompts 24 --edits 24`, the strongest, rounded down. They were
# measured against the very judge that the leaderboard simulates: `--untold` plays without them.
MEASURED_ON = 1  # seed of that pool
MEASURED = {
    **CORRELATIONS,
    "clip_direction.direction": 0.7,
    "preservation.edit_visible": 0.5,
}
# The same model under four settings: a skill each, and each with its own kind of fault.
PIPELINES: Mapping[str, Mapping[str, Any]] = {
    "unguided": {"guidance_scale": 1.0, "steps": 20},
    "hasty": {"guidance_scale": 4.0, "steps": 6},
    "guided": {"guidance_scale": 4.0, "steps": 20},
    "forced": {"guidance_scale": 9.0, "steps": 20},
}
TEAM = "play"


@dataclass(frozen=True)
class PoolPlan:
    """What a pool holds.

    ``each``: pictures of a task by each maker. ``model``: a folder in diffusers' format instead of the embedded model.
    ``stand_in``: simulated generators, no pipeline. ``embedding``: the table ``[embedding]``. ``measured``: what
    a team knows of its scores before the contest, ``[calibrate] scores``; no picture and no score depends on it.
    """

    prompts: int = 80
    edits: int = 40
    each: int = 2
    days: int = 14
    seed: int = 0
    stand_in: bool = False
    model: str = ""
    scorers: tuple[str, ...] = SCORERS
    measured: Mapping[str, float] = field(default_factory=lambda: dict(MEASURED))
    embedding: Mapping[str, Any] = field(default_factory=lambda: {"model": "embedded"})

    def without_embedding(self) -> PoolPlan:
        """The same without what looks at pictures through an embedding."""
        return replace(self, scorers=tuple(name for name in self.scorers if name not in OF_EMBEDDING))

    def untold(self) -> PoolPlan:
        """The same for a team that has measured none of its scores: the tool's general prior is all it begins with."""
        return replace(self, measured={})

    @property
    def config(self) -> dict[str, Any]:
        """``campaign.toml`` of every game; the pool has the same makers and scorers."""
        made: dict[str, Any] = {"tie": {}, "vttie": {}, "deepfake": {}}
        generators: dict[str, Any] = {}
        if not self.stand_in:
            made["t2i"] = dict.fromkeys(PIPELINES, self.each)
            generators = {name: {"kind": "diffusers", **self._weights, **how} for name, how in PIPELINES.items()}
        return {
            "team": TEAM,
            "seed": 20300301 + self.seed,
            "generate": made,
            "generators": generators,
            "score": {"scorers": list(self.scorers)},
            "embedding": dict(self.embedding),
            "calibrate": {"scores": dict(self.measured)},
        }

    @property
    def facts(self) -> dict[str, Any]:
        """All that pictures and scores of a pool depend on, but for the content of the models."""
        return {name: value for name, value in vars(self).items() if name != "measured"}

    @property
    def models(self) -> dict[str, str]:
        """Whose pictures and vectors a pool has, by content: another model in the same place is another name.

        Raises:
            MissingPart: the model that is to draw, or a package that it needs, is not here.
        """
        found = {}
        if self.prompts and not self.stand_in:
            pipeline = DiffusersPipeline(**self._weights)
            pipeline.check()
            found["text to image"] = pipeline.version
        if set(self.scorers) & set(OF_EMBEDDING):
            found["embedding"] = backbone_of(EmbeddingSettings(**self.embedding)).space or "absent"
        return found

    @property
    def _weights(self) -> dict[str, Any]:
        return {"model_path": self.model} if self.model else {"preset": "embedded"}
