"""One training loop for all models: fixed seeds, an averaged copy of the weights, checkpoints, and going on from them.

A step is a function of its number alone, so a training that was interrupted ends as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from experiments.closed_world.made_from import readable
from selector.domain.files import replacing

CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True)
class Chance:
    """All randomness of one step; ``numpy`` for data, ``torch`` (on the CPU) for noise."""

    numpy: np.random.Generator
    torch: torch.Generator


Loss = Callable[[int, Chance], torch.Tensor]


@dataclass(frozen=True)
class Plan:
    """How a model is trained.

    Attributes:
        steps: in all; the learning rate rises over the first ``warm_up`` and falls as a cosine to 1% at the end.
        average: of the weights' running mean, 0 to below 1; what is shipped is the mean.
        look_every: steps between two calls of ``look``.
    """

    name: str
    steps: int
    rate: float
    warm_up: int = 100
    average: float = 0.999
    decay: float = 0.01
    seed: int = 0
    look_every: int = 500


def train(
    plan: Plan,
    model: nn.Module,
    loss_at: Loss,
    folder: Path,
    look: Callable[[int, nn.Module], None] | None = None,
    stop_at: int | None = None,
) -> nn.Module:
    """Train ``model`` in place from its last checkpoint on and return the averaged copy of it.

    ``stop_at``: end after this step as if interrupted there. ``InputError`` if the checkpoint cannot be read.
    """
    averaging: Any = get_ema_multi_avg_fn(plan.average)  # type: ignore[no-untyped-call]
    # Weights only: a mask of -inf has no mean. So buffers are the live model's; a BatchNorm's statistics are then those
    # of other weights than the mean ones, by next to nothing at the end, where the rate is down to 1%.
    averaged = AveragedModel(model, multi_avg_fn=averaging)
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.99))
    path = folder / f"{plan.name}.pt"
    first = _resume(path, model, averaged, optimizer, device)
    last = min(plan.steps, stop_at or plan.steps)
    saved = time.monotonic()
    bar = tqdm(range(first, last), desc=plan.name, initial=first, total=plan.steps, disable=None, mininterval=5)
    mean = 0.0
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * _share_of_rate(step, plan)
        with _attention(device):
            with torch.autocast(device.type, torch.bfloat16):
                loss = loss_at(step, _chance(plan, step))
            loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        averaged.update_parameters(model)
        mean += (loss.item() - mean) * max(0.02, 1 / (step - first + 1))
        bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
        if look is not None and (step + 1) % plan.look_every == 0:
            tqdm.write(f"{plan.name} {step + 1}: loss {mean:.4f}")
            look(step + 1, averaged.module)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            _save(path, step + 1, model, averaged, optimizer)
            saved = time.monotonic()
    if last > first:
        _save(path, last, model, averaged, optimizer)
    return averaged.module.eval()


def is_done(plan: Plan, folder: Path) -> bool:
    """Whether the training has come to its end."""
    path = folder / f"{plan.name}.pt"
    if not path.exists():
        return False
    with readable(path):
        return int(torch.load(path, weights_only=True, mmap=True)["step"]) >= plan.steps


def last(plan: Plan, model: nn.Module, folder: Path) -> nn.Module:
    """``model`` with the averaged weights of the last checkpoint."""
    path = folder / f"{plan.name}.pt"
    with readable(path):
        state = torch.load(path, weights_only=True, map_location="cpu")["averaged"]
        inner = {key.removeprefix("module."): value for key, value in state.items() if key.startswith("module.")}
        model.load_state_dict(inner)
    return model.eval()


def _share_of_rate(step: int, plan: Plan) -> float:
    if step < plan.warm_up:
        return (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))


def _attention(device: torch.device) -> AbstractContextManager[None]:
    """On a CPU plain attention: the fused one takes twice as long backwards there (torch 2.15)."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def _chance(plan: Plan, step: int) -> Chance:
    seeds = np.random.SeedSequence([plan.seed, step])
    noise = torch.Generator().manual_seed(int(seeds.generate_state(1)[0]))
    return Chance(np.random.default_rng(seeds), noise)


def _save(path: Path, step: int, model: nn.Module, averaged: Any, optimizer: Any) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "averaged": averaged.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with replacing(path) as stream:
        torch.save(state, stream)


def _resume(path: Path, model: nn.Module, averaged: Any, optimizer: Any, device: torch.device) -> int:
    if not path.exists():
        return 0
    with readable(path):
        state = torch.load(path, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["step"])
