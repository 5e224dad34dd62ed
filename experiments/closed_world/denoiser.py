"""The UNet of the text-to-image model, trained in the autoencoder's latents. The text encoder stays as it is.

Velocity prediction (Salimans & Ho 2022) with a schedule that ends in pure noise (Lin et al. 2023): the picture's mean
brightness, here the background, is then the model's choice and not the noise's. A text encoder that was trained along
forgot within minutes what it had read of left and right: the pictures' loss hardly asks for it at first.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from experiments.closed_world.autoencoder import CHANNELS, to_values
from experiments.closed_world.made_from import readable
from experiments.closed_world.text_encoder import WIDTH, token_ids
from experiments.closed_world.training import Chance, Loss, Plan
from selector.demo.closed_world.render import Pixels
from selector.demo.closed_world.scene import LANGUAGES, caption, scene_at
from selector.domain.files import replacing

LATENT_SIDE = 16
BATCH = 64
WITHOUT_WORDS = 0.1  # the share of captions left out, for classifier-free guidance (Ho & Salimans 2022)
PLAN = Plan("denoiser", steps=4000, rate=8e-4, warm_up=300, average=0.998, look_every=1000)


class Denoiser(nn.Module):
    """The UNet, which is trained, and the text encoder, which can read already and is not."""

    def __init__(self, unet: Any, text_encoder: Any) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = copy.deepcopy(text_encoder).requires_grad_(False)


def build() -> Any:
    """An untrained ``UNet2DConditionModel``: attention to picture and words at 8 x 8."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=LATENT_SIDE,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(64, 120),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,  # the number of heads: diffusers keeps the name for old folders
    )


def scheduler() -> Any:
    """The noise schedule, and the sampler that the folder names."""
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # of no effect with this spacing; the pipeline asks for it
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )


def loss_of(denoiser: Denoiser, tokenizer: Any, latents: torch.Tensor) -> Loss:
    """Mean squared error of the velocity. ``latents`` (n, 2, channels, side, side): mean and deviation, scaled."""
    noises = scheduler()

    def loss_at(step: int, chance: Chance) -> torch.Tensor:
        del step
        device = next(denoiser.parameters()).device
        rows = chance.numpy.integers(len(latents), size=BATCH)
        texts = [_words(int(row), chance.numpy) for row in rows]
        mean, deviation = latents[torch.from_numpy(rows)].float().unbind(1)
        clean = (mean + deviation * _noise(mean, chance)).to(device)
        noise = _noise(mean, chance).to(device)
        times = torch.randint(0, noises.config.num_train_timesteps, (BATCH,), generator=chance.torch).to(device)
        states = denoiser.text_encoder(token_ids(tokenizer, texts).to(device)).last_hidden_state
        noisy = noises.add_noise(clean, noise, times)
        guessed = denoiser.unet(noisy, times, states).sample
        return nn.functional.mse_loss(guessed.float(), noises.get_velocity(clean, noise, times))

    return loss_at


@torch.no_grad()
def encoded(autoencoder: Any, pictures: Pixels, path: Path, batch: int = 128) -> torch.Tensor:
    """(n, 2, channels, side, side) float16 on the CPU, not scaled; from ``path``, where they are written first."""
    if path.exists():
        with readable(path):
            found: torch.Tensor = torch.load(path, weights_only=True)
        return found
    device = next(autoencoder.parameters()).device
    parts = []
    for first in tqdm(range(0, len(pictures), batch), "latents", disable=None):
        with torch.autocast(device.type, torch.bfloat16):
            posterior = autoencoder.encode(to_values(pictures[first : first + batch]).to(device)).latent_dist
        parts.append(torch.stack([posterior.mean, posterior.std], 1).to(torch.float16).cpu())
    latents = torch.cat(parts)
    with replacing(path) as stream:
        torch.save(latents, stream)
    return latents


def scaling(latents: torch.Tensor) -> float:
    """What latents are multiplied with so that their standard deviation is 1."""
    return float(1 / latents[:, 0].float().std())


def _words(row: int, rng: np.random.Generator) -> str:
    if rng.random() < WITHOUT_WORDS:
        return ""
    return caption(scene_at(row), rng, LANGUAGES[int(rng.integers(len(LANGUAGES)))])


def _noise(like: torch.Tensor, chance: Chance) -> torch.Tensor:
    return torch.randn(like.shape, generator=chance.torch)
