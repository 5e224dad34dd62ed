"""Trains the two models of the closed world, from nothing to the folders that ship with bestshot.

    python -m experiments.closed_world.train --work WORK --out OUT
    python -m experiments.closed_world.train --work WORK --out OUT --only embedder

Stages: tokenizer, pictures, autoencoder, reader (the text encoder learns to read), painter (the UNet), lessons,
embedder. Each goes on where it was interrupted; what is done is not done again. WORK takes some GB; in it lie
checkpoints and sample sheets (PNG). Fixed seeds: the same steps in the same order, though not the same bits on another
machine. On two cores with bfloat16 about two hours; a GPU is used where there is one.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from experiments.closed_world import autoencoder, embedder, folders, painter, pictures, reader, watching, words
from experiments.closed_world.lessons import Lessons, lessons
from experiments.closed_world.training import Plan, is_done, last, train


@dataclass(frozen=True)
class Size:
    """How much is trained: ``steps`` of every model, None for each one's own."""

    pictures: int = 60_000
    families: int = 9_000
    steps: int | None = None
    stop_at: int | None = None


class Training:
    """All stages in one place; each part is made once and knows what it needs."""

    def __init__(self, work: Path, size: Size, device: torch.device) -> None:
        self.work, self.size, self.device = work, size, device
        self.workers = os.cpu_count() or 1

    @cached_property
    def tokenizer(self) -> Any:
        folder = self.work / "tokenizer"
        made = (folder / "tokenizer_config.json").exists()
        return words.load_tokenizer(folder) if made else words.make_tokenizer(folder)

    @cached_property
    def pictures(self) -> Any:
        return pictures.drawn(self.work / "pictures.npy", self.size.pictures, self.workers)

    @cached_property
    def lessons(self) -> Lessons:
        return lessons(self.work / "lessons", self.size.families, self.workers)

    @cached_property
    def autoencoder(self) -> Any:
        model = self._new(autoencoder.build)
        look = watching.of_autoencoder(self.work)
        return self._trained(autoencoder.PLAN, model, lambda: autoencoder.loss_of(model, self.pictures), look)

    @cached_property
    def reader(self) -> Any:
        model = self._new(lambda: reader.Reader(reader.build(self.tokenizer)))
        look = watching.of_reader(self.tokenizer)
        return self._trained(reader.PLAN, model, lambda: reader.loss_of(model, self.tokenizer), look)

    @cached_property
    def latents(self) -> torch.Tensor:
        return painter.encoded(self.autoencoder, self.pictures, self.work / "latents.pt")

    @cached_property
    def painter(self) -> Any:
        text_encoder = self.reader.text_encoder
        model = self._new(lambda: painter.Painter(painter.build(), text_encoder))
        look = watching.of_painter(self.work, self.pipeline_of)
        return self._trained(
            painter.PLAN, model, lambda: painter.loss_of(model, self.tokenizer, self.latents * self.scale), look
        )

    @cached_property
    def embedder(self) -> Any:
        text_encoder = self.reader.text_encoder
        model = self._new(lambda: embedder.Embedder(embedder.build(self.tokenizer, text_encoder)))
        look = watching.of_embedder(self.tokenizer)
        return self._trained(embedder.PLAN, model, lambda: embedder.loss_of(model, self.tokenizer, self.lessons), look)

    @property
    def scale(self) -> float:
        return painter.scaling(self.latents)

    def pipeline_of(self, made: Any) -> Any:
        return folders.pipeline_of(self.autoencoder, made.text_encoder, self.tokenizer, made.unet, self.scale)

    def write_painter(self, out: Path) -> Path:
        return folders.write_pipeline(self.pipeline_of(self.painter), out / "text_to_image")

    def write_embedder(self, out: Path) -> Path:
        architecture = embedder.configuration(len(self.tokenizer))
        clip, tokenizer = self.embedder.clip, self.work / "tokenizer"
        return folders.write_embedding(clip, architecture, tokenizer, out / "embedding")

    def _new(self, build: Callable[[], Any]) -> Any:
        torch.manual_seed(0)
        return build().to(self.device)

    def _trained(self, plan: Plan, model: Any, loss: Callable[[], Any], look: Any) -> Any:
        plan = replace(plan, steps=self.size.steps or plan.steps)
        if is_done(plan, self.work):
            return last(plan, model, self.work)
        return train(plan, model, loss(), self.work, look, self.size.stop_at)


STAGES = ("tokenizer", "pictures", "autoencoder", "reader", "latents", "painter", "lessons", "embedder")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(os.cpu_count() or 1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    size = Size(options.pictures, options.families, options.steps)
    training = Training(options.work, size, device)
    try:
        for stage in [options.only] if options.only else STAGES:
            getattr(training, stage)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on, at most a minute of it is done again")
        return 130
    if options.only in (None, "painter"):
        _say(training.write_painter(options.out))
    if options.only in (None, "embedder"):
        _say(training.write_embedder(options.out))
    return 0


def _say(folder: Path) -> None:
    print(f"{folder}: {folders.megabytes(folder):.2f} MB")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m experiments.closed_world.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--work", type=Path, required=True, help="folder for pictures, checkpoints and sample sheets")
    made.add_argument("--out", type=Path, required=True, help="folder that gets text_to_image/ and embedding/")
    made.add_argument("--only", choices=STAGES, help="one stage, and what it needs")
    made.add_argument("--steps", type=int, help="of every model, instead of each one's own")
    made.add_argument("--pictures", type=int, default=Size.pictures, help="that autoencoder and painter learn from")
    made.add_argument("--families", type=int, default=Size.families, help="of scenes that the embedder learns from")
    return made


if __name__ == "__main__":
    raise SystemExit(main())
