"""Trains the two models of the closed world, from nothing to the folders that ship with bestshot.

    python -m experiments.closed_world.train --work WORK --out OUT
    python -m experiments.closed_world.train --work WORK --out OUT --only embedder
    python -m experiments.closed_world.train --out selector/sight/embedded --only graphs

Training stages: tokenizer, pictures, autoencoder, text_encoder (it learns to read), latents, denoiser (the UNet),
dataset (of the embedding model), embedder. What is done is not done again. The four models go on from their last
checkpoint, at most a minute old; pictures, latents and dataset begin anew when they were interrupted, and take a minute
or two each. WORK takes some GB: checkpoints and contact sheets (PNG) lie in it, and what each stage was made from; with
other options or another plan it is refused. Model cards (README.md) in OUT are left as they are. Fixed seeds: the same
steps in the same order, though not the same bits on another machine. On two cores with bfloat16 about two hours; a GPU
is used where there is one. What is written to OUT gets ONNX graphs, too; `--only graphs` writes them for the weights
that lie there, in seconds and without any training.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.closed_world.made_from import STAGES, Size
from experiments.support.outcome import ended
from selector.domain import MissingPart
from selector.domain.files import sweep

if TYPE_CHECKING:
    from experiments.closed_world.training_stages import Training

PACKAGES = ("torch", "diffusers", "open_clip", "onnx")
GRAPHS = "graphs"


def main(arguments: list[str] | None = None) -> int:
    """0; 2 for what the user can mend, in one line; 130 when interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.work is None and options.only != GRAPHS:
        parser.error("--work is needed for everything but --only graphs")
    return ended(lambda: _train(options), options.work, "the same command goes on; of a model at most a minute is lost")


def _train(options: argparse.Namespace) -> int:
    _need(PACKAGES)
    if options.only == GRAPHS:
        return _write_graphs(options.out)
    for folder in (options.work, options.out):
        folder.mkdir(parents=True, exist_ok=True)  # now, and not after hours of training
    import torch

    from experiments.closed_world.training_stages import Training

    torch.set_num_threads(os.cpu_count() or 1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    training = Training(options.work, Size(options.pictures, options.families, options.steps), device)
    stages = [options.only] if options.only else STAGES
    training.refuse_others(stages)
    sweep(options.work, deep=True)
    for stage in stages:
        getattr(training, stage)
    _write(training, stages, options.out)
    return 0


def _write(training: Training, stages: Sequence[str], out: Path) -> None:
    from experiments.closed_world.folders import megabytes

    writers = {"denoiser": training.write_denoiser, "embedder": training.write_embedder}
    folders = [write(out) for stage, write in writers.items() if stage in stages]
    if folders:
        _write_graphs(out)  # of both at once
    for folder in folders:
        print(f"{folder}: {megabytes(folder):.2f} MB")


def _write_graphs(out: Path) -> int:
    """Of both models, as far as their weights lie there."""
    from experiments.closed_world.graphs import write_embedding_graphs, write_pipeline_graphs
    from selector.sight.embedded import EMBEDDING_WEIGHTS

    whole = {
        "text_to_image/model_index.json": write_pipeline_graphs,
        f"embedding/{EMBEDDING_WEIGHTS}": write_embedding_graphs,
    }
    found = [path for place, write in whole.items() if (out / place).is_file() for path in write((out / place).parent)]
    for path in found:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    if not found:
        raise MissingPart(f"there are no weights in {out}: name the folder that holds text_to_image/ and embedding/")
    return 0


def _need(packages: Sequence[str]) -> None:
    lacking = [name for name in packages if find_spec(name) is None]
    if lacking:
        raise MissingPart(f"training needs {', '.join(lacking)}: run `pip install '.[models,pipelines]'`")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m experiments.closed_world.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--work", type=Path, help="folder for pictures, checkpoints and contact sheets")
    made.add_argument("--out", type=Path, required=True, help="folder that gets text_to_image/ and embedding/")
    made.add_argument("--only", choices=(*STAGES, GRAPHS), help="one stage, and what it needs")
    made.add_argument("--steps", type=int, help="of every model, instead of each one's own")
    made.add_argument("--pictures", type=int, default=Size.pictures, help="that autoencoder and denoiser learn from")
    made.add_argument("--families", type=int, default=Size.families, help="of scenes that the embedder learns from")
    return made


if __name__ == "__main__":
    raise SystemExit(main())
