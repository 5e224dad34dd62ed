"""Pictures from words by the embedded model: its three networks on onnxruntime, all between them in numpy.

Sampler: DDIM (Song et al. 2021) over velocities, trailing steps, a schedule that ends in pure noise (Lin et al. 2023),
with classifier-free guidance (Ho & Salimans 2022): what its folder says to diffusers, whose pictures these are within
a level of 255. Each picture is a pass of its own in one thread, so it is the same alone, among others, and on any
number of cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from selector.domain import InputError
from selector.sight.embedded import LATENT_SHAPE, TEXT_TO_IMAGE, UNET_GRAPH, VAE_GRAPH, WORDS_GRAPH, need_embedded
from selector.sight.embedded.tokenizer import embedded_tokenizer
from selector.sight.onnx_session import open_model

Floats = np.ndarray[Any, np.dtype[np.float32]]
OnStep = Callable[[int, int], None]

TIMES = 1000  # of the schedule
_FIRST, _LAST = 0.00085, 0.012  # its betas
_SCALE = 1.4056289196014404  # of the latents, as the autoencoder's configuration has it


def draw(
    prompt: str, seeds: Sequence[int], steps: int = 20, guidance: float = 4.0, on_step: OnStep | None = None
) -> Iterator[Floats]:
    """One picture a seed, (64, 64, 3), 0 to 1.

    Args:
        guidance: how much the words count; 1 or less leaves the guidance away.
        on_step: told (steps done, steps in all) of every picture; what it raises ends the drawing.

    Raises:
        MissingPart: the model did not come with this copy. InputError: more steps than the schedule has.
    """
    if steps > TIMES:
        raise InputError(f"the embedded model draws in at most {TIMES} steps, got {steps}")
    need_embedded(TEXT_TO_IMAGE)
    words = _run(WORDS_GRAPH, ids=embedded_tokenizer().rows(["", prompt] if guidance > 1 else [prompt]))
    for seed in seeds:
        yield _decoded(_denoised(normal_numbers(seed, LATENT_SHAPE), words, steps, guidance, on_step))


def _denoised(noise: Floats, words: Floats, steps: int, guidance: float, on_step: OnStep | None) -> Floats:
    kept = _kept_shares()
    latents = noise
    for done, time in enumerate(step_times(steps)):
        both = np.repeat(latents[None], len(words), axis=0)
        found = _run(UNET_GRAPH, latents=both, time=np.full(len(words), time), words=words)
        velocity = found[0] + np.float32(guidance) * (found[1] - found[0]) if len(found) == 2 else found[0]
        now, then = kept[time], kept[time - TIMES // steps] if time >= TIMES // steps else np.float32(1)
        clean = np.sqrt(now) * latents - np.sqrt(1 - now) * velocity
        noise = np.sqrt(now) * velocity + np.sqrt(1 - now) * latents
        latents = np.sqrt(then) * clean + np.sqrt(1 - then) * noise
        if on_step is not None:
            on_step(done + 1, steps)
    return latents


def _decoded(latents: Floats) -> Floats:
    (values,) = _run(VAE_GRAPH, latents=latents[None] / np.float32(_SCALE))
    return np.asarray(np.clip(values.transpose(1, 2, 0) / 2 + np.float32(0.5), 0, 1), np.float32)


def _run(graph: str, **feeds: Any) -> Floats:
    (found,) = open_model(TEXT_TO_IMAGE / graph, device="cpu").run(feeds)
    return found


def step_times(steps: int) -> list[int]:
    """The times of the schedule that are visited, the last one first; they end a step before 0."""
    return [int(time) - 1 for time in np.round(np.arange(TIMES, 0, -TIMES / steps))]


def _kept_shares() -> Floats:
    """(1000,) of the picture's variance, how much is left at a time: rescaled so that the last has none."""
    betas = np.linspace(_FIRST**0.5, _LAST**0.5, TIMES, dtype=np.float32) ** 2
    roots = np.sqrt(np.cumprod(1 - betas, dtype=np.float32))
    roots = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
    return np.asarray(roots**2, np.float32)


def normal_numbers(seed: int, shape: tuple[int, ...]) -> Floats:
    """What torch's generator on a CPU gives first for a seed, within the rounding of float32; at least 16 numbers.

    The 32-bit Mersenne Twister, 24 bits of each number, and Box and Muller's pairs in blocks of 16.
    """
    twister = np.random.MT19937()
    twister._legacy_seeding(seed & 0xFFFFFFFF)
    count = int(np.prod(shape))
    uniform = ((twister.random_raw(count) & 0xFFFFFF) / np.float64(2**24)).reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log(1 - uniform[:, 0]))
    turn = 2 * np.pi * uniform[:, 1]
    pairs = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return np.asarray(pairs.reshape(shape), np.float32)
