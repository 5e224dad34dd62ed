"""The text-to-image model on onnxruntime: diffusers' pictures within a level, the same in any number of threads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from selector.domain import InputError
from selector.sight.embedded import SIDE_PX, TEXT_TO_IMAGE
from selector.sight.embedded.drawing import draw, normal_numbers, step_times

PROMPTS = ("three red triangles below a green cross", "图中一个橙色的圆形在一个紫色的正方形的左边，灰色背景")
SETTINGS = ((20, 4.0), (20, 1.0), (20, 9.0), (6, 4.0), (30, 7.0))  # steps and guidance


def levels(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(int)


def test_its_pictures_are_those_of_diffusers_within_a_level() -> None:
    """20 pictures: two prompts, five settings, two seeds each."""
    torch, diffusers = pytest.importorskip("torch"), pytest.importorskip("diffusers")
    pipe = diffusers.DiffusionPipeline.from_pretrained(TEXT_TO_IMAGE)
    pipe.set_progress_bar_config(disable=True)
    compared = 0
    for prompt in PROMPTS:
        for steps, guidance in SETTINGS:
            seeds = [compared, compared + 1]
            theirs = pipe(
                prompt,
                num_inference_steps=steps,
                guidance_scale=guidance,
                num_images_per_prompt=2,
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                output_type="np",
            ).images
            for ours, other in zip(draw(prompt, seeds, steps, guidance), theirs, strict=True):
                assert ours.shape == (SIDE_PX, SIDE_PX, 3)
                assert np.abs(levels(ours) - levels(other)).max() <= 1
                compared += 1
    assert compared == 20


def test_noise_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    for seed in (0, 1, 123456789, 2**31 + 5, 2**40 + 3):
        theirs = torch.randn((1, 4, 16, 16), generator=torch.Generator("cpu").manual_seed(seed)).numpy()[0]
        assert normal_numbers(seed, (4, 16, 16)) == pytest.approx(theirs, abs=3e-6)


def test_a_picture_is_the_same_alone_among_others_and_in_threads() -> None:

    def made(seed: int) -> bytes:
        return next(draw(PROMPTS[0], [seed], 4)).tobytes()

    alone = {seed: made(seed) for seed in range(4)}
    assert [one.tobytes() for one in draw(PROMPTS[0], range(4), 4)] == list(alone.values())
    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(alone, pool.map(made, alone), strict=True)) == alone


def test_the_first_step_is_the_noisiest_and_a_step_is_left_before_the_end() -> None:
    assert step_times(4) == [999, 749, 499, 249]
    assert len(step_times(1000)) == 1000


def test_more_steps_than_the_schedule_has_are_refused() -> None:
    with pytest.raises(InputError, match="at most 1000 steps, got 1001"):
        next(draw("a", [0], 1001))


def test_what_on_step_raises_ends_it_and_steps_are_counted() -> None:
    told: list[tuple[int, int]] = []

    def on_step(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        next(draw("a red circle", [0], 5, on_step=on_step))
    assert told == [(1, 5), (2, 5)]


def test_neither_model_imports_torch() -> None:
    code = (
        "import sys, numpy as np; from selector.sight.embedded.drawing import draw; "
        "from selector.sight.embedding.openclip import backbone_of; "
        "from selector.domain.embedding import EmbeddingSettings; "
        "from generators.diffusers_pipeline import DiffusersPipeline; DiffusersPipeline(preset='embedded').check(); "
        "next(draw('a red circle', [0], 1)); b = backbone_of(EmbeddingSettings('embedded')); b.check(); "
        "b.embed_texts(['a']); b.embed_crops(np.zeros((1, 96, 96, 3), np.uint8)); "
        "print([m for m in ('torch', 'diffusers', 'transformers', 'open_clip') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
