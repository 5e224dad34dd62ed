"""All training stages in one place: each is made once, and knows what it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from experiments.closed_world import (
    autoencoder,
    denoiser,
    embedder,
    embedder_losses,
    folders,
    monitoring,
    pictures,
    text_encoder,
)
from experiments.closed_world.dataset import Dataset, dataset
from experiments.closed_world.made_from import (
    BUILDS_ON,
    FILES,
    Facts,
    Size,
    fingerprint,
    needed_for,
    note,
    refuse_others,
    rename_former,
)
from experiments.closed_world.training import Plan, is_done, last, train
from selector.domain import InputError


class Training:
    """Every stage is an attribute, made or read back when it is first asked for.

    Raises:
        InputError: what lies in ``work`` was made from something else, or cannot be read; the size is too small.
    """

    def __init__(self, work: Path, size: Size, device: torch.device) -> None:
        self.work, self.size, self.device = work, size, device
        self.workers = os.cpu_count() or 1
        _check(size)
        rename_former(work)

    def file(self, stage: str) -> Path:
        """What is there once the stage has been made, or begun."""
        return self.work / FILES[stage]

    def made_from(self, stage: str) -> Facts:
        """The stage's own numbers, and the fingerprints of those that it builds on."""
        others = {name: fingerprint(self.made_from(name)) for name in BUILDS_ON[stage]}
        return {**_OWN[stage](self.size), **others}

    def refuse_others(self, stages: Iterable[str]) -> None:
        """All stages at once that are needed for these: nobody should find the third stale after the second's hours."""
        needed = [name for stage in stages for name in needed_for(stage)]
        refuse_others({self.file(stage): self.made_from(stage) for stage in needed})

    @cached_property
    def tokenizer(self) -> Any:
        folder = self.work / "tokenizer"
        made = (folder / "tokenizer_config.json").exists()
        return text_encoder.load_tokenizer(folder) if made else text_encoder.make_tokenizer(folder)

    @cached_property
    def pictures(self) -> Any:
        return pictures.drawn(self._begun("pictures"), self.size.pictures, self.workers)

    @cached_property
    def dataset(self) -> Dataset:
        return dataset(self._begun("dataset").parent, self.size.families, self.workers)

    @cached_property
    def autoencoder(self) -> Any:
        model = self._new(autoencoder.build)
        look = monitoring.of_autoencoder(self.work)
        return self._trained(autoencoder.PLAN, model, lambda: autoencoder.loss_of(model, self.pictures), look)

    @cached_property
    def text_encoder(self) -> Any:
        model = self._new(lambda: text_encoder.TextEncoderWithHeads(text_encoder.build(self.tokenizer)))
        look = monitoring.of_text_encoder(self.tokenizer)
        return self._trained(text_encoder.PLAN, model, lambda: text_encoder.loss_of(model, self.tokenizer), look)

    @cached_property
    def latents(self) -> torch.Tensor:
        return denoiser.encoded(self.autoencoder, self.pictures, self._begun("latents"))

    @cached_property
    def denoiser(self) -> Any:
        text_encoder = self.text_encoder.text_encoder
        model = self._new(lambda: denoiser.Denoiser(denoiser.build(), text_encoder))
        look = monitoring.of_denoiser(self.work, self.pipeline_of)
        return self._trained(
            denoiser.PLAN, model, lambda: denoiser.loss_of(model, self.tokenizer, self.latents * self.scale), look
        )

    @cached_property
    def embedder(self) -> Any:
        text_encoder = self.text_encoder.text_encoder
        model = self._new(lambda: embedder.Embedder(embedder.build(self.tokenizer, text_encoder)))
        look = monitoring.of_embedder(self.tokenizer)
        return self._trained(
            embedder_losses.PLAN, model, lambda: embedder_losses.loss_of(model, self.tokenizer, self.dataset), look
        )

    @property
    def scale(self) -> float:
        return denoiser.scaling(self.latents)

    def pipeline_of(self, made: Any) -> Any:
        return folders.pipeline_of(self.autoencoder, made.text_encoder, self.tokenizer, made.unet, self.scale)

    def write_denoiser(self, out: Path) -> Path:
        return folders.write_pipeline(self.pipeline_of(self.denoiser), out / "text_to_image")

    def write_embedder(self, out: Path) -> Path:
        architecture = embedder.configuration(len(self.tokenizer))
        clip, tokenizer = self.embedder.clip, self.work / "tokenizer"
        return folders.write_embedding(clip, architecture, tokenizer, out / "embedding")

    def _begun(self, stage: str) -> Path:
        """The stage's file; from here on it is said what it is made from."""
        self.refuse_others([stage])
        made = self.file(stage)
        if not made.exists():
            note(made, self.made_from(stage))
        return made

    def _new(self, build: Callable[[], Any]) -> Any:
        torch.manual_seed(0)
        return build().to(self.device)

    def _trained(self, plan: Plan, model: Any, loss: Callable[[], Any], look: Any) -> Any:
        self._begun(plan.name)
        plan = replace(plan, steps=self.size.steps or plan.steps)
        if is_done(plan, self.work):
            return last(plan, model, self.work)
        return train(plan, model, loss(), self.work, look, self.size.stop_at)


def _of_plan(plan: Plan, size: Size, *batch: int) -> Facts:
    """What decides the weights: all of the plan but what is only looked at."""
    numbers = {key: value for key, value in asdict(plan).items() if key not in ("name", "look_every")}
    return {**numbers, "steps": size.steps or plan.steps, "batch": list(batch)}


_OWN: dict[str, Callable[[Size], Facts]] = {
    "pictures": lambda size: {"pictures": size.pictures},
    "autoencoder": lambda size: _of_plan(autoencoder.PLAN, size, autoencoder.BATCH),
    "text_encoder": lambda size: _of_plan(text_encoder.PLAN, size, text_encoder.BATCH),
    "latents": lambda _: {},
    "denoiser": lambda size: _of_plan(denoiser.PLAN, size, denoiser.BATCH),
    "dataset": lambda size: {"families": size.families},
    "embedder": lambda size: _of_plan(
        embedder_losses.PLAN, size, embedder_losses.FAMILIES, embedder_losses.WINDOWS
    ),
}  # fmt: skip


def _check(size: Size) -> None:
    families, pictures_needed = embedder_losses.FAMILIES + embedder_losses.WINDOWS, denoiser.BATCH
    if size.steps is not None and size.steps < 1:
        raise InputError(f"--steps: expected at least 1, got {size.steps}")
    if size.pictures < pictures_needed:
        raise InputError(f"--pictures: expected at least {pictures_needed}, a batch, got {size.pictures}")
    if size.families < families:
        raise InputError(f"--families: expected at least {families}, a batch, got {size.families}")
