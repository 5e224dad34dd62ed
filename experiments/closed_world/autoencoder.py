"""The autoencoder of the text-to-image model: 64 x 64 pixels to 16 x 16 latents of 4 channels and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from experiments.closed_world.training import Chance, Loss, Plan
from selector.demo.closed_world.render import Pixels

CHANNELS = 4
KL_WEIGHT = 1e-5
BATCH = 32
PLAN = Plan("autoencoder", steps=1700, rate=3e-3, average=0.995)


def build() -> Any:
    """An untrained ``AutoencoderKL``."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(24, 32, 48),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=CHANNELS,
        sample_size=64,
    )


def loss_of(model: Any, pictures: Pixels) -> Loss:
    """Absolute error, more where there is colour (shapes are a small share of the pixels), and a little KL."""

    def loss_at(step: int, chance: Chance) -> torch.Tensor:
        del step
        rows = chance.numpy.integers(len(pictures), size=BATCH)
        wanted = to_values(pictures[rows]).to(next(model.parameters()).device)
        posterior = model.encode(wanted).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=chance.torch).to(wanted.device)
        made = model.decode(posterior.mean + posterior.std * noise).sample.float()
        colour = (wanted.amax(1, keepdim=True) - wanted.amin(1, keepdim=True)) / 2
        weight = 1 + 3 * nn.functional.max_pool2d(colour, 3, 1, 1)
        error = (made - wanted).abs() + (made - wanted) ** 2
        loss: torch.Tensor = (weight * error).mean() + KL_WEIGHT * posterior.kl().mean()
        return loss

    return loss_at


def to_values(pictures: Pixels) -> torch.Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float32, -1 to 1."""
    return torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(values: torch.Tensor) -> Pixels:
    """(n, 3, h, w), -1 to 1, to (n, h, w, 3) uint8."""
    scaled = ((values.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    pixels: Pixels = scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels


@torch.no_grad()
def rebuilt(model: Any, pictures: Pixels, batch: int = 64) -> Pixels:
    """The pictures through the autoencoder."""
    import numpy as np

    device = next(model.parameters()).device
    parts = []
    for first in range(0, len(pictures), batch):
        with torch.autocast(device.type, torch.bfloat16):
            latents = model.encode(to_values(pictures[first : first + batch]).to(device)).latent_dist.mean
            parts.append(to_pixels(model.decode(latents).sample))
    return np.concatenate(parts)
